/** Security groups on a real Open vSwitch, with packets that its datapath and its connection tracker have seen. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { realRuntime } from '@alcor/runtime';
import { mac, ipv4, ipv6 } from '@alcor/openflow';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Dataplane } from './dataplane.ts';
import { MemorySwitch } from './drivers/memory.ts';
import { BROADCAST, icmpEcho, icmpv6Echo, tcp, udp, type Packet } from './drivers/packet.ts';
import { walkText } from './drivers/walk.ts';
import type { AddressGroup, LocalPort, SecurityGroup, SecurityGroupRule } from './resources.ts';
import { injected, received } from './testing/injection.ts';
import { missingOpenVswitch, OpenVswitch } from './testing/open-vswitch.ts';
import { never, port, rule, securityGroup, startedOn } from './testing/region.ts';
import { boot, insideNamespace, vmNamespace } from './testing/virtual-machines.ts';

const { clock } = realRuntime();
const A = '192.0.2.1';
const missing = missingOpenVswitch();
const out = [rule({ direction: 'egress' }), rule({ direction: 'egress', ethertype: 'IPv6' })];

describe.skipIf(missing !== '')(`security groups on Open vSwitch${missing && ` (skipped: ${missing})`}`, () => {
  let ovs: OpenVswitch;
  let stop: AbortController;
  let dataplane: Dataplane;

  beforeEach(async () => {
    ovs = await OpenVswitch.start();
    stop = new AbortController();
    dataplane = await ovs.startDataplane(A, stop.signal);
  });

  afterEach(async () => {
    stop.abort();
    await ovs.stop();
  });

  const client = port('client', { ips: ['10.0.0.1', 'fd00::1'], securityGroupIds: ['clients'] });
  const server = port('server', {
    mac: '02:00:00:00:00:02',
    ips: ['10.0.0.2', 'fd00::2'],
    securityGroupIds: ['servers'],
  });

  async function servers(rules: readonly SecurityGroupRule[], stateful = true): Promise<void> {
    dataplane.setSecurityGroup(securityGroup('servers', rules, stateful));
    expect(await dataplane.flush(never)).toMatchObject([{ resourceId: 'servers', status: 'ok' }]);
    // What the datapath remembers of the flows before is gone by then.
    await ovs.appctl('revalidator/wait');
  }

  test('sockets connect where a rule allows it, and lose their connection with the rule', async () => {
    for (const [index, vm] of [client, server].entries()) await boot(ovs, vm, index);
    for (const each of [client, server]) dataplane.setPort(each);
    dataplane.setSecurityGroup(securityGroup('clients', out));
    const allowed = [
      rule({ protocol: 6, portRangeMin: 7, portRangeMax: 9, remoteGroupId: 'clients' }),
      rule({ protocol: 17, portRangeMin: 7, portRangeMax: 7 }),
      rule({ protocol: 1, portRangeMin: 8 }),
      rule({ ethertype: 'IPv6', protocol: 6, portRangeMin: 7, portRangeMax: 7, remoteGroupId: 'clients' }),
    ];
    dataplane.setSecurityGroup(securityGroup('servers', allowed));
    expect((await dataplane.reconcile(never)).map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'ok']);
    const [here, there] = [vmNamespace(ovs, 0), vmNamespace(ovs, 1)];
    for (const at of [7, 10]) await listens(there, at);

    await insideNamespace(here, 'ping', '-c1', '-W10', '10.0.0.2');
    await expect(insideNamespace(there, 'ping', '-c1', '-W1', '10.0.0.1')).rejects.toThrow();
    await expect(insideNamespace(here, 'ping', '-6', '-c1', '-W1', 'fd00::2')).rejects.toThrow();
    expect(await said(here, 'connect', '10.0.0.2', 7)).toBe('connected');
    expect(await said(here, 'connect', 'fd00::2', 7)).toBe('connected');
    expect(await said(here, 'connect', '10.0.0.2', 10, 1_500)).toBe('timeout');
    // Allowed, and nobody listens: TCP's own refusal comes back.
    expect(await said(here, 'connect', '10.0.0.2', 8)).toBe('ECONNREFUSED');
    // The same of UDP is an ICMP error, let out as related to what was let in.
    expect(await said(here, 'datagram', '10.0.0.2', 7)).toBe('ECONNREFUSED');
    expect(await said(here, 'datagram', '10.0.0.2', 8, 1_500)).toBe('timeout');

    const talk = await talking(here, '10.0.0.2', 7);
    expect(await talk('one')).toBe('one');
    await servers(allowed.filter(({ protocol, ethertype }) => protocol !== 6 || ethertype !== 'IPv4'));
    expect(await talk('two', 1_000)).toBe('timeout');
    expect(await said(here, 'connect', 'fd00::2', 7)).toBe('connected');
    // The rule is back before the connection has given up: it goes on, with what was held up first.
    await servers(allowed);
    expect(await talk('three')).toMatch(/^(two)?three$/);
  });

  test('for any groups and packets the switch and the one in memory deliver the same', async () => {
    const ids = ['p0', 'p1', 'p2'];
    const ofports = new Map<string, number>();
    for (const id of ids) ofports.set(id, await ovs.plug(id));
    const tunnelPort = dataplane.describe().tunnelPort!;
    let [delivered, dropped, answers, copied] = [0, 0, 0, 0];
    await fc.assert(
      fc.asyncProperty(
        anyPolicy(ids),
        fc.array(anyRequest(ids), { minLength: 8, maxLength: 8 }),
        async ({ ports, groups, addresses }, sent) => {
          const memory = new MemorySwitch({ tunnelPort });
          for (const [id, ofport] of ofports) memory.plug(id, { ofport });
          const virtual = await startedOn(memory, A);
          for (const each of [dataplane, virtual.dataplane]) {
            for (const group of groups) each.setSecurityGroup(group);
            each.setAddressGroup(addresses);
            for (const one of ports) each.setPort(one);
            expect((await each.reconcile(never)).filter(({ status }) => status !== 'ok')).toEqual([]);
          }
          await ovs.appctl('dpctl/flush-conntrack');
          // No packet is judged by what the datapath remembers of the policy before.
          await ovs.appctl('revalidator/purge');
          await ovs.appctl('revalidator/wait');
          const byMac = new Map(ports.map((each) => [mac(each.mac), each.id]));
          for (const { packet, from } of sent) {
            const receiver = byMac.get(Number(packet.eth_dst));
            const spoke = [[from, packet], ...(receiver === undefined ? [] : [[receiver, answerTo(packet)] as const])];
            for (const [sender, spoken] of spoke as [string, Packet][]) {
              const walked = memory.walk(spoken, ofports.get(sender)!);
              const left = new Set(walked.outputs.map(({ port: at }) => at));
              const wanted = ids.filter((id) => left.has(ofports.get(id)!));
              const got = await received(ovs, ids, wanted.length, () => injected(ovs, sender, spoken));
              expect(got, `${sender}\n${walkText(walked)}`).toEqual(wanted);
              if (wanted.length === 0) dropped += 1;
              else delivered += 1;
              if (spoken !== packet && wanted.length > 0) answers += 1;
              if (receiver === undefined && wanted.length > 0) copied += 1;
            }
          }
        },
      ),
      { numRuns: 30, endOnFailure: true },
    );
    for (const count of [delivered, dropped, answers, copied]) expect(count).toBeGreaterThan(0);
  });
});

/** A TCP server that says everything back. */
async function listens(netns: string, at: number): Promise<void> {
  const code = `require('net').createServer((s) => s.pipe(s).on('error', () => {})).listen(${at}, '::', () => console.log('up'))`;
  const child = spawn('ip', ['netns', 'exec', netns, process.execPath, '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
}

const programs = {
  connect: (ip: string, at: number) =>
    `const s = require('net').connect({ host: '${ip}', port: ${at} });
     s.on('connect', () => done('connected')).on('error', (e) => done(e.code));`,
  datagram: (ip: string, at: number) =>
    `const s = require('dgram').createSocket('udp4');
     s.on('error', (e) => done(e.code));
     s.connect(${at}, '${ip}', () => { s.send('x'); setInterval(() => s.send('y', () => {}), 300); });`,
};

/** What comes of a socket in the namespace, or that nothing does. */
async function said(
  netns: string,
  what: keyof typeof programs,
  ip: string,
  at: number,
  patienceMs = 20_000,
): Promise<string> {
  const end = `const done = (w) => { console.log(w); process.exit(); }; setTimeout(() => done('timeout'), ${patienceMs});`;
  const code = `${end} ${programs[what](ip, at)}`;
  return (await insideNamespace(netns, process.execPath, '-e', code)).stdout.trim();
}

/** A connection that stays: says something and answers with what came back since, or that nothing did (TCP repeats itself ever more rarely). */
async function talking(
  netns: string,
  ip: string,
  at: number,
): Promise<(words: string, patienceMs?: number) => Promise<string>> {
  const code = `const s = require('net').connect(${at}, '${ip}'); process.stdin.pipe(s); s.pipe(process.stdout);`;
  const child = spawn('ip', ['netns', 'exec', netns, process.execPath, '-e', code], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let heard = '';
  child.stdout.on('data', (bytes: Buffer) => (heard += bytes.toString()));
  return async (words, patienceMs = 20_000) => {
    heard = '';
    child.stdin.write(words);
    for (let turn = 0; turn < patienceMs / 20; turn += 1) {
      if (heard.endsWith(words)) return heard;
      await clock.sleep(20);
    }
    return 'timeout';
  };
}

const macs = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03'];
const groupIds = ['g0', 'g1', 'g2'];
/** In a group now and then, so that much is let through whatever is drawn beside it. */
const anything = [...out, rule({}), rule({ ethertype: 'IPv6' })];

interface Policy {
  readonly ports: readonly LocalPort[];
  readonly groups: readonly SecurityGroup[];
  readonly addresses: AddressGroup;
}

function anyPolicy(ids: readonly string[]): fc.Arbitrary<Policy> {
  const ports = fc.tuple(
    ...ids.map((id, n) =>
      fc
        .record({ securityGroupIds: fc.option(fc.subarray(groupIds), { nil: undefined }) })
        .map(({ securityGroupIds }) =>
          port(id, {
            mac: macs[n]!,
            ips: [`10.0.0.${n + 1}`, `fd00::${n + 1}`],
            ...(securityGroupIds === undefined ? {} : { securityGroupIds }),
          }),
        ),
    ),
  );
  const groups = fc.tuple(
    ...groupIds.map((id) =>
      fc
        .tuple(fc.array(anyRule(), { minLength: 3, maxLength: 9 }), fc.nat(3), fc.nat(2))
        .map(([rules, stateful, open]) => securityGroup(id, [...rules, ...(open > 0 ? [] : anything)], stateful > 0)),
    ),
  );
  const addresses = fc
    .subarray(['10.0.0.1', '10.0.0.2/31', 'fd00::2', 'fd00::/127'])
    .map((all) => ({ id: 'a', addresses: all, revision: 1 }));
  return fc.record({ ports, groups, addresses });
}

function anyRule(): fc.Arbitrary<SecurityGroupRule> {
  const protocol = fc.constantFrom(
    { protocol: null },
    { protocol: null },
    { protocol: null },
    { protocol: 17 },
    { protocol: 17, portRangeMin: 2, portRangeMax: 3 },
    { protocol: 6, portRangeMin: 1, portRangeMax: 3 },
    { protocol: 1 },
    { protocol: 1, portRangeMin: 128, portRangeMax: 0 },
    { protocol: 1, portRangeMin: 8 },
  );
  const remote = fc.constantFrom<(v6: boolean) => Partial<SecurityGroupRule>>(
    () => ({}),
    () => ({}),
    () => ({}),
    () => ({ remoteGroupId: 'g0' }),
    () => ({ remoteGroupId: 'g1' }),
    () => ({ remoteAddressGroupId: 'a' }),
    (v6) => ({ remoteIpPrefix: v6 ? 'fd00::2/127' : '10.0.0.2/31' }),
  );
  return fc
    .tuple(fc.constantFrom('ingress', 'egress'), fc.constantFrom('IPv4', 'IPv6'), protocol, remote)
    .map(([direction, ethertype, of, from]) => rule({ direction, ethertype, ...of, ...from(ethertype === 'IPv6') }));
}

function anyRequest(ids: readonly string[]): fc.Arbitrary<{ readonly packet: Packet; readonly from: string }> {
  return fc
    .tuple(
      fc.nat(ids.length - 1),
      fc.integer({ min: 1, max: ids.length - 1 }),
      fc.constantFrom(4, 6),
      fc.nat(3),
      fc.nat(4),
    )
    .map(([n, further, family, kind, at]) => {
      const [from, to] = [n, (n + further) % ids.length].map((index) => ({
        mac: mac(macs[index]!),
        ip: family === 4 ? ipv4(`10.0.0.${index + 1}`) : ipv6(`fd00::${index + 1}`),
      })) as [Socket, Socket];
      const ends = [
        { ...from, port: 1000 + at },
        { ...to, port: at },
      ] as const;
      return {
        from: ids[n]!,
        packet: [echo('request', from, to), tcp(...ends), udp(...ends), udp(ends[0], { ...toAll(family), port: at })][
          kind
        ]!,
      };
    });
}

function toAll(family: number): Socket {
  if (family === 6) return { mac: mac('33:33:00:00:00:01'), ip: ipv6('ff02::1') };
  return { mac: BROADCAST, ip: ipv4('255.255.255.255') };
}

interface Socket {
  readonly mac: number;
  readonly ip: number | bigint;
}

function echo(kind: 'request' | 'reply', from: Socket, to: Socket): Packet {
  if (typeof from.ip === 'bigint') return icmpv6Echo(kind, from as never, to as never);
  return icmpEcho(kind, from as never, to as never);
}

function answerTo(packet: Packet): Packet {
  const v6 = packet.eth_type === 0x86dd;
  const from = { mac: Number(packet.eth_dst), ip: (v6 ? packet.ipv6_dst : packet.ipv4_dst)! };
  const to = { mac: Number(packet.eth_src), ip: (v6 ? packet.ipv6_src : packet.ipv4_src)! };
  if (packet.udp_src !== undefined) {
    return udp({ ...from, port: Number(packet.udp_dst) }, { ...to, port: Number(packet.udp_src) });
  }
  if (packet.tcp_src !== undefined) {
    return tcp({ ...from, port: Number(packet.tcp_dst) }, { ...to, port: Number(packet.tcp_src) });
  }
  return echo('reply', from, to);
}
