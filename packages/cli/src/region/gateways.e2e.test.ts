import { canEmulate } from '@alcor/lab';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Guest, makeNetwork, plugGuest, removeGuests } from './testing/guests.ts';
import { api, cleanUp, eventually, folder, portStatus, sh, start, stop } from './testing/region-process.ts';

const emulation = await canEmulate();
if (!emulation.ok) console.log(`skipped: gateways on real Open vSwitch: ${emulation.reason}`);
afterAll(async () => {
  removeGuests();
  await cleanUp();
});

describe.skipIf(!emulation.ok)('a gateway of a region, on real Open vSwitch', () => {
  it('forwards first packets of a VPC that is told on demand, and is one as long as it has the role', async () => {
    const { child, json, url } = await start([
      '--hosts',
      '3',
      '--gateways',
      '1',
      '--no-demo',
      '--state',
      join(folder(), 'state'),
    ]);
    const network = await makeNetwork(url, 7);
    await api(url, 'PUT', `/alcor/v1/topics/${network.id}`, { topic: { channel: 'on-demand' } });
    // No group of theirs asks who sends.
    const open = { port_security_enabled: false, security_groups: [] };
    const at = (n: number): object => ({
      ...open,
      fixed_ips: [{ subnet_id: network.subnets[0], ip_address: `10.9.7.${n}` }],
    });
    const guests = [await plugGuest(url, json, network, 1, at(5)), await plugGuest(url, json, network, 2, at(6))];
    const [one, two] = guests as [Guest, Guest];
    for (const { vm, port } of guests) {
      sh(`ip -n ${vm} addr add ${port.fixed_ips[0]!.ip_address}/24 dev eth0`);
      await eventually(
        'the port is active',
        () => portStatus(url, port.id),
        (status) => status === 'ACTIVE',
      );
    }
    const gateway = json.hosts[0]!;
    await eventually(
      'the gateway is told of both',
      () => flows(gateway, 70),
      (text) => [one, two].every(({ port }) => text.includes(port.mac_address)),
    );
    await eventually(
      'hosts are told of the gateway',
      () => json.hosts.slice(1).map((host) => flows(host, 76)),
      (tables) => tables.every((text) => text.includes('output')),
    );
    const ip = two.port.fixed_ips[0]!.ip_address;
    expect(sh(`ip netns exec ${one.vm} ping -c 1 -W 5 ${ip} >/dev/null && echo yes || echo no`).trim()).toBe('yes');
    expect(flows(gateway, 40)).toMatch(/n_packets=[1-9]/);

    await api(url, 'PUT', `/alcor/v1/nodes/${gateway.id}`, { node: { gateway: false } });
    await eventually(
      'nobody sends to it any more, and it holds nothing of the VPC',
      () => [flows(gateway, 70), ...json.hosts.map((host) => flows(host, 76))],
      (tables) => tables.every((text) => !text.includes('output') && !text.includes(two.port.mac_address)),
    );
    expect(sh(`ip netns exec ${one.vm} ping -c 3 -i 0.2 -W 5 ${ip} >/dev/null && echo yes || echo no`).trim()).toBe(
      'yes',
    );
    await stop(child);
  });
});

function flows(host: { readonly ovsdb: string }, table: number): string {
  const socket = host.ovsdb.replace('db.sock', 'br-int.mgmt');
  return sh(`ovs-ofctl -O OpenFlow15 dump-flows ${socket} table=${table}`);
}
