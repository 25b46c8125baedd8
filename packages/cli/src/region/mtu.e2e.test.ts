import { canEmulate } from '@alcor/lab';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { api, cleanUp, folder, type RegionJson, sh, start, stop, vmOf } from './testing/region-process.ts';

const emulation = await canEmulate();
if (!emulation.ok) console.log(`skipped: the MTU of an underlay of 9000 bytes: ${emulation.reason}`);
afterAll(cleanUp);

/** Headers of IPv4 and of an echo request. */
const headers = 28;

/** Whether an echo request is answered that is an IP packet of so many bytes, and may not be fragmented, within some seconds. */
function isAnswered(vm: string, to: string, bytes: number, seconds: number): boolean {
  const size = bytes - headers;
  return (
    sh(
      `ip netns exec ${vm} ping -M do -c 1 -W ${seconds} -s ${size} ${to} >/dev/null && echo yes || echo no`,
    ).trim() === 'yes'
  );
}

/** Both ends of a VM's cable take larger packets than its network is told to: what is lost then is lost between the hosts. */
function widen(json: RegionJson, { host, ip }: { readonly host: string; readonly ip: string }, mtu: number): void {
  const { netns } = json.hosts.find(({ id }) => id === host)!;
  const vm = vmOf(json, ip);
  sh(`
    peer=$(ip netns exec ${vm} cat /sys/class/net/eth0/iflink)
    link=$(ip -n ${netns} -o link | sed -n "s/^$peer: \\([^@:]*\\).*/\\1/p")
    ip -n ${netns} link set $link mtu ${mtu}
    ip -n ${vm} link set eth0 mtu ${mtu}`);
}

describe.skipIf(!emulation.ok)('on an underlay of 9000 bytes', () => {
  it('packets as large as a network says pass between hosts whole, and not a byte more', async () => {
    const { child, json, url } = await start(['--state', join(folder(), 'state'), '--underlay-mtu', '9000']);
    const [from, to] = json.ports;
    expect(from!.host).not.toBe(to!.host);
    const { network } = await api<{ network: { mtu: number } }>(url, 'GET', `/v2.0/networks/${from!.network}`);
    expect(network.mtu).toBe(8_950);
    const vm = vmOf(json, from!.ip);
    expect(isAnswered(vm, to!.ip, network.mtu, 10)).toBe(true);
    for (const port of [from!, to!]) widen(json, port, 9_000);
    expect(isAnswered(vm, to!.ip, network.mtu, 10)).toBe(true);
    for (const seconds of [1, 2]) expect(isAnswered(vm, to!.ip, network.mtu + 1, seconds)).toBe(false);
    await stop(child);
  });
});
