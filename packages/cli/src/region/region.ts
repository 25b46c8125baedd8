import { readPolicy } from '@alcor/api';
import { cmsRules } from '@alcor/cms';
import { canEmulate } from '@alcor/lab';
import { defaultQuotas } from '@alcor/network';
import { aborted, natsQueue, realRuntime, type Runtime } from '@alcor/runtime';
import { type ConnectionOptions, openStore, keepEmbeddedPostgres } from '@alcor/store';
import { readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Logger, pino } from 'pino';
import { logOf, openLog } from '../log.ts';
import { progress } from '../output.ts';
import { ApiError, type Client, createClient } from './client.ts';
import { type Controller, type ControllerOptions, startController } from './controller.ts';
import { demoHolds, type DemoResult, runDemo } from './demo.ts';
import type { HostSet, ManagedHost } from './hosts.ts';
import { type RegionIdentity, startIdentity } from './identity.ts';
import { startMemoryHosts } from './memory-hosts.ts';
import type { RegionOptions } from './options.ts';
import { startOvsHosts } from './ovs-hosts.ts';
import { regionJson, regionText } from './report.ts';
import { type StateDirectory, takeStateDirectory } from './state-directory.ts';

/** What has been started, ended in reverse order. */
class Undo {
  readonly #steps: (() => Promise<void> | void)[] = [];

  add(step: () => Promise<void> | void): void {
    this.#steps.push(step);
  }

  /** Every step is tried, whatever became of the ones before it. */
  async run(): Promise<void> {
    for (const step of this.#steps.toReversed()) {
      await Promise.resolve()
        .then(step)
        .catch((error: unknown) => progress(`while cleaning up: ${String(error)}`));
    }
  }
}

/**
 * Runs a whole region in this process and its children until `signal` aborts (or, with `once`, until the demonstration is over)
 * and removes what it made; the data in the state directory stays, unless the directory was made for this one run.
 * Resolves with the exit code.
 */
export async function runRegion(options: RegionOptions, signal: AbortSignal): Promise<number> {
  const undo = new Undo();
  try {
    const directory = takeStateDirectory(options.state);
    undo.add(() => {
      directory.release();
      rmSync(directory.runDir, { recursive: true, force: true });
      if (options.once && directory.fresh) rmSync(directory.path, { recursive: true, force: true });
    });
    return await serve(options, directory, undo, signal);
  } finally {
    if (signal.aborted) progress('stopping');
    await undo.run();
    if (!options.once) progress(`stopped; the data is in ${options.state}`);
  }
}

async function serve(
  options: RegionOptions,
  directory: StateDirectory,
  undo: Undo,
  signal: AbortSignal,
): Promise<number> {
  const runtime = realRuntime();
  const logFile = join(directory.path, 'alcor.log');
  const logger = openLog('alcor', pino.destination({ dest: logFile, sync: true }));
  const policy = options.policy === undefined ? undefined : readPolicy(readFileSync(options.policy, 'utf8'), cmsRules);
  const connection = await findDatabase(options, directory, runtime, undo);
  const store = await openStore({
    connection,
    ...runtime,
    limits: { mtus: options.mtus },
    ...(options.identity === 'none' ? {} : { quotas: defaultQuotas }),
  });
  undo.add(() => store.close());
  const identity = await startIdentity(options, { connection, runtime, logger });
  undo.add(() => identity.close());
  const { listen, port } = options;
  const queue = openQueue(options, undo);
  const controller = await startController({
    name: `${hostname()}/${directory.prefix}`,
    store,
    runtime,
    listen,
    port,
    cmsListen: options.cmsListen,
    requestListen: options.requestListen,
    identity: identity.identity,
    policy,
    logger,
    queue,
    thresholds: options.thresholds,
    predictedPerPort: options.predictedPerPort,
  });
  undo.add(() => controller.close());
  signal.throwIfAborted();
  const hosts = await startHosts(options, directory, { runtime, logFile, logger, signal });
  undo.add(() => hosts.close());
  const client = createClient(controller.url, signal, identity.ownToken);
  for (const [n, host] of hosts.hosts.entries()) await register(client, host, n < options.gateways);
  const showsDemo = options.demo && hosts.hosts.length > 0;
  if (showsDemo) progress('making two VPCs with the same CIDR, with a VM on each of two hosts, and pinging all pairs');
  const result: DemoResult = showsDemo ? await runDemo(client, hosts, runtime.clock) : { ports: [], pings: [] };
  signal.throwIfAborted();
  print(options, { ...controller, identity }, hosts, result);
  if (!options.once) await aborted(signal);
  return !options.once || demoHolds(result) ? 0 : 1;
}

function openQueue({ queue: wanted }: RegionOptions, undo: Undo): ControllerOptions['queue'] {
  if (wanted === undefined) return undefined;
  const url = wanted.servers.join(',');
  progress(`large VPCs go by the message queue at ${url}`);
  const queue = natsQueue(wanted);
  undo.add(() => queue.close());
  return { queue, url };
}

async function findDatabase(
  { databaseUrl }: RegionOptions,
  { path }: StateDirectory,
  { clock, random }: Runtime,
  undo: Undo,
): Promise<ConnectionOptions> {
  if (databaseUrl !== undefined) {
    progress('using the PostgreSQL of DATABASE_URL');
    return databaseUrl;
  }
  progress(`starting PostgreSQL on ${join(path, 'postgres')}`);
  const server = await keepEmbeddedPostgres({ stateDir: join(path, 'postgres'), clock, random, log: progress });
  undo.add(() => server.stop());
  return server.connection;
}

async function startHosts(
  { hosts: count, metadataProxy, dnsUpstream, tunnelType, mtus }: RegionOptions,
  { prefix, runDir }: StateDirectory,
  { runtime, logFile, logger, signal }: { runtime: Runtime; logFile: string; logger: Logger; signal: AbortSignal },
): Promise<HostSet> {
  const log = logOf(logger, 'hosts');
  const means = await canEmulate();
  if (means.ok) {
    progress(`starting ${count} emulated hosts, each with an Open vSwitch in its own network namespace (${prefix}-h…)`);
    return startOvsHosts({
      count,
      prefix,
      runDir,
      logFile,
      underlayMtu: mtus.underlay,
      agentOptions: { metadataProxy, dnsUpstream, tunnelType },
      runtime,
      log,
      signal,
    });
  }
  progress(`using switches in memory instead of Open vSwitch: ${means.reason}`);
  return startMemoryHosts({ count, runDir, runtime, log });
}

/** Registers the host, or brings what is registered into line. */
async function register(
  client: Client,
  { id, name, ip, agentAddress, bridgeMappings }: ManagedHost,
  isGateway: boolean,
): Promise<void> {
  const gateway = isGateway ? { gateway: true } : {};
  const wanted = { name, ip, agent_address: agentAddress, bridge_mappings: bridgeMappings, ...gateway };
  try {
    const { node } = await client.get<{ node: typeof wanted & { gateway?: boolean } }>(`/alcor/v1/nodes/${id}`);
    const { name: _, ...compared } = wanted;
    if (Object.entries(compared).every(([key, value]) => isDeepStrictEqual(node[key as keyof typeof node], value)))
      return;
    await client.put(`/alcor/v1/nodes/${id}`, { node: wanted });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    await client.post('/alcor/v1/nodes', { node: { id, ...wanted } });
  }
}

function print(
  options: RegionOptions,
  {
    url,
    cmsAddress,
    identity,
  }: Pick<Controller, 'url' | 'cmsAddress'> & {
    readonly identity: RegionIdentity;
  },
  hosts: HostSet,
  result: DemoResult,
): void {
  console.log(regionText(hosts, result));
  if (!options.once) {
    console.log(`\nThe API serves at ${url} until you press Ctrl-C. Try:`);
    if (identity.url === undefined) console.log(`  openstack --os-auth-type none --os-endpoint ${url} network list`);
    else
      console.log(`  openstack --os-auth-url ${identity.url} --os-username admin --os-project-name admin network list`);
    console.log(`The cloud messaging service answers gRPC at ${cmsAddress}`);
    if (identity.generatedPassword !== undefined) {
      console.log(`The administrator's password, shown this once: ${identity.generatedPassword}`);
    }
  }
  if (options.json) console.log(regionJson(hosts, result));
}
