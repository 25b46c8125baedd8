import {
  type AddressGroup,
  type AddressGroupId,
  type Change,
  type FloatingIpId,
  type ForwardedFloatingIp,
  type ForwardingSummary,
  type GroupRule,
  type Network,
  type NetworkAclId,
  type NetworkAclRule,
  type NetworkAclRuleId,
  type NetworkId,
  type Node,
  type NodeId,
  plainNetwork,
  plainPort,
  plainSubnet,
  type Port,
  type PortId,
  type QosPolicyId,
  type QosRule,
  type Router,
  type RouterId,
  type RowOf,
  type RuledNetworkAcl,
  type RuledQosPolicy,
  type RuledSecurityGroup,
  type SecurityGroupId,
  type SecurityGroupRuleId,
  type Subnet,
  type SubnetId,
} from '@alcor/network';

/** Rows of an intent by number, for tests and benchmarks. */

const at = new Date(0);
const common = { projectId: 'p', name: '', description: '', createdAt: at, updatedAt: at };
/** With every attribute that a port has: what is made out of another object and gets attributes that it had not takes a hundred times as long. */
const anyPort: Port = {
  ...common,
  ...plainPort,
  id: '' as PortId,
  revision: 0,
  networkId: '' as NetworkId,
  adminStateUp: true,
  mac: '',
  fixedIps: [],
  hostId: null,
  deviceId: '',
  deviceOwner: '',
  portSecurityEnabled: true,
  securityGroupIds: [],
};
const octet = (n: number): string => (n & 255).toString(16).padStart(2, '0');
const hex = (n: number): string => `${octet(n >> 16)}:${octet(n >> 8)}:${octet(n)}`;
const address = (n: number): string => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;

export interface PortPlace {
  readonly network: number;
  readonly host: number | null;
  readonly groups?: readonly number[];
  readonly policy?: number | null;
  /** Last parts of the local IPs that it stands for. */
  readonly localIps?: readonly number[];
  readonly name?: string;
}

export interface RouterPlace {
  readonly networks: readonly number[];
  readonly routes?: Router['routes'];
  readonly external?: number;
  /** Of its gateway. */
  readonly policy?: number | null;
}

/** Where a floating IP leads. */
export interface FloatingPlace {
  readonly router: number | null;
  readonly port?: number | null;
  readonly forwards?: readonly number[];
  readonly policy?: number | null;
}

/** How a row is called. */
export type Naming = (kind: string, n: number) => string;

/** Rows under names of one's own. */
export function rowsNamed(idOf: Naming) {
  const networkId = (n: number): NetworkId => idOf('net', n) as NetworkId;
  const portId = (n: number): PortId => idOf('port', n) as PortId;
  const nodeId = (n: number): NodeId => idOf('host', n) as NodeId;
  const groupId = (n: number): SecurityGroupId => idOf('group', n) as SecurityGroupId;
  const addressGroupId = (n: number): AddressGroupId => idOf('addresses', n) as AddressGroupId;
  const policyId = (n: number): QosPolicyId => idOf('policy', n) as QosPolicyId;
  const routerId = (n: number): RouterId => idOf('router', n) as RouterId;
  const aclId = (n: number): NetworkAclId => idOf('acl', n) as NetworkAclId;
  const subnetId = (n: number): SubnetId => idOf('sub', n) as SubnetId;

  function network(
    n: number,
    revision: number,
    adminStateUp = true,
    policy: number | null = null,
    physicalNetwork: string | null = null,
  ): Network {
    return {
      ...common,
      ...plainNetwork,
      id: networkId(n),
      revision,
      adminStateUp,
      vni: n + 1,
      networkType: physicalNetwork === null ? 'vxlan' : 'flat',
      physicalNetwork,
      qosPolicyId: policy === null ? null : policyId(policy),
    };
  }

  function subnet(n: number, revision: number): Subnet {
    return {
      ...common,
      ...plainSubnet,
      id: subnetId(n),
      revision,
      networkId: networkId(n),
      cidr: '10.0.0.0/8',
      gatewayIp: '10.0.0.1',
    };
  }

  function port(n: number, revision: number, place: PortPlace): Port {
    const { network: net, host, groups = [], policy = null, localIps = [], name = '' } = place;
    return {
      ...anyPort,
      id: portId(n),
      revision,
      name,
      networkId: networkId(net),
      mac: `fa:16:3e:${hex(n)}`,
      fixedIps: [{ subnetId: subnetId(net), ip: address(n + 2) }],
      hostId: host === null ? null : nodeId(host),
      securityGroupIds: groups.map(groupId),
      qosPolicyId: policy === null ? null : policyId(policy),
      localIps: localIps.map((last) => ({ ip: `10.0.0.${last}`, mode: 'translate', fixedIp: address(n + 2) })),
    };
  }

  function node(n: number, revision: number, ip = n, more: Partial<Node> = {}): Node {
    return {
      ...more,
      id: nodeId(n),
      name: nodeId(n),
      ip: `172.16.${ip >> 8}.${ip & 255}`,
      agentAddress: `h${n}`,
      revision,
      createdAt: at,
      updatedAt: at,
    };
  }

  function rule(n: number, more: Partial<GroupRule> = {}): GroupRule {
    return {
      id: idOf('rule', n) as SecurityGroupRuleId,
      direction: 'ingress',
      ethertype: 'IPv4',
      protocol: null,
      portRangeMin: null,
      portRangeMax: null,
      remoteIpPrefix: null,
      remoteGroupId: null,
      remoteAddressGroupId: null,
      ...more,
    };
  }

  function group(n: number, revision: number, rules: readonly GroupRule[] = []): RuledSecurityGroup {
    return { ...common, id: groupId(n), revision, stateful: true, isDefault: false, shared: false, rules };
  }

  function addressGroup(n: number, revision: number, addresses: readonly string[] = []): AddressGroup {
    return { ...common, id: addressGroupId(n), revision, addresses, shared: false };
  }

  function aclRule(n: number, more: Partial<NetworkAclRule> = {}): NetworkAclRule {
    return {
      id: idOf('acl-rule', n) as NetworkAclRuleId,
      projectId: 'p',
      description: '',
      networkAclId: aclId(0),
      number: 100 + n,
      action: 'allow',
      direction: 'ingress',
      ethertype: 'IPv4',
      protocol: null,
      portRangeMin: null,
      portRangeMax: null,
      remoteIpPrefix: null,
      revision: 1,
      createdAt: at,
      updatedAt: at,
      ...more,
    };
  }

  function acl(
    n: number,
    revision: number,
    subnets: readonly number[],
    rules: readonly NetworkAclRule[] = [],
  ): RuledNetworkAcl {
    return {
      ...common,
      id: aclId(n),
      revision,
      subnetIds: subnets.map(subnetId),
      subnets: subnets.map((net) => ({ id: subnetId(net), networkId: networkId(net), cidr: '10.0.0.0/8' })),
      rules,
    };
  }

  function qosPolicy(n: number, revision: number, maxKbps = 1000): RuledQosPolicy {
    const limit: QosRule = {
      id: idOf('limit', n) as QosRule['id'],
      policyId: policyId(n),
      type: 'bandwidth_limit',
      direction: 'egress',
      maxKbps,
      maxBurstKbps: 0,
    };
    return { ...common, id: policyId(n), revision, shared: false, isDefault: false, rules: [limit] };
  }

  function router(
    n: number,
    revision: number,
    { networks, routes = [], external, policy = null }: RouterPlace,
  ): Router {
    const gateway = {
      networkId: networkId(external ?? 0),
      enableSnat: true,
      mac: 'fa:16:3e:ff:00:00',
      fixedIps: [],
      qosPolicyId: policy === null ? null : policyId(policy),
    };
    return {
      ...common,
      id: routerId(n),
      revision,
      adminStateUp: true,
      gatewayPortId: external === undefined ? null : portId(external),
      gateway: external === undefined ? null : gateway,
      enableSnat: true,
      routes,
      interfaces: networks.map((net) => ({
        portId: `router${n}-net${net}` as PortId,
        networkId: networkId(net),
        mac: `fa:16:3f:00:${octet(n)}:${octet(net)}`,
        fixedIps: [{ subnetId: subnetId(net), ip: '10.0.0.1' }],
      })),
      distributed: false,
      ha: false,
      enableNdpProxy: false,
      flavorId: null,
      qosPolicyId: null,
      conntrackHelpers: [],
    };
  }

  function floatingIp(n: number, revision: number, place: FloatingPlace): ForwardedFloatingIp {
    const { router: on, port: to = null, forwards = [], policy = null } = place;
    return {
      id: idOf('floating', n) as FloatingIpId,
      projectId: 'p',
      description: '',
      revision,
      createdAt: at,
      updatedAt: at,
      networkId: networkId(0),
      ip: `203.0.113.${n}`,
      mac: `fa:16:40:${hex(n)}`,
      externalPortId: portId(1000 + n),
      portId: to === null ? null : portId(to),
      fixedIp: to === null ? null : address(to + 2),
      routerId: on === null ? null : routerId(on),
      qosPolicyId: policy === null ? null : policyId(policy),
      forwardings: forwards.map((each) => ({
        id: idOf('forwarding', each) as ForwardingSummary['id'],
        portId: portId(each),
        fixedIp: address(each + 2),
        protocol: 'tcp',
        externalPorts: `${1000 + each}:${1000 + each}`,
        internalPorts: '22:22',
      })),
    };
  }

  return {
    networkId,
    portId,
    nodeId,
    groupId,
    addressGroupId,
    policyId,
    routerId,
    aclId,
    aclRule,
    acl,
    network,
    subnet,
    port,
    node,
    rule,
    group,
    addressGroup,
    qosPolicy,
    router,
    floatingIp,
  };
}

/** Rows named `net1`, `port7`, `group2` and so on. */
export const {
  networkId,
  portId,
  nodeId,
  groupId,
  addressGroupId,
  policyId,
  routerId,
  aclId,
  aclRule,
  acl,
  network,
  subnet,
  port,
  node,
  rule,
  group,
  addressGroup,
  qosPolicy,
  router,
  floatingIp,
} = rowsNamed((kind, n) => `${kind}${n}`);

/** The change that makes or replaces the row. */
export function put<K extends Change['kind']>(kind: K, row: RowOf<K>): Change {
  return { kind, id: row.id, revision: row.revision, row } as unknown as Change;
}

export function gone(kind: Change['kind'], id: string, revision: number): Change {
  return { kind, id, revision, row: null } as unknown as Change;
}
