import { canEmulate } from '@alcor/lab';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { attachGuest, type Guest, makeNetwork, type Network, removeGuests } from './testing/guests.ts';
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
} from './testing/region-process.ts';
import { asksAbout, knows } from './testing/traffic.ts';

const emulation = await canEmulate();
if (!emulation.ok) console.log(`skipped: predicted neighbours on real Open vSwitch: ${emulation.reason}`);
afterAll(async () => {
  removeGuests();
  await cleanUp();
});

interface OnDemand {
  readonly answers: { readonly routable: number };
  readonly predictions: { readonly predicted: number };
}

async function onDemand(url: string): Promise<OnDemand> {
  const path = '/alcor/v1/config-manager';
  return (await api<{ config_manager: { on_demand: OnDemand } }>(url, 'GET', path)).config_manager.on_demand;
}

/** A guest with 10.9.7.(10 + N) on host N, plugged and active. */
async function guestOn(url: string, json: RegionJson, network: Network, n: number): Promise<Guest> {
  const host = json.hosts[n]!;
  const ip_address = `10.9.7.${10 + n}`;
  const fixed_ips = [{ subnet_id: network.subnets[0], ip_address }];
  const asked = { port: { network_id: network.id, fixed_ips, 'binding:host_id': host.id } };
  const { port } = await api<{ port: Guest['port'] }>(url, 'POST', '/v2.0/ports', asked);
  const vm = attachGuest(host, n, port);
  sh(`ip -n ${vm} addr add ${ip_address}/24 dev eth0`);
  await eventually(
    'the port is active',
    () => portStatus(url, port.id),
    (status) => status === 'ACTIVE',
  );
  return { vm, port };
}

const pings = ({ vm }: Guest): string =>
  sh(`ip netns exec ${vm} ping -c 1 -W 5 10.9.7.10 >/dev/null && echo yes || echo no`).trim();

describe.skipIf(!emulation.ok)('a VPC that is told on demand, on real Open vSwitch', () => {
  it(
    'has the host of a new port know whom ports like it have asked for, before it asks',
    { timeout: 300_000 },
    async () => {
      const { child, json, url } = await start(['--hosts', '4', '--no-demo', '--state', join(folder(), 'state')]);
      const network = await makeNetwork(url, 7);
      await api(url, 'PUT', `/alcor/v1/topics/${network.id}`, { topic: { channel: 'on-demand' } });
      const { network: described } = await api<{ network: { 'provider:segmentation_id': number } }>(
        url,
        'GET',
        `/v2.0/networks/${network.id}`,
      );
      const guests: Guest[] = [];
      for (const n of [0, 1, 2]) {
        guests.push(await guestOn(url, json, network, n));
        await eventually(
          'the host asks for who it does not know',
          () => asksAbout(json, n, described['provider:segmentation_id']),
          (asks) => asks,
        );
      }
      expect([1, 2].map((n) => knows(json, n, '10.9.7.10'))).toEqual([false, false]);
      for (const n of [1, 2]) expect(pings(guests[n]!)).toBe('yes');
      const before = await onDemand(url);
      expect(before).toMatchObject({ answers: { routable: 2 }, predictions: { predicted: 0 } });

      const late = await guestOn(url, json, network, 3);
      await eventually(
        'its host knows whom it will need',
        () => knows(json, 3, '10.9.7.10'),
        (known) => known,
      );
      expect(pings(late)).toBe('yes');
      expect(await onDemand(url)).toMatchObject({ answers: { routable: 2 }, predictions: { predicted: 1 } });
      await stop(child);
    },
  );
});
