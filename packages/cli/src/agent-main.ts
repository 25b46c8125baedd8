/** The agent alone: what hypervisors get as one file (`npm run package:agent`). */
import { defineCommand, runMain } from 'citty';
import { agentCommand } from './agent.ts';

const command = defineCommand({
  ...agentCommand,
  meta: { ...agentCommand.meta, name: 'alcor-agent', version: '0.1.0' },
});

await runMain(command);
