/**
 * The one table of match fields: it drives the encoder and the decoder of matches, set-field, copy-field, learn and
 * every other place that names a field. Its order is the canonical order of a match on the wire: each field comes
 * after those it depends on (eth_type before ip_proto before tcp_dst), as section 7.2.3.6 demands.
 */

/** How a field may be matched: exactly, or with any bit mask. */
export type Masking = 'exact' | 'maskable';

export type FieldSpec = {
  /** OXM class (section 7.2.3.2): 0x8000 basic, 0x8001 registers, 0x0000 and 0x0001 Nicira, 0x1000 Ericsson. */
  readonly oxmClass: number;
  /** The field's number in its class. */
  readonly number: number;
  /** Bits that may be set. */
  readonly bits: number;
  /** Bytes on the wire. */
  readonly bytes: number;
  readonly masking: Masking;
  /** The same field under another number, `[class, number]`: Open vSwitch uses it inside its own actions. */
  readonly alias?: readonly [number, number];
};

const OPENFLOW_BASIC = 0x8000;
const PACKET_REGISTERS = 0x8001;
const NXM_0 = 0x0000;
const NXM_1 = 0x0001;
const ERICSSON = 0x1000;

function spec(oxmClass: number, number: number, bits: number, masking: Masking, more: Partial<FieldSpec> = {}) {
  return { oxmClass, number, bits, bytes: Math.ceil(bits / 8), masking, ...more } satisfies FieldSpec;
}
const basic = (number: number, bits: number, masking: Masking, more: Partial<FieldSpec> = {}) =>
  spec(OPENFLOW_BASIC, number, bits, masking, more);
const nicira = (number: number, bits: number, masking: Masking, more: Partial<FieldSpec> = {}) =>
  spec(NXM_1, number, bits, masking, more);
const register = (number: number) => nicira(number, 32, 'maskable');
const packetRegister = (number: number) => spec(PACKET_REGISTERS, number, 64, 'maskable');
const old0 = (number: number) => ({ alias: [NXM_0, number] as const });
const old1 = (number: number) => ({ alias: [NXM_1, number] as const });

export const FIELDS = {
  in_port: basic(0, 32, 'exact'),
  /** The port in the 16 bits of OpenFlow 1.0: as ovs-ofctl writes it in `learn` and `move`; no use in a match. */
  in_port_nxm: spec(NXM_0, 0, 16, 'exact'),
  actset_output: basic(43, 32, 'exact'),
  packet_type: basic(44, 32, 'exact'),
  metadata: basic(2, 64, 'maskable'),
  tunnel_id: basic(38, 64, 'maskable', old1(16)),
  tun_src: nicira(31, 32, 'maskable'),
  tun_dst: nicira(32, 32, 'maskable'),
  tun_ipv6_src: nicira(109, 128, 'maskable'),
  tun_ipv6_dst: nicira(110, 128, 'maskable'),
  tun_gbp_id: nicira(38, 16, 'maskable'),
  tun_gbp_flags: nicira(39, 8, 'maskable'),
  tun_flags: nicira(104, 1, 'maskable', { bytes: 2 }),
  reg0: register(0),
  reg1: register(1),
  reg2: register(2),
  reg3: register(3),
  reg4: register(4),
  reg5: register(5),
  reg6: register(6),
  reg7: register(7),
  reg8: register(8),
  reg9: register(9),
  reg10: register(10),
  reg11: register(11),
  reg12: register(12),
  reg13: register(13),
  reg14: register(14),
  reg15: register(15),
  xreg0: packetRegister(0),
  xreg1: packetRegister(1),
  xreg2: packetRegister(2),
  xreg3: packetRegister(3),
  xreg4: packetRegister(4),
  xreg5: packetRegister(5),
  xreg6: packetRegister(6),
  xreg7: packetRegister(7),
  xxreg0: nicira(111, 128, 'maskable'),
  xxreg1: nicira(112, 128, 'maskable'),
  xxreg2: nicira(113, 128, 'maskable'),
  xxreg3: nicira(114, 128, 'maskable'),
  pkt_mark: nicira(33, 32, 'maskable'),
  conj_id: nicira(37, 32, 'exact'),
  eth_dst: basic(3, 48, 'maskable', old0(1)),
  eth_src: basic(4, 48, 'maskable', old0(2)),
  eth_type: basic(5, 16, 'exact', old0(3)),
  vlan_vid: basic(6, 13, 'maskable'),
  vlan_pcp: basic(7, 3, 'exact'),
  /** VID, a bit that says a tag is there, and PCP in one; in a match it is read back as vlan_vid and vlan_pcp. */
  vlan_tci: spec(NXM_0, 4, 16, 'maskable'),
  mpls_label: basic(34, 20, 'exact', { bytes: 4 }),
  mpls_tc: basic(35, 3, 'exact'),
  mpls_bos: basic(36, 1, 'exact'),
  ct_state: nicira(105, 32, 'maskable'),
  ct_zone: nicira(106, 16, 'exact'),
  ct_mark: nicira(107, 32, 'maskable'),
  ct_label: nicira(108, 128, 'maskable'),
  ct_nw_proto: nicira(119, 8, 'exact'),
  ct_nw_src: nicira(120, 32, 'maskable'),
  ct_nw_dst: nicira(121, 32, 'maskable'),
  ct_ipv6_src: nicira(122, 128, 'maskable'),
  ct_ipv6_dst: nicira(123, 128, 'maskable'),
  ct_tp_src: nicira(124, 16, 'maskable'),
  ct_tp_dst: nicira(125, 16, 'maskable'),
  ipv4_src: basic(11, 32, 'maskable', old0(7)),
  ipv4_dst: basic(12, 32, 'maskable', old0(8)),
  ipv6_src: basic(26, 128, 'maskable', old1(19)),
  ipv6_dst: basic(27, 128, 'maskable', old1(20)),
  ipv6_flabel: basic(28, 20, 'maskable', { bytes: 4, ...old1(27) }),
  ip_proto: basic(10, 8, 'exact', old0(6)),
  ip_dscp: basic(8, 6, 'exact'),
  ip_ecn: basic(9, 2, 'exact', old1(28)),
  ip_ttl: nicira(29, 8, 'exact'),
  ip_frag: nicira(26, 2, 'maskable'),
  arp_op: basic(21, 16, 'exact', old0(15)),
  arp_spa: basic(22, 32, 'maskable', old0(16)),
  arp_tpa: basic(23, 32, 'maskable', old0(17)),
  arp_sha: basic(24, 48, 'maskable', old1(17)),
  arp_tha: basic(25, 48, 'maskable', old1(18)),
  tcp_src: basic(13, 16, 'maskable', old0(9)),
  tcp_dst: basic(14, 16, 'maskable', old0(10)),
  tcp_flags: basic(42, 12, 'maskable', old1(34)),
  udp_src: basic(15, 16, 'maskable', old0(11)),
  udp_dst: basic(16, 16, 'maskable', old0(12)),
  sctp_src: basic(17, 16, 'maskable'),
  sctp_dst: basic(18, 16, 'maskable'),
  icmpv4_type: basic(19, 8, 'exact', old0(13)),
  icmpv4_code: basic(20, 8, 'exact', old0(14)),
  icmpv6_type: basic(29, 8, 'exact', old1(21)),
  icmpv6_code: basic(30, 8, 'exact', old1(22)),
  nd_target: basic(31, 128, 'maskable', old1(23)),
  nd_sll: basic(32, 48, 'maskable', old1(24)),
  nd_tll: basic(33, 48, 'maskable', old1(25)),
  nd_reserved: spec(ERICSSON, 1, 32, 'exact'),
  nd_options_type: spec(ERICSSON, 2, 8, 'exact'),
} satisfies Record<string, FieldSpec>;

/** The fields that this library can name; others travel as `UnknownField`. */
export type FieldName = keyof typeof FIELDS;

/** All names in canonical order. */
export const FIELD_NAMES = Object.keys(FIELDS) as readonly FieldName[];
