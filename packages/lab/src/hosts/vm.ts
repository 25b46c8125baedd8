import { map } from '@alcor/ovsdb';
import type { Host } from './host.ts';
import type { Abortable } from './means.ts';
import { vmLink, vmNamespace } from './names.ts';
import { ensureNamespace, ipIn, linksOf, removeNamespaces, runIn } from './namespace.ts';
import { daemonPid } from './switch-daemons.ts';
import { checkInterfaces, ensurePort, removePort, settled, withDatabase } from './switch-database.ts';

/** What stands for a virtual machine: a namespace with one interface, `eth0`. */
export interface Vm {
  readonly portId: string;
  readonly netns: string;
  /** The host's end of its cable, on the integration bridge. */
  readonly link: string;
  readonly mac: string;
  readonly ip: string;
  readonly host: Host;
}

export interface VmOptions extends Abortable {
  /** Written as `external_ids:iface-id`, by which an agent finds the port. One VM at a time may have it in a region. */
  readonly portId: string;
  readonly mac: string;
  readonly ip: string;
  readonly prefixLength: number;
  /** Of the guest's end of its cable, and of the host's, which would drop what is longer. 1400 unless given: what fits into the tunnel with room to spare. */
  readonly mtu?: number;
  readonly gateway?: string;
}

/** Makes a VM and plugs it into the host's integration bridge, or brings the one that is there into line. */
export async function plugVm(host: Host, options: VmOptions): Promise<Vm> {
  const { portId, mac, ip, signal } = options;
  if ((await daemonPid(host, 'ovs-vswitchd')) === undefined) throw new Error(`${host.netns} does not run`);
  const vm: Vm = { portId, mac, ip, host, netns: vmNamespace(host.prefix, portId), link: vmLink(portId) };
  await ensureNamespace(vm.netns, { signal });
  await connectVm(vm, options.mtu, { signal });
  await ipIn(vm.netns, guestCommands(options), { signal });
  // The userspace datapath hands packets on as they are, so checksums must be in them and not left to hardware.
  await runIn(vm.netns, 'ethtool', ['-K', 'eth0', 'tx', 'off'], { signal });
  await withDatabase(host.ovsdb, host.means, { signal }, async (client) => {
    const ids = map({ 'iface-id': portId, 'attached-mac': mac, 'iface-status': 'active' });
    await ensurePort(client, host.bridge, { name: vm.link, columns: { external_ids: ids } });
    await settled(client, host.means, { signal });
    await checkInterfaces(client, [vm.link]);
  });
  return vm;
}

/** Pulls the cable and removes the VM. Nothing where it is gone. */
export async function unplugVm(vm: Vm, options: Abortable = {}): Promise<void> {
  const { host } = vm;
  if ((await daemonPid(host, 'ovsdb-server')) !== undefined) await forgetPort(vm, options);
  const links = await linksOf(host.netns, options);
  if (links.has(vm.link)) await ipIn(host.netns, [`link del ${vm.link}`], options);
  await removeNamespaces([vm.netns], host.means, options);
}

async function forgetPort({ host, link }: Vm, options: Abortable): Promise<void> {
  await withDatabase(host.ovsdb, host.means, options, async (client) => {
    await removePort(client, host.bridge, link);
    if ((await daemonPid(host, 'ovs-vswitchd')) !== undefined) await settled(client, host.means, options);
  });
}

async function connectVm({ host, link, netns }: Vm, mtu: number | undefined, options: Abortable): Promise<void> {
  const [inHost, inVm] = await Promise.all([linksOf(host.netns, options), linksOf(netns, options)]);
  if (!inHost.has(link) || !inVm.has('eth0')) {
    const stale = inHost.has(link) ? [`link del ${link}`] : [];
    const create = `link add ${link} type veth peer name eth0 netns ${netns}`;
    await ipIn(host.netns, [...stale, create], options);
  }
  // Open vSwitch goes through all addresses of its namespace for every ARP and tunnelled packet that is new to it, and the VM's cable needs none.
  await ipIn(host.netns, [`link set ${link} ${mtu === undefined ? '' : `mtu ${mtu} `}addrgenmode none up`], options);
}

function guestCommands({ mac, ip, prefixLength, mtu = 1400, gateway }: VmOptions): readonly string[] {
  // Without the wait for duplicates an IPv6 address is usable at once, as an IPv4 address is.
  const address = `addr replace ${ip}/${prefixLength} dev eth0${ip.includes(':') ? ' nodad' : ''}`;
  return [
    'link set lo up',
    `link set eth0 address ${mac} mtu ${mtu}`,
    'link set eth0 up',
    address,
    ...(gateway === undefined ? [] : [`route replace default via ${gateway} dev eth0 onlink`]),
  ];
}
