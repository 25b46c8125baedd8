import type { ConnectOptions, OvsdbClient } from './api.ts';

/**
 * Connects to an OVSDB server. Resolves with the first connection; keeps trying, with growing pauses, until it comes or
 * the signal aborts.
 */
export async function connect(options: ConnectOptions): Promise<OvsdbClient> {
  await options.dial(new AbortController().signal);
  throw new Error('being written');
}
