/** What routers say of a network's IPv6 subnets to who asks, and now and then to all: RFC 4861 section 4.2, RFC 8106. */
import { ipv6, ipv6Prefix, mac } from '@alcor/openflow';
import { bytes, domainBytes } from './dhcp/values.ts';
import { encodeFrame, linkLocal, NO_PORT, type PacketOut, type RouterInterface } from './dataplane/index.ts';

/** How guests come by their addresses. */
export type AddressMode = 'slaac' | 'dhcpv6-stateless' | 'dhcpv6-stateful';

/** A subnet that a router has to speak of. */
export interface AdvertisedSubnet {
  readonly cidr: string;
  readonly mode: AddressMode;
  readonly dnsServers: readonly string[];
  /** What names may be searched in, without a dot at its end; empty: nothing is said. */
  readonly domain: string;
}

/** Said again often enough that one may be lost. */
export const ADVERTISE_EVERY_MS = 200_000;

const ROUTER_SECONDS = 1800;
const VALID_SECONDS = 86_400;
const PREFERRED_SECONDS = 14_400;
const HOP_LIMIT = 64;
const ALL_NODES = { ethernet: 0x3333_0000_0001, ip: ipv6('ff02::1') };

const MANAGED = 0x80;
const OTHER = 0x40;
const ON_LINK = 0x80;
const AUTONOMOUS = 0x40;

/** To the VM at `ofport`: a router's advertisement of these subnets of its network; `mtu` 0 where it is not known. */
export function advertisement(
  { vni, mac: text }: RouterInterface,
  subnets: readonly AdvertisedSubnet[],
  mtu: number,
  ofport: number,
): PacketOut {
  const ethernet = mac(text);
  const headers = {
    eth_src: ethernet,
    eth_dst: ALL_NODES.ethernet,
    eth_type: 0x86dd,
    ip_proto: 58,
    ip_ttl: 255,
    ipv6_src: linkLocal(ethernet),
    ipv6_dst: ALL_NODES.ip,
    icmpv6_type: 134,
    icmpv6_code: 0,
  };
  const frame = encodeFrame(headers, body(ethernet, subnets, mtu));
  return { table: 'output', context: { inPort: NO_PORT, vni, registers: { reg1: ofport } }, frame };
}

/** What follows the checksum. */
function body(ethernet: number, subnets: readonly AdvertisedSubnet[], mtu: number): Uint8Array {
  const isManaged = subnets.some(({ mode }) => mode === 'dhcpv6-stateful');
  const isOther = isManaged || subnets.some(({ mode }) => mode === 'dhcpv6-stateless');
  const dns = [...new Set(subnets.flatMap(({ dnsServers }) => dnsServers))].filter((each) => each.includes(':'));
  const domains = [...new Set(subnets.map(({ domain }) => domain))].filter((each) => each !== '');
  return Uint8Array.of(
    HOP_LIMIT,
    (isManaged ? MANAGED : 0) | (isOther ? OTHER : 0),
    ...bytes(BigInt(ROUTER_SECONDS), 2),
    ...bytes(0n, 8),
    1,
    1,
    ...bytes(BigInt(ethernet), 6),
    ...(mtu > 0 ? [5, 1, 0, 0, ...bytes(BigInt(mtu), 4)] : []),
    ...subnets.flatMap(prefixOption),
    ...(dns.length > 0 ? [25, 1 + 2 * dns.length, 0, 0, ...bytes(BigInt(ROUTER_SECONDS), 4)] : []),
    ...dns.flatMap((each) => bytes(ipv6(each), 16)),
    ...searchList(domains),
  );
}

/** RFC 8106 section 5.2. */
function searchList(domains: readonly string[]): number[] {
  const names = domains.flatMap((domain) => [...(domainBytes(domain) ?? [])]);
  if (names.length === 0) return [];
  const units = Math.ceil((8 + names.length) / 8);
  const padding = Array.from({ length: 8 * units - 8 - names.length }, () => 0);
  return [31, units, 0, 0, ...bytes(BigInt(ROUTER_SECONDS), 4), ...names, ...padding];
}

function prefixOption({ cidr, mode }: AdvertisedSubnet): number[] {
  const flags = ON_LINK | (mode === 'dhcpv6-stateful' ? 0 : AUTONOMOUS);
  const lifetimes = [...bytes(BigInt(VALID_SECONDS), 4), ...bytes(BigInt(PREFERRED_SECONDS), 4)];
  const length = Number(cidr.split('/')[1]);
  return [3, 4, length, flags, ...lifetimes, ...bytes(0n, 4), ...bytes(ipv6Prefix(cidr).value, 16)];
}
