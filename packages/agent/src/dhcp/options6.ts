/** What DHCPv6 tells a guest beside its addresses: RFC 3646, RFC 4704 and what its port names. */
import { type ExtraOption, knownOption } from './option-names.ts';
import { addressBytes, domainBytes, join, valueOf } from './values.ts';

/** What is known of a guest by DHCPv6. */
export interface Lease6 {
  /** Its addresses that DHCPv6 gives; none where guests make their own. */
  readonly ips: readonly string[];
  readonly dnsServers: readonly string[];
  readonly hostName: string;
  /** Without a dot at its end; empty: none. */
  readonly domain: string;
  /** As dnsmasq names them, or by number; of those that are known here. */
  readonly extra: readonly ExtraOption[];
}

const DNS_SERVERS = 23;
const DOMAINS = 24;
const CLIENT_FQDN = 39;
const NTP_SERVER = 56;

/** What the protocol itself says by options, which is nobody's to choose. */
const protocols: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 13, 14, 18, 19, 20, 25, 26]);

export interface Option6 {
  readonly code: number;
  readonly value: Uint8Array;
}

/** `asked`: the codes that the client wants to be told of. An extra option takes the place of the subnet's own. */
export function leaseOptions6({ dnsServers, hostName, domain, extra }: Lease6, asked: readonly number[]): Option6[] {
  const name = domain === '' ? hostName : `${hostName}.${domain}`;
  const usual = [
    option(DNS_SERVERS, dnsServers.length === 0 ? null : join(dnsServers.map((each) => addressBytes(each, 6)))),
    option(DOMAINS, domain === '' ? null : domainBytes(domain)),
    option(CLIENT_FQDN, asked.includes(CLIENT_FQDN) ? join([Uint8Array.of(0), domainBytes(name)]) : null),
  ].flat();
  const named = extra.flatMap(extraOption);
  const codes = new Set(named.map(({ code }) => code));
  return [...usual.filter(({ code }) => !codes.has(code)), ...named];
}

/** One that is not known, or whose value means nothing, is told nobody. */
function extraOption({ name, value }: ExtraOption): Option6[] {
  if (name === 'ntp-server' || name === String(NTP_SERVER)) return option(NTP_SERVER, ntpServers(value));
  const known = knownOption(name, 6);
  if (known === undefined || protocols.has(known.code)) return [];
  return option(known.code, valueOf(known.kind, value, 6));
}

/** Each an option inside (RFC 5908 section 4.1). */
function ntpServers(text: string): Uint8Array | null {
  const each = text.split(',').map((ip) => join([Uint8Array.of(0, 1, 0, 16), addressBytes(ip.trim(), 6)]));
  return join(each);
}

function option(code: number, value: Uint8Array | null): Option6[] {
  return value === null ? [] : [{ code, value }];
}
