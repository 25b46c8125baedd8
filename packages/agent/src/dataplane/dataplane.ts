/**
 * The host's data plane: holds the resources that the agent gives it, keeps the switch's flows equal to them, and says of
 * each resource whether it is in force.
 *
 *   setPort, setNeighbor … ─▶ desired ─▶ tracker ─▶ reconciler ─▶ Switch
 *   plugged, unplugged, tunnel ─▲            ▲── read back ─────────┘ after start, loss or doubt
 */
import type { Clock } from '@alcor/runtime';
import { unreachable } from './assert.ts';
import { portCounters, type PortCounters } from './counters.ts';
import type { DataplaneDescription } from './describe.ts';
import { DesiredFlows } from './desired.ts';
import type { Match } from './flow.ts';
import { MeterTracker } from './meter-tracker.ts';
import { Outcomes, type Touched } from './outcomes.ts';
import { resourceOf } from './owners.ts';
import { tables, pipeline } from './pipeline.ts';
import { HOST } from './program.ts';
import { Reconciler } from './reconciler.ts';
import type {
  AddressGroup,
  FloatingIp,
  LocalPort,
  Neighbor,
  NetworkAcl,
  OnDemandVpc,
  OutsideNeighbor,
  ProviderNetwork,
  QosPolicy,
  ResourceOutcome,
  Router,
  RouterInterface,
  SecurityGroup,
} from './resources.ts';
import type { ServedAddress } from './served.ts';
import type { FlowUse, PacketIn, PacketOut, Switch, SwitchEvent } from './switch.ts';
import { Tracker } from './tracker.ts';

export interface DataplaneOptions {
  readonly switch: Switch;
  /** This host's underlay address. */
  readonly hostIp: string;
  readonly clock: Clock;
  /** Told when a resource's outcome becomes another than the last one given, outside of `flush` and `reconcile`. */
  readonly onPortOutcome?: (outcome: ResourceOutcome) => void;
  /** Told of every outcome that is given, also by `flush` and `reconcile`. */
  readonly onOutcomes?: (outcomes: readonly ResourceOutcome[]) => void;
  /** Given the packets that flows give to the agent, one at a time. */
  readonly onPacket?: (packet: PacketIn) => void;
  /** Called when the switch has gone or come back. */
  readonly onSwitch?: () => void;
  /** Told of addresses that this host answers for on a wire from now on; their flows are still to be written. */
  readonly onServing?: (addresses: readonly ServedAddress[]) => void;
}

export class Dataplane {
  readonly #switch: Switch;
  readonly #onPacket: (packet: PacketIn) => void;
  readonly #onSwitch: () => void;
  readonly #onOutcomes: (outcomes: readonly ResourceOutcome[]) => void;
  readonly #tracker = new Tracker();
  readonly #meters = new MeterTracker();
  readonly #desired: DesiredFlows;
  readonly #outcomes: Outcomes;
  readonly #reconciler: Reconciler;

  constructor(options: DataplaneOptions) {
    const { hostIp, clock } = options;
    this.#switch = options.switch;
    this.#onPacket = options.onPacket ?? (() => undefined);
    this.#onSwitch = options.onSwitch ?? (() => undefined);
    this.#onOutcomes = options.onOutcomes ?? (() => undefined);
    const tracker = this.#tracker;
    const meters = this.#meters;
    const desired = new DesiredFlows({
      tracker,
      meters,
      hostIp,
      onAffected: (id) => this.#outcomes.stir(id),
      onServing: options.onServing ?? (() => undefined),
    });
    this.#desired = desired;
    this.#reconciler = new Reconciler({
      switch: options.switch,
      tracker,
      meters,
      clock,
      onRefused: (owner) => this.#onRefused(owner),
      onBackgroundWork: () => this.#outcomes.tellChanges(),
    });
    this.#outcomes = new Outcomes({
      desired,
      tracker,
      meters,
      hostIp,
      lost: () => this.#reconciler.lost,
      tell: (outcome) => {
        this.#onOutcomes([outcome]);
        options.onPortOutcome?.(outcome);
      },
    });
  }

  /** Connects and reads the flows present, which stay in force until `reconcile`. Lives until `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    this.#reconciler.begin(signal);
    await this.#switch.start((event) => this.#onEvent(event), signal);
    await this.#reconciler.firstRead(signal);
  }

  setPort(port: LocalPort): void {
    this.#outcomes.touch(port.id);
    this.#desired.setPort(port);
  }

  removePort(id: string): void {
    this.#outcomes.touch(id);
    this.#desired.removePort(id);
  }

  setNeighbor(neighbor: Neighbor): void {
    this.#outcomes.touch(neighbor.id);
    this.#desired.setNeighbor(neighbor);
  }

  removeNeighbor(id: string): void {
    this.#outcomes.touch(id);
    this.#desired.removeNeighbor(id);
  }

  setRouter(router: Router): void {
    this.#outcomes.touch(router.id);
    this.#desired.setRouter(router);
  }

  removeRouter(id: string): void {
    this.#outcomes.touch(id);
    this.#desired.removeRouter(id);
  }

  /** Packets of the VPC to who is not known go to `onPacket`, and to its gateway where it has one; on the gateway's own host, those of others go on. */
  setOnDemandVpc(vpc: OnDemandVpc): void {
    this.#outcomes.touch(vpc.id);
    this.#desired.setOnDemandVpc(vpc);
  }

  removeOnDemandVpc(id: string): void {
    this.#outcomes.touch(id);
    this.#desired.removeOnDemandVpc(id);
  }

  /** Packets of the network go by the wire of its physical network. */
  setProviderNetwork(network: ProviderNetwork): void {
    this.#outcomes.touch(network.id);
    this.#desired.setProviderNetwork(network);
  }

  removeProviderNetwork(id: string): void {
    this.#outcomes.touch(id);
    this.#desired.removeProviderNetwork(id);
  }

  /** This host answers for it, where it has its router's external network on a wire. */
  setFloatingIp(floating: FloatingIp): void {
    this.#outcomes.touch(floating.id);
    this.#desired.floatingIps.set(floating);
  }

  removeFloatingIp(id: string): void {
    this.#outcomes.touch(id);
    this.#desired.floatingIps.remove(id);
  }

  /** Packets for the machine go to its MAC; nobody is told what becomes of it. */
  setOutsideNeighbor(neighbor: OutsideNeighbor): void {
    this.#desired.floatingIps.setOutsideNeighbor(neighbor);
  }

  removeOutsideNeighbor(neighbor: OutsideNeighbor): void {
    this.#desired.floatingIps.removeOutsideNeighbor(neighbor);
  }

  /** Addresses that this host answers for with this MAC on the network. */
  servedAt(vni: number, mac: string): readonly ServedAddress[] {
    return this.#desired.floatingIps.servedAt(vni, mac);
  }

  /** All addresses that this host answers for on the network. */
  servedOn(vni: number): Iterable<ServedAddress> {
    return this.#desired.floatingIps.servedOn(vni);
  }

  /** The floating IP with this address on the network, if this host answers for it. */
  floatingIpAt(vni: number, ip: string): FloatingIp | undefined {
    return this.#desired.floatingIps.find(vni, ip);
  }

  /** A group judges the ports that name it; one that is not known here allows nothing. */
  setSecurityGroup(group: SecurityGroup): void {
    this.#outcomes.touch(group.id);
    this.#desired.setSecurityGroup(group);
  }

  removeSecurityGroup(id: string): void {
    this.#outcomes.touch(id);
    this.#desired.removeSecurityGroup(id);
  }

  /** An ACL judges what crosses the borders of its subnets, as far as ports of this host are in them. */
  setNetworkAcl(acl: NetworkAcl): void {
    this.#outcomes.touch(acl.id);
    this.#desired.setNetworkAcl(acl);
  }

  removeNetworkAcl(id: string): void {
    this.#outcomes.touch(id);
    this.#desired.removeNetworkAcl(id);
  }

  /** A policy limits and marks the ports that name it; one that is not known here does nothing. */
  setQosPolicy(policy: QosPolicy): void {
    this.#outcomes.touch(policy.id);
    this.#desired.setQosPolicy(policy);
  }

  removeQosPolicy(id: string): void {
    this.#outcomes.touch(id);
    this.#desired.removeQosPolicy(id);
  }

  setAddressGroup(group: AddressGroup): void {
    this.#outcomes.touch(group.id);
    this.#desired.setAddressGroup(group);
  }

  removeAddressGroup(id: string): void {
    this.#outcomes.touch(id);
    this.#desired.removeAddressGroup(id);
  }

  /**
   * Writes what is pending, make before break; resolves after the barrier with an outcome for each resource touched since the last
   * call (one that was removed is ok when nothing of it is left), unless it is touched again before: the next call speaks of it
   * then. Deletes only flows that this data plane wrote or adopted, until `reconcile`.
   */
  async flush(signal: AbortSignal): Promise<readonly ResourceOutcome[]> {
    const taken = this.#outcomes.take();
    return this.#reconciler.exclusively(() => this.#flush(taken, signal));
  }

  /**
   * Says that all resources are here now: flows that belong to none of them are deleted, from now on also after each loss
   * of the switch. Outcomes as from `flush`.
   */
  async reconcile(signal: AbortSignal): Promise<readonly ResourceOutcome[]> {
    const taken = this.#outcomes.take();
    this.#desired.allHere();
    return this.#reconciler.exclusively(() => {
      this.#reconciler.sweep();
      return this.#flush(taken, signal);
    });
  }

  /** The port of this host that flows know by this key (reg0 and reg1). */
  portAt(key: number): LocalPort | undefined {
    return this.#desired.portAt(key);
  }

  /** By which a router is on the network. */
  interfaceAt(vni: number, ethernet: number): RouterInterface | undefined {
    return this.#desired.interfaceAt(vni, ethernet);
  }

  /** Those of all routers on the network. */
  interfacesOn(vni: number): readonly RouterInterface[] {
    return this.#desired.interfacesOn(vni);
  }

  /** Ports that are plugged, each with the key that flows know it by. */
  pluggedPorts(): { readonly port: LocalPort; readonly key: number }[] {
    const { ports, plugs } = this.#desired;
    return [...ports.values()].flatMap((port) => {
      const key = plugs.keyFor(port);
      return key === undefined ? [] : [{ port, key }];
    });
  }

  /** Has packets enter the pipeline at the tables that they name; they find at least what `flush` has answered for. */
  send(packets: readonly PacketOut[]): void {
    this.#switch.send(packets);
  }

  /** What flows have counted whose matches have the values of `match`. Throws `SwitchLost`. */
  uses(match: Match, signal: AbortSignal): AsyncIterable<FlowUse> {
    return this.#switch.uses(match, signal);
  }

  /** What has been counted for a port of this host; a text: why there are no counters. Throws `SwitchLost`. */
  async counters(portId: string, signal: AbortSignal): Promise<PortCounters | string> {
    const port = this.#desired.ports.get(portId);
    if (port === undefined) return `port ${portId} is not on this host`;
    if (this.#desired.plugs.keyFor(port) === undefined) return this.#outcomes.of(portId).reason;
    const parts = { tracker: this.#tracker, meters: this.#meters, desired: this.#desired, switch: this.#switch };
    return portCounters(port, parts, signal);
  }

  /** The switch cannot be spoken with. */
  get isAway(): boolean {
    return this.#reconciler.lost !== null;
  }

  /** The state for people and tools. Costs a look at every flow. */
  describe(): DataplaneDescription {
    const { wanted, ...flows } = this.#tracker.describe();
    const { ports, plugs, neighbors, tunnelPort } = this.#desired;
    return {
      switch: this.#switch.name,
      connected: !this.isAway,
      tunnelPort,
      tables: tables.map((name) => ({ id: pipeline[name].id, name, flows: wanted.get(pipeline[name].id) ?? 0 })),
      ports: [...ports.values()].map((port) => {
        const { id, vni, mac, ips } = port;
        const { status, reason } = this.#outcomes.of(id);
        return { id, vni, mac, ips, plugged: plugs.interfaceFor(port) ?? null, status, reason };
      }),
      neighbors: neighbors.size,
      flows,
    };
  }

  async #flush(taken: Touched, signal: AbortSignal): Promise<readonly ResourceOutcome[]> {
    let isDone = false;
    try {
      do isDone = await this.#reconciler.work(signal);
      while (isDone && this.#outcomes.waits(taken));
    } catch (error) {
      for (const id of taken.ids) this.#outcomes.touch(id);
      throw error;
    }
    const outcomes = this.#outcomes.answer(taken, isDone);
    this.#onOutcomes(outcomes);
    return outcomes;
  }

  #onEvent(event: SwitchEvent): void {
    switch (event.type) {
      case 'plugged':
        if (this.#desired.plug(event.iface)) this.#reconciler.kick();
        return undefined;
      case 'unplugged':
        if (this.#desired.unplug(event.ifaceId, event.reason)) this.#reconciler.kick();
        return undefined;
      case 'tunnel':
        if (this.#desired.setTunnelPort(event.ofport)) this.#reconciler.kick();
        return undefined;
      case 'gateway-tunnel':
        if (this.#desired.setGatewayPort(event.ofport)) this.#reconciler.kick();
        return undefined;
      case 'wire':
        if (this.#desired.setWire(event.physicalNetwork, event.ofport)) this.#reconciler.kick();
        return undefined;
      case 'packet':
        return this.#onPacket(event.packet);
      case 'lost':
        this.#reconciler.lose(event.reason);
        return this.#onSwitch();
      case 'connected':
        this.#reconciler.regain();
        return this.#onSwitch();
      default:
        return unreachable(event);
    }
  }

  /** The host's own flows are no resource, but every port's trouble. */
  #onRefused(owner: string): void {
    for (const id of owner === HOST ? this.#desired.ports.keys() : [resourceOf(owner)]) this.#outcomes.stir(id);
  }
}
