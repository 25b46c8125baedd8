import { checkNewSubnets, checkNotRouted, parseIp, refusal } from '@alcor/network';
import type {
  Attachment,
  InterfaceRequest,
  NetworkId,
  Port,
  PortId,
  Router,
  RouterId,
  RouterInterface,
  Subnet,
  SubnetId,
} from '@alcor/network';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { checkNotProxied } from './ndp-proxies.ts';
import { makePorts } from './port-create.ts';
import { insertPorts } from './port-insert.ts';
import { lockRow, readView } from './reader.ts';
import { portResource } from './resources/port.ts';
import { routerResource } from './resources/router.ts';
import { subnetResource } from './resources/subnet.ts';
import { badRouter, lockRouter, readAttachments } from './router-attachments.ts';
import { freeAddresses, removePort, takeGateway, within } from './service-ports.ts';
import { growRevisions, updateRow } from './writer.ts';

/** Puts the router on a subnet, by the subnet's gateway address, or on those of a port that has no device yet. */
export async function addInterface(
  context: StoreContext,
  id: RouterId,
  { subnetId, portId }: InterfaceRequest,
): Promise<RouterInterface> {
  if (subnetId !== undefined && portId !== undefined) throw badRouter('Cannot specify both subnet-id and port-id');
  const router = await readView(context.database, routerResource, id);
  if (portId !== undefined) return addByPort(context, id, portId);
  if (subnetId === undefined) throw badRouter('Either subnet_id or port_id must be specified');
  return addBySubnet(context, router, await readView(context.database, subnetResource, subnetId));
}

/** Takes the router off a subnet, or off all subnets of a port; the port goes with its last subnet. */
export async function removeInterface(
  context: StoreContext,
  id: RouterId,
  { subnetId, portId }: InterfaceRequest,
): Promise<RouterInterface> {
  if (subnetId === undefined && portId === undefined) {
    throw badRouter('Either subnet_id or port_id must be specified');
  }
  if (subnetId !== undefined) await readView(context.database, subnetResource, subnetId);
  const { done, gone } = await context.database.transaction(async (tx) => {
    const router = await lockRouter(tx, id);
    const served = (await readAttachments(tx, id)).filter(({ isGateway }) => !isGateway);
    const leaving = served.filter((held) =>
      portId === undefined ? held.subnetId === subnetId : held.portId === portId,
    );
    const [first] = leaving;
    if (first === undefined) throw noInterface(id, { subnetId, portId });
    if (subnetId !== undefined && !leaving.some((held) => held.subnetId === subnetId)) {
      throw refusal('SubnetMismatchForPort', { portId: first.portId, subnetId });
    }
    await checkUnused(tx, router, leaving);
    const keepsPort = served.some((held) => held.portId === first.portId && !leaving.includes(held));
    const now = nowOf(context);
    const port = keepsPort ? await leaveSubnet(tx, first, now) : await removeWhole(tx, first.portId, now);
    await growRevisions(tx, routerResource, [router.id], now);
    return { done: interfaceOf(id, port, leaving), gone: keepsPort ? { fixedIps: leaving } : port };
  });
  freeAddresses(context, [gone]);
  context.committed();
  return done;
}

/** Has the owner of the router's ports say how the router is realised. */
export async function renameInterfaces(tx: Queryable, router: Router, now: Date): Promise<void> {
  const rows = await tx.query<{ id: PortId }>(
    'select port_id as id from router_interfaces where router_id = $1 order by 1',
    [router.id],
  );
  for (const { id } of rows) {
    const port = await lockRow(tx, portResource, id, { strength: 'for no key update' });
    await updateRow(tx, portResource, port, { fields: { deviceOwner: ownerOf(router) }, now });
  }
}

function ownerOf({ distributed, ha }: Pick<Router, 'distributed' | 'ha'>): string {
  if (distributed) return 'network:router_interface_distributed';
  return ha ? 'network:ha_router_replicated_interface' : 'network:router_interface';
}

async function addBySubnet(context: StoreContext, router: Router, subnet: Subnet): Promise<RouterInterface> {
  const { database } = context;
  const ip = gatewayOf(subnet);
  if (subnet.ipVersion === 6) {
    const grown = await database.transaction((tx) => growInterface(tx, router.id, subnet, nowOf(context)));
    if (grown !== null) {
      context.committed();
      return interfaceOf(router.id, grown, [{ subnetId: subnet.id }]);
    }
  }
  // Without an address at first: the gateway's is the subnet's, which hands it over.
  const blank = {
    projectId: router.projectId,
    networkId: subnet.networkId,
    fixedIps: [],
    deviceId: router.id,
    deviceOwner: ownerOf(router),
  };
  return makePorts(context, [blank], (ports, now) =>
    database.transaction(async (tx) => {
      const [planned] = ports;
      if (planned === undefined) throw refusal('Internal', {});
      const locked = await lockRouter(tx, router.id);
      const port = { ...planned, deviceOwner: ownerOf(locked) };
      checkNewSubnets(await readAttachments(tx, router.id), [subnet]);
      await lockSubnet(tx, subnet);
      await insertPorts(within(tx), [port], { now });
      if (!(await takeGateway(tx, port.id, { subnetId: subnet.id, ip }))) {
        throw refusal('IpAddressAlreadyAllocated', { ip, subnetId: subnet.id });
      }
      await insertInterface(tx, router.id, port.id);
      await growRevisions(tx, routerResource, [locked.id], now);
      return interfaceOf(router.id, port, [{ subnetId: subnet.id }]);
    }),
  );
}

/** A further IPv6 subnet of a network goes to the port that the router has there; null where it has none. */
async function growInterface(tx: Queryable, id: RouterId, subnet: Subnet, now: Date): Promise<Port | null> {
  const router = await lockRouter(tx, id);
  const attachments = await readAttachments(tx, id);
  const held = attachments.find((other) => isIpv6Interface(other, subnet.networkId));
  if (held === undefined) return null;
  checkNewSubnets(attachments, [subnet]);
  const port = await lockRow(tx, portResource, held.portId, { strength: 'for no key update' });
  await lockSubnet(tx, subnet);
  const ip = gatewayOf(subnet);
  if (!(await takeGateway(tx, port.id, { subnetId: subnet.id, ip }))) {
    throw refusal('IpAddressAlreadyAllocated', { ip, subnetId: subnet.id });
  }
  await growRevisions(tx, portResource, [port.id], now);
  await growRevisions(tx, routerResource, [router.id], now);
  return port;
}

async function addByPort(context: StoreContext, id: RouterId, portId: PortId): Promise<RouterInterface> {
  const done = await context.database.transaction(async (tx) => {
    const router = await lockRouter(tx, id);
    const port = await lockRow(tx, portResource, portId, { strength: 'for no key update' });
    const { networkId, deviceId } = port;
    if (deviceId !== '') throw refusal('PortInUse', { portId, networkId, deviceId });
    const subnets = await checkInterfacePort(tx, id, port);
    const now = nowOf(context);
    await updateRow(tx, portResource, port, { fields: { deviceId: id, deviceOwner: ownerOf(router) }, now });
    await insertInterface(tx, id, portId);
    await growRevisions(tx, routerResource, [router.id], now);
    return interfaceOf(
      id,
      port,
      subnets.map((subnet) => ({ subnetId: subnet.id })),
    );
  });
  context.committed();
  return done;
}

/** Refuses ports that cannot be a router's; gives their subnets. */
async function checkInterfacePort(
  tx: Queryable,
  id: RouterId,
  { networkId, fixedIps }: Port,
): Promise<readonly { readonly id: SubnetId; readonly cidr: string }[]> {
  if (fixedIps.length === 0) throw badRouter('Router port must have at least one fixed IP');
  const versions = fixedIps.map(({ ip }) => parseIp(ip)?.version);
  if (versions.filter((version) => version === 4).length > 1) {
    throw badRouter('Cannot have multiple IPv4 subnets on router port');
  }
  const attachments = await readAttachments(tx, id);
  const twin = attachments.find((held) => isIpv6Interface(held, networkId));
  if (twin !== undefined && versions.includes(6)) {
    throw badRouter(
      'Cannot have multiple router ports with the same network id if both contain IPv6 subnets. ' +
        `Existing port ${twin.portId} has IPv6 subnet(s) and network id ${networkId}`,
    );
  }
  const subnets: { id: SubnetId; cidr: string }[] = [];
  for (const subnetId of new Set(fixedIps.map((held) => held.subnetId))) {
    const { cidr } = await readView(tx, subnetResource, subnetId);
    subnets.push({ id: subnetId, cidr });
  }
  checkNewSubnets(attachments, subnets);
  return subnets;
}

function isIpv6Interface({ isGateway, networkId, ip }: Attachment, wanted: NetworkId): boolean {
  return !isGateway && networkId === wanted && parseIp(ip)?.version === 6;
}

/** The address that a router's interface has on the subnet. */
function gatewayOf({ id, gatewayIp, ipVersion, ...modes }: Subnet): string {
  if (gatewayIp === null) throw badRouter('Subnet for router interface must have a gateway IP');
  if (ipVersion === 6 && modes.ipv6RaMode === null && modes.ipv6AddressMode !== null) {
    throw badRouter(
      `IPv6 subnet ${id} configured to receive RAs from an external router cannot be added to Neutron Router`,
    );
  }
  return gatewayIp;
}

/** Keeps the subnet's gateway as it was read. */
async function lockSubnet(tx: Queryable, { id, gatewayIp }: Subnet): Promise<void> {
  const locked = await lockRow(tx, subnetResource, id, { strength: 'for no key update' });
  if (locked.gatewayIp !== gatewayIp) throw refusal('ServiceUnavailable', { reason: 'too many concurrent changes' });
}

/** A router works wherever its ports are: nobody has to report an interface. */
async function insertInterface(tx: Queryable, routerId: RouterId, portId: PortId): Promise<void> {
  await tx.query('insert into router_interfaces (port_id, router_id) values ($1, $2)', [portId, routerId]);
  await tx.query(`update port_status set status = 'ACTIVE', reason = '' where port_id = $1`, [portId]);
}

async function leaveSubnet(tx: Queryable, { portId, subnetId }: Attachment, now: Date): Promise<Port> {
  const port = await lockRow(tx, portResource, portId, { strength: 'for no key update' });
  await tx.query('select 1 from subnets where id = $1 for no key update', [subnetId]);
  await tx.query(
    `update ip_allocations a set port_id = null, ordinal = 0
     from subnets s where a.port_id = $1 and a.subnet_id = $2 and s.id = a.subnet_id and s.gateway_ip = a.ip`,
    [portId, subnetId],
  );
  await tx.query('delete from ip_allocations where port_id = $1 and subnet_id = $2', [portId, subnetId]);
  await growRevisions(tx, portResource, [port.id], now);
  return port;
}

async function removeWhole(tx: Queryable, portId: PortId, now: Date): Promise<Port> {
  await tx.query('delete from router_interfaces where port_id = $1', [portId]);
  return removePort(tx, portId, now);
}

/** Refuses to leave subnets that floating IPs or NDP proxies lead to, or by which routes go. */
async function checkUnused(tx: Queryable, router: Router, leaving: readonly Attachment[]): Promise<void> {
  for (const { subnetId, cidr } of leaving) {
    const [used] = await tx.query(
      `select 1 from floating_ips f where f.router_id = $1 and f.fixed_ip <<= $2::cidr
       union all
       select 1 from floating_ips f join port_forwardings w on w.floating_ip_id = f.id
       where f.router_id = $1 and w.fixed_ip <<= $2::cidr limit 1`,
      [router.id, cidr],
    );
    if (used !== undefined) throw refusal('RouterInterfaceInUseByFloatingIP', { routerId: router.id, subnetId });
    await checkNotProxied(tx, router.id, { id: subnetId, cidr });
    checkNotRouted(router.id, { id: subnetId, cidr }, router.routes);
  }
}

function noInterface(
  routerId: RouterId,
  { subnetId, portId }: { readonly subnetId: SubnetId | undefined; readonly portId: PortId | undefined },
): Error {
  if (portId !== undefined) return refusal('RouterInterfaceNotFound', { routerId, portId });
  return refusal('RouterInterfaceNotFoundForSubnet', { routerId, subnetId: subnetId ?? '' });
}

function interfaceOf(
  routerId: RouterId,
  { id, projectId, networkId }: Port,
  subnets: readonly { readonly subnetId: SubnetId }[],
): RouterInterface {
  return { routerId, projectId, portId: id, networkId, subnetIds: subnets.map(({ subnetId }) => subnetId) };
}
