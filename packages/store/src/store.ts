import type {
  ChannelStore,
  Feed,
  GatewayStore,
  IntentStore,
  LeaseStore,
  PortReport,
  QuotaLimits,
} from '@alcor/network';
import type { Clock, Random } from '@alcor/runtime';
import { createAddressBook } from './address-book.ts';
import { createAutoTopologies } from './auto-topologies.ts';
import { createRouterCollection } from './router-collection.ts';
import { createAddressScopeCollection } from './address-scope-collection.ts';
import { createAddressGroupCollection } from './address-group-collection.ts';
import { createChangeFeed } from './change-feed.ts';
import { createChannelStore } from './channels.ts';
import { createGatewayStore } from './gateways.ts';
import type { StoreContext, StoreLimits } from './context.ts';
import { openDatabase } from './database.ts';
import type { ConnectionOptions } from './database.ts';
import { trimChanges } from './feed-trim.ts';
import { guard, guarded } from './guard.ts';
import { createLeaseStore } from './leases.ts';
import { migrate } from './migrations.ts';
import { createNetworkAclCollection, createNetworkAclRuleCollection } from './network-acl-collection.ts';
import { createNetworkCollection } from './network-collection.ts';
import { createNodeCollection } from './node-collection.ts';
import { createPortCollection } from './port-collection.ts';
import { setPortStatuses } from './port-status.ts';
import { createRoutingCollections } from './routing-collections.ts';
import { createServiceCollections } from './service-collections.ts';
import { createSecurityGroupCollection } from './security-group-collection.ts';
import {
  createDefaultSecurityGroupRuleCollection,
  createSecurityGroupRuleCollection,
} from './security-group-rule-collection.ts';
import { createQuotaStore, setDefaultQuotas } from './quotas.ts';
import { createRbacCollection } from './rbac-collection.ts';
import { createReadOnlyCollection } from './read-only-collection.ts';
import { networkIpAvailabilityResource } from './resources/ip-availability.ts';
import { createSegmentCollection, createSegmentRangeCollection } from './segment-collections.ts';
import { setDefaultRange } from './segment-ranges.ts';
import { createSubnetCollection } from './subnet-collection.ts';
import { createSubnetPoolCollection } from './subnet-pool-collection.ts';
import { createUuid7 } from './uuid7.ts';
import { createVniBook } from './vni-book.ts';
import { createWakeup } from './wakeup.ts';

export interface StoreOptions {
  readonly connection: ConnectionOptions;
  readonly clock: Clock;
  readonly random: Random;
  /** Connections kept to the server. Default: 16. */
  readonly maxConnections?: number | undefined;
  readonly limits?: Partial<StoreLimits> | undefined;
  /** What projects may have that have no limits of their own. Default: as it was; at first, any number of everything. */
  readonly quotas?: Partial<QuotaLimits> | undefined;
  /** Milliseconds for which changes are kept for readers that are behind. Default: an hour. */
  readonly keepChangesFor?: number | undefined;
}

/** The region's intent in PostgreSQL, and the feed of its changes. */
export interface Store extends IntentStore, ChannelStore, GatewayStore, LeaseStore {
  readonly feed: Feed;
  /** Deletes changes older than they are kept for. Done by itself once a minute. */
  trim(): Promise<void>;
  close(): Promise<void>;
}

const hour = 3_600_000;
const minute = 60_000;
const defaultLimits: StoreLimits = {
  mtus: { underlay: 1_500, physicalNetworks: {} },
  firstVni: 1,
  lastVni: 2 ** 24 - 1,
  macBase: 'fa:16:3e',
};

/** Connects, and brings the schema up to date. Any number of processes may have the same database open. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { clock, random } = options;
  const database = openDatabase(options);
  const limits = { ...defaultLimits, ...options.limits };
  const newId = createUuid7(options);
  try {
    await migrate(database);
    if (options.quotas !== undefined) await setDefaultQuotas(database, options.quotas);
    await setDefaultRange(database, options.limits ?? {}, { limits, id: newId(), now: new Date(clock.wall()) });
  } catch (error) {
    await database.close();
    throw error;
  }
  const wakeup = createWakeup(clock);
  const context: StoreContext = {
    database,
    clock,
    random,
    limits,
    newId,
    addresses: createAddressBook({ database, clock, random }),
    vnis: createVniBook({ database, random }),
    committed: () => wakeup.wake(),
  };
  const trim = (): Promise<void> => trimChanges(database, new Date(clock.wall() - (options.keepChangesFor ?? hour)));
  const closing = new AbortController();
  void trimRepeatedly(trim, clock, closing.signal);
  return {
    networks: guarded(createNetworkCollection(context)),
    subnets: guarded(createSubnetCollection(context)),
    ports: guarded(createPortCollection(context)),
    nodes: guarded(createNodeCollection(context)),
    subnetPools: guarded(createSubnetPoolCollection(context)),
    addressScopes: guarded(createAddressScopeCollection(context)),
    autoTopologies: guarded(
      createAutoTopologies(context, {
        networks: createNetworkCollection(context),
        subnets: createSubnetCollection(context),
        routers: createRouterCollection(context),
      }),
    ),
    networkIpAvailabilities: guarded(createReadOnlyCollection(context, networkIpAvailabilityResource)),
    ...createServiceCollections(context),
    ...createRoutingCollections(context),
    securityGroups: guarded(createSecurityGroupCollection(context)),
    securityGroupRules: guarded(createSecurityGroupRuleCollection(context)),
    defaultSecurityGroupRules: guarded(createDefaultSecurityGroupRuleCollection(context)),
    addressGroups: guarded(createAddressGroupCollection(context)),
    networkAcls: guarded(createNetworkAclCollection(context)),
    networkAclRules: guarded(createNetworkAclRuleCollection(context)),
    quotas: guarded(createQuotaStore(database)),
    rbacPolicies: guarded(createRbacCollection(context)),
    segments: guarded(createSegmentCollection(context)),
    segmentRanges: guarded(createSegmentRangeCollection(context)),
    ...guarded(createChannelStore(context)),
    ...guarded(createGatewayStore(context)),
    ...guarded(createLeaseStore(context)),
    setPortStatuses: (reports: readonly PortReport[]) => guard(setPortStatuses(database, reports)),
    async ping() {
      await database.query('select 1');
    },
    feed: createChangeFeed({ database, clock, wakeup }),
    trim,
    close() {
      closing.abort();
      return database.close();
    },
  };
}

async function trimRepeatedly(trim: () => Promise<void>, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(minute, signal).catch(() => {});
    // Not trimmed now is trimmed the next time.
    if (!signal.aborted) await trim().catch(() => {});
  }
}
