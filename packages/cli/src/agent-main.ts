/** The agent alone: what hypervisors get as one file (`npm run package:agent`). */
import { defineCommand, runMain } from 'citty';
import { agentCommand } from './agent.ts';

const command = defineCommand({
  ...agentCommand,
  meta: { name: 'alcor-agent', version: '0.1.0', description: "Keep this host's Open vSwitch at its goal state" },
});

await runMain(command);
