/** What befalls a region's hosts: they lose power, their switch or their cables, and get them back. */
import { describeHost, introduce, startHost } from '@alcor/lab';
import { dialBytes, realRuntime } from '@alcor/runtime';
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { processes, type RegionJson, sh } from './region-process.ts';

type Host = RegionJson['hosts'][number];

const { clock } = realRuntime();
const means = { sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal), dial: dialBytes };

const folderOf = ({ ovsdb }: Host): string => dirname(ovsdb.replace('unix:', ''));
const numberOf = ({ netns }: Host): number => Number(/-h(\d+)$/.exec(netns)![1]);

/** Its agents' process, of which there is one at a time. */
export function agentOf(host: Host): number | undefined {
  const found = processes().find(
    ({ args }) => args.includes(` agent --node ${host.id} `) && args.includes(`${folderOf(host)}/`),
  );
  return found === undefined ? undefined : Number(found.pid);
}

/** Kills the host's switch and its database, as they stand. */
export function killSwitch(host: Host): void {
  for (const daemon of ['ovs-vswitchd', 'ovsdb-server'])
    process.kill(Number(readFileSync(join(folderOf(host), `${daemon}.pid`), 'utf8')), 'SIGKILL');
}

/** Forgets all that the switch was told: bridges, ports, the machine's own interfaces on it. */
export function forgetDatabase(host: Host): void {
  rmSync(join(folderOf(host), 'conf.db'));
}

/** Takes the host's cables out, to other hosts and to the physical network, or puts them in. */
export function setCables(host: Host, way: 'up' | 'down'): void {
  const n = numberOf(host);
  const fabric = host.netns.replace(/-h\d+$/, '-net');
  sh(`for cable in h${n} h${n}-p; do ip -n ${fabric} link set $cable ${way}; done`);
}

/** The machine boots: its network and its switch, with what its database says. */
export async function startSwitch(host: Host, hosts: readonly Host[]): Promise<void> {
  const prefix = host.netns.replace(/-h\d+$/, '');
  const fabric = {
    prefix,
    netns: `${prefix}-net`,
    runDir: dirname(folderOf(host)),
    means,
    tunnelType: 'vxlan',
    mtu: 1_500,
  } as const;
  const started = await startHost(fabric, { index: numberOf(host), id: host.id });
  const others = hosts.filter((each) => each !== host);
  await introduce([started, ...others.map((each) => describeHost(fabric, { index: numberOf(each), id: each.id }))]);
}
