import type { Fabric, Packet, Vm } from '@alcor/agent';
import type { Goals } from '@alcor/compiler';
import type { NetworkId, Port, PortReport } from '@alcor/network';
import { pick, type Random } from '@alcor/runtime';
import { wrongFlows } from './flows.ts';
import { followTrunks } from './guests.ts';
import { goalsFor, wrongGoals } from './held.ts';
import type { SimulatedHost } from './host.ts';
import { reachesWire } from './outward.ts';
import type { Workload } from './workload.ts';

export interface Region {
  readonly workload: Workload;
  readonly hosts: readonly SimulatedHost[];
  readonly fabric: Fabric;
  /** Machines on the external networks, in the order of those. */
  readonly outside: readonly Vm[];
  readonly statuses: ReadonlyMap<string, PortReport>;
  readonly tally: Tally;
  /** Numbers of ports that nobody has asked from before. */
  readonly sockets: { next(): number };
}

/** What of the things that should work has been seen to work: a run in which there was nothing to see proves nothing. */
export interface Tally {
  pings: number;
  marked: number;
  trunks: number;
  wires: number;
  /** Of ports with the gateway's address, with their own, and as floating IPs. */
  translated: number;
  untranslated: number;
  floating: number;
  forwarded: number;
  /** What hosts had learnt and was not true any more, until it was mended or dropped. */
  outlived: number;
  /** What hosts were told before they asked. */
  predicted: number;
}

export function noTally(): Tally {
  return {
    pings: 0,
    marked: 0,
    trunks: 0,
    wires: 0,
    translated: 0,
    untranslated: 0,
    floating: 0,
    forwarded: 0,
    outlived: 0,
    predicted: 0,
  };
}

/** What must hold at every moment: a packet that any VM sends reaches VMs of its own network only, or of one that a router joined with it. */
export function leaks(region: Region, random: Random): string[] {
  const vms = allVms(region);
  if (vms.length < 2) return [];
  const [from, to] = [pick(random, vms), pick(random, vms)];
  from.neighbours.clear();
  return heard(vms, () => void region.fabric.ping(from, to.ips[0]!)).flatMap(({ vm, packet }) => {
    const [theirs, own] = [networksOf(region.workload, vm, packet), networksOf(region.workload, from)];
    if (theirs.some((one) => own.some((other) => region.workload.mayMeet(one, other)))) return [];
    return [`a packet of ${from.id} (${own.join(' ')}) reached ${vm.id} (${theirs.join(' ')})`];
  });
}

/** Of all VMs, those of trunks included, as the trunks are now. */
export function allVms({ hosts, fabric, workload }: Region): Vm[] {
  followTrunks(hosts, fabric, workload.ports);
  return [...hosts.flatMap((host) => [...host.vms.values()]), ...hosts.flatMap((host) => [...host.subVms.values()])];
}

/** What the VMs get while something happens. */
export function heard(vms: readonly Vm[], happen: () => void): { readonly vm: Vm; readonly packet: Packet }[] {
  const before = new Map(vms.map((vm) => [vm, vm.received.length]));
  happen();
  return vms.flatMap((vm) => vm.received.slice(before.get(vm)).map((packet) => ({ vm, packet })));
}

/** The networks whose packets may be at the VM: under a tag those of every port that was reached under it. */
export function networksOf(workload: Workload, { id, trunk }: Vm, { vlan_vid }: Packet = {}): readonly NetworkId[] {
  if (trunk !== undefined) return workload.networksUnder(trunk.parentId, trunk.vlan);
  if (vlan_vid !== undefined) return workload.networksUnder(id, Number(vlan_vid) & 0xfff);
  return [workload.networkOf.get(id)!];
}

/** What must hold once faults have stopped and everything had time to settle; empty when it does. `goals`: what the feed means. */
export async function unsettled(region: Region, goals: Goals): Promise<string[]> {
  const hosts = region.hosts.map((host) => ({
    host,
    own: goalsFor(goals, host, (vpcId) => region.workload.isOnDemand(vpcId)),
  }));
  const wrong = [...hosts.flatMap(({ host, own }) => wrongGoals(own, host)), ...wrongStatuses(region)];
  // What the switches should hold says nothing while agents hold something else.
  if (wrong.length === 0) for (const { host, own } of hosts) wrong.push(...(await wrongFlows(region, own, host)));
  return wrong;
}

/** Plugged VMs of which each can reach the other. */
export function workingPairs(region: Region): { readonly from: Vm; readonly to: Vm }[] {
  const up = placed(region).filter(({ port }) => works(region.workload, port));
  return up.flatMap((from) =>
    up.flatMap((to) =>
      from.port !== to.port && isJoined(region.workload, from.port, to.port) && crosses(region, from, to)
        ? [{ from: from.vm, to: to.vm }]
        : [],
    ),
  );
}

/** Pings between all plugged ports: those that should work and do not, and the other way round, and those that come without their mark. */
export function wrongPings(region: Region): string[] {
  const { workload, fabric } = region;
  const there = placed(region);
  const wrong: string[] = [];
  for (const from of there) {
    for (const to of there) {
      if (from.port === to.port) continue;
      from.vm.neighbours.clear();
      to.vm.neighbours.clear();
      const before = to.vm.received.length;
      const { ok } = fabric.ping(from.vm, to.vm.ips[0]!);
      const got = to.vm.received.slice(before);
      const joined = isJoined(workload, from.port, to.port);
      const may = [from, to].every(({ port }) => works(workload, port));
      // What no wire leads to may still be forwarded by the gateway host of a network that is told on demand.
      const wanted = may && (ok || crosses(region, from, to));
      if (joined && ok) count(region, from, to);
      const names = `${from.port.id} to ${to.port.id}`;
      if (joined && ok !== wanted) wrong.push(`ping from ${names} ${ok ? 'worked' : 'failed'}`);
      if (!joined && got.length > 0) wrong.push(`${to.port.id} heard ${from.port.id} of another network`);
      const mark = workload.quality.markOf(from.port);
      const request = got.find(({ icmpv4_type }) => icmpv4_type === 8);
      if (joined && ok && Number(request?.ip_dscp ?? 0) !== mark)
        wrong.push(`ping from ${names} came with the mark ${request?.ip_dscp ?? 0}, not ${mark}`);
    }
  }
  return wrong;
}

function count({ tally, workload }: Region, from: Placed, to: Placed): void {
  tally.pings++;
  if (workload.quality.markOf(from.port) !== 0) tally.marked++;
  if ((from.port.trunk ?? to.port.trunk) !== null) tally.trunks++;
  if (from.host !== to.host && workload.network(to.port.networkId).physicalNetwork !== null) tally.wires++;
}

/** Has everybody ping whom it should reach, so that what is told only when asked for is known afterwards. */
export function askAround(region: Region): void {
  for (const { from, to } of workingPairs(region)) {
    from.neighbours.clear();
    region.fabric.ping(from, to.ips[0]!);
  }
}

export interface Placed {
  readonly vm: Vm;
  readonly port: Port;
  readonly host: SimulatedHost;
}

/** VMs that are plugged where their ports are bound; those of sub-ports are interfaces of their parents' VMs. */
export function placed({ workload, hosts, fabric }: Region): Placed[] {
  followTrunks(hosts, fabric, workload.ports);
  const bound = new Map(workload.ports.map((port) => [port.id as string, port]));
  return hosts.flatMap((host) =>
    [...host.vms.values(), ...host.subVms.values()].flatMap((vm) => {
      const port = bound.get(vm.id);
      const isIts = port?.hostId === host.node.id && (port.trunk === null) === (vm.trunk === undefined);
      return isIts ? [{ vm, port, host }] : [];
    }),
  );
}

/** Up, and in a group: every group of the simulated tenant lets everything pass; a port in none lets nothing. */
export function works(workload: Workload, port: Port): boolean {
  const isUp = port.adminStateUp && workload.network(port.networkId).adminStateUp;
  return isUp && (!port.portSecurityEnabled || port.securityGroupIds.length > 0);
}

/** In one network, or in two that a router joins. */
function isJoined(workload: Workload, { networkId: one }: Port, { networkId: other }: Port): boolean {
  return one === other || workload.areJoined(one, other);
}

/** There and back: a provider network is left and entered by its wire, which both hosts need. */
function crosses({ workload }: Region, one: Placed, other: Placed): boolean {
  if (one.host === other.host) return true;
  const isOnWire = [one, other].some(({ port }) => workload.network(port.networkId).physicalNetwork !== null);
  return !isOnWire || (reachesWire(one.host.node) && reachesWire(other.host.node));
}

/** Every acknowledgement has come up: a bound port is ACTIVE exactly if it is plugged and switched on, and its network leads off its host. */
function wrongStatuses({ workload, hosts, statuses }: Region): string[] {
  const wrong: string[] = [];
  for (const port of workload.ports) {
    const host = hosts.find(({ node }) => node.id === port.hostId);
    if (host === undefined) continue;
    const isThere = host.memory.plugged(port.trunk?.parentId ?? port.id) !== undefined;
    const isCutOff = workload.network(port.networkId).physicalNetwork !== null && !reachesWire(host.node);
    const wanted = isCutOff ? 'ERROR' : port.adminStateUp && isThere ? 'ACTIVE' : 'DOWN';
    const { status, reason } = statuses.get(port.id) ?? { status: 'unknown', reason: '' };
    if (status !== wanted) wrong.push(`${port.id} on ${port.hostId} is ${status} (${reason}), not ${wanted}`);
  }
  return wrong;
}
