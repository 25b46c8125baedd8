import { AlcorError, checkNewSubnets, checkRoutes, refusal, withRoutes, withoutRoutes } from '@alcor/network';
import type {
  CreateRouter,
  ExtraRoute,
  GatewayRequest,
  Port,
  Router,
  RouterId,
  RouterView,
  Routers,
  UpdateRouter,
  WriteOptions,
} from '@alcor/network';
import { forItem } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import { DatabaseError } from './database-error.ts';
import type { Queryable } from './database.ts';
import { checkProxying, proxyingAfter } from './ndp-proxies.ts';
import { updatePort } from './port-collection.ts';
import { makePorts } from './port-create.ts';
import { insertPorts } from './port-insert.ts';
import type { NewPort } from './port-insert.ts';
import { checkQuota } from './quotas.ts';
import { lockRow, readPage, readView, readViews } from './reader.ts';
import { routerResource } from './resources/router.ts';
import { badRouter, networkOf, readAttachments, readExternalNetworks } from './router-attachments.ts';
import { checkRouterFlavor } from './router-flavors.ts';
import { asksForOthers, checkGatewayUnused, checkGateways, futureGateway, gatewayPort } from './router-gateway.ts';
import { addInterface, removeInterface, renameInterfaces } from './router-interfaces.ts';
import { freeAddresses, removePort, within } from './service-ports.ts';
import { retag } from './tags.ts';
import { changedFields, deleteRow, insertAll, updateRow } from './writer.ts';
import { checkHints, readZones } from './zones.ts';

/** Rounds of looking again at a router whose gateway others changed meanwhile. */
const maxRounds = 10;

export function createRouterCollection(context: StoreContext): Routers {
  const { database } = context;
  return {
    create: (inputs) => createRouters(context, inputs),
    get: (id) => readView(database, routerResource, id),
    list: (query) => readPage(database, routerResource, query),
    retag: (id, change) => retag(context, routerResource, id, change),
    update: (id, patch, options = {}) => updateRouter(context, id, patch, options),
    delete: (id, options = {}) => deleteRouter(context, id, options),
    addInterface: (id, request) => addInterface(context, id, request),
    removeInterface: (id, request) => removeInterface(context, id, request),
    addRoutes: (id, routes) => changeRoutes(context, id, (present) => withRoutes(present, routes)),
    removeRoutes: (id, routes) => changeRoutes(context, id, (present) => withoutRoutes(present, routes)),
  };
}

async function createRouters(context: StoreContext, inputs: readonly CreateRouter[]): Promise<readonly RouterView[]> {
  const { database } = context;
  checkHints(await readZones(database), inputs);
  const planned = inputs.map((input, item) => ({ id: context.newId() as RouterId, input, item }));
  const attached = planned.flatMap(({ id, input: { gateway }, item }) => (gateway ? [{ id, gateway, item }] : []));
  const gateways = attached.map(({ gateway }) => gateway);
  for (const { gateway, item } of attached) {
    await checkGateways(database, [gateway], 'none').catch((error: unknown) => {
      throw AlcorError.from(error).forItem(item);
    });
  }
  return makePorts(
    context,
    attached.map(({ id, gateway }) => gatewayPort(id, gateway)),
    (ports, now) =>
      database
        .transaction(async (tx) => {
          await checkGateways(tx, gateways, 'shared');
          const portOf = new Map(ports.map((port) => [port.deviceId, port]));
          const rows = planned.map(({ id, input }) => newRouter({ id, input, port: portOf.get(id) }, now));
          await checkNew(tx, rows, portOf);
          if (ports.length > 0) await insertPorts(within(tx), ports, { now });
          await insertAll(tx, routerResource, rows, now);
          return readViews(
            tx,
            routerResource,
            rows.map(({ id }) => id),
          );
        })
        .catch((error: unknown) => {
          throw refusalOf(error);
        }),
    // The ports are counted without the routers that have no gateway.
    attached.map(({ item }) => item),
  );
}

/** What a new router's project, flavor and gateway must bear. `ports` are those of the gateways, by router. */
async function checkNew(tx: Queryable, rows: readonly Router[], ports: ReadonlyMap<string, Port>): Promise<void> {
  await checkQuota(tx, routerResource.table, rows);
  for (const [item, row] of rows.entries()) {
    await forItem(item, async () => {
      await checkRouterFlavor(tx, row);
      if (!row.enableNdpProxy) return;
      const future = await futureGateway(tx, row, { gateway: undefined, port: ports.get(row.id) ?? null });
      await checkProxying(tx, row.id, future);
    });
  }
}

/** Neutron's word for what the constraints object to; anything else as it is. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof DatabaseError) || error.constraint !== 'routers_qos_policy_fkey') return error;
  const [policyId = ''] = error.key;
  return refusal('QosPolicyNotFound', { policyId }, { cause: error });
}

function newRouter(
  { id, input, port }: { readonly id: RouterId; readonly input: CreateRouter; readonly port: Port | undefined },
  now: Date,
): Omit<RouterView, 'availabilityZones'> {
  return {
    id,
    projectId: input.projectId,
    name: input.name ?? '',
    description: input.description ?? '',
    adminStateUp: input.adminStateUp ?? true,
    gatewayPortId: port?.id ?? null,
    gateway: null,
    enableSnat: input.gateway?.enableSnat ?? true,
    routes: [],
    interfaces: [],
    distributed: input.distributed ?? false,
    ha: input.ha ?? false,
    availabilityZoneHints: input.availabilityZoneHints ?? [],
    enableNdpProxy: input.enableNdpProxy ?? false,
    flavorId: input.flavorId ?? null,
    qosPolicyId: input.gateway?.qosPolicyId ?? null,
    conntrackHelpers: [],
    revision: 1,
    createdAt: now,
    updatedAt: now,
  };
}

/** The gateway is not what it was when the change was planned. */
class Outdated extends Error {}

async function updateRouter(
  context: StoreContext,
  id: RouterId,
  patch: UpdateRouter,
  options: WriteOptions,
): Promise<RouterView> {
  for (let round = 0; round < maxRounds; round++) {
    const seen = await readView(context.database, routerResource, id);
    try {
      await changeRouter(context, seen, patch, options);
    } catch (error) {
      if (error instanceof Outdated) continue;
      throw refusalOf(error);
    }
    context.committed();
    return readView(context.database, routerResource, id);
  }
  throw refusal('ServiceUnavailable', { reason: 'too many concurrent changes' });
}

async function changeRouter(
  context: StoreContext,
  seen: Router,
  patch: UpdateRouter,
  options: WriteOptions,
): Promise<void> {
  const { database } = context;
  const { gateway } = patch;
  const change = { context, seen, patch, options };
  if (gateway) await checkGateways(database, [gateway], 'none');
  if (gateway && seen.gateway?.networkId !== gateway.networkId) {
    const gone = await makePorts(context, [gatewayPort(seen.id, gateway)], (ports) =>
      database.transaction((tx) => writeRouter(tx, { ...change, port: ports[0] ?? null })),
    );
    freeAddresses(context, [gone]);
  } else if (gateway && seen.gatewayPortId !== null && asksForOthers(seen, gateway)) {
    const alongside = async (tx: Queryable): Promise<void> => {
      await writeRouter(tx, { ...change, port: null });
    };
    await updatePort(context, seen.gatewayPortId, { fixedIps: gateway.fixedIps ?? [] }, { alongside });
  } else {
    freeAddresses(context, [await database.transaction((tx) => writeRouter(tx, { ...change, port: null }))]);
  }
}

interface RouterChange {
  readonly context: StoreContext;
  readonly seen: Router;
  readonly patch: UpdateRouter;
  readonly options: WriteOptions;
  /** The new gateway port, not yet written. */
  readonly port: NewPort | null;
}

/** Writes the router, and its new gateway port; gives the old one, if it had to go. */
async function writeRouter(tx: Queryable, change: RouterChange): Promise<Port | null> {
  const { context, seen, patch, options, port } = change;
  const now = nowOf(context);
  const row: Router = await lockRow(tx, routerResource, seen.id, { ...options, strength: 'for no key update' });
  if (row.gatewayPortId !== seen.gatewayPortId) throw new Outdated();
  checkMode(row, patch);
  const { gateway, ...rest } = patch;
  const leaves = row.gatewayPortId !== null && (gateway === null || port !== null);
  if (leaves) await checkGatewayUnused(tx, row);
  if (gateway) await checkGateways(tx, [gateway], 'shared');
  if (port !== null) await attach(tx, row, port, now);
  const enableNdpProxy = await proxyingAfter(tx, row, patch, await futureGateway(tx, row, { gateway, port }));
  const fields = changedFields(row, { ...rest, ...gatewayFields(row, gateway, port), enableNdpProxy });
  if (Object.keys(fields).length > 0) await updateRow(tx, routerResource, row, { fields, now });
  if ('distributed' in fields || 'ha' in fields) await renameInterfaces(tx, { ...row, ...fields }, now);
  const gone = leaves && row.gatewayPortId !== null ? await removePort(tx, row.gatewayPortId, now) : null;
  // Last: the gateway that the request asks for may be what reaches a next hop.
  if (patch.routes !== undefined) checkRoutes(row.id, patch.routes, await readAttachments(tx, row.id));
  return gone;
}

async function attach(tx: Queryable, row: Router, port: NewPort, now: Date): Promise<void> {
  const served = (await readAttachments(tx, row.id)).filter(({ isGateway }) => !isGateway);
  const { subnets } = networkOf(await readExternalNetworks(tx, [port.networkId], 'none'), port.networkId);
  const twin = served.find(({ subnetId }) => subnets.some(({ id }) => id === subnetId));
  if (twin !== undefined) checkNewSubnets(served, [{ id: twin.subnetId, cidr: twin.cidr }]);
  await insertPorts(within(tx), [port], { now });
}

function gatewayFields(
  row: Router,
  gateway: GatewayRequest | null | undefined,
  port: Port | null,
): Partial<Pick<Router, 'gatewayPortId' | 'enableSnat' | 'qosPolicyId'>> {
  if (gateway === undefined) return {};
  if (gateway === null) return { gatewayPortId: null, enableSnat: true, qosPolicyId: null };
  return {
    gatewayPortId: port?.id ?? row.gatewayPortId,
    enableSnat: gateway.enableSnat ?? true,
    qosPolicyId: gateway.qosPolicyId === undefined ? row.qosPolicyId : gateway.qosPolicyId,
  };
}

/** How a router is realised changes only while it is down. */
function checkMode(row: Router, { distributed, ha }: UpdateRouter): void {
  if (!row.adminStateUp) return;
  if (distributed !== undefined && distributed !== row.distributed) {
    throw badRouter(
      "Cannot change the 'distributed' attribute of active routers. Please set router admin_state_up to False prior to upgrade",
    );
  }
  if (ha !== undefined && ha !== row.ha) {
    throw badRouter(
      'Cannot change HA attribute of active routers. Please set router admin_state_up to False prior to upgrade',
    );
  }
}

async function changeRoutes(
  context: StoreContext,
  id: RouterId,
  change: (present: readonly ExtraRoute[]) => readonly ExtraRoute[],
): Promise<RouterView> {
  const view = await context.database.transaction(async (tx) => {
    const row: Router = await lockRow(tx, routerResource, id, { strength: 'for no key update' });
    const fields = changedFields(row, { routes: change(row.routes) });
    if (fields['routes'] !== undefined) {
      checkRoutes(id, fields['routes'] as readonly ExtraRoute[], await readAttachments(tx, id));
      await updateRow(tx, routerResource, row, { fields, now: nowOf(context) });
    }
    return readView(tx, routerResource, id);
  });
  context.committed();
  return view;
}

async function deleteRouter(context: StoreContext, id: RouterId, options: WriteOptions): Promise<void> {
  const gone = await context.database.transaction(async (tx) => {
    const row: Router = await lockRow(tx, routerResource, id, { ...options, strength: 'for update' });
    const [held] = await tx.query('select 1 from router_interfaces where router_id = $1 limit 1', [id]);
    if (held !== undefined) throw refusal('RouterInUse', { routerId: id });
    await checkGatewayUnused(tx, row);
    await deleteRow(tx, routerResource, row, nowOf(context));
    return row.gatewayPortId === null ? null : removePort(tx, row.gatewayPortId, nowOf(context));
  });
  freeAddresses(context, [gone]);
  context.committed();
}
