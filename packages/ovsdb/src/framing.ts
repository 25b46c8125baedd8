import { OvsdbError } from './error.ts';

const [QUOTE, BACKSLASH, OPEN, CLOSE] = [0x22, 0x5c, 0x7b, 0x7d];
const WHITESPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Cuts a byte stream into JSON objects. OVSDB has neither length prefix nor separator, so a message ends with the brace that
 * closes it; braces within strings don't count. Bytes of multi-byte UTF-8 are all above ASCII, so the scan can go by bytes.
 *
 * Feed it any chunking. After it has thrown it stays broken: what follows cannot be told apart any more.
 */
export class Framer {
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #parts: Uint8Array[] = [];
  #size = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #broken: OvsdbError | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Hands each message that this chunk completes to `take`, as parsed JSON. Throws only `framing` (and what `take` throws). */
  push(chunk: Uint8Array, take: (message: unknown) => void): void {
    if (this.#broken !== undefined) throw this.#broken;
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (this.#scan(chunk[at] ?? 0)) {
        take(this.#complete(chunk.subarray(start, at + 1)));
        start = at + 1;
      } else if (this.#depth === 0) {
        start = at + 1;
      }
    }
    if (start < chunk.length) this.#keep(chunk.slice(start));
  }

  /** Moves on by one byte; true where it closes a message. */
  #scan(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return false;
    }
    if (byte === OPEN) this.#depth += 1;
    else if (this.#depth === 0) {
      if (!WHITESPACE.has(byte)) throw this.#break(`byte 0x${byte.toString(16)} between messages`);
    } else if (byte === QUOTE) this.#inString = true;
    else if (byte === CLOSE) {
      this.#depth -= 1;
      return this.#depth === 0;
    }
    return false;
  }

  #complete(last: Uint8Array): unknown {
    this.#keep(last);
    const bytes = this.#parts.length === 1 ? last : Buffer.concat(this.#parts, this.#size);
    this.#parts = [];
    this.#size = 0;
    try {
      return JSON.parse(this.#decoder.decode(bytes));
    } catch (cause) {
      throw this.#break('message is not JSON in UTF-8', cause);
    }
  }

  #keep(part: Uint8Array): void {
    this.#size += part.length;
    if (this.#size > this.#maxBytes) throw this.#break(`message of more than ${this.#maxBytes} bytes`);
    this.#parts.push(part);
  }

  #break(why: string, cause?: unknown): OvsdbError {
    this.#parts = [];
    this.#broken = new OvsdbError('framing', why, { cause });
    return this.#broken;
  }
}
