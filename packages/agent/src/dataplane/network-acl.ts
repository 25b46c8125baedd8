/**
 * Network ACLs, as flows: what crosses a subnet's border is asked for where it leaves its VM and where it enters one.
 *
 *   …Subnet   which of the port's subnets the packet leaves or enters; only ports in subnets that have an ACL are asked
 *   …Border   whether it crosses the subnet's border at all, and by which version of which ACL it is judged
 *   …Acl      the rules: the lowest number has the highest priority, and what none fits ends here
 *
 * Rules stand under a hash of all of them together. So an ACL that changes is written beside the one before, then the border leads to the
 * new one with one flow, and then the old one goes: there is no moment of neither, and none of a mixture.
 */
import { isIpv6, prefixMatch } from './address.ts';
import { EXCEPTION, FALLBACK, flow, RESERVED, RULE, set } from './build.ts';
import { hash32, resourceCookie } from './cookie.ts';
import type { Field } from './fields.ts';
import type { Action, Flow, Match } from './flow.ts';
import type { TableName } from './pipeline.ts';
import type { LocalPort, NetworkAcl, NetworkAclRule } from './resources.ts';
import { ofPackets, trafficMatches } from './traffic-match.ts';

/** What is known of ACLs beside the port itself. */
export interface AclView {
  /** What crosses the subnet's border is judged. */
  isJudged(subnetId: string): boolean;
}

export const noAcls: AclView = { isJudged: () => false };

/** The priority of a rule with the number 0; numbers have 15 bits. */
const FIRST = 40_000;

/** One end of the way of a packet. */
interface Side {
  readonly name: 'leaving' | 'entering';
  readonly direction: NetworkAclRule['direction'];
  /** Holds the port. */
  readonly port: 'reg0' | 'reg1';
  /** The end of a packet that is the port, and the other one. */
  readonly own: 'src' | 'dst';
  readonly remote: 'src' | 'dst';
  /** To the security groups. */
  readonly next: TableName;
}

const leaving: Side = {
  name: 'leaving',
  direction: 'egress',
  port: 'reg0',
  own: 'src',
  remote: 'dst',
  next: 'leaving',
};
const entering: Side = {
  name: 'entering',
  direction: 'ingress',
  port: 'reg1',
  own: 'dst',
  remote: 'src',
  next: 'entering',
};
const sides = [leaving, entering];

const LINK_LOCAL_4 = { value: 0xa9fe0000, mask: 0xffff0000 };
const LINK_LOCAL_6 = { value: 0xfe80n << 112n, mask: 0xffc0n << 112n };
const MULTICAST_4 = { value: 0xe0000000, mask: 0xf0000000 };
const MULTICAST_6 = { value: 0xffn << 120n, mask: 0xffn << 120n };
const v4 = { eth_type: 0x0800 };
const v6 = { eth_type: 0x86dd };

/** What crosses no border: what is for the link only or, on its way out, for many; those who have no address yet; neighbour discovery. */
const unjudged: { readonly [S in Side['name']]: readonly Match[] } = {
  leaving: [
    { ...v4, ipv4_dst: MULTICAST_4 },
    { ...v4, ipv4_dst: 0xffff_ffff },
    { ...v4, ipv4_dst: LINK_LOCAL_4 },
    { ...v6, ipv6_dst: MULTICAST_6 },
    { ...v6, ipv6_dst: LINK_LOCAL_6 },
  ],
  entering: [
    { ...v4, ipv4_src: LINK_LOCAL_4 },
    { ...v4, ipv4_src: 0 },
    { ...v6, ipv6_src: LINK_LOCAL_6, ipv6_dst: LINK_LOCAL_6 },
    { ...v6, ipv6_src: LINK_LOCAL_6, ipv6_dst: MULTICAST_6 },
    { ...v6, ipv6_src: 0n },
  ],
};
const DISCOVERY = [135, 136].map((icmpv6_type) => ({ ...v6, ip_proto: 58, icmpv6_type }));

/** The flows of all ports and ACLs together. */
export function aclHostFlows(owner: bigint): Flow[] {
  return sides.flatMap(({ name, next }) => {
    const pass = (match: Match, above: number): Flow =>
      flow(owner, `${name}Border`, EXCEPTION + above, match, [], next);
    // Of two flows of one priority that take a packet, a switch may choose.
    return [...unjudged[name].map(pass), ...DISCOVERY.map((match, at) => pass(match, 10 + at))];
  });
}

/** Which of the port's subnets a packet leaves or enters. What it sends from elsewhere leaves the first that has an ACL. */
export function aclPortFlows(port: LocalPort, key: number, view: AclView): Flow[] {
  const { id, ips, subnetIds = [] } = port;
  const homes = ips.map((ip, at) => ({ ip, subnetId: subnetIds[at] ?? '' }));
  const owner = resourceCookie(id);
  return sides.flatMap((side) =>
    [false, true].flatMap((six) =>
      familyFlows(
        owner,
        key,
        side,
        homes.filter(({ ip }) => isIpv6(ip) === six),
        view,
      ),
    ),
  );
}

interface Home {
  readonly ip: string;
  readonly subnetId: string;
}

function familyFlows(owner: bigint, key: number, side: Side, homes: readonly Home[], view: AclView): Flow[] {
  const judged = homes.find(({ subnetId }) => view.isJudged(subnetId));
  if (judged === undefined) return [];
  const six = isIpv6(judged.ip);
  const at: Match = { [side.port]: key, ...(six ? v6 : v4) };
  const table = `${side.name}Subnet` as const;
  const toBorder = (priority: number, match: Match, subnetId: string): Flow =>
    flow(owner, table, priority, match, keySet(subnetKey(subnetId)), `${side.name}Border`);
  const others = homes.some(({ subnetId }) => subnetId !== judged.subnetId) ? homes : [];
  return [
    toBorder(RULE, at, judged.subnetId),
    ...others.map(({ ip, subnetId }) => {
      const match = { ...at, [addressField(side.own, six)]: prefixMatch(ip) } as Match;
      if (view.isJudged(subnetId)) return toBorder(EXCEPTION, match, subnetId);
      return flow(owner, table, EXCEPTION, match, [], side.next);
    }),
  ];
}

/** Of an ACL with the subnets that ports here are in: their borders and the rules. Throws where a rule means nothing. */
export function networkAclFlows(acl: NetworkAcl): readonly Flow[] {
  return sides.flatMap((side) => {
    const rules = acl.rules.filter(({ direction }) => direction === side.direction).sort((a, b) => a.number - b.number);
    const version = keyOf(`acl ${acl.id} ${JSON.stringify(rules)}`);
    return [
      ...acl.subnets.flatMap(({ id, cidr }) => borderFlows(resourceCookie(acl.id), side, id, cidr, version)),
      ...rules.flatMap((rule) => ruleFlows(side, rule, version)),
      // What no rule fits, counted.
      flow(resourceCookie(acl.id), `${side.name}Acl`, FALLBACK, version, []),
    ];
  });
}

function borderFlows(owner: bigint, side: Side, subnetId: string, cidr: string, version: Match): Flow[] {
  const table = `${side.name}Border` as const;
  const key = subnetKey(subnetId);
  const six = isIpv6(cidr);
  const inside = { ...key, ...(six ? v6 : v4), [addressField(side.remote, six)]: prefixMatch(cidr) } as Match;
  return [
    flow(owner, table, RESERVED, inside, [], side.next),
    flow(owner, table, RULE, key, keySet(version), `${side.name}Acl`),
  ];
}

function ruleFlows(side: Side, rule: NetworkAclRule, version: Match): Flow[] {
  const next = rule.action === 'allow' ? side.next : undefined;
  return trafficMatches(rule, ofPackets).map((match) =>
    flow(resourceCookie(rule.id), `${side.name}Acl`, FIRST - rule.number, { ...version, ...match }, [], next),
  );
}

function addressField(end: 'src' | 'dst', six: boolean): Field {
  return six ? `ipv6_${end}` : `ipv4_${end}`;
}

function subnetKey(subnetId: string): Match {
  return keyOf(`subnet ${subnetId}`);
}

/** 64 bits of hash, as groups are asked for, so that nothing is allocated. */
function keyOf(text: string): Match {
  return { reg6: hash32(text), reg7: hash32(`again ${text}`) };
}

function keySet(key: Match): Action[] {
  return [set('reg6', key.reg6 as number), set('reg7', key.reg7 as number)];
}
