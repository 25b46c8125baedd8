import { ipv4, ipv6, mac } from '@alcor/openflow';
import { describe, expect, test } from 'vitest';
import { checkFlow } from './check-flow.ts';
import { icmpEcho, icmpv6Echo, tcp, udp, type Packet } from './drivers/packet.ts';
import { networkAclFlows } from './network-acl.ts';
import type { LocalPort, NetworkAcl, NetworkAclRule } from './resources.ts';
import { never, port, region, testHost } from './testing/region.ts';

const A = '192.0.2.1';
const B = '192.0.2.2';

/** Two subnets of each family on one network; the first ones have the ACL. */
const subnets = [
  { id: 'in4', cidr: '10.0.0.0/24' },
  { id: 'in6', cidr: 'fd00:0:0:1::/64' },
];
function vm(id: string, last: number, away = false): LocalPort {
  return port(id, {
    mac: `02:00:00:00:00:0${last}`,
    ips: away ? [`10.0.1.${last}`, `fd00:0:0:2::${last}`] : [`10.0.0.${last}`, `fd00:0:0:1::${last}`],
    subnetIds: away ? ['out4', 'out6'] : ['in4', 'in6'],
  });
}
const judged = vm('judged', 1);
const beside = vm('beside', 2);
const away = vm('away', 3, true);

function aclRule(number: number, changes: Partial<NetworkAclRule> = {}): NetworkAclRule {
  return {
    id: `rule ${number} ${changes.direction ?? ''}`,
    number,
    action: 'allow',
    direction: 'ingress',
    ethertype: 'IPv4',
    protocol: null,
    portRangeMin: null,
    portRangeMax: null,
    ...changes,
  };
}

function acl(rules: readonly NetworkAclRule[], revision = 1): NetworkAcl {
  return { id: 'acl', subnets, rules, revision };
}

function without({ mac: ethernet, ips }: LocalPort) {
  return { mac: mac(ethernet), ip: ipv4(ips[0]!) };
}

function end({ mac: ethernet, ips }: LocalPort, at: number, six = false) {
  return { mac: mac(ethernet), ip: six ? ipv6(ips[1]!) : ipv4(ips[0]!), port: at };
}

/** The judged VM on one host, one of its subnet and one of another on this host or the other one. */
async function three(host: string, rules: readonly NetworkAclRule[], changes: Partial<LocalPort> = {}) {
  const made = await region(
    [
      { host: A, port: { ...judged, ...changes } },
      { host, port: beside },
      { host, port: away },
    ],
    { acls: [acl(rules)] },
  );
  const [from, neighbour, stranger] = made.vms;
  const arrives = (by: typeof from, packet: Packet): boolean => made.fabric.send(by, packet).received.length === 1;
  return { ...made, from, neighbour: neighbour!, stranger: stranger!, arrives };
}

const both = (rule: Partial<NetworkAclRule>, number = 10): NetworkAclRule[] => [
  aclRule(number, rule),
  aclRule(number, { ...rule, direction: 'egress' }),
];

describe.each([
  ['one host', A],
  ['two hosts', B],
])('on %s', (_, host) => {
  test.each([false, true])('what no rule fits is denied at the border, and nothing inside (IPv6: %s)', async (six) => {
    const { arrives, from, neighbour, stranger } = await three(host, []);
    expect(arrives(from, udp(end(judged, 1, six), end(away, 2, six)))).toBe(false);
    expect(arrives(stranger, udp(end(away, 2, six), end(judged, 1, six)))).toBe(false);
    expect(arrives(from, udp(end(judged, 1, six), end(beside, 2, six)))).toBe(true);
    expect(arrives(neighbour, udp(end(beside, 1, six), end(judged, 2, six)))).toBe(true);
  });

  test('each direction is judged on its own: an answer needs a rule, too', async () => {
    const { arrives, from, stranger } = await three(host, [
      aclRule(1, { protocol: 6, portRangeMin: 80, portRangeMax: 80 }),
    ]);
    expect(arrives(stranger, tcp(end(away, 1000), end(judged, 80)))).toBe(true);
    expect(arrives(from, tcp(end(judged, 80), end(away, 1000)))).toBe(false);
  });

  const fits: readonly [string, Partial<NetworkAclRule>, Packet, Packet][] = [
    [
      'a range of ports',
      { protocol: 17, portRangeMin: 1000, portRangeMax: 2000 },
      udp(end(away, 1), end(judged, 2000)),
      udp(end(away, 1), end(judged, 2001)),
    ],
    [
      'a range of ports of IPv6',
      { ethertype: 'IPv6', protocol: 6, portRangeMin: 5, portRangeMax: 6 },
      tcp(end(away, 1, true), end(judged, 6, true)),
      tcp(end(away, 1), end(judged, 6)),
    ],
    ['a protocol', { protocol: 17 }, udp(end(away, 1), end(judged, 9)), tcp(end(away, 1), end(judged, 9))],
    [
      'a type of ICMP',
      { protocol: 1, portRangeMin: 8, portRangeMax: 0 },
      icmpEcho('request', without(away), without(judged)),
      icmpEcho('reply', without(away), without(judged)),
    ],
    [
      'a type of ICMPv6',
      { ethertype: 'IPv6', protocol: 58, portRangeMin: 128 },
      icmpv6Echo(
        'request',
        { mac: mac(away.mac), ip: ipv6(away.ips[1]!) },
        { mac: mac(judged.mac), ip: ipv6(judged.ips[1]!) },
      ),
      icmpv6Echo(
        'reply',
        { mac: mac(away.mac), ip: ipv6(away.ips[1]!) },
        { mac: mac(judged.mac), ip: ipv6(judged.ips[1]!) },
      ),
    ],
    [
      'a prefix',
      { ethertype: 'IPv6', remoteIpPrefix: 'fd00:0:0:2::/120' },
      udp(end(away, 1, true), end(judged, 2, true)),
      udp(end(away, 1), end(judged, 2)),
    ],
  ];
  test.each(fits)(
    'a rule for %s allows what fits it and no more, or denies it where a later one allows all',
    async (_name, rule, one, other) => {
      const allows = await three(host, [aclRule(1, rule)]);
      expect([one, other].map((each) => allows.arrives(allows.stranger, each))).toEqual([true, false]);
      const all = both({}, 100).concat(both({ ethertype: 'IPv6' }, 101));
      const denies = await three(host, [aclRule(1, { ...rule, action: 'deny' }), ...all]);
      expect([one, other].map((each) => denies.arrives(denies.stranger, each))).toEqual([false, true]);
    },
  );

  test('of two rules that fit the lower number decides, in whatever order they come', async () => {
    const rules = [
      aclRule(200),
      aclRule(150, { action: 'deny', protocol: 17 }),
      aclRule(100, { protocol: 17, portRangeMin: 9, portRangeMax: 9 }),
    ];
    const { arrives, stranger } = await three(host, rules);
    expect([8, 9].map((at) => arrives(stranger, udp(end(away, 1), end(judged, at))))).toEqual([false, true]);
    expect(arrives(stranger, tcp(end(away, 1), end(judged, 8)))).toBe(true);
  });
});

test('what a port sends from an address that is in none of its subnets leaves the subnet all the same', async () => {
  const pair = { mac: judged.mac, ip: '203.0.113.9' };
  const { arrives, from } = await three(A, [], { allowedAddressPairs: [pair] });
  const packet = udp({ ...end(judged, 1), ip: ipv4(pair.ip) }, end(away, 2));
  expect(arrives(from, packet)).toBe(false);
  const open = await three(A, [aclRule(1, { direction: 'egress' })], { allowedAddressPairs: [pair] });
  expect(open.arrives(open.from, packet)).toBe(true);
});

test('a port in two subnets of a family is judged for each by the ACL of that subnet', async () => {
  const ips = ['10.0.1.1', '10.0.0.1'];
  const { arrives, from, stranger } = await three(A, [], { ips, subnetIds: ['out4', 'in4'] });
  const third = end(away, 1);
  const by = (ip: string) => ({ ...end(judged, 2), ip: ipv4(ip) });
  expect(ips.map((ip) => arrives(from, udp(by(ip), third)))).toEqual([true, false]);
  expect(ips.map((ip) => arrives(stranger, udp(third, by(ip))))).toEqual([true, false]);
});

test('a host has flows of an ACL while a port here is in one of its subnets, as many as borders and rules', async () => {
  const { dataplane, memory } = await testHost(A);
  await dataplane.reconcile(never);
  const before = [...memory.entries()].length;
  const count = async (): Promise<number> => {
    await dataplane.flush(never);
    return [...memory.entries()].length - before;
  };
  const rules = both({ protocol: 6, portRangeMin: 1, portRangeMax: 4 });
  dataplane.setNetworkAcl(acl(rules));
  expect(await count()).toBe(0);
  for (let n = 1; n <= 3; n++) dataplane.setPort(vm(`port ${n}`, n));
  // Two for each subnet and direction; ports 1, 2-3 and 4 for each rule; what none fits, in each direction. None of the ports is plugged.
  expect(await count()).toBe(2 * 2 * 2 + 2 * 3 + 2);
  for (let n = 1; n <= 3; n++) dataplane.removePort(`port ${n}`);
  expect(await count()).toBe(0);
  dataplane.removeNetworkAcl('acl');
  expect(await count()).toBe(0);
});

test('while an ACL is replaced, flow by flow, packets are judged by the old one or the new one and by nothing else', async () => {
  const web = both({ protocol: 6 }, 10);
  const made = await three(A, [...web, aclRule(20, { action: 'deny', protocol: 17 }), aclRule(30)]);
  const { hosts, arrives, stranger } = made;
  const { memory, dataplane } = hosts[0]!;
  const apply = memory.apply.bind(memory);
  const seen: string[] = [];
  memory.apply = async (changes, signal) => {
    for (const change of changes) {
      await apply([change], signal);
      const verdicts = [
        tcp(end(away, 1), end(judged, 2)),
        udp(end(away, 1), end(judged, 2)),
        icmpEcho('request', without(away), without(judged)),
      ];
      seen.push(verdicts.map((packet) => (arrives(stranger, packet) ? 'yes' : 'no')).join(' '));
    }
    return [];
  };
  // In between, the old rule 30 would let UDP in once 20 has gone.
  dataplane.setNetworkAcl(
    acl([...web, aclRule(40, { action: 'deny', protocol: 17 }), aclRule(50, { protocol: 50 })], 2),
  );
  await dataplane.flush(never);
  expect(seen.length).toBeGreaterThan(5);
  expect([...new Set(seen)]).toEqual(['yes no yes', 'yes no no']);
  dataplane.removeNetworkAcl('acl');
  await dataplane.flush(never);
  expect([...new Set(seen)]).toEqual(['yes no yes', 'yes no no', 'yes yes yes']);
});

test('its flows are as the pipeline declares', () => {
  const flows = networkAclFlows(
    acl([...both({ protocol: 6, portRangeMin: 1, portRangeMax: 65_535 }), aclRule(32_766)]),
  );
  for (const flow of flows) checkFlow(flow);
  expect(flows.length).toBe(2 * 2 * 2 + 2 * 16 + 1 + 2);
});

test('a rule that means nothing is the ACL’s trouble, and its border stays closed', async () => {
  const { dataplane } = await testHost(A);
  dataplane.setPort(judged);
  dataplane.setNetworkAcl(acl([aclRule(1, { portRangeMin: 1 })]));
  const outcomes = await dataplane.reconcile(never);
  expect(outcomes).toContainEqual({
    resourceId: 'acl',
    status: 'failed',
    reason: 'rule rule 1  has ports but no protocol',
  });
});
