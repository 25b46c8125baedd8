import { ipv4, mac } from '@alcor/openflow';
import { expect, test } from 'vitest';
import type { Delivery, Vm } from './drivers/fabric.ts';
import { arpReply, arpRequest, icmpEcho, type Packet, tcp, udp } from './drivers/packet.ts';
import { walkText } from './drivers/walk.ts';
import type { LocalIp, LocalPort, SecurityGroup } from './resources.ts';
import { neighborOf, never, port, region, rule, securityGroup } from './testing/region.ts';

const HERE = '192.0.2.1';
const THERE = '192.0.2.2';
const LOCAL = '10.0.0.99';

const numbered = (n: number, changes: Partial<LocalPort> = {}): LocalPort =>
  port(`${n}`, { mac: `02:00:00:00:00:0${n}`, ips: [`10.0.0.${n}`], ...changes });
const as = (n: number, isTranslated = true): readonly LocalIp[] => [
  { ip: LOCAL, fixedIp: `10.0.0.${n}`, isTranslated },
];

const end = (ip: string, n: number, portNumber = 0) => ({
  mac: mac(`02:00:00:00:00:0${n}`),
  ip: ipv4(ip),
  port: portNumber,
});

/** What the only machine that got something got. */
function got({ received, hops }: Delivery, by: Vm): Packet {
  expect(
    received.map(({ vm }) => vm.id),
    hops.map(({ host, walk }) => `${host}\n${walkText(walk)}`).join('\n'),
  ).toEqual([by.id]);
  return received[0]!.packet;
}

/** A client and a server on one host, a client on the other. */
function served(localIps: readonly LocalIp[], groups: readonly SecurityGroup[] = [], of: Partial<LocalPort> = {}) {
  return region(
    [
      { host: HERE, port: numbered(1, of) },
      { host: HERE, port: numbered(2, { localIps, ...of }) },
      { host: THERE, port: numbered(3, of) },
    ],
    { groups },
  );
}

const groupIds = { securityGroupIds: ['g'] };
/** Nothing but this port of the server, and nothing out but to its own address. */
const narrow = securityGroup('g', [
  rule({ protocol: 17, portRangeMin: 53, portRangeMax: 53 }),
  rule({ direction: 'egress', remoteIpPrefix: '10.0.0.2/32' }),
]);

test.each([
  ['without groups', []],
  ['as groups judge what is sent to the real port', [narrow]],
])(
  'what guests send to a local IP goes to the port of their host, and its answers come from there: %s',
  async (_, groups) => {
    const { fabric, vms } = await served(as(2), groups, groups.length > 0 ? groupIds : {});
    const [client, server] = vms;
    const asked = got(fabric.send(client, udp(end('10.0.0.1', 1, 4000), end(LOCAL, 2, 53))), server);
    expect(asked).toMatchObject({ ipv4_src: ipv4('10.0.0.1'), ipv4_dst: ipv4('10.0.0.2'), eth_dst: mac(server.mac) });
    const answered = got(fabric.send(server, udp(end('10.0.0.2', 2, 53), end('10.0.0.1', 1, 4000))), client);
    expect(answered).toMatchObject({ ipv4_src: ipv4(LOCAL), ipv4_dst: ipv4('10.0.0.1'), udp_src: 53, udp_dst: 4000 });
  },
);

test('other protocols, and what is sent to another MAC that once had it', async () => {
  const { fabric, vms } = await served(as(2));
  const [client, server] = vms;
  for (const [question, answer] of [
    [tcp(end('10.0.0.1', 1, 4000), end(LOCAL, 3, 80)), tcp(end('10.0.0.2', 2, 80), end('10.0.0.1', 1, 4000))],
    [icmpEcho('request', end('10.0.0.1', 1), end(LOCAL, 3)), icmpEcho('reply', end('10.0.0.2', 2), end('10.0.0.1', 1))],
  ] as const) {
    expect(got(fabric.send(client, question), server)).toMatchObject({ ipv4_dst: ipv4('10.0.0.2') });
    expect(got(fabric.send(client, question), server)).toMatchObject({ ipv4_dst: ipv4('10.0.0.2') });
    expect(got(fabric.send(server, answer), client)).toMatchObject({ ipv4_src: ipv4(LOCAL) });
  }
});

test('who reaches the port by its own address is answered from there', async () => {
  const { fabric, vms } = await served(as(2));
  const [client, server, far] = vms;
  got(fabric.send(client, udp(end('10.0.0.1', 1, 4000), end(LOCAL, 2, 53))), server);
  for (const [n, vm] of [
    [1, client],
    [3, far!],
  ] as const) {
    got(fabric.send(vm, udp(end(`10.0.0.${n}`, n, 4001), end('10.0.0.2', 2, 53))), server);
    const answer = got(fabric.send(server, udp(end('10.0.0.2', 2, 53), end(`10.0.0.${n}`, n, 4001))), vm);
    expect(answer).toMatchObject({ ipv4_src: ipv4('10.0.0.2') });
  }
});

test('groups refuse what they refuse to the real port', async () => {
  const { fabric, vms } = await served(as(2), [narrow], groupIds);
  expect(fabric.send(vms[0], udp(end('10.0.0.1', 1, 4000), end(LOCAL, 2, 54))).received).toEqual([]);
});

test('ARP for it is answered on the host of the port, and by no port of another one', async () => {
  for (const isTranslated of [true, false]) {
    const { fabric, vms } = await served(as(2, isTranslated));
    const [client, server, far] = vms;
    const asks = (n: number) => arpRequest(end(`10.0.0.${n}`, n), ipv4(LOCAL));
    const answer = arpReply({ mac: mac(server.mac), ip: ipv4(LOCAL) }, end('10.0.0.1', 1));
    expect(fabric.send(client, asks(1)).received).toEqual([{ vm: client, packet: answer }]);
    expect(fabric.send(far!, asks(3)).received.map(({ packet }) => packet.arp_op)).not.toContain(2);
    expect(fabric.send(server, asks(2)).received.map(({ packet }) => packet.arp_op)).not.toContain(2);
  }
});

test('on a host without such a port it is nobody', async () => {
  const { fabric, vms } = await served(as(2));
  expect(fabric.send(vms[2]!, udp(end('10.0.0.3', 3, 4000), end(LOCAL, 8, 53))).received).toEqual([]);
});

test('passed through, the port gets it as it is and answers for itself, but tells nobody where the address is', async () => {
  const { fabric, vms } = await served(as(2, false));
  const [client, server] = vms;
  const asked = got(fabric.send(client, udp(end('10.0.0.1', 1, 4000), end(LOCAL, 3, 53))), server);
  expect(asked).toMatchObject({ ipv4_dst: ipv4(LOCAL), eth_dst: mac(server.mac) });
  const answered = got(fabric.send(server, udp(end(LOCAL, 2, 53), end('10.0.0.1', 1, 4000))), client);
  expect(answered).toMatchObject({ ipv4_src: ipv4(LOCAL) });
  const from = end(LOCAL, 2);
  got(fabric.send(server, arpRequest(from, ipv4('10.0.0.1'))), server);
  for (const each of [
    arpRequest(from, ipv4(LOCAL)),
    arpRequest({ ...from, ip: 0 }, ipv4(LOCAL)),
    arpRequest(from, ipv4('10.0.0.77')),
    arpReply(from, end('10.0.0.3', 3)),
  ])
    expect(fabric.send(server, each).received).toEqual([]);
});

test('a port that is translated for does not send as the local IP', async () => {
  const { fabric, vms } = await served(as(2));
  expect(fabric.send(vms[1], udp(end(LOCAL, 2, 53), end('10.0.0.1', 1, 4000))).received).toEqual([]);
});

test('a port that stands for it reaches who really has the address', async () => {
  const { fabric, vms } = await region([
    { host: HERE, port: numbered(1) },
    { host: HERE, port: numbered(2, { localIps: as(2) }) },
    { host: THERE, port: numbered(3, { ips: [LOCAL] }) },
  ]);
  const [client, server, owner] = vms;
  const answer = got(fabric.send(server, arpRequest(end('10.0.0.2', 2), ipv4(LOCAL))), server);
  expect(answer).toMatchObject({ arp_sha: mac(owner!.mac) });
  got(fabric.send(server, udp(end('10.0.0.2', 2, 4000), end(LOCAL, 3, 53))), owner!);
  got(fabric.send(owner!, udp(end(LOCAL, 3, 53), end('10.0.0.2', 2, 4000))), server);
  got(fabric.send(client, udp(end('10.0.0.1', 1, 4000), end(LOCAL, 3, 53))), server);
});

test('of two ports on one host one is taken, whichever came first; the other follows it', async () => {
  for (const order of [
    [2, 3],
    [3, 2],
  ]) {
    const { fabric, vms, hosts } = await region([
      { host: HERE, port: numbered(1) },
      ...order.map((n) => ({ host: HERE, port: numbered(n, { localIps: as(n) }) })),
    ]);
    const at = (n: number): Vm => vms.find(({ id }) => id === `${n}`)!;
    const question = udp(end('10.0.0.1', 1, 4000), end(LOCAL, 2, 53));
    expect(got(fabric.send(at(1), question), at(2))).toMatchObject({ ipv4_dst: ipv4('10.0.0.2') });
    const [{ dataplane }] = hosts as [(typeof hosts)[number]];
    dataplane.setPort(numbered(2));
    await dataplane.reconcile(never);
    expect(got(fabric.send(at(1), question), at(3))).toMatchObject({ ipv4_dst: ipv4('10.0.0.3') });
    dataplane.setPort(numbered(3));
    await dataplane.reconcile(never);
    expect(fabric.send(at(1), question).received.map(({ packet }) => packet.ipv4_dst)).not.toContain(ipv4('10.0.0.3'));
  }
});

test('a port that goes takes it along, and each network has its own', async () => {
  const other = { vpcId: 'other', vni: 200 };
  const { fabric, vms, hosts } = await region([
    { host: HERE, port: numbered(1) },
    { host: HERE, port: numbered(2, { localIps: as(2) }) },
    { host: HERE, port: numbered(4, { ...other, ips: ['10.0.0.1'] }) },
    { host: HERE, port: numbered(5, { ...other, ips: ['10.0.0.2'], localIps: as(2) }) },
  ]);
  const asked = (vm: Vm, n: number): Delivery => fabric.send(vm, udp(end('10.0.0.1', n, 4000), end(LOCAL, 9, 53)));
  got(asked(vms[0], 1), vms[1]);
  got(asked(vms[2]!, 4), vms[3]!);
  const [{ dataplane }] = hosts as [(typeof hosts)[number]];
  dataplane.removePort('2');
  dataplane.setNeighbor(neighborOf(numbered(2), THERE));
  await dataplane.reconcile(never);
  expect(asked(vms[0], 1).received).toEqual([]);
  got(asked(vms[2]!, 4), vms[3]!);
});
