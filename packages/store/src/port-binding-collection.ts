import { AlcorError, plainPort, refusal } from '@alcor/network';
import type {
  Collection,
  CreatePortBinding,
  ListQuery,
  NodeId,
  Page,
  Port,
  PortBinding,
  PortBindingActions,
  PortBindingId,
  PortBindingTypes,
  UpdatePortBinding,
} from '@alcor/network';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { settleHost } from './port-hosts.ts';
import { lockRow, readPage } from './reader.ts';
import { portResource } from './resources/port.ts';
import { bindingNotFound, placeOf, portBindingResource } from './resources/port-binding.ts';
import type { Place } from './resources/port-binding.ts';
import { changedFields, updateRow } from './writer.ts';

/** Ports of guests can be bound to several hosts, one of them active: the guest is about to move. */
const guests = 'compute:';

type Attachment = Pick<PortBinding, 'vnicType' | 'profile'>;

export function createPortBindingCollection(context: StoreContext): Collection<PortBindingTypes> & PortBindingActions {
  const { database } = context;
  const write = async (id: PortBindingId, work: (tx: Queryable, port: Port) => Promise<void>): Promise<void> => {
    await database.transaction(async (tx) => work(tx, await lockPort(tx, placeOf(id))));
    context.committed();
  };
  const get = (id: PortBindingId): Promise<PortBinding> => readBinding(database, placeOf(id));
  return {
    get,
    list: (query) => listBindings(database, query),
    create: (inputs) => createBindings(context, inputs),
    async update(id, patch) {
      const { portId, host = placeOf(id).host } = { ...placeOf(id), ...patch };
      await write(id, (tx, port) => changeBinding(context, tx, { port, place: placeOf(id), patch }));
      return readBinding(database, { portId, host });
    },
    delete: (id) =>
      write(id, async (tx, port) => {
        const place = placeOf(id);
        if (port.hostId === place.host) await bind(context, tx, port, null);
        else await takeInactive(tx, place);
      }),
    async activate(id) {
      await write(id, async (tx, port) => {
        const place = placeOf(id);
        if (port.hostId === place.host) throw refusal('PortBindingAlreadyActive', { ...place });
        const attachment = await takeInactive(tx, place);
        if (port.hostId !== null) await insertInactive(tx, { portId: port.id, host: port.hostId }, attachmentOf(port));
        await bind(context, tx, port, { host: place.host, ...attachment });
      });
      return get(id);
    },
  };
}

async function readBinding(on: Queryable, place: Place): Promise<PortBinding> {
  const { rows } = await readPage(on, portBindingResource, { filter: { portId: [place.portId], host: [place.host] } });
  if (rows[0] === undefined) throw bindingNotFound(place);
  return rows[0];
}

/** A port's bindings are few: they are all read, and the page is cut out of them. */
async function listBindings(on: Queryable, query: ListQuery<PortBindingTypes>): Promise<Page<PortBinding>> {
  const { marker, limit = Infinity, direction, ...rest } = query;
  const { rows } = await readPage(on, portBindingResource, rest);
  const ordered = direction === 'backward' ? rows.toReversed() : rows;
  const at = ordered.findIndex(({ id, host }) => id === marker || host === (marker as string | undefined));
  if (marker !== undefined && at === -1) throw portBindingResource.notFound(marker);
  const after = ordered.slice(at + 1);
  const page = after.slice(0, limit);
  return { rows: direction === 'backward' ? page.toReversed() : page, more: after.length > page.length };
}

async function createBindings(
  context: StoreContext,
  inputs: readonly CreatePortBinding[],
): Promise<readonly PortBinding[]> {
  const made = await context.database.transaction(async (tx) => {
    const bindings: PortBinding[] = [];
    for (const [item, input] of inputs.entries()) {
      try {
        bindings.push(await createBinding(context, tx, input));
      } catch (error) {
        throw error instanceof AlcorError ? error.forItem(item) : error;
      }
    }
    return bindings;
  });
  context.committed();
  return made;
}

async function createBinding(context: StoreContext, tx: Queryable, input: CreatePortBinding): Promise<PortBinding> {
  const { portId, host, vnicType = plainPort.vnicType, profile = plainPort.bindingProfile } = input;
  const port = await lockPort(tx, { portId });
  if (!port.deviceOwner.startsWith(guests)) {
    const operation = 'multiple port bindings';
    throw refusal('UnsupportedPortDeviceOwner', { operation, portId, deviceOwner: port.deviceOwner });
  }
  await checkFree(tx, port, { portId, host });
  if (port.hostId === null) await bind(context, tx, port, { host, vnicType, profile });
  else await insertInactive(tx, { portId, host }, { vnicType, profile });
  return readBinding(tx, { portId, host });
}

async function changeBinding(
  context: StoreContext,
  tx: Queryable,
  { port, place, patch }: { readonly port: Port; readonly place: Place; readonly patch: UpdatePortBinding },
): Promise<void> {
  const { host = place.host, ...attachment } = patch;
  if (host !== place.host) await checkFree(tx, port, { portId: port.id, host });
  const present = port.hostId === place.host ? attachmentOf(port) : await takeInactive(tx, place);
  const { vnicType = present.vnicType, profile = present.profile } = attachment;
  if (port.hostId === place.host) await bind(context, tx, port, { host, vnicType, profile });
  else await insertInactive(tx, { portId: port.id, host }, { vnicType, profile });
}

function lockPort(tx: Queryable, { portId }: Pick<Place, 'portId'>): Promise<Port> {
  return lockRow(tx, portResource, portId, { strength: 'for no key update' });
}

function attachmentOf({ vnicType, bindingProfile: profile }: Port): Attachment {
  return { vnicType, profile };
}

async function checkFree(tx: Queryable, port: Port, place: Place): Promise<void> {
  const held = await tx.query('select 1 from inactive_bindings where port_id = $1 and host_id = $2', [
    place.portId,
    place.host,
  ]);
  if (port.hostId === place.host || held.length > 0) throw refusal('PortBindingAlreadyExists', { ...place });
}

/** Binds the port to the host, or to none, in its own row. */
async function bind(
  context: StoreContext,
  tx: Queryable,
  port: Port,
  binding: (Attachment & { readonly host: NodeId }) | null,
): Promise<void> {
  const { host, vnicType, profile } = binding ?? { ...attachmentOf(port), host: null, profile: {} };
  const fields = changedFields(port, { hostId: host, vnicType, bindingProfile: profile });
  if (Object.keys(fields).length === 0) return;
  if ('hostId' in fields) await settleHost(tx, port.id, { host, now: nowOf(context) });
  await updateRow(tx, portResource, port, { fields, now: nowOf(context) });
}

async function insertInactive(
  tx: Queryable,
  { portId, host }: Place,
  { vnicType, profile }: Attachment,
): Promise<void> {
  await tx.query(
    'insert into inactive_bindings (port_id, host_id, vnic_type, profile) values ($1, $2, $3, $4::text::jsonb)',
    [portId, host, vnicType, JSON.stringify(profile)],
  );
}

/** Removes an inactive binding, and says what it was. */
async function takeInactive(tx: Queryable, { portId, host }: Place): Promise<Attachment> {
  const [gone] = await tx.query<Attachment>(
    'delete from inactive_bindings where port_id = $1 and host_id = $2 returning vnic_type as "vnicType", profile',
    [portId, host],
  );
  if (gone === undefined) throw bindingNotFound({ portId, host });
  return gone;
}
