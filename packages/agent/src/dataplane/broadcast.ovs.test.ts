/** Copies to all of a network on a real Open vSwitch: as far as the meter of the network lets them. */
import { ipv4, mac } from '@alcor/openflow';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Dataplane } from './dataplane.ts';
import { BROADCAST, udp } from './drivers/packet.ts';
import { meterOf } from './meters.ts';
import { injected, received } from './testing/injection.ts';
import { missingOpenVswitch, OpenVswitch } from './testing/open-vswitch.ts';
import { never, port } from './testing/region.ts';

const missing = missingOpenVswitch();

describe.skipIf(missing !== '')(`broadcast on Open vSwitch${missing && ` (skipped: ${missing})`}`, () => {
  let ovs: OpenVswitch;
  let stop: AbortController;
  let dataplane: Dataplane;

  beforeEach(async () => {
    ovs = await OpenVswitch.start();
    stop = new AbortController();
    dataplane = await ovs.startDataplane('192.0.2.1', stop.signal);
  });

  afterEach(async () => {
    stop.abort();
    await ovs.stop();
  });

  test('reaches the ports of the network but the one that it comes from, and is counted by the meter', async () => {
    const ids = ['p1', 'p2', 'p3', 'other'];
    for (const [n, id] of ids.entries()) {
      await ovs.plug(id);
      const vni = id === 'other' ? 200 : 100;
      dataplane.setPort(port(id, { vni, mac: `02:00:00:00:00:0${n}`, ips: [`10.0.0.${n}`] }));
    }
    expect((await dataplane.reconcile(never)).map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'ok']);
    const from = { mac: mac('02:00:00:00:00:00'), ip: ipv4('10.0.0.0'), port: 1 };
    const packet = udp(from, { mac: BROADCAST, ip: ipv4('255.255.255.255'), port: 9 });
    expect(await received(ovs, ids, 2, () => injected(ovs, 'p1', packet))).toEqual(['p2', 'p3']);
    await injected(ovs, 'p1', packet);
    expect(await metered(ovs, 100)).toBe(2);
  });

  test('beyond what the meter allows is copied to nobody', async () => {
    for (const [n, id] of ['p1', 'p2'].entries()) {
      await ovs.plug(id);
      dataplane.setPort(port(id, { mac: `02:00:00:00:00:0${n}`, ips: [`10.0.0.${n}`] }));
    }
    await dataplane.reconcile(never);
    const meter = `meter=${meterOf('broadcast', 100)},pktps,burst,bands=type=drop,rate=1,burst_size=1`;
    await ovs.ofctl('mod-meter', meter);
    const from = { mac: mac('02:00:00:00:00:00'), ip: ipv4('10.0.0.0'), port: 1 };
    const packet = udp(from, { mac: BROADCAST, ip: ipv4('255.255.255.255'), port: 9 });
    const before = await sentBy(ovs, 'p2');
    for (let n = 0; n < 40; n += 1) await injected(ovs, 'p1', packet);
    expect(await metered(ovs, 100)).toBe(40);
    expect((await sentBy(ovs, 'p2')) - before).toBeLessThan(40);
  });
});

/** Packets that came to the network's meter. */
async function metered(ovs: OpenVswitch, vni: number): Promise<number> {
  const text = await ovs.ofctl('meter-stats', `meter=${meterOf('broadcast', vni)}`);
  return Number(/packet_in_count:(\d+)/.exec(text)?.[1]);
}

/** Packets that the switch has sent to the port. */
async function sentBy(ovs: OpenVswitch, ifaceId: string): Promise<number> {
  const text = await ovs.appctl('dpctl/show', '-s');
  return Number(new RegExp(`port \\d+: d-${ifaceId} [^]*?TX packets:(\\d+)`).exec(text)?.[1]);
}
