import { ipv4, mac } from '@alcor/openflow';
import { createSchedule } from '@alcor/runtime';
import { expect, it } from 'vitest';
import {
  Dataplane,
  encodeFrame,
  Fabric,
  MemorySwitch,
  type Packet,
  type PacketIn,
  pipeline,
} from './dataplane/index.ts';
import { external, EXTERNAL, floating, HOSTS, router, ROUTER_MAC } from './dataplane/testing/north-south.ts';
import { never, port, settled, virtualClock } from './dataplane/testing/region.ts';
import { OutsideMachines } from './outside-machines.ts';
import { translatedError } from './translated-errors.ts';

const AT = { physicalNetwork: 'physnet1', vlan: 7 };
const far = ipv4('198.51.100.7');
const [X, F] = [ipv4('10.0.0.1'), ipv4(floating.ip)];

const datagram = (to: number): Packet => ({
  eth_src: mac('02:00:00:00:00:01'),
  eth_dst: mac(ROUTER_MAC),
  eth_type: 0x0800,
  ip_proto: 17,
  ip_ttl: 64,
  ipv4_src: X,
  ipv4_dst: to,
  udp_src: 4000,
  udp_dst: 53,
});

async function host() {
  const schedule = createSchedule();
  const clock = virtualClock(schedule);
  const memory = new MemorySwitch({ wires: { physnet1: 50_000 } });
  const fabric = new Fabric();
  fabric.addHost(HOSTS[0], memory);
  const given: PacketIn[] = [];
  const outside: OutsideMachines = new OutsideMachines({
    dataplane: {
      send: (packets) => dataplane.send(packets),
      flush: (signal) => dataplane.flush(signal),
      setOutsideNeighbor: (neighbor) => dataplane.setOutsideNeighbor(neighbor),
      removeOutsideNeighbor: (neighbor) => dataplane.removeOutsideNeighbor(neighbor),
      servedAt: (vni, own) => dataplane.servedAt(vni, own),
      servedOn: (vni) => dataplane.servedOn(vni),
      floatingIpAt: (vni, ip) => dataplane.floatingIpAt(vni, ip),
    },
    clock,
    log: (message) => expect.fail(message),
  });
  const dataplane = new Dataplane({
    switch: memory,
    hostIp: HOSTS[0],
    clock,
    onPacket: (packet) => {
      given.push(packet);
      outside.onPacket(packet);
    },
    onServing: (addresses) => outside.onServing(addresses),
  });
  outside.start(never);
  await dataplane.start(never);
  const one = port('1', { ips: ['10.0.0.1', 'fd00::1'] });
  dataplane.setProviderNetwork(external);
  dataplane.setPort(one);
  dataplane.setRouter(router);
  dataplane.setFloatingIp(floating);
  const vm = fabric.addVm(HOSTS[0], one);
  await dataplane.reconcile(never);
  const machine = fabric.addOutside(AT, { id: 'm', mac: '02:00:00:00:00:77', ips: ['203.0.113.77'] });
  return { schedule, fabric, vm, machine, dataplane, memory, given };
}

it('a packet waits until its next hop has said where it is, and goes on; the next one does not wait', async () => {
  const { fabric, vm, machine } = await host();
  expect(fabric.send(vm, datagram(ipv4('203.0.113.77'))).received).toEqual([]);
  await settled();
  expect(machine.received.map(({ arp_op, ipv4_src }) => [arp_op, ipv4_src])).toEqual([
    [1, undefined],
    [undefined, F],
  ]);
  const { received } = fabric.send(vm, datagram(ipv4('203.0.113.77')));
  expect(received.map(({ packet }) => packet.ipv4_src)).toEqual([F]);
});

it('packets to a machine whose flow is being written wait for it, and those that miss it later go in no circle', async () => {
  const { schedule, fabric, vm, machine, memory, given } = await host();
  const to = datagram(ipv4('203.0.113.77'));
  const got = (): number => machine.received.filter(({ udp_dst }) => udp_dst === 53).length;
  const missed = (): number => given.filter(({ table }) => table === 'outsideHop').length;
  // The machine has answered, and the switch has not had its turn.
  for (let n = 0; n < 3; n++) fabric.send(vm, to);
  expect([missed(), got()]).toEqual([3, 0]);
  await settled();
  expect([missed(), got()]).toEqual([3, 3]);
  await schedule.run(2_000);
  const flow = memory
    .entries()
    .find(({ flow: { table, match } }) => table === pipeline.outsideHop.id && match.reg4 === ipv4('203.0.113.77'));
  await memory.apply([{ type: 'delete', flow: flow!.flow }], never);
  fabric.send(vm, to);
  await settled();
  expect([missed(), got()]).toEqual([4, 3]);
});

it('a machine that answers at once is asked again when it has been silent for half a minute, and by one question', async () => {
  const { schedule, fabric, vm, machine } = await host();
  const asked = (): number => machine.received.filter(({ arp_tpa }) => arp_tpa === ipv4('203.0.113.77')).length;
  fabric.send(vm, datagram(ipv4('203.0.113.77')));
  await schedule.run(29_000);
  expect(asked()).toBe(1);
  await schedule.run(100_000);
  expect(asked()).toBe(5);
});

it('a machine that was first asked for in the name of an address that is gone stays known to the others', async () => {
  const { schedule, fabric, vm, machine, dataplane, given } = await host();
  const other = { ...floating, id: 'another', ip: '203.0.113.40', mac: 'fa:16:3e:00:00:40' };
  const to = datagram(ipv4('203.0.113.77'));
  fabric.send(vm, to);
  await settled();
  dataplane.removeFloatingIp(floating.id);
  dataplane.setFloatingIp(other);
  await dataplane.flush(never);
  await schedule.run(40_000);
  const missed = (): number => given.filter(({ table }) => table === 'outsideHop').length;
  const before = missed();
  fabric.send(vm, to);
  await settled();
  expect(missed()).toBe(before);
  expect(machine.received.at(-1)).toMatchObject({ udp_dst: 53, ipv4_src: ipv4(other.ip) });
  const asked = machine.received.filter(({ arp_tpa }) => arp_tpa === ipv4('203.0.113.77'));
  expect(asked.map(({ arp_spa }) => arp_spa)).toEqual([F, ipv4(other.ip)]);
  dataplane.removeFloatingIp(other.id);
  await schedule.run(40_000);
  expect(machine.received.filter(({ arp_tpa }) => arp_tpa === ipv4('203.0.113.77'))).toHaveLength(2);
});

it('a machine that does not answer is asked three times, and again when it is next wanted', async () => {
  const { schedule, fabric, vm, machine } = await host();
  const asked = (): number => machine.received.filter(({ arp_tpa }) => arp_tpa === ipv4('203.0.113.78')).length;
  fabric.send(vm, datagram(ipv4('203.0.113.78')));
  await schedule.run(10_000);
  expect(asked()).toBe(3);
  fabric.send(vm, datagram(ipv4('203.0.113.78')));
  expect(asked()).toBe(4);
});

it('the wire is told of what the host begins to answer for, and of nothing that it does not any more', async () => {
  const { schedule, machine, dataplane } = await host();
  const said = (): number => machine.received.filter(({ arp_spa, arp_tpa }) => arp_spa === F && arp_tpa === F).length;
  await schedule.run(2_000);
  expect(said()).toBe(2);
  dataplane.removeFloatingIp(floating.id);
  await schedule.run(10_000);
  expect(said()).toBe(2);
});

/** Sums to this with its own checksum in it, where that is right (RFC 1071). */
const RIGHT = 0xffff;

function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

it.each(['arriving', 'departing'] as const)('an ICMP error is translated with what it quotes: %s', (table) => {
  const [own, other] = table === 'arriving' ? [F, X] : [X, F];
  const isIn = table === 'arriving';
  const quoted = encodeFrame({ ...datagram(far), ...(isIn ? { ipv4_src: own } : { ipv4_src: far, ipv4_dst: own }) });
  const headers = {
    ...datagram(far),
    ...(isIn ? { ipv4_src: far, ipv4_dst: own } : { ipv4_src: own, ipv4_dst: far, eth_src: mac(floating.mac) }),
    ip_proto: 1,
    icmpv4_type: 3,
    icmpv4_code: 3,
  };
  const frame = encodeFrame(headers, Uint8Array.of(0, 0, 0, 0, ...quoted.subarray(14)));
  const packet: PacketIn = { table, context: { inPort: 1, vni: EXTERNAL, registers: { reg6: 1 } }, frame };
  const answered = {
    floatingIpAt: (_: number, ip: string) => (ip === floating.ip ? floating : undefined),
    servedAt: (vni: number, at: string) => (at === floating.mac ? [{ vni, ip: floating.ip, mac: at }] : []),
  };
  const sent = translatedError(packet, answered)!;
  expect([sent.table, sent.context.registers]).toEqual([isIn ? 'routing' : 'outward', { reg6: 1 }]);
  const view = new DataView(sent.frame.buffer, sent.frame.byteOffset);
  const [outer, inner] = isIn ? [16, 12] : [12, 16];
  expect([view.getUint32(14 + outer), view.getUint32(42 + inner)]).toEqual([other, other]);
  const sums = [sent.frame.subarray(14, 34), sent.frame.subarray(34), sent.frame.subarray(42, 62)].map(sumOf);
  expect(sums).toEqual([RIGHT, RIGHT, RIGHT]);
  expect(translatedError({ ...packet, frame: frame.subarray(0, 50) }, answered)).toBeUndefined();
});
