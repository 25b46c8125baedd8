/**
 * Addresses of ports that routers answer neighbour discovery for on their external networks (RFC 4389), on the host that has the router's gateway. What
 * comes for them is the router's as any other packet that has its MAC.
 */
import { resourceCookie } from './cookie.ts';
import type { Flow } from './flow.ts';
import { proxyOwner } from './owners.ts';
import type { Neighbor, ProxiedAddress, RouterGateway } from './resources.ts';
import { answersFor } from './router-gateway.ts';
import type { ServedAddress } from './served.ts';

export interface NdpProxiesOptions {
  /** Of the router, where it is here, on a wire, and proxies. */
  readonly gatewayOf: (routerId: string) => RouterGateway | undefined;
  readonly program: (owner: string, flows: () => readonly Flow[]) => void;
  readonly withdraw: (owner: string) => void;
  /** Takes the addresses that the owner answers for from now on. */
  readonly serve: (owner: string, addresses: readonly ServedAddress[]) => void;
}

export class NdpProxies {
  readonly #options: NdpProxiesOptions;
  /** By port. */
  readonly #proxied = new Map<string, readonly ProxiedAddress[]>();
  /** Ports by router. */
  readonly #byRouter = new Map<string, Set<string>>();

  constructor(options: NdpProxiesOptions) {
    this.#options = options;
  }

  /** Costs nothing where there is nothing proxied. */
  set({ id, proxied = [] }: Pick<Neighbor, 'id' | 'proxied'>): void {
    const before = this.#proxied.get(id);
    if (before === undefined && proxied.length === 0) return;
    for (const { routerId } of before ?? []) this.#leave(routerId, id);
    if (proxied.length === 0) this.#proxied.delete(id);
    else this.#proxied.set(id, proxied);
    for (const { routerId } of proxied)
      this.#byRouter.set(routerId, (this.#byRouter.get(routerId) ?? new Set()).add(id));
    this.#program(id);
  }

  remove(id: string): void {
    this.set({ id });
  }

  /** The router has changed, or the wire of its gateway. */
  onRouter(id: string): void {
    for (const port of this.#byRouter.get(id) ?? []) this.#program(port);
  }

  #leave(routerId: string, id: string): void {
    const ports = this.#byRouter.get(routerId);
    if (ports?.delete(id) === true && ports.size === 0) this.#byRouter.delete(routerId);
  }

  #program(id: string): void {
    const { gatewayOf, program, withdraw, serve } = this.#options;
    const owner = proxyOwner(id);
    const here = (this.#proxied.get(id) ?? []).flatMap(({ routerId, ip }) => {
      const gateway = gatewayOf(routerId);
      return gateway === undefined ? [] : [{ vni: gateway.vni, mac: gateway.mac, ip }];
    });
    if (here.length === 0) withdraw(owner);
    else
      program(owner, () => here.flatMap(({ vni, mac, ip }) => answersFor(resourceCookie(id), vni, mac, [ip], 'host')));
    serve(owner, here);
  }
}
