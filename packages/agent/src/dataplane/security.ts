/**
 * What security groups say of a port, as flows. A port asks each of its groups by the group's key; a group asks which
 * sets the remote address is in, and then the rules. So a member of a group is one flow however many groups and rules
 * refer to it, a rule is its own flows however many ports have it, and a port is a few.
 *
 * Every packet of a connection is judged by the rules of today, in both directions: the tracker remembers how the
 * connection began (ct_nw_src and its like), and that is what the rules are matched with. A rule that is gone allows
 * nothing any more, and what was open through it alone is closed with the flow.
 */
import { EXCEPTION, FALLBACK, flow, icmpv6, RULE, set } from './build.ts';
import { hash32, resourceCookie } from './cookie.ts';
import { CT_STATE, type Field } from './fields.ts';
import type { Action, Flow, Match } from './flow.ts';
import type { TableName } from './pipeline.ts';
import { pipeline } from './pipeline.ts';
import { groupKey, type Direction } from './security-keys.ts';
import type { LocalPort } from './resources.ts';
import type { RoutingView } from './routing.ts';

/** What is known of groups beside the port itself. */
export interface SecurityView {
  /** The group has been told of, and is stateless. */
  isStateless(groupId: string): boolean;
  /** A rule in use on this host refers to the group, so its members are needed here. */
  isAsked(groupId: string): boolean;
  /** Some rule refers to the group, on whichever host: where a member sends to, it must be known as one. */
  isNamed(groupId: string): boolean;
}

export const noSecurity: SecurityView = { isStateless: () => false, isAsked: () => false, isNamed: () => false };

/** One end of the way of a packet: where it leaves its VM, or enters one. */
interface Side {
  readonly name: 'leaving' | 'entering';
  /** Holds the port that is judged. */
  readonly port: 'reg0' | 'reg1';
  readonly next: TableName;
  /** Which of the port's rules speak of a packet that opens a connection here. */
  readonly opens: Direction;
  /** And which of an answer. */
  readonly answers: Direction;
}

const leaving: Side = { name: 'leaving', port: 'reg0', next: 'services', opens: 'egress', answers: 'ingress' };
const entering: Side = { name: 'entering', port: 'reg1', next: 'localIpAnswer', opens: 'ingress', answers: 'egress' };

const { invalid, reply, tracked } = CT_STATE;
const OPENING = { value: tracked, mask: tracked | reply | invalid };
const ANSWERING = { value: tracked | reply, mask: tracked | reply | invalid };
const FAMILIES = [0x0800, 0x86dd];

/** What groups never judge: ARP, neighbour and multicast listener discovery, router solicitations, a DHCP client's words. */
const ICMPV6_OUT = [130, 131, 132, 133, 135, 136, 143];
/** And router advertisements, but no solicitation. */
const ICMPV6_IN = [130, 131, 132, 134, 135, 136, 143];

/** The flows of all ports together. */
export function securityHostFlows(owner: bigint): Flow[] {
  return [leaving, entering].flatMap((side) => {
    const { name, next } = side;
    const always = side === leaving ? ICMPV6_OUT.map(icmpv6) : ICMPV6_IN.map(icmpv6);
    const [from, to] = side === leaving ? (['src', 'dst'] as const) : (['dst', 'src'] as const);
    const dhcp = [
      { eth_type: 0x0800, ip_proto: 17, [`udp_${from}`]: 68, [`udp_${to}`]: 67 },
      { eth_type: 0x86dd, ip_proto: 17, [`udp_${from}`]: 546, [`udp_${to}`]: 547 },
    ];
    return [
      ...[{ eth_type: 0x0806 }, ...always, ...dhcp].map((match) => flow(owner, name, EXCEPTION, match, [], next)),
      flow(owner, `${name}Track`, EXCEPTION, { reg2: 1 }, [], next),
      flow(owner, `${name}Verdict`, EXCEPTION, { reg2: 1, ct_state: ANSWERING }, [], next),
    ];
  });
}

/** Both ends of a port; `ofport` is also the zone of its connections. */
export function securityPortFlows(port: LocalPort, ofport: number, view: SecurityView, routing: RoutingView): Flow[] {
  const owner = resourceCookie(port.id);
  const groups = groupsOf(port);
  return [leaving, entering].flatMap((side) => {
    if (groups === null) return [flow(owner, side.name, RULE, { [side.port]: ofport }, [], side.next)];
    const stateless = groups.filter((id) => view.isStateless(id));
    const stateful = groups.filter((id) => !view.isStateless(id));
    return [
      ...(groups.length > 0 ? [unjudged(owner, side, ofport, stateless, routing.domainOf(port.vni))] : []),
      ...(stateful.length > 0 ? judged(owner, side, ofport, stateful, markOf(port.id)) : []),
      ...refused(owner, side, ofport, { isAsked: groups.length > 0, isTracked: stateful.length > 0 }),
    ];
  });
}

/** The groups that judge a port, each once and in a fixed order; null where none is to. */
export function groupsOf(port: LocalPort): readonly string[] | null {
  if (!port.portSecurityEnabled || port.securityGroupIds === undefined) return null;
  return [...new Set(port.securityGroupIds)].sort();
}

/** Stateless groups are asked first: what one of them allows is not tracked. */
function unjudged(owner: bigint, side: Side, ofport: number, stateless: readonly string[], domain: number): Flow {
  const actions = [set('reg2', 0), set('reg12', domain), ...asked(side.opens, stateless)];
  return flow(owner, side.name, RULE, { [side.port]: ofport }, actions, `${side.name}Track`);
}

function judged(owner: bigint, side: Side, ofport: number, stateful: readonly string[], mark: number): Flow[] {
  const { name, next } = side;
  const at = { [side.port]: ofport };
  const zone = { field: side.port as Field, bits: 16 } as const;
  const remember: Action = {
    type: 'ct',
    commit: true,
    zone,
    actions: [{ type: 'set_field', field: 'ct_mark', value: mark }],
  };
  const opened: Match = { ...at, ct_state: OPENING };
  // The mark is the port's own: what a zone still holds of a port that had the number before answers for nobody.
  const answered: Match = { ...at, ct_state: ANSWERING, ct_mark: mark };
  return [
    ...FAMILIES.map((eth_type) =>
      flow(owner, `${name}Track`, RULE, { ...at, eth_type }, [
        { type: 'ct', zone, table: pipeline[`${name}State`].id },
      ]),
    ),
    flow(owner, `${name}State`, RULE, opened, asked(side.opens, stateful), `${name}Verdict`),
    flow(owner, `${name}State`, RULE, answered, asked(side.answers, stateful), `${name}Verdict`),
    flow(owner, `${name}Verdict`, EXCEPTION, { ...opened, reg2: 1, ct_mark: mark }, [], next),
    ...FAMILIES.map((eth_type) => flow(owner, `${name}Verdict`, RULE, { ...at, reg2: 1, eth_type }, [remember], next)),
  ];
}

/** What nothing allows would end all the same: here it is counted as the port's. */
function refused(
  owner: bigint,
  { name, port }: Side,
  ofport: number,
  { isAsked, isTracked }: { readonly isAsked: boolean; readonly isTracked: boolean },
): Flow[] {
  const ofTracked = isTracked ? ([`${name}State`, `${name}Verdict`] as const) : [];
  const tables: readonly TableName[] = isAsked ? [`${name}Track`, ...ofTracked] : [name];
  return tables.map((table) => flow(owner, table, FALLBACK, { [port]: ofport }, []));
}

function asked(direction: Direction, groups: readonly string[]): Action[] {
  return groups.flatMap((id) => ask(groupKey(direction, id), 'policy'));
}

/** Passes through `table` under a key. */
export function ask(key: Match, table: TableName): Action[] {
  const sets = (Object.keys(key) as Field[]).map((field) => set(field, key[field] as number));
  return [...sets, { type: 'resubmit', table: pipeline[table].id }];
}

/** What connections of the port are marked with: never 0, which is a connection without a mark. */
function markOf(portId: string): number {
  return hash32(portId) || 1;
}
