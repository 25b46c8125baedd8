import { getPortCounters } from '@alcor/contract';
import type { PacketCount, PortCounters } from '@alcor/api';
import { realRuntime } from '@alcor/runtime';
import { defineCommand } from 'citty';
import { table } from './output.ts';
import { countersIn } from './region/host-questions.ts';

const patienceMs = 10_000;

/** `alcor counters PORT`: on a host, what has been counted for one of its ports. */
export const countersCommand = defineCommand({
  meta: { name: 'counters', description: 'Say what this host has counted for a port, and by which rules' },
  args: {
    port: { type: 'positional', required: true, description: "Id of the port: its interface's external_ids:iface-id" },
    agent: {
      type: 'string',
      default: '127.0.0.1:50001',
      description: 'Where the agent listens: host:port or unix:/path',
    },
    json: { type: 'boolean', default: false, description: 'As one JSON object' },
  },
  async run({ args }) {
    const { transport } = realRuntime();
    const request = { portId: args.port };
    const reply = await transport.call(getPortCounters, args.agent, request, AbortSignal.timeout(patienceMs));
    const counters = countersIn(reply);
    if (typeof counters === 'string') throw new Error(counters);
    console.log(args.json ? JSON.stringify(counters) : countersText(counters));
  },
});

/** Two tables: of the port, and of the rules that judge it. */
export function countersText({ sent, received, dropped, rules, rulesLeftOut }: PortCounters): string {
  const port = table(
    ['port', 'packets', 'bytes'],
    [
      row('sent', sent),
      row('received', received),
      row('dropped: from an address not its own', dropped.spoofed),
      row('dropped: sent, allowed by no rule', dropped.sentNotAllowed),
      row('dropped: received, allowed by no rule', dropped.receivedNotAllowed),
      row('dropped: sent beyond its limit', dropped.sentOverLimit),
      row('dropped: received beyond its limit', dropped.receivedOverLimit),
    ],
  );
  const byRule = table(
    ['rule (all ports of the host)', 'packets', 'bytes', 'id'],
    rules.map(({ text, packets, bytes, ruleId }) => [text, String(packets), String(bytes), ruleId || '-']),
  );
  const rest = rulesLeftOut === 0 ? [] : [`${rulesLeftOut} rules more`];
  return [port, ...(rules.length === 0 ? [] : ['', byRule]), ...rest].join('\n');
}

function row(name: string, { packets, bytes }: PacketCount): string[] {
  return [name, String(packets), String(bytes)];
}
