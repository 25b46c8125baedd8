import { type Lease, type Shard, shardOf } from '@alcor/network';
import { createWakeup, Topic } from '@alcor/runtime';
import type { Host } from './delivery.ts';
import type { ShardWork } from './lease-keeper.ts';

/** A host that this process speaks for. */
export interface OwnHost extends Host {
  /** The right to do so: hosts listen to whoever has the highest. */
  readonly fence: number;
}

/** Of all hosts, those in the shards that this process holds. */
export class HostShare implements ShardWork {
  /** By id; a host whose shard came back under another fence is put anew. */
  readonly own = new Topic<OwnHost>();
  readonly #hosts: Topic<Host>;
  readonly #leases = new Map<Shard, Lease>();
  readonly #byShard = new Map<Shard, Set<string>>();
  readonly #ipOf = new Map<string, string>();
  readonly #byIp = new Map<string, string>();

  constructor(hosts: Topic<Host>) {
    this.#hosts = hosts;
  }

  /** The host with this underlay address, whoever speaks for it. */
  hostAt(ip: string): string | undefined {
    return this.#byIp.get(ip);
  }

  take(lease: Lease): void {
    this.#leases.set(lease.shard, lease);
    for (const id of this.#byShard.get(lease.shard) ?? []) this.#show(id);
  }

  async leave(shard: Shard): Promise<void> {
    this.#leases.delete(shard);
    for (const id of this.#byShard.get(shard) ?? []) this.#show(id);
  }

  async run(signal: AbortSignal): Promise<void> {
    const wakeup = createWakeup();
    const subscription = this.#hosts.subscribe(wakeup.raise);
    while (!signal.aborted) {
      for (const { key, removed } of this.#hosts.take(subscription, 1_000)) {
        const shard = shardOf('host', key);
        const ids = this.#byShard.get(shard) ?? new Set();
        this.#byShard.set(shard, ids);
        if (removed) ids.delete(key);
        else ids.add(key);
        this.#place(key);
        this.#show(key);
      }
      if (subscription.position === this.#hosts.position) await wakeup.wait(signal);
    }
    subscription.close();
  }

  #place(id: string): void {
    const [before = '', now = ''] = [this.#ipOf.get(id), this.#hosts.get(id)?.ip];
    if (this.#byIp.get(before) === id) this.#byIp.delete(before);
    this.#ipOf.delete(id);
    if (now === '') return;
    this.#ipOf.set(id, now);
    this.#byIp.set(now, id);
  }

  #show(id: string): void {
    const host = this.#hosts.get(id);
    const lease = this.#leases.get(shardOf('host', id));
    if (host === undefined || lease === undefined)
      this.own.remove(id, { id, agentAddress: '', ip: '', gateway: false, fence: 0 });
    else this.own.put(id, { ...host, fence: lease.fence });
  }
}
