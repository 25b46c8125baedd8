import { badRequest, integer, invalid, oneOf, type Route, route, text, uuid } from '@alcor/api';
import type { ConfigManager } from '@alcor/config-manager';
import { type ChannelName, channelNames } from '@alcor/network';
import type { GoalStates, Scope } from './goal-states.ts';
import { type HostProgressOptions, type HostProgressView, progressOf, push } from './host-progress.ts';
import { lineSchema, linesOf } from './lines.ts';
import type { Page, Topics } from './topics.ts';

const topicsPath = '/alcor/v1/topics';
const managerPath = '/alcor/v1/config-manager';
const statesPath = '/alcor/v1/goal-states';

/** Lines that a watch has in its hand at once. */
const batchSize = 256;
const pageSize = 100;

const host = text(255);
const paging = { limit: integer(1, 1_000), marker: text(255) };
const revision = text(60);

export interface RoutesOptions extends HostProgressOptions {
  readonly topics: Topics;
  readonly goalStates: GoalStates;
  readonly manager: HostProgressOptions['manager'] & Pick<ConfigManager, 'hostStates' | 'onDemand'>;
}

/** The rules of policy that the routes are under: the administrator's, where no file says otherwise. */
export const cmsRules = [
  'get_topic',
  'update_topic',
  'get_goal_state',
  'push_goal_state',
  'get_config_manager',
] as const;

/** The service over HTTP. */
export function cmsRoutes(options: RoutesOptions): readonly Route[] {
  return [...topicRoutes(options), ...stateRoutes(options), managerRoute(options)];
}

function topicRoutes({ topics }: RoutesOptions): readonly Route[] {
  const frame = { tag: 'topics', path: `${topicsPath}/:id` } as const;
  return [
    route({
      ...frame,
      method: 'GET',
      path: topicsPath,
      about: 'The topics of VPCs: how they are carried and how much is in them',
      rule: 'get_topic',
      query: paging,
      run: async ({ query, signal }) => {
        const { items, next } = await topics.list(pageOf(query), signal);
        return { json: { topics: items, next } };
      },
    }),
    route({
      ...frame,
      method: 'GET',
      about:
        'The topic of one VPC, and the hosts of this controller that are in it; `next` is the marker of the rest of them',
      rule: 'get_topic',
      query: paging,
      run: async ({ id, query, signal }) => {
        const topic = await topics.show(vpcIdOf(id), signal);
        const { items, next, total } = topics.subscribers(topic.vpc_id, pageOf(query));
        return { json: { topic: { ...topic, hosts: total, subscribers: items }, next } };
      },
    }),
    route({
      ...frame,
      method: 'PUT',
      about: 'Says how the VPC’s goal states are to travel: grpc, mq, on-demand, or automatic, which is by its size',
      rule: 'update_topic',
      root: 'topic',
      required: { channel: oneOf(...channelNames, 'automatic') },
      run: async ({ id, body, signal }) => {
        const override = overrideOf(body.channel, topics);
        const { id: vpcId } = await topics.override(vpcIdOf(id), override);
        return { json: { topic: { ...(await topics.show(vpcId, signal)), override: override ?? 'automatic' } } };
      },
    }),
  ];
}

function managerRoute({ manager }: RoutesOptions): Route {
  return route({
    method: 'GET',
    path: managerPath,
    tag: 'config-manager',
    about:
      'The hosts that this controller speaks for, and what it holds and has answered for those that are told on demand',
    rule: 'get_config_manager',
    run: async () => {
      const { vpcs, neighbors, learnt, learntAtMost, answers, prediction } = manager.onDemand;
      const { leftOut, rememberedAtMost, ...predictions } = prediction;
      const { 'not-routable': notRoutable, ...others } = answers;
      const onDemand = {
        vpcs,
        neighbors,
        learnt,
        learnt_at_most: learntAtMost,
        answers: { ...others, not_routable: notRoutable },
        predictions: { ...predictions, left_out: leftOut, remembered_at_most: rememberedAtMost },
      };
      return { json: { config_manager: { hosts: manager.hostStates, on_demand: onDemand } } };
    },
  });
}

function overrideOf(channel: ChannelName | 'automatic', topics: Topics): ChannelName | null {
  if (channel === 'mq' && !topics.hasQueue) throw invalid('channel', "'mq' needs a message queue, and there is none");
  return channel === 'automatic' ? null : channel;
}

function stateRoutes(options: RoutesOptions): readonly Route[] {
  const { topics, goalStates } = options;
  const tag = 'goal-states';
  return [
    route({
      method: 'GET',
      path: statesPath,
      tag,
      about: 'How far one host has come with each of its VPCs, or each host with one VPC: wanted, sent, applied',
      rule: 'get_goal_state',
      query: { host, vpc: uuid(), ...paging },
      run: async ({ query, signal }) => {
        const scope = scopeOf(query);
        if (scope.kind === 'host') return { json: { goal_states: hostView(await progressOf(scope.id, options)) } };
        const { vpc_id, position } = await topics.show(scope.id, signal);
        const { items, next, total } = topics.subscribers(vpc_id, pageOf(query));
        return { json: { goal_states: { vpc_id, position, hosts: total, subscribers: items }, next } };
      },
    }),
    route({
      method: 'GET',
      path: `${statesPath}/watch`,
      tag,
      about: 'The goal states of a VPC, or of one host, as they are and then as they change: a line of JSON each',
      rule: 'get_goal_state',
      query: { host, vpc: uuid(), from: revision, follow: oneOf('true', 'false') },
      answers: { each: 'line', schema: lineSchema },
      run: async ({ query, signal }) => {
        const batches = goalStates.watch(scopeOf(query), { from: query.from ?? '', limit: batchSize }, signal);
        return { lines: linesOf(batches, { once: query.follow === 'false' }) };
      },
    }),
    route({
      method: 'POST',
      path: `${statesPath}/push`,
      tag,
      about: 'Forgets what a host, or each host in a VPC, is believed to have been told, and says everything again',
      rule: 'push_goal_state',
      optional: { host, vpc: uuid() },
      status: 202,
      run: async ({ body }) => ({ json: { push: { hosts: await push(scopeOf(body), options) } } }),
    }),
  ];
}

function scopeOf({ host: hostId, vpc }: { readonly host?: string; readonly vpc?: string }): Scope {
  if ((hostId === undefined) === (vpc === undefined)) throw badRequest("One of 'host' and 'vpc' is wanted.");
  return hostId === undefined ? { kind: 'vpc', id: vpc ?? '' } : { kind: 'host', id: hostId };
}

function pageOf({ limit = pageSize, marker }: { readonly limit?: number; readonly marker?: string }): Page {
  return { limit, marker };
}

function vpcIdOf(id: string): string {
  return id.toLowerCase();
}

function hostView(progress: HostProgressView): object {
  const { hostId, controller, state, reason, own, vpcs, failures, failuresLeftOut } = progress;
  return {
    host_id: hostId,
    controller,
    state,
    reason,
    own,
    vpcs: vpcs.map(({ vpcId, ...rest }) => ({ vpc_id: vpcId, ...rest })),
    failures: failures.map(({ kind, resourceId, revision: number, reason: words }) => {
      return { kind, resource_id: resourceId, revision_number: number, reason: words };
    }),
    failures_left_out: failuresLeftOut,
  };
}
