/** What this host answers for on external networks: floating IPs, the gateways of routers that are here and what these proxy; and who it knows there. */
import type { AddressQualities } from './address-quality.ts';
import { FloatingIndex } from './floating-index.ts';
import { floatingIpFlows } from './floating-ip.ts';
import type { Flow } from './flow.ts';
import { NdpProxies } from './ndp-proxies.ts';
import { outsideFlows, outsideId } from './outside.ts';
import { floatingOwner, routerOwner } from './owners.ts';
import type { FloatingIp, OutsideNeighbor } from './resources.ts';
import type { RoutingIndex } from './routing-index.ts';
import { gatewayHere, servedByFloatingIp, type ServedAddress, ServedAddresses } from './served.ts';

export interface FloatingIpsOptions {
  /** This host's underlay address. */
  readonly hostIp: string;
  readonly routing: RoutingIndex;
  readonly qualities: AddressQualities;
  /** Whether this host has the network on a wire. */
  readonly isOnWire: (vni: number) => boolean;
  readonly program: (owner: string, flows: () => readonly Flow[]) => void;
  readonly withdraw: (owner: string) => void;
  /** Told of addresses that this host answers for from now on. */
  readonly onServing: (addresses: readonly ServedAddress[]) => void;
}

export class FloatingIps {
  readonly #options: FloatingIpsOptions;
  readonly #floating = new FloatingIndex();
  readonly #served = new ServedAddresses();
  /** What it answers for in the place of ports behind a router. */
  readonly proxies: NdpProxies;

  constructor(options: FloatingIpsOptions) {
    this.#options = options;
    const { hostIp, routing, isOnWire } = options;
    this.proxies = new NdpProxies({
      ...options,
      gatewayOf: (routerId) => {
        const router = routing.router(routerId);
        const gateway = router && gatewayHere(router, hostIp);
        return gateway?.proxiesNdp === true && isOnWire(gateway.vni) ? gateway : undefined;
      },
      serve: (owner, addresses) => this.#serve(owner, addresses),
    });
  }

  set(floating: FloatingIp): void {
    this.#floating.set(floating);
    this.#program(floating.id);
  }

  remove(id: string): void {
    this.#floating.remove(id);
    this.#program(id);
  }

  /** The router has changed, or the wire of its gateway; `own`: addresses of its gateway, if that is here. */
  onRouter(id: string, own: readonly ServedAddress[]): void {
    const { isOnWire } = this.#options;
    this.#serve(
      routerOwner(id),
      own.filter(({ vni }) => isOnWire(vni)),
    );
    for (const floating of this.#floating.on(id)) this.#program(floating);
    this.proxies.onRouter(id);
  }

  setOutsideNeighbor(neighbor: OutsideNeighbor): void {
    this.#options.program(outsideId(neighbor), () => outsideFlows(neighbor));
  }

  removeOutsideNeighbor(neighbor: OutsideNeighbor): void {
    this.#options.withdraw(outsideId(neighbor));
  }

  /** Addresses that this host answers for with this MAC on the network. */
  servedAt(vni: number, mac: string): readonly ServedAddress[] {
    return this.#served.at(vni, mac);
  }

  /** All addresses that this host answers for on the network. */
  servedOn(vni: number): Iterable<ServedAddress> {
    return this.#served.on(vni);
  }

  /** The one with this address on the network, if this host answers for it. */
  find(vni: number, ip: string): FloatingIp | undefined {
    return this.#floating.find(ip, this.#options.routing.gatewaysOn(vni));
  }

  #program(id: string): void {
    const { routing, qualities, isOnWire, program, withdraw } = this.#options;
    const floating = this.#floating.get(id);
    const router = routing.router(floating?.routerId ?? '');
    const gateway = router?.adminStateUp === true ? router.gateway : undefined;
    const owner = floatingOwner(id);
    if (floating === undefined || gateway === undefined || !isOnWire(gateway.vni)) {
      withdraw(owner);
      qualities.remove(owner);
      this.#serve(owner, []);
      return;
    }
    const quality = qualities.set(owner, floating.quality);
    program(owner, () => floatingIpFlows(floating, gateway, quality));
    this.#serve(owner, servedByFloatingIp(floating, gateway));
  }

  #serve(owner: string, addresses: readonly ServedAddress[]): void {
    const fresh = this.#served.set(owner, addresses);
    if (fresh.length > 0) this.#options.onServing(fresh);
  }
}
