import { ipv4, ipv6, mac } from '@alcor/openflow';
import { type FlowUse, type Neighbor, resourceCookie, RESOURCE_MASK } from './dataplane/index.ts';

/** How long a neighbour is kept that nothing uses, where nobody has said, in ms. */
const defaultLifetimeMs = 300_000;

export interface LearntNeighbor {
  readonly neighbor: Neighbor;
  readonly mac: number;
  readonly keys: readonly string[];
  /** When it was told last, by `Clock.now`. */
  readonly toldAt: number;
  /** `Clock.now` when the data plane said that it is in force; undefined until it has. */
  inForceSince: number | undefined;
  lifetimeMs: number;
  /** Packets counted when it was last seen in use, and when that was. */
  packets: bigint;
  usedAt: number;
}

/** The neighbours of on-demand VPCs: those that this host has asked for, or that have asked for it. Found by where they are. */
export class Learnt {
  readonly #byId = new Map<string, LearntNeighbor>();
  readonly #byKey = new Map<string, LearntNeighbor>();
  readonly #byCookie = new Map<bigint, LearntNeighbor>();

  get size(): number {
    return this.#byId.size;
  }

  set(neighbor: Neighbor, now: number): void {
    const before = this.#byId.get(neighbor.id);
    this.delete(neighbor.id);
    const keys = neighbor.ips.map((ip) => placeKey(neighbor.vni, ip.includes(':') ? ipv6(ip) : ipv4(ip)));
    const learnt: LearntNeighbor = {
      neighbor,
      mac: mac(neighbor.mac),
      keys,
      toldAt: now,
      inForceSince: undefined,
      lifetimeMs: before?.lifetimeMs ?? defaultLifetimeMs,
      packets: before?.packets ?? 0n,
      usedAt: before?.usedAt ?? now,
    };
    this.#byId.set(neighbor.id, learnt);
    this.#byCookie.set(resourceCookie(neighbor.id), learnt);
    for (const key of keys) this.#byKey.set(key, learnt);
  }

  delete(id: string): void {
    const learnt = this.#byId.get(id);
    if (learnt === undefined) return;
    this.#byId.delete(id);
    this.#byCookie.delete(resourceCookie(id));
    for (const key of learnt.keys) if (this.#byKey.get(key) === learnt) this.#byKey.delete(key);
  }

  get(id: string): LearntNeighbor | undefined {
    return this.#byId.get(id);
  }

  /** Who is at an address of a network. */
  at(key: string): LearntNeighbor | undefined {
    return this.#byKey.get(key);
  }

  /** Takes what the flows of a network have counted; `now`: of when the counts are. */
  count(uses: readonly FlowUse[], now: number): void {
    const packets = new Map<LearntNeighbor, bigint>();
    for (const use of uses) {
      const learnt = this.#byCookie.get(use.cookie & RESOURCE_MASK);
      if (learnt !== undefined) packets.set(learnt, (packets.get(learnt) ?? 0n) + use.packets);
    }
    for (const [learnt, sum] of packets) {
      if (sum === learnt.packets) continue;
      learnt.packets = sum;
      learnt.usedAt = now;
    }
  }

  /** Those that nothing has used for their lifetime. */
  idle(now: number): LearntNeighbor[] {
    return [...this.#byId.values()].filter(({ usedAt, lifetimeMs }) => now - usedAt > lifetimeMs);
  }

  /** Those that were told last at that time, by `Clock.now`, or before. */
  toldBy(time: number): LearntNeighbor[] {
    return [...this.#byId.values()].filter(({ toldAt }) => toldAt <= time);
  }
}

/** An address of a network, as text. */
export function placeKey(vni: number, address: number | bigint): string {
  return `${vni} ${typeof address === 'bigint' ? 'v6' : 'v4'} ${address}`;
}
