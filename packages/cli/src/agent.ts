import { Agent, OvsSwitch } from '@alcor/agent';
import { aborted, dialBytes, natsQueue, realRuntime } from '@alcor/runtime';
import { defineCommand } from 'citty';
import { logOf, openLog } from './log.ts';

/** `alcor agent`: programs the Open vSwitch of one host. */
export const agentCommand = defineCommand({
  meta: { name: 'agent', description: "Keep one host's Open vSwitch at its goal state" },
  args: {
    node: { type: 'string', required: true, description: 'Id of the host, as registered' },
    'host-ip': { type: 'string', required: true, description: 'Underlay address of the host' },
    listen: {
      type: 'string',
      default: '0.0.0.0:50001',
      description: 'Serve goal states here: host:port or unix:/path',
    },
    bridge: { type: 'string', default: 'br-int', description: 'The integration bridge' },
    ovsdb: { type: 'string', default: 'unix:/run/openvswitch/db.sock', description: "Open vSwitch's database" },
    openflow: {
      type: 'string',
      default: 'unix:/run/openvswitch/br-int.mgmt',
      description: "The bridge's management socket",
    },
  },
  async run({ args }) {
    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
    // Started by a region that is gone: what is in force stays in force, and the next region starts another agent.
    process.once('disconnect', () => stop.abort());
    const runtime = realRuntime();
    const logger = openLog(`agent ${args.node}`);
    const log = logOf(logger, 'agent');
    const sleep = (ms: number, signal?: AbortSignal): Promise<void> => runtime.clock.sleep(ms, signal);
    const { bridge, ovsdb, openflow } = args;
    const agent = new Agent({
      runtime,
      hostIp: args['host-ip'],
      switch: new OvsSwitch({ bridge, ovsdb, openflow, dial: dialBytes, sleep }),
      openQueue: (url) => natsQueue({ servers: url.split(',') }),
      log,
    });
    const address = await agent.start(args.listen, stop.signal);
    log(`serving goal states for ${args.node} at ${address}`);
    process.send?.({ ready: true });
    await aborted(stop.signal);
    process.disconnect?.();
  },
});
