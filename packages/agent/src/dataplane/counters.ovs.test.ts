/** Counters on a real Open vSwitch: what was put into interfaces and came out of them, packet by packet and byte by byte. */
import { ipv4, mac } from '@alcor/openflow';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PortCounters } from './counters.ts';
import type { Dataplane } from './dataplane.ts';
import { type Packet, udp } from './drivers/packet.ts';
import { injectedOften } from './testing/injection.ts';
import { missingOpenVswitch, OpenVswitch } from './testing/open-vswitch.ts';
import { never, port, rule, securityGroup } from './testing/region.ts';

const missing = missingOpenVswitch();
/** Of a frame, as the switch makes it. */
const BYTES = 106;
const none = { packets: 0n, bytes: 0n };
const times = (packets: number) => ({ packets: BigInt(packets), bytes: BigInt(packets * BYTES) });

describe.skipIf(missing !== '')(`counters on Open vSwitch${missing && ` (skipped: ${missing})`}`, () => {
  let ovs: OpenVswitch;
  let stop: AbortController;
  let dataplane: Dataplane;
  const [one, two] = [1, 2].map((n) => ({ mac: mac(`02:00:00:00:00:0${n}`), ip: ipv4(`10.0.0.${n}`), port: 9 }));
  const client = port('p1', { securityGroupIds: ['clients'], subnetIds: ['s1'] });
  const server = port('p2', {
    mac: '02:00:00:00:00:02',
    ips: ['10.0.0.2'],
    securityGroupIds: ['servers'],
    subnetIds: ['s2'],
  });

  beforeEach(async () => {
    ovs = await OpenVswitch.start();
    stop = new AbortController();
    dataplane = await ovs.startDataplane('192.0.2.1', stop.signal);
    for (const { id } of [client, server]) await ovs.plug(id);
    dataplane.setSecurityGroup(securityGroup('clients', [rule({ direction: 'egress' })]));
    const allowed = rule({ protocol: 17, portRangeMin: 7, portRangeMax: 9, remoteIpPrefix: '10.0.0.0/24' });
    dataplane.setSecurityGroup(securityGroup('servers', [allowed, rule({ protocol: 6 })]));
  });

  afterEach(async () => {
    stop.abort();
    await ovs.stop();
  });

  async function put(from: string, packet: Packet, often: number): Promise<void> {
    await injectedOften(ovs, from, packet, { times: often });
  }

  async function countersOf(id: string): Promise<PortCounters> {
    // What the datapath has counted reaches the flows now, not within a second.
    await ovs.appctl('revalidator/wait');
    const counters = await dataplane.counters(id, never);
    if (typeof counters === 'string') throw new Error(counters);
    return counters;
  }

  test('say what was sent and received, by which rule, and what was dropped for which reason', async () => {
    for (const each of [client, server]) dataplane.setPort(each);
    await dataplane.reconcile(never);
    await put('p1', udp(one!, two!), 40);
    await put('p2', udp(two!, one!), 7);
    await put('p1', udp(one!, { ...two!, port: 10 }), 5);
    await put('p1', udp({ ...one!, ip: ipv4('10.0.0.3') }, two!), 3);
    const dropped = {
      spoofed: none,
      sentNotAllowed: none,
      receivedNotAllowed: none,
      sentOverLimit: none,
      receivedOverLimit: none,
    };
    const first = await countersOf('p1');
    expect(first).toMatchObject({
      sent: times(48),
      received: times(7),
      dropped: { ...dropped, spoofed: times(3) },
      rulesLeftOut: 0,
    });
    // The answers too: they belong to the connection that the rule let out.
    expect(byRule(first)).toEqual({ 'clients 0': times(52) });
    const second = await countersOf('p2');
    expect(second).toMatchObject({
      sent: times(7),
      received: times(40),
      dropped: { ...dropped, receivedNotAllowed: times(5) },
    });
    expect(byRule(second)).toEqual({ 'servers 0': times(47), 'servers 1': none });
  });

  test('go on where flows are rewritten in their place, and begin anew with the interface', async () => {
    for (const each of [client, server]) dataplane.setPort(each);
    await dataplane.reconcile(never);
    await put('p1', udp(one!, two!), 10);
    // Members that some rule names are marked where they come in.
    dataplane.setSecurityGroup(securityGroup('other', [rule({ remoteGroupId: 'clients' })]));
    await dataplane.flush(never);
    await put('p1', udp(one!, two!), 10);
    expect(await countersOf('p1')).toMatchObject({ sent: times(20) });
    await ovs.unplug('p1');
    await ovs.plug('p1');
    await dataplane.reconcile(never);
    expect(await countersOf('p1')).toMatchObject({ sent: none });
  });

  test('say what meters have ended, and what network ACLs decided', async () => {
    const limits = [{ direction: 'egress', unit: 'kilobits', rate: 1, burst: 1 }] as const;
    dataplane.setQosPolicy({ id: 'q', limits, dscpMark: null, revision: 1 });
    const [deny, allow] = [
      { ...rule({ protocol: 17 }), id: 'deny', number: 1, action: 'deny' } as const,
      { ...rule({ direction: 'egress', protocol: 6 }), id: 'allow', number: 2, action: 'allow' } as const,
    ];
    const acl = { id: 'acl', subnets: [{ id: 's2', cidr: '10.0.2.0/24' }], rules: [deny, allow], revision: 1 };
    dataplane.setNetworkAcl(acl);
    for (const each of [{ ...client, qosPolicyId: 'q' }, server]) dataplane.setPort(each);
    await dataplane.reconcile(never);
    await put('p2', udp(two!, one!), 4);
    await put('p1', udp(one!, two!), 6);
    expect(byRule(await countersOf('p2'))).toMatchObject({
      deny: times(6),
      allow: none,
      egress: times(4),
      ingress: none,
    });

    // More at once than the burst of 65 kB.
    await put('p1', udp(one!, two!), 1_500);
    const { sent, dropped } = await countersOf('p1');
    // As many as its interface has had room for, by the datapath's own word.
    const [, came] = /d-p1 \(dummy\)\s+RX packets:(\d+)/.exec(await ovs.appctl('dpctl/show', '-s')) ?? [];
    expect(sent).toEqual(times(Number(came)));
    // Its own tool's word on the one meter of a port.
    const meters = await ovs.ofctl('meter-stats');
    const [, ended] = /meter:\d{5,} [^]*?0: packet_count:(\d+)/.exec(meters) ?? [];
    expect(Number(ended)).toBeGreaterThan(100);
    expect(dropped.sentOverLimit).toEqual(times(Number(ended)));
  });
});

/** By rule; what no rule of an ACL fits, by direction. */
function byRule({ rules }: PortCounters) {
  return Object.fromEntries(
    rules.map(({ ruleId, direction, packets, bytes }) => [ruleId || direction, { packets, bytes }]),
  );
}
