import { canonicalIp, canonicalMac, formatCidr, isUnicastMac, parseCidr } from '@alcor/network';
import { type TSchema, Type } from 'typebox';
import { type Kind, Refusal, record, refined, shown, text } from './kinds.ts';

/** Longer than any address that is written sensibly. */
const maxLength = 64;

/** Text that `canonical` can read, in its one way of writing it. */
function notation(schema: TSchema, what: string, canonical: (value: string) => string | null): Kind<string> {
  const kind = refined(
    text(maxLength),
    (value) => canonical(value) ?? new Refusal(`${shown(value)} is not a valid ${what}`),
  );
  return { ...kind, schema };
}

/** An IPv4 or IPv6 address. */
export const ip = notation(
  Type.Union([Type.String({ format: 'ipv4' }), Type.String({ format: 'ipv6' })]),
  'IP address',
  canonicalIp,
);

/** An address and a prefix length: `10.0.0.0/24`. Host bits are cleared. */
export const cidr = notation(Type.String({ pattern: '^[0-9a-fA-F:.]+/[0-9]{1,3}$' }), 'IP subnet', (value) => {
  const parsed = parseCidr(value);
  return parsed === null ? null : formatCidr(parsed);
});

/** The MAC address of one station: neither a group's nor all zeros. */
export const mac = notation(
  Type.String({ pattern: '^([0-9a-fA-F]{2}[:-]?){5}[0-9a-fA-F]{2}$' }),
  'MAC address',
  (value) => {
    const canonical = canonicalMac(value);
    return canonical !== null && isUnicastMac(canonical) ? canonical : null;
  },
);

/** A range of addresses that ports get theirs from. */
export const allocationPool = record({ start: ip, end: ip }, {});

/** A route that DHCP tells the guests of a subnet. */
export const hostRoute = record({ destination: cidr, nexthop: ip }, {});

/** `host:port` or `unix:/path`. */
export const agentAddress = refined(text(255), (value) =>
  /^(?:unix:\/\S+|[^\s/]+:\d{1,5})$/.test(value)
    ? value
    : new Refusal(`${shown(value)} is neither host:port nor unix:/path`),
);
