/** Fields that several tables of the pipeline match or write together. */
export const arpFields = ['arp_op', 'arp_spa', 'arp_tpa', 'arp_sha', 'arp_tha'] as const;
export const ndFields = ['nd_target', 'nd_sll', 'nd_tll', 'nd_options_type'] as const;
export const udpFields = ['udp_src', 'udp_dst'] as const;
export const remoteFields = ['reg4', 'reg8', 'reg9', 'reg10', 'reg11'] as const;
export const connectionFields = [
  'ct_state', 'ct_nw_proto', 'ct_nw_src', 'ct_nw_dst', 'ct_ipv6_src', 'ct_ipv6_dst', 'ct_tp_src', 'ct_tp_dst',
] as const; // prettier-ignore
export const endFields = ['eth_type', 'ipv4_src', 'ipv4_dst', 'ipv6_src', 'ipv6_dst'] as const;
export const trafficFields = [
  ...endFields, 'ip_proto',
  'tcp_dst', 'udp_dst', 'sctp_dst', 'icmpv4_type', 'icmpv4_code', 'icmpv6_type', 'icmpv6_code',
] as const; // prettier-ignore
export const ipFields = ['eth_type', 'ip_proto', 'ipv4_src', 'ipv6_src', 'icmpv6_type', 'icmpv6_code'] as const;
