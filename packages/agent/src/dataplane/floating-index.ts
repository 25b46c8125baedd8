/** Floating IPs that this host is told of, by the router that they are on. */
import type { FloatingIp } from './resources.ts';

export class FloatingIndex {
  readonly #byId = new Map<string, FloatingIp>();
  readonly #byRouter = new Map<string, Set<string>>();

  get(id: string): FloatingIp | undefined {
    return this.#byId.get(id);
  }

  /** Ids of those on the router. */
  on(routerId: string): Iterable<string> {
    return this.#byRouter.get(routerId) ?? [];
  }

  set(floating: FloatingIp): void {
    this.remove(floating.id);
    this.#byId.set(floating.id, floating);
    const siblings = this.#byRouter.get(floating.routerId) ?? new Set();
    this.#byRouter.set(floating.routerId, siblings.add(floating.id));
  }

  remove(id: string): void {
    const { routerId = '' } = this.#byId.get(id) ?? {};
    this.#byId.delete(id);
    const siblings = this.#byRouter.get(routerId);
    if (siblings?.delete(id) === true && siblings.size === 0) this.#byRouter.delete(routerId);
  }

  /** The one with this address on one of the routers. */
  find(ip: string, routers: Iterable<{ readonly id: string }>): FloatingIp | undefined {
    for (const { id } of routers) {
      for (const each of this.on(id)) if (this.#byId.get(each)?.ip === ip) return this.#byId.get(each);
    }
    return undefined;
  }
}
