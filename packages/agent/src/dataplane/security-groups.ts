/** The flows of security groups, address groups and their members. */
import { fieldToRegisters, matchRegisters } from './address-registers.ts';
import { distinct, flow, joined, RULE, set } from './build.ts';
import { resourceCookie } from './cookie.ts';
import { CT_STATE } from './fields.ts';
import type { Action, Flow, Match } from './flow.ts';
import type { AddressGroup, LocalPort, Neighbor, SecurityGroup, SecurityGroupRule } from './resources.ts';
import type { RoutingView } from './routing.ts';
import { ask, type SecurityView } from './security.ts';
import { groupKey, rulesKey, setKey, type Direction, type RemoteSet } from './security-keys.ts';
import { etherType, ofConnections, ofPackets, trafficMatches, type Vocabulary } from './traffic-match.ts';

const TRACKED = { value: CT_STATE.tracked, mask: CT_STATE.tracked | CT_STATE.invalid };
const MEMBER: Action = set('reg3', 1);

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
    groups.flatMap((id) => addresses.map((text) => member(owner, joined(setKey(`group ${id}`), at), text))),
  );
}

/** The set that the rule's remote end has to be in, if it names one. */
export function remoteSet(rule: SecurityGroupRule): RemoteSet | null {
  if (rule.remoteGroupId) return `group ${rule.remoteGroupId}`;
  return rule.remoteAddressGroupId ? `addresses ${rule.remoteAddressGroupId}` : null;
}

function member(owner: bigint, key: Match, text: string): Flow {
  return flow(owner, 'members', RULE, joined(key, matchRegisters(text)), [MEMBER]);
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
  return flow(resourceCookie(id), 'policy', RULE, joined({ eth_type: etherType(ethertype), ...key }, base), actions);
}

function ruleFlows(groupId: string, rule: SecurityGroupRule, words: Vocabulary, base: Match): Flow[] {
  const remote = remoteSet(rule);
  const key =
    remote === null ? groupKey(rule.direction, groupId) : { reg3: 1, ...rulesKey(rule.direction, groupId, remote) };
  return trafficMatches(rule, words).map((match) =>
    flow(resourceCookie(rule.id), 'rules', RULE, joined(joined(key, base), match), [set('reg2', 1)]),
  );
}
