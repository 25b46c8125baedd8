/** Rules for people. */
import type { NetworkAclRule, SecurityGroupRule, TrafficRule } from './resources.ts';

const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'ipv6-icmp', 132: 'sctp' };

/** As `ingress IPv4 tcp 80-90 from 10.0.0.0/8`. */
export function groupRuleText(rule: SecurityGroupRule): string {
  const set = rule.remoteGroupId ? `security group ${rule.remoteGroupId}` : null;
  const addresses = rule.remoteAddressGroupId ? `address group ${rule.remoteAddressGroupId}` : null;
  return trafficText(rule, set ?? addresses ?? rule.remoteIpPrefix ?? null);
}

/** As `100 deny egress IPv4 udp 53 to anywhere`. */
export function aclRuleText(rule: NetworkAclRule): string {
  return `${rule.number} ${rule.action} ${trafficText(rule, rule.remoteIpPrefix ?? null)}`;
}

function trafficText(rule: TrafficRule, remote: string | null): string {
  const { direction, ethertype, protocol, portRangeMin: min, portRangeMax: max } = rule;
  const name = protocol === null ? 'any' : (PROTOCOLS[protocol] ?? String(protocol));
  const isIcmp = protocol === 1 || protocol === 58;
  const ports = [...new Set([min, max])].filter((port) => port !== null).join(isIcmp ? '/' : '-');
  const end = `${direction === 'ingress' ? 'from' : 'to'} ${remote ?? 'anywhere'}`;
  return [direction, ethertype, name, ports, end].filter((word) => word !== '').join(' ');
}
