import { canEmulate } from '@alcor/lab';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { api, cleanUp, folder, main, sh, start, stop, vmOf } from './testing/region-process.ts';

const emulation = await canEmulate();
if (!emulation.ok) console.log(`skipped: counters on real Open vSwitch: ${emulation.reason}`);
afterAll(cleanUp);

interface Count {
  readonly packets: number;
  readonly bytes: number;
}

interface Counters {
  readonly port_counters: {
    readonly node_id: string;
    readonly sent: Count;
    readonly received: Count;
    readonly dropped: Readonly<Record<string, Count>>;
    readonly rules: readonly (Count & { readonly rule: string; readonly security_group_rule_id: string })[];
  };
}

/** Packets that the rules for what comes in by IPv4 have counted. */
function incoming({ rules }: Counters['port_counters']): number {
  return rules.filter(({ rule }) => rule.startsWith('ingress IPv4')).reduce((sum, { packets }) => sum + packets, 0);
}

describe.skipIf(!emulation.ok)('counters', () => {
  it('of a port are told by the API and on its host: what it sent and got, by which rules', async () => {
    const { child, json, url } = await start(['--state', join(folder(), 'state')]);
    const [from, to] = json.ports;
    const { ovsdb } = json.hosts.find(({ id }) => id === to!.host)!;
    const control = ovsdb.replace('unix:', '').replace('db.sock', 'ovs-vswitchd.ctl');
    const counters = async (): Promise<Counters['port_counters']> => {
      // Flows count what has passed now, and not when a second is over: the demonstration's own pings as well.
      sh(`ovs-appctl -t ${control} revalidator/wait`);
      return (await api<Counters>(url, 'GET', `/alcor/v1/ports/${to!.id}/counters`)).port_counters;
    };
    const before = await counters();
    expect(before.node_id).toBe(to!.host);
    sh(`ip netns exec ${vmOf(json, from!.ip)} ping -c 20 -i 0.05 -W 10 ${to!.ip}`);
    // The answers leave by the same rule.
    const after = await counters();
    expect(incoming(after)).toBe(incoming(before) + 40);
    expect(after.received.packets).toBeGreaterThanOrEqual(before.received.packets + 20);
    expect(after.sent.bytes).toBeGreaterThanOrEqual(before.sent.bytes + 20 * 98);
    expect(after.dropped['sent_over_limit']).toEqual({ packets: 0, bytes: 0 });

    const { node } = await api<{ node: { agent_address: string } }>(url, 'GET', `/alcor/v1/nodes/${to!.host}`);
    const said = execFileSync(process.execPath, [main, 'counters', to!.id, '--agent', node.agent_address], {
      encoding: 'utf8',
    });
    expect(said).toMatch(/received +\d+ +\d+\n/);
    expect(said).toMatch(/ingress IPv4 any from security group \S+ +[1-9]\d* +\d+ +[0-9a-f-]{36}\n/);
    await stop(child);
  });
});
