/** Random plans: small ones, dense with what may go wrong, and all of them such that the API would take them. */
import {
  type AddressGroup,
  type AddressGroupId,
  type AddressPair,
  type FixedIp,
  type GroupRule,
  type Network,
  type NetworkId,
  type Node,
  type NodeId,
  plainNetwork,
  plainPort,
  plainSubnet,
  type Port,
  type PortId,
  type RuledSecurityGroup,
  type SecurityGroupId,
  type SecurityGroupRuleId,
  type Subnet,
  type SubnetId,
} from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';
import { PHYSICAL, type Plan } from './plan.ts';
import { randomAcls } from './random-acls.ts';
import { randomExternals, type Externals } from './random-external.ts';
import { randomFloatingIps } from './random-floating.ts';
import { randomPolicies, somePolicy } from './random-quality.ts';
import { randomRouters } from './random-routers.ts';
import { withTrunks } from './random-trunks.ts';

const at = new Date(0);
const HOSTS = 3;
/** As many as there are interfaces on each host's switch. */
export const MOST_PORTS = 12;

export function tenant(projectId: string) {
  return { projectId, name: '', description: '', createdAt: at, updatedAt: at, revision: 1 };
}

export function chance(random: Random, p: number): boolean {
  return random.next() < p;
}

/** One or two tenants, of whom the second one uses the addresses and MACs of the first one again. */
export function randomPlan(random: Random): Plan {
  const nodes = Array.from({ length: HOSTS }, (_, n) => randomNode(random, n + 1));
  const externals = randomExternals(random);
  const tenants = chance(random, 0.5) ? ['one', 'other'] : ['one'];
  const room = Math.floor(MOST_PORTS / tenants.length);
  const parts = tenants.map((name, n) =>
    randomTenant(random, name, externals, { room, firstPort: n * room, firstVni: 10 * n + 1 }),
  );
  const [ports, routers] = [parts.flatMap((part) => part.ports), parts.flatMap((part) => part.routers)];
  return {
    nodes,
    qosPolicies: parts.flatMap(({ qosPolicies }) => qosPolicies),
    networks: [...externals.networks, ...parts.flatMap(({ networks }) => networks)],
    subnets: [...externals.subnets, ...parts.flatMap(({ subnets }) => subnets)],
    addressGroups: parts.flatMap(({ addressGroups }) => addressGroups),
    securityGroups: parts.flatMap(({ securityGroups }) => securityGroups),
    networkAcls: parts.flatMap(({ networkAcls }) => networkAcls),
    ports,
    routers,
    floatingIps: randomFloatingIps(random, externals, ports, routers),
    machines: externals.machines,
  };
}

function randomNode(random: Random, n: number): Node {
  const id = `host-${n}` as NodeId;
  const plain = {
    id,
    name: id,
    ip: `172.16.0.${n}`,
    agentAddress: `${id}:50001`,
    revision: 1,
    createdAt: at,
    updatedAt: at,
  };
  const bridged = chance(random, 0.85) ? { bridgeMappings: { [PHYSICAL]: 'br-physical' } } : {};
  const gateway = chance(random, 0.6) ? { gateway: true, draining: chance(random, 0.1) } : {};
  return { ...plain, ...bridged, ...gateway };
}

interface Room {
  readonly room: number;
  readonly firstPort: number;
  readonly firstVni: number;
}

type Part = Omit<Plan, 'nodes' | 'floatingIps' | 'machines'>;

function randomTenant(random: Random, name: string, externals: Externals, { room, firstPort, firstVni }: Room): Part {
  const qosPolicies = randomPolicies(random, name);
  const count = between(random, 1, 3);
  const networks = Array.from({ length: count }, (_, n): Network => ({
    ...tenant(name),
    ...plainNetwork,
    ...(chance(random, 0.25) ? onWire(random, firstVni + n, externals) : {}),
    id: `net-${name}-${n}` as NetworkId,
    adminStateUp: chance(random, 0.96),
    vni: firstVni + n,
    qosPolicyId: somePolicy(random, qosPolicies, 0.3),
  }));
  // Networks that no router joins may have the same addresses.
  const subnets = networks.flatMap((network, n) => subnetsOf(random, network, n > 0 && chance(random, 0.5) ? 0 : n));
  const addressGroups = Array.from({ length: between(random, 0, 2) }, (_, n) => randomAddressGroup(random, name, n));
  const groupIds = Array.from({ length: between(random, 1, 4) }, (_, n) => `group-${name}-${n}` as SecurityGroupId);
  const securityGroups = groupIds.map((id) =>
    randomGroup(random, name, id, {
      groups: groupIds,
      addressGroups,
      open: externals.networks.length > 0 ? 0.4 : 0.25,
    }),
  );
  const single: Port[] = [];
  for (let n = between(random, Math.min(3, room), room); n > 0; n--) {
    const id = `port-${firstPort + single.length + 1}` as PortId;
    const port = randomPort(random, name, { id, before: single, networks, subnets, groupIds });
    single.push({ ...port, qosPolicyId: somePolicy(random, qosPolicies, 0.4) });
  }
  const ports = withTrunks(random, single);
  return {
    qosPolicies,
    networks,
    subnets,
    addressGroups,
    securityGroups,
    networkAcls: randomAcls(random, name, subnets),
    ports,
    routers: randomRouters(random, { name, subnets, ports, externals, firstNumber: 10 * firstVni }),
  };
}

/** Instead of by tunnels its packets go by the physical network, the first one's perhaps without a tag. */
function onWire(
  random: Random,
  vni: number,
  { networks }: Externals,
): Pick<Network, 'networkType' | 'physicalNetwork' | 'vlan'> {
  const isFlat = vni === 1 && networks.every(({ networkType }) => networkType !== 'flat') && chance(random, 0.5);
  return { networkType: isFlat ? 'flat' : 'vlan', physicalNetwork: PHYSICAL, vlan: isFlat ? null : 100 + vni };
}

function subnetsOf(random: Random, network: Network, n: number): Subnet[] {
  const subnet = (cidr: string, version: 4 | 6, gatewayIp: string): Subnet => ({
    ...tenant(network.projectId),
    ...plainSubnet,
    id: `${network.id} ${cidr}` as SubnetId,
    networkId: network.id,
    cidr,
    ipVersion: version,
    gatewayIp,
  });
  return [
    subnet(`10.0.${n}.0/24`, 4, `10.0.${n}.1`),
    ...(chance(random, 0.3) ? [subnet(`10.1.${n}.64/26`, 4, `10.1.${n}.65`)] : []),
    ...(chance(random, 0.6) ? [subnet(`fd00:${n + 1}::/64`, 6, `fd00:${n + 1}::1`)] : []),
  ];
}

function randomAddressGroup(random: Random, name: string, n: number): AddressGroup {
  const candidates = [
    '10.0.0.0/28',
    '10.0.1.0/24',
    '10.1.0.64/27',
    '10.0.0.12/32',
    '192.168.0.0/16',
    'fd00:1::/64',
    'fd00:2::b/128',
  ];
  return {
    ...tenant(name),
    id: `addresses-${name}-${n}` as AddressGroupId,
    addresses: candidates.filter(() => chance(random, 0.4)),
    shared: false,
  };
}

interface Remotes {
  readonly groups: readonly SecurityGroupId[];
  readonly addressGroups: readonly AddressGroup[];
  /** How likely a group lets in anything of a family. */
  readonly open: number;
}

function randomGroup(
  random: Random,
  name: string,
  id: SecurityGroupId,
  { groups, addressGroups, open }: Remotes,
): RuledSecurityGroup {
  const general = (['IPv4', 'IPv6'] as const).flatMap((ethertype) => [
    ...(chance(random, 0.75) ? [{ ...anything, direction: 'egress' as const, ethertype }] : []),
    ...(chance(random, open) ? [{ ...anything, direction: 'ingress' as const, ethertype }] : []),
  ]);
  const rules = Array.from({ length: between(random, 1, 6) }, () => randomRule(random, groups, addressGroups));
  const once = [...new Map([...general, ...rules].map((rule) => [JSON.stringify(rule), rule])).values()];
  return {
    ...tenant(name),
    id,
    stateful: chance(random, 0.75),
    isDefault: false,
    shared: false,
    rules: once.map((rule, n): GroupRule => ({ ...rule, id: `${id} ${n}` as SecurityGroupRuleId })),
  };
}

type Said = Omit<GroupRule, 'id'>;

const anything = {
  protocol: null,
  portRangeMin: null,
  portRangeMax: null,
  remoteIpPrefix: null,
  remoteGroupId: null,
  remoteAddressGroupId: null,
} as const;

function randomRule(random: Random, groups: readonly SecurityGroupId[], addressGroups: readonly AddressGroup[]): Said {
  const ethertype = chance(random, 0.65) ? 'IPv4' : 'IPv6';
  const direction = chance(random, 0.7) ? 'ingress' : 'egress';
  return {
    ...anything,
    direction,
    ethertype,
    ...randomTraffic(random, ethertype),
    ...randomRemote(random, ethertype, groups, addressGroups),
  };
}

export function randomTraffic(random: Random, ethertype: 'IPv4' | 'IPv6'): Partial<Said> {
  const protocol = pick(random, [null, null, 'tcp', 'tcp', 'tcp', 'udp', 'udp', 'icmp', 'icmp', 'sctp', '47']);
  if (protocol === null || protocol === '47') return { protocol };
  if (protocol === 'icmp') {
    const echo = ethertype === 'IPv4' ? 8 : 128;
    const named = { protocol: ethertype === 'IPv4' ? 'icmp' : 'ipv6-icmp' };
    return {
      ...named,
      ...pick(random, [{}, { portRangeMin: echo }, { portRangeMin: echo, portRangeMax: 0 }, { portRangeMin: 3 }]),
    };
  }
  const range = pick(random, [
    [null, null],
    [80, 80],
    [22, 443],
    [1, 1023],
    [1000, 2999],
    [53, 53],
    [1, 65_535],
    [33_434, 33_523],
  ] as const);
  return { protocol, portRangeMin: range[0], portRangeMax: range[1] };
}

function randomRemote(
  random: Random,
  ethertype: 'IPv4' | 'IPv6',
  groups: readonly SecurityGroupId[],
  addressGroups: readonly AddressGroup[],
): Partial<Said> {
  const dice = random.next();
  if (dice < 0.35) return {};
  if (dice < 0.65) return { remoteGroupId: pick(random, groups) };
  if (dice < 0.8 && addressGroups.length > 0) return { remoteAddressGroupId: pick(random, addressGroups).id };
  // As the user wrote them: host bits are kept.
  const prefixes =
    ethertype === 'IPv4'
      ? ['10.0.0.0/24', '10.0.1.7/24', '10.0.0.11/32', '0.0.0.0/0', '10.1.0.0/16', '192.168.7.0/24']
      : ['fd00:1::/64', 'fd00:2::b/128', '::/0', 'fd00:1::3/48'];
  return { remoteIpPrefix: pick(random, prefixes) };
}

interface PortRoom {
  readonly id: PortId;
  readonly before: readonly Port[];
  readonly networks: readonly Network[];
  readonly subnets: readonly Subnet[];
  readonly groupIds: readonly SecurityGroupId[];
}

export function macOf(n: number): string {
  return `fa:16:3e:00:00:${n.toString(16).padStart(2, '0')}`;
}

function randomPort(random: Random, name: string, { id, before, networks, subnets, groupIds }: PortRoom): Port {
  const { id: networkId } = pick(random, networks);
  const number = 10 + before.filter((port) => port.networkId === networkId).length;
  const own = subnets.filter((subnet) => subnet.networkId === networkId);
  const v4 = own.filter(({ ipVersion }) => ipVersion === 4);
  const fixed = (subnet: Subnet): FixedIp => ({ subnetId: subnet.id, ip: addressIn(subnet, number) });
  const fixedIps = [
    ...(chance(random, 0.93) ? [fixed(pick(random, v4))] : []),
    ...own.filter(({ ipVersion }) => ipVersion === 6 && chance(random, 0.9)).map(fixed),
  ];
  const mac = macOf(before.length + 1);
  const portSecurityEnabled = chance(random, 0.9);
  return {
    ...tenant(name),
    ...plainPort,
    id,
    networkId,
    adminStateUp: chance(random, 0.95),
    mac,
    fixedIps,
    hostId: chance(random, 0.95) ? (`host-${between(random, 1, HOSTS)}` as NodeId) : null,
    deviceId: '',
    deviceOwner: '',
    portSecurityEnabled,
    // The API wants port security for both.
    securityGroupIds: portSecurityEnabled ? groupIds.filter(() => chance(random, 0.6)) : [],
    allowedAddressPairs: portSecurityEnabled && chance(random, 0.3) ? randomPairs(random, mac, own) : [],
  };
}

/** The `n`th address of the subnet. */
export function addressIn({ cidr }: Pick<Subnet, 'cidr'>, n: number): string {
  const [first = ''] = cidr.split('/');
  if (cidr.includes(':')) return `${first}${n.toString(16)}`;
  const [a, b, c, d] = first.split('.').map(Number);
  return `${a}.${b}.${c}.${d! + n}`;
}

function randomPairs(random: Random, mac: string, own: readonly Subnet[]): AddressPair[] {
  return Array.from({ length: between(random, 1, 2) }, () => {
    const subnet = pick(random, own);
    const block = subnet.ipVersion === 4 ? '192.168.7.0/24' : 'fd99::/32';
    const any = subnet.ipVersion === 4 ? '0.0.0.0/0' : '::/0';
    const ip = pick(random, [addressIn(subnet, 40), addressIn(subnet, 41), block, any, addressIn(subnet, 11)]);
    return { ip, mac: chance(random, 0.6) ? mac : macOf(between(random, 200, 202)) };
  });
}
