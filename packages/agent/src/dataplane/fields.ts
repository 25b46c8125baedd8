/**
 * The packet and register fields that the pipeline knows: width, how people read the value, and what a match on the
 * field needs beside it. OpenFlow 1.5 section 7.2.3.6 (prerequisites); names are those of Open vSwitch.
 */
export type FieldKind = 'number' | 'hex' | 'mac' | 'ipv4' | 'ipv6';

export interface FieldSpec {
  readonly bits: number;
  readonly kind: FieldKind;
  /** Every named field must be matched exactly on one of the values, or the switch refuses the flow. */
  readonly needs?: { readonly [field: string]: readonly number[] };
  /** Known of tracked connections only: the match must say that the packet is tracked and not invalid. */
  readonly tracked?: true;
}

const arp = { eth_type: [0x0806] };
const ipv4 = { eth_type: [0x0800] };
const ipv6 = { eth_type: [0x86dd] };
const icmpv4 = { ...ipv4, ip_proto: [1] };
const icmpv6 = { ...ipv6, ip_proto: [58] };
const ip = { eth_type: [0x0800, 0x86dd] };
const tcp = { ...ip, ip_proto: [6] };
const udp = { ...ip, ip_proto: [17] };
const sctp = { ...ip, ip_proto: [132] };
const solicitation = { ...icmpv6, icmpv6_type: [135] };
const advertisement = { ...icmpv6, icmpv6_type: [136] };
const neighborDiscovery = { ...icmpv6, icmpv6_type: [135, 136] };

export const fields = {
  in_port: { bits: 32, kind: 'number' },
  /** The same in the words in which Open vSwitch lets it be written; not to be matched. */
  in_port_nxm: { bits: 16, kind: 'number' },
  metadata: { bits: 64, kind: 'number' },
  tunnel_id: { bits: 64, kind: 'number' },
  tun_src: { bits: 32, kind: 'ipv4' },
  tun_dst: { bits: 32, kind: 'ipv4' },
  reg0: { bits: 32, kind: 'number' },
  reg1: { bits: 32, kind: 'number' },
  reg2: { bits: 32, kind: 'number' },
  reg3: { bits: 32, kind: 'number' },
  reg4: { bits: 32, kind: 'number' },
  reg5: { bits: 32, kind: 'number' },
  reg6: { bits: 32, kind: 'number' },
  reg7: { bits: 32, kind: 'number' },
  reg8: { bits: 32, kind: 'number' },
  reg9: { bits: 32, kind: 'number' },
  reg10: { bits: 32, kind: 'number' },
  reg11: { bits: 32, kind: 'number' },
  reg12: { bits: 32, kind: 'number' },
  reg13: { bits: 32, kind: 'number' },
  reg14: { bits: 32, kind: 'number' },
  reg15: { bits: 32, kind: 'number' },
  ct_state: { bits: 32, kind: 'hex' },
  ct_mark: { bits: 32, kind: 'hex' },
  // The connection's first packet, in whichever direction this one goes. Of ICMP, the ports are type and code.
  ct_nw_proto: { bits: 8, kind: 'number', needs: ip, tracked: true },
  ct_nw_src: { bits: 32, kind: 'ipv4', needs: ipv4, tracked: true },
  ct_nw_dst: { bits: 32, kind: 'ipv4', needs: ipv4, tracked: true },
  ct_ipv6_src: { bits: 128, kind: 'ipv6', needs: ipv6, tracked: true },
  ct_ipv6_dst: { bits: 128, kind: 'ipv6', needs: ipv6, tracked: true },
  ct_tp_src: { bits: 16, kind: 'number', needs: ip, tracked: true },
  ct_tp_dst: { bits: 16, kind: 'number', needs: ip, tracked: true },
  /** Of the outermost tag, with a bit (`VLAN_TAGGED`) that says there is one; 0 without. */
  vlan_vid: { bits: 13, kind: 'number' },
  eth_dst: { bits: 48, kind: 'mac' },
  eth_src: { bits: 48, kind: 'mac' },
  eth_type: { bits: 16, kind: 'hex' },
  ip_proto: { bits: 8, kind: 'number', needs: ip },
  ip_dscp: { bits: 6, kind: 'number', needs: ip },
  ip_ttl: { bits: 8, kind: 'number', needs: ip },
  tcp_src: { bits: 16, kind: 'number', needs: tcp },
  tcp_dst: { bits: 16, kind: 'number', needs: tcp },
  sctp_dst: { bits: 16, kind: 'number', needs: sctp },
  udp_src: { bits: 16, kind: 'number', needs: udp },
  udp_dst: { bits: 16, kind: 'number', needs: udp },
  ipv4_src: { bits: 32, kind: 'ipv4', needs: ipv4 },
  ipv4_dst: { bits: 32, kind: 'ipv4', needs: ipv4 },
  icmpv4_type: { bits: 8, kind: 'number', needs: icmpv4 },
  icmpv4_code: { bits: 8, kind: 'number', needs: icmpv4 },
  arp_op: { bits: 16, kind: 'number', needs: arp },
  arp_spa: { bits: 32, kind: 'ipv4', needs: arp },
  arp_tpa: { bits: 32, kind: 'ipv4', needs: arp },
  arp_sha: { bits: 48, kind: 'mac', needs: arp },
  arp_tha: { bits: 48, kind: 'mac', needs: arp },
  ipv6_src: { bits: 128, kind: 'ipv6', needs: ipv6 },
  ipv6_dst: { bits: 128, kind: 'ipv6', needs: ipv6 },
  icmpv6_type: { bits: 8, kind: 'number', needs: icmpv6 },
  icmpv6_code: { bits: 8, kind: 'number', needs: icmpv6 },
  nd_target: { bits: 128, kind: 'ipv6', needs: neighborDiscovery },
  nd_sll: { bits: 48, kind: 'mac', needs: solicitation },
  nd_tll: { bits: 48, kind: 'mac', needs: advertisement },
  nd_options_type: { bits: 8, kind: 'number', needs: neighborDiscovery },
  nd_reserved: { bits: 32, kind: 'hex', needs: neighborDiscovery },
} as const satisfies { readonly [name: string]: FieldSpec };

export type Field = keyof typeof fields;
export type Register = Extract<Field, `reg${number}`>;

export const registers = Object.keys(fields).filter((field) => /^reg\d/.test(field)) as readonly Register[];

/** The registers of a packet that are not 0. */
export function registersOf(packet: { readonly [F in Field]?: unknown }): { readonly [R in Register]?: number } {
  return Object.fromEntries(registers.flatMap((each) => (packet[each] ? [[each, Number(packet[each])]] : [])));
}
export type FieldValue = number | bigint;

/** The declaration of `field`, without the literal types that the table's own type carries. */
export function spec(field: Field): FieldSpec {
  return fields[field];
}

/** Wide fields are bigint and narrow ones number throughout, so that equal values are equal keys. */
export function normalise(field: Field, value: FieldValue): FieldValue {
  return fields[field].bits > 48 ? BigInt(value) : Number(value);
}

export function allOnes(bits: number): bigint {
  return (1n << BigInt(bits)) - 1n;
}

/** `value & mask` in the field's own representation. */
export function masked(field: Field, value: FieldValue, mask: FieldValue): FieldValue {
  if (fields[field].bits <= 32) return (Number(value) & Number(mask)) >>> 0;
  return normalise(field, BigInt(value) & BigInt(mask));
}

/** OFPVID_PRESENT: the bit of `vlan_vid` that says there is a tag. */
export const VLAN_TAGGED = 0x1000;

/** Bits of ct_state (ovs-fields(7)). */
export const CT_STATE = {
  new: 0x01,
  established: 0x02,
  related: 0x04,
  reply: 0x08,
  invalid: 0x10,
  tracked: 0x20,
} as const;
