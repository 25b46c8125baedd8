/** How packets travel between hosts, on a real Open vSwitch with a route of its own to the other one. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { missingOpenVswitch, OpenVswitch } from '../testing/open-vswitch.ts';
import { neighborOf, never, port } from '../testing/region.ts';

const missing = missingOpenVswitch();
const run = promisify(execFile);
const there = '192.0.2.2';
const packet =
  'eth_src=02:00:00:00:00:01,eth_dst=02:00:00:00:00:02,ip,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_proto=1,nw_ttl=64';

describe.skipIf(missing !== '')(`tunnels of Open vSwitch${missing && ` (skipped: ${missing})`}`, () => {
  let ovs: OpenVswitch;
  let stop: AbortController;

  beforeEach(async () => {
    ovs = await OpenVswitch.start();
    stop = new AbortController();
    await ovs.vsctl('add-br', 'br-phy', '--', 'set', 'bridge', 'br-phy', 'datapath_type=netdev');
    await ovs.vsctl('add-port', 'br-phy', 'uplink', '--', 'set', 'interface', 'uplink', 'type=dummy');
    await run('ip', ['-n', ovs.netns, 'addr', 'add', '192.0.2.1/24', 'dev', 'br-phy']);
    await run('ip', ['-n', ovs.netns, 'link', 'set', 'br-phy', 'up']);
    await ovs.appctl('tnl/neigh/set', 'br-phy', there, '02:00:00:00:00:99');
  });

  afterEach(async () => {
    stop.abort();
    await ovs.stop();
  });

  test.each([
    ['vxlan', /udp\(src=0,dst=4789,[^]*vxlan\(flags=0x8000000,vni=0x64\)/],
    ['geneve', /udp\(src=0,dst=6081,[^]*geneve\(vni=0x64\)/],
  ] as const)('by %s a packet crosses in the header of its own and under its VNI', async (type, header) => {
    const dataplane = await ovs.startDataplane('192.0.2.1', stop.signal, type);
    const ofport = await ovs.plug('p');
    dataplane.setPort(port('p'));
    dataplane.setNeighbor(neighborOf(port('n', { mac: '02:00:00:00:00:02', ips: ['10.0.0.2'] }), there));
    expect((await dataplane.reconcile(never)).map(({ status }) => status)).toEqual(['ok', 'ok']);
    const way = async (): Promise<string> => ovs.appctl('ofproto/trace', 'br-int', `in_port=${ofport},${packet}`);
    // The switch hears of a new address of its machine a moment later.
    while (!/tnl_push/.test(await way()));
    expect(await way()).toMatch(header);
    expect(await ovs.vsctl('get', 'interface', `${type}0`, 'type')).toContain(type);
  });
});
