/**
 * By which a router leads to machines outside of the region, as flows. Every host routes what leaves to the router's gateway host; there it gets
 * the gateway's address (source NAT by the connection tracker, IPv4 only) and goes to the wire of the external network.
 */
import { ipv4, ipv6, mac } from '@alcor/openflow';
import type { AddressQuality } from './address-quality.ts';
import { addressToRegisters, fieldToRegisters, matchRegisters } from './address-registers.ts';
import { contains, isIpv6, linkLocal } from './address.ts';
import { apply, EXCEPTION, FALLBACK, flow, goto, icmpv6, move, RULE, set } from './build.ts';
import { hash32, stamped } from './cookie.ts';
import { CT_STATE } from './fields.ts';
import type { Action, CtAction, Flow, Match } from './flow.ts';
import { meterOf } from './meters.ts';
import { pipeline } from './pipeline.ts';
import { addressesOf, answers, BACK, type Role } from './responder.ts';
import type { ConntrackHelper, Router, RouterGateway } from './resources.ts';
import { destined, keySet, priorityOf, TTL } from './routes.ts';

const { invalid, tracked, new: opening, related: expected } = CT_STATE;
/** Of no connection that is known yet, but may be. */
export const OPENING = { value: tracked | opening, mask: tracked | opening | invalid };
/** Opens a connection that another one has spoken of. */
const RELATED = { value: tracked | opening | expected, mask: tracked | opening | expected | invalid };
export const VALID = { value: tracked, mask: tracked | invalid };

/** A destination behind the gateway, and which address on the external network is next; null: the destination itself. */
interface Outward {
  readonly destination: string;
  readonly nextHop: string | null;
}

/** On every host: the routes that lead outside. `hostIp`: its underlay address; `quality`: of what passes the gateway, where it is here. */
export function gatewayRouteFlows(
  owner: bigint,
  key: Match,
  router: Router,
  hostIp: string,
  quality: AddressQuality,
): Flow[] {
  const { gateway } = router;
  if (gateway === undefined) return [];
  const isHere = gateway.hostIp === hostIp;
  return [
    ...outwardOf(router, gateway).flatMap(({ destination, nextHop }) => [
      outwardRoute(owner, key, destination, gateway),
      towards(owner, key, destination, nextHop),
    ]),
    ...(isHere
      ? [flow(owner, 'departing', FALLBACK, key, [], 'translation'), ...hereFlows(owner, key, router, gateway, quality)]
      : []),
    ...(isHere || gateway.hostIp === undefined ? [] : [toHost(owner, key, gateway, gateway.hostIp)]),
  ];
}

/** The last ones first: of two to one destination, the later counts. */
function outwardOf({ routes }: Router, { addresses, nextHops }: RouterGateway): Outward[] {
  const isOn = (ip: string): boolean => addresses.some(({ cidr }) => contains(cidr, ip));
  return [
    ...nextHops.map((nextHop) => ({ destination: isIpv6(nextHop) ? '::/0' : '0.0.0.0/0', nextHop })),
    ...routes.filter(({ nextHop }) => isOn(nextHop)),
    ...addresses.map(({ cidr }) => ({ destination: cidr, nextHop: null })),
  ];
}

function outwardRoute(owner: bigint, key: Match, destination: string, { vni }: RouterGateway): Flow {
  return stamped(owner, {
    table: pipeline.routing.id,
    priority: priorityOf(destination),
    match: destined(key, destination),
    instructions: [apply([{ type: 'dec_ttl' }]), { type: 'write_metadata', value: BigInt(vni) }, goto('departing')],
  });
}

function towards(owner: bigint, key: Match, destination: string, nextHop: string | null): Flow {
  const field = isIpv6(destination) ? 'ipv6_dst' : 'ipv4_dst';
  const actions = nextHop === null ? fieldToRegisters(field) : addressToRegisters(nextHop);
  return flow(owner, 'outward', priorityOf(destination), destined(key, destination), actions, 'outsideHop');
}

function toHost(owner: bigint, key: Match, gateway: RouterGateway, hostIp: string): Flow {
  const actions = [set('tun_dst', ipv4(hostIp)), set('eth_dst', mac(gateway.mac))];
  return flow(owner, 'departing', FALLBACK, key, actions, 'toGateway');
}

/** On the gateway host. */
function hereFlows(owner: bigint, key: Match, router: Router, gateway: RouterGateway, quality: AddressQuality): Flow[] {
  const { id } = router;
  const { outward, inward } = quality;
  const own = mac(gateway.mac);
  const metadata = BigInt(gateway.vni);
  const fromHosts = flow(owner, 'gateway', EXCEPTION, { metadata, eth_dst: own }, keySet(key), 'translation');
  const v4 = { ...key, eth_type: 0x0800 };
  const v6 = { ...key, eth_type: 0x86dd };
  const untranslated = gateway.snat
    ? []
    : [
        flow(owner, 'translated', FALLBACK, v4, outward, 'outward'),
        flow(owner, 'returned', FALLBACK, v4, [], 'routing'),
      ];
  return [
    fromHosts,
    flow(owner, 'translation', RULE, v4, [set('eth_src', own), ...throughZone(id, gateway, 'translated')]),
    flow(owner, 'translation', RULE, v6, [...outward, set('eth_src', own)], 'outward'),
    ...untranslated,
    ...(gateway.snat ? sourceNat(owner, v4, id, gateway, outward) : []),
    ...(gateway.snat ? helped(owner, v4, id, gateway, quality) : []),
    ...gateway.addresses.flatMap(({ ip }) => ownAddress(owner, gateway, ip)),
    ...insideAddresses(router, gateway).map((ip) => answersPing(owner, gateway, ip)),
    flow(owner, 'arriving', RULE, { metadata, eth_dst: own, eth_type: 0x0800 }, [
      ...inward,
      ...keySet(key),
      ...throughZone(id, gateway, 'returned'),
    ]),
    flow(owner, 'arriving', RULE, { metadata, eth_dst: own, eth_type: 0x86dd }, [...inward, ...keySet(key)], 'routing'),
  ];
}

function sourceNat(
  owner: bigint,
  v4: Match,
  id: string,
  { addresses }: RouterGateway,
  outward: readonly Action[],
): Flow[] {
  const own = addresses.find(({ ip }) => !isIpv6(ip));
  if (own === undefined) return [];
  const known: Match = { ...v4, ct_state: VALID, ct_mark: markOf(id) };
  const translate = commit(markOf(id), 'outward', { type: 'nat', side: 'src', ipv4: { min: ipv4(own.ip) } });
  return [
    flow(owner, 'translated', EXCEPTION, known, outward, 'outward'),
    flow(owner, 'translated', RULE, { ...v4, ct_state: OPENING, ct_mark: 0 }, [...outward, translate]),
    flow(owner, 'returned', EXCEPTION, known, [], 'routing'),
  ];
}

/** What the router's helpers make of connections that leave by its gateway. */
function helped(owner: bigint, v4: Match, id: string, gateway: RouterGateway, quality: AddressQuality): Flow[] {
  const { helpers = [], addresses, vni } = gateway;
  const { outward, inward } = quality;
  const own = addresses.find(({ ip }) => !isIpv6(ip));
  if (helpers.length === 0 || own === undefined) return [];
  const nat = { type: 'nat', side: 'src', ipv4: { min: ipv4(own.ip) } } as const;
  const mark = markOf(id);
  const toGateway: Match = { metadata: BigInt(vni), eth_dst: mac(gateway.mac), eth_type: 0x0800 };
  return [
    ...helpers.flatMap((helper) => {
      const control = { ...v4, ...toServer(helper) };
      const track = throughZone(id, gateway, 'translated', helper.application);
      const opens = { ...control, ct_state: OPENING, ct_mark: 0 };
      return [
        flow(owner, 'translation', RULE + 1, control, [set('eth_src', mac(gateway.mac)), ...track]),
        flow(owner, 'translated', RULE + 1, opens, [...outward, commit(mark, 'outward', nat, helper.application)]),
        ...answersOf(helper).map((answer) =>
          flow(owner, 'arriving', RULE + 1, { ...toGateway, ...answer }, [
            ...inward,
            ...keySet(v4),
            ...answersThroughZone(id, gateway, 'returned', helper.application),
          ]),
        ),
      ];
    }),
    ...related(owner, v4, mark, outward),
  ];
}

/** What the connection tracker knows to belong to a connection with the mark, which it translates as that one is. */
export function related(owner: bigint, v4: Match, mark: number, outward: readonly Action[]): Flow[] {
  const match: Match = { ...v4, ct_state: RELATED, ct_mark: mark };
  return [
    flow(owner, 'translated', EXCEPTION + 1, match, [...outward, commit(mark, 'outward', { type: 'nat' })]),
    flow(owner, 'returned', EXCEPTION + 1, match, [commit(mark, 'routing', { type: 'nat' })]),
  ];
}

/** What is for the helper's servers. */
export function toServer({ protocol, port }: ConntrackHelper): Match {
  return { ip_proto: protocol, [protocol === 6 ? 'tcp_dst' : 'udp_dst']: port };
}

/**
 * What the helper's servers say, where it is looked at: FTP's, which name the port of a connection to come, and whose sequence numbers follow from
 * what was rewritten. A server of TFTP says everything from another port.
 */
export function answersOf({ application, protocol, port }: ConntrackHelper): Match[] {
  return application === 'ftp' ? [{ ip_proto: protocol, tcp_src: port }] : [];
}

/** What answers for one of the gateway's addresses. */
function ownAddress(owner: bigint, gateway: RouterGateway, ip: string): Flow[] {
  return [...answersOnWire(owner, gateway.vni, gateway.mac, [ip], 'router'), answersPing(owner, gateway, ip)];
}

/** The router's addresses inside, as far as packets from outside come in by them. */
function insideAddresses({ interfaces }: Router, { snat }: RouterGateway): string[] {
  return interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip)).filter((ip) => isIpv6(ip) || !snat);
}

function answersPing(owner: bigint, { vni, mac: text }: RouterGateway, ip: string): Flow {
  const at: Match = { metadata: BigInt(vni), eth_dst: mac(text) };
  if (isIpv6(ip)) {
    const toPing: Match = { ...at, ...icmpv6(128), ipv6_dst: ipv6(ip) };
    const turn = [move('ipv6_src', 'ipv6_dst', 128), set('ipv6_src', ipv6(ip)), set('icmpv6_type', 129)];
    return pong(owner, toPing, text, turn);
  }
  const toPing: Match = { ...at, eth_type: 0x0800, ip_proto: 1, ipv4_dst: ipv4(ip), icmpv4_type: 8, icmpv4_code: 0 };
  const turn = [move('ipv4_src', 'ipv4_dst', 32), set('ipv4_src', ipv4(ip)), set('icmpv4_type', 0)];
  return pong(owner, toPing, text, turn);
}

function pong(owner: bigint, match: Match, own: string, turn: readonly Action[]): Flow {
  const actions = [move('eth_src', 'eth_dst', 48), set('eth_src', mac(own)), ...turn, set('ip_ttl', TTL)];
  return flow(owner, 'arriving', EXCEPTION, match, actions, 'neighbour');
}

/**
 * ARP and neighbour discovery for addresses that this host has on an external network; what is for their MAC from this host; and answers to what
 * the agent has asked in their name.
 */
export function answersOnWire(owner: bigint, vni: number, own: string, ips: readonly string[], role: Role): Flow[] {
  const metadata = BigInt(vni);
  const ethernet = mac(own);
  const hasV6 = ips.some(isIpv6);
  const give: Action = { type: 'controller', meter: meterOf('service', vni) };
  return [
    ...answersFor(owner, vni, own, ips, role),
    ...(hasV6 ? answersLinkLocal(owner, vni, ethernet, role) : []),
    flow(owner, 'arriving', EXCEPTION, { metadata, eth_dst: ethernet, eth_type: 0x0806, arp_op: 2 }, [give]),
    ...(hasV6 ? [flow(owner, 'arriving', EXCEPTION, { metadata, eth_dst: ethernet, ...icmpv6(136) }, [give])] : []),
    flow(owner, 'neighbour', RULE, { metadata, eth_dst: ethernet }, [
      // From here on it is as what comes by the wire: no port's, and of no connection yet.
      { type: 'ct_clear' },
      set('reg0', 0),
      { type: 'resubmit', table: pipeline.arriving.id },
    ]),
  ];
}

/** ARP and neighbour discovery for addresses on an external network, asked by ports here, on the wire, or by routers here. */
export function answersFor(owner: bigint, vni: number, own: string, ips: readonly string[], role: Role): Flow[] {
  const ethernet = mac(own);
  const its = addressesOf({ mac: own, ips });
  // As services has them, but that they go where the asker is.
  const onWire = answers(owner, vni, its, role).map(({ match, instructions, priority }) => {
    const actions = instructions.flatMap((each) => (each.type === 'apply_actions' ? each.actions : []));
    const turned = actions.filter((action) => action !== BACK);
    return flow(owner, 'arriving', priority, match, turned, match.eth_type === 0x0806 ? 'neighbour' : 'arrivingReply');
  });
  return [
    ...answers(owner, vni, its, role),
    ...onWire,
    ...ips.map((ip) => {
      const match: Match = { metadata: BigInt(vni), ...matchRegisters(ip) };
      return flow(owner, 'outsideHop', RULE, match, [set('eth_dst', ethernet)], 'neighbour');
    }),
  ];
}

function answersLinkLocal(owner: bigint, vni: number, ethernet: number, role: Role): Flow[] {
  const its = { mac: ethernet, v4: [], v6: [linkLocal(ethernet)] };
  return answers(owner, vni, its, role).map(({ match, instructions, priority }) => {
    const actions = instructions.flatMap((each) => (each.type === 'apply_actions' ? each.actions : []));
    return flow(owner, 'arriving', priority, match, actions, 'arrivingReply');
  });
}

/** Through the tracker in the router's zone, its connections' addresses as they were translated. */
export function throughZone(
  routerId: string,
  gateway: RouterGateway,
  next: 'translated' | 'returned',
  alg?: ConntrackHelper['application'],
): Action[] {
  const ct: CtAction = { type: 'ct', zone: ZONE, table: pipeline[next].id, actions: [{ type: 'nat' }] };
  return [set('reg15', zoneOf(routerId, gateway)), alg === undefined ? ct : { ...ct, alg }];
}

/**
 * The same for `answersOf` a helper. Open vSwitch 3.1 takes a packet for FTP's if it goes to the port that the first packet of its datapath flow went to,
 * or comes from port 21; so only flows of one client's port each find what comes from other ports. What is read is part of such a flow.
 */
export function answersThroughZone(
  routerId: string,
  gateway: RouterGateway,
  next: 'translated' | 'returned',
  alg: ConntrackHelper['application'],
): Action[] {
  return [move('tcp_dst', 'reg15', 16), ...throughZone(routerId, gateway, next, alg)];
}

export function commit(
  mark: number,
  next: 'outward' | 'routing',
  translation: NonNullable<CtAction['actions']>[number],
  alg?: ConntrackHelper['application'],
): CtAction {
  const actions = [{ type: 'set_field', field: 'ct_mark', value: mark } as const, translation];
  const ct: CtAction = { type: 'ct', commit: true, zone: ZONE, table: pipeline[next].id, actions };
  return alg === undefined ? ct : { ...ct, alg };
}

const ZONE = { field: 'reg15', bits: 16 } as const;

/**
 * Never that of a port, which is its number. Two routers may have one: the marks of their connections tell them apart. A gateway that translates
 * otherwise than before has another one, so that nothing is translated as it was then.
 */
function zoneOf(routerId: string, { snat, addresses }: RouterGateway): number {
  const as = snat ? addresses.map(({ ip }) => ip).join() : '';
  return 0x8000 | (hash32(`zone ${routerId} ${as}`) & 0x7fff);
}

/** What connections are marked with that the resource has translated: never 0, which is a connection without a mark. */
export function markOf(id: string): number {
  return hash32(`translated ${id}`) || 1;
}
