/** An address as flows hand it to each other: IPv4 in reg4, IPv6 in reg8 to reg11. */
import { isIpv6, prefixMatch } from './address.ts';
import { move, set } from './build.ts';
import { spec, type Field } from './fields.ts';
import type { Action, Match, MatchValue } from './flow.ts';

const IPV4 = 'reg4';
const IPV6 = ['reg8', 'reg9', 'reg10', 'reg11'] as const;

/** Matches packets of the family whose registers hold this address, or one of this CIDR. */
export function matchRegisters(text: string): Match {
  const value = prefixMatch(text);
  if (isIpv6(text)) return { eth_type: 0x86dd, ...words(value) };
  return value === undefined ? { eth_type: 0x0800 } : { eth_type: 0x0800, [IPV4]: value };
}

/** Fills the registers of the family from a field of the packet. */
export function fieldToRegisters(field: Field): Action[] {
  if (spec(field).bits === 32) return [move(field, IPV4, 32)];
  return IPV6.map((register, index) => move(field, register, 32, 96 - 32 * index));
}

/** Fills the registers of the family with an address. */
export function addressToRegisters(text: string): Action[] {
  return Object.entries(matchRegisters(text))
    .filter(([field]) => field !== 'eth_type')
    .map(([field, value]) => set(field as Field, value as number));
}

function words(of: MatchValue | undefined): Match {
  if (of === undefined) return {};
  const { value, mask } = typeof of === 'object' ? of : { value: of, mask: (1n << 128n) - 1n };
  const registers = IPV6.map((register, index) => {
    const [bits, wanted] = [word(value, index), word(mask, index)];
    if (wanted === 0) return {};
    return { [register]: wanted === 0xffff_ffff ? bits : { value: bits, mask: wanted } };
  });
  return Object.assign({}, ...registers) as Match;
}

/** 32 bits of an IPv6 address, from the left. */
function word(of: number | bigint, index: number): number {
  return Number((BigInt(of) >> BigInt(96 - 32 * index)) & 0xffff_ffffn);
}
