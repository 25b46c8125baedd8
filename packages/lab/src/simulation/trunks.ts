import type { MemoryFeed, NetworkId, Port } from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';

/**
 * The part of a tenant's work that hangs ports on others as sub-ports, by the API's rules: who becomes one is on no host yet, and from then on
 * where its parent is.
 */
export class Trunks {
  readonly #random: Random;
  readonly #feed: MemoryFeed;
  readonly #networksUnder = new Map<string, Set<NetworkId>>();

  constructor(random: Random, feed: MemoryFeed) {
    this.#random = random;
    this.#feed = feed;
  }

  /** Those that have ever been reached by the parent's interface under the tag. */
  networksUnder(parentId: string, vlan: number): readonly NetworkId[] {
    return [...(this.#networksUnder.get(`${parentId} ${vlan}`) ?? [])];
  }

  step(ports: readonly Port[]): string {
    const subs = ports.filter(({ trunk }) => trunk !== null);
    if (subs.length > 0 && this.#random.next() < 0.3) return this.#release(pick(this.#random, subs));
    const parents = ports.filter(({ trunk, hostId }) => trunk === null && hostId !== null);
    const free = ports.filter((port) => port.trunk === null && port.hostId === null && !isParent(port, ports));
    if (free.length === 0) return this.#unbind(ports);
    if (parents.length === 0) return 'nothing';
    const parent = pick(this.#random, parents);
    const port = pick(this.#random, free);
    const taken = subs.flatMap(({ trunk }) => (trunk?.parentId === parent.id ? [trunk.vlan] : []));
    const vlan = between(this.#random, 1, 6);
    if (taken.includes(vlan)) return 'nothing';
    const key = `${parent.id} ${vlan}`;
    this.#networksUnder.set(key, (this.#networksUnder.get(key) ?? new Set()).add(port.networkId));
    this.#put({ ...port, hostId: parent.hostId, trunk: { parentId: parent.id, vlan } });
    return `hang ${port.id} on ${parent.id} under ${vlan}`;
  }

  #unbind(ports: readonly Port[]): string {
    const some = ports.filter((port) => port.trunk === null && !isParent(port, ports));
    if (some.length === 0) return 'nothing';
    const port = pick(this.#random, some);
    this.#put({ ...port, hostId: null });
    return `take ${port.id} off its host`;
  }

  #release(port: Port): string {
    this.#put({ ...port, hostId: null, trunk: null });
    return `take ${port.id} off its trunk`;
  }

  #put(port: Port): void {
    this.#feed.put('port', { ...port, revision: port.revision + 1 });
  }
}

export function isParent({ id }: Port, ports: readonly Port[]): boolean {
  return ports.some(({ trunk }) => trunk?.parentId === id);
}
