import { OpenFlowError } from '../errors.ts';
import { HEADER } from '../messages/codes.ts';

/**
 * Cuts a byte stream into whole messages by the length in each header. Holds at most one unfinished message, so at
 * most 64 KiB beyond the chunk at hand.
 */
export class Framer {
  #rest: Buffer = Buffer.alloc(0);

  /** The messages that `chunk` completes, as views of it. Throws `bad_length` when the stream makes no sense. */
  *push(chunk: Buffer): Generator<Buffer> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEADER) {
      const length = bytes.readUInt16BE(at + 2);
      if (length < HEADER) throw new OpenFlowError('bad_length', `message of ${length} bytes`, { offset: 2 });
      if (bytes.length - at < length) break;
      yield bytes.subarray(at, at + length);
      at += length;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }
}
