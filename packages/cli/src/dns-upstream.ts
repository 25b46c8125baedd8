/** Names asked of other servers over UDP (RFC 1035): each question by a socket and a number of its own, so that nobody else can answer (RFC 5452). */
import type { AgentOptions } from '@alcor/agent';
import type { Clock } from '@alcor/runtime';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** For how long each server is waited for. */
const PATIENCE_MS = 2_000;
/** Number, flags and counts. */
const HEADER = 12;

/** Asks the servers one after another; rejects when none has answered. `port` is 53 but in tests. */
export function dnsUpstream(
  servers: readonly string[],
  clock: Clock,
  port = 53,
): NonNullable<AgentOptions['askUpstream']> {
  return async (query) => {
    let last: unknown = new Error('no server to ask');
    for (const server of servers) {
      try {
        return await askOne(server, port, query, clock);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  };
}

function askOne(server: string, port: number, query: Uint8Array, clock: Clock): Promise<Uint8Array> {
  const asked = Uint8Array.from(query);
  new DataView(asked.buffer).setUint16(0, randomInt(0x10000));
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
  const answer = new Promise<Uint8Array>((resolve, reject) => {
    const late = clock.timer(PATIENCE_MS, () => reject(new Error(`${server} does not answer`)));
    socket.once('close', () => late.cancel());
    socket.on('error', reject);
    // What answers something else is not waited for any less.
    socket.on('message', (message) => answers(asked, message) && resolve(message));
    // A connected socket hears its peer alone.
    socket.connect(port, server, () => socket.send(asked, (error) => error && reject(error)));
  });
  return answer.finally(() => socket.close());
}

/** It is a response, has the number, and repeats the one question, in whichever case. */
function answers(asked: Uint8Array, message: Buffer): boolean {
  const end = questionEnd(asked);
  if (message.length < end || (message[2]! & 0x80) === 0) return false;
  if (message.readUInt16BE(0) !== ((asked[0]! << 8) | asked[1]!) || message.readUInt16BE(4) !== 1) return false;
  const text = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(HEADER, end)).toString('latin1').toLowerCase();
  return text(message) === text(asked);
}

/** Behind the labels, the type and the class of what this process has encoded itself. */
function questionEnd(query: Uint8Array): number {
  let at = HEADER;
  while (query[at]! > 0) at += 1 + query[at]!;
  return at + 5;
}
