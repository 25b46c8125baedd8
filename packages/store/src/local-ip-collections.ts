import { canonicalIp, parseIp, refusal } from '@alcor/network';
import type {
  Collection,
  CreateLocalIp,
  CreatePort,
  FixedIp,
  LocalIp,
  LocalIpAssociation,
  LocalIpAssociationTypes,
  LocalIpId,
  LocalIpTypes,
  NetworkId,
  Port,
  PortId,
  WriteOptions,
} from '@alcor/network';
import { createCollection, forItem } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { makePorts } from './port-create.ts';
import { insertPorts } from './port-insert.ts';
import { lockRow, readViews } from './reader.ts';
import { localIpAssociationResource, localIpResource } from './resources/local-ip.ts';
import { portResource } from './resources/port.ts';
import { freeAddresses, removePort, within } from './service-ports.ts';
import { deleteRow, growRevisions, insertAll } from './writer.ts';

/** What a local IP's own port is called. */
const owner = 'network:local_ip';

export function createLocalIpCollection(context: StoreContext): Collection<LocalIpTypes> {
  return {
    ...createCollection(context, localIpResource, { defaults: {} }),
    create: (inputs) => createLocalIps(context, inputs),
    delete: (id, options = {}) => deleteLocalIp(context, id, options),
  };
}

/**
 * Ports that stand for a local IP: each with one of its addresses, which it then keeps or stands for it no more. A change of what a port
 * stands for is one of the port.
 */
export function createLocalIpAssociationCollection(context: StoreContext): Collection<LocalIpAssociationTypes> {
  return createCollection(context, localIpAssociationResource, {
    defaults: { localIp: '', hostId: '' },
    beforeInsert: async (tx, rows, inputs) => {
      const whole = [];
      for (const [item, row] of rows.entries()) {
        const { ip } = await forItem(item, async () => {
          const held = await lockAddress(tx, row.fixedPortId, inputs[item]?.fixedIp ?? null);
          await checkReach(tx, row, held.networkId);
          return held;
        });
        whole.push({ ...row, fixedIp: ip });
      }
      return whole;
    },
    afterInsert: (tx, rows) =>
      growRevisions(
        tx,
        portResource,
        rows.map(({ fixedPortId }) => fixedPortId),
        nowOf(context),
      ),
    afterDelete: (tx, { fixedPortId }) => growRevisions(tx, portResource, [fixedPortId], nowOf(context)),
    conflicts: {
      local_ip_associations_key: ([localIpId = '', portId = '']) =>
        refusal('LocalIPAssociationExists', { localIpId, portId }),
      local_ip_associations_local_ip_fkey: ([localIpId = '']) => refusal('LocalIPNotFound', { localIpId }),
    },
  });
}

/** A local IP to be. */
interface Plan {
  readonly id: LocalIpId;
  readonly input: CreateLocalIp;
  readonly item: number;
}

async function createLocalIps(context: StoreContext, inputs: readonly CreateLocalIp[]): Promise<readonly LocalIp[]> {
  const plans = inputs.map((input, item): Plan => ({ id: context.newId() as LocalIpId, input, item }));
  const ofTheirOwn = plans.flatMap((plan) => (plan.input.localPortId === undefined ? [ownPort(plan)] : []));
  return makePorts(
    context,
    ofTheirOwn.map(({ port }) => port),
    (ports, now) =>
      context.database.transaction(async (tx) => {
        if (ports.length > 0) await insertPorts(within(tx), ports, { now });
        const portOf = new Map(ports.map((port) => [port.deviceId, port]));
        const rows: LocalIp[] = [];
        for (const plan of plans) rows.push(await newLocalIp(tx, { ...plan, port: portOf.get(plan.id), now }));
        await insertAll(tx, localIpResource, rows, now);
        return readViews(
          tx,
          localIpResource,
          rows.map(({ id }) => id),
        );
      }),
    ofTheirOwn.map(({ item }) => item),
  );
}

/** The port that holds the address of a local IP that names none. */
function ownPort({ id, input, item }: Plan): { readonly port: CreatePort; readonly item: number } {
  const { networkId, projectId, ip } = input;
  if (networkId === undefined) throw refusal('LocalIPPortOrNetworkRequired', {}, { item });
  const fixedIps = ip === undefined || ip === null ? undefined : [{ ip }];
  return { port: { projectId, networkId, deviceId: id, deviceOwner: owner, fixedIps }, item };
}

async function newLocalIp(
  tx: Queryable,
  { id, input, item, port, now }: Plan & { readonly port: Port | undefined; readonly now: Date },
): Promise<LocalIp> {
  const { projectId, name = '', description = '', mode = 'translate', localPortId } = input;
  const held = await forItem(item, async () => {
    if (localPortId !== undefined) return lockAddress(tx, localPortId, input.ip ?? null);
    const own = port?.fixedIps.find(isIpv4);
    if (port === undefined || own === undefined) throw noIpv4(input.networkId);
    return { portId: port.id, networkId: port.networkId, ip: own.ip };
  });
  const { networkId, ip } = held;
  const of = { id, projectId, name, description, localPortId: held.portId, networkId, ip, mode };
  return { ...of, revision: 1, createdAt: now, updatedAt: now };
}

function noIpv4(networkId: NetworkId | undefined): Error {
  const reason = `Network ${networkId} has no IPv4 address for it`;
  return refusal('BadRequest', { resource: 'local_ip', reason });
}

/** The IPv4 address of the port that is meant; the port keeps it until the transaction ends. */
async function lockAddress(
  tx: Queryable,
  portId: PortId,
  wanted: string | null,
): Promise<{ readonly portId: PortId; readonly networkId: NetworkId; readonly ip: string }> {
  const { fixedIps, networkId }: Port = await lockRow(tx, portResource, portId, { strength: 'for no key update' });
  const candidates = fixedIps.filter(isIpv4);
  const [first, ...others] = candidates;
  if (first === undefined) throw refusal('LocalIPNoIP', { portId });
  if (wanted === null && others.length > 0) throw refusal('LocalIPNoRequestedIP', { portId });
  const held = wanted === null ? first : candidates.find(({ ip }) => ip === canonicalIp(wanted));
  if (held === undefined) throw refusal('LocalIPRequestedIPNotFound', { portId, ip: wanted ?? '' });
  return { portId, networkId, ip: held.ip };
}

/**
 * Whoever has a port on a network that others share must not lead their guests astray by addresses from elsewhere: a local IP is for ports of
 * its own network, and of networks of its own project.
 */
async function checkReach(
  tx: Queryable,
  { localIpId, fixedPortId }: Pick<LocalIpAssociation, 'localIpId' | 'fixedPortId'>,
  networkId: NetworkId,
): Promise<void> {
  const [astray] = await tx.query(
    `select 1 from local_ips l join networks n on n.id = $2
     where l.id = $1 and l.network_id <> n.id and l.project_id <> n.project_id`,
    [localIpId, networkId],
  );
  if (astray === undefined) return;
  const reason = `fixed_port_id ${fixedPortId} is on network ${networkId}, neither that of local IP ${localIpId} nor one of its project`;
  throw refusal('BadRequest', { resource: 'port_association', reason });
}

function isIpv4({ ip }: Pick<FixedIp, 'ip'>): boolean {
  return parseIp(ip)?.version === 4;
}

async function deleteLocalIp(context: StoreContext, id: LocalIpId, options: WriteOptions): Promise<void> {
  const now = nowOf(context);
  const gone = await context.database.transaction(async (tx) => {
    const row = await lockRow(tx, localIpResource, id, { ...options, strength: 'for update' });
    const [used] = await tx.query('select 1 from local_ip_associations where local_ip_id = $1 limit 1', [id]);
    if (used !== undefined) throw refusal('LocalIPInUse', { localIpId: id });
    const port: Port = await lockRow(tx, portResource, row.localPortId, { strength: 'for update' });
    await deleteRow(tx, localIpResource, row, now);
    return port.deviceOwner === owner && port.deviceId === id ? removePort(tx, port.id, now) : null;
  });
  freeAddresses(context, [gone]);
  context.committed();
}
