/** The agent alone: what hypervisors get as one file (`npm run package:agent`). */
import { defineCommand, runMain } from 'citty';
import { agentCommand } from './agent.ts';
import { countersCommand } from './counters.ts';

const command = defineCommand({
  ...agentCommand,
  meta: { name: 'alcor-agent', version: '0.1.0', description: "Keep this host's Open vSwitch at its goal state" },
});

const [first, ...rest] = process.argv.slice(2);
if (first === 'counters') await runMain(countersCommand, { rawArgs: rest });
else await runMain(command);
