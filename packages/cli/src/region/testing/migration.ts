/**
 * A guest that moves from one host to another while a third one's guest pings it a thousand times a second. Both hosts' switches have an
 * interface for it, as Nova has them plugged before it moves a guest; the guest is a namespace with a bridge of the port's MAC, of which one leg at a time is up.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { api, eventually, portStatus, type RegionJson, sh } from './region-process.ts';
import { type Guest, makeNetwork, plugGuest } from './guests.ts';

const run = promisify(execFile);

/** How many requests, at one a millisecond. */
const REQUESTS = 4_000;
/** When the guest moves, counted from the first request, in ms. */
const MOVES_AFTER_MS = 1_000;

export interface Migration {
  readonly sent: number;
  readonly answered: number;
  readonly duplicates: number;
  /** The longest time between two answers among which requests had none, in ms since 1970, and how many. */
  readonly gap: { readonly from: number; readonly to: number; readonly lost: number };
}

export interface Movable {
  /** To the `n`th host of the region. */
  move(n: number): Promise<Migration>;
  remove(): void;
}

type Host = RegionJson['hosts'][number];

/** A guest on the second of the region's hosts that may go to the third, and another on the first that pings it. */
export async function startMovable(url: string, { hosts, ...json }: RegionJson): Promise<Movable> {
  const network = await makeNetwork(url, 1);
  const open = await openGroup(url);
  const more = { security_groups: [open] };
  const asking = await plugGuest(url, { ...json, hosts: [hosts[0]!] }, network, 1, more);
  sh(`ip -n ${asking.vm} addr add 10.9.1.5/24 dev eth0`);
  const fixed_ips = [{ subnet_id: network.subnets[0]!, ip_address: '10.9.1.9' }];
  const asked = {
    network_id: network.id,
    fixed_ips,
    device_owner: 'compute:nova',
    'binding:host_id': hosts[1]!.id,
    ...more,
  };
  const { port } = await api<{ port: Guest['port'] }>(url, 'POST', '/v2.0/ports', { port: asked });
  const vm = `${hosts[1]!.netns}-moves`;
  makeGuest(vm, port, hosts.slice(1, 3));
  await turning(vm, 1)();
  const answers = (): boolean =>
    sh(`ip netns exec ${asking.vm} ping -c 1 -W 1 10.9.1.9 >/dev/null && echo yes || echo no`).trim() === 'yes';
  await eventually('the guest answers', answers, (found) => found);
  return {
    async move(n) {
      const host = hosts[n]!;
      await api(url, 'POST', `/v2.0/ports/${port.id}/bindings`, { binding: { host: host.id } });
      const turn = turning(vm, n);
      const pinging = ping(asking.vm);
      await new Promise((resolve) => setTimeout(resolve, MOVES_AFTER_MS));
      await api(url, 'PUT', `/v2.0/ports/${port.id}/bindings/${host.id}/activate`);
      await turn();
      const migration = await pinging;
      await eventually(
        'the port is up where it is now',
        () => portStatus(url, port.id),
        (status) => status === 'ACTIVE',
      );
      for (const other of hosts.slice(1, 3))
        if (other !== host) await api(url, 'DELETE', `/v2.0/ports/${port.id}/bindings/${other.id}`);
      return migration;
    },
    remove: () => void sh(`ip netns del ${vm} || true`),
  };
}

/** Its members may be pinged. */
async function openGroup(url: string): Promise<string> {
  const body = { security_group: { name: 'pinged' } };
  const { security_group: group } = await api<{ security_group: { id: string } }>(
    url,
    'POST',
    '/v2.0/security-groups',
    body,
  );
  const rule = { security_group_id: group.id, direction: 'ingress', protocol: 'icmp' };
  await api(url, 'POST', '/v2.0/security-group-rules', { security_group_rule: rule });
  return group.id;
}

/** With a leg on each of the hosts, both of them down. */
function makeGuest(vm: string, port: Guest['port'], hosts: readonly Host[]): void {
  sh(`
    ip netns add ${vm}
    ip -n ${vm} link set lo up
    ip -n ${vm} link add eth0 type bridge mcast_snooping 0
    ip -n ${vm} link set eth0 address ${port.mac_address} mtu 1400 up
    ip -n ${vm} addr add 10.9.1.9/24 dev eth0`);
  for (const [n, { netns, ovsdb, bridge }] of hosts.entries())
    sh(`
      ip -n ${netns} link add moves type veth peer name leg${n + 1} netns ${vm}
      ip -n ${netns} link set moves up
      ip -n ${vm} link set leg${n + 1} mtu 1400 master eth0
      ip netns exec ${vm} ethtool -K leg${n + 1} tx off
      ovs-vsctl --db=${ovsdb} add-port ${bridge} moves -- set interface moves external_ids:iface-id=${port.id}`);
}

/** What has the guest be on the `n`th host from then on, and there only: a process that waits, because to start one would be the longer part. */
function turning(vm: string, n: number): () => Promise<void> {
  const child = spawn('ip', ['-n', vm, '-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  return async () => {
    child.stdin.end(`link set leg${3 - n} down\nlink set leg${n} up\n`);
    const [status] = (await ended) as [number | null];
    if (status !== 0) throw new Error(`ip ended with ${status}`);
  };
}

async function ping(vm: string): Promise<Migration> {
  const args = ['netns', 'exec', vm, 'ping', '-n', '-D', '-i', '0.001', '-c', String(REQUESTS), '-W', '1', '10.9.1.9'];
  const { stdout } = await run('ip', args, { maxBuffer: 1 << 26 });
  const answers = [...stdout.matchAll(/^\[([\d.]+)\].*icmp_seq=(\d+) .*$/gm)].map(([line, at, seq]) => ({
    atMs: Number(at) * 1000,
    seq: Number(seq),
    isAgain: line.includes('DUP!'),
  }));
  const first = answers.filter(({ isAgain }) => !isAgain).toSorted((a, b) => a.seq - b.seq);
  const sent = Number(/(\d+) packets transmitted/.exec(stdout)?.[1]);
  const steps = first
    .slice(1)
    .map(({ atMs, seq }, n) => ({ from: first[n]!.atMs, to: atMs, lost: seq - first[n]!.seq - 1 }));
  // On a busy machine ping itself stands still at times: where nothing was asked, no answer is missing.
  const gaps = steps.filter(({ lost }) => lost > 0).toSorted((a, b) => b.to - b.from - (a.to - a.from));
  return {
    sent,
    answered: first.length,
    duplicates: answers.length - first.length,
    gap: gaps[0] ?? { from: 0, to: 0, lost: 0 },
  };
}
