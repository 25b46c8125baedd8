/** A host of a region boots: nothing that ran there is left, and its switch knows what its database says, or nothing at all. */
import { canEmulate } from '@alcor/lab';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attachGuest, type Guest, makeNetwork, plugGuest, removeGuests } from './testing/guests.ts';
import { agentOf, forgetDatabase, killSwitch, startSwitch } from './testing/host-power.ts';
import { api, cleanUp, eventually, folder, portStatus, type Running, sh, start } from './testing/region-process.ts';

const emulation = await canEmulate();
if (!emulation.ok) console.log(`skipped: hosts that boot, on real Open vSwitch: ${emulation.reason}`);

describe.skipIf(!emulation.ok)('a host that boots', () => {
  let region: Running;
  let guests: Guest[];
  /** How many flows its switch had. */
  let flows: number;

  beforeAll(async () => {
    region = await start(['--state', join(folder(), 'state'), '--no-demo']);
    const { url, json } = region;
    const networks = [await makeNetwork(url, 1), await makeNetwork(url, 2)];
    const { router } = await api<{ router: { id: string } }>(url, 'POST', '/v2.0/routers', { router: {} });
    for (const subnet_id of networks.flatMap(({ subnets }) => subnets))
      await api(url, 'PUT', `/v2.0/routers/${router.id}/add_router_interface`, { subnet_id });
    const host = (n: number) => ({ ...json, hosts: [json.hosts[n]!] });
    const at = (network: number, last: number): object => ({
      fixed_ips: networks[network - 1]!.subnets.map((subnet_id, family) => ({
        subnet_id,
        ip_address: family === 0 ? `10.9.${network}.${last}` : `fd09:${network}::${last}`,
      })),
    });
    // One stays; three are on the host that boots.
    guests = [
      await plugGuest(url, host(0), networks[0]!, 1, at(1, 11)),
      await plugGuest(url, host(1), networks[0]!, 2, at(1, 12)),
      await plugGuest(url, host(1), networks[1]!, 3, at(2, 13)),
      await plugGuest(url, host(1), networks[0]!, 4, at(1, 14)),
    ];
    for (const guest of guests) configure(guest);
    await allReach();
    flows = flowCount();
  });

  afterAll(async () => {
    removeGuests();
    await cleanUp();
  });

  it.each([
    ['and its switch knows its interfaces', false, [3, 2, 1]],
    ['and its switch knows nothing', true, [2, 1, 3]],
  ] as const)(
    '%s: converges, whatever order its guests come in, and all reach each other',
    async (_, forgets, order) => {
      const { json, url } = region;
      const [other, host] = json.hosts as [(typeof json.hosts)[number], (typeof json.hosts)[number]];
      process.kill(agentOf(host)!, 'SIGKILL');
      killSwitch(host);
      if (forgets) forgetDatabase(host);
      removeGuests(guests.slice(1).map(({ vm }) => vm));
      expect(reaches(guests[0]!, guests[1]!)).toBe(false);
      await startSwitch(host, [other, host]);
      for (const n of order) {
        await eventually(
          'the port has no guest',
          () => portStatus(url, guests[n]!.port.id),
          (status) => status === 'DOWN',
        );
        attachGuest(host, n + 1, guests[n]!.port);
        configure(guests[n]!);
        await eventually(
          'the port is active',
          () => portStatus(url, guests[n]!.port.id),
          (status) => status === 'ACTIVE',
          60_000,
        );
      }
      await allReach();
      await eventually('no flow too many, and none too few', flowCount, (count) => count === flows);
    },
  );

  function flowCount(): number {
    const { ovsdb } = region.json.hosts[1]!;
    const socket = ovsdb.replace('db.sock', 'br-int.mgmt');
    return Number(sh(`ovs-ofctl -O OpenFlow15 dump-flows ${socket} | grep -c cookie=`));
  }

  async function allReach(): Promise<void> {
    for (const from of guests)
      for (const to of guests)
        if (from !== to)
          await eventually(
            `${from.vm} reaches ${to.vm}`,
            () => reaches(from, to),
            (found) => found,
            60_000,
          );
  }
});

/** Over both families. */
function reaches(from: Guest, { port: { fixed_ips } }: Guest): boolean {
  return fixed_ips.every(({ ip_address: ip }) => {
    const command = `ip netns exec ${from.vm} ping -c 1 -W 1 ${ip} >/dev/null && echo yes || echo no`;
    return sh(command).trim() === 'yes';
  });
}

/** With the addresses of its port, and the router. */
function configure({ vm, port: { fixed_ips } }: Guest): void {
  for (const { ip_address: ip } of fixed_ips) {
    const gateway = ip.replace(/\d+$/, '1');
    sh(ip.includes(':') ? `ip -n ${vm} addr add ${ip}/64 dev eth0 nodad` : `ip -n ${vm} addr add ${ip}/24 dev eth0`);
    sh(`ip -n ${vm} ${ip.includes(':') ? '-6 ' : ''}route add default via ${gateway}`);
  }
}
