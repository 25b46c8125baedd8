/** The same cases where hosts tunnel by Geneve: between them, and by gateway hosts out of the region. */
import { describe, expect, it } from 'vitest';
import { sh } from '../region/testing/region-process.ts';
import { describeThemes, startRegion, whyNoCases } from './suite.ts';
import { northSouth } from './themes/north-south.ts';
import { oneNetwork } from './themes/one-network.ts';

const missing = await whyNoCases();
if (missing !== '') console.log(`skipped: Geneve on real Open vSwitch: ${missing}`);

describe.skipIf(missing !== '')('hosts that tunnel by Geneve', () => {
  const { region, runner } = startRegion('geneve');

  it('have no VXLAN port', () => {
    for (const { ovsdb } of region().json.hosts) {
      const types = sh(`ovs-vsctl --db=${ovsdb} --bare --columns=name,type find interface options:remote_ip=flow`);
      expect(types.trim().split(/\s+/).toSorted()).toEqual(['geneve', 'geneve', 'geneve0', 'geneve0-gw']);
    }
  });

  describeThemes([oneNetwork, northSouth], runner);
});
