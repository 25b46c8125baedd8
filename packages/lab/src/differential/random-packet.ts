/** Random packets of a plan's VMs: most are what a guest would send, some are lies. */
import type { Packet } from '@alcor/agent';
import type { Port, RouterPort } from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';
import {
  arp,
  BROADCAST,
  type Ends,
  icmp,
  isV6,
  linkLocalOf,
  macNumber,
  solicitation,
  traffic,
  udp,
  valueOf,
} from './frames.ts';
import type { Plan } from './plan.ts';
import { fromMachine, outsideIps, toForwarding } from './random-outside.ts';
import { chance, macOf } from './random-plan.ts';
import { TAGS } from './random-trunks.ts';

export interface Sent {
  /** A port, or a machine outside. */
  readonly from: string;
  readonly packet: Packet;
}

/** From one of the ports that are on a host, or from outside; null where none is. */
export function randomPacket(random: Random, plan: Plan): Sent | null {
  if (plan.machines.length > 0 && chance(random, 0.25)) {
    const machine = pick(random, plan.machines);
    return { from: machine.id, packet: fromMachine(random, plan, machine) };
  }
  const bound = plan.ports.filter(({ hostId }) => hostId !== null);
  if (bound.length === 0) return null;
  const able = bound.filter(
    (port) => port.adminStateUp && (!port.portSecurityEnabled || port.securityGroupIds.length > 0),
  );
  const from = pick(random, able.length > 0 && chance(random, 0.95) ? able : bound);
  const said = honest(random, plan, from);
  const packet = chance(random, 0.85)
    ? said
    : from.trunk === null && chance(random, 0.15)
      ? tagged(random, said)
      : spoiled(random, said);
  return { from: from.id, packet };
}

type Kind = (random: Random, plan: Plan, from: Port) => Packet;

const kinds: readonly (readonly [share: number, kind: Kind])[] = [
  [60, talk],
  [8, question],
  [4, pingRouter],
  [6, toAll],
  [4, forServices],
  [6, elsewhere],
  [50, abroad],
  [3, toUnknown],
];

function honest(random: Random, plan: Plan, from: Port): Packet {
  const total = kinds.reduce((sum, [share]) => sum + share, 0);
  let dice = random.next() * total;
  for (const [share, kind] of kinds) {
    dice -= share;
    if (dice < 0) return kind(random, plan, from);
  }
  return talk(random, plan, from);
}

/** To another port's address: directly, or by a router where it is not in the same network. */
function talk(random: Random, plan: Plan, from: Port): Packet {
  const others = plan.ports.filter(({ id, projectId }) => id !== from.id && projectId === from.projectId);
  const near = others.filter(({ networkId }) => networkId === from.networkId);
  const isRouted = interfacesOn(plan, from).length > 0;
  const to = pick(
    random,
    near.length > 0 && (!isRouted || chance(random, 0.4)) ? near : others.length > 0 ? others : [from],
  );
  const ip = anyOf(random, spoken(random, from, addressesOf(to))) ?? '10.0.0.99';
  const isNear = to.networkId === from.networkId && chance(random, 0.9);
  return traffic(random, {
    from: source(random, from, ip),
    to: { mac: isNear ? to.mac : routerMac(random, plan, from), ip },
  });
}

/** By a router to an address that it has a route to. */
function elsewhere(random: Random, plan: Plan, from: Port): Packet {
  const v4 = ['192.168.7.9', '192.168.3.3', '8.8.8.8', '10.0.1.77', '10.2.3.4', '172.31.0.9', '224.0.0.9'];
  const v6 = ['fd99::9', '2001:db8::1', 'fd00:2::77', 'fe80::77', 'ff02::1'];
  const ip = pick(random, spoken(random, from, [...v4, ...v6]));
  return traffic(random, { from: source(random, from, ip), to: { mac: routerMac(random, plan, from), ip } });
}

/** By a router that leads outside, where there is one. */
function abroad(random: Random, plan: Plan, from: Port): Packet {
  const leading = plan.routers.filter(({ gateway }) => gateway !== null).flatMap(({ interfaces }) => interfaces);
  const near = leading.filter(({ networkId }) => networkId === from.networkId);
  if (plan.machines.length === 0 || near.length === 0) return talk(random, plan, from);
  const { mac } = pick(random, near);
  const { away, own } = outsideIps(plan);
  const ip = pick(random, spoken(random, from, own.length > 0 && chance(random, 0.7) ? own : away));
  const forwarded = chance(random, 0.3) ? toForwarding(random, plan, source(random, from, '0.0.0.0'), mac) : undefined;
  return forwarded ?? traffic(random, { from: source(random, from, ip), to: { mac, ip } });
}

function toUnknown(random: Random, _: Plan, from: Port): Packet {
  const ip = pick(random, spoken(random, from, ['10.0.0.99', 'fd00:1::99']));
  const mac = pick(random, [macOf(77), macOf(200), from.mac]);
  return traffic(random, { from: source(random, from, ip), to: { mac, ip } });
}

function pingRouter(random: Random, plan: Plan, from: Port): Packet {
  const own = interfacesOn(plan, from);
  const router = anyOf(random, own);
  if (router === undefined) return talk(random, plan, from);
  const ip = pick(random, [
    ...router.fixedIps.map((fixed) => fixed.ip),
    ...all(plan).flatMap(({ fixedIps }) => fixedIps.map((fixed) => fixed.ip)),
  ]);
  const ends = { from: source(random, from, ip), to: { mac: router.mac, ip } };
  return chance(random, 0.8) ? icmp(ends, isV6(ip) ? 128 : 8) : traffic(random, ends);
}

/** ARP or neighbour discovery. */
function question(random: Random, plan: Plan, from: Port): Packet {
  const known = [
    ...plan.ports.flatMap(addressesOf),
    ...all(plan).flatMap(({ fixedIps }) => fixedIps.map(({ ip }) => ip)),
  ];
  const target = pick(random, [...known, '10.0.0.99', 'fd00:1::99']);
  const own = addressesOf(from);
  if (!isV6(target)) {
    const spa = pick(random, [...own.filter((ip) => !isV6(ip)), '0.0.0.0']);
    const mac = chance(random, 0.1) ? routerMac(random, plan, from) : BROADCAST;
    return arp(chance(random, 0.9) ? 1 : 2, { from: { mac: from.mac, ip: spa }, to: { mac, ip: target } });
  }
  const src = pick(random, [...own.filter(isV6), linkLocalOf(from.mac), '::']);
  return solicitation(from.mac, src, target);
}

function toAll(random: Random, _: Plan, from: Port): Packet {
  const [mac, ip] = pick(random, [
    [BROADCAST, '255.255.255.255'],
    [BROADCAST, '10.0.0.255'],
    ['01:00:5e:00:00:09', '224.0.0.9'],
    [BROADCAST, '255.255.255.255'],
    ...(spoken(random, from, ['ff02::1']).length > 0 ? [['33:33:00:00:00:01', 'ff02::1'] as const] : []),
  ] as const);
  return traffic(random, { from: source(random, from, ip), to: { mac, ip } });
}

function forServices(random: Random, plan: Plan, from: Port): Packet {
  const v4 = { from: { mac: from.mac, ip: '0.0.0.0' }, to: { mac: BROADCAST, ip: '255.255.255.255' } };
  const v6 = { from: { mac: from.mac, ip: linkLocalOf(from.mac) }, to: { mac: '33:33:00:01:00:02', ip: 'ff02::1:2' } };
  const other = pick(random, plan.ports);
  return pick(random, [
    () => udp(v4, 68, 67),
    () =>
      udp(
        {
          ...v4,
          from: {
            mac: from.mac,
            ip:
              anyOf(
                random,
                addressesOf(from).filter((ip) => !isV6(ip)),
              ) ?? '0.0.0.0',
          },
        },
        68,
        67,
      ),
    () => udp(v6, 546, 547),
    () => icmp({ ...v6, to: { mac: '33:33:00:00:00:02', ip: 'ff02::2' } }, 133),
    () => icmp({ ...v6, to: { mac: '33:33:00:00:00:01', ip: 'ff02::1' } }, 134),
    () => icmp({ ...v6, to: { mac: '33:33:00:00:00:16', ip: 'ff02::16' } }, 143),
    () => udp({ ...v4, to: { mac: other.mac, ip: '10.0.0.11' } }, 67, 68),
    () => udp({ ...v6, to: { mac: other.mac, ip: linkLocalOf(other.mac) } }, 547, 546),
  ])();
}

/** By the interface of a port, as if it were from a sub-port. */
function tagged(random: Random, packet: Packet): Packet {
  return { ...packet, vlan_vid: 0x1000 | pick(random, [...TAGS, 7]) };
}

/** Lies about who sends, or goes astray. */
function spoiled(random: Random, packet: Packet): Packet {
  const has = (field: keyof Packet): boolean => packet[field] !== undefined;
  const src = has('ipv6_src') ? 'ipv6_src' : has('ipv4_src') ? 'ipv4_src' : 'arp_spa';
  const dst = has('ipv6_dst') ? 'ipv6_dst' : has('ipv4_dst') ? 'ipv4_dst' : 'arp_tpa';
  const v6 = src === 'ipv6_src';
  return pick(random, [
    () => ({ ...packet, eth_src: macNumber(macOf(between(random, 1, 12))) }),
    () => ({ ...packet, eth_src: macNumber(macOf(between(random, 200, 202))) }),
    () => ({
      ...packet,
      [src]: valueOf(
        pick(
          random,
          v6 ? ['fd00:1::b', 'fd99::1', 'fd00:1::28'] : ['10.0.0.11', '192.168.7.7', '10.0.0.40', '10.0.1.41'],
        ),
      ),
    }),
    () => ({
      ...packet,
      [dst]: valueOf(pick(random, v6 ? ['fd00:1::b', 'fd00:2::c'] : ['10.0.0.12', '10.0.1.13', '10.1.0.75'])),
    }),
    () => ({ ...packet, eth_dst: macNumber(macOf(between(random, 1, 12))) }),
    () => (has('ip_ttl') ? { ...packet, ip_ttl: between(random, 0, 2) } : packet),
    () => (has('arp_sha') ? { ...packet, arp_sha: macNumber(macOf(between(random, 1, 12))) } : packet),
    () => ({ eth_src: packet.eth_src!, eth_dst: packet.eth_dst!, eth_type: 0x88cc }),
  ])();
}

// ------------------------------------------------------------------------------------------------------------- what is there

function addressesOf({ fixedIps }: Pick<Port, 'fixedIps'>): string[] {
  return fixedIps.map(({ ip }) => ip);
}

function all({ routers }: Plan): RouterPort[] {
  return routers.flatMap(({ interfaces }) => interfaces);
}

function interfacesOn(plan: Plan, { networkId }: Port): RouterPort[] {
  return all(plan).filter((each) => each.networkId === networkId);
}

/** Those of a family in which the port has an address; now and then all. */
function spoken(random: Random, { fixedIps }: Port, ips: readonly string[]): readonly string[] {
  const has = (ip: string): boolean => fixedIps.some((own) => isV6(own.ip) === isV6(ip));
  const some = ips.filter(has);
  return some.length === 0 || chance(random, 0.05) ? ips : some;
}

function routerMac(random: Random, plan: Plan, from: Port): string {
  return anyOf(random, interfacesOn(plan, from))?.mac ?? macOf(101);
}

/** One of the sender's addresses of the family of `to`, now and then one that it may use besides. */
function source(random: Random, from: Port, to: string): Ends['from'] {
  const pairs = from.allowedAddressPairs.filter(({ ip }) => isV6(ip) === isV6(to));
  const pair = chance(random, 0.3) ? anyOf(random, pairs) : undefined;
  if (pair !== undefined) return { mac: pair.mac, ip: firstOf(pair.ip) };
  const own = anyOf(
    random,
    addressesOf(from).filter((ip) => isV6(ip) === isV6(to)),
  );
  return { mac: from.mac, ip: own ?? (isV6(to) ? linkLocalOf(from.mac) : '10.0.0.98') };
}

/** Some address of a pair. */
function firstOf(text: string): string {
  const [first = '', length] = text.split('/');
  if (length === undefined) return first;
  if (length === '0') return isV6(text) ? '2001:db8::5' : '9.9.9.9';
  return isV6(text) ? `${first}5` : first.replace(/\.0$/, '.5');
}

function anyOf<T>(random: Random, items: readonly T[]): T | undefined {
  return items.length === 0 ? undefined : pick(random, items);
}
