import { AlcorError, checkPoolQuota, parseCidr, refusal, takeBlock } from '@alcor/network';
import type { CreateSubnet, Subnet, SubnetPool, SubnetPoolId } from '@alcor/network';
import type { Queryable } from './database.ts';
import { lockRow } from './reader.ts';
import { subnetPoolResource } from './resources/addressing.ts';

/** A subnet to be whose block is known. */
export type PlacedSubnet = CreateSubnet & { readonly cidr: string; readonly subnetPoolId: SubnetPoolId | null };

/** Refuses what contradicts itself, whatever pools there are. */
export function checkBlockRequest(input: CreateSubnet): void {
  const { cidr, prefixlen, subnetPoolId, useDefaultSubnetPool, ipVersion, allocationPools } = input;
  const named = subnetPoolId !== undefined && subnetPoolId !== null;
  const pooled = named || useDefaultSubnetPool === true;
  if (cidr !== undefined && prefixlen !== undefined) throw bad('cidr and prefixlen must not be supplied together');
  if (named && useDefaultSubnetPool === true) {
    throw bad('subnetpool_id and use_default_subnetpool cannot both be specified');
  }
  if (!pooled && cidr === undefined) throw bad('a subnetpool must be specified in the absence of a cidr');
  if (!named && cidr === undefined && ipVersion === undefined) {
    throw bad('ip_version must be specified in the absence of cidr and subnetpool_id');
  }
  if (pooled && cidr === undefined && allocationPools !== undefined) {
    throw bad('allocation_pools allowed only for specific subnet requests');
  }
}

/**
 * The blocks of new subnets: those named, checked against the pools that they are to come out of, and free ones. The pools are
 * locked one after the other until the transaction ends, so that no block and no quota is given twice.
 */
export async function takeBlocks(tx: Queryable, inputs: readonly CreateSubnet[]): Promise<readonly PlacedSubnet[]> {
  const poolIds: (SubnetPoolId | null)[] = [];
  for (const [item, input] of inputs.entries()) poolIds.push(await ofItem(item, () => poolIdOf(tx, input)));
  const pools = new Map<SubnetPoolId, OpenPool>();
  for (const id of [...new Set(poolIds)].toSorted()) {
    if (id !== null) pools.set(id, await ofItem(poolIds.indexOf(id), () => openPool(tx, id)));
  }
  const placed: PlacedSubnet[] = [];
  for (const [item, input] of inputs.entries()) {
    const id = poolIds[item] ?? null;
    const pool = id === null ? undefined : pools.get(id);
    placed.push(await ofItem(item, async () => ({ ...input, cidr: place(input, pool), subnetPoolId: id })));
  }
  return placed;
}

/** A locked pool, and who holds which blocks of it. */
interface OpenPool {
  readonly pool: SubnetPool;
  readonly held: { readonly cidr: string; readonly projectId: string }[];
}

async function openPool(tx: Queryable, id: SubnetPoolId): Promise<OpenPool> {
  const pool = await lockRow(tx, subnetPoolResource, id, { strength: 'for no key update' });
  const held = await tx.query<Pick<Subnet, 'cidr' | 'projectId'>>(
    'select cidr, project_id as "projectId" from subnets where subnet_pool_id = $1',
    [id],
  );
  return { pool, held: [...held] };
}

async function poolIdOf(tx: Queryable, input: CreateSubnet): Promise<SubnetPoolId | null> {
  const { subnetPoolId = null, useDefaultSubnetPool, cidr, ipVersion } = input;
  if (subnetPoolId !== null || useDefaultSubnetPool !== true) return subnetPoolId;
  const version = (cidr === undefined ? undefined : parseCidr(cidr)?.version) ?? ipVersion ?? 4;
  const [found] = await tx.query<{ id: SubnetPoolId }>(
    'select id from subnet_pools where is_default and ip_version = $1',
    [version],
  );
  if (found === undefined) throw bad(`No default subnetpool found for IPv${version}`);
  return found.id;
}

function place({ cidr, prefixlen, ipVersion, projectId }: CreateSubnet, open: OpenPool | undefined): string {
  if (open === undefined) return cidr ?? '';
  const { pool, held } = open;
  if (ipVersion !== undefined && ipVersion !== pool.ipVersion) {
    throw bad(`Cannot allocate IPv${ipVersion} subnet from IPv${pool.ipVersion} subnet pool`);
  }
  const block = takeBlock(
    pool,
    { cidr, prefixlen },
    held.map((other) => other.cidr),
  );
  held.push({ cidr: block, projectId });
  checkPoolQuota(
    pool,
    held.filter((other) => other.projectId === projectId).map((other) => other.cidr),
  );
  return block;
}

async function ofItem<Result>(item: number, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof AlcorError ? error.forItem(item) : error;
  }
}

function bad(reason: string): AlcorError {
  return refusal('BadRequest', { resource: 'subnets', reason });
}
