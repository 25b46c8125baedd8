/** Addresses in names: in the reverse zones (RFC 1035 section 3.5, RFC 3596 section 2.5), and of ports that have no other name. */
import { ipv4, ipv4Text, ipv6, ipv6Text } from '@alcor/openflow';
import { nameOfAddress } from '../guest-names.ts';

/** As it is written here; null for what is no address. */
export function canonicalAddress(text: string): string | null {
  try {
    return text.includes(':') ? ipv6Text(ipv6(text)) : ipv4Text(ipv4(text));
  } catch {
    return null;
  }
}

/** The address that a name in a reverse zone speaks of, in lower case and without a dot at its end; null: none. */
export function addressReversed(name: string): string | null {
  const four = /^((?:\d{1,3}\.){4})in-addr\.arpa$/.exec(name)?.[1];
  if (four !== undefined) return canonicalAddress(four.split('.').slice(0, 4).toReversed().join('.'));
  const six = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1];
  return six === undefined ? null : ipv6Text(BigInt(`0x${six.split('.').toReversed().join('')}`));
}

/** The addresses that such a label may stand for: `nameOfAddress` does not say where an IPv6 address has its zeros. */
export function addressesNamed(label: string): string[] {
  const said = /^host-([0-9a-f-]{2,39})$/.exec(label)?.[1];
  if (said === undefined) return [];
  const groups = said.split('-');
  const zerosAt = groups
    .slice(1)
    .map((_, at) => `${groups.slice(0, at + 1).join(':')}::${groups.slice(at + 1).join(':')}`);
  const written = [groups.join('.'), groups.join(':'), ...zerosAt.map((each) => each.replace(/:::+/, '::'))];
  const addresses = written.map(canonicalAddress).filter((each) => each !== null);
  return [...new Set(addresses)].filter((each) => nameOfAddress(each) === label);
}
