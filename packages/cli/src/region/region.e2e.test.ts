import { canEmulate } from '@alcor/lab';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  api,
  cleanUp,
  eventually,
  folder,
  main,
  portStatus,
  processes,
  type RegionJson,
  root,
  sh,
  start,
  stop,
  traces,
  vmOf,
} from './testing/region-process.ts';
import { ping, stopPings } from './testing/traffic.ts';

const emulation = await canEmulate();
if (!emulation.ok) console.log(`skipped: regions on real Open vSwitch: ${emulation.reason}`);
const hasOpenstack = existsSync('/usr/bin/openstack');
if (!hasOpenstack) console.log('skipped: the README as written: the openstack command is not installed');

afterEach(stopPings);
afterAll(cleanUp);

describe('a region on switches in memory', () => {
  it('does the same without root or Open vSwitch, and says so', () => {
    const state = join(folder(), 'state');
    // Without /usr/sbin there is no ovs-vswitchd to be found.
    const env = { ...process.env, PATH: '/usr/bin:/bin' };
    const output = execFileSync(
      process.execPath,
      [main, 'region', '--once', '--json', '--port', '0', '--state', state],
      { encoding: 'utf8', env },
    );
    const json = JSON.parse(output.trim().split('\n').at(-1)!) as RegionJson;
    expect(output).toContain('in-memory switches, not Open vSwitch');
    expect(json.dataplane).toBe('memory');
    expect(json.ports.map(({ status }) => status)).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE']);
    expect(json.pings).toHaveLength(12);
    expect(json.pings.filter(({ ok, sameVpc }) => ok !== sameVpc)).toEqual([]);
    expect(existsSync(state)).toBe(false);
  });

  it.each([
    [['--hosts', 'many'], '--hosts wants a whole number'],
    [['--port', '70000'], '--port wants a whole number'],
  ])('refuses %s with a message that names the option', (args, message) => {
    const run = (): string =>
      execFileSync(process.execPath, [main, 'region', '--once', ...args], { encoding: 'utf8', stdio: 'pipe' });
    expect(run).toThrow(message);
  });
});

describe.skipIf(!emulation.ok)('a region on real Open vSwitch', () => {
  it('pings inside each VPC and not across, and leaves nothing behind', async () => {
    const state = join(folder(), 'state');
    const { child, json } = await start(['--state', state, '--once']);
    expect(json.dataplane).toBe('ovs');
    expect(json.hosts).toHaveLength(2);
    expect(new Set(json.ports.map(({ host }) => host)).size).toBe(2);
    expect(json.ports.map(({ status }) => status)).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE']);
    expect(json.pings).toHaveLength(12);
    expect(json.pings.filter(({ ok, sameVpc }) => ok !== sameVpc)).toEqual([]);
    const code = child.exitCode ?? (await new Promise((resolve) => child.once('exit', resolve)));
    expect(code).toBe(0);
    expect(traces(state, json)).toEqual([]);
    expect(existsSync(state)).toBe(false);
  });

  it('runs beside another region, refuses a second on its directory, and cleans up after SIGTERM', async () => {
    const [one, two] = [join(folder(), 'a'), join(folder(), 'b')];
    const first = await start(['--state', one]);
    const second = await start(['--state', two, '--hosts', '3']);
    expect(second.json.hosts).toHaveLength(3);
    expect([...first.json.pings, ...second.json.pings].filter(({ ok, sameVpc }) => ok !== sameVpc)).toEqual([]);
    await expect(start(['--state', one])).rejects.toThrow('already running');
    await Promise.all([stop(first.child), stop(second.child)]);
    expect([...traces(one, first.json), ...traces(two, second.json)]).toEqual([]);
  });

  it('keeps everything and every ping through kill -9 of the controller and of an agent', async () => {
    const state = join(folder(), 'state');
    const { child, json, url } = await start(['--state', state]);
    const [from, to] = json.ports;
    const { port: made } = await api<{ port: { id: string } }>(url, 'POST', '/v2.0/ports', {
      port: { network_id: from!.network, name: 'kept' },
    });
    const vm = vmOf(json, from!.ip);
    const pings = ping(vm, to!.ip);

    const mine = json.hosts[0]!.ovsdb.replace(/h1.*/, '');
    const agentOf = (hostId: string): string[] =>
      processes().flatMap(({ pid, args }) =>
        args.includes(`agent --node ${hostId} `) && args.includes(mine) ? [pid] : [],
      );
    const [agent] = agentOf('host-1');
    process.kill(Number(agent), 'SIGKILL');
    await eventually(
      'another agent',
      () => agentOf('host-1'),
      ([pid]) => pid !== undefined && pid !== agent,
    );

    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    const again = await start(['--state', state]);
    const { sent, received } = await pings.end();
    expect(sent).toBeGreaterThan(100);
    expect(received).toBe(sent);
    expect(again.json.ports.map(({ id }) => id)).toEqual(json.ports.map(({ id }) => id));
    expect(await api(again.url, 'GET', `/v2.0/ports/${made.id}`)).toMatchObject({ port: { name: 'kept' } });
    expect(again.json.pings.filter(({ ok, sameVpc }) => ok !== sameVpc)).toEqual([]);
    await stop(again.child);
    expect(traces(state, json)).toEqual([]);
  });

  it.skipIf(!hasOpenstack)(
    'plugs a VM by the five commands of the README, in any order, and sees it unplugged',
    async () => {
      const state = join(folder(), 'state');
      const { child, json, url } = await start(['--state', state]);
      const readme = readFileSync(join(root, 'README.md'), 'utf8');
      const written = /<!-- plug-your-own-vm[^]*?```sh\n([^]*?)```/.exec(readme)![1]!;
      expect(written.trim().split('\n')).toHaveLength(5);
      const { netns: NETNS, ovsdb: OVSDB } = json.hosts[0]!;
      const commands = written.replaceAll('http://127.0.0.1:9696', url);
      try {
        const output = sh(commands, { NETNS, OVSDB });
        expect(output).toMatch(/3 packets transmitted, [23] received/);
        const { ports } = await api<{ ports: { id: string }[] }>(url, 'GET', '/v2.0/ports?name=my-vm');
        const { id } = ports[0]!;
        await eventually(
          'the plugged port',
          () => portStatus(url, id),
          (status) => status === 'ACTIVE',
        );
        sh(`ovs-vsctl --db=${OVSDB} del-port my-vm`);
        await eventually(
          'the unplugged port',
          () => portStatus(url, id),
          (status) => status === 'DOWN',
        );

        // The other way round: the interface is there first, and names a port that is made later.
        await api(url, 'DELETE', `/v2.0/ports/${id}`);
        sh(`ip netns exec my-vm ping -c 1 -W 1 10.0.0.12 && exit 1 || true`);
        const blue = json.ports[0]!.network;
        const { port: late } = await api<{ port: { id: string } }>(url, 'POST', '/v2.0/ports', {
          port: { network_id: blue, mac_address: 'fa:16:3e:00:00:50', fixed_ips: [{ ip_address: '10.0.0.50' }] },
        });
        sh(`ovs-vsctl --db=${OVSDB} add-port br-int my-vm -- set Interface my-vm external_ids:iface-id=${late.id}`);
        await api(url, 'PUT', `/v2.0/ports/${late.id}`, { port: { 'binding:host_id': 'host-1' } });
        await eventually(
          'the late port',
          () => portStatus(url, late.id),
          (status) => status === 'ACTIVE',
        );
        // ACTIVE is what the port's own host says; the other may be told of it a moment later.
        await eventually(
          'the late port reaches another',
          () => sh('ip netns exec my-vm ping -c 1 -W 1 10.0.0.12 >/dev/null && echo yes || echo no').trim(),
          (answer) => answer === 'yes',
        );
        await api(url, 'DELETE', `/v2.0/ports/${late.id}`);
        const flows = (): string =>
          sh(
            `ovs-ofctl -O OpenFlow15 dump-flows ${OVSDB.replace('db.sock', 'br-int.mgmt')} | grep -c 10.0.0.50 || true`,
          ).trim();
        await eventually('flows of the deleted port', flows, (count) => count === '0');
      } finally {
        sh('ip netns del my-vm || true');
      }
      await stop(child);
      expect(traces(state, json)).toEqual([]);
    },
  );
});
