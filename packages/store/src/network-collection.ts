import { AlcorError, largestMtu, refusal } from '@alcor/network';
import type {
  Collection,
  CreateNetwork,
  Network,
  NetworkId,
  NetworkTypes,
  NetworkView,
  Segment,
  SegmentId,
  SubnetId,
} from '@alcor/network';
import { deleteChannelOf } from './channels.ts';
import { createCollection } from './collection.ts';
import { nowOf, recordChanges } from './context.ts';
import type { StoreContext } from './context.ts';
import { DatabaseError } from './database-error.ts';
import type { Queryable } from './database.ts';
import { changeExternal, checkDefault } from './external-networks.ts';
import { dropUnusedFloatingIps } from './floating-ip-collection.ts';
import { checkQuota } from './quotas.ts';
import { growAclsOf } from './network-acl-collection.ts';
import { withDefaultPolicies } from './qos-collections.ts';
import { networkResource } from './resources/network.ts';
import { segmentResource } from './resources/segment.ts';
import { keepRanges, readRanges, spansFor } from './segment-ranges.ts';
import type { Ranges } from './segment-ranges.ts';
import { insertAll } from './writer.ts';
import { arrayLiteral } from './sql.ts';
import { checkHints, readZones } from './zones.ts';

/** The smallest MTU of IPv4 (RFC 791); IPv6 needs 1280, which Neutron leaves to the user as well. */
const minMtu = 68;
const lastVniOfAll = 2 ** 24 - 1;
const lastVlan = 4094;
/** Rounds of choosing other VNIs before the caller is told to come back. */
const maxRounds = 10;

export function createNetworkCollection(context: StoreContext): Collection<NetworkTypes> {
  return {
    ...createCollection(context, networkResource, {
      defaults: {},
      change: (tx, row, patch) => {
        if (patch.mtu !== undefined) checkMtu(context, row, patch.mtu);
        return changeExternal(tx, row, patch);
      },
      beforeDelete: async (tx, { id }) => {
        await dropUnusedFloatingIps(tx, id, nowOf(context));
        await deleteSubnetsOf(tx, id, nowOf(context));
        await deleteChannelOf(tx, id, nowOf(context));
      },
      conflicts: {
        networks_default_key: () => refusal('DefaultExternalNetworkExists', {}),
        networks_qos_policy_fkey: ([policyId = '']) => refusal('QosPolicyNotFound', { policyId }),
      },
      deleted: ({ vni }) => context.vnis.release(vni),
      inUse: (networkId) => refusal('NetworkInUse', { networkId }),
    }),
    create: (inputs) => createNetworks(context, inputs),
  };
}

type NewNetwork = Network & Pick<NetworkView, 'availabilityZoneHints'>;

async function createNetworks(
  context: StoreContext,
  inputs: readonly CreateNetwork[],
): Promise<readonly NetworkView[]> {
  for (const [item, input] of inputs.entries()) checkInput(context, input, item);
  const zones = await readZones(context.database);
  checkHints(zones, inputs);
  const now = nowOf(context);
  const made = inputs.map((input) => newNetwork(context, input, now));
  const blank = await withDefaultPolicies(context.database, made);
  for (let round = 0; round < maxRounds; round++) {
    const ranges = await readRanges(context.database);
    const rows = await withVnis(context, blank, ranges);
    try {
      if (!(await insertNetworks(context, rows, ranges))) {
        releaseVnis(context, rows, blank);
        continue;
      }
    } catch (error) {
      releaseVnis(context, rows, blank);
      resolveVniConflict(context, blank, error);
      continue;
    }
    for (const { vni } of rows) context.vnis.settle(vni);
    context.committed();
    return rows.map((row) => newView(row, zones));
  }
  throw refusal('ServiceUnavailable', { reason: 'too many concurrent changes' });
}

/** False, and nothing is done, where ranges have changed that the VNIs were chosen by. */
async function insertNetworks(context: StoreContext, rows: readonly NewNetwork[], ranges: Ranges): Promise<boolean> {
  const now = nowOf(context);
  const vnis = rows.map(({ vni }) => vni);
  const segments = rows.map((row) => segmentOf(context, row));
  return context.database.transaction(async (tx) => {
    await checkQuota(tx, networkResource.table, rows);
    if (!(await keepRanges(tx, ranges, vnis))) return false;
    await insertAll(tx, networkResource, rows, now);
    await insertAll(tx, segmentResource, segments, now);
    return true;
  });
}

function newNetwork(context: StoreContext, input: CreateNetwork, now: Date): NewNetwork {
  const segment = segmentOfInput(input);
  return {
    id: context.newId() as NetworkId,
    projectId: input.projectId,
    name: input.name ?? '',
    description: input.description ?? '',
    adminStateUp: input.adminStateUp ?? true,
    shared: input.shared ?? false,
    external: input.external ?? false,
    isDefault: input.isDefault ?? false,
    mtu: input.mtu ?? largestMtu(segment, context.limits.mtus),
    ...segment,
    portSecurityEnabled: input.portSecurityEnabled ?? true,
    dnsDomain: input.dnsDomain ?? '',
    availabilityZoneHints: input.availabilityZoneHints ?? [],
    qosPolicyId: input.qosPolicyId ?? null,
    revision: 1,
    createdAt: now,
    updatedAt: now,
  };
}

/** The one segment that a network comes with. */
function segmentOf(context: StoreContext, { id, createdAt, updatedAt }: NewNetwork): Segment {
  const segmentId = context.newId() as SegmentId;
  return { id: segmentId, networkId: id, name: null, description: '', revision: 1, createdAt, updatedAt };
}

function newView(row: NewNetwork, availabilityZones: readonly string[]): NetworkView {
  const segmentationId = row.networkType === 'vxlan' ? row.vni : row.vlan;
  const nothingYet = { tags: [], subnetIds: [], ipv4AddressScope: null, ipv6AddressScope: null, grantees: [] };
  return { ...row, ...nothingYet, segmentationId, availabilityZones };
}

/** The rows, those without a VNI (0) with a free one. */
async function withVnis(
  context: StoreContext,
  blank: readonly NewNetwork[],
  ranges: Ranges,
): Promise<readonly NewNetwork[]> {
  const rows: NewNetwork[] = [];
  try {
    for (const row of blank) rows.push(row.vni === 0 ? { ...row, vni: await takeVni(context, ranges, row) } : row);
    return rows;
  } catch (error) {
    releaseVnis(context, rows, blank);
    throw error;
  }
}

async function takeVni({ vnis }: StoreContext, ranges: Ranges, { projectId }: NewNetwork): Promise<number> {
  for (const spans of spansFor(ranges, projectId)) {
    const vni = await vnis.take(spans);
    if (vni !== null) return vni;
  }
  throw refusal('NoNetworkAvailable', {});
}

function releaseVnis({ vnis }: StoreContext, rows: readonly NewNetwork[], blank: readonly NewNetwork[]): void {
  for (const [item, { vni }] of rows.entries()) if (blank[item]?.vni === 0) vnis.release(vni);
}

/** Returns where other VNIs may do; throws the refusal where one was asked for by name, or whatever else went wrong. */
function resolveVniConflict({ vnis }: StoreContext, blank: readonly NewNetwork[], error: unknown): void {
  if (error instanceof DatabaseError && error.constraint === 'networks_default_key') {
    throw refusal('DefaultExternalNetworkExists', {}, { cause: error });
  }
  if (error instanceof DatabaseError && error.constraint === 'networks_qos_policy_fkey') {
    throw refusal('QosPolicyNotFound', { policyId: error.key[0] ?? '' }, { cause: error });
  }
  if (error instanceof DatabaseError && error.constraint === 'networks_flat_key') {
    throw refusal('FlatNetworkInUse', { physicalNetwork: error.key[0] ?? '' }, { cause: error });
  }
  if (error instanceof DatabaseError && error.constraint === 'networks_vlan_key') {
    const [physicalNetwork = '', vlan = ''] = error.key;
    throw refusal('VlanIdInUse', { vlan, physicalNetwork }, { cause: error });
  }
  if (!(error instanceof DatabaseError) || error.constraint !== 'networks_vni_key') throw AlcorError.from(error);
  const vni = Number(error.key[0]);
  const item = blank.findIndex((row) => row.vni === vni);
  if (item !== -1) throw refusal('TunnelIdInUse', { vni }, { item, cause: error });
  vnis.conflict(vni);
}

function checkInput(context: StoreContext, input: CreateNetwork, item: number): void {
  const { mtu } = input;
  checkDefault(input, item);
  const reason = wrongSegment(input);
  if (reason !== null) throw refusal('InvalidInput', { reason }, { item });
  if (mtu !== undefined) checkMtu(context, segmentOfInput(input), mtu, item);
}

/** What is said of how the network is realised and cannot be; null where it can. */
function wrongSegment({ networkType = 'vxlan', physicalNetwork, segmentationId }: CreateNetwork): string | null {
  const isOnWire = networkType !== 'vxlan';
  if (isOnWire && !physicalNetwork) return `provider:physical_network must be given for a ${networkType} network`;
  if (!isOnWire && physicalNetwork) return 'provider:physical_network must not be given for a vxlan network';
  const id = segmentationId ?? null;
  if (networkType === 'flat')
    return id === null ? null : 'provider:segmentation_id must not be given for a flat network';
  if (networkType === 'vlan' && id === null) return 'provider:segmentation_id must be given for a vlan network';
  const last = networkType === 'vlan' ? lastVlan : lastVniOfAll;
  if (id === null || (Number.isInteger(id) && id >= 1 && id <= last)) return null;
  return `provider:segmentation_id ${id} is not between 1 and ${last}`;
}

/** A VNI of 0 is yet to be chosen. */
function segmentOfInput({ networkType = 'vxlan', physicalNetwork, segmentationId }: CreateNetwork) {
  const id = segmentationId ?? null;
  if (networkType === 'vxlan') return { networkType, physicalNetwork: null, vlan: null, vni: id ?? 0 };
  return { networkType, physicalNetwork: physicalNetwork ?? null, vlan: networkType === 'vlan' ? id : null, vni: 0 };
}

function checkMtu(
  { limits }: StoreContext,
  network: Parameters<typeof largestMtu>[0],
  mtu: number,
  item?: number,
): void {
  const most = largestMtu(network, limits.mtus);
  if (Number.isInteger(mtu) && mtu >= minMtu && mtu <= most) return;
  throw refusal('InvalidInput', { reason: `mtu ${mtu} is not between ${minMtu} and ${most}` }, { item });
}

/** The subnets go with their network; where one has addresses of ports, the foreign key refuses. */
async function deleteSubnetsOf(tx: Queryable, networkId: NetworkId, now: Date): Promise<void> {
  const going = await tx.query<{ id: SubnetId }>(
    'select id from subnets where network_id = $1 order by id for update',
    [networkId],
  );
  const ids = going.map(({ id }) => id);
  await growAclsOf(tx, ids, now);
  await tx.query('delete from ip_allocations where port_id is null and subnet_id = any($1::uuid[])', [
    arrayLiteral(ids),
  ]);
  const gone = await tx.query<{ id: string; revision: number }>(
    'delete from subnets where network_id = $1 returning id, revision',
    [networkId],
  );
  const records = gone.map(
    ({ id, revision }) => ({ kind: 'subnet', id, revision: revision + 1, deleted: true }) as const,
  );
  await recordChanges(tx, now, records);
}
