/** The same cases where hosts tunnel by Geneve: between them, and by gateway hosts out of the region. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, folder, type Running, sh, start } from '../region/testing/region-process.ts';
import { Runner } from './run.ts';
import { describeThemes, whyNoCases } from './suite.ts';
import { northSouth } from './themes/north-south.ts';
import { oneNetwork } from './themes/one-network.ts';

const missing = await whyNoCases();
if (missing !== '') console.log(`skipped: Geneve on real Open vSwitch: ${missing}`);

describe.skipIf(missing !== '')('hosts that tunnel by Geneve', () => {
  let region: Running;
  let runner: Runner;

  beforeAll(async () => {
    region = await start(['--state', join(folder(), 'state'), '--no-demo', '--hosts', '3', '--tunnel-type', 'geneve']);
    runner = await Runner.start(region, 'geneve');
  }, 120_000);

  afterAll(async () => {
    await runner?.close();
    await cleanUp();
  }, 120_000);

  it('have no VXLAN port', () => {
    for (const { ovsdb } of region.json.hosts) {
      const types = sh(`ovs-vsctl --db=${ovsdb} --bare --columns=name,type find interface options:remote_ip=flow`);
      expect(types.trim().split(/\s+/).toSorted()).toEqual(['geneve', 'geneve', 'geneve0', 'geneve0-gw']);
    }
  });

  describeThemes([oneNetwork, northSouth], () => runner);
});
