/**
 * Which networks are routed to on this host, which of them routers join, and who has addresses there: so that a change of
 * a router finds whom it concerns without a look at anything else: the first router of a network all that have addresses
 * there, and likewise the last, and one that joins networks; most changes nobody but the router.
 */
import { mac } from '@alcor/openflow';
import type { Owner } from './owners.ts';
import type { Router, RouterInterface } from './resources.ts';
import { leadsAnywhere, type RoutingView } from './routing.ts';

const nobody: ReadonlySet<Owner> = new Set();

export class RoutingIndex implements RoutingView {
  readonly #routers = new Map<string, Router>();
  /** Routers on each network. */
  readonly #routersOn = new Map<number, Set<string>>();
  /** Routers whose gateways are on each network. */
  readonly #gatewaysOn = new Map<number, Set<string>>();
  /** Those of them that lead there from elsewhere. */
  readonly #routersTo = new Map<number, Set<string>>();
  /** Of each network that is joined with others: the smallest number among them. */
  readonly #domains = new Map<number, number>();
  /** Ports and neighbours of each network. */
  readonly #holders = new Map<number, Set<Owner>>();
  readonly #networkOf = new Map<Owner, number>();

  isRouted(vni: number): boolean {
    return this.#routersTo.has(vni);
  }

  domainOf(vni: number): number {
    return this.#domains.get(vni) ?? vni;
  }

  router(id: string): Router | undefined {
    return this.#routers.get(id);
  }

  /** By which a router is on the network. */
  interfaceAt(vni: number, ethernet: number): RouterInterface | undefined {
    return this.interfacesOn(vni).find((each) => mac(each.mac) === ethernet);
  }

  /** Those of all routers on the network. */
  interfacesOn(vni: number): readonly RouterInterface[] {
    const routers = [...(this.#routersOn.get(vni) ?? [])].map((id) => this.#routers.get(id)!);
    return routers.flatMap(({ interfaces }) => interfaces.filter((each) => each.vni === vni));
  }

  /** The network that the owner's addresses are in; null for an owner that is gone. */
  setHolder(owner: Owner, vni: number | null): void {
    const before = this.#networkOf.get(owner) ?? null;
    if (before === vni) return;
    if (before !== null) take(this.#holders, before, owner);
    if (vni === null) this.#networkOf.delete(owner);
    else {
      put(this.#holders, vni, owner);
      this.#networkOf.set(owner, vni);
    }
  }

  /** Routers whose gateways are on the network. */
  gatewaysOn(vni: number): readonly Router[] {
    return [...(this.#gatewaysOn.get(vni) ?? [])].map((id) => this.#routers.get(id)!);
  }

  /** Ports and neighbours of the network. */
  holdersOf(vni: number): ReadonlySet<Owner> {
    return new Set(this.#holders.get(vni) ?? nobody);
  }

  /** Answers with those in networks that are routed to, or joined with, otherwise than before. */
  setRouter(router: Router): ReadonlySet<Owner> {
    const before = this.#routers.get(router.id);
    this.#routers.set(router.id, router);
    this.#settleOn(router.id, before, router);
    return this.#relead(router.id, before, router);
  }

  removeRouter(id: string): ReadonlySet<Owner> {
    const before = this.#routers.get(id);
    this.#routers.delete(id);
    this.#settleOn(id, before, undefined);
    return this.#relead(id, before, undefined);
  }

  #settleOn(id: string, before: Router | undefined, after: Router | undefined): void {
    for (const { vni } of before?.interfaces ?? []) take(this.#routersOn, vni, id);
    if (before?.gateway !== undefined) take(this.#gatewaysOn, before.gateway.vni, id);
    if (after?.gateway !== undefined) put(this.#gatewaysOn, after.gateway.vni, id);
    if (after?.adminStateUp === true) for (const { vni } of after.interfaces) put(this.#routersOn, vni, id);
  }

  #relead(id: string, before: Router | undefined, after: Router | undefined): ReadonlySet<Owner> {
    const [from, to] = [networksOf(before), networksOf(after)];
    const gained = [...to].filter((vni) => !from.has(vni));
    const lost = [...from].filter((vni) => !to.has(vni));
    if (gained.length === 0 && lost.length === 0) return nobody;
    const joined = this.#joinedWith([...from, ...to]);
    const turned = [
      ...gained.filter((vni) => put(this.#routersTo, vni, id)),
      ...lost.filter((vni) => take(this.#routersTo, vni, id)),
    ];
    for (const vni of this.#joinedWith([...from, ...to])) joined.add(vni);
    const networks = new Set([...turned, ...this.#settleDomains(joined)]);
    return new Set([...networks].flatMap((vni) => [...(this.#holders.get(vni) ?? nobody)]));
  }

  /** These networks and all that routers join with one of them. */
  #joinedWith(networks: readonly number[]): Set<number> {
    const joined = new Set(networks);
    // A set that grows while it is walked is walked to its end.
    for (const vni of joined) {
      for (const id of this.#routersTo.get(vni) ?? []) {
        for (const other of networksOf(this.#routers.get(id))) joined.add(other);
      }
    }
    return joined;
  }

  /** Answers with the networks whose domain is not what it was. */
  #settleDomains(networks: ReadonlySet<number>): number[] {
    const settled = new Set<number>();
    const moved: number[] = [];
    for (const vni of networks) {
      if (settled.has(vni)) continue;
      const joined = this.#joinedWith([vni]);
      const domain = Math.min(...joined);
      for (const each of joined) {
        settled.add(each);
        if (this.domainOf(each) !== domain) moved.push(each);
        if (each === domain) this.#domains.delete(each);
        else this.#domains.set(each, domain);
      }
    }
    return moved;
  }
}

/** The networks that the router routes packets to. */
function networksOf(router: Router | undefined): ReadonlySet<number> {
  if (router === undefined || !leadsAnywhere(router)) return new Set();
  return new Set(router.interfaces.map(({ vni }) => vni));
}

/** True when the set at `key` is the first value's. */
function put<K, V>(sets: Map<K, Set<V>>, key: K, value: V): boolean {
  const found = sets.get(key);
  if (found !== undefined) {
    found.add(value);
    return false;
  }
  sets.set(key, new Set([value]));
  return true;
}

/** True when the value was the last one at `key`. */
function take<K, V>(sets: Map<K, Set<V>>, key: K, value: V): boolean {
  const found = sets.get(key);
  found?.delete(value);
  return found?.size === 0 && sets.delete(key);
}
