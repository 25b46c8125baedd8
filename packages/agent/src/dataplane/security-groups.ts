/** The flows of security groups, address groups and their members. */
import { isIpv6, prefixMatch } from './address.ts';
import { fieldToRegisters, matchRegisters } from './address-registers.ts';
import { distinct, flow, RULE, set } from './build.ts';
import { resourceCookie } from './cookie.ts';
import { CT_STATE, type Field } from './fields.ts';
import type { Action, Flow, Match, MatchValue } from './flow.ts';
import type { AddressGroup, LocalPort, Neighbor, SecurityGroup, SecurityGroupRule } from './resources.ts';
import type { RoutingView } from './routing.ts';
import { ask, type SecurityView } from './security.ts';
import { groupKey, rulesKey, setKey, type Direction, type RemoteSet } from './security-keys.ts';

const ICMP = 1;
const ICMPV6 = 58;
const TRACKED = { value: CT_STATE.tracked, mask: CT_STATE.tracked | CT_STATE.invalid };
const MEMBER: Action = set('reg3', 1);

/** The fields that say where a packet goes to: its own, or those of the packet that opened its connection. */
interface Vocabulary {
  readonly remote: { readonly [D in Direction]: readonly [v4: Field, v6: Field] };
  readonly protocol: Field;
  readonly ports: { readonly [protocol: number]: Field };
  readonly icmp: { readonly [protocol: number]: readonly [type: Field, code: Field] };
}

const ofConnections: Vocabulary = {
  remote: { ingress: ['ct_nw_src', 'ct_ipv6_src'], egress: ['ct_nw_dst', 'ct_ipv6_dst'] },
  protocol: 'ct_nw_proto',
  ports: { 6: 'ct_tp_dst', 17: 'ct_tp_dst', 132: 'ct_tp_dst' },
  icmp: { [ICMP]: ['ct_tp_src', 'ct_tp_dst'], [ICMPV6]: ['ct_tp_src', 'ct_tp_dst'] },
};

const ofPackets: Vocabulary = {
  remote: { ingress: ['ipv4_src', 'ipv6_src'], egress: ['ipv4_dst', 'ipv6_dst'] },
  protocol: 'ip_proto',
  ports: { 6: 'tcp_dst', 17: 'udp_dst', 132: 'sctp_dst' },
  icmp: { [ICMP]: ['icmpv4_type', 'icmpv4_code'], [ICMPV6]: ['icmpv6_type', 'icmpv6_code'] },
};

/** A group's rules, and what it asks of the sets that they name. Throws where a rule means nothing. */
export function securityGroupFlows(group: SecurityGroup): readonly Flow[] {
  const words = group.stateful ? ofConnections : ofPackets;
  const base: Match = group.stateful ? { ct_state: TRACKED } : {};
  const rules = [...group.rules].sort((a, b) => (a.id < b.id ? -1 : 1));
  return distinct([
    ...(['ingress', 'egress'] as const).flatMap((direction) =>
      (['IPv4', 'IPv6'] as const).flatMap((ethertype) => {
        const these = rules.filter((rule) => rule.direction === direction && rule.ethertype === ethertype);
        return these.length === 0 ? [] : [policy(group.id, direction, ethertype, these, words, base)];
      }),
    ),
    ...rules.flatMap((rule) => ruleFlows(group.id, rule, words, base)),
  ]);
}

/** An address group that rules in use refer to. */
export function addressGroupFlows({ id, addresses }: AddressGroup): readonly Flow[] {
  const key = setKey(`addresses ${id}`);
  return distinct(addresses.map((text) => member(resourceCookie(id), key, text)));
}

/** A port's addresses in the groups that rules in use refer to: one flow per group and address. */
export function memberFlows(holder: LocalPort | Neighbor, view: SecurityView, routing: RoutingView): readonly Flow[] {
  const groups = (holder.securityGroupIds ?? []).filter((id) => view.isAsked(id));
  if (groups.length === 0) return [];
  const owner = resourceCookie(holder.id);
  const addresses = [...holder.ips, ...(holder.allowedAddressPairs ?? []).map(({ ip }) => ip)];
  const at = { reg12: routing.domainOf(holder.vni) };
  return distinct(
    groups.flatMap((id) => addresses.map((text) => member(owner, { ...setKey(`group ${id}`), ...at }, text))),
  );
}

/** The set that the rule's remote end has to be in, if it names one. */
export function remoteSet(rule: SecurityGroupRule): RemoteSet | null {
  if (rule.remoteGroupId) return `group ${rule.remoteGroupId}`;
  return rule.remoteAddressGroupId ? `addresses ${rule.remoteAddressGroupId}` : null;
}

function member(owner: bigint, key: Match, text: string): Flow {
  return flow(owner, 'members', RULE, { ...key, ...matchRegisters(text) }, [MEMBER]);
}

function policy(
  id: string,
  direction: Direction,
  ethertype: SecurityGroupRule['ethertype'],
  rules: readonly SecurityGroupRule[],
  words: Vocabulary,
  base: Match,
): Flow {
  const key = groupKey(direction, id);
  const sets = [...new Set(rules.map(remoteSet).filter((remote) => remote !== null))].sort();
  const anywhere = rules.some((rule) => remoteSet(rule) === null);
  const actions = [
    ...(anywhere ? ask(key, 'rules') : []),
    ...(sets.length > 0 ? fieldToRegisters(words.remote[direction][ethertype === 'IPv4' ? 0 : 1]) : []),
    ...sets.flatMap((remote) => [
      set('reg3', 0),
      ...ask(setKey(remote), 'members'),
      ...ask(rulesKey(direction, id, remote), 'rules'),
    ]),
  ];
  return flow(resourceCookie(id), 'policy', RULE, { ...key, ...base, eth_type: etherType(ethertype) }, actions);
}

function ruleFlows(groupId: string, rule: SecurityGroupRule, words: Vocabulary, base: Match): Flow[] {
  const remote = remoteSet(rule);
  const key =
    remote === null ? groupKey(rule.direction, groupId) : { ...rulesKey(rule.direction, groupId, remote), reg3: 1 };
  const from = { ...key, ...base, eth_type: etherType(rule.ethertype), ...prefixOf(rule, words) };
  return protocolOf(rule, words).map((match) =>
    flow(resourceCookie(rule.id), 'rules', RULE, { ...from, ...match }, [set('reg2', 1)]),
  );
}

function prefixOf({ remoteIpPrefix, direction, ethertype }: SecurityGroupRule, words: Vocabulary): Match {
  if (!remoteIpPrefix) return {};
  const v6 = isIpv6(remoteIpPrefix);
  if (v6 !== (ethertype === 'IPv6')) throw new Error(`${remoteIpPrefix} is not a prefix of ${ethertype}`);
  return named(words.remote[direction][v6 ? 1 : 0], prefixMatch(remoteIpPrefix));
}

/** One match per prefix of the port range. */
function protocolOf(rule: SecurityGroupRule, words: Vocabulary): Match[] {
  const { portRangeMin: min, portRangeMax: max } = rule;
  if (rule.protocol === null) {
    if (min !== null || max !== null) throw new Error(`rule ${rule.id} has ports but no protocol`);
    return [{}];
  }
  const protocol = rule.ethertype === 'IPv6' && rule.protocol === ICMP ? ICMPV6 : rule.protocol;
  const base = { [words.protocol]: protocol } as Match;
  if (min === null && max === null) return [base];
  const icmp = words.icmp[protocol];
  if (icmp !== undefined)
    return [{ ...base, ...named(icmp[0], min ?? undefined), ...named(icmp[1], max ?? undefined) }];
  const ports = words.ports[protocol];
  if (ports === undefined) throw new Error(`rule ${rule.id}: protocol ${protocol} has no ports to match`);
  return portPrefixes(min ?? 0, max ?? 0xffff).map((value) => ({ ...base, ...named(ports, value) }));
}

/** The fewest masked values that together are the ports `min` to `max`; undefined is every port. */
export function portPrefixes(min: number, max: number): (MatchValue | undefined)[] {
  if (!(min >= 0 && min <= max && max <= 0xffff)) throw new Error(`no range of ports: ${min} to ${max}`);
  const prefixes: (MatchValue | undefined)[] = [];
  for (let at = min; at <= max;) {
    let size = at === 0 ? 0x1_0000 : at & -at;
    while (at + size - 1 > max) size /= 2;
    if (size === 0x1_0000) prefixes.push(undefined);
    else prefixes.push(size === 1 ? at : { value: at, mask: 0x1_0000 - size });
    at += size;
  }
  return prefixes;
}

function etherType(ethertype: SecurityGroupRule['ethertype']): number {
  return ethertype === 'IPv4' ? 0x0800 : 0x86dd;
}

function named(field: Field, value: MatchValue | undefined): Match {
  return value === undefined ? {} : { [field]: value };
}
