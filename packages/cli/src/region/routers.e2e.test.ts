import { canEmulate } from '@alcor/lab';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeNetwork, plugGuest, removeGuests } from './testing/guests.ts';
import { api, cleanUp, eventually, folder, type RegionJson, sh, start, stop } from './testing/region-process.ts';

const emulation = await canEmulate();
if (!emulation.ok) console.log(`skipped: routers on real Open vSwitch: ${emulation.reason}`);

afterAll(async () => {
  removeGuests();
  await cleanUp();
});

/** With the addresses and gateways of its port. */
function configure(vm: string, n: number): void {
  sh(`
    ip -n ${vm} addr add 10.9.${n}.5/24 dev eth0
    ip -n ${vm} addr add fd09:${n}::5/64 dev eth0 nodad
    ip -n ${vm} route add default via 10.9.${n}.1
    ip -n ${vm} -6 route add default via fd09:${n}::1`);
}

function answers(vm: string, ip: string): boolean {
  return sh(`ip netns exec ${vm} ping -c 1 -W 1 ${ip} >/dev/null && echo yes || echo no`).trim() === 'yes';
}

/** What one ping prints, whether or not it is answered. */
function says(vm: string, args: string): string {
  return sh(`ip netns exec ${vm} ping -c 1 -W 10 ${args} || true`);
}

/** Packets that went through the host's flows of a table with this in their text, as the switch counts them. */
function packetsThrough({ ovsdb, bridge }: RegionJson['hosts'][number], table: number, text: string): number {
  const socket = join(ovsdb.replace('unix:', ''), '..', `${bridge}.mgmt`);
  const flows = sh(`ovs-ofctl -O OpenFlow15 dump-flows unix:${socket} table=${table}`).split('\n');
  const counts = flows.filter((line) => line.includes(text)).map((line) => /n_packets=(\d+)/.exec(line)?.[1] ?? '0');
  return counts.reduce((sum, each) => sum + Number(each), 0);
}

describe.skipIf(!emulation.ok)('a router', () => {
  it('joins networks on two hosts, over IPv4 and IPv6, from the moment the API has it', async () => {
    const { child, json, url } = await start(['--state', join(folder(), 'state')]);
    const networks = [await makeNetwork(url, 1), await makeNetwork(url, 2)];
    const [here, there] = [await plugGuest(url, json, networks[0]!, 1), await plugGuest(url, json, networks[1]!, 2)];
    for (const [at, { vm }] of [here, there].entries()) configure(vm, at + 1);
    const reaches = (ip: string, wanted: boolean, from = here.vm): Promise<boolean> =>
      eventually(
        `${from} reaches ${ip}`,
        () => answers(from, ip),
        (found) => found === wanted,
      );
    const { router } = await api<{ router: { id: string } }>(url, 'POST', '/v2.0/routers', { router: { name: 'r' } });
    expect(answers(here.vm, '10.9.2.5')).toBe(false);
    for (const subnet_id of networks.flatMap(({ subnets }) => subnets))
      await api(url, 'PUT', `/v2.0/routers/${router.id}/add_router_interface`, { subnet_id });
    for (const ip of ['10.9.2.5', 'fd09:2::5', '10.9.1.1', '10.9.2.1', 'fd09:1::1']) await reaches(ip, true);
    await reaches('10.9.1.5', true, there.vm);

    // The ping goes out of its own host's tunnel already routed, and the other host only delivers.
    const [sender, receiver] = [json.hosts[1]!, json.hosts[0]!];
    const before = [
      packetsThrough(sender, 61, 'nw_dst=10.9.2.0/24'),
      packetsThrough(receiver, 61, 'nw_dst=10.9.2.0/24'),
    ];
    await reaches('10.9.2.5', true);
    expect(packetsThrough(receiver, 61, 'nw_dst=10.9.2.0/24')).toBe(before[1]);
    await eventually(
      'the packets that the sender has routed',
      () => packetsThrough(sender, 61, 'nw_dst=10.9.2.0/24'),
      (now) => now > before[0]!,
    );

    // Who sends what cannot go on is told by the router.
    expect(says(here.vm, '-t 1 10.9.2.5')).toMatch(/From 10\.9\.1\.1 .*Time to live exceeded/);
    expect(says(here.vm, '-t 1 fd09:2::5')).toMatch(/From fd09:1::1 .*Time exceeded: Hop limit/);
    expect(says(here.vm, '10.200.0.1')).toMatch(/From 10\.9\.1\.1 .*Destination Net Unreachable/);
    expect(says(here.vm, '2001:db8::1')).toMatch(/From fd09:1::1 .*Destination unreachable: No route/);

    // A route by a VM to addresses that only it has.
    sh(`ip -n ${there.vm} addr add 10.77.0.1/32 dev lo`);
    const routes = [{ destination: '10.77.0.0/16', nexthop: '10.9.2.5' }];
    await api(url, 'PUT', `/v2.0/ports/${there.port.id}`, {
      port: { allowed_address_pairs: [{ ip_address: '10.77.0.0/16' }] },
    });
    await api(url, 'PUT', `/v2.0/routers/${router.id}`, { router: { routes } });
    await reaches('10.77.0.1', true);

    await api(url, 'PUT', `/v2.0/routers/${router.id}`, { router: { admin_state_up: false } });
    await reaches('10.9.2.5', false);
    await api(url, 'PUT', `/v2.0/routers/${router.id}`, { router: { admin_state_up: true, routes: [] } });
    await reaches('10.9.2.5', true);
    await reaches('10.77.0.1', false);
    await api(url, 'PUT', `/v2.0/routers/${router.id}/remove_router_interface`, {
      subnet_id: networks[1]!.subnets[0],
    });
    await reaches('10.9.2.5', false);
    await reaches('fd09:2::5', true);
    await stop(child);
  });
});
