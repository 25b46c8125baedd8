import { type SubscriptionReport, SubscriptionState } from '@alcor/contract';

/** One host's subscription, as the host said last. */
export interface SubscribedHost {
  readonly hostId: string;
  /** Which unicast subjects of the topic are the host's. */
  readonly key: string;
  readonly state: 'reading' | 'caught-up';
  /** Position in the topic up to which the host has applied everything. */
  readonly position: number;
  /** The same of what is for all hosts, so that hosts can be compared. */
  readonly multicastPosition: number;
}

export interface TopicInformation {
  readonly topic: string;
  readonly hosts: readonly SubscribedHost[];
}

/**
 * Who reads which topic of the message queue, and how far: what the hosts of this process have reported. Nothing of it is kept beyond the
 * process; hosts say it again to whoever speaks to them next.
 */
export class Topics {
  readonly #byTopic = new Map<string, Map<string, SubscribedHost>>();
  readonly #byHost = new Map<string, Set<string>>();
  /** By topic, the highest multicast position that a host has reported since there was one. */
  readonly #furthest = new Map<string, number>();

  /** Takes reports of a host; with `all`, it has no other subscriptions. */
  take(hostId: string, reports: readonly SubscriptionReport[], all: boolean): void {
    if (all) {
      const named = new Set(reports.map(({ topic }) => topic));
      for (const topic of this.#byHost.get(hostId) ?? []) if (!named.has(topic)) this.#remove(hostId, topic);
    }
    for (const { topic, key, state, position, multicastPosition } of reports) {
      if (state === SubscriptionState.LOST) this.#remove(hostId, topic);
      else
        this.#put(topic, {
          hostId,
          key,
          position,
          multicastPosition,
          state: state === SubscriptionState.READING ? 'reading' : 'caught-up',
        });
    }
  }

  /** Forgets a host that is another's to speak to, or gone. */
  removeHost(hostId: string): void {
    this.take(hostId, [], true);
  }

  get(topic: string): TopicInformation | undefined {
    const hosts = this.#byTopic.get(topic);
    return hosts === undefined ? undefined : { topic, hosts: [...hosts.values()] };
  }

  /** How far the host has read what is for all; the furthest that any host has is taken for what it should be at. */
  progress(
    topic: string,
    hostId: string,
  ): { readonly wanted: number; readonly sent: number; readonly applied: number } {
    const applied = this.#byTopic.get(topic)?.get(hostId)?.multicastPosition ?? 0;
    const wanted = this.#furthest.get(topic) ?? 0;
    return { wanted, sent: wanted, applied };
  }

  list(): readonly TopicInformation[] {
    return [...this.#byTopic].map(([topic, hosts]) => ({ topic, hosts: [...hosts.values()] }));
  }

  #put(topic: string, host: SubscribedHost): void {
    const hosts = this.#byTopic.get(topic) ?? new Map<string, SubscribedHost>();
    this.#byTopic.set(topic, hosts.set(host.hostId, host));
    this.#furthest.set(topic, Math.max(this.#furthest.get(topic) ?? 0, host.multicastPosition));
    const topics = this.#byHost.get(host.hostId) ?? new Set<string>();
    this.#byHost.set(host.hostId, topics.add(topic));
  }

  #remove(hostId: string, topic: string): void {
    const hosts = this.#byTopic.get(topic);
    hosts?.delete(hostId);
    if (hosts?.size === 0) {
      this.#byTopic.delete(topic);
      this.#furthest.delete(topic);
    }
    const topics = this.#byHost.get(hostId);
    topics?.delete(topic);
    if (topics?.size === 0) this.#byHost.delete(hostId);
  }
}
