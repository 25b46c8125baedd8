/**
 * Which networks are routed to on this host, and who has addresses there: so that the first router of a network finds whom
 * it concerns without a look at anything else, and any other change of a router concerns nobody but the router.
 */
import type { Owner } from './owners.ts';
import type { Router } from './resources.ts';
import { leadsAnywhere, type RoutingView } from './routing.ts';

const nobody: ReadonlySet<Owner> = new Set();

export class RoutingIndex implements RoutingView {
  readonly #routers = new Map<string, Router>();
  /** Routers that lead to each network. */
  readonly #routersTo = new Map<number, Set<string>>();
  /** Ports and neighbours of each network. */
  readonly #holders = new Map<number, Set<Owner>>();
  readonly #networkOf = new Map<Owner, number>();

  isRouted(vni: number): boolean {
    return this.#routersTo.has(vni);
  }

  router(id: string): Router | undefined {
    return this.#routers.get(id);
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

  /** Answers with those whose addresses are routed to now and were not before, or the other way round. */
  setRouter(router: Router): ReadonlySet<Owner> {
    const before = this.#routers.get(router.id);
    this.#routers.set(router.id, router);
    return this.#relead(router.id, before, router);
  }

  removeRouter(id: string): ReadonlySet<Owner> {
    const before = this.#routers.get(id);
    this.#routers.delete(id);
    return this.#relead(id, before, undefined);
  }

  #relead(id: string, before: Router | undefined, after: Router | undefined): ReadonlySet<Owner> {
    const [from, to] = [networksOf(before), networksOf(after)];
    const turned: number[] = [];
    for (const vni of to) if (!from.has(vni) && put(this.#routersTo, vni, id)) turned.push(vni);
    for (const vni of from) if (!to.has(vni) && take(this.#routersTo, vni, id)) turned.push(vni);
    if (turned.length === 0) return nobody;
    return new Set(turned.flatMap((vni) => [...(this.#holders.get(vni) ?? nobody)]));
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
