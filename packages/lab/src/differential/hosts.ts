/** The hosts of a plan: what the compiler says to each, held and programmed by what runs in an agent, on switches in memory. */
import { Fabric, MemorySwitch, type Flow, type FlowChange, type Vm } from '@alcor/agent';
import { Compiler, type Goals } from '@alcor/compiler';
import { type Goal, goalKey } from '@alcor/contract';
import type { Clock } from '@alcor/runtime';
import { program } from '../from-nothing.ts';
import { changesOf, type Plan } from './plan.ts';
import { MOST_PORTS } from './random-plan.ts';

/** OpenFlow numbers, the same on every host and for every plan, whichever switch it is. */
export interface Ofports {
  readonly tunnel: number;
  readonly gateway: number;
  /** By port id. */
  readonly ports: ReadonlyMap<string, number>;
}

/** Every id that a port of a plan may have. */
export const portIds: readonly string[] = Array.from({ length: MOST_PORTS }, (_, n) => `port-${n + 1}`);

export interface MemoryHost {
  readonly id: string;
  readonly ip: string;
  readonly memory: MemorySwitch;
}

export interface Hosts {
  readonly hosts: readonly MemoryHost[];
  readonly fabric: Fabric;
  readonly vms: ReadonlyMap<string, Vm>;
}

const never = new AbortController().signal;

/** What a flow is made into, or that it is not there: to see whether it is noticed. */
export type Spoil = (flow: Flow) => Flow | null;

/** Has the plan programmed on as many hosts as it has. Every port's VM is plugged where the port is bound. */
export async function programmed(plan: Plan, ofports: Ofports, clock: Clock, spoil?: Spoil): Promise<Hosts> {
  const goals = goalsOf(plan);
  const fabric = new Fabric();
  const hosts: MemoryHost[] = [];
  for (const { id, ip } of plan.nodes) {
    const memory = new MemorySwitch({ name: id, tunnelPort: ofports.tunnel, gatewayPort: ofports.gateway });
    fabric.addHost(ip, memory);
    for (const each of portIds) memory.plug(each, { ofport: ofports.ports.get(each)! });
    const wrong = await program(memory, { id, ip, goals, onDemand: [] }, clock);
    if (wrong.length > 0) throw new Error(`${id} could not program ${JSON.stringify(wrong)}`);
    if (spoil !== undefined) await spoiled(memory, spoil);
    hosts.push({ id, ip, memory });
  }
  return { hosts, fabric, vms: vmsOf(plan, fabric) };
}

function vmsOf(plan: Plan, fabric: Fabric): Map<string, Vm> {
  const ipOf = new Map(plan.nodes.map(({ id, ip }) => [id, ip]));
  return new Map(
    plan.ports.flatMap(({ id, mac, fixedIps, hostId }) => {
      const at = hostId === null ? undefined : ipOf.get(hostId);
      return at === undefined ? [] : [[id, fabric.addVm(at, { id, mac, ips: fixedIps.map(({ ip }) => ip) })]];
    }),
  );
}

async function spoiled(memory: MemorySwitch, spoil: Spoil): Promise<void> {
  const changes = memory.entries().flatMap(({ flow }): FlowChange[] => {
    const instead = spoil(flow);
    if (instead === flow) return [];
    return [{ type: 'delete', flow }, ...(instead === null ? [] : [{ type: 'write', flow: instead } as const])];
  });
  await memory.apply(changes, never);
}

/** What the compiler has told when it has heard of everything, one change after another. */
function goalsOf(plan: Plan): Goals {
  const compiler = new Compiler();
  const goals = new Map<string, Map<string, Goal>>();
  for (const change of changesOf(plan)) {
    for (const { audience, goal, removed } of compiler.apply(change)) {
      const told = goals.get(audience) ?? new Map<string, Goal>();
      if (removed) told.delete(goalKey(goal));
      else told.set(goalKey(goal), goal);
      goals.set(audience, told);
    }
  }
  return goals as Goals;
}
