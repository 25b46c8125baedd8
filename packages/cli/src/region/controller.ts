import { buildApi, type PolicyOverrides } from '@alcor/api';
import { ConfigManager } from '@alcor/config-manager';
import type { Goal } from '@alcor/contract';
import { Delivery, type Host, StatusCollector } from '@alcor/delivery';
import type { Identity } from '@alcor/identity';
import { Bus, type Runtime, Topic } from '@alcor/runtime';
import type { Store } from '@alcor/store';
import type { Logger } from 'pino';
import { logOf } from '../log.ts';
import { noteHeartbeats } from './heartbeats.ts';

export interface Controller {
  /** Where the API listens. */
  readonly url: string;
  /** Stops taking requests, then stops driving hosts. */
  close(): Promise<void>;
}

/** Everything between the API and the hosts, in this process: the rooms put together. */
export async function startController(options: {
  readonly store: Store;
  readonly runtime: Runtime;
  readonly listen: string;
  readonly port: number;
  /** Undefined: every caller is the administrator. */
  readonly identity: Identity | undefined;
  readonly policy: PolicyOverrides | undefined;
  readonly logger: Logger;
}): Promise<Controller> {
  const { store, runtime, listen, port, identity, policy, logger } = options;
  const stop = new AbortController();
  const goals = new Bus<Goal>();
  const hosts = new Topic<Host>();
  const { clock } = runtime;
  const statuses = new StatusCollector({ sink: store, clock, log: logOf(logger, 'status') });
  const delivery = new Delivery({ feed: store.feed, goals, hosts, clock, log: logOf(logger, 'delivery') });
  const manager = new ConfigManager({
    runtime,
    goals,
    hosts,
    onReport: (hostId, report) => statuses.take(hostId, report),
    log: logOf(logger, 'config-manager'),
  });
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
    delivery.ready.then(() => (stop.signal.aborted ? undefined : manager.run(stop.signal))),
  ];
  const api = buildApi({
    store,
    identity,
    policy,
    logger: logger.child({ room: 'api' }, { level: 'warn' }),
  });
  const close = async (): Promise<void> => {
    await api.close();
    stop.abort();
    await Promise.all(work.slice(0, 3));
  };
  try {
    const url = await api.listen({ host: listen, port });
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}
