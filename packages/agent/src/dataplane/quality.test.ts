import { ipv4, ipv6, mac } from '@alcor/openflow';
import { expect, test } from 'vitest';
import { arpRequest, BROADCAST, type Packet, udp } from './drivers/packet.ts';
import type { Meter } from './meters.ts';
import type { LocalPort, QosPolicy, RateLimit } from './resources.ts';
import type { Switch } from './switch.ts';
import { fabricOf, neighborOf, never, port, startedOn, testHost } from './testing/region.ts';

const A = '192.0.2.1';
const B = '192.0.2.2';
const [one, near, far] = [1, 2, 3].map((n) =>
  port(`p${n}`, { mac: `02:00:00:00:00:0${n}`, ips: [`10.0.0.${n}`, `fd00::${n}`] }),
) as [LocalPort, LocalPort, LocalPort];
const ofOne = { mac: mac(one.mac), ip: ipv4('10.0.0.1'), port: 1000 };
const ofFar = { mac: mac(far.mac), ip: ipv4('10.0.0.3'), port: 9 };
const out = udp(ofOne, ofFar);
const out6 = udp({ ...ofOne, ip: ipv6('fd00::1') }, { ...ofFar, ip: ipv6('fd00::3') });
const back = udp(ofFar, ofOne);

async function metersOf(driver: Switch): Promise<Meter[]> {
  const found: Meter[] = [];
  for await (const meter of driver.meters(never)) found.push(meter);
  return found;
}

function policy(limits: readonly Partial<RateLimit>[], dscpMark: number | null = null): QosPolicy {
  const most: RateLimit = { direction: 'egress', unit: 'kilopackets', rate: 1, burst: 1 };
  return { id: 'q', limits: limits.map((each) => ({ ...most, ...each })), dscpMark, revision: 1 };
}

/** Two VMs on one host, the first of which has a policy, and one on another. */
async function twoHosts(its: QosPolicy) {
  const clock = { at: 0, now: () => clock.at };
  const [here, there] = [await testHost(A, { clock }), await testHost(B)];
  const fabric = fabricOf([here, there]);
  const named = { ...one, qosPolicyId: 'q' };
  here.dataplane.setQosPolicy(its);
  for (const each of [named, near]) here.dataplane.setPort(each);
  here.dataplane.setNeighbor(neighborOf(far, B));
  there.dataplane.setPort(far);
  for (const each of [one, near]) there.dataplane.setNeighbor(neighborOf(each, A));
  const [vm, other, remote] = [fabric.addVm(A, one), fabric.addVm(A, near), fabric.addVm(B, far)];
  for (const { dataplane } of [here, there]) await dataplane.reconcile(never);
  /** How often the packet arrives of as many as are sent at once. */
  const arrived = (from: typeof vm, packet: Packet, times: number): number =>
    Array.from({ length: times }, () => fabric.send(from, packet).received.length).reduce((sum, n) => sum + n, 0);
  return { clock, fabric, here, named, vm, other, remote, arrived };
}

test('what a VM sends beyond its limit ends on its host, and time lets more pass', async () => {
  const { clock, vm, remote, arrived } = await twoHosts(policy([{}]));
  expect(arrived(vm, out, 1_500)).toBe(1_000);
  expect(arrived(vm, out6, 10)).toBe(0);
  clock.at += 100;
  expect(arrived(vm, out6, 300)).toBe(100);
  expect(arrived(remote, back, 1_500)).toBe(1_500);
});

test('what it is sent beyond its limit ends there, and nothing of what it sends', async () => {
  const { vm, remote, arrived } = await twoHosts(policy([{ direction: 'ingress' }]));
  expect(arrived(remote, back, 1_500)).toBe(1_000);
  expect(arrived(vm, out, 1_500)).toBe(1_500);
});

test('a broadcast that one port has no room for reaches the others', async () => {
  const { fabric, remote, arrived } = await twoHosts(policy([{ direction: 'ingress' }]));
  const toAll = udp(ofFar, { mac: BROADCAST, ip: ipv4('255.255.255.255'), port: 9 });
  arrived(remote, back, 1_000);
  expect(fabric.send(remote, toAll).received.map(({ vm: { id } }) => id)).toEqual(['p2']);
});

test('bits are limited beside packets, with a burst that the largest packet fits in', async () => {
  const { here, vm, arrived } = await twoHosts(policy([{}, { unit: 'kilobits', rate: 10, burst: 1 }]));
  const meters = await metersOf(here.memory);
  expect(meters.map(({ unit, rate, burst }) => [unit, rate, burst])).toEqual([
    ['packets', 1_000, 1_000],
    ['kilobits', 10, 525],
  ]);
  // Of 64 bytes each.
  expect(arrived(vm, out, 2_000)).toBe(1_000);
  const { vm: slow, arrived: slowly } = await twoHosts(policy([{ unit: 'kilobits', rate: 10, burst: 1 }]));
  expect(slowly(slow, out, 2_000)).toBe(1_025);
});

test('a burst is ten milliseconds of its rate at least, and 0.8 seconds where nothing is said', async () => {
  const wide = { unit: 'kilobits', rate: 1_000_000 } as const;
  const { here } = await twoHosts(
    policy([
      { ...wide, burst: 1 },
      { ...wide, direction: 'ingress', burst: 0 },
    ]),
  );
  expect((await metersOf(here.memory)).map(({ burst }) => burst)).toEqual([10_000, 800_000]);
});

test('what a VM sends carries the mark in both families, and nothing else does', async () => {
  const { fabric, vm, remote } = await twoHosts(policy([], 46));
  for (const packet of [out, out6, { ...out, ip_dscp: 8 }])
    expect(fabric.send(vm, packet).received.map((each) => each.packet.ip_dscp)).toEqual([46]);
  expect(fabric.send(remote, { ...back, ip_dscp: 8 }).received.map((each) => each.packet.ip_dscp)).toEqual([8]);
  expect(fabric.send(vm, arpRequest(ofOne, ipv4('10.0.0.3'))).received).toHaveLength(1);
});

test('a policy that changes changes meters in place, and one that goes takes them and its flows away', async () => {
  const { here, named, vm, arrived } = await twoHosts(policy([{}, { direction: 'ingress' }], 46));
  const before = here.memory.changesApplied;
  here.dataplane.setQosPolicy(policy([{ burst: 2 }, { direction: 'ingress' }], 46));
  await here.dataplane.flush(never);
  expect(here.memory.changesApplied - before).toBe(1);
  here.dataplane.removeQosPolicy('q');
  await here.dataplane.flush(never);
  expect(await metersOf(here.memory)).toEqual([]);
  expect(arrived(vm, out, 3_000)).toBe(3_000);
  here.dataplane.setQosPolicy(policy([{}]));
  await here.dataplane.flush(never);
  expect(arrived(vm, out, 3_000)).toBe(1_000);
  here.dataplane.setPort({ ...named, qosPolicyId: undefined });
  await here.dataplane.flush(never);
  expect(await metersOf(here.memory)).toEqual([]);
  expect(arrived(vm, out, 3_000)).toBe(3_000);
});

test('an unplugged port leaves no meters, and another that takes its number has its own', async () => {
  const { here } = await twoHosts(policy([{}]));
  const { ofport } = here.memory.plugged('p1')!;
  here.memory.unplug('p1');
  await here.dataplane.flush(never);
  expect(await metersOf(here.memory)).toEqual([]);
  here.dataplane.setQosPolicy({ ...policy([{ burst: 7 }]), id: 'r' });
  here.dataplane.setPort({ ...near, id: 'p9', qosPolicyId: 'r', mac: '02:00:00:00:00:09' });
  here.memory.plug('p9', { ofport });
  await here.dataplane.flush(never);
  expect(await metersOf(here.memory)).toMatchObject([{ burst: 7_000 }]);
});

test('a new process rewrites nothing, also when it is told of the policy last, and lets limits stand meanwhile', async () => {
  const { here, named, vm, arrived } = await twoHosts(policy([{}], 46));
  const before = here.memory.changesApplied;
  const next = await startedOn(here.memory, A);
  for (const each of [named, near]) next.dataplane.setPort(each);
  next.dataplane.setNeighbor(neighborOf(far, B));
  await next.dataplane.flush(never);
  expect(arrived(vm, out, 1_500)).toBe(1_000);
  next.dataplane.setQosPolicy(policy([{}], 46));
  await next.dataplane.flush(never);
  await next.dataplane.reconcile(never);
  expect(here.memory.changesApplied).toBe(before);
});

test('a new process sweeps meters that nobody wants any more', async () => {
  const { here, vm, arrived } = await twoHosts(policy([{}]));
  const next = await startedOn(here.memory, A);
  for (const each of [one, near]) next.dataplane.setPort(each);
  next.dataplane.setNeighbor(neighborOf(far, B));
  await next.dataplane.flush(never);
  expect(await metersOf(here.memory)).toHaveLength(1);
  await next.dataplane.reconcile(never);
  expect(await metersOf(here.memory)).toEqual([]);
  expect(arrived(vm, out, 1_500)).toBe(1_500);
});
