import { formatCidr, usableRange } from './cidr.ts';
import type { Cidr, IpRange } from './cidr.ts';
import { refusal } from './errors.ts';
import { formatIp, parseIp } from './ip.ts';
import type { AllocationPool } from './nouns.ts';

/** All usable addresses of the block except `gateway`. */
export function defaultPools(cidr: Cidr, gateway: bigint | null): readonly AllocationPool[] {
  const usable = usableRange(cidr);
  const ranges =
    gateway === null || gateway < usable.first || gateway > usable.last
      ? [usable]
      : [
          { first: usable.first, last: gateway - 1n },
          { first: gateway + 1n, last: usable.last },
        ];
  return ranges.filter(({ first, last }) => first <= last).map((range) => formatPool(cidr, range));
}

/** The pools in canonical form and ascending order, or a refusal: each within the block, none overlapping another. */
export function checkPools(cidr: Cidr, pools: readonly AllocationPool[]): readonly AllocationPool[] {
  const ranges = pools.map((pool) => checkPool(cidr, pool)).toSorted((a, b) => (a.first < b.first ? -1 : 1));
  for (const [index, range] of ranges.entries()) {
    const before = ranges[index - 1];
    if (before !== undefined && before.last >= range.first) {
      throw refusal('OverlappingAllocationPools', {
        pool: nameOf(formatPool(cidr, before)),
        other: nameOf(formatPool(cidr, range)),
        cidr: formatCidr(cidr),
      });
    }
  }
  return ranges.map((range) => formatPool(cidr, range));
}

/** Refuses a gateway that the pools would hand out to a port. */
export function checkGatewayOutsidePools(gateway: string, pools: readonly AllocationPool[]): void {
  const value = parseIp(gateway)?.value;
  const holding = pools.find((pool) => {
    const { first, last } = rangeOf(pool);
    return value !== undefined && value >= first && value <= last;
  });
  if (holding !== undefined) {
    throw refusal('GatewayConflictWithAllocationPools', { ip: gateway, pool: nameOf(holding) });
  }
}

/** A pool in canonical form as a range of numbers. */
export function rangeOf({ start, end }: AllocationPool): IpRange {
  const first = parseIp(start);
  const last = parseIp(end);
  if (first === null || last === null) throw refusal('InvalidAllocationPool', { pool: nameOf({ start, end }) });
  return { first: first.value, last: last.value };
}

function checkPool(cidr: Cidr, pool: AllocationPool): IpRange {
  const start = parseIp(pool.start);
  const end = parseIp(pool.end);
  if (start?.version !== cidr.version || end?.version !== cidr.version || start.value > end.value) {
    throw refusal('InvalidAllocationPool', { pool: nameOf(pool) });
  }
  const usable = usableRange(cidr);
  if (start.value < usable.first || end.value > usable.last) {
    throw refusal('OutOfBoundsAllocationPool', { pool: nameOf(pool), cidr: formatCidr(cidr) });
  }
  return { first: start.value, last: end.value };
}

function formatPool({ version }: Cidr, { first, last }: IpRange): AllocationPool {
  return { start: formatIp({ version, value: first }), end: formatIp({ version, value: last }) };
}

function nameOf({ start, end }: AllocationPool): string {
  return `${start}-${end}`;
}
