import type { RouterConfiguration, SubnetConfiguration } from '@alcor/contract';
import { Copies } from './copies.ts';
import type { Route, Router, RouterInterface } from './dataplane/index.ts';

/** What routers drive: the data plane, as far as it concerns them. */
export interface RouterSink {
  setRouter(router: Router): void;
  removeRouter(id: string): void;
}

/**
 * Routers as VPCs tell of them: each of the networks that a router is on tells of it, and the newest word counts. What a router is on comes
 * from the networks themselves and from their subnets, in any order; as long as one of them is not known, the router does without it.
 */
export class HeldRouters {
  readonly #sink: RouterSink;
  readonly #copies: Copies<RouterConfiguration>;
  readonly #routers = new Map<string, RouterConfiguration>();
  /** Routers with an interface on the VPC. */
  readonly #routersOn = new Map<string, Set<string>>();
  readonly #vnis = new Map<string, number>();
  /** Blocks of the subnets of each VPC, by id. */
  readonly #cidrs = new Map<string, Map<string, string>>();

  constructor(sink: RouterSink) {
    this.#sink = sink;
    this.#copies = new Copies(
      (state) => this.#set(state),
      (id) => this.#remove(id),
    );
  }

  setRouter(state: RouterConfiguration): void {
    this.#copies.set(state);
  }

  removeRouter(vpcId: string, id: string): void {
    this.#copies.remove(vpcId, id);
  }

  /** The VPC's VNI; undefined while nobody has told of it. */
  setNetwork(vpcId: string, vni: number | undefined): void {
    if (vni === undefined) this.#vnis.delete(vpcId);
    else this.#vnis.set(vpcId, vni);
    this.#onNetwork(vpcId);
  }

  setSubnet({ vpcId, id, cidr }: SubnetConfiguration): void {
    const cidrs = this.#cidrs.get(vpcId) ?? new Map<string, string>();
    if (cidrs.get(id) === cidr) return;
    this.#cidrs.set(vpcId, cidrs.set(id, cidr));
    this.#onNetwork(vpcId);
  }

  removeSubnet(vpcId: string, id: string): void {
    const cidrs = this.#cidrs.get(vpcId);
    if (cidrs?.delete(id) !== true) return;
    if (cidrs.size === 0) this.#cidrs.delete(vpcId);
    this.#onNetwork(vpcId);
  }

  #onNetwork(vpcId: string): void {
    for (const id of this.#routersOn.get(vpcId) ?? []) this.#sink.setRouter(this.#routerOf(this.#routers.get(id)!));
  }

  #set(state: RouterConfiguration): void {
    this.#leaveNetworks(state.id);
    this.#routers.set(state.id, state);
    for (const { vpcId } of state.interfaces) {
      const routers = this.#routersOn.get(vpcId) ?? new Set<string>();
      this.#routersOn.set(vpcId, routers.add(state.id));
    }
    this.#sink.setRouter(this.#routerOf(state));
  }

  #remove(id: string): void {
    this.#leaveNetworks(id);
    this.#routers.delete(id);
    this.#sink.removeRouter(id);
  }

  #leaveNetworks(id: string): void {
    for (const { vpcId } of this.#routers.get(id)?.interfaces ?? []) {
      const routers = this.#routersOn.get(vpcId);
      routers?.delete(id);
      if (routers?.size === 0) this.#routersOn.delete(vpcId);
    }
  }

  #routerOf(state: RouterConfiguration): Router {
    return routerOf(state, {
      vniOf: (vpcId) => this.#vnis.get(vpcId),
      cidrOf: (vpcId, subnetId) => this.#cidrs.get(vpcId)?.get(subnetId),
    });
  }
}

/** What is known of networks. */
export interface Networks {
  vniOf(vpcId: string): number | undefined;
  cidrOf(vpcId: string, subnetId: string): string | undefined;
}

/** What the data plane makes of a router's goal. */
export function routerOf(state: RouterConfiguration, networks: Networks): Router {
  const { id, adminStateDown, interfaces, revisionNumber: revision } = state;
  return {
    id,
    adminStateUp: !adminStateDown,
    interfaces: interfaces.flatMap((each) => interfaceOf(each, networks)),
    routes: routesOf(state),
    revision,
  };
}

function interfaceOf(
  { vpcId, macAddress: mac, fixedIps }: RouterConfiguration['interfaces'][number],
  networks: Networks,
): RouterInterface[] {
  const vni = networks.vniOf(vpcId);
  if (vni === undefined) return [];
  const addresses = fixedIps.flatMap(({ subnetId, ipAddress: ip }) => {
    const cidr = networks.cidrOf(vpcId, subnetId);
    return cidr === undefined ? [] : [{ ip, subnetId, cidr }];
  });
  return [{ vni, mac, addresses }];
}

/** The contract says a router's routes once for each of its subnets. */
function routesOf({ subnetRoutingTables }: RouterConfiguration): Route[] {
  const routes = new Map<string, Route>();
  for (const { routingRules } of subnetRoutingTables) {
    for (const { destination, nextHopIp: nextHop } of routingRules)
      routes.set(`${destination} ${nextHop}`, { destination, nextHop });
  }
  return [...routes.values()];
}
