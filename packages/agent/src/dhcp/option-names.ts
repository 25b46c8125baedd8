/** Options that people may name in `extra_dhcp_opts`, as dnsmasq does, with their IANA numbers and what their values are. */
import type { ValueKind } from './values.ts';

export interface KnownOption {
  readonly code: number;
  readonly kind: ValueKind;
}

export interface ExtraOption {
  /** A name of those known here, or a number. */
  readonly name: string;
  readonly value: string;
}

type Table = { readonly [name: string]: readonly [code: number, kind: ValueKind] };

const names4: Table = {
  netmask: [1, 'addresses'],
  'time-offset': [2, 'u32'],
  router: [3, 'addresses'],
  'dns-server': [6, 'addresses'],
  'log-server': [7, 'addresses'],
  'lpr-server': [9, 'addresses'],
  hostname: [12, 'text'],
  'boot-file-size': [13, 'u16'],
  'domain-name': [15, 'text'],
  'swap-server': [16, 'addresses'],
  'root-path': [17, 'text'],
  'extension-path': [18, 'text'],
  'ip-forward-enable': [19, 'u8'],
  'default-ttl': [23, 'u8'],
  mtu: [26, 'u16'],
  broadcast: [28, 'addresses'],
  'router-discovery': [31, 'u8'],
  'static-route': [33, 'addresses'],
  'arp-timeout': [35, 'u32'],
  'tcp-ttl': [37, 'u8'],
  'tcp-keepalive': [38, 'u32'],
  'nis-domain': [40, 'text'],
  'nis-server': [41, 'addresses'],
  'ntp-server': [42, 'addresses'],
  'netbios-ns': [44, 'addresses'],
  'netbios-dd': [45, 'addresses'],
  'netbios-nodetype': [46, 'u8'],
  'netbios-scope': [47, 'text'],
  'x-windows-fs': [48, 'addresses'],
  'x-windows-dm': [49, 'addresses'],
  'nis+-domain': [64, 'text'],
  'nis+-server': [65, 'addresses'],
  'tftp-server': [66, 'text'],
  'bootfile-name': [67, 'text'],
  'mobile-ip-home': [68, 'addresses'],
  'smtp-server': [69, 'addresses'],
  'pop3-server': [70, 'addresses'],
  'nntp-server': [71, 'addresses'],
  'irc-server': [74, 'addresses'],
  'posix-timezone': [100, 'text'],
  'tzdb-timezone': [101, 'text'],
  'domain-search': [119, 'domains'],
  'classless-static-route': [121, 'routes'],
  'tftp-server-address': [150, 'addresses'],
};

const names6: Table = {
  'sip-server-domain': [21, 'domains'],
  'sip-server': [22, 'addresses'],
  'dns-server': [23, 'addresses'],
  'domain-search': [24, 'domains'],
  'nis-server': [27, 'addresses'],
  'nis+-server': [28, 'addresses'],
  'nis-domain': [29, 'domains'],
  'nis+-domain': [30, 'domains'],
  'sntp-server': [31, 'addresses'],
  'information-refresh-time': [32, 'u32'],
  'posix-timezone': [41, 'text'],
  'tzdb-timezone': [42, 'text'],
  'bootfile-url': [59, 'text'],
  'bootfile-param': [60, 'texts'],
};

const highest = { 4: 254, 6: 65_535 } as const;
const tables = { 4: names4, 6: names6 } as const;
const numbered = { 4: byCode(names4), 6: byCode(names6) } as const;

/** By name or number; undefined where nobody knows it. */
export function knownOption(name: string, family: 4 | 6): KnownOption | undefined {
  const named = Object.hasOwn(tables[family], name) ? tables[family][name] : undefined;
  if (named !== undefined) return { code: named[0], kind: named[1] };
  const code = /^\d{1,5}$/.test(name) ? Number(name) : 0;
  if (code === 0 || code > highest[family]) return undefined;
  return { code, kind: numbered[family].get(code) ?? 'any' };
}

function byCode(table: Table): ReadonlyMap<number, ValueKind> {
  return new Map(Object.values(table));
}
