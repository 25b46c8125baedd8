import { canonicalIp, parseIp, refusal } from '@alcor/network';
import type {
  Collection,
  CreateFloatingIp,
  CreatePort,
  FloatingIp,
  FloatingIpId,
  FloatingIpTypes,
  FloatingIpView,
  Port,
  UpdateFloatingIp,
  WriteOptions,
} from '@alcor/network';
import { forItem } from './collection.ts';
import { nowOf, recordChanges } from './context.ts';
import type { StoreContext } from './context.ts';
import { DatabaseError } from './database-error.ts';
import type { Queryable } from './database.ts';
import { associate, badFloatingIp, noAssociation } from './floating-ip-association.ts';
import type { Association } from './floating-ip-association.ts';
import { makePorts } from './port-create.ts';
import { insertPorts } from './port-insert.ts';
import { checkQuota } from './quotas.ts';
import { lockRow, readPage, readView, readViews } from './reader.ts';
import { floatingIpResource } from './resources/floating-ip.ts';
import { networkOf, readExternalNetworks } from './router-attachments.ts';
import { freeAddresses, removePort, within } from './service-ports.ts';
import { retag } from './tags.ts';
import { changedFields, deleteRow, insertAll, updateRow } from './writer.ts';

export function createFloatingIpCollection(context: StoreContext): Collection<FloatingIpTypes> {
  const { database } = context;
  return {
    create: (inputs) => createFloatingIps(context, inputs),
    get: (id) => readView(database, floatingIpResource, id),
    list: (query) => readPage(database, floatingIpResource, query),
    retag: (id, change) => retag(context, floatingIpResource, id, change),
    async update(id, patch, options = {}) {
      const view = await database
        .transaction((tx) => updateFloatingIp(tx, id, patch, { ...options, now: nowOf(context) }))
        .catch((error: unknown) => {
          throw refusalOf(error, () => ({ id }));
        });
      context.committed();
      return view;
    },
    async delete(id, options = {}) {
      const gone = await database.transaction(async (tx) => {
        const row: FloatingIp = await lockRow(tx, floatingIpResource, id, { ...options, strength: 'for update' });
        if (await hasForwardings(tx, id)) throw refusal('FipInUseByPortForwarding', { floatingIpId: id });
        await deleteRow(tx, floatingIpResource, row, nowOf(context));
        return removePort(tx, row.externalPortId, nowOf(context));
      });
      freeAddresses(context, [gone]);
      context.committed();
    },
  };
}

/** Deletes the network's floating IPs that nothing is associated with, as the network is about to go. Gives their ports. */
export async function dropUnusedFloatingIps(tx: Queryable, networkId: string, now: Date): Promise<readonly Port[]> {
  const rows = await tx.query<FloatingIp>(
    `delete from floating_ips f where f.network_id = $1 and f.port_id is null and f.router_id is null
     returning f.id, f.revision, f.external_port_id as "externalPortId"`,
    [networkId],
  );
  const removed = rows.map(({ id, revision }) => ({ id, revision: revision + 1, deleted: true }));
  await recordChanges(
    tx,
    now,
    removed.map((each) => ({ kind: floatingIpResource.kind, ...each })),
  );
  const gone: Port[] = [];
  for (const { externalPortId } of rows) gone.push(await removePort(tx, externalPortId, now));
  return gone;
}

/** A floating IP to be. */
interface Plan {
  readonly id: FloatingIpId;
  readonly input: CreateFloatingIp;
}

async function createFloatingIps(
  context: StoreContext,
  inputs: readonly CreateFloatingIp[],
): Promise<readonly FloatingIpView[]> {
  const { database } = context;
  const plans = inputs.map((input): Plan => ({ id: context.newId() as FloatingIpId, input }));
  await checkNetworks(database, plans, 'none');
  return makePorts(context, plans.map(externalPort), (ports, now) =>
    database.transaction(async (tx) => {
      await checkNetworks(tx, plans, 'shared');
      const rows: FloatingIp[] = [];
      for (const [item, plan] of plans.entries()) {
        rows.push(await forItem(item, () => newFloatingIp(tx, { ...plan, port: ports[item], now })));
      }
      await checkQuota(tx, floatingIpResource.table, rows);
      await insertPorts(within(tx), ports, { now });
      await insertAll(tx, floatingIpResource, rows, now);
      return readViews(
        tx,
        floatingIpResource,
        rows.map(({ id }) => id),
      );
    }),
  ).catch((error: unknown) => {
    throw refusalOf(error, (portId) => plans.find(({ input }) => input.portId === portId));
  });
}

/** The port that holds the address. It belongs to no project. */
function externalPort({ id, input: { networkId, ip, subnetId } }: Plan): CreatePort {
  const named = { ...(ip === undefined ? {} : { ip }), ...(subnetId ? { subnetId } : {}) };
  return {
    projectId: '',
    networkId,
    deviceId: id,
    deviceOwner: 'network:floatingip',
    fixedIps: Object.keys(named).length === 0 ? undefined : [named],
  };
}

async function checkNetworks(on: Queryable, plans: readonly Plan[], lock: 'none' | 'shared'): Promise<void> {
  const networks = await readExternalNetworks(
    on,
    plans.map(({ input }) => input.networkId),
    lock,
  );
  for (const [item, { input }] of plans.entries()) {
    const { networkId, fixedIp, portId } = input;
    await forItem(item, () => {
      const { external, subnets } = networkOf(networks, networkId);
      if (!external) throw badFloatingIp(`Network ${networkId} is not a valid external network`);
      if (!subnets.some(({ ipVersion }) => ipVersion === 4)) {
        throw badFloatingIp(`Network ${networkId} does not contain any IPv4 subnet`);
      }
      checkPair({ fixedIp, portId });
    });
  }
}

/** An address means nothing without the port that has it. */
function checkPair({ fixedIp, portId }: UpdateFloatingIp): void {
  if (fixedIp && !portId) throw badFloatingIp('fixed_ip_address cannot be specified without a port_id');
}

async function newFloatingIp(
  tx: Queryable,
  { id, input, port, now }: Plan & { readonly port: Port | undefined; readonly now: Date },
): Promise<FloatingIp> {
  const { networkId, portId, fixedIp } = input;
  const held = port?.fixedIps.find(({ ip }) => parseIp(ip)?.version === 4);
  if (port === undefined || held === undefined) throw refusal('ExternalIpAddressExhausted', { networkId });
  return {
    id,
    projectId: input.projectId,
    description: input.description ?? '',
    networkId,
    ip: held.ip,
    externalPortId: port.id,
    ...(portId ? await associate(tx, networkId, { portId, fixedIp }) : noAssociation),
    qosPolicyId: input.qosPolicyId ?? null,
    revision: 1,
    createdAt: now,
    updatedAt: now,
  };
}

async function updateFloatingIp(
  tx: Queryable,
  id: FloatingIpId,
  patch: UpdateFloatingIp,
  { now, ...options }: WriteOptions & { readonly now: Date },
): Promise<FloatingIpView> {
  const row: FloatingIp = await lockRow(tx, floatingIpResource, id, { ...options, strength: 'for no key update' });
  checkPair(patch);
  const { description, qosPolicyId } = patch;
  const fields = changedFields(row, { description, qosPolicyId, ...(await newAssociation(tx, row, patch)) });
  if (Object.keys(fields).length > 0) await updateRow(tx, floatingIpResource, row, { fields, now });
  return readView(tx, floatingIpResource, id);
}

async function newAssociation(tx: Queryable, row: FloatingIp, patch: UpdateFloatingIp): Promise<Partial<Association>> {
  const { portId = Object.keys(patch).length === 0 ? null : undefined, fixedIp } = patch;
  if (portId === undefined) return {};
  const forwards = await hasForwardings(tx, row.id);
  if (portId !== null) {
    if (forwards) throw refusal('FipInUseByPortForwarding', { floatingIpId: row.id });
    return associate(tx, row.networkId, { portId, fixedIp });
  }
  // Its router stays for the sake of what is forwarded.
  return forwards ? {} : noAssociation;
}

async function hasForwardings(tx: Queryable, id: FloatingIpId): Promise<boolean> {
  const [one] = await tx.query('select 1 from port_forwardings where floating_ip_id = $1 limit 1', [id]);
  return one !== undefined;
}

/** Neutron's word for what the constraints object to; anything else as it is. */
function refusalOf(error: unknown, planOf: (portId: string) => { readonly id: string } | undefined): unknown {
  if (!(error instanceof DatabaseError)) return error;
  const [portId = '', fixedIp = '', networkId = ''] = error.key;
  if (error.constraint === 'floating_ips_qos_policy_fkey') {
    return refusal('QosPolicyNotFound', { policyId: portId }, { cause: error });
  }
  if (error.constraint === 'floating_ips_port_fkey') return refusal('PortNotFound', { portId }, { cause: error });
  if (error.constraint !== 'floating_ips_fixed_ip_key') return error;
  const floatingIpId = planOf(portId)?.id ?? '';
  const parameters = { ip: '', floatingIpId, portId, fixedIp: canonicalIp(fixedIp) ?? fixedIp, networkId };
  return refusal('FloatingIPPortAlreadyAssociated', parameters, { cause: error });
}
