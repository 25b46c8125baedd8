import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Abortable, Means } from './means.ts';
import { checkPrefix, fabricNamespace } from './names.ts';
import { ensureNamespace, ipIn, linksOf, namespacesOf, removeNamespaces } from './namespace.ts';

/** The underlay of one region: a bridge in a namespace of its own. Nothing leads from it to the machine's own network. */
export interface Fabric {
  readonly prefix: string;
  readonly netns: string;
  readonly runDir: string;
  readonly means: Means;
  readonly tunnelType: TunnelType;
  /** Bytes of the largest IP packet between hosts, and on the physical network. */
  readonly mtu: number;
}

/** How packets travel between hosts, as Open vSwitch calls it. */
export type TunnelType = 'vxlan' | 'geneve';

export interface FabricOptions extends Abortable {
  /** Starts every name; at most 8 characters, different for each region of a machine. */
  readonly prefix: string;
  /** Holds a folder per host; keep the path short, since unix sockets lie in it. */
  readonly runDir: string;
  readonly means: Means;
  /** By VXLAN unless given. */
  readonly tunnelType?: TunnelType;
  /** 1500 unless given. */
  readonly mtu?: number;
}

const BRIDGE = 'underlay';
/** The physical network beside it, by which provider networks leave the region. Tags pass as they are. */
export const PHYSICAL = 'physical';

/** Makes the underlay, or takes over the one that is there. */
export async function createFabric({
  prefix,
  runDir,
  means,
  tunnelType = 'vxlan',
  mtu = 1_500,
  signal,
}: FabricOptions): Promise<Fabric> {
  const netns = fabricNamespace(checkPrefix(prefix));
  await mkdir(runDir, { recursive: true });
  await ensureNamespace(netns, { signal });
  const links = await linksOf(netns, { signal });
  const commands = [BRIDGE, PHYSICAL].flatMap((bridge) => [
    ...(links.has(bridge) ? [] : [`link add ${bridge} type bridge mcast_snooping 0`]),
    `link set ${bridge} up`,
  ]);
  await ipIn(netns, commands, { signal });
  return { prefix, netns, runDir, means, tunnelType, mtu };
}

/** Connects a host with the underlay, by `uplink` in its namespace, and with the physical network, by `physical`; nothing where it is connected. */
export async function connectUplink(
  fabric: Fabric,
  host: { netns: string; name: string },
  options: Abortable,
): Promise<void> {
  const [here, there] = await Promise.all([linksOf(fabric.netns, options), linksOf(host.netns, options)]);
  for (const { cable, end, bridge } of cablesOf(host.name)) {
    if (!here.has(cable) || !there.has(end)) {
      const peer = `type veth peer name ${end} netns ${host.netns}`;
      const stale = here.has(cable) ? [`link del ${cable}`] : [];
      await ipIn(fabric.netns, [...stale, `link add ${cable} ${peer}`], options);
    }
    await ipIn(fabric.netns, [`link set ${cable} mtu ${fabric.mtu} master ${bridge} up`], options);
    await ipIn(host.netns, ['link set lo up', `link set ${end} mtu ${fabric.mtu} up`], options);
  }
}

/** A host's cables: their names in the fabric's namespace and in the host's, and what they are plugged into. */
export function cablesOf(hostName: string): readonly { cable: string; end: string; bridge: string }[] {
  return [
    { cable: hostName, end: 'uplink', bridge: BRIDGE },
    { cable: `${hostName}-p`, end: 'physical', bridge: PHYSICAL },
  ];
}

/** Removes the region: every namespace, process, cable and file of it. */
export function destroyFabric(fabric: Fabric, options: Abortable = {}): Promise<void> {
  return cleanRegion({ ...fabric, ...options });
}

/** The same without any state: by the prefix alone, after whatever happened. */
export async function cleanRegion({ prefix, runDir, means, signal }: FabricOptions): Promise<void> {
  await removeNamespaces(await namespacesOf(`${checkPrefix(prefix)}-`), means, { signal });
  await removeHostFolders(runDir);
}

/** Only what the hosts made: the caller may keep other things beside it. */
async function removeHostFolders(runDir: string): Promise<void> {
  const found = await readdir(runDir).catch(() => []);
  const folders = found.filter((name) => /^h\d+$/.test(name));
  await Promise.all(folders.map((name) => rm(join(runDir, name), { recursive: true, force: true })));
  if (folders.length === found.length) await rmdir(runDir).catch(() => {});
}
