/** Two hosts with a real Open vSwitch and an agent process each, VMs on them, and a config manager that tells a VPC on demand, over gRPC. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentNodeOptions } from '@alcor/agent';
import { ConfigManager, type ManagedHost } from '@alcor/config-manager';
import {
  EtherType,
  GatewayConfiguration,
  type Goal,
  goalKey,
  NeighborConfiguration,
  PortConfiguration,
  SecurityGroupConfiguration,
  SecurityGroupConfiguration_Direction as Direction,
  VpcConfiguration,
} from '@alcor/contract';
import { Bus, dialBytes, realRuntime, Topic } from '@alcor/runtime';
import { cpuMs, cpuMsOf } from './cpu-time.ts';
import { cleanRegion, createFabric, type Host, type Means, plugVm, startHosts, type Vm } from '../src/hosts/index.ts';

const AGENT = fileURLToPath(new URL('first-packet-agent.ts', import.meta.url));
const AT_ONCE = 8;
const vpcId = 'vpc';
const group = 'everyone';
const { clock } = realRuntime();
const means: Means = { sleep: (ms, signal) => clock.sleep(ms, signal), dial: dialBytes };

export interface Guest {
  readonly id: string;
  /** 0 or 1. */
  readonly host: number;
  readonly mac: string;
  readonly ip: string;
}

export interface FirstPacketHosts {
  readonly vms: readonly Vm[];
  /** Has the hosts forget all neighbours, and learn none until it is called again with `true`. */
  showNeighbours(shown: boolean): void;
  /** What the agent of a host says of its engine. */
  describe(host: number): Promise<EngineSays>;
  /** CPU time used so far by all agents, by all switches and by this process, in ms. */
  cpu(): Promise<CpuTimes>;
  close(): Promise<void>;
}

export interface EngineSays {
  /** That are in force; 0 while some are not. */
  readonly ports: number;
  readonly learnt: number;
  readonly held: number;
  readonly counters: { readonly [name: string]: number };
}

export interface CpuTimes {
  readonly agents: number;
  readonly switches: number;
  /** The config manager, and what measures. */
  readonly manager: number;
}

/** `count` guests of one /16, the first of them on the first host. */
export function guest(n: number, host: number): Guest {
  const bytes = [(n + 1) >> 8, (n + 1) & 255];
  const mac = `fa:16:3e:00:${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
  return { id: `p${n}`, host, mac, ip: `10.0.${bytes.join('.')}` };
}

/**
 * Who has the first packet find its way: the config manager, which is asked; a third host, the gateway, beside; or nobody, because both hosts
 * were told of everybody before.
 */
export type Way = 'asked' | 'gateway' | 'told';

/** `judged`: the guests' ports are in a security group that lets in its members only; otherwise nobody judges what they send. */
export async function startFirstPacketHosts(
  guests: readonly Guest[],
  judged: boolean,
  way: Way,
): Promise<FirstPacketHosts> {
  const stop = new AbortController();
  const runtime = realRuntime();
  const runDir = await mkdtemp(join(tmpdir(), 'al-'));
  const prefix = `fp${process.pid.toString(36).slice(-5)}`;
  const children: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    stop.abort();
    for (const child of children) child.kill('SIGKILL');
    await cleanRegion({ prefix, runDir, means });
  };
  try {
    const hosts = await startHosts(await createFabric({ prefix, runDir, means }), way === 'gateway' ? 3 : 2);
    for (const host of hosts) children.push(await startAgent(host));
    const { goals, showNeighbours } = topicsOf(guests, hosts, judged);
    if (way === 'gateway') makeGateway(goals, hosts[2]!);
    const managed = new Topic<ManagedHost>();
    for (const host of hosts) managed.put(host.id, { id: host.id, agentAddress: agentAddress(host), ip: host.ip });
    const channels = new Topic<{ readonly channel: 'on-demand' | 'grpc' }>();
    channels.put(vpcId, { channel: way === 'told' ? 'grpc' : 'on-demand' });
    const manager = new ConfigManager({ runtime, goals, hosts: managed, channels, onReport: () => {}, log: () => {} });
    await manager.answer('127.0.0.1:0', stop.signal);
    const running = manager.run(stop.signal);
    running.catch((error: unknown) => console.error(error));
    const vms = await plugAll(guests, hosts);
    const cpu = (): Promise<CpuTimes> => cpuTimes(children, hosts);
    return { vms, showNeighbours, describe: (host) => describeEngine(children[host]!), cpu, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function topicsOf(guests: readonly Guest[], hosts: readonly Host[], judged: boolean) {
  const goals = new Bus<Goal>();
  const rule = { securityGroupId: group, ethertype: EtherType.IPV4 };
  const rules = [
    { ...rule, id: 'out', direction: Direction.EGRESS },
    { ...rule, id: 'in', direction: Direction.INGRESS, remoteGroupId: group },
  ];
  const common: Goal[] = [
    { kind: 'vpc', state: VpcConfiguration.fromPartial({ id: vpcId, revisionNumber: 1, tunnelId: 7, mtu: 1400 }) },
    {
      kind: 'security-group',
      state: SecurityGroupConfiguration.fromPartial({ id: group, vpcId, revisionNumber: 1, securityGroupRules: rules }),
    },
  ];
  for (const goal of common) {
    goals.topic(`vpc/${vpcId}`).put(goalKey(goal), goal);
    goals.topic(`vpc/${vpcId}/common`).put(goalKey(goal), goal);
  }
  for (const each of guests) {
    const security = judged ? { securityGroupIds: [{ id: group }] } : { portSecurityDisabled: true };
    const state = PortConfiguration.fromPartial({ ...stateOf(each), adminStateUp: true, ...security });
    const goal: Goal = { kind: 'port', state };
    goals.topic(`host/${hosts[each.host]!.id}`).put(goalKey(goal), goal);
  }
  let revisionNumber = 1;
  const showNeighbours = (shown: boolean): void => {
    const topic = goals.topic(`vpc/${vpcId}`);
    revisionNumber++;
    for (const each of guests) {
      const hostIpAddress = hosts[each.host]!.ip;
      const state = { ...stateOf(each), revisionNumber, hostIpAddress, securityGroupIds: judged ? [group] : [] };
      const goal: Goal = { kind: 'neighbor', state: NeighborConfiguration.fromPartial(state) };
      if (shown) topic.put(goalKey(goal), goal);
      else topic.remove(goalKey(goal), goal);
    }
  };
  return { goals, showNeighbours };
}

/** As delivery says it: to the host in its own topic, and to all in the VPC where it is. */
function makeGateway(goals: Bus<Goal>, { id, ip }: Host): void {
  const destinations = [{ ipAddress: ip }];
  const state = GatewayConfiguration.fromPartial({ id, vpcId, revisionNumber: 1, destinations });
  goals.topic(`host/${id}`).put(`gateway/${vpcId}`, { kind: 'gateway', state });
  for (const topic of [`vpc/${vpcId}`, `vpc/${vpcId}/common`])
    goals.topic(topic).put(`gateway/${id}`, { kind: 'gateway', state });
}

function stateOf({ id, mac, ip }: Guest) {
  return { id, vpcId, revisionNumber: 1, macAddress: mac, fixedIps: [{ subnetId: 'subnet', ipAddress: ip }] };
}

async function plugAll(guests: readonly Guest[], hosts: readonly Host[]): Promise<Vm[]> {
  const vms: Vm[] = [];
  const queue = guests.entries();
  const worker = async (): Promise<void> => {
    for (const [n, { id: portId, mac, ip, host }] of queue)
      vms[n] = await plugVm(hosts[host]!, { portId, mac, ip, prefixLength: 16 });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, () => worker()));
  return vms;
}

function agentAddress({ runDir }: Host): string {
  return `unix:${runDir}/agent.sock`;
}

async function startAgent(host: Host): Promise<ChildProcess> {
  const { ip, ovsdb, openflow } = host;
  const args = [ip, ovsdb, openflow, agentAddress(host)];
  const child = fork(AGENT, args, {
    execArgv: [...agentNodeOptions, '--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  return child;
}

async function cpuTimes(agents: readonly ChildProcess[], hosts: readonly Host[]): Promise<CpuTimes> {
  const pids = await Promise.all(
    hosts.map(async ({ runDir }) => Number(await readFile(join(runDir, 'ovs-vswitchd.pid'), 'utf8'))),
  );
  return {
    agents: await cpuMsOf(agents.map(({ pid }) => pid!)),
    switches: await cpuMsOf(pids),
    manager: await cpuMs(process.pid),
  };
}

async function describeEngine(child: ChildProcess): Promise<EngineSays> {
  child.send('describe');
  const [said] = (await once(child, 'message')) as [EngineSays];
  return said;
}
