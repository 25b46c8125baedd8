import { ipv4, ipv6, mac } from '@alcor/openflow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Vm } from './drivers/fabric.ts';
import { arpRequest, neighborSolicitation, udp, type Packet } from './drivers/packet.ts';
import { VLAN_TAGGED } from './fields.ts';
import type { LocalPort } from './resources.ts';
import { fabricOf, neighborOf, never, port, testHost } from './testing/region.ts';
import { portKey } from './trunk.ts';

const A = '192.0.2.1';
const B = '192.0.2.2';

const at = (n: number, vni: number) => ({
  vni,
  vpcId: `vpc ${vni}`,
  mac: `02:00:00:00:00:0${n}`,
  ips: [`10.0.0.${n}`, `fd00::${n}`],
});
const parent = port('parent', at(1, 100));
/** In another network, with the address that somebody has in the parent's. */
const red = port('red', { ...at(2, 200), trunk: { parentId: 'parent', vlan: 7 } });
/** In the network of the parent. */
const blue = port('blue', { ...at(3, 100), trunk: { parentId: 'parent', vlan: 8 } });
const away = port('away', at(4, 200));
const near = port('near', at(5, 200));
const stranger = port('stranger', { ...at(4, 100), mac: '02:00:00:00:00:09' });

function end({ mac: ethernet, ips }: LocalPort, six = false) {
  return { mac: mac(ethernet), ip: six ? ipv6(ips[1]!) : ipv4(ips[0]!), port: 9 };
}

const tagged = (vlan: number, packet: Packet): Packet => ({ ...packet, vlan_vid: VLAN_TAGGED | vlan });

async function trunk() {
  const hosts = [await testHost(A), await testHost(B)] as const;
  const fabric = fabricOf(hosts);
  const [first, second] = hosts;
  for (const each of [parent, red, blue, near]) {
    first.dataplane.setPort(each);
    second.dataplane.setNeighbor(neighborOf(each, A));
  }
  for (const each of [away, stranger]) {
    second.dataplane.setPort(each);
    first.dataplane.setNeighbor(neighborOf(each, B));
  }
  const vm = (host: string, of: LocalPort): Vm => fabric.addVm(host, { ...of, subnets: [] });
  const vms = { parent: vm(A, parent), near: vm(A, near), away: vm(B, away), stranger: vm(B, stranger) };
  for (const { dataplane } of hosts) await dataplane.reconcile(never);
  /** Who got it, and under which tag. */
  const got = (by: Vm, packet: Packet): string[] =>
    fabric
      .send(by, packet)
      .received.map(({ vm: to, packet: { vlan_vid = 0 } }) => `${to.id} ${Number(vlan_vid) & 0xfff}`);
  return { hosts, fabric, vms, got };
}

test.each([false, true])(
  'frames with its tag are those of the sub-port, both ways and on both hosts (IPv6: %s)',
  async (six) => {
    const { vms, got } = await trunk();
    expect(got(vms.parent, tagged(7, udp(end(red, six), end(away, six))))).toEqual(['away 0']);
    expect(got(vms.parent, tagged(7, udp(end(red, six), end(near, six))))).toEqual(['near 0']);
    expect(got(vms.away, udp(end(away, six), end(red, six)))).toEqual(['parent 7']);
    expect(got(vms.near, udp(end(near, six), end(red, six)))).toEqual(['parent 7']);
    expect(got(vms.parent, udp(end(parent, six), end(stranger, six)))).toEqual(['stranger 0']);
    expect(got(vms.stranger, udp(end(stranger, six), end(parent, six)))).toEqual(['parent 0']);
    expect(got(vms.stranger, udp(end(stranger, six), end(blue, six)))).toEqual(['parent 8']);
  },
);

test('no tag, another one or one on an interface that is no trunk is nobody’s', async () => {
  const { vms, got } = await trunk();
  expect(got(vms.parent, udp(end(red), end(away)))).toEqual([]);
  expect(got(vms.parent, tagged(9, udp(end(red), end(away))))).toEqual([]);
  expect(got(vms.parent, tagged(8, udp(end(red), end(away))))).toEqual([]);
  expect(got(vms.parent, tagged(7, udp(end(parent), end(stranger))))).toEqual([]);
  expect(got(vms.near, tagged(7, udp(end(near), end(away))))).toEqual([]);
});

test('the ports of one trunk speak with each other by the interface that they share', async () => {
  const { vms, got } = await trunk();
  expect(got(vms.parent, udp(end(parent), end(blue)))).toEqual(['parent 8']);
  expect(got(vms.parent, tagged(8, udp(end(blue), end(parent))))).toEqual(['parent 0']);
  expect(got(vms.parent, tagged(7, udp(end(red), end(blue))))).toEqual([]);
});

test('what is for all of a network comes once, under each tag that is of it', async () => {
  const { vms, got } = await trunk();
  const all = { mac: 0xffff_ffff_ffff, ip: 0xffff_ffff, port: 9 };
  expect(got(vms.stranger, udp(end(stranger), all)).sort()).toEqual(['parent 0', 'parent 8']);
  expect(got(vms.parent, udp(end(parent), all)).sort()).toEqual(['parent 8', 'stranger 0']);
  expect(got(vms.parent, tagged(8, udp(end(blue), all))).sort()).toEqual(['parent 0', 'stranger 0']);
  expect(got(vms.parent, tagged(7, udp(end(red), all))).sort()).toEqual(['away 0', 'near 0']);
});

test('the host answers a sub-port under its tag', async () => {
  const { vms, got } = await trunk();
  const { mac: ethernet } = end(red);
  const arp = arpRequest({ mac: ethernet, ip: ipv4('10.0.0.2') }, ipv4('10.0.0.4'));
  const nd = neighborSolicitation({ mac: ethernet, ip: ipv6('fd00::2') }, ipv6('fd00::4'));
  expect([arp, nd].map((packet) => got(vms.parent, tagged(7, packet)))).toEqual([['parent 7'], ['parent 7']]);
});

test('a sub-port is wired when its parent’s interface comes, and says so where it does not', async () => {
  const { dataplane, memory, told } = await testHost(A);
  dataplane.setPort(red);
  const [first] = await dataplane.reconcile(never);
  const reason = 'no interface with external_ids:iface-id=parent on the bridge';
  expect(first).toEqual({ resourceId: 'red', status: 'unplugged', reason });
  memory.plug('parent');
  await dataplane.flush(never);
  expect(told).toContainEqual({ resourceId: 'red', status: 'ok', reason: '' });
  const [{ key } = { key: 0 }] = dataplane.pluggedPorts();
  expect(dataplane.portAt(key)).toMatchObject({ id: 'red' });
  memory.unplug('parent');
  await dataplane.flush(never);
  expect(dataplane.portAt(key)).toBeUndefined();
  expect([...memory.entries()].some(({ flow }) => flow.match.reg0 === key)).toBe(false);
});

test('sub-ports come and go while others’ packets flow', async () => {
  const { hosts, vms, got } = await trunk();
  const { dataplane } = hosts[0];
  const flows = () => [...hosts[0].memory.entries()].map(({ flow }) => flow.cookie).sort();
  const before = flows();
  const green = port('green', { ...at(6, 200), trunk: { parentId: 'parent', vlan: 9 } });
  dataplane.setPort(green);
  await dataplane.flush(never);
  expect(got(vms.parent, tagged(9, udp(end(green), end(near))))).toEqual(['near 0']);
  expect(got(vms.parent, tagged(7, udp(end(red), end(near))))).toEqual(['near 0']);
  dataplane.removePort('green');
  await dataplane.flush(never);
  expect(got(vms.parent, tagged(9, udp(end(green), end(near))))).toEqual([]);
  expect(got(vms.parent, tagged(7, udp(end(red), end(near))))).toEqual(['near 0']);
  expect(flows()).toEqual(before);
});

test('no two ports have the same key', () => {
  const place = fc.tuple(fc.integer({ min: 1, max: 0xfeff }), fc.option(fc.integer({ min: 1, max: 4094 })));
  fc.assert(
    fc.property(fc.uniqueArray(place, { selector: String, minLength: 2, maxLength: 500 }), (places) => {
      const keys = places.map(([ofport, vlan]) =>
        portKey(vlan === null ? {} : { trunk: { parentId: 'p', vlan } }, ofport),
      );
      expect(new Set(keys).size).toBe(places.length);
    }),
  );
});
