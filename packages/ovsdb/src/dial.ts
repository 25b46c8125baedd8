import type { Duplex } from 'node:stream';
import { abortable } from './abortable.ts';
import type { ConnectOptions } from './api.ts';
import { OvsdbError } from './error.ts';

/** Dials, but no longer than `ms`; a stream that comes too late is destroyed, so none is ever left open. */
export async function dialWithin(
  { dial, sleep }: Pick<ConnectOptions, 'dial' | 'sleep'>,
  ms: number,
  signal: AbortSignal,
): Promise<Duplex> {
  const attempt = new AbortController();
  const patience = new AbortController();
  const abandon = (): void => attempt.abort(signal.reason);
  signal.addEventListener('abort', abandon, { once: true });
  sleep(ms, patience.signal).then(
    () => attempt.abort(new OvsdbError('disconnected', `no connection within ${ms} ms`)),
    () => {},
  );
  const dialled = dial(attempt.signal);
  try {
    return await abortable(dialled, attempt.signal);
  } catch (error) {
    dialled.then(
      (late) => late.destroy(),
      () => {},
    );
    throw error;
  } finally {
    patience.abort();
    signal.removeEventListener('abort', abandon);
  }
}
