/** Routers on a real Open vSwitch: packets that guests' own kernels send and check, and flows against those of the switch in memory. */
import { ipv4, ipv6, mac } from '@alcor/openflow';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Dataplane } from './dataplane.ts';
import { MemorySwitch } from './drivers/memory.ts';
import { icmpEcho, icmpv6Echo, udp, type Packet } from './drivers/packet.ts';
import { walkText } from './drivers/walk.ts';
import type { LocalPort, Neighbor, Router } from './resources.ts';
import { missingOpenVswitch, OpenVswitch } from './testing/open-vswitch.ts';
import { neighborOf, never, port, startedOn } from './testing/region.ts';
import { finalFields, finalFlow, flowsTraced, flowsWalked, traceText } from './testing/trace.ts';
import { boot, insideNamespace, vmNamespace } from './testing/virtual-machines.ts';

const A = '192.0.2.1';
const B = '192.0.2.2';
const missing = missingOpenVswitch();

describe.skipIf(missing !== '')(`routers on Open vSwitch${missing && ` (skipped: ${missing})`}`, () => {
  let ovs: OpenVswitch;
  let stop: AbortController;
  let dataplane: Dataplane;

  beforeEach(async () => {
    ovs = await OpenVswitch.start();
    stop = new AbortController();
    dataplane = await ovs.startDataplane(A, stop.signal);
  });

  afterEach(async () => {
    stop.abort();
    await ovs.stop();
  });

  test('VMs of two networks ping each other and the router, over IPv4 and IPv6, as their kernels see it', async () => {
    const vms = [red, blue];
    for (const [index, vm] of vms.entries()) {
      await boot(ovs, vm, index);
      for (const [family, gateway] of [
        ['-4', `10.0.${index + 1}.1`],
        ['-6', `fd00:${index + 1}::1`],
      ] as const)
        await insideNamespace(vmNamespace(ovs, index), 'ip', family, 'route', 'add', 'default', 'via', gateway);
    }
    for (const vm of vms) dataplane.setPort(vm);
    dataplane.setRouter(router());
    expect((await dataplane.reconcile(never)).map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
    const here = vmNamespace(ovs, 0);
    for (const ip of ['10.0.2.6', '10.0.1.1', '10.0.2.1']) {
      const { stdout } = await insideNamespace(here, 'ping', '-c1', '-W10', ip);
      expect(stdout).toContain(ip === '10.0.2.6' ? 'ttl=63' : 'ttl=64');
    }
    // With checksums verified by the guest's own kernel, and discovery of a router.
    for (const ip of ['fd00:2::6', 'fd00:1::1', 'fd00:2::1'])
      await insideNamespace(here, 'ping', '-6', '-c1', '-W10', ip);
    expect((await insideNamespace(here, 'ip', '-6', 'neigh')).stdout).toMatch(
      /fd00:1::1 .*lladdr fa:16:3e:00:00:01 router/,
    );
    await insideNamespace(here, 'ping', '-c1', '-W10', '-s', '1300', '10.0.2.6');
    await expect(insideNamespace(here, 'ping', '-c1', '-W1', '-t', '1', '10.0.2.6')).rejects.toThrow();
    dataplane.setRouter({ ...router(), adminStateUp: false });
    await dataplane.flush(never);
    await ovs.appctl('revalidator/wait');
    await expect(insideNamespace(here, 'ping', '-c1', '-W1', '10.0.2.6')).rejects.toThrow();
  });

  test('for any routers and packet the switch and the one in memory take the same flows to the same end', async () => {
    const ids = ['p0', 'p1'];
    const ofports = new Map<string, number>();
    for (const id of ids) ofports.set(id, await ovs.plug(id));
    const tunnelPort = dataplane.describe().tunnelPort!;
    const ends = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(anyNetwork(), fc.array(anyPacket(), { minLength: 8, maxLength: 8 }), async (all, sent) => {
        const memory = new MemorySwitch({ tunnelPort });
        for (const [id, ofport] of ofports) memory.plug(id, { ofport });
        const virtual = await startedOn(memory, A);
        for (const each of [dataplane, virtual.dataplane]) {
          replace(each, all);
          await each.reconcile(never);
        }
        for (const { packet, from } of sent) {
          const inPort = ofports.get(from)!;
          const walked = memory.walk(packet, inPort);
          const traced = await ovs.appctl('ofproto/trace', 'br-int', traceText(packet, inPort));
          expect(flowsTraced(traced), `${walkText(walked)}\n${traced}`).toEqual(flowsWalked(walked));
          for (const { packet: out } of walked.outputs) {
            expect(finalFlow(traced), `${walkText(walked)}\n${traced}`).toMatchObject(finalFields(out));
          }
          const end = walked.trace.at(-1)!.table;
          ends.set(end, (ends.get(end) ?? 0) + 1);
        }
      }),
      { numRuns: 120, endOnFailure: true },
    );
    // What is routed back to its sender ends in 'entering'.
    for (const end of ['routing', 'nextHop', 'tunnel', 'entering']) expect(ends.get(end) ?? 0, end).toBeGreaterThan(0);
  });
});

const red = port('red', { vni: 100, mac: '02:00:00:01:00:05', ips: ['10.0.1.5', 'fd00:1::5'] });
const blue = port('blue', { vni: 200, mac: '02:00:00:02:00:06', ips: ['10.0.2.6', 'fd00:2::6'] });

function on(vni: number, last: number) {
  const third = vni / 100;
  return {
    vni,
    mac: `fa:16:3e:00:0${last - 1}:0${third}`,
    addresses: [
      { ip: `10.0.${third}.${last}`, subnetId: 's', cidr: `10.0.${third}.0/24` },
      { ip: `fd00:${third}::${last}`, subnetId: 's', cidr: `fd00:${third}::/64` },
    ],
  };
}

/** On the first two networks. */
function router(changes: Partial<Router> = {}): Router {
  return {
    id: 'router',
    adminStateUp: true,
    interfaces: [on(100, 1), on(200, 1)],
    routes: [],
    revision: 1,
    ...changes,
  };
}

interface Network {
  readonly ports: readonly LocalPort[];
  readonly neighbors: readonly Neighbor[];
  readonly routers: readonly Router[];
}

const vnis = [100, 200, 300];
const routes = [
  { destination: '10.0.0.0/8', nextHop: '10.0.2.2' },
  { destination: '0.0.0.0/0', nextHop: '10.0.2.1' },
  { destination: '10.0.3.0/24', nextHop: '10.0.2.6' },
  { destination: '10.0.3.6/32', nextHop: '203.0.113.1' },
  { destination: 'fd00::/16', nextHop: 'fd00:2::2' },
  { destination: '::/0', nextHop: 'fd00:2::6' },
];

/** A port or neighbour in one of three networks, with the last number of its MAC and addresses. */
function anyResource(id: string): fc.Arbitrary<LocalPort> {
  return fc.tuple(fc.constantFrom(...vnis), fc.constantFrom(5, 6)).map(([vni, last]) =>
    port(id, {
      vni,
      mac: `02:00:00:0${vni / 100}:00:0${last}`,
      ips: [`10.0.${vni / 100}.${last}`, `fd00:${vni / 100}::${last}`],
      portSecurityEnabled: false,
    }),
  );
}

function anyRouter(id: string, last: number): fc.Arbitrary<Router> {
  return fc.record({
    id: fc.constant(id),
    adminStateUp: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    interfaces: fc.subarray(vnis, { minLength: 1 }).map((chosen) => chosen.map((vni) => on(vni, last))),
    routes: fc.subarray(routes, { maxLength: 3 }),
    revision: fc.constant(1),
  });
}

function anyNetwork(): fc.Arbitrary<Network> {
  return fc.record({
    ports: fc.tuple(...['p0', 'p1'].map(anyResource)),
    neighbors: fc.tuple(...['n0', 'n1', 'n2'].map((id) => anyResource(id).map((each) => neighborOf(each, B)))),
    routers: fc.tuple(anyRouter('r1', 1), anyRouter('r2', 2)),
  });
}

/** Mostly to a router's MAC. */
function anyPacket(): fc.Arbitrary<{ readonly packet: Packet; readonly from: string }> {
  const third = fc.integer({ min: 1, max: 3 });
  const last = fc.constantFrom(1, 2, 5, 6, 6, 9);
  const routerMac = fc.tuple(fc.constantFrom(0, 1), third).map(([r, n]) => mac(`fa:16:3e:00:0${r}:0${n}`));
  const to = fc.tuple(routerMac, third, last);
  const ends = fc.tuple(third, to, fc.constantFrom(64, 64, 3, 2, 1, 0));
  const v4 = ends.map(([of, [ethernet, n, host], ip_ttl]) => ({
    from: { mac: mac(`02:00:00:0${of}:00:05`), ip: ipv4(`10.0.${of}.5`) },
    to: { mac: ethernet, ip: ipv4(`10.0.${n}.${host}`) },
    ip_ttl,
  }));
  const v6 = ends.map(([of, [ethernet, n, host], ip_ttl]) => ({
    from: { mac: mac(`02:00:00:0${of}:00:05`), ip: ipv6(host === 9 ? 'fe80::5' : `fd00:${of}::5`) },
    to: { mac: ethernet, ip: ipv6(host === 2 ? 'fe80::f816:3eff:fe00:1' : `fd00:${n}::${host}`) },
    ip_ttl,
  }));
  const packet = fc.oneof(
    v4.map((each) => ({ ...icmpEcho('request', each.from, each.to), ip_ttl: each.ip_ttl })),
    v4.map((each) => ({ ...udp({ ...each.from, port: 1 }, { ...each.to, port: 2 }), ip_ttl: each.ip_ttl })),
    v6.map((each) => ({ ...icmpv6Echo('request', each.from, each.to), ip_ttl: each.ip_ttl })),
  );
  return fc.record({ packet, from: fc.constantFrom('p0', 'p1') });
}

function replace(dataplane: Dataplane, { ports, neighbors, routers }: Network): void {
  for (const each of ports) dataplane.setPort(each);
  for (const each of neighbors) dataplane.setNeighbor(each);
  for (const each of routers) dataplane.setRouter(each);
}
