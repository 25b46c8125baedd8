import { once } from 'node:events';
import { join } from 'node:path';
import type { Host } from './host.ts';
import type { Abortable } from './means.ts';
import { underlayMac } from './names.ts';

/** The longest that Open vSwitch keeps an entry nobody uses, in seconds. */
const longestAging = '3600';
const atOnce = 8;

/**
 * Tells every host's switch the underlay MAC of all others. The userspace datapath drops tunnel packets while it asks for an
 * address it does not know, so without this the first packets between two hosts are lost. Costs a line per pair of hosts.
 */
export async function introduce(hosts: readonly Host[], options: Abortable = {}): Promise<void> {
  const queue = hosts.values();
  const worker = async (): Promise<void> => {
    for (const host of queue) {
      const others = hosts.filter((other) => other !== host);
      await tellSwitch(host, options, [
        { method: 'tnl/neigh/aging', params: [longestAging] },
        ...others.map(({ ip, index }) => ({ method: 'tnl/neigh/set', params: ['br-phy', ip, underlayMac(index)] })),
      ]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** Calls of ovs-vswitchd's control socket: JSON-RPC 1.0 without framing (ovs-appctl(8)). */
async function tellSwitch(
  host: Host,
  { signal = new AbortController().signal }: Abortable,
  calls: readonly { readonly method: string; readonly params: readonly string[] }[],
): Promise<void> {
  const socket = await host.means.dial(`unix:${join(host.runDir, 'ovs-vswitchd.ctl')}`, signal);
  try {
    for (const [id, call] of calls.entries()) {
      socket.write(JSON.stringify({ id, ...call }));
      // One question at a time: the answer to each is one small message.
      const [answer] = (await once(socket, 'data', { signal })) as [Buffer];
      const { error } = JSON.parse(answer.toString()) as { error: string | null };
      if (error !== null) throw new Error(`${host.id}: ${call.method} ${call.params.join(' ')}: ${error}`);
    }
  } finally {
    socket.destroy();
  }
}
