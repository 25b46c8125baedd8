import { cleanRegion, createFabric, type Host, introduce, ping, plugVm, startHosts, type TunnelType } from '@alcor/lab';
import { agentNodeOptions } from '@alcor/agent';
import { dialBytes, type Runtime } from '@alcor/runtime';
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../log.ts';
import type { HostSet, ManagedHost } from './hosts.ts';

const restartAfterMs = 500;

interface OvsHostOptions {
  readonly count: number;
  readonly prefix: string;
  readonly runDir: string;
  readonly logFile: string;
  /** Bytes of the largest packet between hosts. */
  readonly underlayMtu: number;
  readonly agentOptions: AgentOptions;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What all agents of the region are told, by the names of their command line. */
interface AgentOptions {
  readonly tunnelType: TunnelType;
  readonly metadataProxy: string | undefined;
  readonly dnsUpstream: string | undefined;
}

interface OvsHost extends ManagedHost {
  readonly lab: Host;
}

/** Hosts with a real Open vSwitch each in a network namespace of its own, and an agent process each. */
export async function startOvsHosts(options: OvsHostOptions): Promise<HostSet> {
  const { count, prefix, runDir, runtime, signal, underlayMtu: mtu } = options;
  const { tunnelType } = options.agentOptions;
  const sleep = (ms: number, until?: AbortSignal): Promise<void> => runtime.clock.sleep(ms, until);
  const means = { sleep, dial: dialBytes };
  const stop = new AbortController();
  const agents: Promise<void>[] = [];
  const close = async (): Promise<void> => {
    stop.abort();
    await Promise.all(agents);
    await cleanRegion({ prefix, runDir, means });
  };
  try {
    const fabric = await createFabric({ prefix, runDir, means, tunnelType, mtu, signal });
    const started = await startHosts(fabric, count, { idOf: (index) => `host-${index}`, signal });
    await introduce(started, { signal });
    const hosts = started.map(describe);
    for (const host of hosts) agents.push(superviseAgent(host, options, stop.signal));
    return { dataplane: 'ovs', hosts, close, plug: (id, request) => plug(hosts, id, request) };
  } catch (error) {
    await close();
    throw error;
  }
}

async function plug(
  hosts: readonly OvsHost[],
  hostId: string,
  request: Parameters<HostSet['plug']>[1],
): ReturnType<HostSet['plug']> {
  const host = hosts.find(({ id }) => id === hostId);
  if (host === undefined) throw new Error(`no host ${hostId}`);
  const vm = await plugVm(host.lab, request);
  return {
    async ping(ip) {
      const { ok, rttMs } = await ping(vm, ip, { timeoutMs: 2_000 });
      return { ok, rttMs: rttMs ?? null };
    },
  };
}

function describe(lab: Host): OvsHost {
  const { id, ip, netns, ovsdb, bridge } = lab;
  const agentAddress = `unix:${join(lab.runDir, 'agent.sock')}`;
  return {
    id,
    name: id,
    ip,
    netns,
    ovsdb,
    bridge,
    lab,
    agentAddress,
    bridgeMappings: { physnet1: lab.physicalBridge },
  };
}

/** Runs the host's agent until `signal` aborts, starting another whenever one dies. */
async function superviseAgent(
  host: OvsHost,
  { runtime, logFile, agentOptions, log }: OvsHostOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const child = startAgent(host, logFile, agentOptions);
    const kill = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', kill, { once: true });
    const how = await new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, by) => resolve(by ?? `exit code ${code}`));
    });
    signal.removeEventListener('abort', kill);
    if (signal.aborted) return;
    log(`the agent of ${host.id} ended (${how}); starting another`);
    await runtime.clock.sleep(restartAfterMs, signal).catch(() => {});
  }
}

function startAgent(
  host: OvsHost,
  logFile: string,
  { tunnelType, metadataProxy, dnsUpstream }: AgentOptions,
): ChildProcess {
  // A socket that a killed agent left behind would refuse the address.
  rmSync(host.agentAddress.slice('unix:'.length), { force: true });
  const output = openSync(logFile, 'a');
  const { lab } = host;
  const main = new URL('../main.js', import.meta.url).pathname;
  const args = [
    '--node',
    host.id,
    '--host-ip',
    host.ip,
    '--listen',
    host.agentAddress,
    '--bridge',
    lab.bridge,
    '--bridge-mapping',
    `physnet1:${lab.physicalBridge}`,
    '--ovsdb',
    lab.ovsdb,
    '--openflow',
    lab.openflow,
    '--tunnel-type',
    tunnelType,
    ...(dnsUpstream === undefined ? [] : ['--dns-upstream', dnsUpstream]),
    ...(metadataProxy === undefined ? [] : ['--metadata-proxy', metadataProxy]),
  ];
  return spawn(process.execPath, [...agentNodeOptions, main, 'agent', ...args], {
    stdio: ['ignore', output, output, 'ipc'],
  });
}
