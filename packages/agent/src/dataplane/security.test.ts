import { ipv4, ipv6, mac } from '@alcor/openflow';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Vm } from './drivers/fabric.ts';
import { icmpEcho, icmpv6Echo, tcp, udp, type Packet } from './drivers/packet.ts';
import { pipeline } from './pipeline.ts';
import type { LocalPort, SecurityGroup, SecurityGroupRule } from './resources.ts';
import { portPrefixes } from './traffic-match.ts';
import { neighborOf, never, port, region, rule, securityGroup, startedOn, testHost } from './testing/region.ts';

const A = '192.0.2.1';
const B = '192.0.2.2';
const client = port('client', { mac: '02:00:00:00:00:01', ips: ['10.0.0.1', 'fd00::1'] });
const server = port('server', { mac: '02:00:00:00:00:02', ips: ['10.0.0.2', 'fd00::2'] });
const out = [rule({ direction: 'egress' }), rule({ direction: 'egress', ethertype: 'IPv6' })];
const tcp80 = rule({ protocol: 6, portRangeMin: 80, portRangeMax: 80 });

function end(of: LocalPort, at: number, v6 = false) {
  return { mac: mac(of.mac), ip: v6 ? ipv6(of.ips[1]!) : ipv4(of.ips[0]!), port: at };
}

/** The client's group lets everything out and nothing in; the server's is what the test is about. */
async function pair(
  rules: readonly SecurityGroupRule[],
  options: { readonly host?: string; readonly stateful?: boolean; readonly more?: readonly SecurityGroup[] } = {},
) {
  const { host = A, stateful = true, more = [] } = options;
  const made = await region(
    [
      { host: A, port: { ...client, securityGroupIds: ['clients'] } },
      { host, port: { ...server, securityGroupIds: ['servers'] } },
    ],
    { groups: [securityGroup('clients', out), securityGroup('servers', rules, stateful), ...more] },
  );
  const arrives = (vm: Vm, packet: Packet): boolean => made.fabric.send(vm, packet).received.length === 1;
  return {
    ...made,
    arrives,
    /** Whether what the client sends arrives, and whether the answer does. */
    asks: (request: Packet, answer: Packet) => [arrives(made.vms[0], request), arrives(made.vms[1], answer)],
  };
}

const hosts = [
  ['one host', A],
  ['two hosts', B],
] as const;

describe.each(hosts)('a member of a group on %s', (_, host) => {
  test.each([
    ['switched off', { adminStateUp: false }, true],
    ['not plugged', {}, false],
  ])('stays one while it is %s', async (__, changes, isPlugged) => {
    const idle = port('idle', { ...changes, mac: '02:00:00:00:00:03', ips: ['10.0.0.1'], securityGroupIds: ['named'] });
    const { hosts: both, fabric } = await region([], {
      groups: [securityGroup('servers', [rule({ remoteGroupId: 'named' })]), securityGroup('named', [])],
    });
    const placed = [
      { each: { ...client, portSecurityEnabled: false }, at: A },
      { each: { ...server, securityGroupIds: ['servers'] }, at: A },
      { each: idle, at: host },
    ];
    for (const { ip, dataplane } of both) {
      for (const { each, at } of placed) {
        if (at === ip) dataplane.setPort(each);
        dataplane.setNeighbor(neighborOf(each, at));
      }
    }
    const [sender] = placed
      .filter(({ each }) => each !== idle || isPlugged)
      .map(({ each, at }) => fabric.addVm(at, each));
    for (const { dataplane } of both) await dataplane.reconcile(never);
    expect(fabric.send(sender!, tcp(end(client, 1000), end(server, 80))).received).toHaveLength(1);
  });
});

describe.each(hosts)('on %s', (_, host) => {
  const requests: readonly [string, SecurityGroupRule, Packet, Packet][] = [
    ['TCP to a port', tcp80, tcp(end(client, 1000), end(server, 80)), tcp(end(server, 80), end(client, 1000))],
    [
      'UDP to a range of ports over IPv6',
      rule({ ethertype: 'IPv6', protocol: 17, portRangeMin: 5, portRangeMax: 60 }),
      udp(end(client, 1000, true), end(server, 60, true)),
      udp(end(server, 60, true), end(client, 1000, true)),
    ],
    [
      'an echo request by type and code',
      rule({ protocol: 1, portRangeMin: 8, portRangeMax: 0 }),
      icmpEcho(
        'request',
        { mac: mac(client.mac), ip: ipv4('10.0.0.1') },
        { mac: mac(server.mac), ip: ipv4('10.0.0.2') },
      ),
      icmpEcho('reply', { mac: mac(server.mac), ip: ipv4('10.0.0.2') }, { mac: mac(client.mac), ip: ipv4('10.0.0.1') }),
    ],
    [
      'an ICMPv6 echo request, also where the rule says ICMP',
      rule({ ethertype: 'IPv6', protocol: 1, portRangeMin: 128 }),
      icmpv6Echo(
        'request',
        { mac: mac(client.mac), ip: ipv6('fd00::1') },
        { mac: mac(server.mac), ip: ipv6('fd00::2') },
      ),
      icmpv6Echo('reply', { mac: mac(server.mac), ip: ipv6('fd00::2') }, { mac: mac(client.mac), ip: ipv6('fd00::1') }),
    ],
    [
      'anything from a prefix',
      rule({ remoteIpPrefix: '10.0.0.0/31' }),
      tcp(end(client, 1000), end(server, 80)),
      tcp(end(server, 80), end(client, 1000)),
    ],
    [
      'anything from the members of a group',
      rule({ remoteGroupId: 'clients' }),
      tcp(end(client, 1000), end(server, 80)),
      tcp(end(server, 80), end(client, 1000)),
    ],
    [
      'a port from the members of a group over IPv6',
      rule({ ethertype: 'IPv6', protocol: 6, portRangeMin: 80, portRangeMax: 80, remoteGroupId: 'clients' }),
      tcp(end(client, 1000, true), end(server, 80, true)),
      tcp(end(server, 80, true), end(client, 1000, true)),
    ],
  ];

  test.each(requests)(
    '%s is let in by its rule, and the answer out without one',
    async (_name, rules, request, answer) => {
      const { asks } = await pair([rules], { host });
      expect(asks(request, answer)).toEqual([true, true]);
    },
  );

  test.each(requests)(
    '%s is not let in without a rule, and there is no answer',
    async (_name, _rule, request, answer) => {
      const { asks } = await pair([], { host });
      expect(asks(request, answer)).toEqual([false, false]);
    },
  );

  const beside: readonly [string, SecurityGroupRule, Packet][] = [
    ['another port', tcp80, tcp(end(client, 80), end(server, 81))],
    ['another protocol', tcp80, udp(end(client, 80), end(server, 80))],
    ['another family', tcp80, tcp(end(client, 80, true), end(server, 80, true))],
    ['another prefix', rule({ remoteIpPrefix: '10.0.0.2/31' }), tcp(end(client, 1), end(server, 2))],
    ['another group', rule({ remoteGroupId: 'servers' }), tcp(end(client, 1), end(server, 2))],
    ['an unknown group', rule({ remoteGroupId: 'nobody knows' }), tcp(end(client, 1), end(server, 2))],
    ['another direction', rule({ direction: 'egress' }), tcp(end(client, 1), end(server, 2))],
    [
      'another type',
      rule({ protocol: 1, portRangeMin: 13 }),
      icmpEcho(
        'request',
        { mac: mac(client.mac), ip: ipv4('10.0.0.1') },
        { mac: mac(server.mac), ip: ipv4('10.0.0.2') },
      ),
    ],
  ];

  test.each(beside)('a rule lets nothing else in: %s', async (_name, rules, request) => {
    const { arrives, vms } = await pair([rules], { host });
    expect(arrives(vms[0], request)).toBe(false);
  });

  test('a rule that goes ends the connections that only it allowed, in both directions', async () => {
    const { asks, hosts: both } = await pair([tcp80, rule({ protocol: 6, portRangeMin: 22, portRangeMax: 22 })], {
      host,
    });
    const web = [tcp(end(client, 1000), end(server, 80)), tcp(end(server, 80), end(client, 1000))] as const;
    const shell = [tcp(end(client, 1000), end(server, 22)), tcp(end(server, 22), end(client, 1000))] as const;
    expect([asks(...web), asks(...shell)]).toEqual([
      [true, true],
      [true, true],
    ]);
    for (const { dataplane } of both) {
      dataplane.setSecurityGroup(securityGroup('servers', [tcp80]));
      await dataplane.flush(never);
    }
    expect([asks(...web), asks(...shell)]).toEqual([
      [true, true],
      [false, false],
    ]);
  });

  test('a stateless group needs a rule for the answer too', async () => {
    const request = udp(end(client, 1000), end(server, 53));
    const answer = udp(end(server, 53), end(client, 1000));
    const dns = rule({ protocol: 17, portRangeMin: 53, portRangeMax: 53, remoteGroupId: 'clients' });
    const oneWay = await pair([dns], { host, stateful: false });
    expect(oneWay.asks(request, answer)).toEqual([true, false]);
    const back = rule({ direction: 'egress', protocol: 17, portRangeMin: 1000, portRangeMax: 1000 });
    const bothWays = await pair([dns, back], { host, stateful: false });
    expect(bothWays.asks(request, answer)).toEqual([true, true]);
  });

  test('nothing but what every network needs passes a port without groups', async () => {
    const { fabric, vms } = await region([
      { host: A, port: { ...client, securityGroupIds: [] } },
      { host, port: server },
    ]);
    expect(fabric.resolve(vms[0], '10.0.0.2')).toBe(mac(server.mac));
    expect(fabric.resolve(vms[0], 'fd00::2')).toBe(mac(server.mac));
    expect(fabric.send(vms[0], udp(end(client, 1), end(server, 2))).received).toEqual([]);
    expect(fabric.send(vms[1], udp(end(server, 1), end(client, 2))).received).toEqual([]);
    // An offer to a client, from a server that may speak as one.
    const free = await region([
      { host: A, port: { ...client, securityGroupIds: [] } },
      { host, port: { ...server, portSecurityEnabled: false } },
    ]);
    expect(free.fabric.send(free.vms[1], udp(end(server, 67), end(client, 68))).received).toHaveLength(1);
  });

  test('with port security off, groups are not asked', async () => {
    const { fabric, vms } = await region([
      { host: A, port: { ...client, portSecurityEnabled: false, securityGroupIds: ['clients'] } },
      { host, port: { ...server, portSecurityEnabled: false, securityGroupIds: [] } },
    ]);
    expect(fabric.ping(vms[0], '10.0.0.2')).toMatchObject({ ok: true });
  });
});

test('what a member may do an address of an allowed pair may, and an address group is a set of its own', async () => {
  const vip = '10.0.0.77';
  const pairs = [{ ip: vip, mac: client.mac }];
  const packet = udp({ ...end(client, 1), ip: ipv4(vip) }, end(server, 2));
  const groups = [
    securityGroup('clients', out),
    securityGroup('servers', [rule({ remoteGroupId: 'clients' }), rule({ remoteAddressGroupId: 'offices' })]),
  ];
  const {
    fabric,
    vms,
    hosts: both,
  } = await region(
    [
      { host: A, port: { ...client, allowedAddressPairs: pairs, securityGroupIds: ['clients'] } },
      { host: B, port: { ...server, securityGroupIds: ['servers'] } },
    ],
    { groups },
  );
  expect(fabric.send(vms[0], packet).received).toHaveLength(1);
  const [, there] = both;
  there!.dataplane.setNeighbor(neighborOf({ ...client, securityGroupIds: [] }, A));
  await there!.dataplane.flush(never);
  expect(fabric.send(vms[0], packet).received).toEqual([]);
  there!.dataplane.setAddressGroup({ id: 'offices', addresses: ['10.0.0.64/26', 'fd00::/64'], revision: 1 });
  await there!.dataplane.flush(never);
  expect(fabric.send(vms[0], packet).received).toHaveLength(1);
  expect(fabric.send(vms[0], udp(end(client, 1), end(server, 2))).received).toEqual([]);
  there!.dataplane.removeAddressGroup('offices');
  await there!.dataplane.flush(never);
  expect(fabric.send(vms[0], packet).received).toEqual([]);
});

test('equal addresses in two networks are not members of each other’s groups', async () => {
  const other = { vpcId: 'other', vni: 200 };
  const { fabric, vms } = await region(
    [
      { host: A, port: { ...server, securityGroupIds: ['servers'] } },
      { host: B, port: { ...client, securityGroupIds: [], ...other } },
      { host: B, port: { ...client, id: 'stranger', securityGroupIds: undefined as never } },
      { host: B, port: { ...client, ...other, id: 'member', securityGroupIds: ['clients'] } },
    ],
    { groups: [securityGroup('servers', [rule({ remoteGroupId: 'clients' })])] },
  );
  expect(fabric.send(vms[2]!, udp(end(client, 1), end(server, 2))).received).toEqual([]);
});

test('a port that gets the number of another does not inherit its connections', async () => {
  const {
    hosts: [here],
    fabric,
    vms,
  } = (await pair([tcp80])) as Awaited<ReturnType<typeof pair>> & { hosts: [Awaited<ReturnType<typeof testHost>>] };
  const [request, answer] = [tcp(end(client, 1000), end(server, 80)), tcp(end(server, 80), end(client, 1000))];
  expect(fabric.send(vms[0], request).received).toHaveLength(1);
  const { ofport } = here.memory.plugged('client')!;
  fabric.removeVm(vms[0]);
  here.dataplane.removePort('client');
  const heir = { ...client, id: 'heir', securityGroupIds: ['clients'] };
  here.dataplane.setPort(heir);
  here.memory.plug('heir', { ofport });
  const vm = fabric.addVm(A, heir);
  await here.dataplane.flush(never);
  expect(here.memory.plugged('heir')!.ofport).toBe(ofport);
  // The server may still send its answer; to the heir it answers nothing.
  expect(fabric.send(vms[1], answer).received).toEqual([]);
  // What the heir asks itself is its own connection, though it looks the same.
  expect(fabric.send(vm, request).received).toHaveLength(1);
  expect(fabric.send(vms[1], answer).received).toHaveLength(1);
});

test('members and rules add up: a member is one flow, a rule is its own, whatever number of ports and groups there is', async () => {
  const { dataplane, memory } = await testHost(A);
  const inGroups = { securityGroupIds: ['g', 'h'] };
  const rules = [
    rule({ remoteGroupId: 'g' }),
    rule({ protocol: 6, portRangeMin: 22, portRangeMax: 22, remoteGroupId: 'g' }),
  ];
  dataplane.setSecurityGroup(securityGroup('g', rules));
  dataplane.setSecurityGroup(securityGroup('h', rules));
  const add = (n: number) => {
    const id = `n${n}`;
    const address = {
      mac: `02:00:00:01:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`,
      ips: [`10.1.${n >> 8}.${n & 255}`],
    };
    dataplane.setNeighbor(neighborOf(port(id, { ...address, securityGroupIds: ['g', 'nobody asks'] }), B));
  };
  const count = (table: keyof typeof pipeline) =>
    memory.entries().filter(({ flow }) => flow.table === pipeline[table].id).length;
  for (let n = 0; n < 500; n += 1) add(n);
  await dataplane.flush(never);
  // Nobody here refers to the group yet.
  expect([count('members'), count('rules')]).toEqual([0, 0]);
  for (let n = 0; n < 20; n += 1) {
    const id = `p${n}`;
    memory.plug(id);
    dataplane.setPort(port(id, { mac: `02:00:00:00:01:${n + 10}`, ips: [`10.0.0.${n + 1}`], ...inGroups }));
  }
  await dataplane.flush(never);
  expect([count('members'), count('rules')]).toEqual([500 + 20, 2 * rules.length]);
  let before = memory.changesApplied;
  const changes = async () => {
    await dataplane.flush(never);
    const all = memory.changesApplied - before;
    before = memory.changesApplied;
    return all;
  };
  add(1000);
  expect(await changes()).toBe(3);
  dataplane.setSecurityGroup(securityGroup('g', [...rules, rule({ protocol: 17, remoteGroupId: 'g' })]));
  expect(await changes()).toBe(1);
  dataplane.removeNeighbor('n1000');
  expect(await changes()).toBe(3);
  for (let n = 0; n < 20; n += 1) dataplane.removePort(`p${n}`);
  await changes();
  expect([count('members'), count('rules'), count('policy')]).toEqual([0, 0, 0]);
});

test('a new process with the same groups writes nothing and deletes nothing', async () => {
  const { memory, dataplane } = await testHost(A);
  memory.plug('client');
  const state = (to: typeof dataplane, ids: readonly string[]): void => {
    to.setNeighbor(neighborOf({ ...server, securityGroupIds: ['g'] }, B));
    to.setSecurityGroup(securityGroup('g', [rule({ remoteGroupId: 'g' }), tcp80]));
    to.setSecurityGroup(securityGroup('h', [rule({ remoteGroupId: 'g' })], false));
    to.setPort({ ...client, securityGroupIds: ids });
  };
  state(dataplane, ['g', 'h']);
  await dataplane.reconcile(never);
  const before = memory.changesApplied;
  const next = await startedOn(memory, A);
  state(next.dataplane, ['h', 'g']);
  expect(await next.dataplane.reconcile(never)).toEqual(
    ['server', 'g', 'h', 'client'].map((resourceId) => ({ resourceId, status: 'ok', reason: '' })),
  );
  expect(memory.changesApplied).toBe(before);
});

test('a rule that means nothing is reported of its group', async () => {
  const { memory, dataplane } = await testHost(A);
  memory.plug('client');
  dataplane.setPort({ ...client, securityGroupIds: ['g'] });
  dataplane.setSecurityGroup(securityGroup('g', [rule({ remoteIpPrefix: 'fd00::/8' })]));
  expect(await dataplane.flush(never)).toMatchObject([
    { resourceId: 'client', status: 'ok' },
    { resourceId: 'g', status: 'failed', reason: 'fd00::/8 is not a prefix of IPv4' },
  ]);
});

test('a range of ports is as few prefixes as can be, and exactly the range', () => {
  expect(portPrefixes(0, 0xffff)).toEqual([undefined]);
  expect(portPrefixes(80, 80)).toEqual([80]);
  expect(() => portPrefixes(2, 1)).toThrow('no range');
  const ends = fc.tuple(fc.nat(0xffff), fc.nat(0xffff));
  fc.assert(
    fc.property(ends, fc.nat(0xffff), ([a, b], any) => {
      const [min, max] = [Math.min(a, b), Math.max(a, b)];
      const prefixes = portPrefixes(min, max);
      expect(prefixes.length).toBeLessThanOrEqual(30);
      for (const at of [any, min, max, min - 1, max + 1].filter((each) => each >= 0 && each <= 0xffff)) {
        const hits = prefixes.filter((each) => {
          if (each === undefined || typeof each !== 'object') return each === undefined || each === at;
          return (at & Number(each.mask)) === each.value;
        });
        expect(hits).toHaveLength(at >= min && at <= max ? 1 : 0);
      }
    }),
  );
});
