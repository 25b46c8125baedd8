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

/** What a port means to the host that it is bound to. */
export function portGoal(port: Port): Goal {
  return {
    kind: 'port',
    state: PortConfiguration.fromPartial({
      id: port.id,
      revisionNumber: port.revision,
      vpcId: port.networkId,
      name: port.name,
      deviceId: port.deviceId,
      deviceOwner: port.deviceOwner,
      projectId: port.projectId,
      macAddress: port.mac,
      adminStateUp: port.adminStateUp,
      fixedIps: port.fixedIps.map(({ subnetId, ip }) => ({ subnetId, ipAddress: ip })),
      portSecurityDisabled: !port.portSecurityEnabled,
      securityGroupIds: port.securityGroupIds.map((id) => ({ id })),
      allowAddressPairs: pairsOf(port),
      extraDhcpOptions: port.extraDhcpOpts.map(({ name, value, ipVersion }) => ({ name, value, ipVersion })),
      dnsName: port.dnsName,
      dnsDomain: port.dnsDomain,
      trunkParentId: port.trunk?.parentId ?? '',
      trunkVlan: port.trunk?.vlan ?? 0,
      qosPolicyId: port.qosPolicyId ?? '',
      localIps: port.localIps.map(({ ip, mode, fixedIp }) => ({
        ipAddress: ip,
        fixedIpAddress: fixedIp,
        passthrough: mode === 'passthrough',
      })),
    }),
  };
}

/** What a port means to the other hosts of its VPC. Its groups are there so that hosts know who is in a rule's remote group. */
export function neighborGoal(port: Port, node: Node): Goal {
  return {
    kind: 'neighbor',
    state: NeighborConfiguration.fromPartial({
      id: port.id,
      revisionNumber: port.revision,
      vpcId: port.networkId,
      macAddress: port.mac,
      hostIpAddress: node.ip,
      fixedIps: port.fixedIps.map(({ subnetId, ip }) => ({ neighborType: NeighborType.L2, subnetId, ipAddress: ip })),
      allowAddressPairs: pairsOf(port),
      securityGroupIds: [...port.securityGroupIds],
      dnsName: port.dnsName,
      dnsDomain: port.dnsDomain,
      ndpProxies: port.ndpProxies.map(({ routerId, ip }) => ({ routerId, ipAddress: ip })),
    }),
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
  return allowedAddressPairs.map(({ ip, mac }) => ({ ipAddress: ip, macAddress: mac }));
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
