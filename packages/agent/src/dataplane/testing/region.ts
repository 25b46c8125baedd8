/** Hosts with memory switches under a virtual clock: what the tests of this folder walk packets through. */
import { setMaxListeners } from 'node:events';
import { createSchedule, type Clock, type Schedule } from '@alcor/runtime';
import { Dataplane } from '../dataplane.ts';
import { Fabric, type Vm, type VmSubnet } from '../drivers/fabric.ts';
import { MemorySwitch, type MemorySwitchOptions } from '../drivers/memory.ts';
import type {
  LocalPort,
  Neighbor,
  NetworkAcl,
  ResourceOutcome,
  Router,
  SecurityGroup,
  SecurityGroupRule,
} from '../resources.ts';
import type { PacketIn } from '../switch.ts';

export const never: AbortSignal = new AbortController().signal;
// One signal for all tests: the listeners of thousands of data planes are no leak here.
setMaxListeners(0, never);

export interface TestHost {
  readonly ip: string;
  readonly memory: MemorySwitch;
  readonly dataplane: Dataplane;
  /** What was said outside of flush, oldest first. */
  readonly told: ResourceOutcome[];
  /** Packets that its agent was given, and let go. */
  readonly given: PacketIn[];
}

export async function testHost(ip: string, options: MemorySwitchOptions = {}): Promise<TestHost> {
  const memory = new MemorySwitch({ name: ip, ...options });
  return startedOn(memory, ip);
}

/** A new agent process on a switch that may have flows already. */
export async function startedOn(
  memory: MemorySwitch,
  ip: string,
  schedule: Schedule = createSchedule(),
  signal: AbortSignal = never,
): Promise<TestHost> {
  const told: ResourceOutcome[] = [];
  const given: PacketIn[] = [];
  const dataplane = new Dataplane({
    switch: memory,
    hostIp: ip,
    clock: virtualClock(schedule),
    onPortOutcome: (outcome) => told.push(outcome),
    onPacket: (packet) => given.push(packet),
  });
  await dataplane.start(signal);
  return { ip, memory, dataplane, told, given };
}

export function fabricOf(hosts: readonly TestHost[]): Fabric {
  const fabric = new Fabric();
  for (const host of hosts) fabric.addHost(host.ip, host.memory);
  return fabric;
}

export interface Placed {
  /** 192.0.2.1 or 192.0.2.2. */
  readonly host: string;
  readonly port: LocalPort;
  /** What its VM knows of the network's subnets; without, everything is on the link. */
  readonly subnets?: readonly VmSubnet[];
}

/** What hosts know beside ports. */
export interface Known {
  readonly groups?: readonly SecurityGroup[];
  readonly routers?: readonly Router[];
  readonly acls?: readonly NetworkAcl[];
}

/** Two hosts with these ports, every port known as a neighbour to the other host, and a VM for each. */
export async function region(placed: readonly Placed[], { groups = [], routers = [], acls = [] }: Known = {}) {
  const hosts = [await testHost('192.0.2.1'), await testHost('192.0.2.2')];
  const fabric = fabricOf(hosts);
  for (const { host, port: each } of placed) {
    for (const on of hosts) {
      if (on.ip === host) on.dataplane.setPort(each);
      else on.dataplane.setNeighbor(neighborOf(each, host));
    }
  }
  for (const { dataplane } of hosts) {
    for (const group of groups) dataplane.setSecurityGroup(group);
    for (const router of routers) dataplane.setRouter(router);
    for (const acl of acls) dataplane.setNetworkAcl(acl);
  }
  const vms = placed.map(({ host, port: each, subnets = [] }) => fabric.addVm(host, { ...each, subnets }));
  for (const { dataplane } of hosts) await dataplane.reconcile(never);
  return { hosts, fabric, vms: vms as [Vm, Vm, ...Vm[]] };
}

/** A port with everything switched on; `changes` say what the test is about. */
export function port(id: string, changes: Partial<LocalPort> = {}): LocalPort {
  return {
    id,
    vpcId: 'vpc',
    vni: 100,
    mac: '02:00:00:00:00:01',
    ips: ['10.0.0.1'],
    adminStateUp: true,
    portSecurityEnabled: true,
    revision: 1,
    ...changes,
  };
}

export function neighborOf(local: LocalPort, hostIp: string): Neighbor {
  const { adminStateUp: _, portSecurityEnabled: __, subnetIds: ___, ...shared } = local;
  return { ...shared, hostIp };
}

/** A rule that lets every IPv4 packet in; `changes` say what the test is about. */
export function rule(changes: Partial<SecurityGroupRule> = {}): SecurityGroupRule {
  return {
    id: 'rule',
    direction: 'ingress',
    ethertype: 'IPv4',
    protocol: null,
    portRangeMin: null,
    portRangeMax: null,
    ...changes,
  };
}

export function securityGroup(id: string, rules: readonly SecurityGroupRule[], stateful = true): SecurityGroup {
  return { id, rules: rules.map((each, index) => ({ ...each, id: `${id} ${index}` })), stateful, revision: 1 };
}

/** The part of a clock that the data plane uses, run by hand. */
export function virtualClock(schedule: Schedule): Clock {
  return {
    wall: () => schedule.now(),
    now: () => schedule.now(),
    sleep: (ms) => new Promise((resolve) => void schedule.after(ms, resolve)),
    timer: (ms, run) => ({ cancel: schedule.after(ms, run) }),
  };
}

/** Lets everything run that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
}
