/**
 * The resources that are held, and the flows that they make: keeps what the tracker wants equal to them. Does no I/O.
 * A change programs anew the resource that it is of and those whose flows depend on it, and nothing else.
 */
import { AclIndex } from './acl-index.ts';
import { AddressQualities } from './address-quality.ts';
import { broadcastFlows } from './broadcast.ts';
import { BroadcastIndex } from './broadcast-index.ts';
import { FloatingIps } from './floating-ips.ts';
import { networkAclFlows } from './network-acl.ts';
import { isOf, neighborOwner, type Owner, portOwner, resourceOf, routerOwner, vpcOwner, RANK } from './owners.ts';
import type { MeterTracker } from './meter-tracker.ts';
import { OwnedFlows } from './owned-flows.ts';
import { HOST, hostFlows, neighborFlows, portFlows } from './program.ts';
import type {
  AddressGroup,
  LocalPort,
  Neighbor,
  NetworkAcl,
  OnDemandVpc,
  ProviderNetwork,
  QosPolicy,
  Router,
  RouterInterface,
  SecurityGroup,
} from './resources.ts';
import { Plugs } from './plugs.ts';
import { PortQualities } from './port-qualities.ts';
import { providerFlows } from './provider.ts';
import { ProviderIndex } from './provider-index.ts';
import { routerFlows } from './routing.ts';
import { RoutingIndex } from './routing-index.ts';
import { addressGroupFlows, securityGroupFlows } from './security-groups.ts';
import { gatewayHere, servedByRouter, type ServedAddress } from './served.ts';
import { SecurityIndex } from './security-index.ts';
import { groupsOf } from './security.ts';
import type { PluggedInterface } from './switch.ts';
import type { Tracker } from './tracker.ts';
import { unknownFlows } from './unknown.ts';

export interface DesiredFlowsOptions {
  readonly tracker: Tracker;
  readonly meters: MeterTracker;
  /** This host's underlay address. */
  readonly hostIp: string;
  /** Told of every resource whose flows may have become others because another one changed. */
  readonly onAffected: (id: string) => void;
  /** Told of addresses that this host answers for on a wire from now on. */
  readonly onServing: (addresses: readonly ServedAddress[]) => void;
}

export class DesiredFlows {
  readonly ports = new Map<string, LocalPort>();
  readonly neighbors = new Map<string, Neighbor>();
  readonly plugs = new Plugs();
  readonly #flows: OwnedFlows;
  readonly #hostIp: string;
  readonly #onAffected: (id: string) => void;
  readonly #security = new SecurityIndex();
  readonly #routing = new RoutingIndex();
  readonly #acls = new AclIndex();
  readonly #vpcs = new Map<string, OnDemandVpc>();
  readonly #broadcast = new BroadcastIndex();
  readonly #portQualities: PortQualities;
  readonly #qualities: AddressQualities;
  #allHere = false;
  readonly #providers = new ProviderIndex();
  readonly floatingIps: FloatingIps;
  #tunnelPort: number | null = null;
  #gatewayPort: number | null = null;

  constructor(options: DesiredFlowsOptions) {
    this.#flows = new OwnedFlows(options.tracker);
    this.#qualities = new AddressQualities(options.meters);
    this.#hostIp = options.hostIp;
    this.#onAffected = options.onAffected;
    this.#portQualities = new PortQualities({
      flows: this.#flows,
      meters: options.meters,
      place: (id) => this.#placeOf(id),
      onAffected: options.onAffected,
    });
    this.floatingIps = new FloatingIps({
      hostIp: options.hostIp,
      routing: this.#routing,
      qualities: this.#qualities,
      isOnWire: (vni) => this.#providers.wireOf(vni) !== null,
      program: (owner, flows) => this.#flows.program(owner, RANK.floating, flows),
      withdraw: (owner) => this.#flows.withdraw(owner),
      onServing: options.onServing,
    });
    this.#programHost();
  }

  /**
   * All resources are here now. Flows that are made of many of them wait for it, because in a switch that an earlier process programmed
   * they are better than what a few would make.
   */
  allHere(): void {
    if (this.#allHere) return;
    this.#allHere = true;
    this.#programNetworks(this.#broadcast.networks());
  }

  /** Owners whose values make no flows, and why. */
  get invalid(): ReadonlyMap<string, string> {
    return this.#flows.invalid;
  }

  get tunnelPort(): number | null {
    return this.#tunnelPort;
  }

  /** False if it is what it was. */
  setTunnelPort(ofport: number | null): boolean {
    if (ofport === this.#tunnelPort) return false;
    this.#tunnelPort = ofport;
    this.#programHost();
    return true;
  }

  /** The port for what goes between hosts and gateways. False if it is what it was. */
  setGatewayPort(ofport: number | null): boolean {
    if (ofport === this.#gatewayPort) return false;
    this.#gatewayPort = ofport;
    for (const id of this.#vpcs.keys()) this.#programVpc(id);
    const providers = [...this.#providers.networks];
    for (const { id } of providers) this.#programProvider(id);
    return this.#vpcs.size + providers.length > 0;
  }

  /** The port to the bridge of a physical network. False if it is what it was. */
  setWire(physicalNetwork: string, ofport: number | null): boolean {
    const concerned = this.#providers.setWire(physicalNetwork, ofport);
    for (const { id, vni } of concerned ?? []) {
      this.#programProvider(id);
      for (const owner of this.#routing.holdersOf(vni)) this.#onAffected(resourceOf(owner));
      this.#programGatewaysOn(vni);
    }
    return concerned !== undefined && concerned.length > 0;
  }

  setProviderNetwork(network: ProviderNetwork): void {
    this.#onProvider(network.id, this.#providers.set(network));
  }

  removeProviderNetwork(id: string): void {
    this.#onProvider(id, this.#providers.remove(id));
  }

  #onProvider(id: string, vnis: ReadonlySet<number>): void {
    this.#programProvider(id);
    this.#programNetworks([...vnis]);
    for (const vni of vnis) {
      this.#programAll(this.#routing.holdersOf(vni));
      this.#programGatewaysOn(vni);
    }
  }

  /** Who answers on a wire depends on there being one. */
  #programGatewaysOn(vni: number): void {
    for (const { id } of this.#routing.gatewaysOn(vni)) this.#programRouter(id);
  }

  /** Why the port's network does not lead off this host; null where it does. */
  whyCutOff(id: string): string | null {
    return this.#providers.whyCutOff(this.ports.get(id)?.vni ?? -1);
  }

  setPort(port: LocalPort): void {
    this.ports.set(port.id, port);
    this.plugs.setPort(port.id, port);
    const { securityGroupIds = [], subnetIds = [] } = port;
    this.#programAll(this.#acls.setPort(portOwner(port.id), subnetIds));
    this.#portQualities.setPort(port.id, port.qosPolicyId);
    this.#routing.setHolder(portOwner(port.id), port.vni);
    this.#programAll(this.#security.setPort(portOwner(port.id), securityGroupIds, groupsOf(port) !== null));
    this.#programPort(port.id);
  }

  removePort(id: string): void {
    this.ports.delete(id);
    this.plugs.setPort(id, undefined);
    this.#programAll(this.#acls.setPort(portOwner(id), []));
    this.#portQualities.setPort(id, undefined);
    this.#routing.setHolder(portOwner(id), null);
    this.#programAll(this.#security.setPort(portOwner(id), [], true));
    this.#programPort(id);
  }

  setNeighbor(neighbor: Neighbor): void {
    this.#programNetworks(
      this.#broadcast.moveNeighbor(this.#away(this.neighbors.get(neighbor.id)), this.#away(neighbor)),
    );
    this.neighbors.set(neighbor.id, neighbor);
    // One string for all, because a large VPC has as many of them as neighbours.
    const owner = neighborOwner(neighbor.id);
    this.#routing.setHolder(owner, neighbor.vni);
    this.#security.setNeighbor(owner, neighbor.securityGroupIds ?? []);
    this.#programNeighbor(neighbor.id, owner);
    this.floatingIps.proxies.set(neighbor);
  }

  removeNeighbor(id: string): void {
    this.#programNetworks(this.#broadcast.moveNeighbor(this.#away(this.neighbors.get(id)), undefined));
    this.neighbors.delete(id);
    this.#routing.setHolder(neighborOwner(id), null);
    this.#security.setNeighbor(neighborOwner(id), []);
    this.#programNeighbor(id);
    this.floatingIps.proxies.remove(id);
  }

  /** The neighbour, if it is one on another host. */
  #away(neighbor: Neighbor | undefined): Neighbor | undefined {
    return neighbor?.hostIp === this.#hostIp ? undefined : neighbor;
  }

  setRouter(router: Router): void {
    this.#programAll(this.#routing.setRouter(router));
    this.#programRouter(router.id);
  }

  removeRouter(id: string): void {
    this.#programAll(this.#routing.removeRouter(id));
    this.#programRouter(id);
  }

  setOnDemandVpc(vpc: OnDemandVpc): void {
    this.#vpcs.set(vpc.id, vpc);
    this.#programNetworks(this.#broadcast.close(vpc.id, vpc.vni));
    this.#programVpc(vpc.id);
  }

  removeOnDemandVpc(id: string): void {
    this.#vpcs.delete(id);
    this.#programNetworks(this.#broadcast.close(id, null));
    this.#programVpc(id);
  }

  setSecurityGroup(group: SecurityGroup): void {
    this.#programAll(this.#security.setGroup(group));
  }

  removeSecurityGroup(id: string): void {
    this.#programAll(this.#security.removeGroup(id));
  }

  setAddressGroup(group: AddressGroup): void {
    this.#security.setAddressGroup(group);
    this.#programAddressGroup(group.id);
  }

  removeAddressGroup(id: string): void {
    this.#security.removeAddressGroup(id);
    this.#programAddressGroup(id);
  }

  setNetworkAcl(acl: NetworkAcl): void {
    this.#programAll(this.#acls.setAcl(acl));
  }

  removeNetworkAcl(id: string): void {
    this.#programAll(this.#acls.removeAcl(id));
  }

  setQosPolicy(policy: QosPolicy): void {
    this.#portQualities.setPolicy(policy);
  }

  removeQosPolicy(id: string): void {
    this.#portQualities.removePolicy(id);
  }

  /** Whose rules judge what the port sends and gets. */
  judgesOf(port: LocalPort): { readonly groups: readonly SecurityGroup[]; readonly acls: readonly NetworkAcl[] } {
    const groups = (groupsOf(port) ?? []).flatMap((id) => this.#security.groupInUse(id) ?? []);
    return { groups, acls: this.#acls.judgesOf(port.subnetIds ?? []) };
  }

  /** The port that flows know by this key. */
  portAt(key: number): LocalPort | undefined {
    return this.ports.get(this.plugs.portAt(key) ?? '');
  }

  /** By which a router is on the network. */
  interfaceAt(vni: number, ethernet: number): RouterInterface | undefined {
    return this.#routing.interfaceAt(vni, ethernet);
  }

  /** Those of all routers on the network. */
  interfacesOn(vni: number): readonly RouterInterface[] {
    return this.#routing.interfacesOn(vni);
  }

  /** True if a port that is held is concerned. */
  plug(iface: PluggedInterface): boolean {
    return this.#replug(this.plugs.plug(iface));
  }

  /** True if a port that is held is concerned. */
  unplug(ifaceId: string, reason: string): boolean {
    return this.#replug(this.plugs.unplug(ifaceId, reason));
  }

  #replug(ids: readonly string[]): boolean {
    for (const id of ids) {
      this.#programPort(id);
      this.#onAffected(id);
    }
    return ids.length > 0;
  }

  #programHost(): void {
    this.#flows.program(HOST, RANK.host, () => hostFlows(this.#tunnelPort));
  }

  #placeOf(id: string): { readonly port: LocalPort | undefined; readonly ofport: number | undefined } {
    const port = this.ports.get(id);
    return { port, ofport: port === undefined ? undefined : this.plugs.interfaceFor(port)?.ofport };
  }

  #programPort(id: string): void {
    const { port, ofport } = this.#placeOf(id);
    const key = port === undefined ? undefined : this.plugs.keyFor(port);
    if (port === undefined || ofport === undefined) this.#flows.withdraw(portOwner(id));
    else
      this.#flows.program(portOwner(id), RANK.port, () =>
        portFlows(port, ofport, this.#security, this.#routing, this.#acls),
      );
    this.#portQualities.program(id);
    const isThere = port?.adminStateUp === true && key !== undefined;
    this.#programNetworks(this.#broadcast.setPort(id, isThere ? { vni: port.vni, ofport: key } : undefined));
  }

  /** Of networks whose audience has become another. */
  #programNetworks(vnis: readonly number[]): void {
    if (!this.#allHere) return;
    for (const vni of vnis) {
      const audience = this.#broadcast.audience(vni);
      if (audience === undefined) this.#flows.withdraw(`broadcast ${vni}`);
      else {
        const isOnWire = this.#providers.isOnWire(vni);
        this.#flows.program(`broadcast ${vni}`, RANK.broadcast, () => broadcastFlows(audience, isOnWire));
      }
    }
  }

  #programNeighbor(id: string, owner = neighborOwner(id)): void {
    const neighbor = this.neighbors.get(id);
    if (neighbor === undefined) this.#flows.withdraw(owner);
    else {
      const isOnWire = this.#providers.isOnWire(neighbor.vni);
      const flows = () => neighborFlows(neighbor, this.#hostIp, this.#security, this.#routing, isOnWire);
      this.#flows.program(owner, RANK.neighbor, flows);
    }
  }

  #programRouter(id: string): void {
    const router = this.#routing.router(id);
    const quality = this.#qualities.set(routerOwner(id), router && gatewayHere(router, this.#hostIp)?.quality);
    if (router === undefined) this.#flows.withdraw(routerOwner(id));
    else this.#flows.program(routerOwner(id), RANK.router, () => routerFlows(router, this.#hostIp, quality));
    this.floatingIps.onRouter(id, router === undefined ? [] : servedByRouter(router, this.#hostIp));
  }

  #programProvider(id: string): void {
    const network = this.#providers.get(id);
    const ways = { wire: this.#providers.wireOf(network?.vni ?? -1), gateway: this.#gatewayPort };
    if (network === undefined) this.#flows.withdraw(`provider ${id}`);
    else this.#flows.program(`provider ${id}`, RANK.provider, () => providerFlows(network, ways));
  }

  #programVpc(id: string): void {
    const vpc = this.#vpcs.get(id);
    const here = { hostIp: this.#hostIp, gatewayPort: this.#gatewayPort };
    if (vpc === undefined) this.#flows.withdraw(vpcOwner(id));
    else this.#flows.program(vpcOwner(id), RANK.vpc, () => unknownFlows(vpc, here));
  }

  #programGroup(id: string): void {
    const group = this.#security.groupInUse(id);
    if (group === undefined) this.#flows.withdraw(`group ${id}`);
    else this.#flows.program(`group ${id}`, RANK.group, () => securityGroupFlows(group));
  }

  #programAcl(id: string): void {
    const acl = this.#acls.inUse(id);
    if (acl === undefined) this.#flows.withdraw(`acl ${id}`);
    else this.#flows.program(`acl ${id}`, RANK.acl, () => networkAclFlows(acl));
  }

  #programAddressGroup(id: string): void {
    const group = this.#security.addressGroupInUse(id);
    if (group === undefined) this.#flows.withdraw(`addresses ${id}`);
    else this.#flows.program(`addresses ${id}`, RANK.addresses, () => addressGroupFlows(group));
  }

  /** What a change elsewhere has concerned. */
  #programAll(owners: ReadonlySet<Owner>): void {
    for (const owner of owners) {
      const id = resourceOf(owner);
      if (isOf('port', owner)) this.#programPort(id);
      else if (isOf('neighbor', owner)) this.#programNeighbor(id);
      else if (isOf('router', owner)) this.#programRouter(id);
      else if (isOf('acl', owner)) this.#programAcl(id);
      else if (isOf('group', owner)) this.#programGroup(id);
      else this.#programAddressGroup(id);
      this.#onAffected(id);
    }
  }
}
