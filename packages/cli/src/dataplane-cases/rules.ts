/** Rules of security groups, as themes write them. */

/** As the API has it, with `group` and `addresses` by name, and the family as a number. */
export interface Rule {
  readonly direction: 'ingress' | 'egress';
  readonly family?: 4 | 6;
  readonly protocol?: string | null;
  readonly port_range_min?: number;
  readonly port_range_max?: number;
  readonly remote_ip_prefix?: string;
  readonly group?: string;
  readonly addresses?: string;
}

/** Rules for both families. */
export function allow(
  direction: Rule['direction'],
  protocol: string | null,
  more: Omit<Rule, 'direction'> = {},
): Rule[] {
  return ([4, 6] as const).map((family) => ({ direction, family, protocol, ...more }));
}

/** A rule of a network ACL, as the API has it but for the family. */
export interface AclRule extends Omit<Rule, 'group' | 'addresses'> {
  readonly number: number;
  readonly action: 'allow' | 'deny';
}

/** Rules for both families: under this number and the next one. */
export function bothFamilies(
  number: number,
  action: AclRule['action'],
  direction: Rule['direction'],
  protocol: string | null,
  more: object = {},
): AclRule[] {
  return ([4, 6] as const).map((family, at) => ({ number: number + at, action, direction, family, protocol, ...more }));
}

/** With these ports. */
export function portRange(from: number, to = from): Pick<Rule, 'port_range_min' | 'port_range_max'> {
  return { port_range_min: from, port_range_max: to };
}

/** Everything, in both directions: for themes that groups are not the matter of. */
export const everything: readonly Rule[] = allow('ingress', null);

/** Of a QoS policy. */
export type QosRule = { readonly kind: `${string}_rule` } & { readonly [attribute: string]: unknown };

export function mark(dscp_mark: number): QosRule {
  return { kind: 'dscp_marking_rule', dscp_mark };
}

export function bandwidth(direction: 'ingress' | 'egress', max_kbps: number): QosRule {
  return { kind: 'bandwidth_limit_rule', direction, max_kbps, max_burst_kbps: 1 };
}

export function packetRate(direction: 'ingress' | 'egress', max_kpps: number): QosRule {
  return { kind: 'packet_rate_limit_rule', direction, max_kpps, max_burst_kpps: 1 };
}
