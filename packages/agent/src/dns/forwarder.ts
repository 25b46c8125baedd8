/** Names that are nobody's here, asked of others for guests: so many at once, and each for so long. */
import { type LocalPort, decodeFrame, type PacketIn, type PacketOut } from '../dataplane/index.ts';
import { decodeQuery, encodeAnswer, encodeQuery, type Query, RCODE, TRUNCATED } from './message.ts';
import { replyTo } from './server.ts';

/** What is under way for all guests, and for one port: whoever asks more is told at once that it failed. */
const MOST_AT_ONCE = 1_000;
const MOST_OF_A_PORT = 50;

/**
 * Asks others: the answer to `query`, which has their number and its question. Rejects when nobody has answered in time. It may be any bytes
 * after its header.
 */
export type AskUpstream = (query: Uint8Array) => Promise<Uint8Array>;

export interface ForwarderOptions {
  readonly ask: AskUpstream;
  readonly portAt: (ofport: number) => LocalPort | undefined;
  readonly send: (packets: readonly PacketOut[]) => void;
}

export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #ofPorts = new Map<string, number>();
  #all = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** A query of a guest that has been looked at, and is for others; the answer goes to whoever sent it, if the port is there still. */
  forward(packet: PacketIn): void {
    const { ask, portAt, send } = this.#options;
    const key = packet.context.registers.reg0 ?? 0;
    const port = portAt(key);
    if (port === undefined) return;
    const { payload } = decodeFrame(packet.frame);
    const query = decodeQuery(payload);
    if (query === null || query === 'malformed') return;
    const reply = (answer: Uint8Array): void => {
      if (portAt(key)?.id === port.id) send([replyTo(packet, answer)]);
    };
    const failed = (): void => reply(encodeAnswer(payload, query, RCODE.failed, [], true));
    if (!this.#enter(port.id)) return failed();
    ask(encodeQuery(payload, query))
      .then(
        (answer) => reply(passedOn(payload, query, answer)),
        // Whoever asks is told; that the upstream is away is nothing that concerns the agent.
        failed,
      )
      .finally(() => this.#leave(port.id));
  }

  #enter(portId: string): boolean {
    const count = this.#ofPorts.get(portId) ?? 0;
    if (this.#all === MOST_AT_ONCE || count === MOST_OF_A_PORT) return false;
    this.#ofPorts.set(portId, count + 1);
    this.#all++;
    return true;
  }

  #leave(portId: string): void {
    const count = this.#ofPorts.get(portId)! - 1;
    if (count === 0) this.#ofPorts.delete(portId);
    else this.#ofPorts.set(portId, count);
    this.#all--;
  }
}

/** With the guest's number; of what is longer than it takes, the header and the question, and that there is more (RFC 2181 section 9). */
function passedOn(asked: Uint8Array, query: Query, answer: Uint8Array): Uint8Array {
  const { atMost } = query;
  const told = answer.length <= atMost ? answer.slice() : encodeAnswer(asked, query, RCODE.ok, [], true);
  told.set(asked.subarray(0, 2), 0);
  if (answer.length > atMost) told[2]! |= TRUNCATED;
  return told;
}
