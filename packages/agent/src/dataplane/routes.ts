/** What flows say of routers and their routes, whoever makes them. */
import { isIpv6, prefixLength, prefixMatch } from './address.ts';
import { joined, set } from './build.ts';
import { hash32 } from './cookie.ts';
import type { Action, Match } from './flow.ts';

/** Priorities of routes begin here, by the length of their prefixes. */
const ROUTE = 1000;

/** Hops that an answer of a router begins with. */
export const TTL = 64;

/** As groups are asked for: 64 bits of hash, so that nothing is allocated. */
export function keyOf(routerId: string): Match {
  return { reg6: hash32(`router ${routerId}`), reg7: hash32(`again router ${routerId}`) };
}

/** Says that the router of this key has the packet. */
export function keySet(key: Match): Action[] {
  return [set('reg6', key.reg6 as number), set('reg7', key.reg7 as number)];
}

/** The longest prefix first, with room for three more between two lengths. */
export function priorityOf(cidr: string): number {
  return ROUTE + 4 * prefixLength(cidr);
}

/** What is for the block. */
export function destined(key: Match, cidr: string): Match {
  const [eth_type, field] = isIpv6(cidr) ? [0x86dd, 'ipv6_dst'] : [0x0800, 'ipv4_dst'];
  const value = prefixMatch(cidr);
  return joined(key, value === undefined ? { eth_type } : { eth_type, [field]: value });
}
