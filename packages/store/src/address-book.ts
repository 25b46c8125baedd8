import { formatIp, parseIp, rangeOf } from '@alcor/network';
import type { AllocationPool, SubnetId } from '@alcor/network';
import type { Clock, Random } from '@alcor/runtime';
import type { Queryable } from './database.ts';
import { FreeIndexes } from './free-indexes.ts';

/** What the book must know of a subnet. */
export interface PooledSubnet {
  readonly id: SubnetId;
  readonly ipVersion: 4 | 6;
  readonly allocationPools: readonly AllocationPool[];
}

/** Of a pool, so many addresses are given out by choice; the rest (of an IPv6 pool) only when asked for. */
const largestPool = 2 ** 40;
/** Subnets remembered; beyond it the ones not used for longest are forgotten. */
const rememberedSubnets = 4096;
/** Milliseconds for which a subnet found full is taken for full without looking again. */
const fullFor = 1000;

interface Page {
  /** The pools as they were when the page was made: others make another page. */
  readonly key: string;
  readonly pools: readonly PoolIndexes[];
  readonly version: 4 | 6;
  readonly free: FreeIndexes;
  fullAt: number;
}

interface PoolIndexes {
  readonly first: bigint;
  /** Index of the first address. */
  readonly offset: number;
  readonly size: number;
}

/** Which addresses of the subnets' pools are free, as far as this process knows (`FreeIndexes`). */
export interface AddressBook {
  /** Takes a free address of the subnet's pools; null where there is none. */
  take(subnet: PooledSubnet): Promise<string | null>;
  settle(subnetId: SubnetId, ip: string): void;
  release(subnetId: SubnetId, ip: string): void;
  conflict(subnetId: SubnetId, ip: string): void;
}

export function createAddressBook(parts: {
  readonly database: Queryable;
  readonly clock: Clock;
  readonly random: Random;
}): AddressBook {
  const pages = new Map<SubnetId, Page>();

  const pageOf = (subnet: PooledSubnet): Page => {
    const key = JSON.stringify(subnet.allocationPools);
    const known = pages.get(subnet.id);
    // Moved to the end: the order of the map is that of use.
    pages.delete(subnet.id);
    const page = known?.key === key ? known : makePage(subnet, key, parts);
    pages.set(subnet.id, page);
    if (pages.size > rememberedSubnets) forgetOldest(pages);
    return page;
  };

  const onIndex = (subnetId: SubnetId, ip: string, act: (free: FreeIndexes, index: number) => void): void => {
    const page = pages.get(subnetId);
    const index = page === undefined ? null : indexOf(page, ip);
    if (page !== undefined && index !== null) act(page.free, index);
  };

  return {
    async take(subnet) {
      const page = pageOf(subnet);
      let index = await page.free.take();
      if (index === null && parts.clock.now() - page.fullAt > fullFor) {
        page.free.reload();
        index = await page.free.take();
        if (index === null) page.fullAt = parts.clock.now();
      }
      return index === null ? null : addressOf(page, index);
    },
    settle: (subnetId, ip) => onIndex(subnetId, ip, (free, index) => free.settle(index)),
    release: (subnetId, ip) => onIndex(subnetId, ip, (free, index) => free.release(index)),
    conflict: (subnetId, ip) => onIndex(subnetId, ip, (free, index) => free.conflict(index)),
  };
}

function makePage(
  subnet: PooledSubnet,
  key: string,
  { database, random }: { readonly database: Queryable; readonly random: Random },
): Page {
  const pools: PoolIndexes[] = [];
  let offset = 0;
  for (const range of subnet.allocationPools.map(rangeOf)) {
    const length = range.last - range.first + 1n;
    const size = length > BigInt(largestPool) ? largestPool : Number(length);
    pools.push({ first: range.first, offset, size });
    offset += size;
  }
  const shape = { pools, version: subnet.ipVersion } as const;
  const loadTaken = async (first: number, last: number): Promise<readonly number[]> => {
    const taken: number[] = [];
    for (const pool of pools) {
      const from = Math.max(first, pool.offset);
      const to = Math.min(last, pool.offset + pool.size - 1);
      if (from > to) continue;
      const rows = await database.query<{ ip: string }>(
        'select host(ip) as ip from ip_allocations where subnet_id = $1 and ip between $2 and $3',
        [subnet.id, addressOf(shape, from), addressOf(shape, to)],
      );
      for (const { ip } of rows) taken.push(indexOf(shape, ip) ?? from);
    }
    return taken;
  };
  const free = new FreeIndexes({ size: offset, loadTaken, random, order: 'lowest' });
  return { ...shape, key, free, fullAt: -Infinity };
}

function indexOf({ pools }: Pick<Page, 'pools'>, ip: string): number | null {
  const value = parseIp(ip)?.value ?? -1n;
  const pool = pools.find(({ first, size }) => value >= first && value < first + BigInt(size));
  return pool === undefined ? null : pool.offset + Number(value - pool.first);
}

function addressOf({ pools, version }: Pick<Page, 'pools' | 'version'>, index: number): string {
  const pool = pools.find(({ offset, size }) => index < offset + size);
  if (pool === undefined) throw new Error(`no pool has index ${index}`);
  return formatIp({ version, value: pool.first + BigInt(index - pool.offset) });
}

function forgetOldest(pages: Map<SubnetId, Page>): void {
  for (const [id, page] of pages) {
    if (!page.free.idle) continue;
    pages.delete(id);
    return;
  }
}
