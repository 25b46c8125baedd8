/** Networks and guests of a region's hosts that end-to-end tests make beside the demonstration's. */
import { api, type RegionJson, sh } from './region-process.ts';

const namespaces = new Set<string>();

export interface Network {
  readonly id: string;
  /** IPv4, then IPv6. */
  readonly subnets: readonly string[];
}

export interface Guest {
  /** The namespace that it is. */
  readonly vm: string;
  readonly port: {
    readonly id: string;
    readonly mac_address: string;
    readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[];
  };
}

/** A network with a subnet of each family, 10.9.N.0/24 and fd09:N::/64, of which more is said; of the latter, without, that it has no DHCP. */
export async function makeNetwork(
  url: string,
  n: number,
  v4: object = {},
  v6: object = { enable_dhcp: false },
): Promise<Network> {
  const { network } = await api<{ network: { id: string } }>(url, 'POST', '/v2.0/networks', {
    network: { name: `made-${n}` },
  });
  const make = async (ip_version: 4 | 6, fields: object): Promise<string> => {
    const body = { subnet: { network_id: network.id, ip_version, ...fields } };
    return (await api<{ subnet: { id: string } }>(url, 'POST', '/v2.0/subnets', body)).subnet.id;
  };
  const subnets = [await make(4, { cidr: `10.9.${n}.0/24`, ...v4 }), await make(6, { cidr: `fd09:${n}::/64`, ...v6 })];
  return { id: network.id, subnets };
}

/** A port with 10.9.N.5 and fd09:N::5 on a host of the region, and a guest there with its MAC and no address yet. */
export async function plugGuest(
  url: string,
  json: RegionJson,
  network: Network,
  n: number,
  more: object = {},
): Promise<Guest> {
  const host = json.hosts[n % json.hosts.length]!;
  const fixed_ips = network.subnets.map((subnet_id, at) => ({
    subnet_id,
    ip_address: at === 0 ? `10.9.${n}.5` : `fd09:${n}::5`,
  }));
  const asked = { port: { network_id: network.id, fixed_ips, 'binding:host_id': host.id, ...more } };
  const { port } = await api<{ port: Guest['port'] }>(url, 'POST', '/v2.0/ports', asked);
  return { vm: attachGuest(host, n, port), port };
}

/** A guest behind a port, as the host's own tools would plug it, also where its switch knows of it from before. Answers with its namespace. */
export function attachGuest(host: RegionJson['hosts'][number], n: number, port: Guest['port']): string {
  const [vm, link] = [`${host.netns}-made${n}`, `made${n}`];
  namespaces.add(vm);
  sh(`
    ip netns add ${vm}
    ip -n ${host.netns} link add ${link} type veth peer name eth0 netns ${vm}
    ip -n ${host.netns} link set ${link} up
    ip netns exec ${vm} sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth0.accept_ra=2
    ip -n ${vm} link set lo up
    ip -n ${vm} link set eth0 address ${port.mac_address} mtu 1400 up
    ip netns exec ${vm} ethtool -K eth0 tx off
    ovs-vsctl --db=${host.ovsdb} --may-exist add-port ${host.bridge} ${link} -- set interface ${link} external_ids:iface-id=${port.id}`);
  return vm;
}

/** All that were made, for `afterAll`, or some. */
export function removeGuests(some: readonly string[] = [...namespaces]): void {
  for (const netns of some) {
    namespaces.delete(netns);
    sh(`ip netns del ${netns} || true`);
  }
}
