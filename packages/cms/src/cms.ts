import { nodeRequests, type PolicyOverrides, type Route } from '@alcor/api';
import type { ConfigManager } from '@alcor/config-manager';
import type { Goal } from '@alcor/contract';
import type { Identity } from '@alcor/identity';
import type { ChannelStore, IntentStore } from '@alcor/network';
import type { Bus, Handler, MessageQueue, Runtime, Topic } from '@alcor/runtime';
import { GoalStates } from './goal-states.ts';
import { cmsHandlers } from './grpc-service.ts';
import type { KnownNode } from './nodes.ts';
import { Revisions } from './revisions.ts';
import { cmsRoutes } from './routes.ts';
import { Topics, type VpcFacts } from './topics.ts';

export interface CmsOptions {
  readonly store: IntentStore & Pick<ChannelStore, 'setChannelOverride'>;
  readonly identity: Identity;
  readonly policy: PolicyOverrides | undefined;
  /** Topic `vpc/ID` for every host in the VPC, `host/ID` for one host. */
  readonly goals: Bus<Goal>;
  /** Every VPC, and how it is carried. */
  readonly vpcs: Topic<VpcFacts>;
  /** Every registered node. */
  readonly nodes: Topic<KnownNode>;
  /** Resolves when all that there was at the start is in them. */
  readonly ready: Promise<void>;
  readonly manager: Pick<ConfigManager, 'goalStates' | 'hostsIn' | 'repush' | 'hostStates' | 'onDemand'>;
  /** The controller that drives the host; empty: none at the moment. */
  readonly controllerOf: (hostId: string) => string;
  readonly queue: Pick<MessageQueue, 'topics'> | undefined;
  readonly runtime: Pick<Runtime, 'clock' | 'random'>;
}

/** The cloud messaging service: for the HTTP API to serve, and for a transport. */
export interface CloudMessaging {
  readonly routes: readonly Route[];
  readonly handlers: readonly Handler[];
}

export function cloudMessagingService(options: CmsOptions): CloudMessaging {
  const { clock } = options.runtime;
  const revisions = new Revisions(options.runtime.random);
  const overrides: PolicyOverrides = options.policy ?? new Map();
  const goalStates = new GoalStates({ ...options, revisions, clock });
  const topics = new Topics(options);
  return {
    routes: cmsRoutes({ ...options, topics, goalStates }),
    handlers: cmsHandlers({
      ...options,
      overrides,
      goalStates,
      revisions,
      clock,
      nodeRequests: nodeRequests(options.store, overrides),
    }),
  };
}
