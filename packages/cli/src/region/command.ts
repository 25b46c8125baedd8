import { defineCommand } from 'citty';
import { predictedPerPort } from '@alcor/config-manager';
import pc from 'picocolors';
import { progress } from '../output.ts';
import { regionOptions } from './options.ts';
import { runRegion } from './region.ts';

/** `alcor region`, which `npm start` runs. */
export const regionCommand = defineCommand({
  meta: { name: 'region', description: 'Run a whole region on this machine, with emulated hosts' },
  args: {
    hosts: { type: 'string', default: '2', description: 'Number of emulated hosts' },
    gateways: {
      type: 'string',
      default: '0',
      description: 'How many of them are gateways, which forward first packets of on-demand VPCs',
    },
    port: { type: 'string', default: '9696', description: 'Port of the API' },
    listen: {
      type: 'string',
      default: '127.0.0.1',
      description: 'Address that the API listens on; any but loopback needs --identity',
    },
    identity: { type: 'string', default: 'none', description: 'Who the callers are: builtin, keystone or none' },
    'identity-port': { type: 'string', default: '5000', description: 'Port of the built-in identity service' },
    'keystone-url': { type: 'string', description: 'Where Keystone is, for --identity keystone' },
    'cms-listen': {
      type: 'string',
      description: 'Address of the cloud messaging service over gRPC (default: 127.0.0.1 and the port after --port)',
    },
    'request-listen': {
      type: 'string',
      default: '127.0.0.1:0',
      description: 'Loopback address where hosts ask for neighbours of on-demand VPCs over gRPC (port 0: any free one)',
    },
    'metadata-proxy': {
      type: 'string',
      description: 'Who has the metadata of guests, e.g. http://nova:8775; ALCOR_METADATA_SECRET signs who asks',
    },
    'dns-upstream': {
      type: 'string',
      description: "Who is asked for names that are no port's: an IP address, or several with commas between",
    },
    'tunnel-type': {
      type: 'string',
      default: 'vxlan',
      description: 'How packets travel between the emulated hosts: vxlan or geneve',
    },
    'underlay-mtu': {
      type: 'string',
      default: '1500',
      description:
        'Bytes of the largest packet between hosts: tunnels take 50 of them, networks have the rest as their MTU',
    },
    'physical-mtu': {
      type: 'string',
      description:
        'The same of physical networks, where it is another: NAME:BYTES, as physnet1:9000, or several with commas between',
    },
    policy: { type: 'string', description: 'JSON file of policy rules that differ from the defaults' },
    queue: {
      type: 'string',
      description: 'NATS servers with JetStream for large VPCs: nats://host:port,… (default: all VPCs by gRPC)',
    },
    'queue-replicas': {
      type: 'string',
      description: 'Servers that keep each topic (default: 3 of three or more, else 1)',
    },
    'mq-ports': { type: 'string', default: '1000', description: 'Ports from which on a VPC goes by the queue' },
    'mq-group': {
      type: 'string',
      default: '1000',
      description: 'Ports in a security group from which on its VPCs go by the queue',
    },
    'on-demand-ports': {
      type: 'string',
      default: '10000',
      description: 'Ports from which on hosts of a VPC learn only the neighbours that they ask for',
    },
    'on-demand-group': {
      type: 'string',
      default: '10000',
      description: 'Ports in a security group from which on hosts of its VPCs do so',
    },
    predict: {
      type: 'string',
      default: String(predictedPerPort),
      description: 'Neighbours that a port of such a VPC is told before it asks, at most; 0: none',
    },
    state: { type: 'string', default: '.alcor', description: "Directory of the region's data" },
    demo: {
      type: 'boolean',
      default: true,
      description: 'Make two VPCs and ping through them (--no-demo: an empty region)',
    },
    once: {
      type: 'boolean',
      default: false,
      description: 'Exit when the demonstration is over; 0 if it went as it should',
    },
    json: { type: 'boolean', default: false, description: 'Print the result as one JSON object on the last line' },
  },
  async run({ args }) {
    const stop = new AbortController();
    // Whoever forwards signals (npm, timeout) may send one twice; the second must not cut the cleaning up short.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
    try {
      process.exitCode = await runRegion(regionOptions(args), stop.signal);
    } catch (error) {
      if (!stop.signal.aborted) progress(pc.red(explain(error)));
      process.exitCode = 1;
    }
  },
});

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') return `${error.message}: another program has the port; choose one with --port`;
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
