import { contains, formatCidr, lastOf, parseCidr } from './cidr.ts';
import type { Cidr } from './cidr.ts';
import { refusal } from './errors.ts';
import type { AlcorError } from './errors.ts';
import { addressSet, blocksOf, compacted, difference, includes, intersects } from './prefixes.ts';
import type { PoolRequest, SubnetPool } from './subnet-pool.ts';

/** The part of a pool that says which subnets it gives. */
export type PoolShape = Pick<
  SubnetPool,
  'ipVersion' | 'prefixes' | 'defaultPrefixlen' | 'minPrefixlen' | 'maxPrefixlen'
>;

const bounds = { 4: { min: 8, max: 32 }, 6: { min: 64, max: 128 } } as const;
/** The prefix length of the unit that quotas count in. */
const quotaUnit = { 4: 32, 6: 64 } as const;

/** Completes and checks what a pool shall be. Throws the refusal. */
export function resolvePool(request: PoolRequest): PoolShape {
  const [first, ...others] = request.prefixes.map(checkPrefix);
  if (first === undefined) throw refusal('EmptySubnetPoolPrefixList', {});
  const ipVersion = first.version;
  if (others.some(({ version }) => version !== ipVersion)) throw refusal('PrefixVersionMismatch', {});
  const { minPrefixlen = bounds[ipVersion].min, maxPrefixlen = bounds[ipVersion].max } = request;
  const { defaultPrefixlen = minPrefixlen } = request;
  const least = ['min_prefixlen', minPrefixlen] as const;
  const most = ['max_prefixlen', maxPrefixlen] as const;
  const wanted = ['default_prefixlen', defaultPrefixlen] as const;
  if (minPrefixlen > maxPrefixlen) throw outOfBounds(least, most);
  if (maxPrefixlen > bounds[ipVersion].max) throw outOfBounds(most, ['ip_version_max', bounds[ipVersion].max]);
  if (defaultPrefixlen < minPrefixlen) throw outOfBounds(wanted, least);
  if (defaultPrefixlen > maxPrefixlen) throw outOfBounds(wanted, most);
  const prefixes = compacted(ipVersion, request.prefixes);
  return { ipVersion, prefixes, defaultPrefixlen, minPrefixlen, maxPrefixlen };
}

/** What `current` becomes when the given fields change: prefixes only grow this way. */
export function changePool(current: PoolShape, change: Partial<PoolRequest>): PoolShape {
  const next = resolvePool({
    prefixes: change.prefixes ?? current.prefixes,
    defaultPrefixlen: change.defaultPrefixlen ?? current.defaultPrefixlen,
    minPrefixlen: change.minPrefixlen ?? current.minPrefixlen,
    maxPrefixlen: change.maxPrefixlen ?? current.maxPrefixlen,
  });
  if (next.ipVersion !== current.ipVersion) throw refusal('PrefixVersionMismatch', {});
  const version = current.ipVersion;
  if (!includes(addressSet(version, next.prefixes), addressSet(version, current.prefixes))) {
    throw refusal('IllegalSubnetPoolPrefixUpdate', {
      reason: 'Existing prefixes must be a subset of the new prefixes',
    });
  }
  return next;
}

/** The prefixes left when `removed` go; refused where a subnet was taken out of one of them. */
export function prefixesWithout(
  pool: PoolShape,
  removed: readonly string[],
  allocated: readonly string[],
): readonly string[] {
  const { ipVersion } = pool;
  const own = removed.map(checkPrefix).filter(({ version }) => version === ipVersion);
  const going = addressSet(ipVersion, own.map(formatCidr));
  if (intersects(addressSet(ipVersion, allocated), going) && intersects(addressSet(ipVersion, pool.prefixes), going)) {
    throw refusal('IllegalSubnetPoolPrefixUpdate', {
      reason: 'One or more the prefixes to be removed is in use by a subnet',
    });
  }
  return blocksOf(difference(addressSet(ipVersion, pool.prefixes), going)).map(formatCidr);
}

/** What is asked of a pool: a certain block, or one of a size (default: the pool's). */
export interface BlockRequest {
  readonly cidr?: string | undefined;
  readonly prefixlen?: number | undefined;
}

/**
 * The block that a subnet gets of the pool, none of `allocated` in it; out of the smallest free one that it fits in, so that large
 * ones last.
 */
export function takeBlock(pool: PoolShape, request: BlockRequest, allocated: readonly string[]): string {
  const wanted = request.cidr === undefined ? null : checkPrefix(request.cidr);
  const prefixlen = wanted?.prefix ?? request.prefixlen ?? pool.defaultPrefixlen;
  checkSize(pool, prefixlen);
  const free = difference(addressSet(pool.ipVersion, pool.prefixes), addressSet(pool.ipVersion, allocated));
  if (wanted !== null) {
    const holds = (block: Cidr): boolean =>
      contains(block, { version: wanted.version, value: wanted.first }) && lastOf(wanted) <= lastOf(block);
    if (wanted.version === pool.ipVersion && blocksOf(free).some(holds)) return formatCidr(wanted);
    throw refusal('SubnetAllocationError', {
      reason: 'Cannot allocate requested subnet from the available set of prefixes',
    });
  }
  const [block] = blocksOf(free)
    .filter(({ prefix }) => prefix <= prefixlen)
    .toSorted((a, b) => b.prefix - a.prefix);
  if (block === undefined) {
    throw refusal('SubnetAllocationError', {
      reason: `Insufficient prefix space to allocate subnet size /${prefixlen}`,
    });
  }
  return formatCidr({ ...block, prefix: prefixlen });
}

/** Refuses a project's next block where all that it has of the pool would be more than its quota. */
export function checkPoolQuota(
  { ipVersion, defaultQuota }: Pick<SubnetPool, 'ipVersion' | 'defaultQuota'>,
  held: readonly string[],
): void {
  if (defaultQuota === null) return;
  const unit = quotaUnit[ipVersion];
  // In the smallest blocks, so that those below the unit add up.
  const used = held.reduce((sum, cidr) => sum + (1n << BigInt(bounds[ipVersion].max - prefixOf(cidr))), 0n);
  if (used > BigInt(defaultQuota) << BigInt(bounds[ipVersion].max - unit)) {
    throw refusal('SubnetPoolQuotaExceeded', {});
  }
}

function prefixOf(cidr: string): number {
  return parseCidr(cidr)?.prefix ?? 0;
}

function checkSize({ minPrefixlen, maxPrefixlen }: PoolShape, prefixlen: number): void {
  if (prefixlen > maxPrefixlen) {
    throw refusal('MaxPrefixSubnetAllocationError', { prefixlen, bound: maxPrefixlen });
  }
  if (prefixlen < minPrefixlen) {
    throw refusal('MinPrefixSubnetAllocationError', { prefixlen, bound: minPrefixlen });
  }
}

type Named = readonly [name: string, value: number];

function outOfBounds([name, value]: Named, [other, bound]: Named): AlcorError {
  return refusal('IllegalSubnetPoolPrefixBounds', { name, value, other, bound });
}

function checkPrefix(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === null) throw refusal('InvalidInput', { reason: `prefixes: '${text}' is not a valid cidr` });
  return cidr;
}
