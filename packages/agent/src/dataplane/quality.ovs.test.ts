/** QoS policies on a real Open vSwitch: what its meters let pass, and how they come through changes and restarts. */
import { ipv4, ipv6, mac } from '@alcor/openflow';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Dataplane } from './dataplane.ts';
import { type Packet, udp } from './drivers/packet.ts';
import { portMeter } from './meters.ts';
import type { QosPolicy } from './resources.ts';
import { injectedOften } from './testing/injection.ts';
import { missingOpenVswitch, OpenVswitch } from './testing/open-vswitch.ts';
import { never, port } from './testing/region.ts';

const missing = missingOpenVswitch();
const MANY = 300;
/** Bytes of each. */
const LENGTH = 500;
/** As many of them as are in the burst that is the smallest, that of a packet of 64 KiB. */
const BURST = Math.floor(525_000 / 8 / LENGTH);
/** What comes in while they are sent, at 1 kbit/s. */
const SLACK = 20;

describe.skipIf(missing !== '')(`QoS policies on Open vSwitch${missing && ` (skipped: ${missing})`}`, () => {
  let ovs: OpenVswitch;
  let stop: AbortController;
  let dataplane: Dataplane;
  let ofport: number;
  const [one, two] = [1, 2].map((n) => ({ mac: mac(`02:00:00:00:00:0${n}`), ip: ipv4(`10.0.0.${n}`), port: 9 }));
  const limit = { direction: 'egress', unit: 'kilobits', burst: 0 } as const;
  const out = udp(one!, two!);
  const back = udp(two!, one!);

  beforeEach(async () => {
    ovs = await OpenVswitch.start();
    stop = new AbortController();
    dataplane = await ovs.startDataplane('192.0.2.1', stop.signal);
    ofport = await ovs.plug('p1');
    await ovs.plug('p2');
  });

  afterEach(async () => {
    stop.abort();
    await ovs.stop();
  });

  /** How many of `MANY` come out at the other port. */
  async function passed(from: string, to: string, packet: Packet): Promise<number> {
    const before = await sentBy(ovs, to);
    await injectedOften(ovs, from, packet, { times: MANY, bytes: LENGTH });
    return (await sentBy(ovs, to)) - before;
  }

  test('lets a burst pass and little more, in each direction on its own', async () => {
    const limits = (['egress', 'ingress'] as const).map((direction) => ({ ...limit, direction, rate: 1, burst: 1 }));
    give(dataplane, { id: 'q', limits: limits.slice(0, 1), dscpMark: null, revision: 1 });
    expect((await dataplane.reconcile(never)).map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
    // Counters of ports come late, and the last of what they count with the next.
    while ((await passed('p2', 'p1', back)) < MANY);
    expect(await passed('p1', 'p2', out)).toBeLessThan(BURST + SLACK);
    const [came, ended] = await metered(ovs, portMeter(ofport, 'egress', 'kilobits'));
    expect(came).toBe(MANY);
    expect(MANY - ended!).toBeGreaterThanOrEqual(BURST);
    expect(MANY - ended!).toBeLessThan(BURST + SLACK);
    dataplane.setQosPolicy({ id: 'q', limits: limits.slice(1), dscpMark: null, revision: 2 });
    await dataplane.flush(never);
    // The datapath goes by what it remembers of the flows until it has looked at them again.
    while ((await passed('p1', 'p2', out)) < MANY);
    expect(await passed('p2', 'p1', back)).toBeLessThan(BURST + SLACK);
  });

  test('lets all pass of what is less than a wide limit, however small its burst', async () => {
    give(dataplane, { id: 'q', limits: [{ ...limit, rate: 1_000_000, burst: 1 }], dscpMark: null, revision: 1 });
    await dataplane.reconcile(never);
    // A bucket is empty when it is made.
    while ((await passed('p1', 'p2', out)) < MANY);
  });

  test('limits packets and bits at once, each by a meter of its own', async () => {
    const packets = { direction: 'egress', unit: 'kilopackets', rate: 3, burst: 4 } as const;
    give(dataplane, { id: 'q', limits: [{ ...limit, rate: 1, burst: 1 }, packets], dscpMark: null, revision: 1 });
    await dataplane.reconcile(never);
    const id = portMeter(ofport, 'egress', 'packets');
    expect(await ovs.ofctl('dump-meters')).toMatch(
      new RegExp(`meter=${id} pktps burst .*rate=3000 burst_size=4000`, 's'),
    );
    expect(await passed('p1', 'p2', out)).toBeLessThan(BURST + SLACK);
    const [came, ended] = await metered(ovs, portMeter(ofport, 'egress', 'kilobits'));
    expect(came).toBe(MANY);
    expect((await metered(ovs, id))[0]).toBe(MANY - ended!);
  });

  test('changes meters in place, is not rewritten by a new process, and takes its meters with it', async () => {
    give(dataplane, { id: 'q', limits: [{ ...limit, rate: 8_000 }], dscpMark: 46, revision: 1 });
    await dataplane.reconcile(never);
    const id = portMeter(ofport, 'egress', 'kilobits');
    expect(await ovs.ofctl('dump-meters', `meter=${id}`)).toMatch(/kbps burst .*rate=8000 burst_size=6400/s);
    dataplane.setQosPolicy({ id: 'q', limits: [{ ...limit, rate: 9_000 }], dscpMark: 46, revision: 2 });
    await dataplane.flush(never);
    expect(await ovs.ofctl('dump-meters', `meter=${id}`)).toMatch(/rate=9000 burst_size=7200/);
    await injectedOften(ovs, 'p1', out, { times: 10, bytes: LENGTH });
    const counted = await metered(ovs, id);
    expect(counted).toEqual([10, 0]);
    stop.abort();
    stop = new AbortController();
    const next = await ovs.startDataplane('192.0.2.1', stop.signal);
    give(next, { id: 'q', limits: [{ ...limit, rate: 9_000 }], dscpMark: 46, revision: 2 });
    await next.reconcile(never);
    // A meter that is written anew counts from nothing.
    expect(await metered(ovs, id)).toEqual(counted);
    next.removeQosPolicy('q');
    await next.flush(never);
    expect(await ovs.ofctl('dump-meters')).not.toContain(`meter=${id} `);
  });

  test('marks what the VM sends, in both families', async () => {
    give(dataplane, { id: 'q', limits: [], dscpMark: 46, revision: 1 });
    await dataplane.reconcile(never);
    const to6 = udp({ ...one!, ip: ipv6('fd00::1') }, { ...two!, ip: ipv6('fd00::2') });
    for (const packet of [out, to6]) await injectedOften(ovs, 'p1', packet, { times: 1, bytes: LENGTH });
    const flows = await ovs.appctl('dpctl/dump-flows');
    // The code point, and whatever the packet had of the two bits behind it.
    expect(flows).toMatch(/set\(ipv4\(tos=0xb8\/0xfc\)\)/);
    expect(flows).toMatch(/set\(ipv6\(tclass=0xb8\/0xfc\)\)/);
  });
});

/** Two VMs on the host, the first of which has the policy. */
function give(to: Dataplane, policy: QosPolicy): void {
  to.setQosPolicy(policy);
  for (const n of [1, 2]) {
    const its = { mac: `02:00:00:00:00:0${n}`, ips: [`10.0.0.${n}`, `fd00::${n}`] };
    to.setPort(port(`p${n}`, { ...its, qosPolicyId: n === 1 ? 'q' : undefined }));
  }
}

/** Packets that came to a meter, and those that it ended. */
async function metered(ovs: OpenVswitch, id: number): Promise<readonly number[]> {
  const text = await ovs.ofctl('meter-stats', `meter=${id}`);
  const [, came] = /packet_in_count:(\d+)/.exec(text) ?? [];
  const [, ended] = /0:\s*packet_count:(\d+)/.exec(text) ?? [];
  return [Number(came), Number(ended)];
}

/** Packets that the switch has sent to the port. */
async function sentBy(ovs: OpenVswitch, ifaceId: string): Promise<number> {
  const text = await ovs.appctl('dpctl/show', '-s');
  return Number(new RegExp(`port \\d+: d-${ifaceId} [^]*?TX packets:(\\d+)`).exec(text)?.[1]);
}
