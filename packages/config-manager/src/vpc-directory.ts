import type {
  AddressGroupConfiguration,
  GatewayConfiguration,
  Goal,
  NeighborConfiguration,
  NetworkAclConfiguration,
  RouterConfiguration,
  SecurityGroupConfiguration,
  SubnetConfiguration,
  VpcConfiguration,
} from '@alcor/contract';
import type { Entry } from '@alcor/runtime';

/** What became of a neighbour; `undefined`: it was not there, or is not any more. */
export interface NeighborChange {
  readonly before: NeighborConfiguration | undefined;
  readonly after: NeighborConfiguration | undefined;
}

/** The groups that rules name as remote, of all VPCs that are followed: who is in one must be known where it sends to. */
export class RemoteGroups {
  readonly #named = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#named.size === 0;
  }

  has(neighbor: NeighborConfiguration): boolean {
    return neighbor.securityGroupIds.some((id) => this.#named.has(id));
  }

  /** Counts a group's rules in, or out with -1; true: a group is named that was not before. */
  count(group: SecurityGroupConfiguration, by: 1 | -1): boolean {
    let isNew = false;
    for (const id of new Set(group.securityGroupRules.map(({ remoteGroupId }) => remoteGroupId))) {
      if (id === '') continue;
      const count = this.#named.get(id) ?? 0;
      if (count + by === 0) this.#named.delete(id);
      else this.#named.set(id, count + by);
      isNew ||= count === 0;
    }
    return isNew;
  }
}

const none: ReadonlySet<string> = new Set();

/** What is known of one VPC, out of its topic: its neighbours by id, by address and by host, and what questions are judged by. */
export class VpcDirectory {
  readonly vpcId: string;
  readonly routers = new Map<string, RouterConfiguration>();
  readonly subnets = new Map<string, SubnetConfiguration>();
  readonly groups = new Map<string, SecurityGroupConfiguration>();
  readonly addressGroups = new Map<string, AddressGroupConfiguration>();
  readonly #aclOf = new Map<string, NetworkAclConfiguration>();
  readonly #acls = new Map<string, NetworkAclConfiguration>();
  readonly #remoteGroups: RemoteGroups;
  readonly #byId = new Map<string, NeighborConfiguration>();
  readonly #byAddress = new Map<string, NeighborConfiguration>();
  readonly #byHost = new Map<string, Set<string>>();
  readonly #gateways = new Map<string, GatewayConfiguration>();
  #vpc: VpcConfiguration | undefined;

  constructor(vpcId: string, remoteGroups: RemoteGroups) {
    this.vpcId = vpcId;
    this.#remoteGroups = remoteGroups;
  }

  /** Undefined until the topic has said it. */
  get vpc(): VpcConfiguration | undefined {
    return this.#vpc;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Hosts that have a port of it. */
  get hosts(): number {
    return this.#byHost.size;
  }

  neighbor(id: string): NeighborConfiguration | undefined {
    return this.#byId.get(id);
  }

  /** By an address in canonical form. */
  at(address: string): NeighborConfiguration | undefined {
    return this.#byAddress.get(address);
  }

  /** Whether it has any network ACL. */
  get hasAcls(): boolean {
    return this.#acls.size > 0;
  }

  /** The network ACL that judges what crosses the subnet's border. */
  aclOf(subnetId: string): NetworkAclConfiguration | undefined {
    return this.#aclOf.get(subnetId);
  }

  neighbors(): Iterable<NeighborConfiguration> {
    return this.#byId.values();
  }

  /** Underlay addresses of the hosts that are told all of it: none of them asks for anything. */
  get gateways(): readonly string[] {
    return [...this.#gateways.values()].flatMap(({ destinations: [first] }) => first?.ipAddress ?? []);
  }

  /** Ids of the neighbours that are on the host with this underlay address. */
  on(hostIp: string): ReadonlySet<string> {
    return this.#byHost.get(hostIp) ?? none;
  }

  /** Those on the host that are in a group which some rule names as remote. */
  membersOn(hostIp: string): NeighborConfiguration[] {
    if (this.#remoteGroups.isEmpty) return [];
    return [...this.on(hostIp)].flatMap((id) => {
      const neighbor = this.#byId.get(id);
      return neighbor !== undefined && this.#remoteGroups.has(neighbor) ? [neighbor] : [];
    });
  }

  /** Takes one entry of the topic: answers with the neighbour's change, `members` when more neighbours are members than before, or a new `gateway`. */
  take({ value: { kind, state }, removed }: Entry<Goal>): NeighborChange | 'members' | 'gateway' | undefined {
    switch (kind) {
      case 'vpc':
        this.#vpc = removed ? undefined : state;
        return undefined;
      case 'neighbor':
        return this.#takeNeighbor(state, removed);
      case 'security-group':
        return this.#takeGroup(state, removed) ? 'members' : undefined;
      case 'address-group':
        keep(this.addressGroups, state, removed);
        return undefined;
      case 'network-acl':
        this.#takeAcl(state, removed);
        return undefined;
      case 'router':
        keep(this.routers, state, removed);
        return undefined;
      case 'subnet':
        keep(this.subnets, state, removed);
        return undefined;
      case 'gateway':
        keep(this.#gateways, state, removed);
        return removed ? undefined : 'gateway';
      case 'port':
      case 'qos-policy':
      case 'floating-ip':
        return undefined;
    }
  }

  /** Nobody follows the VPC any more. */
  close(): void {
    for (const group of this.groups.values()) this.#remoteGroups.count(group, -1);
  }

  #takeNeighbor(state: NeighborConfiguration, removed: boolean): NeighborChange {
    const before = this.#byId.get(state.id);
    const after = removed ? undefined : state;
    if (before !== undefined) {
      const { hostIpAddress, fixedIps, id } = before;
      const onHost = this.#byHost.get(hostIpAddress);
      if (onHost?.delete(id) === true && onHost.size === 0) this.#byHost.delete(hostIpAddress);
      // Another port may have taken the address over before this one is said to be gone.
      for (const { ipAddress } of fixedIps)
        if (this.#byAddress.get(ipAddress)?.id === id) this.#byAddress.delete(ipAddress);
    }
    if (after === undefined) {
      this.#byId.delete(state.id);
      return { before, after };
    }
    this.#byId.set(after.id, after);
    for (const { ipAddress } of after.fixedIps) this.#byAddress.set(ipAddress, after);
    const onHost = this.#byHost.get(after.hostIpAddress);
    if (onHost === undefined) this.#byHost.set(after.hostIpAddress, new Set([after.id]));
    else onHost.add(after.id);
    return { before, after };
  }

  #takeGroup(state: SecurityGroupConfiguration, removed: boolean): boolean {
    const before = this.groups.get(state.id);
    keep(this.groups, state, removed);
    // In before out, so that a group that stays named is not taken for a new one.
    const isNew = !removed && this.#remoteGroups.count(state, 1);
    if (before !== undefined) this.#remoteGroups.count(before, -1);
    return isNew;
  }

  #takeAcl(state: NetworkAclConfiguration, removed: boolean): void {
    for (const { id } of this.#acls.get(state.id)?.subnets ?? [])
      if (this.#aclOf.get(id)?.id === state.id) this.#aclOf.delete(id);
    keep(this.#acls, state, removed);
    for (const { id } of removed ? [] : state.subnets) this.#aclOf.set(id, state);
  }
}

function keep<State extends { readonly id: string }>(into: Map<string, State>, state: State, removed: boolean): void {
  if (removed) into.delete(state.id);
  else into.set(state.id, state);
}
