import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { map } from '@alcor/ovsdb';
import { cablesOf, connectUplink, type Fabric, type TunnelType } from './fabric.ts';
import type { Abortable, Means } from './means.ts';
import { hostFolder, hostName, hostNamespace, underlayIp, underlayMac, vmNamespaceOfLink } from './names.ts';
import { ensureNamespace, ipIn, linksOf, removeNamespaces, runIn } from './namespace.ts';
import { databaseSocket, ensureDatabase, ensureSwitch } from './switch-daemons.ts';
import {
  checkInterfaces,
  ensureBridges,
  ensureRoot,
  settled,
  withDatabase,
  type BridgeSetting,
} from './switch-database.ts';

/** A machine of the region: a namespace with a switch of its own, known by what an agent on it would need. */
export interface Host {
  readonly id: string;
  readonly name: string;
  readonly index: number;
  /** Address on the underlay, to which other hosts send their tunnels. */
  readonly ip: string;
  readonly netns: string;
  readonly runDir: string;
  /** `unix:/…/db.sock`, reachable from any namespace. */
  readonly ovsdb: string;
  /** `unix:/…/br-int.mgmt`: OpenFlow of the integration bridge. */
  readonly openflow: string;
  readonly bridge: 'br-int';
  /** The flow-keyed port by which packets travel between hosts. */
  readonly tunnel: 'vxlan0' | 'geneve0';
  /** Leads to the physical network. */
  readonly physicalBridge: 'br-ex';
  readonly prefix: string;
  readonly means: Means;
  readonly tunnelType: TunnelType;
}

export interface HostOptions extends Abortable {
  /** 1 to 65534; names the host and its address. */
  readonly index: number;
  /** What the control plane calls it; `h<index>` unless given. */
  readonly id?: string;
}

/** How many hosts start at once: each is a few short commands, most of whose time is the kernel's. */
const AT_ONCE = 4;

/**
 * Starts a host, or takes over the one that runs: each step looks before it does, so what runs is left running and what is
 * missing is made. Resolves when the switch has taken in its bridges.
 */
export async function startHost(fabric: Fabric, options: HostOptions): Promise<Host> {
  const host = describeHost(fabric, options);
  const { signal } = options;
  await ensureNamespace(host.netns, { signal });
  // Else the kernel answers ARP for br-phy's address by the uplink beside the switch, with a MAC at which the switch ends no tunnel.
  await runIn(host.netns, 'sysctl', ['-qw', 'net.ipv4.conf.all.arp_ignore=1'], { signal });
  await connectUplink(fabric, host, { signal });
  await ensureDatabase(host, { signal });
  await withDatabase(host.ovsdb, host.means, { signal }, async (client) => {
    // One handler and one revalidator thread are plenty here, and let many switches share a machine.
    const threads = map({ 'n-handler-threads': '1', 'n-revalidator-threads': '1' });
    await ensureRoot(client, {
      other_config: threads,
      external_ids: map({ 'system-id': host.id, hostname: host.name }),
    });
    await ensureBridges(client, bridgesOf(host));
    await ensureSwitch(host, { signal });
    await settled(client, host.means, { signal });
    await checkInterfaces(client, ['br-phy', 'br-int', 'br-ex', 'uplink', 'physical', host.tunnel]);
  });
  await ipIn(
    host.netns,
    [`addr replace ${host.ip}/16 dev br-phy`, 'link set br-phy up', 'link set br-ex up', 'link set br-int up'],
    {
      signal,
    },
  );
  return host;
}

export interface HostsOptions extends Abortable {
  /** What the control plane calls each; `h<index>` unless given. */
  readonly idOf?: (index: number) => string;
}

/** Starts hosts with the indexes `1` to `count`, some at once. */
export async function startHosts(
  fabric: Fabric,
  count: number,
  { idOf = hostName, signal }: HostsOptions = {},
): Promise<readonly Host[]> {
  const hosts: Host[] = [];
  const indexes = Array.from({ length: count }, (_, at) => at + 1).values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const index of indexes) {
      if (failures.length > 0) return;
      hosts[index - 1] = await startHost(fabric, { index, id: idOf(index), signal });
    }
  };
  // All workers end before this does, so that nothing is still being made when the caller cleans up.
  const note = (error: unknown): number => failures.push(error);
  await Promise.all(Array.from({ length: AT_ONCE }, () => worker().catch(note)));
  if (failures.length > 0) throw failures[0];
  return hosts;
}

/** What `startHost` would return; starts nothing. */
export function describeHost(
  { prefix, runDir, means, tunnelType }: Fabric,
  { index, id = hostName(index) }: HostOptions,
): Host {
  const place = { netns: hostNamespace(prefix, index), runDir: hostFolder(runDir, index), means };
  return {
    ...place,
    id,
    name: hostName(index),
    index,
    ip: underlayIp(index),
    ovsdb: `unix:${databaseSocket(place)}`,
    openflow: `unix:${join(place.runDir, 'br-int.mgmt')}`,
    bridge: 'br-int',
    tunnel: `${tunnelType}0`,
    physicalBridge: 'br-ex',
    prefix,
    tunnelType,
  };
}

/** Removes a host with its VMs, processes and files. Nothing where it is gone. */
export async function stopHost(fabric: Fabric, host: Host, options: Abortable = {}): Promise<void> {
  const links = await linksOf(host.netns, options);
  const vms = [...links].flatMap((link) => vmNamespaceOfLink(host.prefix, link) ?? []);
  // First, since the kernel takes a namespace down in its own time, and a new host wants the same cable's name.
  const uplinks = await linksOf(fabric.netns, options);
  const cables = cablesOf(host.name).filter(({ cable }) => uplinks.has(cable));
  for (const { cable } of cables) await ipIn(fabric.netns, [`link del ${cable}`], options);
  await removeNamespaces([...vms, host.netns], host.means, options);
  await rm(host.runDir, { recursive: true, force: true });
}

function bridgesOf({ index, tunnel, tunnelType, physicalBridge }: Host): readonly BridgeSetting[] {
  const outward: BridgeSetting = {
    name: physicalBridge,
    columns: { datapath_type: 'netdev', other_config: map({ 'disable-in-band': 'true' }) },
    ports: [{ name: 'physical', columns: {} }],
  };
  const physical: BridgeSetting = {
    name: 'br-phy',
    columns: { datapath_type: 'netdev', other_config: map({ hwaddr: underlayMac(index) }) },
    ports: [{ name: 'uplink', columns: {} }],
  };
  const integration: BridgeSetting = {
    name: 'br-int',
    columns: {
      datapath_type: 'netdev',
      fail_mode: 'secure',
      protocols: ['OpenFlow13', 'OpenFlow14', 'OpenFlow15'],
      other_config: map({
        'datapath-id': index.toString(16).padStart(16, '0'),
        'disable-in-band': 'true',
      }),
    },
    ports: [{ name: tunnel, columns: { type: tunnelType, options: map({ remote_ip: 'flow', key: 'flow' }) } }],
  };
  return [physical, outward, integration];
}
