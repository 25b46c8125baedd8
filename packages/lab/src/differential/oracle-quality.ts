/** What QoS policies say of one packet: its mark. A port's own policy counts, or else its network's (which is for guests only). */
import type { Packet } from '@alcor/agent';
import type { Port } from '@alcor/network';
import { networkOf, type Plan } from './plan.ts';

/** What the port has sent, with the mark that it is to go on under; what is no IP packet has no room for one. */
export function marked(plan: Plan, port: Port, packet: Packet): Packet {
  const id = port.qosPolicyId ?? networkOf(plan, port.networkId).qosPolicyId;
  const rules = plan.qosPolicies.find((policy) => policy.id === id)?.rules ?? [];
  const rule = rules.find(({ type }) => type === 'dscp_marking');
  const isIp = packet.eth_type === 0x0800 || packet.eth_type === 0x86dd;
  return rule?.type === 'dscp_marking' && isIp ? { ...packet, ip_dscp: rule.dscpMark } : packet;
}
