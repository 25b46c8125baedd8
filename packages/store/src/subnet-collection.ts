import {
  AlcorError,
  changeAddressing,
  checkNoOverlap,
  isAutoAddressed,
  refusal,
  resolveAddressing,
} from '@alcor/network';
import type {
  AddressScopeId,
  Collection,
  CreateSubnet,
  NetworkId,
  Subnet,
  SubnetId,
  SubnetPoolId,
  SubnetTypes,
} from '@alcor/network';
import { addAutomaticAddresses, dropAutomaticAddresses } from './automatic-addresses.ts';
import { forEachItem, isReferred } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import { DatabaseError } from './database-error.ts';
import type { Queryable } from './database.ts';
import { growAclsOf } from './network-acl-collection.ts';
import { lockRow, readPage, readView } from './reader.ts';
import { checkQuota } from './quotas.ts';
import { networkResource } from './resources/network.ts';
import { subnetResource } from './resources/subnet.ts';
import { arrayLiteral, jsonRows } from './sql.ts';
import { checkBlockRequest, takeBlocks } from './subnet-blocks.ts';
import type { PlacedSubnet } from './subnet-blocks.ts';
import { retag } from './tags.ts';
import { changedFields, deleteRow, growRevisions, insertAll, updateRow } from './writer.ts';

export function createSubnetCollection(context: StoreContext): Collection<SubnetTypes> {
  const { database } = context;
  return {
    create: (inputs) => createSubnets(context, inputs),
    get: (id) => readView(database, subnetResource, id),
    list: (query) => readPage(database, subnetResource, query),
    retag: (id, change) => retag(context, subnetResource, id, change),
    async update(id, patch, options = {}) {
      const view = await database.transaction(async (tx) => {
        const row = await lockRow(tx, subnetResource, id, { ...options, strength: 'for no key update' });
        const fields = changedFields(row, { ...patch, ...changeAddressing(row, patch) });
        if (Object.keys(fields).length > 0) {
          await moveGateway(tx, row, { ...row, ...fields });
          await updateRow(tx, subnetResource, row, { fields, now: nowOf(context) });
        }
        return readView(tx, subnetResource, id);
      });
      context.committed();
      return view;
    },
    async delete(id, options = {}) {
      await database
        .transaction(async (tx) => {
          const now = nowOf(context);
          const { networkId } = await readView(tx, subnetResource, id);
          await lockNetworkOf(tx, id, networkId);
          const row = await lockRow(tx, subnetResource, id, { ...options, strength: 'for update' });
          await dropAutomaticAddresses(tx, row, now);
          await growAclsOf(tx, [id], now);
          await tx.query('delete from ip_allocations where subnet_id = $1 and port_id is null', [id]);
          await deleteRow(tx, subnetResource, row, now);
          await growRevisions(tx, networkResource, [networkId], now);
        })
        .catch((error: unknown) => {
          throw isReferred(error) ? refusal('SubnetInUse', { subnetId: id }, { cause: error }) : error;
        });
      context.committed();
    },
  };
}

/** Before the subnet, as whoever deletes the network does. With the network its subnets are gone. */
async function lockNetworkOf(tx: Queryable, subnetId: SubnetId, networkId: NetworkId): Promise<void> {
  await lockRow(tx, networkResource, networkId, { strength: 'for no key update' }).catch((error: unknown) => {
    throw AlcorError.from(error).code === 'NetworkNotFound' ? refusal('SubnetNotFound', { subnetId }) : error;
  });
}

async function createSubnets(context: StoreContext, inputs: readonly CreateSubnet[]): Promise<readonly Subnet[]> {
  const now = nowOf(context);
  forEachItem(inputs, (input) => {
    checkBlockRequest(input);
    if (input.cidr !== undefined) resolveAddressing({ ...input, cidr: input.cidr });
  });
  const rows = await context.database.transaction(async (tx) => {
    const placed = await takeBlocks(tx, inputs);
    const made = forEachItem(placed, (input) => newSubnet(context, input, now));
    await checkNeighbours(tx, made);
    await checkQuota(tx, subnetResource.table, made);
    await insertAll(tx, subnetResource, made, now);
    await holdGateways(tx, made);
    await addAutomaticAddresses(tx, made, now);
    await growRevisions(
      tx,
      networkResource,
      made.map(({ networkId }) => networkId),
      now,
    );
    return made;
  });
  context.committed();
  return rows.map((row) => ({ ...row, tags: [] }));
}

function newSubnet(context: StoreContext, input: PlacedSubnet, now: Date): Subnet {
  return {
    id: context.newId() as SubnetId,
    projectId: input.projectId,
    name: input.name ?? '',
    description: input.description ?? '',
    networkId: input.networkId,
    ...resolveAddressing(input),
    serviceTypes: input.serviceTypes ?? [],
    subnetPoolId: input.subnetPoolId,
    revision: 1,
    createdAt: now,
    updatedAt: now,
  };
}

/** What a new subnet must agree with, of the subnets that its network has. */
interface Neighbour {
  readonly cidr: string;
  readonly ipVersion: 4 | 6;
  readonly subnetPoolId: SubnetPoolId | null;
}

/**
 * Under a lock of the networks, so that of two subnets that do not go together one is refused. It lets ports be made, unless
 * those must get addresses in the new subnets (`addAutomaticAddresses`).
 */
async function checkNeighbours(tx: Queryable, rows: readonly Subnet[]): Promise<void> {
  const neighbours = new Map<NetworkId, Neighbour[]>();
  for (const networkId of [...new Set(rows.map((row) => row.networkId))].toSorted()) {
    const item = rows.findIndex((row) => row.networkId === networkId);
    const automatic = rows.some((row) => row.networkId === networkId && isAutoAddressed(row));
    const strength = automatic ? 'for update' : 'for no key update';
    await lockRow(tx, networkResource, networkId, { strength }).catch((error: unknown) => {
      throw error instanceof AlcorError ? error.forItem(item) : error;
    });
    const present = await tx.query<Neighbour>(
      `select cidr, ip_version as "ipVersion", subnet_pool_id as "subnetPoolId" from subnets where network_id = $1`,
      [networkId],
    );
    neighbours.set(networkId, [...present]);
  }
  const scopes = await scopesOf(tx, [...rows, ...[...neighbours.values()].flat()]);
  forEachItem(rows, (row) => {
    const others = neighbours.get(row.networkId) ?? [];
    const cidrs = others.map(({ cidr }) => cidr);
    checkNoOverlap(row.cidr, cidrs);
    checkPoolAffinity(row, others, scopes);
    others.push(row);
  });
}

type Scopes = ReadonlyMap<SubnetPoolId | null, AddressScopeId | null>;

async function scopesOf(tx: Queryable, subnets: readonly Neighbour[]): Promise<Scopes> {
  const ids = new Set(subnets.flatMap(({ subnetPoolId }) => subnetPoolId ?? []));
  if (ids.size === 0) return new Map();
  const rows = await tx.query<{ id: SubnetPoolId; scope: AddressScopeId | null }>(
    'select id, address_scope_id as scope from subnet_pools where id = any($1::uuid[])',
    [arrayLiteral([...ids])],
  );
  return new Map(rows.map(({ id, scope }) => [id, scope]));
}

/** Subnets of one IP version on one network come out of one pool, or out of pools of one address scope. */
function checkPoolAffinity({ ipVersion, subnetPoolId }: Neighbour, others: readonly Neighbour[], scopes: Scopes): void {
  const family = others.filter((other) => other.ipVersion === ipVersion);
  const scope = family.map((other) => scopes.get(other.subnetPoolId) ?? null).find((found) => found !== null);
  if (scope !== undefined && subnetPoolId !== null && scopes.get(subnetPoolId) !== scope) {
    throw refusal('NetworkAddressScopeAffinityError', {});
  }
  const strays = family.filter((other) => other.subnetPoolId !== subnetPoolId);
  if (strays.length > 0 && (scope === undefined || subnetPoolId === null)) {
    throw refusal('NetworkSubnetPoolAffinityError', {});
  }
}

/** A gateway's address is an allocation without a port: the same constraint keeps ports off it. */
async function holdGateways(tx: Queryable, rows: readonly Subnet[]): Promise<void> {
  await tx.query(
    `insert into ip_allocations (subnet_id, ip, ordinal)
     select x.id, x."gatewayIp", 0 from jsonb_to_recordset($1::text::jsonb) as x(id uuid, "gatewayIp" inet, cidr cidr)
     where x."gatewayIp" <<= x.cidr order by x.id`,
    [jsonRows(rows)],
  );
}

/** A router that is the subnet's gateway stays it. */
async function checkNoRouterAt(tx: Queryable, { id, gatewayIp }: Subnet): Promise<void> {
  if (gatewayIp === null) return;
  const [held] = await tx.query<{ portId: string }>(
    `select a.port_id as "portId" from ip_allocations a join router_interfaces i on i.port_id = a.port_id
     where a.subnet_id = $1 and a.ip = $2`,
    [id, gatewayIp],
  );
  if (held !== undefined) throw refusal('GatewayIpInUse', { ip: gatewayIp, portId: held.portId });
}

async function moveGateway(tx: Queryable, before: Subnet, after: Subnet): Promise<void> {
  if (before.gatewayIp === after.gatewayIp) return;
  await checkNoRouterAt(tx, before);
  await tx.query('delete from ip_allocations where subnet_id = $1 and port_id is null', [before.id]);
  const { gatewayIp, id } = after;
  if (gatewayIp === null) return;
  const select = 'select port_id as "portId" from ip_allocations where subnet_id = $1 and ip = $2';
  const [holder] = await tx.query<{ portId: string }>(select, [id, gatewayIp]);
  if (holder !== undefined) throw refusal('GatewayIpInUse', { ip: gatewayIp, portId: holder.portId });
  await holdGateways(tx, [after]).catch((error: unknown) => {
    const isTaken = error instanceof DatabaseError && error.constraint === 'ip_allocations_pkey';
    throw isTaken ? refusal('IpAddressAlreadyAllocated', { ip: gatewayIp, subnetId: id }, { cause: error }) : error;
  });
}
