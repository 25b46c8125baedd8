import {
  type FloatingIpConfiguration,
  type Goal,
  GoalDigest,
  type NeighborConfiguration,
  type PortConfiguration,
  type QosPolicyConfiguration,
  type VpcConfiguration,
} from '@alcor/contract';
import type {
  AllowedAddressPair,
  FloatingIp,
  PortForwarding,
  LocalIp,
  LocalPort,
  Neighbor,
  OnDemandVpc,
  ProviderNetwork,
  ProxiedAddress,
} from './dataplane/index.ts';
import { NameIndex } from './dns/name-index.ts';
import type { Copies } from './copies.ts';
import type { GroupSink, HeldGroups } from './held-groups.ts';
import { type PolicySink, qualityOf } from './held-policies.ts';
import type { HeldRouters, RouterSink } from './held-routers.ts';

/** What the held state drives: the data plane, as far as it concerns goals. */
export interface GoalSink extends GroupSink, PolicySink, RouterSink {
  setPort(port: LocalPort): void;
  removePort(id: string): void;
  setNeighbor(neighbor: Neighbor): void;
  removeNeighbor(id: string): void;
  setOnDemandVpc(vpc: OnDemandVpc): void;
  removeOnDemandVpc(id: string): void;
  setFloatingIp(floating: FloatingIp): void;
  removeFloatingIp(id: string): void;
  setProviderNetwork(network: ProviderNetwork): void;
  removeProviderNetwork(id: string): void;
}

/** Who asks for the neighbours of VPCs that are told on demand. */
export interface Learner {
  /** The VPC is told on demand from now on; without `vni` no longer. */
  setVpc(vpcId: string, vni: number | undefined): void;
  setNeighbor(neighbor: Neighbor): void;
  removeNeighbor(id: string): void;
}

export interface HeldVpcParts {
  readonly sink: GoalSink;
  readonly groups: HeldGroups;
  readonly policies: Copies<QosPolicyConfiguration>;
  readonly routers: HeldRouters;
  readonly learner: Learner | undefined;
}

/** A goal that is held, and who named it: the generations of the readings that did so last, 0 for never. */
export interface Item {
  readonly goal: Goal;
  /** Generation of the topic's reading whose word stands; 0: a stream's does. */
  readonly said: number;
  stream: number;
  topic: number;
  /** When anybody named it last; `Clock.now`. */
  heardAt: number;
}

/** The goals of one VPC, by key, and what each means to the data plane. What is programmed depends on what is held now only. */
export class HeldVpc {
  readonly id: string;
  readonly #ownKey: string;
  readonly items = new Map<string, Item>();
  /** Those of its ports, which are few where neighbours are many. */
  readonly #portKeys = new Set<string>();
  /** Over what is held. */
  readonly digest = new GoalDigest();
  readonly names = new NameIndex();
  readonly #sink: GoalSink;
  readonly #groups: HeldGroups;
  readonly #policies: Copies<QosPolicyConfiguration>;
  readonly #routers: HeldRouters;
  readonly #learner: Learner | undefined;
  /** Underlay addresses of gateway hosts, by id: one, but while it changes. */
  readonly #gateways = new Map<string, string>();
  #onDemand = false;

  constructor(id: string, { sink, groups, policies, routers, learner }: HeldVpcParts) {
    this.id = id;
    this.#ownKey = `vpc/${id}`;
    this.#sink = sink;
    this.#groups = groups;
    this.#policies = policies;
    this.#routers = routers;
    this.#learner = learner;
  }

  /** Of its neighbours the host is told only those that it has asked for. */
  get onDemand(): boolean {
    return this.#onDemand;
  }

  set onDemand(onDemand: boolean) {
    if (onDemand === this.#onDemand) return;
    this.#onDemand = onDemand;
    this.#tellOnDemand();
    for (const { goal } of this.items.values()) {
      if (goal.kind !== 'neighbor') continue;
      if (onDemand) this.#program(goal);
      else this.#learner?.removeNeighbor(goal.state.id);
    }
  }

  get ports(): number {
    return this.#portKeys.size;
  }

  /** The neighbours that are held on demand. */
  get learntIds(): string[] {
    if (!this.#onDemand) return [];
    return [...this.items.values()].flatMap(({ goal }) => (goal.kind === 'neighbor' ? [goal.state.id] : []));
  }

  /** The VPC's own state; without it nothing of the VPC can be programmed. */
  get own(): VpcConfiguration | undefined {
    return this.items.get(this.#ownKey)?.goal.state as VpcConfiguration | undefined;
  }

  set(key: string, item: Item): void {
    const before = this.own;
    const replaced = this.items.get(key);
    if (replaced !== undefined) this.digest.remove(replaced.goal);
    if (item.goal.kind === 'port') this.#portKeys.add(key);
    this.digest.add(item.goal);
    this.names.replace(replaced?.goal, item.goal);
    this.items.set(key, item);
    if (item.goal.kind === 'vpc') this.#onOwn(before);
    else this.#program(item.goal);
  }

  /** Answers with what was held. */
  delete(key: string): Item | undefined {
    const item = this.items.get(key);
    if (item === undefined) return undefined;
    const before = this.own;
    this.items.delete(key);
    this.digest.remove(item.goal);
    this.names.replace(item.goal, undefined);
    this.#portKeys.delete(key);
    if (item.goal.kind === 'vpc') this.#onOwn(before);
    else this.#withdraw(item.goal);
    return item;
  }

  #onOwn(before: VpcConfiguration | undefined): void {
    const now = this.own;
    const anotherTunnel = before?.tunnelId !== now?.tunnelId;
    const isMoved = before?.physicalNetwork !== now?.physicalNetwork || before?.vlanId !== now?.vlanId;
    if (anotherTunnel || isMoved) this.#tellWire(now);
    if (anotherTunnel || isMoved || before?.mtu !== now?.mtu) this.#routers.setNetwork(this.id, now && networkOf(now));
    if (anotherTunnel && (this.#onDemand || this.#gateways.size > 0)) this.#tellOnDemand();
    const sameForPorts = before?.adminStateDown === now?.adminStateDown && before?.qosPolicyId === now?.qosPolicyId;
    if (!anotherTunnel && sameForPorts) return;
    for (const key of anotherTunnel ? this.items.keys() : this.#portKeys) {
      const { goal } = this.items.get(key)!;
      if (goal.kind === 'port' || goal.kind === 'neighbor') this.#program(goal);
    }
  }

  #tellWire(now: VpcConfiguration | undefined): void {
    if (now === undefined || now.physicalNetwork === '') return this.#sink.removeProviderNetwork(this.id);
    const { tunnelId: vni, physicalNetwork, vlanId } = now;
    return this.#sink.setProviderNetwork({ id: this.id, vni, physicalNetwork, vlan: vlanId === 0 ? null : vlanId });
  }

  #tellOnDemand(): void {
    const vni = this.own?.tunnelId;
    const [, gateway] = [...this.#gateways].sort(([a], [b]) => (a < b ? -1 : 1))[0] ?? [];
    if (vni === undefined || !(this.#onDemand || gateway !== undefined)) this.#sink.removeOnDemandVpc(this.id);
    else this.#sink.setOnDemandVpc({ id: this.id, vni, gateway, isWhole: !this.#onDemand });
    this.#learner?.setVpc(this.id, this.#onDemand ? vni : undefined);
  }

  #setGateway(id: string, ip: string | undefined): void {
    if (this.#gateways.get(id) === ip) return;
    if (ip === undefined) this.#gateways.delete(id);
    else this.#gateways.set(id, ip);
    this.#tellOnDemand();
  }

  #program(goal: Goal): void {
    if (goal.kind === 'security-group') return this.#groups.setSecurityGroup(goal.state);
    if (goal.kind === 'address-group') return this.#groups.setAddressGroup(goal.state);
    if (goal.kind === 'network-acl') return this.#groups.setNetworkAcl(goal.state);
    if (goal.kind === 'qos-policy') return this.#policies.set(goal.state);
    if (goal.kind === 'floating-ip') return this.#sink.setFloatingIp(floatingIpOf(goal.state));
    if (goal.kind === 'subnet') return this.#routers.setSubnet(goal.state);
    if (goal.kind === 'router') return this.#routers.setRouter(goal.state);
    if (goal.kind === 'gateway') return this.#setGateway(goal.state.id, goal.state.destinations[0]?.ipAddress);
    const { own } = this;
    if (own === undefined) return this.#withdraw(goal);
    const { id: vpcId, tunnelId: vni, adminStateDown } = own;
    if (goal.kind === 'port') {
      const {
        id,
        macAddress: mac,
        fixedIps,
        adminStateUp,
        portSecurityDisabled,
        trunkParentId: parentId,
        trunkVlan: vlan,
        revisionNumber: revision,
      } = goal.state;
      this.#sink.setPort({
        id,
        vpcId,
        vni,
        mac,
        ips: fixedIps.map(({ ipAddress }) => ipAddress),
        ...(parentId === '' ? {} : { trunk: { parentId, vlan } }),
        subnetIds: fixedIps.map(({ subnetId }) => subnetId),
        adminStateUp: adminStateUp && !adminStateDown,
        portSecurityEnabled: !portSecurityDisabled,
        allowedAddressPairs: pairsOf(goal.state),
        securityGroupIds: goal.state.securityGroupIds.map((group) => group.id),
        qosPolicyId: policyOf(goal.state, own),
        localIps: goal.state.localIps.map(standsFor),
        revision,
      });
    }
    if (goal.kind === 'neighbor') {
      const { id, macAddress: mac, fixedIps, hostIpAddress: hostIp, ndpProxies, revisionNumber: revision } = goal.state;
      const neighbor: Neighbor = {
        id,
        vpcId,
        vni,
        mac,
        ips: fixedIps.map(({ ipAddress }) => ipAddress),
        allowedAddressPairs: pairsOf(goal.state),
        securityGroupIds: goal.state.securityGroupIds,
        hostIp,
        ...(ndpProxies.length === 0 ? {} : { proxied: ndpProxies.map(proxiedOf) }),
        revision,
      };
      this.#sink.setNeighbor(neighbor);
      if (this.#onDemand) this.#learner?.setNeighbor(neighbor);
    }
  }

  #withdraw({ kind, state }: Goal): void {
    if (kind === 'port') this.#sink.removePort(state.id);
    if (kind === 'neighbor') {
      this.#sink.removeNeighbor(state.id);
      this.#learner?.removeNeighbor(state.id);
    }
    if (kind === 'security-group') this.#groups.removeSecurityGroup(this.id, state.id);
    if (kind === 'address-group') this.#groups.removeAddressGroup(this.id, state.id);
    if (kind === 'network-acl') this.#groups.removeNetworkAcl(this.id, state.id);
    if (kind === 'qos-policy') this.#policies.remove(this.id, state.id);
    if (kind === 'floating-ip') this.#sink.removeFloatingIp(state.id);
    if (kind === 'subnet') this.#routers.removeSubnet(this.id, state.id);
    if (kind === 'router') this.#routers.removeRouter(this.id, state.id);
    if (kind === 'gateway') this.#setGateway(state.id, undefined);
  }
}

function networkOf({ tunnelId: vni, mtu, physicalNetwork }: VpcConfiguration) {
  return { vni, mtu, isOnWire: physicalNetwork !== '' };
}

/** What the data plane makes of a floating IP's goal. */
function floatingIpOf(state: FloatingIpConfiguration): FloatingIp {
  const { id, routerId, ipAddress: ip, macAddress: mac, fixedIpAddress, revisionNumber: revision } = state;
  const forwardings = state.portForwardings.map((each): PortForwarding => ({
    id: each.id,
    protocol: each.protocol === 6 ? 6 : 17,
    fixedIp: each.fixedIpAddress,
    external: [each.externalFirst, each.externalLast],
    internal: [each.internalFirst, each.internalLast],
  }));
  return { id, routerId, ip, mac, fixedIp: fixedIpAddress || null, forwardings, quality: qualityOf(state), revision };
}

function proxiedOf({ routerId, ipAddress: ip }: NeighborConfiguration['ndpProxies'][number]): ProxiedAddress {
  return { routerId, ip };
}

function standsFor({
  ipAddress: ip,
  fixedIpAddress: fixedIp,
  passthrough,
}: PortConfiguration['localIps'][number]): LocalIp {
  return { ip, fixedIp, isTranslated: !passthrough };
}

/** A pair without a MAC is the port's own. */
function pairsOf({ macAddress, allowAddressPairs }: PortConfiguration | NeighborConfiguration): AllowedAddressPair[] {
  return allowAddressPairs.map((pair) => ({ ip: pair.ipAddress, mac: pair.macAddress || macAddress }));
}

/** The port's own policy before the network's, which is for guests: not for what the network itself needs. */
function policyOf({ qosPolicyId, deviceOwner }: PortConfiguration, own: VpcConfiguration): string | undefined {
  if (qosPolicyId !== '') return qosPolicyId;
  return own.qosPolicyId === '' || deviceOwner.startsWith('network:') ? undefined : own.qosPolicyId;
}
