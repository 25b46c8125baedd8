import type { RouterConfiguration, SubnetConfiguration } from '@alcor/contract';
import { Copies } from './copies.ts';
import { qualityOf } from './held-policies.ts';
import type {
  ConntrackHelper,
  Route,
  Router,
  RouterAddress,
  RouterGateway,
  RouterInterface,
} from './dataplane/index.ts';

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
  readonly #networks = new Map<string, KnownNetwork>();
  /** Subnets of each VPC, by id. */
  readonly #subnets = new Map<string, Map<string, KnownSubnet>>();

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

  /** Undefined while nobody has told of it. */
  setNetwork(vpcId: string, network: KnownNetwork | undefined): void {
    if (network === undefined) this.#networks.delete(vpcId);
    else this.#networks.set(vpcId, network);
    this.#onNetwork(vpcId);
  }

  setSubnet({ vpcId, id, cidr, gateway }: SubnetConfiguration): void {
    const subnets = this.#subnets.get(vpcId) ?? new Map<string, KnownSubnet>();
    const known = subnets.get(id);
    const gatewayIp = gateway?.ipAddress ?? '';
    if (known?.cidr === cidr && known.gatewayIp === gatewayIp) return;
    this.#subnets.set(vpcId, subnets.set(id, { cidr, gatewayIp }));
    this.#onNetwork(vpcId);
  }

  removeSubnet(vpcId: string, id: string): void {
    const subnets = this.#subnets.get(vpcId);
    if (subnets?.delete(id) !== true) return;
    if (subnets.size === 0) this.#subnets.delete(vpcId);
    this.#onNetwork(vpcId);
  }

  #onNetwork(vpcId: string): void {
    for (const id of this.#routersOn.get(vpcId) ?? []) this.#sink.setRouter(this.#routerOf(this.#routers.get(id)!));
  }

  #set(state: RouterConfiguration): void {
    this.#leaveNetworks(state.id);
    this.#routers.set(state.id, state);
    for (const vpcId of vpcsOf(state)) {
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
    const known = this.#routers.get(id);
    for (const vpcId of known === undefined ? [] : vpcsOf(known)) {
      const routers = this.#routersOn.get(vpcId);
      routers?.delete(id);
      if (routers?.size === 0) this.#routersOn.delete(vpcId);
    }
  }

  #routerOf(state: RouterConfiguration): Router {
    return routerOf(state, {
      network: (vpcId) => this.#networks.get(vpcId),
      subnet: (vpcId, subnetId) => this.#subnets.get(vpcId)?.get(subnetId),
    });
  }
}

interface KnownNetwork {
  readonly vni: number;
  /** 0: not known. */
  readonly mtu: number;
  /** It is a provider network. */
  readonly isOnWire: boolean;
}

interface KnownSubnet {
  readonly cidr: string;
  /** Empty: it has none. */
  readonly gatewayIp: string;
}

/** What is known of networks. */
export interface Networks {
  network(vpcId: string): KnownNetwork | undefined;
  subnet(vpcId: string, subnetId: string): KnownSubnet | undefined;
}

/** Those that the router is on, by an interface or by its gateway. */
function vpcsOf({ interfaces, externalGateway }: RouterConfiguration): Set<string> {
  return new Set(
    [...interfaces, ...(externalGateway === undefined ? [] : [externalGateway])].map(({ vpcId }) => vpcId),
  );
}

/** What the data plane makes of a router's goal. */
export function routerOf(state: RouterConfiguration, networks: Networks): Router {
  const { id, adminStateDown, interfaces, revisionNumber: revision } = state;
  return {
    id,
    adminStateUp: !adminStateDown,
    interfaces: interfaces.flatMap((each) => interfaceOf(each, networks)),
    routes: routesOf(state),
    gateway: gatewayOf(state, networks),
    revision,
  };
}

function interfaceOf(
  { vpcId, macAddress: mac, fixedIps }: RouterConfiguration['interfaces'][number],
  networks: Networks,
): RouterInterface[] {
  const network = networks.network(vpcId);
  if (network === undefined) return [];
  return [{ vni: network.vni, mtu: network.mtu, mac, addresses: addressesOf(vpcId, fixedIps, networks) }];
}

function addressesOf(
  vpcId: string,
  fixedIps: RouterConfiguration['interfaces'][number]['fixedIps'],
  networks: Networks,
): RouterAddress[] {
  return fixedIps.flatMap(({ subnetId, ipAddress: ip }) => {
    const subnet = networks.subnet(vpcId, subnetId);
    return subnet === undefined ? [] : [{ ip, subnetId, cidr: subnet.cidr }];
  });
}

/** Only a provider network leads out of the region. */
function gatewayOf(
  { externalGateway, conntrackHelpers }: RouterConfiguration,
  networks: Networks,
): RouterGateway | undefined {
  if (externalGateway === undefined) return undefined;
  const { vpcId, macAddress: mac, fixedIps, snatEnabled: snat, hostIpAddress } = externalGateway;
  const network = networks.network(vpcId);
  if (network?.isOnWire !== true) return undefined;
  const nextHops = fixedIps.flatMap(({ subnetId }) => networks.subnet(vpcId, subnetId)?.gatewayIp || []);
  const addresses = addressesOf(vpcId, fixedIps, networks);
  const quality = qualityOf(externalGateway);
  return {
    vni: network.vni,
    mtu: network.mtu,
    mac,
    addresses,
    nextHops,
    snat,
    hostIp: hostIpAddress || undefined,
    proxiesNdp: externalGateway.ndpProxyEnabled,
    helpers: conntrackHelpers.flatMap(helperOf),
    quality,
  };
}

function helperOf({ protocol, port, helper }: RouterConfiguration['conntrackHelpers'][number]): ConntrackHelper[] {
  if (protocol === 6 && helper === 'ftp') return [{ application: 'ftp', protocol, port }];
  return protocol === 17 && helper === 'tftp' ? [{ application: 'tftp', protocol, port }] : [];
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
