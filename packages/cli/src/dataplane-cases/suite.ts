/** Themes as tests: each stage tried once, each of its cases a test of its own. */
import { canEmulate } from '@alcor/lab';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, folder, type Running, start } from '../region/testing/region-process.ts';
import { nameOf } from './case.ts';
import type { TunnelType } from './probes.ts';
import { Runner, type Theme, type Verdict } from './run.ts';
import type { Site } from './site.ts';
import { tableOf } from './table.ts';

/** Why the cases cannot be tried on this machine; empty: they can. */
export async function whyNoCases(): Promise<string> {
  const emulation = await canEmulate();
  if (!emulation.ok) return emulation.reason;
  const hasPython = ['/usr/bin/python3', '/usr/local/bin/python3'].some((path) => existsSync(path));
  return hasPython ? '' : 'python3 is not installed';
}

/** Within a `describe`: a region of three emulated hosts, there while its tests run, and a runner of cases in it. */
export function startRegion(tunnelType: TunnelType = 'vxlan'): { region: () => Running; runner: () => Runner } {
  let region: Running;
  let runner: Runner;

  beforeAll(async () => {
    const state = join(folder(), 'state');
    region = await start(['--state', state, '--no-demo', '--hosts', '3', '--tunnel-type', tunnelType]);
    runner = await Runner.start(region, tunnelType);
  });

  afterAll(async () => {
    await runner?.close();
    await cleanUp();
  });

  return { region: () => region, runner: () => runner };
}

/** Within a `describe`; `runner`: that of the region, once the tests run. Prints the table at the end. */
export function describeThemes(themes: readonly Theme[], runner: () => Runner): void {
  const all = new Map<string, Verdict[]>();
  const sites: Site[] = [];

  afterAll(async () => {
    for (const site of sites) await site.close();
    process.stdout.write(`\n${tableOf(all)}\n\n`);
  });

  describe.each(themes)('$name', (theme) => {
    let site: Site;
    beforeAll(async () => {
      all.set(theme.name, []);
      site = runner().site(theme.short);
      sites.push(site);
      await theme.build(site);
    });

    describe.each(theme.stages)('$when', (stage) => {
      let verdicts: readonly Verdict[];
      beforeAll(async () => {
        verdicts = await runner().run(site, stage);
        all.get(theme.name)!.push(...verdicts);
      });

      it.each(stage.cases.map((each, at) => [nameOf(each), at] as const))('%s', (_, at) => {
        expect(verdicts[at]!.wrong).toEqual([]);
      });
    });
  });
}
