import { type Goal, goalKey, goalVpc, isShare } from '@alcor/contract';
import { Compiler, type Delta } from '@alcor/compiler';
import {
  type Change,
  type Channel,
  type ChannelName,
  type Feed,
  FeedGap,
  type HeldLease,
  type NetworkId,
  type Node,
  type Position,
} from '@alcor/network';
import { Bus, type Clock, Topic } from '@alcor/runtime';
import type { VpcFacts } from './channel-choice.ts';
import { GatewayShares } from './gateway-shares.ts';
import { UnicastGoals } from './unicast-goals.ts';

/** A host that goals can be sent to. */
export interface Host {
  readonly id: string;
  /** Where its agent serves the contract. */
  readonly agentAddress: string;
  /** Its underlay address, where neighbours say that they are. */
  readonly ip: string;
  /** Others' packets go by it. */
  readonly gateway: boolean;
}

/** How the goals of a VPC travel now. */
export interface VpcChannel {
  readonly vpcId: string;
  readonly channel: ChannelName;
}

export interface DeliveryOptions {
  readonly feed: Feed;
  /**
   * Where goals are published: topic `vpc/ID` for every host in the VPC, `host/ID` for one host. `vpc/ID/routers` has the routers among
   * the former once more, for whoever only wants to know which other VPCs they lead to, and `vpc/ID/common` all but the neighbours, for
   * hosts that ask for those. A gateway host's own topic names the VPCs that it has.
   */
  readonly goals: Bus<Goal>;
  /** Where registered hosts are published, by id. */
  readonly hosts: Topic<Host>;
  readonly clock: Clock;
  readonly log: (message: string, error?: unknown) => void;
}

const firstRetryMs = 100;
const lastRetryMs = 5_000;

/**
 * The data-plane manager: follows the feed, compiles what changed and publishes it. Each change is published once, however many
 * hosts it is for; who reads it is the config manager's business.
 */
export class Delivery {
  readonly compiler = new Compiler();
  readonly goals: Bus<Goal>;
  /** What single hosts must know, by VPC. */
  readonly unicast: UnicastGoals;
  /** The channels in force, by VPC; a VPC that is not there goes by gRPC. */
  readonly channels = new Topic<VpcChannel>();
  /** Every VPC, and what its channel is chosen by. */
  readonly vpcs = new Topic<VpcFacts>();
  /** Who holds which shard, by shard. */
  readonly leases = new Topic<HeldLease>();
  /** Every registered node. */
  readonly nodes = new Topic<Node>();
  /** Resolves when everything that was there at the start has been published. */
  readonly ready: Promise<void>;
  readonly #options: DeliveryOptions;
  readonly #isReady: () => void;
  readonly #channelRows = new Map<NetworkId, Channel>();
  readonly #gateways = new GatewayShares((delta) => this.#publish(delta));

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.goals = options.goals;
    this.unicast = new UnicastGoals(options.goals);
    const { promise, resolve } = deferred();
    this.ready = promise;
    this.#isReady = resolve;
  }

  /** Runs until `signal` aborts. A feed that fails is tried again; what is published meanwhile stays in force. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, feed, log } = this.#options;
    let position: Position | undefined;
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      try {
        position ??= await this.#loadSnapshot(signal);
        this.#isReady();
        for await (const batch of feed.changes(position, signal)) {
          this.#takeAll(batch.changes);
          position = batch.position;
          retryMs = firstRetryMs;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof FeedGap) position = undefined;
        log(`cannot follow the change feed; trying again in ${retryMs} ms`, error);
        await clock.sleep(retryMs, signal).catch(() => {});
        retryMs = Math.min(retryMs * 2, lastRetryMs);
      }
    }
  }

  async #loadSnapshot(signal: AbortSignal): Promise<Position> {
    const { position, batches } = await this.#options.feed.snapshot(signal);
    // Where nothing is known yet, nothing can have gone.
    const present = this.compiler.isEmpty ? undefined : new Set<string>();
    for await (const batch of batches) {
      if (present !== undefined) for (const { kind, id } of batch) present.add(`${kind}/${id}`);
      this.#takeAll(batch);
    }
    if (present !== undefined) this.#takeAll([...this.#missingChannels(present), ...this.compiler.missing(present)]);
    return position;
  }

  #missingChannels(present: ReadonlySet<string>): Change[] {
    return [...this.#channelRows.values()]
      .filter(({ id }) => !present.has(`channel/${id}`))
      .map(({ id, revision }) => ({ kind: 'channel', id, revision: revision + 1, row: null }));
  }

  #takeAll(changes: readonly Change[]): void {
    const vpcs = new Set<string>();
    for (const change of changes) this.#take(change, vpcs);
    for (const vpcId of vpcs) this.#note(vpcId);
  }

  /** Adds the VPCs of which there is something new to `vpcs`. */
  #take(change: Change, vpcs: Set<string>): void {
    for (const delta of this.compiler.apply(change)) {
      this.#publish(delta);
      vpcs.add(goalVpc(delta.goal));
    }
    if (change.kind === 'node') this.#publishHost(change);
    if (change.kind === 'channel') this.#takeChannel(change);
    if (change.kind === 'lease' && change.row !== null) this.leases.put(change.id, change.row);
  }

  #publish({ audience, goal, removed }: Delta): void {
    const vpcId = goalVpc(goal);
    const saying = { key: goalKey(goal), value: goal, removed };
    if (audience.startsWith('host/')) {
      // One host may be the gateway of many VPCs, and have a router's gateway to several.
      const share = goal.kind === 'gateway' ? `gateway/${vpcId}` : `${saying.key}/${vpcId}`;
      if (isShare(goal)) put(this.goals, audience, { ...saying, key: share });
      else this.unicast.publish(audience.slice('host/'.length), saying.key, goal, removed);
      return;
    }
    put(this.goals, audience, saying);
    if (goal.kind === 'router') put(this.goals, `${audience}/routers`, saying);
    if (goal.kind !== 'neighbor') put(this.goals, `${audience}/common`, saying);
    // A network is only deleted when nothing is left in it, so nobody reads its topics any more.
    if (removed && goal.kind === 'vpc') {
      this.goals.drop(audience);
      this.goals.drop(`${audience}/routers`);
      this.goals.drop(`${audience}/common`);
    }
  }

  #takeChannel({ id, revision, row }: Extract<Change, { kind: 'channel' }>): void {
    if (revision <= (this.#channelRows.get(id)?.revision ?? 0)) return;
    if (row === null) this.#channelRows.delete(id);
    else this.#channelRows.set(id, row);
    const channel = row?.channel ?? 'grpc';
    if (channel === 'grpc') this.channels.remove(id, { vpcId: id, channel });
    else if (this.channels.get(id)?.channel !== channel) this.channels.put(id, { vpcId: id, channel });
    this.#gateways.setVpc(id, channel === 'on-demand', revision);
    this.#note(id);
  }

  /** Says what is known of a VPC, if that is new. */
  #note(vpcId: string): void {
    const known = this.vpcs.get(vpcId);
    const { channel, override } = this.#channelRows.get(vpcId as NetworkId) ?? { channel: 'grpc', override: null };
    const facts: VpcFacts = { vpcId, channel, override, ...this.compiler.sizeOf(vpcId) };
    const isThere = this.goals.topics.get(`vpc/${vpcId}`)?.get(`vpc/${vpcId}`) !== undefined;
    if (!isThere) this.vpcs.remove(vpcId, facts);
    else if (known === undefined || !sameFacts(known, facts)) this.vpcs.put(vpcId, facts);
  }

  #publishHost({ id, revision, row }: Extract<Change, { kind: 'node' }>): void {
    const { hosts } = this.#options;
    const before = this.nodes.get(id);
    if (row === null && before !== undefined) this.nodes.remove(id, { ...before, revision });
    else if (row !== null && row.revision > (before?.revision ?? 0)) this.nodes.put(id, row);
    this.#gateways.setNode(id, this.nodes.get(id), revision);
    const known = hosts.get(id);
    if (row === null) return hosts.remove(id, { id, agentAddress: '', ip: '', gateway: false });
    const { agentAddress, ip, gateway = false } = row;
    if (known?.agentAddress !== agentAddress || known.ip !== ip || known.gateway !== gateway)
      hosts.put(id, { id, agentAddress, ip, gateway });
    return undefined;
  }
}

function put<V>(
  bus: Bus<V>,
  name: string,
  { key, value, removed }: { readonly key: string; readonly value: V; readonly removed: boolean },
): void {
  if (!removed) bus.topic(name).put(key, value);
  else bus.topics.get(name)?.remove(key, value);
}

function sameFacts(a: VpcFacts, b: VpcFacts): boolean {
  return (
    a.channel === b.channel && a.override === b.override && a.ports === b.ports && a.largestGroup === b.largestGroup
  );
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  const result = { promise: Promise.resolve(), resolve: (): void => undefined };
  result.promise = new Promise((resolve) => (result.resolve = resolve));
  return result;
}
