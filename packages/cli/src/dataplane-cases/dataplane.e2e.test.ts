import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, eventually, folder, type Running, start } from '../region/testing/region-process.ts';
import { flaws, small, withFlaw } from './flaws.ts';
import { Runner, type Theme, type Verdict } from './run.ts';
import type { Site } from './site.ts';
import { describeThemes, whyNoCases } from './suite.ts';
import { addressQuality } from './themes/address-quality.ts';
import { addresses } from './themes/addresses.ts';
import { broadcast } from './themes/broadcast.ts';
import { conntrackHelpers } from './themes/conntrack-helpers.ts';
import { groups } from './themes/groups.ts';
import { ndpProxies } from './themes/ndp-proxies.ts';
import { networkAcls } from './themes/network-acls.ts';
import { northSouth } from './themes/north-south.ts';
import { oneNetwork } from './themes/one-network.ts';
import { peering } from './themes/peering.ts';
import { quality } from './themes/quality.ts';
import { routers } from './themes/routers.ts';
import { services } from './themes/services.ts';
import { trunks } from './themes/trunks.ts';

const themes: readonly Theme[] = [
  oneNetwork,
  addresses,
  broadcast,
  groups,
  networkAcls,
  quality,
  addressQuality,
  routers,
  peering,
  northSouth,
  conntrackHelpers,
  ndpProxies,
  services,
  trunks,
];

const failures = (verdicts: readonly Verdict[]): readonly string[] => verdicts.flatMap(({ wrong }) => wrong);

const missing = await whyNoCases();
console.log(
  'left out: passive FTP from outside to another port than 21: it fails among all themes and not alone, and why is not known yet',
);
if (missing !== '') console.log(`skipped: the cases of the data plane on real Open vSwitch: ${missing}`);

describe.skipIf(missing !== '')('what the API says happens to packets', () => {
  let region: Running;
  let runner: Runner;

  beforeAll(async () => {
    region = await start(['--state', join(folder(), 'state'), '--no-demo', '--hosts', '3']);
    runner = await Runner.start(region);
  }, 120_000);

  afterAll(async () => {
    await runner?.close();
    await cleanUp();
  }, 120_000);

  describeThemes(themes, () => runner);

  describe('the cases notice a data plane in which', () => {
    let site: Site;
    beforeAll(async () => {
      site = runner.site(small.short);
      await small.build(site);
      expect(failures(await runner.run(site, small.stages[0]!))).toEqual([]);
    }, 120_000);

    afterAll(() => site?.close());

    it.each(flaws)('$why', async (flaw) => {
      // Open vSwitch takes a moment to go by a new flow.
      const look = async (): Promise<string> => failures(await runner.run(site, small.stages[0]!, 0)).join('\n');
      await withFlaw(site, flaw, () => eventually(flaw.why, look, (said) => flaw.noticed.test(said)));
    });
  });
});
