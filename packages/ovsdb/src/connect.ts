import type { ConnectOptions, Limits, OvsdbClient } from './api.ts';
import { ReconnectingClient } from './client.ts';

const DEFAULTS: Limits = {
  messageBytes: 256 * 1024 * 1024,
  pendingCalls: 4096,
  unsentBytes: 64 * 1024 * 1024,
  silenceMs: 5000,
  minBackoffMs: 50,
  maxBackoffMs: 2000,
};

/**
 * Connects to an OVSDB server. Resolves with the first connection; keeps trying, with growing pauses, until it comes or
 * the signal aborts.
 *
 *     const client = await connect({ dial: async () => createConnection('/run/openvswitch/db.sock'), sleep, signal });
 */
export async function connect(options: ConnectOptions): Promise<OvsdbClient> {
  options.signal?.throwIfAborted();
  const client = new ReconnectingClient(options, { ...DEFAULTS, ...options.limits });
  await client.ready();
  return client;
}
