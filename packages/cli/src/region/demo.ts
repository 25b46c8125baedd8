import type { Clock } from '@alcor/runtime';
import type { Client } from './client.ts';
import type { Guest, HostSet } from './hosts.ts';

interface ApiNetwork {
  readonly id: string;
  readonly name: string;
  readonly mtu: number;
}

interface ApiPort {
  readonly id: string;
  readonly network_id: string;
  readonly name: string;
  readonly mac_address: string;
  readonly status: string;
  readonly fixed_ips: readonly { readonly ip_address: string }[];
  readonly 'binding:host_id': string;
}

export interface DemoPort {
  readonly id: string;
  readonly name: string;
  readonly network: string;
  readonly networkName: string;
  readonly host: string;
  readonly ip: string;
  readonly mac: string;
  readonly status: string;
}

export interface DemoPing {
  readonly from: string;
  readonly to: string;
  readonly sameVpc: boolean;
  readonly ok: boolean;
  readonly rttMs: number | null;
}

export interface DemoResult {
  readonly ports: readonly DemoPort[];
  readonly pings: readonly DemoPing[];
}

const cidr = '10.0.0.0/24';
const prefixLength = 24;
const activeWithinMs = 30_000;
const answersWithinMs = 30_000;
/** Two VPCs with the same CIDR; their ports have different addresses, so that a ping across means what it says. */
const vpcs = [
  { name: 'demo-blue', addresses: ['10.0.0.11', '10.0.0.12'] },
  { name: 'demo-green', addresses: ['10.0.0.21', '10.0.0.22'] },
];

/** Makes the two VPCs (or finds them from before), boots a VM behind each port and pings all pairs. */
export async function runDemo(client: Client, hosts: HostSet, clock: Clock): Promise<DemoResult> {
  const made: { network: ApiNetwork; port: ApiPort }[] = [];
  let nextHost = 0;
  for (const { name, addresses } of vpcs) {
    const network = await ensureNetwork(client, name);
    for (const [index, address] of addresses.entries()) {
      const host = hosts.hosts[nextHost++ % hosts.hosts.length]!;
      made.push({ network, port: await ensurePort(client, network, `${name}-vm${index + 1}`, address, host.id) });
    }
  }
  const guests = await Promise.all(made.map(({ network, port }) => plug(hosts, network, port)));
  const ports = await waitUntilActive(client, made, clock);
  return { ports, pings: await pingAllPairs(ports, guests, clock) };
}

/** True when every ping inside a VPC worked and none across. */
export function demoHolds({ pings }: DemoResult): boolean {
  return pings.every(({ ok, sameVpc }) => ok === sameVpc);
}

async function ensureNetwork(client: Client, name: string): Promise<ApiNetwork> {
  const { networks } = await client.get<{ networks: ApiNetwork[] }>(`/v2.0/networks?name=${name}`);
  const network =
    networks[0] ?? (await client.post<{ network: ApiNetwork }>('/v2.0/networks', { network: { name } })).network;
  const { subnets } = await client.get<{ subnets: unknown[] }>(`/v2.0/subnets?network_id=${network.id}`);
  if (subnets.length === 0) {
    await client.post('/v2.0/subnets', { subnet: { name, network_id: network.id, ip_version: 4, cidr } });
  }
  return network;
}

async function ensurePort(
  client: Client,
  network: ApiNetwork,
  name: string,
  address: string,
  hostId: string,
): Promise<ApiPort> {
  const { ports } = await client.get<{ ports: ApiPort[] }>(`/v2.0/ports?network_id=${network.id}&name=${name}`);
  const known = ports[0];
  if (known === undefined) {
    const port = { network_id: network.id, name, fixed_ips: [{ ip_address: address }], 'binding:host_id': hostId };
    return (await client.post<{ port: ApiPort }>('/v2.0/ports', { port })).port;
  }
  if (known['binding:host_id'] === hostId) return known;
  return (await client.put<{ port: ApiPort }>(`/v2.0/ports/${known.id}`, { port: { 'binding:host_id': hostId } })).port;
}

function plug(hosts: HostSet, { mtu }: ApiNetwork, port: ApiPort): Promise<Guest> {
  const request = { portId: port.id, mac: port.mac_address, ip: port.fixed_ips[0]!.ip_address, prefixLength, mtu };
  return hosts.plug(port['binding:host_id'], request);
}

/** The ports once all are ACTIVE, or as they are when that takes too long. */
async function waitUntilActive(
  client: Client,
  made: readonly { network: ApiNetwork; port: ApiPort }[],
  clock: Clock,
): Promise<DemoPort[]> {
  const deadline = clock.now() + activeWithinMs;
  const query = made.map(({ port }) => `id=${port.id}`).join('&');
  for (;;) {
    const { ports } = await client.get<{ ports: ApiPort[] }>(`/v2.0/ports?${query}`);
    const byId = new Map(ports.map((port) => [port.id, port]));
    if (ports.every(({ status }) => status === 'ACTIVE') || clock.now() > deadline) {
      return made.map(({ network, port }) => describe(network, byId.get(port.id) ?? port));
    }
    await clock.sleep(50);
  }
}

function describe(network: ApiNetwork, port: ApiPort): DemoPort {
  return {
    id: port.id,
    name: port.name,
    network: network.id,
    networkName: network.name,
    host: port['binding:host_id'],
    ip: port.fixed_ips[0]!.ip_address,
    mac: port.mac_address,
    status: port.status,
  };
}

/**
 * Pings from each guest, in the order of their ports, to each other port. A port is ACTIVE once its own host has it; that another host knows it may
 * take a moment longer, so that who is in the same VPC is asked again for a while.
 */
export function pingAllPairs(
  ports: readonly Pick<DemoPort, 'id' | 'network' | 'ip'>[],
  guests: readonly Guest[],
  clock: Clock,
): Promise<DemoPing[]> {
  const pairs = ports.flatMap((from, index) =>
    ports.filter((to) => to !== from).map((to) => ({ from, to, guest: guests[index]! })),
  );
  return Promise.all(
    pairs.map(async ({ from, to, guest }) => {
      const sameVpc = from.network === to.network;
      const { ok, rttMs } = await ping(guest, to.ip, sameVpc ? answersWithinMs : 0, clock);
      return { from: from.id, to: to.id, sameVpc, ok, rttMs };
    }),
  );
}

/** Until it is answered or the time is over; once at least. */
async function ping(guest: Guest, ip: string, withinMs: number, clock: Clock): ReturnType<Guest['ping']> {
  const deadline = clock.now() + withinMs;
  for (;;) {
    const answer = await guest.ping(ip);
    if (answer.ok || clock.now() >= deadline) return answer;
    await clock.sleep(100);
  }
}
