import {
  addressGroupFlows,
  addressGroupOf,
  BroadcastIndex,
  broadcastFlows,
  type Fabric,
  type Flow,
  flowKey,
  hostFlows,
  neighborFlows,
  portFlows,
  routerFlows,
  routerOf,
  RoutingIndex,
  securityGroupFlows,
  securityGroupOf,
  SecurityIndex,
  unknownFlows,
  type Vm,
} from '@alcor/agent';
import type { Goals } from '@alcor/compiler';
import type { NetworkId, Port, PortReport } from '@alcor/network';
import { pick, type Random } from '@alcor/runtime';
import { gatewayIpOf, goalsFor, vpcsOf, wrongGoals } from './held.ts';
import type { SimulatedHost } from './host.ts';
import type { Workload } from './workload.ts';

export interface Region {
  readonly workload: Workload;
  readonly hosts: readonly SimulatedHost[];
  readonly fabric: Fabric;
  readonly statuses: ReadonlyMap<string, PortReport>;
}

/** What must hold at every moment: a packet that any VM sends reaches VMs of its own network only, or of one that a router joined with it. */
export function leaks({ workload, hosts, fabric }: Region, random: Random): string[] {
  const vms = hosts.flatMap((host) => [...host.vms.values()]);
  if (vms.length < 2) return [];
  const [from, to] = [pick(random, vms), pick(random, vms)];
  from.neighbours.clear();
  const before = new Map(vms.map((vm) => [vm, vm.received.length]));
  fabric.ping(from, to.ips[0]!);
  return vms
    .filter((vm) => vm.received.length > before.get(vm)!)
    .filter((vm) => !workload.mayMeet(workload.networkOf.get(vm.id)!, workload.networkOf.get(from.id)!))
    .map(
      (vm) =>
        `a packet of ${from.id} (${workload.networkOf.get(from.id)}) reached ${vm.id} (${workload.networkOf.get(vm.id)})`,
    );
}

/** What must hold once faults have stopped and everything had time to settle; empty when it does. `goals`: what the feed means. */
export function unsettled(region: Region, goals: Goals): string[] {
  return [
    ...region.hosts.flatMap((host) => {
      const own = goalsFor(goals, host, (vpcId) => region.workload.isOnDemand(vpcId));
      return [...wrongGoals(own, host), ...wrongFlows(region, own, host)];
    }),
    ...wrongStatuses(region),
  ];
}

/** Plugged VMs of which each can reach the other. */
export function workingPairs(region: Region): { readonly from: Vm; readonly to: Vm }[] {
  const up = placed(region).filter(({ port }) => isUp(region.workload, port) && isOpen(port));
  return up.flatMap(({ vm: from, port }) =>
    up.flatMap(({ vm: to, port: other }) =>
      port !== other && isReachable(region.workload, port, other) ? [{ from, to }] : [],
    ),
  );
}

/** Pings between all plugged ports: those that should work and do not, and the other way round. */
export function wrongPings(region: Region): string[] {
  const { workload, fabric } = region;
  const there = placed(region);
  const wrong: string[] = [];
  for (const from of there) {
    for (const to of there) {
      if (from.port === to.port) continue;
      from.vm.neighbours.clear();
      to.vm.neighbours.clear();
      const heard = to.vm.received.length;
      const { ok } = fabric.ping(from.vm, to.vm.ips[0]!);
      const reachable = isReachable(workload, from.port, to.port);
      const wanted = reachable && [from, to].every(({ port }) => isUp(workload, port) && isOpen(port));
      if (reachable && ok !== wanted)
        wrong.push(`ping from ${from.port.id} to ${to.port.id} ${ok ? 'worked' : 'failed'}`);
      if (!reachable && to.vm.received.length > heard)
        wrong.push(`${to.port.id} heard ${from.port.id} of another network`);
    }
  }
  return wrong;
}

/** Has everybody ping whom it should reach, so that what is told only when asked for is known afterwards. */
export function askAround(region: Region): void {
  for (const { from, to } of workingPairs(region)) {
    from.neighbours.clear();
    region.fabric.ping(from, to.ips[0]!);
  }
}

/** VMs that are plugged where their ports are bound. */
function placed({ workload, hosts }: Region): { readonly vm: Vm; readonly port: Port }[] {
  const bound = new Map(workload.ports.map((port) => [port.id as string, port]));
  return hosts.flatMap((host) =>
    [...host.vms.values()].flatMap((vm) => {
      const port = bound.get(vm.id);
      return port?.hostId === host.node.id ? [{ vm, port }] : [];
    }),
  );
}

/** Every group of the simulated tenant lets everything pass; a port in none lets nothing. */
function isOpen(port: Port): boolean {
  return !port.portSecurityEnabled || port.securityGroupIds.length > 0;
}

/** In one network, or in two that a router joins. */
function isReachable(workload: Workload, { networkId: one }: Port, { networkId: other }: Port): boolean {
  return one === other || workload.areJoined(one, other);
}

function isUp(workload: Workload, port: Port): boolean {
  return port.adminStateUp && workload.network(port.networkId).adminStateUp;
}

/** The switch against what the feed means for it, computed from nothing. */
function wrongFlows(region: Region, goals: Goals, host: SimulatedHost): string[] {
  const wanted = new Map(wantedFlows(region, goals, host).map((flow) => [flowKey(flow), flow.cookie]));
  const wrong: string[] = [];
  for (const { flow } of host.memory.entries()) {
    const cookie = wanted.get(flowKey(flow));
    if (cookie === undefined) wrong.push(`${host.node.id} has a flow too many: ${flowKey(flow)}`);
    else if (cookie !== flow.cookie) wrong.push(`${host.node.id} has another flow than wanted: ${flowKey(flow)}`);
    wanted.delete(flowKey(flow));
  }
  return [...wrong, ...[...wanted.keys()].map((key) => `${host.node.id} lacks a flow: ${key}`)];
}

function wantedFlows(region: Region, goals: Goals, host: SimulatedHost): Flow[] {
  const { workload, hosts } = region;
  const hostIps = new Map(hosts.map(({ node }) => [node.id, node.ip]));
  const joined = vpcsOf(goals, host.node.id);
  const isMeant = ({ id, networkId }: Pick<Port, 'id' | 'networkId'>): boolean =>
    goals.get(`vpc/${networkId}`)?.has(`neighbor/${id}`) === true ||
    goals.get(`host/${host.node.id}`)?.has(`port/${id}`) === true;
  const ports = workload.ports.flatMap(({ hostId, ...port }) =>
    hostId !== null && joined.has(port.networkId) && isMeant(port) ? [{ ...port, hostId }] : [],
  );
  const security = securityOf(goals, joined, ports, host);
  const routing = routingOf(goals, joined, host.node.ip);
  const onDemand = [...joined].filter((vpcId) => workload.isOnDemand(vpcId));
  const here = { hostIp: host.node.ip, gatewayPort: host.memory.gatewayPort };
  const unknown = onDemand.flatMap((id) => {
    const gateway = gatewayIpOf(goals, id);
    const vni = workload.network(id as NetworkId).vni;
    return unknownFlows({ id, vni, gateway, isWhole: gateway === here.hostIp }, here);
  });
  const flows = [...hostFlows(host.memory.tunnelPort), ...security.flows, ...routing.flows, ...unknown];
  for (const port of ports) {
    const { id, mac, revision, networkId: vpcId, securityGroupIds } = port;
    const vni = workload.network(vpcId).vni;
    const same = { id, vpcId, vni, mac, ips: port.fixedIps.map(({ ip }) => ip), revision, securityGroupIds };
    const ofport = host.memory.plugged(id)?.ofport;
    if (goals.get(`vpc/${vpcId}`)?.has(`neighbor/${id}`) === true)
      flows.push(
        ...neighborFlows({ ...same, hostIp: hostIps.get(port.hostId)! }, host.node.ip, security.index, routing.index),
      );
    if (port.hostId === host.node.id && ofport !== undefined) {
      const { portSecurityEnabled } = port;
      const local = { ...same, adminStateUp: isUp(workload, port), portSecurityEnabled };
      flows.push(...portFlows(local, ofport, security.index, routing.index));
    }
  }
  return [...flows, ...broadcastsOf(region, ports, host)];
}

/** What is said to all of a network, where all of it is told. */
function broadcastsOf({ workload, hosts }: Region, ports: readonly Port[], host: SimulatedHost): readonly Flow[] {
  const index = new BroadcastIndex();
  const told = ports.filter(({ networkId }) => !workload.isOnDemand(networkId));
  const vnis = new Set<number>();
  for (const port of told) {
    const { vni } = workload.network(port.networkId);
    const at = hosts.find(({ node }) => node.id === port.hostId)!.node.ip;
    const ofport = host.memory.plugged(port.id)?.ofport;
    vnis.add(vni);
    if (at !== host.node.ip) index.moveNeighbor(undefined, { vni, hostIp: at });
    else if (ofport !== undefined && isUp(workload, port)) index.setPort(port.id, { vni, ofport });
  }
  return [...vnis].flatMap((vni) => {
    const audience = index.audience(vni);
    return audience === undefined ? [] : broadcastFlows(audience);
  });
}

/** The routers that the host knows of, and the flows that are theirs. */
function routingOf(
  goals: Goals,
  joined: ReadonlySet<string>,
  hostIp: string,
): { readonly index: RoutingIndex; readonly flows: readonly Flow[] } {
  const states = [...joined].flatMap((vpcId) => [...(goals.get(`vpc/${vpcId}`)?.values() ?? [])]);
  const vnis = new Map(states.flatMap(({ kind, state }) => (kind === 'vpc' ? [[state.id, state.tunnelId]] : [])));
  const cidrs = new Map(states.flatMap(({ kind, state }) => (kind === 'subnet' ? [[state.id, state.cidr]] : [])));
  const routers = states.flatMap(({ kind, state }) => (kind === 'router' ? [state] : []));
  const known = {
    network: (id: string) => (vnis.has(id) ? { vni: vnis.get(id)!, isOnWire: false } : undefined),
    subnet: (_: string, id: string) => (cidrs.has(id) ? { cidr: cidrs.get(id)!, gatewayIp: '' } : undefined),
  };
  const index = new RoutingIndex();
  for (const state of routers) index.setRouter(routerOf(state, known));
  const ids = new Set(routers.map(({ id }) => id));
  return { index, flows: [...ids].flatMap((id) => routerFlows(index.router(id)!, hostIp)) };
}

/** The groups that the host knows of, who is in them as far as it knows, and the flows that are theirs. */
function securityOf(
  goals: Goals,
  joined: ReadonlySet<string>,
  ports: readonly Port[],
  host: SimulatedHost,
): { readonly index: SecurityIndex; readonly flows: readonly Flow[] } {
  const index = new SecurityIndex();
  for (const { id, hostId, portSecurityEnabled, securityGroupIds } of ports) {
    index.setNeighbor(`neighbor ${id}`, securityGroupIds);
    if (hostId === host.node.id) index.setPort(`port ${id}`, securityGroupIds, portSecurityEnabled);
  }
  const groups = new Set<string>();
  for (const vpcId of joined) {
    for (const { kind, state } of goals.get(`vpc/${vpcId}`)?.values() ?? []) {
      if (kind === 'security-group') index.setGroup(securityGroupOf(state));
      if (kind === 'address-group') index.setAddressGroup(addressGroupOf(state));
      groups.add(state.id);
    }
  }
  const flows = [...groups].flatMap((id) => {
    const [group, addresses] = [index.groupInUse(id), index.addressGroupInUse(id)];
    return [
      ...(group === undefined ? [] : securityGroupFlows(group)),
      ...(addresses === undefined ? [] : addressGroupFlows(addresses)),
    ];
  });
  return { index, flows };
}

/** Every acknowledgement has come up: a bound port is ACTIVE exactly if it is plugged and switched on. */
function wrongStatuses({ workload, hosts, statuses }: Region): string[] {
  const wrong: string[] = [];
  for (const port of workload.ports) {
    const host = hosts.find(({ node }) => node.id === port.hostId);
    if (host === undefined) continue;
    const wanted = port.adminStateUp && host.memory.plugged(port.id) !== undefined ? 'ACTIVE' : 'DOWN';
    const { status, reason } = statuses.get(port.id) ?? { status: 'unknown', reason: '' };
    if (status !== wanted) wrong.push(`${port.id} on ${port.hostId} is ${status} (${reason}), not ${wanted}`);
  }
  return wrong;
}
