import { cookieText, flowKey, MemorySwitch, outsideFlows, type Flow } from '@alcor/agent';
import type { Clock } from '@alcor/runtime';
import { program } from '../from-nothing.ts';
import type { Goals } from '@alcor/compiler';
import { hasShare } from './held.ts';
import type { SimulatedHost } from './host.ts';
import type { Region } from './invariants.ts';
import { externalNetworks, PHYSICAL, reachesWire, WIRE_PORT } from './outward.ts';

/** The switch against what the feed means for it, computed from nothing: flows, and the meters that they name. */
export async function wrongFlows(region: Region, goals: Goals, host: SimulatedHost): Promise<string[]> {
  const wanted = await fromNothing(region, goals, host);
  const flows = new Map(wanted.entries().map(({ flow }) => [flowKey(flow), flow]));
  const wrong: string[] = [];
  for (const { flow } of host.memory.entries()) {
    const other = flows.get(flowKey(flow));
    flows.delete(flowKey(flow));
    if (other === undefined) {
      if (!isLearnt(region, flow)) wrong.push(`${host.node.id} has a flow too many: ${flowKey(flow)}`);
    } else if (other.cookie !== flow.cookie)
      wrong.push(`${host.node.id} has another flow than wanted: ${flowKey(flow)} ${cookieText(flow.cookie)}`);
  }
  for (const key of flows.keys()) wrong.push(`${host.node.id} lacks a flow: ${key}`);
  const [present, meant] = await Promise.all([metersOf(host.memory), metersOf(wanted)]);
  if (present !== meant) wrong.push(`${host.node.id} has the meters ${present}, not ${meant}`);
  return wrong;
}

/** A switch with the same interfaces that has never held anything else. */
async function fromNothing({ workload }: Region, goals: Goals, host: SimulatedHost): Promise<MemorySwitch> {
  const { id, ip } = host.node;
  const memory = new MemorySwitch({ wires: reachesWire(host.node) ? { [PHYSICAL]: WIRE_PORT } : {} });
  for (const vm of host.vms.keys()) memory.plug(vm, { ofport: host.memory.plugged(vm)!.ofport });
  const onDemand = workload.networks.filter((each) => workload.isOnDemand(each) && !hasShare(goals, each, id));
  await program(memory, { id, ip, goals, onDemand }, still);
  return memory;
}

/** Where a machine outside is, as it has said itself: not of the feed, but true all the same. */
function isLearnt({ outside, workload }: Region, flow: Flow): boolean {
  if (workload.outward === null) return false;
  const { outward } = workload;
  const machines = externalNetworks.flatMap(({ id }, n) => {
    const { vni } = workload.network(id);
    const machine = outside[n]!;
    const addresses = outward.addressesOn(id, workload.routers);
    return [
      ...machine.ips.map((address) => ({ vni, ip: address, mac: machine.mac })),
      ...addresses.map(({ ip, mac }) => ({ vni, ip, mac })),
    ];
  });
  return machines.some((machine) =>
    outsideFlows(machine).some((each) => flowKey(each) === flowKey(flow) && each.cookie === flow.cookie),
  );
}

async function metersOf(memory: MemorySwitch): Promise<string> {
  const meters = [];
  for await (const meter of memory.meters(new AbortController().signal)) meters.push(JSON.stringify(meter));
  return meters.toSorted().join(' ');
}

/** Nothing that is computed from nothing waits. */
const still: Clock = {
  wall: () => 0,
  now: () => 0,
  sleep: () => Promise.reject(new Error('nothing waits here')),
  timer: () => ({ cancel: () => undefined }),
};
