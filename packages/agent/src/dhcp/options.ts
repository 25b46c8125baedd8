/** What DHCP tells a guest, as options: RFC 2132, routes as of RFC 3442. */
import { ipv4, ipv4Prefix } from '@alcor/openflow';
import { OPTION, type DhcpOption } from './message.ts';

/** What is known of a guest's address and of the subnet that it is in. */
export interface Lease {
  /** Its IPv4 address. */
  readonly ip: string;
  readonly cidr: string;
  /** Null where the subnet has none. */
  readonly gateway: string | null;
  readonly dnsServers: readonly string[];
  readonly routes: readonly { readonly destination: string; readonly nextHop: string }[];
  /** Bytes; 0: not known. */
  readonly mtu: number;
  readonly hostName: string;
  /** As dnsmasq names them, or by number; of those that are known here. */
  readonly extra: readonly { readonly name: string; readonly value: string }[];
}

/** Options that people may name, by what their values are. */
const addressLists: { readonly [name: string]: number } = {
  router: OPTION.router,
  'dns-server': OPTION.dnsServers,
  'ntp-server': OPTION.ntpServers,
  'tftp-server-address': OPTION.tftpServerAddress,
};
const texts: { readonly [name: string]: number } = {
  'tftp-server': OPTION.tftpServerName,
  'bootfile-name': OPTION.bootFile,
  hostname: OPTION.hostName,
};

/** What the protocol itself says by options, which is nobody's to choose. */
const protocols: ReadonlySet<number> = new Set([50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 61, 82]);

/** In the order of their importance. An extra option takes the place of the subnet's own. */
export function leaseOptions(lease: Lease): readonly DhcpOption[] {
  const { gateway, dnsServers, mtu, hostName } = lease;
  const usual: DhcpOption[] = [
    { code: OPTION.subnetMask, value: word(ipv4Prefix(lease.cidr).mask) },
    ...(gateway === null ? [] : [{ code: OPTION.router, value: word(ipv4(gateway)) }]),
    ...routes(lease),
    ...(mtu > 0 ? [{ code: OPTION.mtu, value: Uint8Array.of(mtu >> 8, mtu & 255) }] : []),
    ...(dnsServers.length === 0 ? [] : [{ code: OPTION.dnsServers, value: addresses(dnsServers) }]),
    { code: OPTION.hostName, value: new TextEncoder().encode(hostName) },
  ];
  const extra = lease.extra.flatMap(extraOption);
  const named = new Set(extra.map(({ code }) => code));
  return [...usual.filter(({ code }) => !named.has(code)), ...extra];
}

/** Where to boot from (siaddr), if an extra option says so. */
export function bootServer({ extra }: Lease): number {
  const named = extra.find(({ name }) => name === 'server-ip-address');
  return named === undefined ? 0 : (address(named.value) ?? 0);
}

/** A client that is told of any routes here does not look at the router option, so the default is among them. */
function routes({ routes: beside, gateway }: Lease): DhcpOption[] {
  if (beside.length === 0) return [];
  const all = gateway === null ? beside : [...beside, { destination: '0.0.0.0/0', nextHop: gateway }];
  return [{ code: OPTION.classlessRoutes, value: Uint8Array.from(all.flatMap(routeBytes)) }];
}

function routeBytes({ destination, nextHop }: { readonly destination: string; readonly nextHop: string }): number[] {
  const length = Number(destination.split('/')[1] ?? 32);
  const network = [...word(ipv4Prefix(destination).value)].slice(0, Math.ceil(length / 8));
  return [length, ...network, ...word(ipv4(nextHop))];
}

/** One that is not known, or whose value means nothing, is told nobody. */
function extraOption({ name, value }: { readonly name: string; readonly value: string }): DhcpOption[] {
  const list = addressLists[name];
  if (list !== undefined) {
    const all = value.split(',').map((each) => address(each.trim()));
    const found = all.filter((each) => each !== null);
    return found.length === all.length
      ? [{ code: list, value: Uint8Array.from(found.flatMap((each) => [...word(each)])) }]
      : [];
  }
  if (name === 'mtu' && Number(value) > 0 && Number(value) <= 0xffff)
    return [{ code: OPTION.mtu, value: Uint8Array.of(Number(value) >> 8, Number(value) & 255) }];
  const code = texts[name] ?? (/^\d{1,3}$/.test(name) ? Number(name) : 0);
  return code > 0 && code < 255 && !protocols.has(code) ? [{ code, value: new TextEncoder().encode(value) }] : [];
}

function addresses(texts4: readonly string[]): Uint8Array {
  return Uint8Array.from(texts4.flatMap((text) => [...word(ipv4(text))]));
}

function address(text: string): number | null {
  try {
    return ipv4(text);
  } catch {
    return null;
  }
}

export function word(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}
