import type { NetworkAclId, NetworkAclRule, NetworkAclRuleId, RuledNetworkAcl, Subnet } from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';
import { chance, randomTraffic, tenant } from './random-plan.ts';

/** None, one or two of a tenant, each on subnets of its own. */
export function randomAcls(random: Random, name: string, subnets: readonly Subnet[]): RuledNetworkAcl[] {
  const count = chance(random, 0.6) ? 0 : between(random, 1, 2);
  return Array.from({ length: count }, (_, n) => {
    const own = subnets.filter((__, at) => at % count === n && chance(random, 0.7));
    const id = `acl-${name}-${n}` as NetworkAclId;
    return {
      ...tenant(name),
      id,
      subnetIds: own.map((subnet) => subnet.id),
      subnets: own.map(({ id: subnetId, networkId, cidr }) => ({ id: subnetId, networkId, cidr })),
      rules: (['ingress', 'egress'] as const).flatMap((direction) => randomRules(random, name, id, direction)),
    };
  });
}

const prefixes = {
  IPv4: ['10.0.0.0/24', '10.0.1.0/24', '10.0.0.11/32', '10.0.0.0/14', '192.168.7.0/24', null, null],
  IPv6: ['fd00:1::/64', 'fd00:2::/64', 'fd00::/16', null, null],
} as const;

/** Those of one direction, by number; mostly such that what none of the others speaks of may pass. */
function randomRules(
  random: Random,
  name: string,
  networkAclId: NetworkAclId,
  direction: NetworkAclRule['direction'],
): NetworkAclRule[] {
  const { name: _, ...resource } = tenant(name);
  const rule = (number: number, said: Pick<NetworkAclRule, 'ethertype' | 'action'> & Partial<NetworkAclRule>) => ({
    ...resource,
    id: `${networkAclId} ${direction} ${number}` as NetworkAclRuleId,
    networkAclId,
    number,
    direction,
    protocol: null,
    portRangeMin: null,
    portRangeMax: null,
    remoteIpPrefix: null,
    ...said,
  });
  const some = Array.from({ length: between(random, 0, 5) }, (__, n) => {
    const ethertype = chance(random, 0.65) ? 'IPv4' : 'IPv6';
    const action = chance(random, 0.6) ? 'allow' : 'deny';
    const remoteIpPrefix = pick(random, prefixes[ethertype]);
    return rule(100 + 10 * n, { ethertype, action, remoteIpPrefix, ...randomTraffic(random, ethertype) });
  });
  const rest = (['IPv4', 'IPv6'] as const).filter(() => chance(random, 0.7));
  return [...some, ...rest.map((ethertype, n) => rule(900 + n, { ethertype, action: 'allow' }))];
}
