import {
  AlcorError,
  changeAddressing,
  checkNoOverlap,
  isAutoAddressed,
  refusal,
  resolveAddressing,
} from '@alcor/network';
import type { Collection, CreateSubnet, NetworkId, Subnet, SubnetId, SubnetTypes } from '@alcor/network';
import { addAutomaticAddresses, dropAutomaticAddresses } from './automatic-addresses.ts';
import { forEachItem, isReferred } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import { DatabaseError } from './database-error.ts';
import type { Queryable } from './database.ts';
import { lockRow, readPage, readView } from './reader.ts';
import { networkResource } from './resources/network.ts';
import { subnetResource } from './resources/subnet.ts';
import { jsonRows } from './sql.ts';
import { changedFields, deleteRow, insertAll, updateRow } from './writer.ts';

export function createSubnetCollection(context: StoreContext): Collection<SubnetTypes> {
  const { database } = context;
  return {
    create: (inputs) => createSubnets(context, inputs),
    get: (id) => readView(database, subnetResource, id),
    list: (query) => readPage(database, subnetResource, query),
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
          const row = await lockRow(tx, subnetResource, id, { ...options, strength: 'for update' });
          await dropAutomaticAddresses(tx, row, nowOf(context));
          await tx.query('delete from ip_allocations where subnet_id = $1 and port_id is null', [id]);
          await deleteRow(tx, subnetResource, row, nowOf(context));
        })
        .catch((error: unknown) => {
          throw isReferred(error) ? refusal('SubnetInUse', { subnetId: id }, { cause: error }) : error;
        });
      context.committed();
    },
  };
}

async function createSubnets(context: StoreContext, inputs: readonly CreateSubnet[]): Promise<readonly Subnet[]> {
  const now = nowOf(context);
  const rows = forEachItem(inputs, (input) => newSubnet(context, { ...input, cidr: input.cidr ?? '' }, now));
  await context.database.transaction(async (tx) => {
    await checkOverlaps(tx, rows);
    await insertAll(tx, subnetResource, rows, now);
    await holdGateways(tx, rows);
    await addAutomaticAddresses(tx, rows, now);
  });
  context.committed();
  return rows;
}

function newSubnet(context: StoreContext, input: CreateSubnet & { readonly cidr: string }, now: Date): Subnet {
  return {
    id: context.newId() as SubnetId,
    projectId: input.projectId,
    name: input.name ?? '',
    description: input.description ?? '',
    networkId: input.networkId,
    ...resolveAddressing(input),
    serviceTypes: input.serviceTypes ?? [],
    subnetPoolId: null,
    revision: 1,
    createdAt: now,
    updatedAt: now,
  };
}

/**
 * Under a lock of the networks, so that of two overlapping subnets one is refused. It lets ports be made, unless those must get
 * addresses in the new subnets (`addAutomaticAddresses`).
 */
async function checkOverlaps(tx: Queryable, rows: readonly Subnet[]): Promise<void> {
  const taken = new Map<NetworkId, string[]>();
  for (const networkId of [...new Set(rows.map((row) => row.networkId))].toSorted()) {
    const item = rows.findIndex((row) => row.networkId === networkId);
    const automatic = rows.some((row) => row.networkId === networkId && isAutoAddressed(row));
    const strength = automatic ? 'for update' : 'for no key update';
    await lockRow(tx, networkResource, networkId, { strength }).catch((error: unknown) => {
      throw error instanceof AlcorError ? error.forItem(item) : error;
    });
    const present = await tx.query<{ cidr: string }>('select cidr from subnets where network_id = $1', [networkId]);
    taken.set(
      networkId,
      present.map(({ cidr }) => cidr),
    );
  }
  forEachItem(rows, ({ networkId, cidr }) => {
    const others = taken.get(networkId) ?? [];
    checkNoOverlap(cidr, others);
    others.push(cidr);
  });
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

async function moveGateway(tx: Queryable, before: Subnet, after: Subnet): Promise<void> {
  if (before.gatewayIp === after.gatewayIp) return;
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
