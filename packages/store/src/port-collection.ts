import { mergeDhcpOpts, refusal } from '@alcor/network';
import type {
  Collection,
  FixedIp,
  NodeId,
  Port,
  PortId,
  PortTypes,
  PortView,
  UpdatePort,
  WriteOptions,
} from '@alcor/network';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import { DatabaseError } from './database-error.ts';
import type { Queryable } from './database.ts';
import {
  automaticAddresses,
  planAddresses,
  readPortNetworks,
  releaseChosen,
  withoutAutomatic,
} from './port-addresses.ts';
import type { PlannedIp } from './port-addresses.ts';
import { checkedMac, createPorts, generateMac } from './port-create.ts';
import { settleHost } from './port-hosts.ts';
import { insertAddresses } from './port-insert.ts';
import { checkNotTrunked } from './trunk-collection.ts';
import { changeSecurity } from './port-security.ts';
import { lockRow, readPage, readView } from './reader.ts';
import { portResource } from './resources/port.ts';
import { checkChange, checkDeletable, detachPort } from './service-port-rules.ts';
import { retag } from './tags.ts';
import { changedFields, deleteRow, updateRow } from './writer.ts';

/** Rounds of choosing other addresses before the caller is told to come back. */
const maxRounds = 30;

export function createPortCollection(context: StoreContext): Collection<PortTypes> {
  const { database } = context;
  return {
    create: (inputs) => createPorts(context, inputs),
    get: (id) => readView(database, portResource, id),
    list: (query) => readPage(database, portResource, query),
    retag: (id, change) => retag(context, portResource, id, change),
    update: (id, patch, options = {}) => updatePort(context, id, patch, options),
    async delete(id, options = {}) {
      const port = await database.transaction(async (tx) => {
        const row = await lockRow(tx, portResource, id, { ...options, strength: 'for update' });
        await checkDeletable(tx, row);
        await checkNotTrunked(tx, id);
        await detachPort(tx, id, nowOf(context));
        await deleteRow(tx, portResource, row, nowOf(context));
        return row;
      });
      for (const { subnetId, ip } of port.fixedIps) context.addresses.release(subnetId, ip);
      context.committed();
    },
  };
}

/** Changes a port; `options.alongside` runs first in the same transaction, for what changes with it. */
export async function updatePort(
  context: StoreContext,
  id: PortId,
  patch: UpdatePort,
  options: PortWriteOptions,
): Promise<PortView> {
  for (let round = 0; round < maxRounds; round++) {
    const wanted = { ...patch, mac: wantedMac(context, patch) };
    const attempt: Attempt = { before: [], planned: [] };
    try {
      const view = await context.database.transaction(async (tx) => {
        // The transaction may be begun again: what it chose before is free.
        releaseChosen(context.addresses, attempt.planned);
        attempt.planned = [];
        await options.alongside?.(tx);
        return updateLocked(context, tx, id, { wanted, options, attempt });
      });
      settleAddresses(context, wanted, attempt);
      context.committed();
      return view;
    } catch (error) {
      releaseChosen(context.addresses, attempt.planned);
      resolveConflict(context, wanted, { attempt, error });
    }
  }
  throw refusal('ServiceUnavailable', { reason: 'too many concurrent changes' });
}

/** How a port is changed. */
interface PortWriteOptions extends WriteOptions {
  readonly alongside?: (tx: Queryable) => Promise<void>;
}

/** A patch whose MAC is known. */
type Wanted = UpdatePort & { readonly mac: string | undefined };

function wantedMac(context: StoreContext, { mac }: UpdatePort): string | undefined {
  if (mac === undefined) return undefined;
  return mac === null ? generateMac(context) : checkedMac(mac);
}

/** The ports of the region's own services keep theirs. */
function checkMacMayChange({ id, deviceOwner }: Port): void {
  if (!deviceOwner.startsWith('network:')) return;
  throw refusal('UnsupportedPortDeviceOwner', { operation: 'mac address update', portId: id, deviceOwner });
}

/** What one go at the transaction found and chose. */
interface Attempt {
  before: readonly FixedIp[];
  planned: readonly PlannedIp[];
}

async function updateLocked(
  context: StoreContext,
  tx: Queryable,
  id: PortId,
  parts: { readonly wanted: Wanted; readonly options: PortWriteOptions; readonly attempt: Attempt },
): Promise<PortView> {
  const { wanted, options, attempt } = parts;
  const row: Port = await lockRow(tx, portResource, id, { ...options, strength: 'for no key update' });
  attempt.before = row.fixedIps;
  const { fixedIps, extraDhcpOpts, securityGroupIds: _groups, allowedAddressPairs: _pairs, ...rest } = wanted;
  const dhcpOpts = extraDhcpOpts && mergeDhcpOpts(row.extraDhcpOpts, extraDhcpOpts);
  const security = await changeSecurity(tx, row, wanted);
  const fields = changedFields(row, { ...rest, extraDhcpOpts: dhcpOpts, allowedAddressPairs: security.pairs });
  if ('mac' in fields) checkMacMayChange(row);
  const moved =
    (fixedIps !== undefined || 'mac' in fields) && (await moveAddresses(context, tx, row, { wanted, attempt }));
  await checkChange(tx, row, { fields, moved, now: nowOf(context), by: options.alongside ? 'service' : 'user' });
  if ('hostId' in fields) await settleHost(tx, id, { host: fields['hostId'] as NodeId | null, now: nowOf(context) });
  if (moved || security.regrouped || Object.keys(fields).length > 0)
    await updateRow(tx, portResource, row, { fields, now: nowOf(context) });
  return readView(tx, portResource, id);
}

/** Gives the port the addresses asked for, and those that follow from its MAC. Whether that changed anything. */
async function moveAddresses(
  context: StoreContext,
  tx: Queryable,
  row: Port,
  { wanted, attempt }: { readonly wanted: Wanted; readonly attempt: Attempt },
): Promise<boolean> {
  const network = (await readPortNetworks(tx, [row.networkId])).get(row.networkId);
  if (network === undefined) throw refusal('NetworkNotFound', { networkId: row.networkId });
  const { fixedIps: present } = row;
  const { mac = row.mac, deviceOwner = row.deviceOwner, fixedIps } = wanted;
  const named =
    fixedIps === undefined
      ? withoutAutomatic(network, deviceOwner, present).map((held) => plannedAs('kept', held))
      : await planAddresses(context.addresses, network, { wanted: fixedIps, present, deviceOwner });
  const automatic = automaticAddresses(network, { mac, deviceOwner });
  attempt.planned = [...named, ...automatic.map((held) => plannedAs('named', held))];
  return replaceAddresses(tx, row, attempt.planned);
}

function plannedAs(origin: PlannedIp['origin'], { subnetId, ip }: FixedIp): PlannedIp {
  return { subnetId, ip, origin };
}

/** Whether that changed anything. */
async function replaceAddresses(tx: Queryable, row: Port, planned: readonly PlannedIp[]): Promise<boolean> {
  const same =
    planned.length === row.fixedIps.length &&
    planned.every(
      ({ subnetId, ip }, index) => row.fixedIps[index]?.ip === ip && row.fixedIps[index]?.subnetId === subnetId,
    );
  if (same) return false;
  await tx.query('delete from ip_allocations where port_id = $1', [row.id]);
  await insertAddresses(tx, { id: row.id, fixedIps: planned });
  return true;
}

function settleAddresses({ addresses: book }: StoreContext, wanted: UpdatePort, { before, planned }: Attempt): void {
  if (planned.length === 0 && wanted.fixedIps === undefined) return;
  for (const { subnetId, ip } of before) book.release(subnetId, ip);
  for (const { subnetId, ip } of planned) book.settle(subnetId, ip);
}

/** Returns where another go may succeed; else throws. */
function resolveConflict(
  context: StoreContext,
  wanted: UpdatePort,
  { attempt, error }: { readonly attempt: Attempt; readonly error: unknown },
): void {
  if (!(error instanceof DatabaseError)) throw error;
  const [scope = '', value = ''] = error.key;
  if (error.constraint === 'ports_network_mac_key') {
    throw refusal('MacAddressInUse', { networkId: scope, mac: wanted.mac ?? value }, { cause: error });
  }
  if (error.constraint === 'ports_qos_policy_fkey') {
    throw refusal('QosPolicyNotFound', { policyId: scope }, { cause: error });
  }
  if (error.constraint === 'ip_allocations_subnet_fkey') return;
  if (error.constraint === 'port_security_groups_group_fkey') return;
  const held = attempt.planned.find(({ subnetId, ip }) => subnetId === scope && ip === value);
  if (error.constraint !== 'ip_allocations_pkey') throw error;
  if (held === undefined || held.origin !== 'chosen') {
    throw refusal('IpAddressAlreadyAllocated', { ip: value, subnetId: scope }, { cause: error });
  }
  context.addresses.conflict(held.subnetId, held.ip);
}
