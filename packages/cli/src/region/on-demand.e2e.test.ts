import { canEmulate } from '@alcor/lab';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type Guest, makeNetwork, plugGuest, removeGuests } from './testing/guests.ts';
import {
  api,
  cleanUp,
  eventually,
  folder,
  portStatus,
  type RegionJson,
  sh,
  start,
  stop,
  vmOf,
} from './testing/region-process.ts';
import { asksAbout, knows, ping, stopPings } from './testing/traffic.ts';

const emulation = await canEmulate();
if (!emulation.ok) console.log(`skipped: neighbours on demand on real Open vSwitch: ${emulation.reason}`);
afterEach(stopPings);
afterAll(async () => {
  removeGuests();
  await cleanUp();
});

async function goOnDemand(url: string, network: string): Promise<void> {
  await api(url, 'PUT', `/alcor/v1/topics/${network}`, { topic: { channel: 'on-demand' } });
  await eventually(
    'the VPC is told on demand',
    () => api<{ topic: { channel: string } }>(url, 'GET', `/alcor/v1/topics/${network}`),
    ({ topic }) => topic.channel === 'on-demand',
  );
}

/** Waits until the host's switch asks for who it does not know. */
async function goneOnDemand(url: string, json: RegionJson, network: string, host: number): Promise<void> {
  const answer = await api<{ network: { 'provider:segmentation_id': number } }>(
    url,
    'GET',
    `/v2.0/networks/${network}`,
  );
  await eventually(
    'the host asks',
    () => asksAbout(json, host, answer.network['provider:segmentation_id']),
    (asks) => asks,
  );
}

/** Nothing may be plugged or unplugged meanwhile, by which Open vSwitch itself loses packets in tunnels (lab/src/hosts/DESIGN.md). */
async function losesNoPing(vm: string, to: string, change: () => Promise<void>): Promise<void> {
  const pings = ping(vm, to);
  await change();
  const { sent, received } = await pings.end();
  expect(sent).toBeGreaterThan(20);
  expect(received).toBe(sent);
}

/** The very first packet counts: one request, and its answer. */
function pingsOnce({ vm }: Guest, ip: string): boolean {
  return sh(`ip netns exec ${vm} ping -c 1 -W 5 ${ip} >/dev/null && echo yes || echo no`).trim() === 'yes';
}

describe.skipIf(!emulation.ok)('a VPC that is told on demand, on real Open vSwitch', () => {
  it('tells hosts who they ask for, without losing the packet that asked', async () => {
    const { child, json, url } = await start(['--state', join(folder(), 'state')]);
    const [from, to] = json.ports;
    await losesNoPing(vmOf(json, from!.ip), to!.ip, async () => {
      await goOnDemand(url, from!.network);
      await Promise.all(json.hosts.map((_, host) => goneOnDemand(url, json, from!.network, host)));
    });

    const network = await makeNetwork(url, 7);
    await goOnDemand(url, network.id);
    const guests = [await plugGuest(url, json, network, 7), await plugGuest(url, json, network, 8, at(network, 6))];
    const [one, two] = guests as [Guest, Guest];
    for (const [n, { vm, port }] of [
      [5, one],
      [6, two],
    ] as const) {
      sh(`ip -n ${vm} addr add 10.9.7.${n}/24 dev eth0; ip -n ${vm} addr add fd09:7::${n}/64 dev eth0 nodad`);
      await eventually(
        'the port is active',
        () => portStatus(url, port.id),
        (status) => status === 'ACTIVE',
      );
    }
    const [hostOfOne, hostOfTwo] = [7 % json.hosts.length, 8 % json.hosts.length];
    expect([knows(json, hostOfOne, '10.9.7.6'), knows(json, hostOfTwo, '10.9.7.5')]).toEqual([false, false]);
    expect(pingsOnce(one, '10.9.7.6')).toBe(true);
    expect([knows(json, hostOfOne, '10.9.7.6'), knows(json, hostOfTwo, '10.9.7.5')]).toEqual([true, true]);
    expect(pingsOnce(two, 'fd09:7::5')).toBe(true);
    expect(pingsOnce(one, '10.9.7.77')).toBe(false);

    await api(url, 'DELETE', `/v2.0/ports/${two.port.id}`);
    await eventually(
      'who held it has let it go',
      () => knows(json, hostOfOne, '10.9.7.6'),
      (known) => !known,
    );
    await stop(child);
  });
});

/** Other addresses than `plugGuest` would give. */
function at({ subnets }: { readonly subnets: readonly string[] }, n: number): object {
  return {
    fixed_ips: subnets.map((subnet_id, family) => ({
      subnet_id,
      ip_address: `${family === 0 ? '10.9.7.' : 'fd09:7::'}${n}`,
    })),
  };
}
