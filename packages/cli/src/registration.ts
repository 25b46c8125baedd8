import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@alcor/runtime';
import { ApiError, type Client } from './region/client.ts';

/** What a host says of itself; what else is known of a node is the operator's. */
export interface Registration {
  readonly id: string;
  /** Underlay address, where tunnels end. */
  readonly ip: string;
  /** Where the config manager finds the agent. */
  readonly agentAddress: string;
  /** Its bridges to physical networks, by the networks' names. */
  readonly bridgeMappings: Readonly<Record<string, string>>;
}

const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
/** Of a host that looks for its way: that asks nobody else. */
const longestLookMs = 5_000;

interface Patience {
  readonly clock: Clock;
  readonly log: (message: string, error?: unknown) => void;
}

/**
 * Makes the node, or brings what is known of it into line. Tries until the region has agreed or `signal` aborts. From then on the region comes to
 * the agent, and its conversation with it is the heartbeat.
 */
export async function register(
  node: Registration,
  { connect, ...patience }: Patience & { readonly connect: () => Promise<Client> },
  signal: AbortSignal,
): Promise<void> {
  const attempt = async (): Promise<string> => bringIntoLine(await connect(), node);
  const done = await untilDone(`cannot register as node ${node.id}`, attempt, { ...patience, longestPauseMs }, signal);
  if (done !== undefined)
    patience.log(`the region ${done} node ${node.id} at ${node.ip}, with its agent at ${node.agentAddress}`);
}

/** Hosts, networks and regions start in any order. Undefined: `signal` has aborted. */
async function untilDone<T>(
  failure: string,
  attempt: () => Promise<T>,
  { clock, log, longestPauseMs: longestMs }: Patience & { readonly longestPauseMs: number },
  signal: AbortSignal,
): Promise<T | undefined> {
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestMs)) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) return undefined;
      log(`${failure}; trying again in ${pauseMs / 1_000} s`, error);
    }
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
  return undefined;
}

async function bringIntoLine(client: Client, node: Registration): Promise<'has made' | 'has changed' | 'knows'> {
  const path = `/alcor/v1/nodes/${encodeURIComponent(node.id)}`;
  const wanted = { ip: node.ip, agent_address: node.agentAddress, bridge_mappings: node.bridgeMappings };
  const known = await client.get<{ node: typeof wanted }>(path).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  });
  if (known === undefined) {
    await client.post('/alcor/v1/nodes', { node: { id: node.id, name: node.id, ...wanted } });
    return 'has made';
  }
  const { ip, agent_address, bridge_mappings } = known.node;
  if (isDeepStrictEqual({ ip, agent_address, bridge_mappings }, wanted)) return 'knows';
  await client.put(path, { node: wanted });
  return 'has changed';
}

/** The address that this machine uses towards the host of `url`, once there is a way there; undefined: `signal` has aborted. Nothing is sent for it. */
export function addressTowards(url: URL, patience: Patience, signal: AbortSignal): Promise<string | undefined> {
  const attempt = async (): Promise<string> => {
    const socket = createSocket(url.hostname.startsWith('[') ? 'udp6' : 'udp4');
    try {
      socket.connect(Number(url.port || 80), url.hostname.replace(/^\[|\]$/g, ''));
      await once(socket, 'connect');
      return socket.address().address;
    } finally {
      socket.close();
    }
  };
  return untilDone(
    `there is no way to ${url.host} yet`,
    attempt,
    { ...patience, longestPauseMs: longestLookMs },
    signal,
  );
}
