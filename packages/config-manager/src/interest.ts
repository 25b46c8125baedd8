/**
 * Which hosts hold which learnt neighbours of one VPC, and which hosts are acquainted: each knows of all ports of the other that
 * rules ask about. Hosts are named by their underlay address, because that is what a neighbour says of its own.
 */
export class Interest {
  /** By neighbour; most have one holder. */
  readonly #holders = new Map<string, string | Set<string>>();
  readonly #held = new Map<string, Set<string>>();
  readonly #acquainted = new Map<string, Set<string>>();
  /** By host and neighbour: when the host said that nothing uses it. */
  readonly #idleSince = new Map<string, Map<string, number>>();
  readonly #total: { size: number };

  /** `total` counts neighbours held, summed over hosts and VPCs. */
  constructor(total: { size: number }) {
    this.#total = total;
  }

  /** The hosts that hold the neighbour. */
  holders(id: string): readonly string[] {
    const holders = this.#holders.get(id) ?? none;
    return typeof holders === 'string' ? [holders] : [...holders];
  }

  /** What the host holds, in the order in which it learnt it. */
  held(host: string): ReadonlySet<string> {
    return this.#held.get(host) ?? none;
  }

  acquaintances(host: string): ReadonlySet<string> {
    return this.#acquainted.get(host) ?? none;
  }

  /** False: the host held it already. */
  add(host: string, id: string): boolean {
    const held = setIn(this.#held, host);
    const before = held.size;
    if (held.add(id).size === before) return false;
    const holders = this.#holders.get(id);
    if (holders === undefined) this.#holders.set(id, host);
    else if (typeof holders === 'string') this.#holders.set(id, new Set([holders, host]));
    else holders.add(host);
    this.#total.size++;
    return true;
  }

  /** False: the host did not hold it. */
  remove(host: string, id: string): boolean {
    if (!takeFrom(this.#held, host, id)) return false;
    const holders = this.#holders.get(id);
    if (holders === host) this.#holders.delete(id);
    else if (typeof holders === 'object') {
      holders.delete(host);
      if (holders.size === 0) this.#holders.delete(id);
    }
    this.#idleSince.get(host)?.delete(id);
    this.#total.size--;
    return true;
  }

  removeHost(host: string): void {
    for (const id of this.held(host)) this.remove(host, id);
    this.#idleSince.delete(host);
  }

  /** The host says that nothing has used the neighbour for long. */
  noteIdle(host: string, id: string, now: number): void {
    const idle = this.#idleSince.get(host) ?? new Map<string, number>();
    this.#idleSince.set(host, idle.set(id, now));
  }

  /** Whether the host has said so, not before `since`, of all of these that it holds. */
  isIdle(host: string, ids: Iterable<string>, since: number): boolean {
    const [held, idle] = [this.held(host), this.#idleSince.get(host)];
    for (const id of ids) if (held.has(id) && (idle?.get(id) ?? Number.NEGATIVE_INFINITY) < since) return false;
    return true;
  }

  /** The neighbour is gone: nobody holds it any more. */
  removeNeighbor(id: string): void {
    for (const host of this.holders(id)) this.remove(host, id);
  }

  /** False: they are already. */
  acquaint(one: string, other: string): boolean {
    if (this.acquaintances(one).has(other)) return false;
    setIn(this.#acquainted, one).add(other);
    setIn(this.#acquainted, other).add(one);
    return true;
  }

  /** False: they are not acquainted. */
  part(one: string, other: string): boolean {
    takeFrom(this.#acquainted, other, one);
    return takeFrom(this.#acquainted, one, other);
  }
}

const none: ReadonlySet<string> = new Set();

function setIn(sets: Map<string, Set<string>>, key: string): Set<string> {
  let set = sets.get(key);
  if (set === undefined) sets.set(key, (set = new Set()));
  return set;
}

function takeFrom(sets: Map<string, Set<string>>, key: string, value: string): boolean {
  const set = sets.get(key);
  if (set?.delete(value) !== true) return false;
  if (set.size === 0) sets.delete(key);
  return true;
}
