import { canEmulate } from '@alcor/lab';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeNetwork, plugGuest, removeGuests } from './testing/guests.ts';
import { api, cleanUp, eventually, folder, portStatus, sh, start, stop } from './testing/region-process.ts';

const emulation = await canEmulate();
if (!emulation.ok) console.log(`skipped: router advertisements on real Open vSwitch: ${emulation.reason}`);
afterAll(async () => {
  removeGuests();
  await cleanUp();
});

describe.skipIf(!emulation.ok)('guests of IPv6 subnets with SLAAC', () => {
  it('give themselves the addresses that the API says, and reach each other by their router', async () => {
    const { child, json, url } = await start(['--state', join(folder(), 'state')]);
    const slaac = { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
    const networks = [await makeNetwork(url, 1, {}, slaac), await makeNetwork(url, 2, {}, slaac)];
    const { router } = await api<{ router: { id: string } }>(url, 'POST', '/v2.0/routers', { router: { name: 'r' } });
    for (const { subnets } of networks)
      await api(url, 'PUT', `/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnets[1] });
    const guests = [];
    for (const [at, network] of networks.entries()) {
      const fixed_ips = [{ subnet_id: network.subnets[0] }];
      const { vm, port } = await plugGuest(url, json, network, at + 1, { fixed_ips });
      const ip = port.fixed_ips.find(({ subnet_id }) => subnet_id === network.subnets[1])?.ip_address;
      await eventually(
        'the port',
        () => portStatus(url, port.id),
        (status) => status === 'ACTIVE',
      );
      // The kernel asks for routers when its link comes up.
      sh(`ip -n ${vm} link set eth0 down; ip -n ${vm} link set eth0 up`);
      await eventually(
        `the address ${ip}`,
        () => sh(`ip -n ${vm} -6 addr show dev eth0 scope global; ip -n ${vm} -6 route show default`),
        (text) => text.includes(`${ip}/64`) && !text.includes('tentative') && text.includes('default via fe80::'),
        60_000,
      );
      guests.push({ vm, ip });
    }
    const [here, there] = guests;
    await eventually(
      `${here!.ip} reaches ${there!.ip}`,
      () => sh(`ip netns exec ${here!.vm} ping -c 1 -W 1 ${there!.ip} >/dev/null && echo yes || echo no`).trim(),
      (answer) => answer === 'yes',
    );
    expect(sh(`ip -n ${here!.vm} -6 route show default`)).toContain('proto ra');
    await api(url, 'PUT', `/v2.0/networks/${networks[0]!.id}`, { network: { mtu: 1_310 } });
    await eventually(
      'the new MTU',
      () => {
        sh(`ip -n ${here!.vm} link set eth0 down; ip -n ${here!.vm} link set eth0 up; sleep 2`);
        return sh(`ip netns exec ${here!.vm} cat /proc/sys/net/ipv6/conf/eth0/mtu`).trim();
      },
      (mtu) => mtu === '1310',
      60_000,
    );
    await stop(child);
  });
});
