import { Agent, Fabric, MemorySwitch, type Vm } from '@alcor/agent';
import { type MessageQueue, natsQueue, type Runtime } from '@alcor/runtime';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../log.ts';
import type { HostSet, ManagedHost } from './hosts.ts';

/** Hosts with switches in this process's memory: for machines without root or Open vSwitch. */
export async function startMemoryHosts(options: {
  readonly count: number;
  readonly runDir: string;
  readonly runtime: Runtime;
  readonly log: Log;
}): Promise<HostSet> {
  const { count, runDir, runtime, log } = options;
  const stop = new AbortController();
  const fabric = new Fabric();
  const vms: Vm[] = [];
  const hosts = Array.from({ length: count }, (_, index) => memoryHost(index + 1, runDir));
  for (const host of hosts) {
    const memory = new MemorySwitch({ name: host.id, wires: { physnet1: 50_000 } });
    fabric.addHost(host.ip, memory);
    const agent = new Agent({ runtime, switch: memory, hostIp: host.ip, openQueue, log });
    // A socket that a killed region left behind would refuse the address.
    rmSync(host.agentAddress.slice('unix:'.length), { force: true });
    await agent.start(host.agentAddress, stop.signal);
  }
  return {
    dataplane: 'memory',
    hosts,
    async plug(hostId, { portId, mac, ip }) {
      const host = hosts.find(({ id }) => id === hostId);
      if (host === undefined) throw new Error(`no host ${hostId}`);
      const vm = fabric.addVm(host.ip, { id: portId, mac, ips: [ip] });
      vms.push(vm);
      return {
        async ping(to) {
          const started = runtime.clock.now();
          const { ok } = fabric.ping(vm, to);
          return { ok, rttMs: ok ? runtime.clock.now() - started : null };
        },
      };
    },
    async close() {
      for (const vm of vms) fabric.removeVm(vm);
      stop.abort();
    },
  };
}

function openQueue(url: string): MessageQueue {
  return natsQueue({ servers: url.split(',') });
}

function memoryHost(n: number, runDir: string): ManagedHost {
  const id = `host-${n}`;
  const ip = `172.31.${n >> 8}.${n & 255}`;
  return {
    id,
    name: id,
    ip,
    netns: null,
    ovsdb: null,
    bridge: null,
    bridgeMappings: { physnet1: 'br-ex' },
    agentAddress: `unix:${join(runDir, `${id}.sock`)}`,
  };
}
