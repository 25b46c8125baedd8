import {
  NeighborConfiguration,
  OperationType,
  PortConfiguration,
  Protocol,
  SecurityGroupConfiguration_Direction as Direction,
} from '@alcor/contract';
import { expect, it } from 'vitest';
import { neighborGoal, portGoal, vpcGoal } from './goals.ts';
import { securityGroupGoal } from './group-goals.ts';
import { routerGoal } from './router-goal.ts';
import {
  addressGroupId,
  group,
  groupId,
  network,
  networkId,
  node,
  port,
  qosPolicy,
  router,
  routerId,
  rule,
} from './testing/rows.ts';

const ports = (from: number, to: number) => ({ portRangeMin: from, portRangeMax: to });

it('says of each rule which packets it lets pass, so that nothing is left to be guessed', () => {
  const { state } = securityGroupGoal(
    group(1, 4, [
      rule(1),
      rule(2, { protocol: 'tcp', portRangeMin: 80, portRangeMax: 443, remoteIpPrefix: '192.0.2.7/24' }),
      rule(3, { protocol: '17', direction: 'egress', remoteGroupId: groupId(2) }),
      rule(4, { protocol: 'icmp', portRangeMin: 0, remoteAddressGroupId: addressGroupId(3) }),
      rule(5, { protocol: 'ipv6-icmp', ethertype: 'IPv6', portRangeMin: 128, portRangeMax: 0 }),
      rule(6, { protocol: 'hopopt' }),
      rule(7, { protocol: 'sctp', portRangeMin: 5, portRangeMax: 5 }),
    ]),
    networkId(1),
  );
  expect(state).toMatchObject({ id: 'group1', vpcId: 'net1', revisionNumber: 4, stateless: false });
  expect('securityGroupRules' in state && state.securityGroupRules).toMatchObject([
    { id: 'rule1', direction: Direction.INGRESS, ipProtocol: undefined, remoteIpPrefix: '', remoteGroupId: '' },
    { id: 'rule2', ipProtocol: 6, protocol: Protocol.TCP, ...ports(80, 443), remoteIpPrefix: '192.0.2.0/24' },
    { id: 'rule3', ipProtocol: 17, direction: Direction.EGRESS, ...ports(0, 65_535), remoteGroupId: 'group2' },
    { id: 'rule4', ipProtocol: 1, icmpType: 0, icmpCode: undefined, remoteAddressGroupId: 'addresses3' },
    { id: 'rule5', ipProtocol: 58, icmpType: 128, icmpCode: 0 },
    { id: 'rule6', ipProtocol: 0, icmpType: undefined },
    { id: 'rule7', ipProtocol: 132, ...ports(5, 5) },
  ]);
});

it('says of a port what its hosts read, to the letter', () => {
  for (const row of [port(1, 3, { network: 0, host: 1, groups: [2] }), port(1, 3, { network: 0, host: 1 })]) {
    const own = portGoal(row).state as PortConfiguration;
    const read = PortConfiguration.decode(PortConfiguration.encode(own).finish());
    expect(JSON.stringify(own)).toBe(JSON.stringify(read));
    const neighbor = neighborGoal(row, node(1, 1)).state as NeighborConfiguration;
    const readByOthers = NeighborConfiguration.decode(NeighborConfiguration.encode(neighbor).finish());
    expect(JSON.stringify(neighbor)).toBe(JSON.stringify(readByOthers));
  }
});

it('says which groups a port is in to its own host and to the others', () => {
  const row = {
    ...port(1, 1, { network: 0, host: 1, groups: [2, 3] }),
    allowedAddressPairs: [{ ip: '10.0.0.9', mac: 'fa:16:3e:00:00:09' }],
  };
  const pairs = [{ ipAddress: '10.0.0.9', macAddress: 'fa:16:3e:00:00:09' }];
  expect(portGoal(row).state).toMatchObject({
    securityGroupIds: [{ id: 'group2' }, { id: 'group3' }],
    allowAddressPairs: pairs,
  });
  expect(neighborGoal(row, node(1, 1)).state).toMatchObject({
    securityGroupIds: ['group2', 'group3'],
    allowAddressPairs: pairs,
  });
});

it('says of names in which domains they are, a network’s own before the region’s', () => {
  const named = { ...port(1, 1, { network: 0, host: 1 }), dnsName: 'db', dnsDomain: 'sql.example.' };
  const names = { dnsName: 'db', dnsDomain: 'sql.example.' };
  expect(portGoal(named).state).toMatchObject(names);
  expect(neighborGoal(named, node(1, 1)).state).toMatchObject(names);
  expect(vpcGoal(network(1, 1)).state).toMatchObject({ dnsDomains: ['openstacklocal.'] });
  const own = { ...network(1, 1), dnsDomain: 'corp.example.' };
  expect(vpcGoal(own).state).toMatchObject({ dnsDomains: ['corp.example.', 'openstacklocal.'] });
});

it('says of a router where it is and where it leads, and its routes on each subnet', () => {
  const route = { destination: '10.9.0.0/16', nexthop: '10.0.0.9' };
  const state = routerGoal(router(1, 2, { networks: [0, 1], routes: [route], external: 7 }), networkId(1), {
    host: undefined,
    policy: undefined,
  }).state;
  const table = [
    {
      operationType: OperationType.CREATE,
      id: '10.9.0.0/16 10.0.0.9',
      destination: '10.9.0.0/16',
      nextHopIp: '10.0.0.9',
    },
  ];
  expect(state).toMatchObject({
    id: 'router1',
    vpcId: 'net1',
    adminStateDown: false,
    interfaces: [
      { vpcId: 'net0', fixedIps: [{ subnetId: 'sub0', ipAddress: '10.0.0.1' }] },
      { vpcId: 'net1', fixedIps: [{ subnetId: 'sub1', ipAddress: '10.0.0.1' }] },
    ],
    subnetRoutingTables: [
      { subnetId: 'sub0', routingRules: table },
      { subnetId: 'sub1', routingRules: table },
    ],
    externalGateway: { vpcId: 'net7', portId: 'port7', snatEnabled: true },
  });
});

it('says routes of a family that a router has outside only', () => {
  const plain = router(1, 2, { networks: [0], routes: [], external: 7 });
  const outer = { subnetId: plain.interfaces[0]!.fixedIps[0]!.subnetId, ip: '2001:db8::10' };
  const row = {
    ...plain,
    routes: [{ destination: '2001:db8:9::/64', nexthop: '2001:db8::9' }],
    gateway: { ...plain.gateway!, fixedIps: [...plain.gateway!.fixedIps, outer] },
  };
  expect(routerGoal(row, networkId(0), { host: undefined, policy: undefined }).state).toMatchObject({
    subnetRoutingTables: [
      { subnetId: 'sub0', routingRules: [] },
      { subnetId: 'sub0', routingRules: [{ destination: '2001:db8:9::/64', nextHopIp: '2001:db8::9' }] },
    ],
  });
});

it('says of a neighbour for which of its addresses which routers answer outside', () => {
  const proxied = { ...port(1, 1, { network: 0, host: 1 }), ndpProxies: [{ routerId: routerId(4), ip: 'fd00::1' }] };
  expect(neighborGoal(proxied, node(1, 1)).state).toMatchObject({
    ndpProxies: [{ routerId: 'router4', ipAddress: 'fd00::1' }],
  });
});

it('says to the host of a port for which local IPs it stands, and to no other', () => {
  const standing = port(1, 1, { network: 0, host: 1, localIps: [9] });
  const [{ ip, fixedIp }] = standing.localIps as [(typeof standing.localIps)[number]];
  expect(portGoal(standing).state).toMatchObject({
    localIps: [{ ipAddress: ip, fixedIpAddress: fixedIp, passthrough: false }],
  });
  const passed = { ...standing, localIps: [{ ip, fixedIp, mode: 'passthrough' as const }] };
  expect(portGoal(passed).state).toMatchObject({ localIps: [{ ipAddress: ip, passthrough: true }] });
  expect(neighborGoal(standing, node(1, 1))).toEqual(neighborGoal(port(1, 1, { network: 0, host: 1 }), node(1, 1)));
});

const tftp = { protocol: 'udp', port: 69, helper: 'tftp' } as const;

it('says of a router which helpers it has, and what its gateway and a floating IP are limited to', () => {
  const helped = { ...router(1, 2, { networks: [0], external: 7 }), conntrackHelpers: [tftp] };
  const facts = { host: undefined, policy: qosPolicy(1, 1, 500) };
  expect(routerGoal(helped, networkId(0), facts).state).toMatchObject({
    conntrackHelpers: [{ protocol: 17, port: 69, helper: 'tftp' }],
    externalGateway: { limits: [{ direction: 0, unit: 0, rate: 500, burst: 0 }], dscpMark: undefined },
  });
});
