/** What a host's switch should hold, by what runs in an agent, told everything at once: no history, no faults, no order. */
import { setMaxListeners } from 'node:events';
import { Dataplane, HeldState, type MemorySwitch, type OutsideNeighbor, type ResourceOutcome } from '@alcor/agent';
import type { Goals } from '@alcor/compiler';
import { vpcsOf } from './simulation/held.ts';
import type { Clock } from '@alcor/runtime';

export interface ToldHost {
  readonly id: string;
  readonly ip: string;
  readonly goals: Goals;
  /** VPCs of which it is told the neighbours that it asks for. */
  readonly onDemand: readonly string[];
  /** Machines on wires that have answered it. */
  readonly outside?: readonly OutsideNeighbor[];
}

const never = new AbortController().signal;
// One signal for all that is computed from nothing: its listeners are no leak.
setMaxListeners(0, never);

/** Has the goals written into the switch, as they are meant for the host; answers with what is not in force. */
export async function program(
  memory: MemorySwitch,
  { id, ip, goals, onDemand, outside = [] }: ToldHost,
  clock: Clock,
): Promise<readonly ResourceOutcome[]> {
  const stop = new AbortController();
  // Everything that works on behalf of the run listens to it.
  setMaxListeners(0, stop.signal);
  const dataplane = new Dataplane({ switch: memory, hostIp: ip, clock });
  const held = new HeldState({ sink: dataplane, clock });
  await dataplane.start(stop.signal);
  const stream = held.openStream();
  const vpcs = [...vpcsOf(goals, id)];
  const asked = new Set(onDemand);
  held.begin(
    stream,
    vpcs,
    vpcs.filter((vpcId) => asked.has(vpcId)),
  );
  const own = [...vpcs.map((vpcId) => `vpc/${vpcId}` as const), `host/${id}` as const];
  const told = own.flatMap((audience) => [...(goals.get(audience)?.values() ?? [])]);
  held.apply(
    stream,
    told.map((goal) => ({ goal, removed: false })),
  );
  for (const vpcId of vpcs) held.completeVpc(stream, vpcId);
  held.complete(stream);
  for (const each of outside) dataplane.setOutsideNeighbor(each);
  const outcomes = await dataplane.reconcile(never);
  stop.abort();
  return outcomes.filter(({ status }) => status === 'failed');
}
