/** What a name of a network means to its guests, as far as this host knows. Pure. */
import { contains } from '../dataplane/index.ts';
import { type Named, guestName, nameOfAddress } from '../guest-names.ts';
import { addressesNamed, addressReversed, canonicalAddress } from './addresses.ts';
import type { NameIndex } from './name-index.ts';

/** A network as its guests may ask for it. */
export interface Zone {
  readonly index: NameIndex;
  /** With a dot at the end of each; guests are told the first, the last is the region's. */
  readonly domains: readonly string[];
  /** All ports of the network are known here. */
  readonly isWhole: boolean;
}

/** `unknown`: the name is the network's, but this host is not told of all that there are; `foreign`: others may know it. */
export type Resolved =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'missing' | 'unknown' | 'foreign' };

/** `name` as it was asked for, in any case, with or without a dot at its end. */
export function resolve(name: string, zone: Zone): Resolved {
  const asked = name.toLowerCase().replace(/\.$/, '');
  const reversed = addressReversed(asked);
  if (reversed !== null) return namesOf(reversed, zone);
  const domains = zone.domains.map((domain) => domain.toLowerCase().replace(/\.$/, ''));
  // With the network's domain, the port's own, or none at all.
  const inDomain = domains.find((domain) => asked.endsWith(`.${domain}`));
  const relative = inDomain === undefined ? asked : asked.slice(0, -inDomain.length - 1);
  const found = new Set([`${asked}.`, asked, relative].flatMap((each) => zone.index.addressesOf(each)));
  const addresses = found.size > 0 ? [...found] : addressesNamed(relative).filter((ip) => isInside(ip, zone));
  if (addresses.length > 0) return { kind: 'addresses', addresses };
  const isOurs = !asked.includes('.') || inDomain !== undefined;
  if (!isOurs) return { kind: 'foreign' };
  if (inDomain !== undefined && inDomain !== domains.at(-1)) return { kind: zone.isWhole ? 'foreign' : 'unknown' };
  return { kind: zone.isWhole ? 'missing' : 'unknown' };
}

function namesOf(ip: string, zone: Zone): Resolved {
  const ports = zone.index.portsWith(ip);
  if (ports.length > 0) return { kind: 'names', names: [...new Set(ports.map((port) => wholeName(port, zone, ip)))] };
  if (!isInside(ip, zone)) return { kind: 'foreign' };
  return { kind: 'names', names: [`${nameOfAddress(ip)}.${zone.domains[0] ?? ''}`] };
}

function wholeName(port: Named, { domains }: Zone, ip: string): string {
  const { hostName, domain } = guestName(port, domains, ip);
  return `${hostName}.${domain}`;
}

function isInside(ip: string, { index }: Zone): boolean {
  return [...index.cidrs].some((cidr) => contains(cidr, canonicalAddress(ip) ?? ip));
}
