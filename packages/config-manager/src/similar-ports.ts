import type { NeighborConfiguration } from '@alcor/contract';

/** An address of a network, as hosts ask for it; in canonical form. */
export interface Destination {
  readonly tunnelId: number;
  readonly address: string;
}

/** Hosts of one kind that are remembered: those that showed last what they need. */
const hostsAtMost = 32;
/** Of one host; beyond, what it has needed first is forgotten. */
const destinationsAtMost = 32;
/** What one host alone needs says nothing of another. */
const hostsAtLeast = 2;
/**
 * Of the hosts remembered, the part that needs a destination which the next one is told. A prediction costs what an answer costs, and a right one
 * spares a packet its wait: by `bench:prediction` an eighth would spare a third more packets, by 60 % more predictions.
 */
const partAtLeast = 1 / 6;

interface Host {
  readonly ip: string;
  /** What its ports need, the newest at the end. */
  readonly needs: Destination[];
}

/** What is known of one kind of ports. */
interface Kind {
  /** The one that showed something last at the end. */
  readonly hosts: Host[];
  /** Something has been learnt of it since it got its place among the kinds. */
  isFresh: boolean;
}

/** Ports of a VPC that are in the same security groups are similar; those in none, where they are in the same subnet. */
export function kindOf({ vpcId, securityGroupIds, fixedIps }: NeighborConfiguration): string {
  if (securityGroupIds.length > 0) return `${vpcId} ${securityGroupIds.toSorted().join(' ')}`;
  return `${vpcId} subnet ${fixedIps[0]?.subnetId ?? ''}`;
}

/**
 * What the hosts of similar ports have come to need, by kind of port. It counts hosts and not ports, because what one port has asked for all
 * ports of its host can use; and the last hosts that showed something and not time, so that it knows as much of what is rare as of what is not.
 *
 * Every question comes by here, so it is kept in short arrays: a map out of which as much goes as comes in is made anew all the time, and V8 keeps the tables that
 * it had, with all that was in them, until a full collection.
 */
export class SimilarPorts {
  readonly #atMost: number;
  /** Those at the beginning go first, unless they are fresh. */
  readonly #kinds = new Map<string, Kind>();
  #size = 0;

  /** `atMost`: hosts and destinations of hosts that are remembered in all; beyond, kinds go of which nothing was learnt for long. */
  constructor(atMost: number) {
    this.#atMost = atMost;
  }

  /** Hosts and destinations of hosts that are remembered. */
  get size(): number {
    return this.#size;
  }

  /** A host with a port of this kind has needed the destination. */
  note(name: string, host: string, destination: Destination): void {
    const { needs } = this.#touch(name, host);
    const known = placeOf(needs, destination);
    if (known !== -1) needs.splice(known, 1);
    else if (needs.length === destinationsAtMost) needs.shift();
    else this.#size++;
    needs.push(destination);
    this.#makeRoom();
  }

  /** A host with a port of this kind could have used the destination and has not. */
  noteUnneeded(name: string, host: string, destination: Destination): void {
    const { needs } = this.#touch(name, host);
    const known = placeOf(needs, destination);
    if (known !== -1) {
      needs.splice(known, 1);
      this.#size--;
    }
    this.#makeRoom();
  }

  /** What the next host with a port of this kind is likely to need, the likeliest first. Costs what is remembered of the kind. */
  likely(name: string): readonly Destination[] {
    const { hosts = [] } = this.#kinds.get(name) ?? {};
    const enough = Math.max(hostsAtLeast, hosts.length * partAtLeast);
    const wanted = new Map<string, { readonly destination: Destination; hosts: number }>();
    for (const destination of hosts.flatMap(({ needs }) => needs)) {
      const key = keyOf(destination);
      const one = wanted.get(key);
      if (one === undefined) wanted.set(key, { destination, hosts: 1 });
      else one.hosts++;
    }
    const likely = [...wanted.values()].filter((one) => one.hosts >= enough);
    return likely.toSorted((a, b) => b.hosts - a.hosts).map(({ destination }) => destination);
  }

  #touch(name: string, ip: string): Host {
    let kind = this.#kinds.get(name);
    if (kind === undefined) this.#kinds.set(name, (kind = { hosts: [], isFresh: true }));
    kind.isFresh = true;
    const { hosts } = kind;
    const at = hosts.findIndex((each) => each.ip === ip);
    if (at === -1) {
      hosts.push({ ip, needs: [] });
      this.#size++;
      if (hosts.length > hostsAtMost) this.#size -= sizeOf(hosts.shift()!);
    } else if (at < hosts.length - 1) hosts.push(...hosts.splice(at, 1));
    return hosts.at(-1)!;
  }

  #makeRoom(): void {
    for (const [name, kind] of this.#kinds) {
      if (this.#size <= this.#atMost) return;
      this.#kinds.delete(name);
      if (kind.isFresh) this.#kinds.set(name, { ...kind, isFresh: false });
      else for (const host of kind.hosts) this.#size -= sizeOf(host);
    }
  }
}

function sizeOf({ needs }: Host): number {
  return 1 + needs.length;
}

function placeOf(needs: readonly Destination[], { tunnelId, address }: Destination): number {
  return needs.findIndex((each) => each.address === address && each.tunnelId === tunnelId);
}

function keyOf({ tunnelId, address }: Destination): string {
  return `${tunnelId} ${address}`;
}
