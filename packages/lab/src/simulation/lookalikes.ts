import type { Vm } from '@alcor/agent';
import { pick, type Random, type Schedule } from '@alcor/runtime';
import { specOf } from './guests.ts';
import type { SimulatedHost } from './host.ts';
import type { Region } from './invariants.ts';

/** Until a new port works, or a question has been answered. */
const takeMs = 2_000;

/**
 * With all networks told on demand, adds to each that has tunnels a port that everybody may speak with, and on one host after another one that does so:
 * the hosts that come later may be told of it before they ask.
 */
export async function addLookalikes(
  region: Region,
  schedule: Schedule,
  random: Random,
  say: (line: string) => void,
): Promise<void> {
  const { workload, fabric, hosts } = region;
  for (const networkId of workload.networks) {
    const { physicalNetwork, adminStateUp } = workload.network(networkId);
    if (physicalNetwork !== null || !adminStateUp) continue;
    const plug = (host: SimulatedHost): Vm => {
      const port = workload.makeOpenPort(networkId, host.node.id);
      say(`make ${port.id} in ${networkId} on ${host.node.id}, and plug it`);
      const vm = fabric.addVm(host.node.ip, specOf(port));
      host.vms.set(port.id, vm);
      return vm;
    };
    const first = pick(random, hosts);
    const server = plug(first);
    for (const host of hosts.filter((each) => each !== first)) {
      const client = plug(host);
      await schedule.run(takeMs);
      fabric.ping(client, server.ips[0]!);
      await schedule.run(takeMs);
    }
  }
}
