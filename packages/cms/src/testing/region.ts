import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, MemorySwitch } from '@alcor/agent';
import { buildApi, type PolicyOverrides } from '@alcor/api';
import { ConfigManager } from '@alcor/config-manager';
import type { Goal } from '@alcor/contract';
import { ChannelKeeper, Delivery, type Host, HostShare, LeaseKeeper } from '@alcor/delivery';
import { type Identity, noIdentity } from '@alcor/identity';
import { shardOf } from '@alcor/network';
import { Bus, type MessageQueue, realRuntime, Topic } from '@alcor/runtime';
import { type TestServer, type TestStore, startTestServer } from '../../../store/src/testing/region.ts';
import { cloudMessagingService } from '../cms.ts';

/** A region in this process, from the API to hosts with switches in memory, with its service listening on both ways. */
export interface TestRegion {
  readonly store: TestStore;
  readonly delivery: Delivery;
  readonly manager: ConfigManager;
  /** Of the API. */
  readonly url: string;
  /** Of the gRPC service. */
  readonly address: string;
  call(method: string, path: string, body?: object, headers?: Record<string, string>): Promise<Answer>;
  /** A network with a subnet, and ports on these hosts. */
  network(hosts: readonly string[]): Promise<{ readonly id: string; readonly ports: readonly string[] }>;
  /** Registers a host, whose agent listens. */
  host(id: string): Promise<void>;
  /** Ends all connections to the API, as a proxy that restarts would. */
  breakConnections(): void;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  /** What stands in it, the test says. */
  readonly body: Readonly<Record<string, unknown>>;
}

const own = 'controller-1';
const quiet = (): void => {};

export async function startTestRegion(
  options: {
    readonly identity?: Identity;
    readonly policy?: PolicyOverrides;
    /** What VPCs go by whose topic says so. */
    readonly queue?: MessageQueue;
  } = {},
): Promise<TestRegion> {
  const server: TestServer = await startTestServer();
  const store = await server.openFresh();
  const runtime = realRuntime();
  const { clock } = runtime;
  const stop = new AbortController();
  const hosts = new Topic<Host>();
  const delivery = new Delivery({ feed: store.feed, goals: new Bus<Goal>(), hosts, clock, log: quiet });
  const share = new HostShare(hosts);
  const { queue } = options;
  const thresholds = {
    mq: { ports: 1_000, largestGroup: 1_000 },
    onDemand: { ports: 10_000, largestGroup: 10_000 },
  };
  const channels = new ChannelKeeper({ delivery, queue, thresholds, channels: store, clock, log: quiet });
  const work = { vpc: channels, host: share };
  const keeper = new LeaseKeeper({ store, name: own, told: delivery.leases, work, clock, log: quiet });
  const manager = new ConfigManager({
    runtime,
    goals: delivery.goals,
    hosts: share.own,
    channels: delivery.channels,
    queueUrl: 'of this process',
    onReport: quiet,
    log: quiet,
  });
  const identity = options.identity ?? noIdentity();
  const { routes, handlers } = cloudMessagingService({
    store,
    identity,
    policy: options.policy,
    goals: delivery.goals,
    vpcs: delivery.vpcs,
    nodes: delivery.nodes,
    ready: delivery.ready,
    manager,
    controllerOf: (hostId) => delivery.leases.get(shardOf('host', hostId))?.holder ?? '',
    queue,
    runtime,
  });
  const running = [delivery, share, channels, keeper, manager].map((part) => part.run(stop.signal));
  const app = buildApi({ store, identity, policy: options.policy, routes });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const address = await runtime.transport.serve('127.0.0.1:0', handlers, stop.signal);
  const sockets = mkdtempSync(join(tmpdir(), 'alcor-cms-'));

  const call: TestRegion['call'] = async (method, path, body, headers = {}) => {
    const payload = body === undefined ? {} : { body: JSON.stringify(body) };
    const typed = { 'content-type': 'application/json', ...headers };
    const response = await fetch(`${url}${path}`, { method, headers: typed, ...payload });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Answer['body'] };
  };
  const make = async (path: string, root: string, attributes: object): Promise<{ readonly id: string }> => {
    const { status, body } = await call('POST', path, { [root]: attributes });
    if (status !== 201) throw new Error(`${root} not made: ${JSON.stringify(body)}`);
    return body[root] as { readonly id: string };
  };
  let registered = 0;
  return {
    store,
    delivery,
    manager,
    url,
    address,
    call,
    async network(on) {
      const { id } = await make('/v2.0/networks', 'network', {});
      await make('/v2.0/subnets', 'subnet', { network_id: id, ip_version: 4, cidr: '10.0.0.0/16' });
      const ports: string[] = [];
      for (const host of on) {
        ports.push((await make('/v2.0/ports', 'port', { network_id: id, 'binding:host_id': host })).id);
      }
      return { id, ports };
    },
    async host(id) {
      const agentAddress = `unix:${join(sockets, `${id}.sock`)}`;
      const ip = `192.0.2.${++registered}`;
      const agent = new Agent({
        runtime,
        switch: new MemorySwitch({ name: id }),
        hostIp: ip,
        log: quiet,
        ...(queue === undefined ? {} : { openQueue: () => lent(queue) }),
      });
      await agent.start(agentAddress, stop.signal);
      await make('/alcor/v1/nodes', 'node', { id, ip, agent_address: agentAddress });
    },
    breakConnections() {
      app.server.closeAllConnections();
    },
    async close() {
      await app.close();
      stop.abort();
      await Promise.all(running);
      rmSync(sockets, { recursive: true, force: true });
      await server.close();
    },
  };
}

/** A queue that others use as well, so that nobody's leaving ends it for all. */
function lent(queue: MessageQueue): MessageQueue {
  return {
    openWriter: (topic, fence, signal) => queue.openWriter(topic, fence, signal),
    read: (topic, subjects, position, signal) => queue.read(topic, subjects, position, signal),
    drop: (topic, signal) => queue.drop(topic, signal),
    topics: (signal) => queue.topics(signal),
    close: () => Promise.resolve(),
  };
}
