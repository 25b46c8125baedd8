import { refusal } from '@alcor/network';
import type { FixedIp, Port, PortId, SecurityGroupId, QosPolicyId } from '@alcor/network';
import { insertChanges } from './context.ts';
import type { Database, Queryable } from './database.ts';
import { hostsOf, lockHostsText } from './port-hosts.ts';
import { insertRows } from './resource.ts';
import { portResource } from './resources/port.ts';
import { arrayLiteral, jsonRows } from './sql.ts';

/**
 * One statement makes any number of ports with their addresses and their change rows: all or nothing, one round trip. Rows
 * go in by the order of their unique keys, so that two such statements wait for each other and do not deadlock.
 */
const insertPortsText = `
  with known as (select n.id from networks n
    join jsonb_to_recordset($6::text::jsonb) as x(id uuid, "autoSubnets" integer)
      on x.id = n.id and x."autoSubnets" = n.auto_subnets order by n.id for key share of n),
  host as (${lockHostsText('$5', 'share')}),
  fresh as (select count(*) = jsonb_array_length($6::text::jsonb)
    and not exists (select 1 from host where draining or ("maxPorts" is not null and not $8::boolean)) as so from known),
  port as (${insertRows(portResource, ifFresh('$1'), ['networkId', 'mac'])}),
  status as (insert into port_status (port_id, status, reason)
    select x.id, 'DOWN', '' from jsonb_to_recordset(${ifFresh('$1')}::text::jsonb) as x(id uuid)),
  address as (${insertAddressesText(ifFresh('$2'))}),
  member as (${insertMembersText(ifFresh('$7'))}),
  label as (insert into tags (object_id, tag)
    select x.id, x.tag from jsonb_to_recordset(${ifFresh('$9')}::text::jsonb) as x(id uuid, tag text)),
  change as (${insertChanges(ifFresh('$3'), '$4')})
  select so, (select min(id) from host where draining) as draining,
    exists (select 1 from host where "maxPorts" is not null and not $8::boolean) as limited from fresh`;

/** The rows, or none where a network is not as it was known, or a host takes none just so. */
function ifFresh(rows: string): string {
  return `(select case when so then ${rows}::text else '[]' end from fresh)`;
}

/** A port to be, with what is kept beside it, and how many subnets whose guests address themselves its maker knew of. */
export interface NewPort extends Port {
  readonly autoSubnets: number;
  readonly qosNetworkPolicyId: QosPolicyId | null;
  readonly tags: readonly string[];
}

/**
 * A network got a subnet, in which each of its ports has an address of its own making, after the ports were planned (or it is
 * gone). A maker of such a subnet locks the network against the key share that is taken here, so that of the two one sees the
 * other.
 */
export class StaleNetworks extends Error {}

/** A host takes only so many ports: its room must be looked at first (`checkRoom`), in the same transaction. */
export class LimitedHosts extends Error {}

/** `room`: whether `checkRoom` has found room for the ports on their hosts in this transaction. */
export async function insertPorts(
  on: Pick<Database, 'write'>,
  ports: readonly NewPort[],
  { now, room = 'unknown' }: { readonly now: Date; readonly room?: 'unknown' | 'checked' },
): Promise<void> {
  const changes = ports.map(({ id, revision }) => ({ kind: 'port', id, revision, deleted: false }));
  const known = new Map(ports.map(({ networkId: id, autoSubnets }) => [id, { id, autoSubnets }]));
  const [done] = await on.write<{ so: boolean; draining: string | null; limited: boolean }>(insertPortsText, [
    jsonRows(ports),
    jsonRows(ports.flatMap(addressRows)),
    jsonRows(changes),
    now.toISOString(),
    arrayLiteral(hostsOf(ports)),
    jsonRows([...known.values()]),
    jsonRows(ports.flatMap(memberRows)),
    room === 'checked',
    jsonRows(ports.flatMap(({ id, tags }) => tags.map((tag) => ({ id, tag })))),
  ]);
  if (typeof done?.draining === 'string') {
    const item = ports.findIndex(({ hostId }) => hostId === done.draining);
    throw refusal('NodeDraining', { nodeId: done.draining }, { item });
  }
  if (done?.limited === true) throw new LimitedHosts();
  if (done?.so !== true) throw new StaleNetworks();
}

/** Gives a port further addresses. */
export async function insertAddresses(
  tx: Queryable,
  port: { readonly id: PortId; readonly fixedIps: readonly FixedIp[] },
): Promise<void> {
  await tx.query(insertAddressesText('$1'), [jsonRows(addressRows(port))]);
}

/** Puts a port into groups. */
export async function insertMembers(
  tx: Queryable,
  port: { readonly id: PortId; readonly securityGroupIds: readonly SecurityGroupId[] },
): Promise<void> {
  await tx.query(insertMembersText('$1'), [jsonRows(memberRows(port))]);
}

function insertAddressesText(rows: string): string {
  return `insert into ip_allocations (subnet_id, ip, port_id, ordinal)
    select x."subnetId", x.ip, x."portId", x.ordinal
    from jsonb_to_recordset(${rows}::text::jsonb) as x("subnetId" uuid, ip inet, "portId" uuid, ordinal smallint)
    order by 1, 2`;
}

function insertMembersText(rows: string): string {
  return `insert into port_security_groups (port_id, security_group_id)
    select x."portId", x."groupId" from jsonb_to_recordset(${rows}::text::jsonb) as x("portId" uuid, "groupId" uuid)
    order by 2, 1`;
}

function addressRows({ id, fixedIps }: { readonly id: PortId; readonly fixedIps: readonly FixedIp[] }): object[] {
  return fixedIps.map(({ subnetId, ip }, ordinal) => ({ subnetId, ip, portId: id, ordinal }));
}

function memberRows({
  id,
  securityGroupIds,
}: {
  readonly id: PortId;
  readonly securityGroupIds: readonly SecurityGroupId[];
}): object[] {
  return securityGroupIds.map((groupId) => ({ portId: id, groupId }));
}
