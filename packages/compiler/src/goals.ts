import {
  AddressGroupConfiguration,
  FloatingIpConfiguration,
  GatewayConfiguration,
  GatewayType,
  type Goal,
  goalKey,
  NeighborType,
  NetworkAclConfiguration,
  NetworkType,
  PortConfiguration,
  QosPolicyConfiguration,
  RouterConfiguration,
  SecurityGroupConfiguration,
  SubnetConfiguration,
  UpdateType,
  VpcConfiguration,
  NeighborConfiguration,
} from '@alcor/contract';
import { type Network, type Node, type Port, regionDomain, type Subnet } from '@alcor/network';

/** Who a goal is for: one host, or every host that has a port in the VPC. */
export type Audience = `host/${string}` | `vpc/${string}`;

/** Names a goal among those of its audience: a host is told of a router for each of its VPCs. */
export function placeOf(audience: Audience, goal: Goal): string {
  const isShared = goal.kind === 'router' && audience.startsWith('host/');
  return isShared ? `${goalKey(goal)}/${goal.state.vpcId}` : goalKey(goal);
}

/** What a network means to every host that is in it. */
export function vpcGoal(network: Network): Goal {
  return {
    kind: 'vpc',
    state: VpcConfiguration.fromPartial({
      id: network.id,
      revisionNumber: network.revision,
      projectId: network.projectId,
      tunnelId: network.vni,
      mtu: network.mtu,
      adminStateDown: !network.adminStateUp,
      physicalNetwork: network.physicalNetwork ?? '',
      vlanId: network.vlan ?? 0,
      dnsDomains: [...new Set([network.dnsDomain, regionDomain])].filter((domain) => domain !== ''),
      qosPolicyId: network.qosPolicyId ?? '',
    }),
  };
}

export function subnetGoal(subnet: Subnet): Goal {
  return {
    kind: 'subnet',
    state: SubnetConfiguration.fromPartial({
      id: subnet.id,
      revisionNumber: subnet.revision,
      networkType: NetworkType.VXLAN,
      vpcId: subnet.networkId,
      cidr: subnet.cidr,
      dhcpEnable: subnet.enableDhcp,
      ...(subnet.gatewayIp === null ? {} : { gateway: { ipAddress: subnet.gatewayIp } }),
      dnsEntryList: subnet.dnsNameservers.map((entry) => ({ entry })),
      ipv6RaMode: subnet.ipv6RaMode ?? '',
      ipv6AddressMode: subnet.ipv6AddressMode ?? '',
      hostRoutes: subnet.hostRoutes.map(({ destination, nexthop }) => ({ destination, nextHopIp: nexthop })),
    }),
  };
}

/** Of messages, of which there are millions in a large region, most lists are empty. */
const none: never[] = Object.freeze<never[]>([]) as never[];

function each<From, To>(list: readonly From[], as: (from: From) => To): To[] {
  return list.length === 0 ? none : list.map(as);
}

/** What a port means to the host that it is bound to. */
export function portGoal(port: Port): Goal {
  return {
    kind: 'port',
    // With every field, in the contract's order: to look for those that are there takes as long as all the rest of a port's compilation.
    state: {
      revisionNumber: port.revision,
      requestId: '',
      id: port.id,
      updateType: UpdateType.DELTA,
      vpcId: port.networkId,
      name: port.name,
      deviceId: port.deviceId,
      deviceOwner: port.deviceOwner,
      macAddress: port.mac,
      adminStateUp: port.adminStateUp,
      hostInfo: undefined,
      fixedIps: each(port.fixedIps, ({ subnetId, ip }) => ({ subnetId, ipAddress: ip })),
      allowAddressPairs: pairsOf(port),
      securityGroupIds: each(port.securityGroupIds, (id) => ({ id })),
      portSecurityDisabled: !port.portSecurityEnabled,
      extraDhcpOptions: each(port.extraDhcpOpts, ({ name, value, ipVersion }) => ({ name, value, ipVersion })),
      dnsName: port.dnsName,
      dnsDomain: port.dnsDomain,
      qosPolicyId: port.qosPolicyId ?? '',
      trunkParentId: port.trunk?.parentId ?? '',
      trunkVlan: port.trunk?.vlan ?? 0,
      projectId: port.projectId,
      localIps: each(port.localIps, ({ ip, mode, fixedIp }) => ({
        ipAddress: ip,
        fixedIpAddress: fixedIp,
        passthrough: mode === 'passthrough',
      })),
    },
  };
}

/** What a port means to the other hosts of its VPC. Its groups are there so that hosts know who is in a rule's remote group. */
export function neighborGoal(port: Port, node: Node): Goal {
  return {
    kind: 'neighbor',
    state: {
      revisionNumber: port.revision,
      requestId: '',
      id: port.id,
      updateType: UpdateType.DELTA,
      vpcId: port.networkId,
      name: '',
      macAddress: port.mac,
      hostMacAddress: '',
      hostIpAddress: node.ip,
      fixedIps: each(port.fixedIps, ({ subnetId, ip }) => ({
        neighborType: NeighborType.L2,
        subnetId,
        ipAddress: ip,
        arionGroup: '',
        tunnelId: 0,
      })),
      allowAddressPairs: pairsOf(port),
      securityGroupIds: each(port.securityGroupIds, (id) => id),
      dnsName: port.dnsName,
      dnsDomain: port.dnsDomain,
      ndpProxies: each(port.ndpProxies, ({ routerId, ip }) => ({ routerId, ipAddress: ip })),
    },
  };
}

/** Which host forwards, for every host in the VPC, packets to who is not known there; `revision`: it follows from more rows than the node's. */
export function gatewayGoal(vpcId: string, node: Node, revision: number): Goal {
  return {
    kind: 'gateway',
    state: GatewayConfiguration.fromPartial({
      id: node.id,
      revisionNumber: revision,
      gatewayType: GatewayType.ARION,
      destinations: [{ ipAddress: node.ip }],
      vpcId,
    }),
  };
}

function pairsOf({ allowedAddressPairs }: Port): { ipAddress: string; macAddress: string }[] {
  return each(allowedAddressPairs, ({ ip, mac }) => ({ ipAddress: ip, macAddress: mac }));
}

const states = {
  vpc: VpcConfiguration,
  subnet: SubnetConfiguration,
  port: PortConfiguration,
  neighbor: NeighborConfiguration,
  'security-group': SecurityGroupConfiguration,
  'address-group': AddressGroupConfiguration,
  'network-acl': NetworkAclConfiguration,
  'qos-policy': QosPolicyConfiguration,
  'floating-ip': FloatingIpConfiguration,
  router: RouterConfiguration,
  gateway: GatewayConfiguration,
} as const;

/** The last word on a resource that is gone. */
export function goneGoal(goal: Goal, revision: number): Goal {
  const { kind } = goal;
  const state: { fromPartial(fields: object): Goal['state'] } = states[kind];
  const vpc = kind === 'vpc' ? {} : { vpcId: goal.state.vpcId };
  return { kind, state: state.fromPartial({ id: goal.state.id, revisionNumber: revision, ...vpc }) } as Goal;
}
