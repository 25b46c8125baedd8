import type { Caller } from '@alcor/identity';
import { type IntentStore, type NetworkAclId, type PortTypes, refusal, type SecurityGroupId } from '@alcor/network';
import { action } from '../action.ts';
import type { PortCounters, RuleCounter } from '../host-questions.ts';

/** `GET /alcor/v1/ports/{id}/counters`: what the port's host has counted, read at this moment. */
export const portCounters = action({
  about: 'What the host of the port has counted: packets and bytes, sent, received, dropped, and by rule',
  method: 'GET',
  run: async ({ store, hosts, caller, id }) => {
    const { hostId } = await store.ports.get(id as PortTypes['id']);
    const unavailable = (reason: string) => refusal('PortCountersUnavailable', { portId: id, reason });
    if (hostId === null) throw unavailable('it is bound to no host');
    const [node] = (await store.nodes.list({ filter: { id: [hostId] } })).rows;
    if (node === undefined) throw unavailable(`its host ${hostId} is not registered`);
    const counters = await hosts.portCounters(node.agentAddress, id);
    if (typeof counters === 'string') throw unavailable(counters);
    const rules = await visible(counters.rules, store, caller);
    return { port_counters: { port_id: id, node_id: hostId, ...written(counters), rules: rules.map(ruleWritten) } };
  },
});

/** A rule counts for all ports of the host, so who does not own it would learn of others' traffic. */
async function visible(
  rules: readonly RuleCounter[],
  store: IntentStore,
  { isAdmin, projectId }: Caller,
): Promise<readonly RuleCounter[]> {
  if (isAdmin) return rules;
  const groupIds = policiesOf(rules, 'security-group') as SecurityGroupId[];
  const aclIds = policiesOf(rules, 'network-acl') as NetworkAclId[];
  const groups = groupIds.length === 0 ? [] : (await store.securityGroups.list({ filter: { id: groupIds } })).rows;
  const acls = aclIds.length === 0 ? [] : (await store.networkAcls.list({ filter: { id: aclIds } })).rows;
  const own = new Set<string>([...groups, ...acls].flatMap((row) => (row.projectId === projectId ? [row.id] : [])));
  return rules.filter(({ policyId }) => own.has(policyId));
}

function policiesOf(rules: readonly RuleCounter[], policy: RuleCounter['policy']): string[] {
  return [...new Set(rules.filter((rule) => rule.policy === policy).map(({ policyId }) => policyId))];
}

function written({ sent, received, dropped, rulesLeftOut }: PortCounters): object {
  return {
    sent,
    received,
    dropped: {
      spoofed: dropped.spoofed,
      sent_not_allowed: dropped.sentNotAllowed,
      received_not_allowed: dropped.receivedNotAllowed,
      sent_over_limit: dropped.sentOverLimit,
      received_over_limit: dropped.receivedOverLimit,
    },
    rules_left_out: rulesLeftOut,
  };
}

function ruleWritten({ policy, policyId, ruleId, direction, text, packets, bytes }: RuleCounter): object {
  const key = policy === 'security-group' ? 'security_group' : 'network_acl';
  return {
    [`${key}_id`]: policyId,
    [`${key}_rule_id`]: ruleId === '' ? null : ruleId,
    direction,
    rule: text,
    packets,
    bytes,
  };
}
