/** That Open vSwitch takes every flow of routers' gateways and floating IPs, and makes the way to a physical bridge. */
import { realRuntime } from '@alcor/runtime';
import { expect, onTestFinished, test } from 'vitest';
import { Dataplane } from './dataplane.ts';
import type { ConntrackHelper, QualityRules } from './resources.ts';
import { external, floating, forwarding, gateway, HOSTS, router } from './testing/north-south.ts';
import { missingOpenVswitch, OpenVswitch } from './testing/open-vswitch.ts';
import { never, port } from './testing/region.ts';

const missing = missingOpenVswitch();
if (missing !== '') console.log(`skipped: gateways and floating IPs on Open vSwitch: ${missing}`);
const { clock } = realRuntime();
const limit = { unit: 'kilobits', rate: 7_000, burst: 0 } as const;
const quality: QualityRules = {
  limits: (['ingress', 'egress'] as const).map((direction) => ({ ...limit, direction })),
  dscpMark: 46,
};

const helpers: readonly ConntrackHelper[] = [
  { application: 'ftp', protocol: 6, port: 2001 },
  { application: 'tftp', protocol: 17, port: 1069 },
];

test.skipIf(missing !== '').each(HOSTS)('the flows of the host %s', async (hostIp) => {
  const ovs = await OpenVswitch.start();
  onTestFinished(() => ovs.stop());
  await ovs.vsctl('add-br', 'br-ex', '--', 'set', 'bridge', 'br-ex', 'datapath_type=netdev');
  await ovs.plug('1');
  const dataplane = new Dataplane({ switch: ovs.driver(new Map([['physnet1', 'br-ex']])), hostIp, clock });
  await dataplane.start(never);
  dataplane.setProviderNetwork(external);
  dataplane.setPort(port('1', { mac: '02:00:00:00:00:01', ips: ['10.0.0.1', 'fd00::1'] }));
  for (const snat of [true, false]) {
    dataplane.setRouter({ ...router, gateway: { ...gateway, snat, quality, helpers } });
    dataplane.setFloatingIp({ ...floating, quality });
    dataplane.setFloatingIp({ ...forwarding, quality });
    dataplane.setOutsideNeighbor({ vni: external.vni, ip: '203.0.113.1', mac: '02:00:00:00:00:99' });
    for (let turn = 0; turn < 15_000 && dataplane.servedAt(external.vni, floating.mac).length === 0; turn++)
      await clock.sleep(20);
    const outcomes = await dataplane.reconcile(never);
    expect(outcomes.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(dataplane.servedAt(external.vni, floating.mac)).toEqual([
      { vni: external.vni, ip: floating.ip, mac: floating.mac },
    ]);
    expect(dataplane.describe().flows).toMatchObject({ refused: 0, pending: 0, foreign: 0 });
  }
  // Two of each floating IP, and of the router where it has its gateway.
  const meters = (await ovs.ofctl('dump-meters')).match(/rate=7000 burst_size=5600/g);
  expect(meters).toHaveLength(hostIp === gateway.hostIp ? 6 : 4);
  expect(await ovs.vsctl('list-ports', 'br-ex')).toContain('phy-br-ex');
});
