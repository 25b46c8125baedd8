#!/usr/bin/env node
import { defineCommand, runMain } from 'citty';
import { agentCommand } from './agent.ts';
import { countersCommand } from './counters.ts';
import { regionCommand } from './region/command.ts';
import { simulateCommand } from './simulate.ts';

const main = defineCommand({
  meta: { name: 'alcor', version: '0.1.0', description: 'A cloud network control plane' },
  subCommands: { region: regionCommand, agent: agentCommand, counters: countersCommand, simulate: simulateCommand },
});

await runMain(main);
