import { ipv4, mac } from '@alcor/openflow';
import { describe, expect, test } from 'vitest';
import type { PortCounters } from './counters.ts';
import { arpRequest, icmpEcho, udp } from './drivers/packet.ts';
import { startedOn } from './testing/region.ts';
import { fabricOf, neighborOf, never, port, rule, securityGroup, testHost, type TestHost } from './testing/region.ts';
import type { LocalPort, NetworkAcl } from './resources.ts';

const [A, B] = ['192.0.2.1', '192.0.2.2'];
const out = [rule({ direction: 'egress' })];
const inside = [
  rule({ protocol: 17, portRangeMin: 7, portRangeMax: 9, remoteIpPrefix: '10.0.0.0/24' }),
  rule({ protocol: 1, portRangeMin: 8, remoteGroupId: 'clients' }),
];
const client = port('client', { securityGroupIds: ['clients'] });
const server = port('server', { mac: '02:00:00:00:00:02', ips: ['10.0.0.2'], securityGroupIds: ['servers'] });
const at = (of: LocalPort, number: number) => ({ mac: mac(of.mac), ip: ipv4(of.ips[0]!), port: number });

/** Two VMs on two hosts; what each host has counted of its own. */
async function twoHosts(changes: Partial<LocalPort> = {}, isStateful = true) {
  const clock = { now: () => 0 };
  const [here, there] = [await testHost(A!, { clock }), await testHost(B!, { clock })];
  const fabric = fabricOf([here, there]);
  const ours = { ...client, ...changes };
  for (const { dataplane } of [here, there]) {
    dataplane.setSecurityGroup(securityGroup('clients', out, isStateful));
    dataplane.setSecurityGroup(securityGroup('servers', inside, isStateful));
  }
  here.dataplane.setPort(ours);
  here.dataplane.setNeighbor(neighborOf(server, B!));
  there.dataplane.setPort(server);
  there.dataplane.setNeighbor(neighborOf(client, A!));
  const [vm, remote] = [fabric.addVm(A!, ours), fabric.addVm(B!, server)];
  for (const { dataplane } of [here, there]) await dataplane.reconcile(never);
  return { fabric, here, there, vm, remote };
}

async function countersOf({ dataplane }: TestHost, id: string): Promise<PortCounters> {
  const counters = await dataplane.counters(id, never);
  if (typeof counters === 'string') throw new Error(counters);
  return counters;
}

/** Packets alone, and what is not 0. */
function counted({ sent, received, dropped, rules }: PortCounters) {
  const drops = Object.entries(dropped).flatMap(([name, { packets }]) => (packets > 0n ? [[name, packets]] : []));
  const hits = rules.flatMap(({ ruleId, packets }) => (packets > 0n ? [[ruleId, packets]] : []));
  return [sent.packets, received.packets, Object.fromEntries(drops), Object.fromEntries(hits)];
}

describe('counters of a port', () => {
  test('say what it sent and got, by which rules, and what was dropped for which reason', async () => {
    const { fabric, here, there, vm, remote } = await twoHosts();
    const send = (times: number, packet: Parameters<typeof fabric.send>[1]): void => {
      for (let n = 0; n < times; n++) fabric.send(vm, packet);
    };
    send(5, udp(at(client, 1000), at(server, 8)));
    send(3, udp(at(client, 1000), at(server, 10)));
    send(2, udp({ ...at(client, 1000), ip: ipv4('10.0.0.9') }, at(server, 8)));
    fabric.send(vm, icmpEcho('request', at(client, 0), at(server, 0)));
    fabric.send(remote, icmpEcho('reply', at(server, 0), at(client, 0)));
    expect(counted(await countersOf(here, 'client'))).toEqual([11n, 1n, { spoofed: 2n }, { 'clients 0': 10n }]);
    // What it answers counts for the rule that let the question in.
    expect(counted(await countersOf(there, 'server'))).toEqual([
      1n,
      6n,
      { receivedNotAllowed: 3n },
      { 'servers 0': 5n, 'servers 1': 2n },
    ]);
  });

  test('have rules in words, and bytes beside packets', async () => {
    const { fabric, there, vm } = await twoHosts();
    fabric.send(vm, udp(at(client, 1000), at(server, 8)));
    const { rules, received } = await countersOf(there, 'server');
    expect(received).toEqual({ packets: 1n, bytes: 64n });
    expect(rules.map(({ text, bytes }) => [text, bytes])).toEqual([
      ['ingress IPv4 udp 7-9 from 10.0.0.0/24', 64n],
      ['ingress IPv4 icmp 8 from security group clients', 0n],
    ]);
  });

  test('of a stateless group count the packets that a rule speaks of', async () => {
    const { fabric, there, vm, remote } = await twoHosts({}, false);
    fabric.send(vm, icmpEcho('request', at(client, 0), at(server, 0)));
    fabric.send(remote, icmpEcho('reply', at(server, 0), at(client, 0)));
    // Its answer is let out by no rule.
    expect(counted(await countersOf(there, 'server'))).toEqual([1n, 1n, { sentNotAllowed: 1n }, { 'servers 1': 1n }]);
  });

  test('of a port whose groups have no rules, and of one without groups, say that nothing was allowed', async () => {
    for (const securityGroupIds of [['servers'], []]) {
      const { fabric, here, vm } = await twoHosts({ securityGroupIds });
      fabric.send(vm, udp(at(client, 1000), at(server, 8)));
      expect(counted(await countersOf(here, 'client'))).toEqual([1n, 0n, { sentNotAllowed: 1n }, {}]);
    }
  });

  test('do not count as refused what a VM says to all and does not get itself', async () => {
    const { fabric, here, vm } = await twoHosts();
    fabric.send(vm, arpRequest(at(client, 0), ipv4('10.0.0.77')));
    expect(counted(await countersOf(here, 'client'))).toEqual([1n, 0n, {}, {}]);
  });

  test('say what a QoS policy has ended, in each direction', async () => {
    const limits = (['egress', 'ingress'] as const).map((direction) => {
      return { direction, unit: 'kilopackets', rate: 1, burst: 1 } as const;
    });
    const { fabric, here, vm, remote } = await twoHosts({ qosPolicyId: 'q', portSecurityEnabled: false });
    here.dataplane.setQosPolicy({ id: 'q', limits, dscpMark: null, revision: 1 });
    await here.dataplane.flush(never);
    for (let n = 0; n < 1_010; n++) fabric.send(vm, udp(at(client, 1000), at(server, 8)));
    for (let n = 0; n < 600; n++) fabric.send(remote, udp(at(server, 8), at(client, 1000)));
    expect(counted(await countersOf(here, 'client'))).toEqual([1_010n, 600n, { sentOverLimit: 10n }, {}]);
    for (let n = 0; n < 410; n++) fabric.send(remote, udp(at(server, 8), at(client, 1000)));
    expect(counted(await countersOf(here, 'client'))).toEqual([
      1_010n,
      1_000n,
      { sentOverLimit: 10n, receivedOverLimit: 10n },
      {},
    ]);
  });

  test('of network ACLs say what each rule decided, and what none fitted; those of a direction begin anew with a change of it', async () => {
    const deny = { ...rule({ protocol: 17 }), id: 'deny', number: 1, action: 'deny' } as const;
    const allow = { ...rule({ direction: 'egress', protocol: 17 }), id: 'allow', number: 2, action: 'allow' } as const;
    const acl: NetworkAcl = {
      id: 'acl',
      subnets: [{ id: 's', cidr: '10.0.1.0/24' }],
      rules: [deny, allow],
      revision: 1,
    };
    const { fabric, here, vm } = await twoHosts({ subnetIds: ['s'] });
    here.dataplane.setNetworkAcl(acl);
    await here.dataplane.flush(never);
    fabric.send(vm, udp(at(client, 1000), at(server, 8)));
    fabric.send(vm, icmpEcho('request', at(client, 0), at(server, 0)));
    const [, , , hits] = counted(await countersOf(here, 'client'));
    expect(hits).toEqual({ allow: 1n, '': 1n, 'clients 0': 1n });
    const texts = (await countersOf(here, 'client')).rules.map(({ text }) => text);
    expect(texts.slice(1)).toEqual([
      '1 deny ingress IPv4 udp from anywhere',
      '2 allow egress IPv4 udp to anywhere',
      'deny egress what no rule fits',
      'deny ingress what no rule fits',
    ]);
    here.dataplane.setNetworkAcl({ ...acl, rules: [{ ...allow, number: 3 }] });
    await here.dataplane.flush(never);
    expect(counted(await countersOf(here, 'client'))[3]).toEqual({ 'clients 0': 1n });
  });

  test('go on where flows are rewritten in their place, and where another process takes over', async () => {
    const { fabric, here, vm } = await twoHosts();
    fabric.send(vm, udp(at(client, 1000), at(server, 8)));
    // Members that some rule names are marked where they come in.
    here.dataplane.setSecurityGroup(securityGroup('other', [rule({ remoteGroupId: 'clients' })]));
    await here.dataplane.flush(never);
    fabric.send(vm, udp(at(client, 1000), at(server, 8)));
    expect(counted(await countersOf(here, 'client'))).toEqual([2n, 0n, {}, { 'clients 0': 2n }]);
    const next = await startedOn(here.memory, A!);
    next.dataplane.setPort(client);
    next.dataplane.setNeighbor(neighborOf(server, B!));
    next.dataplane.setSecurityGroup(securityGroup('clients', out));
    await next.dataplane.reconcile(never);
    expect(counted(await countersOf(next, 'client'))).toEqual([2n, 0n, {}, { 'clients 0': 2n }]);
  });

  test('cost what the port and its rules have, whatever else is on the host', async () => {
    const { here } = await twoHosts();
    const { memory, dataplane } = here;
    const asked: number[] = [];
    const counts = memory.counts.bind(memory);
    memory.counts = (flows, signal) => {
      asked.push(flows.length);
      return counts(flows, signal);
    };
    await countersOf(here, 'client');
    for (let n = 0; n < 500; n++)
      dataplane.setNeighbor(neighborOf({ ...server, id: `n${n}`, ips: [`10.0.${1 + (n >> 8)}.${n & 255}`] }, B!));
    await dataplane.flush(never);
    await countersOf(here, 'client');
    expect(asked[1]).toBe(asked[0]);
    expect(asked[0]).toBeLessThan(50);
  });

  test('are none of a port that is not here, or not plugged', async () => {
    const { here } = await twoHosts();
    expect(await here.dataplane.counters('server', never)).toBe('port server is not on this host');
    here.memory.unplug('client');
    await here.dataplane.reconcile(never);
    expect(await here.dataplane.counters('client', never)).toMatch(/interface/);
  });
});
