import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dialBytes, realRuntime } from '@alcor/runtime';
import { connect, mapOf, optionalNumberOf, select } from '@alcor/ovsdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  canEmulate,
  cleanRegion,
  createFabric,
  describeHost,
  destroyFabric,
  ping,
  plugVm,
  run,
  startHost,
  startHosts,
  stopHost,
  unplugVm,
  type Fabric,
  type Host,
  type Means,
  type Vm,
} from './index.ts';
import { underlayMac } from './names.ts';
import { namespacesOf, runIn } from './namespace.ts';
import { daemonPid } from './switch-daemons.ts';

const { clock } = realRuntime();
const means: Means = { sleep: (ms, signal) => clock.sleep(ms, signal), dial: dialBytes };
const possible = await canEmulate();
if (!possible.ok) console.warn(`skipped: emulated hosts (${possible.reason})`);

const STARTER = fileURLToPath(new URL('testing/start-and-wait.ts', import.meta.url));

/** Two prefixes that no other run on this machine has. */
const tag = process.pid.toString(36).slice(-5);
const [PREFIX, OTHER] = [`ta${tag}`, `tb${tag}`];

describe.skipIf(!possible.ok)('emulated hosts', () => {
  let runDir: string;
  let fabric: Fabric;

  beforeEach(async () => {
    runDir = await mkdtemp(join(tmpdir(), 'al-'));
    fabric = await createFabric({ prefix: PREFIX, runDir, means });
  });
  afterEach(async () => {
    await cleanRegion({ prefix: PREFIX, runDir, means });
    await cleanRegion({ prefix: OTHER, runDir: `${runDir}o`, means });
  });

  test('VMs of two hosts reach each other through the tunnel, and only through it', async () => {
    const [a, b] = await pairOfVms(fabric);
    expect(await ping(a, b.ip, { timeoutMs: 100 })).toMatchObject({ ok: false, received: 0 });
    await wireUp([a, b]);
    expect(await ping(a, b.ip, { count: 3, timeoutMs: 2000 })).toMatchObject({ ok: true, sent: 3, received: 3 });
    expect(await ping(a, b.ip, { count: 10, timeoutMs: 2000 })).toMatchObject({ ok: true });

    // The packets are in the tunnel, by the switch's own count, and nowhere else: without the underlay nothing arrives.
    const sent = await run('ovs-ofctl', ['-O', 'OpenFlow15', 'dump-ports', a.host.openflow, a.host.tunnel]);
    expect(Number(/tx pkts=(\d+)/.exec(sent)?.[1])).toBeGreaterThanOrEqual(13);
    await run('ip', ['-n', fabric.netns, 'link', 'set', 'underlay', 'down']);
    expect(await ping(a, b.ip, { timeoutMs: 200 })).toMatchObject({ ok: false });
  });

  test('a large segment crosses the tunnel whole', async () => {
    const [a, b] = await pairOfVms(fabric);
    await wireUp([a, b]);
    await runIn(a.netns, 'ping', ['-n', '-q', '-c', '2', '-M', 'do', '-s', '1372', b.ip]);
  });

  test('TCP carries megabytes through the tunnel', async () => {
    const [a, b] = await pairOfVms(fabric);
    await wireUp([a, b]);
    const receive = `let n = 0; require('net').createServer((s) => {
      s.on('data', (d) => (n += d.length)); s.on('end', () => { console.log(n); process.exit(); });
    }).listen(7000)`;
    const send = `const dial = () => require('net').connect(7000, '${b.ip}', function () {
      this.end(Buffer.alloc(8 << 20));
    }).on('error', () => setTimeout(dial, 50)); dial()`;
    const deadline = AbortSignal.timeout(20_000);
    const received = runIn(b.netns, process.execPath, ['-e', receive], { signal: deadline });
    const sent = runIn(a.netns, process.execPath, ['-e', send], { signal: deadline });
    const [count] = await Promise.all([received, sent]);
    expect(Number(count)).toBe(8 << 20);
  });

  test('a port is found by its iface-id, and its VM has the MAC, MTU and route it was given', async () => {
    const host = await startHost(fabric, { index: 1, id: 'compute-1' });
    const given = {
      portId: 'p-1',
      mac: 'fa:16:3e:00:00:01',
      ip: '10.0.0.5',
      prefixLength: 24,
      mtu: 1342,
      gateway: '10.0.0.1',
    };
    const vm = await plugVm(host, given);
    const client = await connect({ dial: (signal) => dialBytes(host.ovsdb, signal), sleep: means.sleep });
    const [{ rows }] = await client.transact('Open_vSwitch', [select('Interface', [['name', '==', vm.link]])]);
    client.close();
    const [row] = rows;
    if (row === undefined) throw new Error('no interface');
    expect(mapOf(row, 'external_ids').get('iface-id')).toBe('p-1');
    expect(mapOf(row, 'external_ids').get('attached-mac')).toBe(given.mac);
    expect(optionalNumberOf(row, 'ofport')).toBeGreaterThan(0);
    const link = await run('ip', ['-n', vm.netns, 'link', 'show', 'eth0']);
    expect(link).toContain(given.mac);
    expect(link).toContain('mtu 1342');
    expect(await run('ip', ['-n', vm.netns, 'route'])).toContain('default via 10.0.0.1');
    // Again is the same again; unplugged is gone.
    expect(await plugVm(host, given)).toEqual(vm);
    await unplugVm(vm);
    expect(await namespacesOf(vm.netns)).toEqual([]);
    expect(await run('ip', ['-n', host.netns, '-o', 'link'])).not.toContain(vm.link);
    await plugVm(host, given);
  });

  test('only the switch answers ARP for the address at which it ends tunnels', async () => {
    const [a, b] = await startHosts(fabric, 2);
    if (a === undefined || b === undefined) throw new Error('no hosts');
    const pingOnce = (seconds: number): Promise<string> =>
      runIn(a.netns, 'ping', ['-n', '-c', '1', '-W', String(seconds), b.ip]);
    const known = (): Promise<string> => run('ip', ['-n', a.netns, 'neigh', 'show', b.ip]);
    await pingOnce(10);
    expect(await known()).toContain(underlayMac(2));
    // With the switch out of the way there is nobody else.
    await run('ovs-ofctl', ['add-flow', `unix:${join(b.runDir, 'br-phy.mgmt')}`, 'priority=65535,arp,actions=drop']);
    await run('ip', ['-n', a.netns, 'neigh', 'flush', 'all']);
    await expect(pingOnce(1)).rejects.toThrow();
    expect(await known()).not.toContain('lladdr');
  });

  test('hosts outlive the one who started them, and are taken over with their traffic running', async () => {
    const [a, b] = await pairOfVms(fabric);
    await wireUp([a, b]);
    const before = await pidsOf(a.host);
    const traffic = ping(a, b.ip, { count: 40, timeoutMs: 1000 });
    // What a process that was killed leaves behind is what this one has never heard of: only the prefix and the folder.
    const again = await createFabric({ prefix: PREFIX, runDir, means });
    const [hostA, hostB] = [await startHost(again, { index: 1 }), await startHost(again, { index: 2 })];
    expect(hostA).toEqual(a.host);
    expect(await pidsOf(hostA)).toEqual(before);
    expect(await plugVm(hostB, { ...b, prefixLength: 24 })).toEqual(b);
    expect(await traffic).toMatchObject({ sent: 40, received: 40 });
  });

  test('what is missing of a host is made again: switch, database server, cable', async () => {
    const [a, b] = await pairOfVms(fabric);
    const [database, vswitch] = await pidsOf(a.host);
    process.kill(vswitch, 'SIGKILL');
    process.kill(database, 'SIGKILL');
    await run('ip', ['-n', fabric.netns, 'link', 'del', a.host.name]);
    const repaired = await startHost(fabric, { index: 1 });
    expect(await pidsOf(repaired)).not.toContain(vswitch);
    await wireUp([a, b]);
    expect(await ping(a, b.ip, { count: 2, timeoutMs: 2000 })).toMatchObject({ ok: true });
  });

  test('two regions side by side use the same addresses and do not hear each other', async () => {
    const other = await createFabric({ prefix: OTHER, runDir: `${runDir}o`, means });
    const [a, b] = await pairOfVms(fabric);
    const [c] = await pairOfVms(other);
    expect(c.host.ip).toBe(a.host.ip);
    await wireUp([a, b]);
    expect(await ping(a, b.ip, { count: 2, timeoutMs: 2000 })).toMatchObject({ ok: true });
    expect(await ping(c, b.ip, { timeoutMs: 200 })).toMatchObject({ ok: false });
    await destroyFabric(fabric);
    expect(await pidsOf(c.host)).toHaveLength(2);
  });

  test('nothing is left of a host that is stopped, nor of a region that is removed', async () => {
    const [a, b] = await pairOfVms(fabric);
    const pids = [...(await pidsOf(a.host)), ...(await pidsOf(b.host))];
    await stopHost(fabric, a.host);
    expect(await namespacesOf(PREFIX)).toEqual([b.host.netns, fabric.netns, b.netns].sort());
    expect(existsSync(a.host.runDir)).toBe(false);
    await startHost(fabric, { index: 1 });
    await cleanRegion({ prefix: PREFIX, runDir, means });
    expect(await namespacesOf(PREFIX)).toEqual([]);
    expect(existsSync(runDir)).toBe(false);
    expect(await livingOf(pids)).toEqual([]);
    expect(await mentions(runDir)).toEqual([]);
  });

  test('a start abandoned at any point says why, and can be taken up again', async () => {
    for (const [at, ms] of [1, 10, 20, 30, 45, 60, 75, 90, 110].entries()) {
      const abandoned = new AbortController();
      const starting = startHost(fabric, { index: at + 1, signal: abandoned.signal }).then(() => 'too late', String);
      await clock.sleep(ms);
      abandoned.abort(new Error('changed my mind'));
      expect(await starting).toMatch(/changed my mind$|^too late$/);
      const host = await startHost(fabric, { index: at + 1 });
      expect(await pidsOf(host)).toHaveLength(2);
    }
  });

  test('a host outlives kill -9 of the process that started it', async () => {
    const starter = spawn(process.execPath, ['--import', 'tsx', STARTER, PREFIX, runDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [started] = (await once(starter.stdout, 'data')) as [Buffer];
    expect(started.toString()).toContain('172.31.0.1');
    const before = await pidsOf(describeHost(fabric, { index: 1 }));
    const gone = once(starter, 'exit');
    starter.kill('SIGKILL');
    await gone;
    expect(await pidsOf(await startHost(fabric, { index: 1 }))).toEqual(before);
  });

  test('a VM of a host that has gone can still be removed, and none can be plugged into it', async () => {
    const host = await startHost(fabric, { index: 1 });
    const given = { portId: 'p-1', mac: 'fa:16:3e:00:00:01', ip: '10.0.0.5', prefixLength: 24 };
    const vm = await plugVm(host, given);
    for (const pid of await pidsOf(host)) process.kill(pid, 'SIGKILL');
    await clock.sleep(20);
    await expect(plugVm(host, given)).rejects.toThrow('does not run');
    await unplugVm(vm);
    await unplugVm(vm);
    expect(await namespacesOf(vm.netns)).toEqual([]);
    await stopHost(fabric, host);
    await stopHost(fabric, host);
  });

  test('only what the hosts made is removed from the folder', async () => {
    await startHost(fabric, { index: 1 });
    await writeFile(join(runDir, 'precious'), '');
    await destroyFabric(fabric);
    expect(await readdir(runDir)).toEqual(['precious']);
    await rm(runDir, { recursive: true });
  });

  test('a dozen hosts start, several at a time', async () => {
    const begun = clock.now();
    const hosts = await startHosts(fabric, 12, { idOf: (index) => `compute-${index}` });
    const each = (clock.now() - begun) / hosts.length;
    console.info(`a host started every ${each.toFixed(0)} ms`);
    expect(new Set(hosts.map((host) => host.ip)).size).toBe(12);
    expect(hosts.map((host) => host.id).slice(0, 2)).toEqual(['compute-1', 'compute-2']);
  });
});

async function pairOfVms(fabric: Fabric): Promise<readonly [Vm, Vm]> {
  const plug = async (index: number): Promise<Vm> => {
    const host = await startHost(fabric, { index });
    return plugVm(host, {
      portId: `port-${index}`,
      mac: `fa:16:3e:00:00:0${index}`,
      ip: `10.0.0.${index}`,
      prefixLength: 24,
    });
  };
  return Promise.all([plug(1), plug(2)]);
}

/** A scaffold in place of the agent: what comes from the VM goes to the other host with key 7, and back. */
async function wireUp([a, b]: readonly [Vm, Vm]): Promise<void> {
  await Promise.all([oneWay(a, b), oneWay(b, a)]);
}

async function oneWay(here: Vm, there: Vm): Promise<void> {
  const [vm, tunnel] = [here.link, here.host.tunnel];
  const flows = [
    `in_port=${vm},actions=set_field:7->tun_id,set_field:${there.host.ip}->tun_dst,output:${tunnel}`,
    `in_port=${tunnel},tun_id=7,actions=output:${vm}`,
  ];
  await run('ovs-ofctl', ['-O', 'OpenFlow15', 'add-flows', here.host.openflow, '-'], { input: flows.join('\n') });
}

async function pidsOf(host: Host): Promise<[number, number]> {
  const pids = await Promise.all([daemonPid(host, 'ovsdb-server'), daemonPid(host, 'ovs-vswitchd')]);
  if (pids[0] === undefined || pids[1] === undefined) throw new Error(`${host.name} does not run`);
  return [pids[0], pids[1]];
}

/** Those that run, as opposed to those that have ended and are not yet collected by their parent. */
async function livingOf(pids: readonly number[]): Promise<readonly number[]> {
  const states = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, at) => states[at] !== '');
}

/** Processes whose command line speaks of the folder. */
async function mentions(folder: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(folder));
}
