/** What DHCP tells a guest, as options: RFC 2132, routes as of RFC 3442. */
import { ipv4, ipv4Prefix } from '@alcor/openflow';
import { OPTION, type DhcpOption } from './message.ts';
import { type ExtraOption, knownOption } from './option-names.ts';
import { addressBytes, join, type Route, routeBytes, valueOf, word } from './values.ts';

/** What is known of a guest's address and of the subnet that it is in. */
export interface Lease {
  /** Its IPv4 address. */
  readonly ip: string;
  readonly cidr: string;
  /** Null where the subnet has none. */
  readonly gateway: string | null;
  readonly dnsServers: readonly string[];
  readonly routes: readonly Route[];
  /** Bytes; 0: not known. */
  readonly mtu: number;
  readonly hostName: string;
  /** Without a dot at its end; empty: none. */
  readonly domain: string;
  /** As dnsmasq names them, or by number; of those that are known here. */
  readonly extra: readonly ExtraOption[];
}

/** What the protocol itself says by options, which is nobody's to choose. */
const protocols: ReadonlySet<number> = new Set([50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 61, 82]);

/** In the order of their importance. An extra option takes the place of the subnet's own; one without a value, that of nothing. */
export function leaseOptions(lease: Lease, asked: readonly number[]): readonly DhcpOption[] {
  const { gateway, dnsServers, mtu, hostName, domain } = lease;
  const { value: network, mask } = ipv4Prefix(lease.cidr);
  const extra = lease.extra.flatMap(extraOption);
  const named = new Set(extra.map(({ code }) => code));
  const usual: DhcpOption[] = [
    { code: OPTION.subnetMask, value: word(mask) },
    ...(gateway === null ? [] : [{ code: OPTION.router, value: word(ipv4(gateway)) }]),
    ...routes(lease, named.has(OPTION.router), asked),
    ...(mtu > 0 ? [{ code: OPTION.mtu, value: Uint8Array.of(mtu >> 8, mtu & 255) }] : []),
    ...(dnsServers.length === 0 ? [] : [{ code: OPTION.dnsServers, value: addresses(dnsServers) }]),
    { code: OPTION.hostName, value: new TextEncoder().encode(hostName) },
    ...(domain === '' ? [] : [{ code: OPTION.domainName, value: new TextEncoder().encode(domain) }]),
    { code: OPTION.broadcast, value: word((network | ~mask) >>> 0) },
  ];
  const told = [...usual.filter(({ code }) => !named.has(code)), ...extra];
  return told.filter(({ value }) => value.length > 0);
}

/** Where to boot from (siaddr), if an extra option says so. */
export function bootServer({ extra }: Lease): number {
  const named = extra.find(({ name }) => name === 'server-ip-address');
  const bytes = named === undefined ? null : addressBytes(named.value.trim(), 4);
  return bytes === null ? 0 : new DataView(bytes.buffer).getUint32(0);
}

/**
 * A client that is told of any routes here does not look at the router option, so the default is among them, unless an extra option speaks of
 * routers. Some clients know them by the number that Microsoft gave them, and ask for it.
 */
function routes({ routes: beside, gateway }: Lease, routerIsNamed: boolean, asked: readonly number[]): DhcpOption[] {
  if (beside.length === 0) return [];
  const all = gateway === null || routerIsNamed ? beside : [...beside, { destination: '0.0.0.0/0', nextHop: gateway }];
  const value = join(all.map(routeBytes).filter((each) => each !== null)) ?? new Uint8Array(0);
  const codes = [OPTION.classlessRoutes, OPTION.microsoftRoutes];
  return codes.flatMap((code) => (code === OPTION.classlessRoutes || asked.includes(code) ? [{ code, value }] : []));
}

/** One that is not known, or whose value means nothing, is told nobody. */
function extraOption({ name, value }: ExtraOption): DhcpOption[] {
  const known = knownOption(name, 4);
  if (known === undefined || protocols.has(known.code)) return [];
  const bytes = value === '' ? new Uint8Array(0) : valueOf(known.kind, value, 4);
  return bytes === null ? [] : [{ code: known.code, value: bytes }];
}

function addresses(texts: readonly string[]): Uint8Array {
  return join(texts.map((text) => word(ipv4(text))))!;
}
