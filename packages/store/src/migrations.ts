import type { Database } from './database.ts';
import { firstSchema } from './schema/0001-first.ts';
import { rbacSchema } from './schema/0010-rbac.ts';
import { quotaSchema } from './schema/0011-quotas-tags.ts';
import { routingSchema } from './schema/0020-routing.ts';
import { addressingSchema } from './schema/0040-addressing.ts';
import { autoTopologiesSchema } from './schema/0041-auto-topologies.ts';
import { poolGrantsSchema } from './schema/0042-pool-grants.ts';
import { qosSchema } from './schema/0050-qos.ts';
import { trunkSchema } from './schema/0051-trunk.ts';
import { meteringSchema } from './schema/0052-metering.ts';
import { flavorSchema } from './schema/0053-flavors.ts';
import { segmentSchema } from './schema/0060-segments.ts';
import { zoneHintSchema } from './schema/0061-zone-hints.ts';
import { tagsGoSchema } from './schema/0062-tags-go.ts';
import { portBindingSchema } from './schema/0063-port-bindings.ts';
import { routerServicesSchema } from './schema/0070-router-services.ts';
import { localIpsSchema } from './schema/0071-local-ips.ts';
import { hostSchema } from './schema/0054-hosts.ts';
import { qosUsersSchema } from './schema/0055-qos-users.ts';
import { nodeRoomSchema } from './schema/0056-node-room.ts';
import { securitySchema } from './schema/0030-security.ts';
import { networkAclSchema } from './schema/0031-network-acls.ts';
import { sharedGroupsSchema } from './schema/0032-shared-groups.ts';
import { deliverySchema } from './schema/0080-delivery.ts';
import { listIndexesSchema } from './schema/0081-list-indexes.ts';
import { leaseAddressSchema } from './schema/0082-lease-address.ts';
import { gatewayHostSchema } from './schema/0083-gateway-hosts.ts';
import { lostGatewaySchema } from './schema/0084-lost-gateways.ts';
import { providerNetworkSchema } from './schema/0090-provider-networks.ts';
import { trunkStatusSchema } from './schema/0091-trunk-status.ts';

interface Migration {
  readonly version: number;
  readonly name: string;
  /** Statements, each with a semicolon at the end of its last line. */
  readonly sql: string;
}

/** In order; what has been released is never changed, only added to. */
const migrations: readonly Migration[] = [
  { version: 1, name: 'first', sql: firstSchema },
  { version: 10, name: 'rbac', sql: rbacSchema },
  { version: 11, name: 'quotas and tags', sql: quotaSchema },
  { version: 20, name: 'routing', sql: routingSchema },
  { version: 40, name: 'addressing', sql: addressingSchema },
  { version: 41, name: 'auto topologies', sql: autoTopologiesSchema },
  { version: 42, name: 'grants of pools and scopes', sql: poolGrantsSchema },
  { version: 50, name: 'qos', sql: qosSchema },
  { version: 51, name: 'trunk', sql: trunkSchema },
  { version: 52, name: 'metering', sql: meteringSchema },
  { version: 53, name: 'flavors', sql: flavorSchema },
  { version: 54, name: 'hosts', sql: hostSchema },
  { version: 55, name: 'qos users', sql: qosUsersSchema },
  { version: 56, name: 'room on nodes', sql: nodeRoomSchema },
  { version: 60, name: 'segments', sql: segmentSchema },
  { version: 80, name: 'delivery', sql: deliverySchema },
  { version: 30, name: 'security', sql: securitySchema },
  { version: 31, name: 'network ACLs', sql: networkAclSchema },
  { version: 32, name: 'shared groups', sql: sharedGroupsSchema },
  { version: 61, name: 'hints of zones', sql: zoneHintSchema },
  { version: 62, name: 'labels go with what they are on', sql: tagsGoSchema },
  { version: 63, name: 'port bindings', sql: portBindingSchema },
  { version: 70, name: 'router services', sql: routerServicesSchema },
  { version: 71, name: 'local IPs', sql: localIpsSchema },
  { version: 81, name: 'indexes for lists', sql: listIndexesSchema },
  { version: 82, name: 'address of a lease', sql: leaseAddressSchema },
  { version: 83, name: 'gateway hosts', sql: gatewayHostSchema },
  { version: 84, name: 'lost gateways', sql: lostGatewaySchema },
  { version: 90, name: 'provider networks', sql: providerNetworkSchema },
  { version: 91, name: 'status of trunks', sql: trunkStatusSchema },
];

/** Any constant; that of no other program in the same database. */
const lockKey = 7_310_577_442;

/** Brings the database to the present schema; several processes may do so at once. All or nothing. */
export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(${lockKey})`);
    await tx.query(`create table if not exists schema_migrations (
      version integer primary key, name text not null, applied_at timestamptz not null default now())`);
    const applied = await tx.query<{ version: number }>('select version from schema_migrations');
    const done = new Set(applied.map(({ version }) => version));
    for (const { version, name, sql } of migrations) {
      if (done.has(version)) continue;
      for (const statement of sql.split(/;\s*\n/)) if (statement.trim() !== '') await tx.query(statement);
      await tx.query('insert into schema_migrations (version, name) values ($1, $2)', [version, name]);
    }
  });
}
