/** Random packets that leave the region or come from outside: to machines, gateways, floating IPs and their ports, and to nobody. */
import type { Packet } from '@alcor/agent';
import { portsOf, type Router } from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';
import { arp, BROADCAST, type Ends, icmp, isV6, linkLocalOf, plainTraffic, solicitation, tcp, udp } from './frames.ts';
import type { Machine, Plan } from './plan.ts';
import { chance, macOf } from './random-plan.ts';

/** Far away, by the machine that is the way on. */
const FAR = ['198.51.100.7', '2001:db8:f::7'];

/** What somebody on an external network answers for. */
interface Held {
  readonly ip: string;
  readonly mac: string;
}

/** Addresses outside that a guest may want to reach: of machines, and of the region itself. */
export function outsideIps(plan: Plan): { readonly away: readonly string[]; readonly own: readonly string[] } {
  const away = [...FAR, ...plan.machines.flatMap(({ ips }) => ips)];
  const led = plan.floatingIps.flatMap(({ ip, portId }) => (portId === null ? [] : [ip, ip]));
  return { away, own: [...heldOn(plan, () => true).map(({ ip }) => ip), ...led] };
}

/** Traffic to a port of a floating IP that is forwarded, or one beside it; undefined where none is. */
export function toForwarding(random: Random, plan: Plan, from: Ends['from'], mac?: string): Packet | undefined {
  const forwarding = plan.floatingIps.filter(({ forwardings }) => forwardings.length > 0);
  if (forwarding.length === 0) return undefined;
  const { ip, mac: own, forwardings } = pick(random, forwarding);
  const { protocol, externalPorts } = pick(random, forwardings);
  const { first, last } = portsOf(externalPorts);
  const port = between(random, chance(random, 0.1) ? first - 1 : first, chance(random, 0.1) ? last + 1 : last);
  const make = (protocol === 'tcp') === chance(random, 0.95) ? tcp : udp;
  return make({ from, to: { mac: mac ?? own, ip } }, between(random, 40_000, 40_003), port);
}

/** What a machine on the wire of an external network sends. */
export function fromMachine(random: Random, plan: Plan, machine: Machine): Packet {
  const here = heldOn(plan, ({ networkId }) => networkId === machine.networkId);
  const dice = random.next();
  if (dice < 0.15) return question(random, plan, machine, here);
  const forwarded =
    dice < 0.35 ? toForwarding(random, plan, { mac: machine.mac, ip: someIp(random, machine, 4) }) : undefined;
  if (forwarded !== undefined) return forwarded;
  if (here.length > 0 && dice < 0.75) return asked(random, machine, pick(random, here));
  return inward(random, plan, machine);
}

/** For an address that is held, mostly by its own MAC. */
function asked(random: Random, machine: Machine, held: Held): Packet {
  const from = { mac: machine.mac, ip: someIp(random, machine, isV6(held.ip) ? 6 : 4) };
  const packet = chance(random, 0.3)
    ? icmp({ from, to: held }, isV6(held.ip) ? 128 : 8)
    : plainTraffic(random, { from, to: held });
  return chance(random, 0.05) ? { ...packet, ip_ttl: between(random, 0, 2) } : packet;
}

/** By a gateway, to a port's own address, a router's, or to nobody. */
function inward(random: Random, plan: Plan, machine: Machine): Packet {
  const gateways = plan.routers.flatMap(({ gateway }) => (gateway?.networkId === machine.networkId ? [gateway] : []));
  const ips = [
    ...plan.ports.flatMap(({ fixedIps }) => fixedIps.map(({ ip }) => ip)),
    ...plan.routers.flatMap(({ interfaces }) => interfaces.flatMap(({ fixedIps }) => fixedIps.map(({ ip }) => ip))),
    ...outsideIps(plan).away,
    ...outsideIps(plan).own,
    '10.0.0.99',
    '203.0.113.45',
  ];
  const ip = pick(random, ips);
  const macs = [...gateways.map(({ mac }) => mac), ...plan.floatingIps.map(({ mac }) => mac)];
  const mac = macs.length === 0 || chance(random, 0.05) ? macOf(77) : pick(random, macs);
  return plainTraffic(random, {
    from: { mac: machine.mac, ip: someIp(random, machine, isV6(ip) ? 6 : 4) },
    to: { mac, ip },
  });
}

/** ARP or neighbour discovery. */
function question(random: Random, plan: Plan, machine: Machine, here: readonly Held[]): Packet {
  const linkLocal = here.filter(({ ip }) => isV6(ip)).map(({ mac }) => linkLocalOf(mac));
  const target = pick(random, [
    ...here.map(({ ip }) => ip),
    ...linkLocal,
    ...plan.machines.flatMap(({ ips }) => ips),
    '203.0.113.45',
    '10.0.0.11',
  ]);
  const own = machine.ips.find((ip) => isV6(ip) === isV6(target));
  if (isV6(target)) return solicitation(machine.mac, own ?? linkLocalOf(machine.mac), target);
  const ends = { from: { mac: machine.mac, ip: own ?? '0.0.0.0' }, to: { mac: BROADCAST, ip: target } };
  return arp(chance(random, 0.9) ? 1 : 2, ends);
}

/** One of its own, or one that is far behind it. */
function someIp(random: Random, { ips }: Machine, version: 4 | 6): string {
  const like = [...ips, ...FAR].filter((ip) => isV6(ip) === (version === 6));
  return pick(random, like);
}

function heldOn({ routers, floatingIps }: Plan, isIts: (at: { readonly networkId: string }) => boolean): Held[] {
  return [
    ...routers.flatMap(({ gateway }: Router) =>
      gateway !== null && isIts(gateway) ? gateway.fixedIps.map(({ ip }) => ({ ip, mac: gateway.mac })) : [],
    ),
    ...floatingIps.filter(isIts),
  ];
}
