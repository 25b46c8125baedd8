import { buildApi, type PolicyOverrides } from '@alcor/api';
import { cloudMessagingService } from '@alcor/cms';
import { ConfigManager, type Peer } from '@alcor/config-manager';
import type { Goal } from '@alcor/contract';
import {
  ChannelKeeper,
  Delivery,
  GatewayWatch,
  type Host,
  HostShare,
  LeaseKeeper,
  StatusCollector,
  type Thresholds,
} from '@alcor/delivery';
import { type Identity, noIdentity } from '@alcor/identity';
import { type Lease, shardOf } from '@alcor/network';
import { aborted, Bus, type MessageQueue, type Runtime, Topic } from '@alcor/runtime';
import type { Store } from '@alcor/store';
import type { Logger } from 'pino';
import { logOf } from '../log.ts';
import { hostQuestions } from './host-questions.ts';
import { noteHeartbeats } from './heartbeats.ts';

export interface Controller {
  /** Where the API listens. */
  readonly url: string;
  /** Where the cloud messaging service listens for gRPC; undefined: nowhere. */
  readonly cmsAddress: string | undefined;
  /** Stops taking requests, then stops driving hosts. */
  close(): Promise<void>;
}

export interface ControllerOptions {
  /** Names the process among those that share the region's work; the same after a restart. */
  readonly name: string;
  readonly store: Store;
  readonly runtime: Runtime;
  readonly listen: string;
  readonly port: number;
  /** The cloud messaging service's `host:port` for gRPC; undefined: it is served over HTTP only. */
  readonly cmsListen?: string | undefined;
  /** Where hosts ask for neighbours of VPCs that go on demand: `host:port`. */
  readonly requestListen: string;
  /** Undefined: every caller is the administrator. */
  readonly identity: Identity | undefined;
  readonly policy: PolicyOverrides | undefined;
  readonly logger: Logger;
  /** The message queue that large VPCs go by, and where hosts find it; undefined: all go by gRPC. */
  readonly queue: { readonly queue: MessageQueue; readonly url: string } | undefined;
  /** From when on VPCs go by which channel. */
  readonly thresholds: Thresholds;
  readonly predictedPerPort: number;
}

/** Everything between the API and the hosts, in this process: the rooms put together. */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const { store, runtime, listen, port, identity, policy, logger } = options;
  const stop = new AbortController();
  const { clock } = runtime;
  const statuses = new StatusCollector({ sink: store, clock, log: logOf(logger, 'status') });
  const hosts = new Topic<Host>();
  const delivery = new Delivery({
    feed: store.feed,
    goals: new Bus<Goal>(),
    hosts,
    clock,
    log: logOf(logger, 'delivery'),
  });
  let requestAddress = '';
  const shared = shareOut(options, delivery, hosts, () => requestAddress);
  const watch = new GatewayWatch({
    nodes: delivery.nodes,
    leaseOf: (id) => shared.leaseOf(id),
    answers: (id) => answersNow(manager, id),
    store,
    clock,
    log: logOf(logger, 'gateways'),
  });
  const manager = new ConfigManager({
    runtime,
    goals: delivery.goals,
    hosts: shared.own,
    channels: delivery.channels,
    peerAt: (ip) => shared.speakerAt(ip),
    predictedPerPort: options.predictedPerPort,
    ...(options.queue === undefined ? {} : { queueUrl: options.queue.url }),
    onReport: (hostId, report) => statuses.take(hostId, report),
    log: logOf(logger, 'config-manager'),
  });
  const { requestListen } = options;
  requestAddress = await manager.answer(requestListen, stop.signal).catch((cause: unknown) => {
    throw new Error(`cannot listen on ${requestListen}; choose another address with --request-listen`, { cause });
  });
  const untilReady = Promise.race([delivery.ready, aborted(stop.signal)]);
  const work = [
    delivery.run(stop.signal),
    statuses.run(stop.signal),
    noteHeartbeats(
      {
        connected: () => manager.connected,
        heard: (nodeIds) => store.agents.heard(nodeIds),
        clock,
        log: logOf(logger, 'heartbeats'),
      },
      stop.signal,
    ),
    untilReady.then(() => Promise.all([shared.run(stop.signal), manager.run(stop.signal), watch.run(stop.signal)])),
  ];
  const cms = messagingOf(options, delivery, manager);
  const api = buildApi({
    store,
    identity,
    policy,
    hosts: hostQuestions(runtime.transport, logOf(logger, 'hosts')),
    routes: cms.routes,
    logger: logger.child({ room: 'api' }, { level: 'warn' }),
  });
  const close = async (): Promise<void> => {
    await api.close();
    stop.abort();
    await Promise.all(work);
  };
  try {
    const url = await api.listen({ host: listen, port });
    const { cmsListen } = options;
    if (cmsListen === undefined) return { url, cmsAddress: undefined, close };
    const cmsAddress = await runtime.transport.serve(cmsListen, cms.handlers, stop.signal).catch((cause: unknown) => {
      throw new Error(`cannot listen on ${cmsListen}; choose another address with --cms-listen`, { cause });
    });
    return { url, cmsAddress, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Shared {
  readonly own: HostShare['own'];
  /** Who speaks for the host with this underlay address. */
  readonly speakerAt: (ip: string) => Peer | undefined;
  /** The right of this process to speak to the host; undefined: another one has it. */
  readonly leaseOf: (hostId: string) => Lease | undefined;
  run(signal: AbortSignal): Promise<unknown>;
}

function speakerOf(hostId: string | undefined, { leases }: Delivery): Peer | undefined {
  const lease = hostId === undefined ? undefined : leases.get(shardOf('host', hostId));
  return hostId === undefined || lease === undefined || lease.address === ''
    ? undefined
    : { hostId, address: lease.address };
}

/** By packets, not by words alone. Undefined while it is not known: before the first word, and while the host is told what it must know. */
function answersNow(manager: ConfigManager, hostId: string): boolean | undefined {
  const { state, switchAway } = manager.host(hostId) ?? {};
  if (state === 'unreachable' || switchAway === true) return false;
  return state === 'synchronised' ? true : undefined;
}

/** The part of the region's work that this process does, by leases: hosts to speak to, and VPCs whose channels to keep. */
function shareOut(
  { name, store, runtime: { clock }, queue, thresholds, logger }: ControllerOptions,
  delivery: Delivery,
  hosts: Topic<Host>,
  address: () => string,
): Shared {
  const log = logOf(logger, 'share');
  const share = new HostShare(hosts);
  const channels = new ChannelKeeper({ delivery, queue: queue?.queue, thresholds, channels: store, clock, log });
  const work = { vpc: channels, host: share };
  const keeper = new LeaseKeeper({ store, name, address, told: delivery.leases, work, clock, log });
  const keep = (signal: AbortSignal): Promise<void> =>
    keeper
      .run(signal)
      .catch((error: unknown) => log('this process drives no hosts any more: another has its state directory', error));
  return {
    own: share.own,
    speakerAt: (ip) => speakerOf(share.hostAt(ip), delivery),
    leaseOf: (hostId) => keeper.working.get(shardOf('host', hostId)),
    run: (signal) => Promise.all([share.run(signal), channels.run(signal), keep(signal)]),
  };
}

/** What clients in any language see of this process's part of the region. */
function messagingOf(
  { store, runtime, identity, policy, queue }: ControllerOptions,
  delivery: Delivery,
  manager: ConfigManager,
): ReturnType<typeof cloudMessagingService> {
  return cloudMessagingService({
    store,
    runtime,
    policy,
    manager,
    identity: identity ?? noIdentity(),
    goals: delivery.goals,
    vpcs: delivery.vpcs,
    nodes: delivery.nodes,
    ready: delivery.ready,
    controllerOf: (hostId) => delivery.leases.get(shardOf('host', hostId))?.holder ?? '',
    queue: queue?.queue,
  });
}
