import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { Agent, type AgentOptions, onDemandInWords, OvsSwitch } from '@alcor/agent';
import { createServiceToken, serviceAccountFrom } from '@alcor/identity';
import { aborted, type Clock, dialBytes, natsQueue, realRuntime } from '@alcor/runtime';
import { defineCommand } from 'citty';
import { logOf, openLog } from './log.ts';
import { dnsUpstream } from './dns-upstream.ts';
import { metadataProxy } from './metadata-proxy.ts';
import { type Client, createClient } from './region/client.ts';
import { addressTowards, register } from './registration.ts';
import { watchUnderlay } from './underlay-mtu.ts';

/** How often the agent says what it has counted, where that has changed, in ms. */
const countsMs = 60_000;
/** How long Open vSwitch may take before that is worth a word, in ms. */
const waitingMs = 3_000;
/** How long the region, or Keystone, may take for an answer. */
const patienceMs = 10_000;

/** `alcor agent`: programs the Open vSwitch of one host. */
export const agentCommand = defineCommand({
  meta: { name: 'agent', description: "Keep one host's Open vSwitch at its goal state" },
  args: {
    node: { type: 'string', default: hostname(), description: 'Id of the host' },
    controller: {
      type: 'string',
      description: "The region's API, e.g. http://region:9696: the host registers itself there",
    },
    'keystone-url': {
      type: 'string',
      description: 'Where the region wants to know who asks: account in ALCOR_KEYSTONE_USER, …_PASSWORD, …_PROJECT',
    },
    'host-ip': {
      type: 'string',
      description: 'Underlay address of the host; if not given, the one towards the controller',
    },
    advertise: {
      type: 'string',
      description: 'Where the region finds the agent; if not given, host-ip and the port of listen',
    },
    listen: {
      type: 'string',
      default: '0.0.0.0:50001',
      description: 'Serve goal states here: host:port or unix:/path',
    },
    bridge: { type: 'string', default: 'br-int', description: 'The integration bridge' },
    'bridge-mapping': {
      type: 'string',
      description: 'Bridges to physical networks: NAME:BRIDGE, as physnet1:br-ex, or several with commas between',
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
      type: 'enum',
      options: ['vxlan', 'geneve'],
      default: 'vxlan',
      description: 'How packets travel between hosts: the same on all of them',
    },
    ovsdb: { type: 'string', default: 'unix:/run/openvswitch/db.sock', description: "Open vSwitch's database" },
    openflow: {
      type: 'string',
      default: 'unix:/run/openvswitch/br-int.mgmt',
      description: "The bridge's management socket",
    },
  },
  async run({ args }) {
    const controller = args.controller === undefined ? undefined : urlOf('controller', args.controller);
    if (controller === undefined && args['host-ip'] === undefined)
      throw new Error('one of --controller and --host-ip is wanted');
    const bridgeMappings = bridgeMappingsOf(args['bridge-mapping'] ?? '');
    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
    // Started by a region that is gone: what is in force stays in force, and the next region starts another agent.
    process.once('disconnect', () => stop.abort());
    const runtime = realRuntime();
    const logger = openLog(`agent ${args.node}`);
    const log = logOf(logger, 'agent');
    const sleep = (ms: number, signal?: AbortSignal): Promise<void> => runtime.clock.sleep(ms, signal);
    const patience = { clock: runtime.clock, log };
    const hostIp = args['host-ip'] ?? (controller && (await addressTowards(controller, patience, stop.signal)));
    if (hostIp === undefined) return;
    const { bridge, ovsdb, openflow, 'tunnel-type': tunnelType } = args;
    const agent = new Agent({
      runtime,
      hostIp,
      switch: new OvsSwitch({ bridge, bridgeMappings, tunnelType, ovsdb, openflow, dial: dialBytes, sleep }),
      openQueue: (url) => natsQueue({ servers: url.split(',') }),
      ...upstreamOf(args['dns-upstream'], runtime.clock),
      ...metadataOf(args['metadata-proxy'], log),
      observe: watchUnderlay({ hostIp, log }),
      log,
    });
    const late = runtime.clock.timer(waitingMs, () =>
      log(
        `waiting for Open vSwitch: its database at ${ovsdb}, and ${bridge} at ${openflow} (ovs-vswitchd's log may say why)`,
      ),
    );
    const address = await agent.start(args.listen, stop.signal).finally(() => late.cancel());
    log(`serving goal states for ${args.node} at ${address}`);
    process.send?.({ ready: true });
    void sayCounts(agent, runtime.clock, log, stop.signal);
    if (controller !== undefined) {
      const agentAddress = args.advertise ?? advertised(address, hostIp);
      const connect = connector(controller, args['keystone-url'], runtime.clock, stop.signal);
      const node = { id: args.node, ip: hostIp, agentAddress, bridgeMappings: Object.fromEntries(bridgeMappings) };
      await register(node, { connect, ...patience }, stop.signal);
    }
    await aborted(stop.signal);
    process.disconnect?.();
  },
});

/** Throws a TypeError for what is no list of NAME:BRIDGE. */
function bridgeMappingsOf(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').filter((each) => each.trim() !== '');
  return new Map(
    pairs.map((pair) => {
      const [, network = '', bridge = ''] = /^\s*([^:]{1,64}):([\w.-]{1,15})\s*$/.exec(pair) ?? [];
      if (network === '') throw new TypeError(`--bridge-mapping wants NAME:BRIDGE, as physnet1:br-ex, not '${pair}'`);
      return [network, bridge];
    }),
  );
}

/** What became of packets to who was not known here, whenever that has changed, and when the agent stops. */
async function sayCounts(agent: Agent, clock: Clock, log: (line: string) => void, signal: AbortSignal): Promise<void> {
  const words = (): string => {
    const { counters, ...sizes } = agent.onDemand.describe();
    return onDemandInWords(sizes, counters);
  };
  for (let said = words(); !signal.aborted;) {
    await clock.sleep(countsMs, signal).catch(() => undefined);
    const line = words();
    if (line !== said) log(line);
    said = line;
  }
}

function upstreamOf(given: string | undefined, clock: Clock): Pick<AgentOptions, 'askUpstream'> {
  if (given === undefined) return {};
  const servers = given.split(',').map((each) => each.trim());
  for (const server of servers)
    if (isIP(server) === 0) throw new TypeError(`--dns-upstream wants IP addresses, not '${server}'`);
  return { askUpstream: dnsUpstream(servers, clock) };
}

function metadataOf(given: string | undefined, log: (line: string) => void): Pick<AgentOptions, 'metadata'> {
  if (given === undefined) return {};
  const upstream = urlOf('metadata-proxy', given);
  if (upstream.protocol !== 'http:') throw new TypeError(`--metadata-proxy is asked over HTTP, not '${given}'`);
  const secret = process.env['ALCOR_METADATA_SECRET'];
  if (!secret)
    throw new Error('--metadata-proxy wants the secret that it shares with the agent in ALCOR_METADATA_SECRET');
  return { metadata: metadataProxy({ upstream, secret, log }) };
}

function urlOf(option: string, text: string): URL {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new TypeError(`--${option} is a URL, like http://region:9696, not '${text}'`);
  }
  return new URL(text);
}

/** Where the host at `hostIp` is found that listens at `address`. */
function advertised(address: string, hostIp: string): string {
  if (address.startsWith('unix:')) return address;
  const port = address.slice(address.lastIndexOf(':') + 1);
  return `${hostIp.includes(':') ? `[${hostIp}]` : hostIp}:${port}`;
}

/** Opens the region's API, with a token where there is a Keystone to give one. */
function connector(
  controller: URL,
  keystoneUrl: string | undefined,
  clock: Clock,
  signal: AbortSignal,
): () => Promise<Client> {
  const url = controller.href.replace(/\/$/, '');
  const open = (token?: string): Client =>
    createClient(url, AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]), token);
  if (keystoneUrl === undefined) return async () => open();
  const account = serviceAccountFrom(process.env);
  const tokens = createServiceToken(urlOf('keystone-url', keystoneUrl).href.replace(/\/$/, ''), account, {
    fetch,
    clock,
    timeoutMs: patienceMs,
  });
  return async () => open(await tokens.get());
}
