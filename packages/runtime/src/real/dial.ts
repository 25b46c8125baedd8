import { connect, type Socket } from 'node:net';

/** A byte stream to `unix:/path`, `tcp:host:port` or `host:port`; rejects when nobody listens or `signal` aborts. */
export function dialBytes(address: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect(target(address));
    const abort = (): void => void socket.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', abort));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** What Node connects to, and listens on. */
export function target(address: string): { path: string } | { host: string; port: number } {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const match = /^(?:tcp:)?\[?([^[\]]+?)\]?:(\d+)$/.exec(address);
  if (match === null) throw new TypeError(`'${address}' is no address: want unix:/path or host:port`);
  return { host: match[1]!, port: Number(match[2]) };
}
