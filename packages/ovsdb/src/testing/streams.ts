import { createConnection } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/** The real sleep, for tests against the real server. */
export const sleep = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal });

/** Two ends of one in-memory wire. */
export function wire(): readonly [Duplex, Duplex] {
  const [there, back] = [new PassThrough(), new PassThrough()];
  const near = Duplex.from({ readable: back, writable: there });
  const far = Duplex.from({ readable: there, writable: back });
  return [near, far];
}

/** Dials a unix socket path or a TCP port of this machine. */
export function dialTo(target: string | number): (signal: AbortSignal) => Promise<Duplex> {
  return (signal) =>
    new Promise((resolve, reject) => {
      const socket = typeof target === 'string' ? createConnection(target) : createConnection(target, '127.0.0.1');
      const abandon = (): void => void socket.destroy();
      signal.addEventListener('abort', abandon, { once: true });
      socket.once('error', reject);
      socket.once('close', () => signal.removeEventListener('abort', abandon));
      socket.once('connect', () => resolve(socket));
    });
}
