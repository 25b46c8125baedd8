/**
 * What routers do, as flows. A router is its interfaces, by which packets come to it (`routers`), its routes (`routing`) and
 * its own addresses. Which MAC an address has in the network that a packet is routed to is said by the flows of the port
 * that has it (`nextHop`), so a router costs as many flows as it has addresses and routes, whatever is behind them.
 */
import { ipv4, ipv6, mac } from '@alcor/openflow';
import { type AddressQuality, noQuality } from './address-quality.ts';
import { addressToRegisters, fieldToRegisters, matchRegisters } from './address-registers.ts';
import { isIpv6, linkLocal, contains } from './address.ts';
import { apply, distinct, EXCEPTION, flow, goto, move, RULE, set } from './build.ts';
import { hash32, resourceCookie, stamped } from './cookie.ts';
import type { Action, Flow, Match } from './flow.ts';
import { meterOf } from './meters.ts';
import { pipeline } from './pipeline.ts';
import { addressesOf, answers, BACK } from './responder.ts';
import type { Router, RouterInterface } from './resources.ts';
import { gatewayRouteFlows } from './router-gateway.ts';
import { destined, keyOf, keySet, priorityOf, TTL } from './routes.ts';

/** What is known of routers beside the port or neighbour itself. */
export interface RoutingView {
  /** Packets are routed to the network, so it has to be known which MAC its addresses have. */
  isRouted(vni: number): boolean;
  /** One number for all networks that routers join with this one, directly or through others; its own where none does. */
  domainOf(vni: number): number;
}

export const noRouting: RoutingView = { isRouted: () => false, domainOf: (vni) => vni };

/** Priorities in `routing` beside those of routes: above them what is not routed, below them what no route takes. */
const NO_ROUTE = 999;
const NO_HOP_LEFT = 1900;
const OWN_ADDRESS = 2000;
const NEVER_ROUTED = 2100;
const ECHO = 2200;

/** Of two routes to one block, that to a subnet of the router's own. */
const NEARER = 2;
/** Of an Ethernet header without a tag, in bytes. */
const ETHERNET = 14;

/**
 * Every router's: what is for its link only (RFC 4291 section 2.5.6) is not routed, and what has come from outside does not leave again: the
 * region is no router between machines outside of it.
 */
export function routingHostFlows(owner: bigint): Flow[] {
  return [
    flow(owner, 'routing', NEVER_ROUTED, { eth_type: 0x86dd, ipv6_dst: LINK_LOCAL }, []),
    flow(owner, 'routing', NEVER_ROUTED, { eth_type: 0x86dd, ipv6_dst: MULTICAST }, []),
    // Of two flows of one priority that take a packet, a switch may choose.
    flow(owner, 'routing', NEVER_ROUTED + 1, { eth_type: 0x86dd, ipv6_src: LINK_LOCAL }, []),
    flow(owner, 'departing', EXCEPTION + 2, { reg0: 0 }, []),
  ];
}

const LINK_LOCAL = { value: 0xfe80n << 112n, mask: 0xffc0n << 112n };
const MULTICAST = { value: 0xffn << 120n, mask: 0xffn << 120n };

/** A router that is administratively down is none. `hostIp`: underlay address of this host; `quality`: of its gateway, where that is here. */
export function routerFlows(router: Router, hostIp: string, quality: AddressQuality = noQuality): readonly Flow[] {
  if (!router.adminStateUp) return [];
  const owner = resourceCookie(router.id);
  const key = keyOf(router.id);
  const flows = distinct([
    // The first of two that say the same place is the one that counts.
    ...gatewayRouteFlows(owner, key, router, hostIp, quality),
    ...[...connected(owner, key, router), ...extra(owner, key, router)].toReversed(),
    ...(router.gateway?.addresses ?? []).flatMap(({ ip }) =>
      gatewayAddress(owner, key, ip, router.gateway?.snat === true),
    ),
    ...router.interfaces.flatMap((each) => interfaceFlows(owner, key, each, smallerSizes(router))),
    ...undeliverable(owner, key, router.id),
  ]);
  return [...flows, ...tooLargeFlows(owner, router, flows)];
}

/** A packet is asked about no more of them, because Open vSwitch follows both answers to each question. */
const MOST_SIZES = 4;

/** MTUs of the router's networks that packets from another one of them may be larger than: none where all take the same. */
function smallerSizes({ interfaces, gateway }: Router): readonly number[] {
  const known = [...interfaces, ...(gateway === undefined ? [] : [gateway])].flatMap(({ mtu = 0 }) => mtu || []);
  return [...new Set(known)]
    .toSorted((a, b) => a - b)
    .slice(0, -1)
    .slice(0, MOST_SIZES);
}

/** Which of the sizes a packet that comes from a network of this MTU is larger than. */
function compareSizes(sizes: readonly number[], mtu = 0): Action[] {
  if (sizes.length === 0) return [];
  const checks = sizes.map((size, offset) => ({ size, offset })).filter(({ size }) => mtu === 0 || size < mtu);
  return [
    set('reg10', 0),
    ...checks.map(({ size, offset }): Action => {
      return { type: 'check_pkt_larger', bytes: ETHERNET + size, to: { field: 'reg10', offset } };
    }),
  ];
}

/** Beside each route to one of the smaller networks: what that does not take goes to the agent, which tells the sender (RFC 1191, RFC 4443 section 3.2). */
function tooLargeFlows(owner: bigint, router: Router, flows: readonly Flow[]): Flow[] {
  const sizes = smallerSizes(router);
  if (sizes.length === 0) return [];
  const { id, interfaces, gateway } = router;
  const networks = [...interfaces, ...(gateway === undefined ? [] : [gateway])];
  const mtus = new Map(networks.map(({ vni, mtu }) => [BigInt(vni), mtu ?? 0]));
  return flows.flatMap(({ table, match, priority, instructions }) => {
    const to = instructions.find((each) => each.type === 'write_metadata');
    const mtu = (table === pipeline.routing.id && to !== undefined && mtus.get(to.value)) || 0;
    const offset = sizes.indexOf(mtu);
    if (offset < 0) return [];
    const bit = 2 ** offset;
    const give: Action = { type: 'controller', meter: meterOf('service', hash32(id)) };
    const tooLarge: Match = { ...match, reg10: { value: bit, mask: bit } };
    return [flow(owner, 'routing', priority + 1, tooLarge, [set('reg14', mtu), give])];
  });
}

/** What has no hop left and what there is no route to goes to the agent, which tells the sender. */
function undeliverable(owner: bigint, key: Match, id: string): Flow[] {
  const give: Action[] = [{ type: 'controller', meter: meterOf('service', hash32(id)) }];
  return [0x0800, 0x86dd].flatMap((eth_type) => [
    ...[0, 1].map((ip_ttl) => flow(owner, 'routing', NO_HOP_LEFT, { ...key, eth_type, ip_ttl }, give)),
    flow(owner, 'routing', NO_ROUTE, { ...key, eth_type }, give),
  ]);
}

/** Which MAC the addresses have, for packets that are routed to their network. */
export function nextHopFlows(
  owner: bigint,
  { vni, mac: text, ips }: { readonly vni: number; readonly mac: string; readonly ips: readonly string[] },
  view: RoutingView,
): Flow[] {
  if (!view.isRouted(vni)) return [];
  const actions = [set('eth_dst', mac(text))];
  return ips.map((ip) => flow(owner, 'nextHop', RULE, nextHopMatch(vni, ip), actions, 'neighbour'));
}

/** Whether packets are routed from one of its subnets to another, or by a route. */
export function leadsAnywhere({ adminStateUp, interfaces, routes, gateway }: Router): boolean {
  const outside = gateway === undefined ? 0 : 1;
  return adminStateUp && interfaces.flatMap(({ addresses }) => addresses).length + routes.length + outside > 1;
}

function nextHopMatch(vni: number, ip: string): Match {
  return { metadata: BigInt(vni), ...matchRegisters(ip) };
}

function interfaceFlows(
  owner: bigint,
  key: Match,
  { vni, mac: text, addresses, mtu }: RouterInterface,
  sizes: readonly number[],
): Flow[] {
  const metadata = BigInt(vni);
  const toRouter = set('eth_dst', mac(text));
  const ips = addresses.map(({ ip }) => ip);
  const onLink = ips.some(isIpv6) ? [linkLocal(mac(text))] : [];
  const its = addressesOf({ mac: text, ips });
  const ask: Action[] = [set('reg5', 1), { type: 'resubmit', table: pipeline.routers.id }];
  return [
    flow(
      owner,
      'routers',
      RULE,
      { metadata, eth_dst: mac(text) },
      [...keySet(key), ...compareSizes(sizes, mtu)],
      'routing',
    ),
    ...answers(owner, vni, { ...its, v6: [...its.v6, ...onLink] }, 'router'),
    ...ips.map((ip) => flow(owner, 'nextHop', RULE, nextHopMatch(vni, ip), [toRouter, ...ask])),
    ...ips.flatMap((ip) => ownAddress(owner, key, ip)),
  ];
}

/** A router answers pings; what else is for it ends here. */
function ownAddress(owner: bigint, key: Match, text: string): Flow[] {
  return [flow(owner, 'routing', OWN_ADDRESS, destined(key, text), []), answersPing(owner, key, text)];
}

/** Behind an address that is translated to are others: what is for it from inside is an answer to one of them, who has asked by the outside. */
function gatewayAddress(owner: bigint, key: Match, text: string, isTranslated: boolean): Flow[] {
  return isTranslated && !isIpv6(text) ? [answersPing(owner, key, text)] : ownAddress(owner, key, text);
}

function answersPing(owner: bigint, key: Match, text: string): Flow {
  if (isIpv6(text)) {
    const ip = ipv6(text);
    return echo(owner, { ...key, eth_type: 0x86dd, ip_proto: 58, ipv6_dst: ip, icmpv6_type: 128, icmpv6_code: 0 }, [
      move('ipv6_src', 'ipv6_dst', 128),
      set('ipv6_src', ip),
      set('icmpv6_type', 129),
    ]);
  }
  const ip = ipv4(text);
  return echo(owner, { ...key, eth_type: 0x0800, ip_proto: 1, ipv4_dst: ip, icmpv4_type: 8, icmpv4_code: 0 }, [
    move('ipv4_src', 'ipv4_dst', 32),
    set('ipv4_src', ip),
    set('icmpv4_type', 0),
  ]);
}

/** Back to the VM that asked, which is on this host; another router that stands between cannot be answered through. */
function echo(owner: bigint, match: Match, turn: readonly Action[]): Flow {
  const turnEthernet = [
    move('eth_src', 'reg8', 32),
    move('eth_src', 'reg9', 16, 32),
    move('eth_dst', 'eth_src', 48),
    { type: 'move', from: { field: 'reg8' }, to: { field: 'eth_dst' }, bits: 32 },
    { type: 'move', from: { field: 'reg9' }, to: { field: 'eth_dst', offset: 32 }, bits: 16 },
  ] as const;
  return flow(owner, 'routing', ECHO, { ...match, reg5: 0 }, [...turnEthernet, ...turn, set('ip_ttl', TTL), BACK]);
}

/** To the router's own subnets, where the next hop is the destination itself. */
function connected(owner: bigint, key: Match, { interfaces }: Router): Flow[] {
  return interfaces.flatMap((by) =>
    by.addresses.map(({ cidr }) =>
      route(owner, key, cidr, by, fieldToRegisters(isIpv6(cidr) ? 'ipv6_dst' : 'ipv4_dst'), NEARER),
    ),
  );
}

/** By the routes that a router has beside. A next hop that is on none of its subnets is nowhere to send to. */
function extra(owner: bigint, key: Match, { interfaces, routes, gateway }: Router): Flow[] {
  const isOutside = (ip: string): boolean => gateway?.addresses.some(({ cidr }) => contains(cidr, ip)) === true;
  const inside = routes.filter(({ nextHop }) => !isOutside(nextHop));
  const inOrder = inside.sort((a, b) => (a.nextHop < b.nextHop ? -1 : 1));
  return inOrder.map(({ destination, nextHop }) => {
    const by = interfaces.find(({ addresses }) => addresses.some(({ cidr }) => contains(cidr, nextHop)));
    if (by === undefined) return flow(owner, 'routing', priorityOf(destination), destined(key, destination), []);
    return route(owner, key, destination, by, addressToRegisters(nextHop));
  });
}

/** Of two routes of one length, that to a subnet of the router's own is the nearer one. */
function route(
  owner: bigint,
  key: Match,
  cidr: string,
  by: RouterInterface,
  nextHop: readonly Action[],
  nearer = 0,
): Flow {
  return stamped(owner, {
    table: pipeline.routing.id,
    priority: priorityOf(cidr) + nearer,
    match: destined(key, cidr),
    instructions: [
      apply([{ type: 'dec_ttl' }, set('eth_src', mac(by.mac)), ...nextHop]),
      { type: 'write_metadata', value: BigInt(by.vni) },
      goto('nextHop'),
    ],
  });
}
