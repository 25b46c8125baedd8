/** One host's agent as a process of its own: HOST-IP OVSDB OPENFLOW LISTEN. Says `ready`, and what its engine counts when asked. */
import { Agent, OvsSwitch } from '@alcor/agent';
import { dialBytes, realRuntime } from '@alcor/runtime';

const [hostIp = '', ovsdb = '', openflow = '', listen = ''] = process.argv.slice(2);
const runtime = realRuntime();
const log = (message: string, error?: unknown): void => {
  if (error !== undefined) console.error(hostIp, message, error);
};
const sleep = (ms: number, signal?: AbortSignal): Promise<void> => runtime.clock.sleep(ms, signal);
const agent = new Agent({
  runtime,
  hostIp,
  switch: new OvsSwitch({ ovsdb, openflow, dial: dialBytes, sleep }),
  log,
});
await agent.start(listen, new AbortController().signal);
process.on('message', () => {
  const { ports, flows } = agent.dataplane.describe();
  const ready = flows.pending === 0 && ports.every(({ status }) => status === 'ok');
  process.send?.({ ...agent.onDemand.describe(), ports: ready ? ports.length : 0 });
});
process.once('disconnect', () => process.exit());
process.send?.('ready');
