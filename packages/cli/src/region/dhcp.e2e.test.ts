import { canEmulate } from '@alcor/lab';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeNetwork, plugGuest, removeGuests } from './testing/guests.ts';
import { api, cleanUp, eventually, folder, sh, start, stop } from './testing/region-process.ts';

const client6 = ['/sbin/dhclient', '/usr/sbin/dhclient'].find((path) => existsSync(path));
if (client6 === undefined) console.log('skipped: DHCPv6 by a real client: dhclient is not installed');
const client = ['/sbin/udhcpc', '/usr/sbin/udhcpc'].find((path) => existsSync(path));
const emulation = await canEmulate();
const missing = emulation.ok ? (client === undefined ? 'udhcpc is not installed' : '') : emulation.reason;
if (missing !== '') console.log(`skipped: DHCP by a real client: ${missing}`);
afterAll(async () => {
  removeGuests();
  await cleanUp();
});

/** What a DHCPv6 client has written into its file of leases. */
function bound6(vm: string, program: string): string {
  const [leases, pid] = [join(folder(), 'leases'), join(folder(), 'pid')];
  sh(`
    for n in $(seq 100); do ip -n ${vm} -6 addr show dev eth0 scope link | grep -q tentative || break; sleep 0.1; done
    ip netns exec ${vm} timeout 60 ${program} -6 -1 -sf /bin/true -lf ${leases} -pf ${pid} eth0
    # The client goes on in the background, and says only then as what.
    for n in $(seq 100); do [ -s ${pid} ] && break; sleep 0.1; done
    kill $(cat ${pid})`);
  return readFileSync(leases, 'utf8');
}

/** What the client has bound, in the words that it gives to its script. */
function bound(vm: string): { readonly [name: string]: string } {
  const [script, said] = [join(folder(), 'script'), join(folder(), 'said')];
  writeFileSync(script, `#!/bin/sh\n[ "$1" = bound ] && env > ${said}\nexit 0\n`, { mode: 0o755 });
  const options = ['26', '121', '12', '15', '42', '67'].map((code) => `-O ${code}`).join(' ');
  sh(`ip netns exec ${vm} ${client} -i eth0 -n -q -t 20 -T 1 ${options} -s ${script}`);
  const lines = readFileSync(said, 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** What the guest's own resolver finds, with what DHCP has told it. */
function resolved(vm: string, { ip, router, dns, domain }: { readonly [name: string]: string }, name: string): string {
  const folderOf = `/etc/netns/${vm}`;
  mkdirSync(folderOf, { recursive: true });
  try {
    writeFileSync(join(folderOf, 'resolv.conf'), `nameserver ${dns}\nsearch ${domain}\n`);
    writeFileSync(join(folderOf, 'nsswitch.conf'), 'hosts: dns\n');
    sh(`
      ip -n ${vm} addr replace ${ip}/24 dev eth0
      ip -n ${vm} route replace 169.254.169.254/32 dev eth0
      ip -n ${vm} route replace default via ${router} dev eth0`);
    return sh(`ip netns exec ${vm} getent hosts ${name}`).trim().split(/\s+/).join(' ');
  } finally {
    rmSync(folderOf, { recursive: true, force: true });
  }
}

describe.skipIf(missing !== '')('a guest', () => {
  it('is told its address and all that its subnet and port say, by its own host', async () => {
    const { child, json, url } = await start(['--state', join(folder(), 'state')]);
    const network = await makeNetwork(url, 1, {
      dns_nameservers: ['192.0.2.53', '192.0.2.54'],
      host_routes: [{ destination: '10.77.0.0/16', nexthop: '10.9.1.9' }],
    });
    const { vm } = await plugGuest(url, json, network, 1, {
      extra_dhcp_opts: [
        { opt_name: 'ntp-server', opt_value: '192.0.2.123' },
        { opt_name: 'bootfile-name', opt_value: 'pxelinux.0' },
      ],
    });
    const given = bound(vm);
    expect(given).toMatchObject({
      ip: '10.9.1.5',
      subnet: '255.255.255.0',
      router: '10.9.1.1',
      serverid: '10.9.1.1',
      lease: '86400',
      dns: '192.0.2.53 192.0.2.54',
      staticroutes: '10.77.0.0/16 10.9.1.9 0.0.0.0/0 10.9.1.1',
      hostname: 'host-10-9-1-5',
      domain: 'openstacklocal',
      bootfile: 'pxelinux.0',
      ntpsrv: '192.0.2.123',
    });
    // What tunnels between the hosts leave of 1500; and the next lease has what the network says by then.
    expect(given['mtu']).toBe('1450');
    await api(url, 'PUT', `/v2.0/networks/${network.id}`, { network: { mtu: 1_310 } });
    await eventually(
      'the new MTU',
      () => bound(vm)['mtu'],
      (mtu) => mtu === '1310',
    );
    if (client6 !== undefined) {
      const mode = 'dhcpv6-stateful';
      const modes = { ipv6_ra_mode: mode, ipv6_address_mode: mode, dns_nameservers: ['2001:db8::53'] };
      const guest = await plugGuest(url, json, await makeNetwork(url, 3, {}, modes), 3);
      const leases = bound6(guest.vm, client6);
      expect(leases).toContain('iaaddr fd09:3::5 {');
      expect(leases).toContain('option dhcp6.name-servers 2001:db8::53;');
    }
    const asker = await plugGuest(url, json, await makeNetwork(url, 4), 4, { dns_name: 'asker' });
    const lease = bound(asker.vm);
    expect(lease).toMatchObject({ dns: '169.254.169.254', hostname: 'asker' });
    expect(lease['staticroutes']).toBe('169.254.169.254/32 0.0.0.0 0.0.0.0/0 10.9.4.1');
    expect(resolved(asker.vm, lease, 'asker')).toBe('fd09:4::5 asker.openstacklocal');
    expect(resolved(asker.vm, lease, '10.9.4.5')).toBe('10.9.4.5 asker.openstacklocal');
    const quiet = await plugGuest(url, json, await makeNetwork(url, 2, { enable_dhcp: false }), 2);
    expect(() => sh(`ip netns exec ${quiet.vm} ${client} -i eth0 -n -q -t 2 -T 1 -s /bin/true`)).toThrow();
    await stop(child);
  });
});
