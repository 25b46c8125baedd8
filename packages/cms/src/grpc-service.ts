import { checkRule, integer, invalid, type NodeRequests, type PolicyOverrides, Refusal } from '@alcor/api';
import { addGoal, cloudMessaging, emptyGoalState, GoalStates, type GoalStatesRequest } from '@alcor/contract';
import type { Goal, HostProgress, RePushRequest } from '@alcor/contract';
import type { Caller, Identity } from '@alcor/identity';
import { refusal } from '@alcor/network';
import { answering, type CallHeaders, type Clock, type Handler, streaming, type Topic } from '@alcor/runtime';
import { type Batch, follow } from './follow.ts';
import type { GoalStates as GoalStatesReader, Scope } from './goal-states.ts';
import { callRefused } from './grpc-errors.ts';
import { type HostProgressOptions, type HostProgressView, progressOf, push } from './host-progress.ts';
import { attributesOf, changeOf, type KnownNode, messageOf } from './nodes.ts';
import type { Revisions } from './revisions.ts';
import type { cmsRules } from './routes.ts';

export interface GrpcServiceOptions extends HostProgressOptions {
  readonly identity: Identity;
  readonly overrides: PolicyOverrides;
  readonly goalStates: GoalStatesReader;
  readonly nodeRequests: NodeRequests;
  /** Every registered node, as the feed tells of them. */
  readonly nodes: Topic<KnownNode>;
  readonly revisions: Revisions;
  readonly clock: Clock;
}

const defaultLimit = 500;
const maxLimit = 1_000;
const nodesInMessage = 500;

/** The service over gRPC, to be served by a transport. Callers and policy are those of the HTTP API. */
export function cmsHandlers(options: GrpcServiceOptions): readonly Handler[] {
  return [...stateHandlers(options), ...nodeHandlers(options)];
}

function stateHandlers(options: GrpcServiceOptions): readonly Handler[] {
  const { goalStates } = options;
  const mayRead = (headers: CallHeaders): Promise<Caller> => callerWith(options, headers, 'get_goal_state');
  return [
    answering(cloudMessaging.getGoalStates, (request, signal, headers) =>
      refusing(async () => {
        await mayRead(headers);
        return statesOf(await goalStates.read(scopeOf(request), readingOf(request), signal));
      }),
    ),
    streaming(cloudMessaging.watchGoalStates, (request, signal, headers) =>
      refusingEach(async function* () {
        await mayRead(headers);
        const batches = goalStates.watch(scopeOf(request), readingOf(request), signal);
        for await (const batch of batches) yield statesOf(batch);
      }),
    ),
    answering(cloudMessaging.getHostProgress, ({ hostId }, _signal, headers) =>
      refusing(async () => {
        await mayRead(headers);
        return progressMessage(await progressOf(hostId, options));
      }),
    ),
    answering(cloudMessaging.rePush, (request, _signal, headers) =>
      refusing(async () => {
        await callerWith(options, headers, 'push_goal_state');
        return { hosts: await push(scopeOf(request), options) };
      }),
    ),
  ];
}

function nodeHandlers(options: GrpcServiceOptions): readonly Handler[] {
  const { nodeRequests, nodes, revisions, clock } = options;
  const caller = (headers: CallHeaders): Promise<Caller> => callerOf(options, headers);
  return [
    answering(cloudMessaging.registerNode, (settings, _signal, headers) =>
      refusing(async () => messageOf(await nodeRequests.register(await caller(headers), attributesOf(settings)))),
    ),
    answering(cloudMessaging.setNode, (settings, _signal, headers) =>
      refusing(async () => messageOf(await nodeRequests.change(await caller(headers), attributesOf(settings)))),
    ),
    answering(cloudMessaging.heartbeat, ({ id }, _signal, headers) =>
      refusing(async () => messageOf(await nodeRequests.heartbeat(await caller(headers), id))),
    ),
    streaming(cloudMessaging.watchNodes, ({ after: from }, signal, headers) =>
      refusingEach(async function* () {
        await callerWith(options, headers, 'get_node');
        const reading = { revisions, clock, from, limit: nodesInMessage, isOver: () => false };
        for await (const { entries, revision, synced } of follow(nodes, reading, signal)) {
          yield { nodes: entries.map(changeOf), revision, synced };
        }
      }),
    ),
  ];
}

async function callerWith(
  options: GrpcServiceOptions,
  headers: CallHeaders,
  rule: (typeof cmsRules)[number] | 'get_node',
): Promise<Caller> {
  const caller = await callerOf(options, headers);
  checkRule(rule, 'admin', { caller, overrides: options.overrides });
  return caller;
}

function callerOf({ identity }: GrpcServiceOptions, headers: CallHeaders): Promise<Caller> {
  const [, bearer = ''] = /^bearer (.+)$/i.exec(headers['authorization'] ?? '') ?? [];
  return identity.authenticate(headers['x-auth-token'] ?? bearer, headers);
}

function scopeOf({ scope }: GoalStatesRequest | RePushRequest): Scope {
  if (scope === undefined) throw refusal('InvalidInput', { reason: 'one of vpc_id and host_id is wanted' });
  return scope.$case === 'vpcId' ? { kind: 'vpc', id: scope.value.toLowerCase() } : { kind: 'host', id: scope.value };
}

function readingOf({ after: from, limit }: GoalStatesRequest): { readonly from: string; readonly limit: number } {
  const wanted = integer(0, maxLimit).parse(limit);
  if (wanted instanceof Refusal) throw invalid('limit', wanted.reason);
  return { from, limit: wanted === 0 ? defaultLimit : wanted };
}

function statesOf({ entries, revision, synced }: Batch<Goal>): GoalStates {
  const goalStates = emptyGoalState();
  for (const { value: goal, removed } of entries) addGoal(goalStates, { goal, removed });
  return { goalStates, revision, synced };
}

function progressMessage({ vpcs, failures, ...rest }: HostProgressView): HostProgress {
  return {
    ...rest,
    vpcs: vpcs.map(({ vpcId, channel, reason, ...progress }) => ({ vpcId, channel, reason, progress })),
    failures: failures.map(({ revision, ...failure }) => ({ ...failure, revisionNumber: revision })),
  };
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw callRefused(error);
  }
}

async function* refusingEach<T>(work: () => AsyncIterable<T>): AsyncGenerator<T, void> {
  try {
    yield* work();
  } catch (error) {
    throw callRefused(error);
  }
}
