/** What `ovs-appctl` asks a daemon, by one connection for all questions: JSON-RPC 1.0 without framing on its control socket. */
import type { Duplex } from 'node:stream';

interface Answer {
  readonly id: number;
  readonly result: string | null;
  readonly error: string | null;
}

interface Waiting {
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
}

export class Unixctl {
  readonly #socket: Duplex;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #said: Buffer[] = [];
  #depth = 0;
  #isText = false;
  #isEscaped = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('data', (data: Buffer) => this.#take(data));
    socket.on('close', () => this.#fail(new Error('the control socket was closed')));
    socket.on('error', (error: Error) => this.#fail(error));
  }

  /** The daemon's answer; rejects with its words where it refuses. */
  call(method: string, params: readonly string[]): Promise<string> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.write(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  /** An answer ends where its braces do, those within its texts aside. */
  #take(data: Buffer): void {
    let from = 0;
    for (let at = 0; at < data.length; at++) {
      const byte = data[at];
      if (this.#isText) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === 0x5c) this.#isEscaped = true;
        else if (byte === 0x22) this.#isText = false;
      } else if (byte === 0x22) this.#isText = true;
      else if (byte === 0x7b) this.#depth++;
      else if (byte === 0x7d && --this.#depth === 0) {
        this.#said.push(data.subarray(from, at + 1));
        from = at + 1;
        this.#answer(JSON.parse(Buffer.concat(this.#said).toString()) as Answer);
        this.#said = [];
      }
    }
    if (from < data.length) this.#said.push(data.subarray(from));
  }

  #answer({ id, result, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === null) waiting?.resolve(result ?? '');
    else waiting?.reject(new Error(error));
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
