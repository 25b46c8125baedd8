/** The hosts of a plan: what the compiler says to each, held and programmed by what runs in an agent, on switches in memory. */
import { Fabric, MemorySwitch, type Flow, type FlowChange, type OutsideNeighbor, type Vm } from '@alcor/agent';
import { Compiler, type Goals } from '@alcor/compiler';
import { type Goal, goalKey } from '@alcor/contract';
import type { Clock } from '@alcor/runtime';
import { program, type ToldHost } from '../from-nothing.ts';
import { changesOf, networkOf, PHYSICAL, type Plan, reachesWire } from './plan.ts';
import { MOST_PORTS } from './random-plan.ts';
import { macText } from './verdict.ts';

/** OpenFlow numbers, the same on every host and for every plan, whichever switch it is. */
export interface Ofports {
  readonly tunnel: number;
  readonly gateway: number;
  /** Leads to the physical network, on hosts that have a bridge to it. */
  readonly wire: number;
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

/**
 * Has the plan programmed on as many hosts as it has. Every port's VM is plugged where the port is bound, and hosts know who answers on external
 * networks, as they would once they have asked.
 */
export async function programmed(plan: Plan, ofports: Ofports, clock: Clock, spoil?: Spoil): Promise<Hosts> {
  const goals = goalsOf(plan);
  const told = { goals, clock };
  const fabric = new Fabric();
  const hosts: MemoryHost[] = [];
  for (const { id, ip } of plan.nodes) {
    const wires = reachesWire(plan, id) ? { [PHYSICAL]: ofports.wire } : {};
    const memory = new MemorySwitch({ name: id, tunnelPort: ofports.tunnel, gatewayPort: ofports.gateway, wires });
    fabric.addHost(ip, memory);
    for (const each of portIds) memory.plug(each, { ofport: ofports.ports.get(each)! });
    await tell(plan, memory, { ...told, id, ip });
    hosts.push({ id, ip, memory });
  }
  const vms = vmsOf(plan, fabric);
  const outside = answersOutside(plan, fabric, vms);
  for (const { id, ip, memory } of hosts) {
    if (outside.length > 0) await tell(plan, memory, { ...told, id, ip, outside });
    if (spoil !== undefined) await spoiled(memory, spoil);
  }
  return { hosts, fabric, vms };
}

type Told = Omit<ToldHost, 'onDemand'> & { readonly clock: Clock };

async function tell(plan: Plan, memory: MemorySwitch, { clock, ...told }: Told): Promise<void> {
  const wrong = await program(memory, { ...told, onDemand: [] }, clock);
  if (wrong.some(({ resourceId }) => !isCutOff(plan, resourceId)))
    throw new Error(`${told.id} could not program ${JSON.stringify(wrong)}`);
}

/** Who answers on external networks: machines, and those of the region that a machine hears answering. */
function answersOutside(plan: Plan, fabric: Fabric, vms: ReadonlyMap<string, Vm>): OutsideNeighbor[] {
  return plan.machines.flatMap(({ id, networkId, mac, ips }) => {
    const { vni } = networkOf(plan, networkId);
    const gateways = plan.routers.flatMap(({ gateway }) => (gateway?.networkId === networkId ? gateway.fixedIps : []));
    const held = [...gateways, ...plan.floatingIps.filter((each) => each.networkId === networkId)];
    const heard = held.flatMap(({ ip }) => {
      const answer = fabric.resolve(vms.get(id)!, ip);
      return answer === null ? [] : [{ vni, ip, mac: macText(answer) }];
    });
    return [...ips.map((ip) => ({ vni, ip, mac })), ...heard];
  });
}

/** A port in a provider network that leads nowhere from its host. */
function isCutOff(plan: Plan, portId: string): boolean {
  const port = plan.ports.find(({ id }) => id === portId);
  return (
    port !== undefined && networkOf(plan, port.networkId).physicalNetwork !== null && !reachesWire(plan, port.hostId)
  );
}

function vmsOf(plan: Plan, fabric: Fabric): Map<string, Vm> {
  const ipOf = new Map(plan.nodes.map(({ id, ip }) => [id, ip]));
  const ports = plan.ports.flatMap(({ id, mac, fixedIps, hostId, trunk }): [string, Vm][] => {
    const at = hostId === null ? undefined : ipOf.get(hostId);
    const spec = { id, mac, ips: fixedIps.map(({ ip }) => ip), ...(trunk === null ? {} : { trunk }) };
    return at === undefined ? [] : [[id, fabric.addVm(at, spec)]];
  });
  const machines = plan.machines.map(({ id, networkId, mac, ips }): [string, Vm] => {
    const { vlan } = networkOf(plan, networkId);
    return [id, fabric.addOutside({ physicalNetwork: PHYSICAL, vlan }, { id, mac, ips })];
  });
  return new Map([...ports, ...machines]);
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
