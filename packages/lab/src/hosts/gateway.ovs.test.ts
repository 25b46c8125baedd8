/** A gateway host on real Open vSwitch: first packets of guests' own kernels, without any controller to answer for them. */
import { setMaxListeners } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dataplane, type LocalPort, OvsSwitch, pipeline } from '@alcor/agent';
import { dialBytes, realRuntime } from '@alcor/runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  canEmulate,
  cleanRegion,
  createFabric,
  introduce,
  type Host,
  type Means,
  ping,
  plugVm,
  run,
  startHosts,
  type Vm,
} from './index.ts';
import { runIn } from './namespace.ts';

const { clock } = realRuntime();
const means: Means = { sleep: (ms, signal) => clock.sleep(ms, signal), dial: dialBytes };
const possible = await canEmulate();
if (!possible.ok) console.warn(`skipped: a gateway host (${possible.reason})`);
const prefix = `tg${process.pid.toString(36).slice(-5)}`;

describe.skipIf(!possible.ok)('a gateway host', () => {
  let runDir: string;
  let hosts: readonly [Host, Host, Host];
  let planes: readonly [Dataplane, Dataplane, Dataplane];
  let stop: AbortController;
  /** By host: how many packets its agent was given. */
  let given: number[];

  beforeEach(async () => {
    runDir = await mkdtemp(join(tmpdir(), 'al-'));
    stop = new AbortController();
    setMaxListeners(0, stop.signal);
    given = [0, 0, 0];
    const started = await startHosts(await createFabric({ prefix, runDir, means }), 3);
    await introduce(started);
    hosts = started as unknown as readonly [Host, Host, Host];
    planes = (await Promise.all(started.map(start))) as unknown as typeof planes;
  });

  afterEach(async () => {
    stop.abort();
    await cleanRegion({ prefix, runDir, means });
  });

  test('answers for an address and forwards the first packets both ways, of its networks only', async () => {
    const [a, b] = [guest('a', 1, 7), guest('b', 2, 7)];
    const [c, d] = [guest('c', 1, 8), guest('d', 2, 8)];
    const vms = await place([a, b], [c, d]);
    const [first, , third] = vms;
    for (const [vm, to] of [
      [first!, b],
      [third!, d],
    ] as const) {
      expect(await ping(vm, to.ips[0]!, { count: 3, timeoutMs: 2_000 })).toMatchObject({ sent: 3, received: 3 });
      const neighbours = await runIn(vm.netns, 'ip', ['neigh', 'show', 'dev', 'eth0']);
      expect(neighbours).toContain(to.mac);
    }
    // Both ways of three pings in two networks, beside the question for the address at either end.
    // The switch's counters come late.
    await until(async () => (await packetsIn(hosts[2], 'gateway')) >= 12, 'the packets by the gateway');
    expect(await packetsIn(hosts[2], 'delivery')).toBe(0);
    expect(given[0]).toBeGreaterThan(0);
    expect(given[2]).toBe(0);
    expect(await ping(first!, '10.0.0.77', { timeoutMs: 500 })).toMatchObject({ received: 0 });

    planes[2].removeOnDemandVpc('vpc8');
    await planes[2].flush(stop.signal);
    expect(await ping(third!, d.ips[0]!, { timeoutMs: 500 })).toMatchObject({ received: 0 });
    expect(await ping(first!, b.ips[0]!, { timeoutMs: 2_000 })).toMatchObject({ received: 1 });
  });

  async function start(host: Host, n: number): Promise<Dataplane> {
    const { ip: hostIp, ovsdb, openflow } = host;
    const onSwitch = new OvsSwitch({ ovsdb, openflow, dial: dialBytes, sleep: means.sleep });
    const plane = new Dataplane({ switch: onSwitch, hostIp, clock, onPacket: () => void given[n]!++ });
    await plane.start(stop.signal);
    return plane;
  }

  /** Of each pair the first on the first host and the second on the second; the third host is told of all, the others of a gateway only. */
  async function place(...pairs: readonly (readonly [LocalPort, LocalPort])[]): Promise<Vm[]> {
    const vms: Vm[] = [];
    const gateway = hosts[2].ip;
    for (const pair of pairs) {
      for (const [n, port] of pair.entries()) {
        const { id: portId, mac, ips, vni } = port;
        planes[n]!.setPort(port);
        planes[2].setNeighbor({ ...port, hostIp: hosts[n]!.ip });
        for (const [at, plane] of planes.entries())
          plane.setOnDemandVpc({ id: `vpc${vni}`, vni, gateway, isWhole: at === 2 });
        vms.push(await plugVm(hosts[n]!, { portId, mac, ip: ips[0]!, prefixLength: 24 }));
      }
    }
    for (const plane of planes) await plane.reconcile(stop.signal);
    for (const [n, plane] of planes.slice(0, 2).entries())
      await until(() => plane.pluggedPorts().length === pairs.length, `ports of host ${n}`);
    for (const plane of planes) await plane.flush(stop.signal);
    return vms;
  }
});

function guest(id: string, last: number, vni: number): LocalPort {
  return {
    id,
    vpcId: `vpc${vni}`,
    vni,
    mac: `02:00:00:00:00:0${last}`,
    ips: [`10.0.0.${last}`],
    adminStateUp: true,
    portSecurityEnabled: true,
    revision: 1,
  };
}

/** What the flows of a table have counted, all together. */
async function packetsIn(host: Host, table: 'gateway' | 'delivery'): Promise<number> {
  const dump = await run('ovs-ofctl', ['-O', 'OpenFlow15', 'dump-flows', host.openflow, `table=${pipeline[table].id}`]);
  return [...dump.matchAll(/n_packets=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let turn = 0; !(await holds()); turn++) {
    if (turn > 15_000) throw new Error(`nothing came of ${what}`);
    await clock.sleep(20);
  }
}
