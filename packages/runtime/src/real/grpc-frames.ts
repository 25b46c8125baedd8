import type { Codec } from '../runtime.ts';

/** Before each message: whether it is compressed, and its length. gRPC over HTTP2, "Length-Prefixed-Message". */
const headerBytes = 5;
export const messageBytesAtMost = 64 << 20;

export function frameOf<T>(codec: Codec<T>, message: T): Buffer {
  const bytes = codec.encode(message).finish();
  const frame = Buffer.allocUnsafe(headerBytes + bytes.length);
  frame[0] = 0;
  frame.writeUInt32BE(bytes.length, 1);
  frame.set(bytes, headerBytes);
  return frame;
}

/** Puts messages together again out of whatever pieces they come in. */
export class Deframer {
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Of the frame that is under way, its header included. */
  #wanted = headerBytes;

  /** The messages that end in this piece; throws when it is none that was asked for. */
  take(piece: Buffer): Buffer[] {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes < this.#wanted) return [];
    const whole = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces);
    const messages: Buffer[] = [];
    let at = 0;
    for (;;) {
      this.#wanted = headerBytes;
      if (whole.length - at < headerBytes) break;
      if (whole[at] !== 0) throw new Error('a message is compressed, which nobody asked for');
      const length = whole.readUInt32BE(at + 1);
      if (length > messageBytesAtMost) throw new Error(`a message of ${length} bytes is too long`);
      this.#wanted = headerBytes + length;
      if (whole.length - at < this.#wanted) break;
      messages.push(whole.subarray(at + headerBytes, at + this.#wanted));
      at += this.#wanted;
    }
    this.#pieces = at < whole.length ? [whole.subarray(at)] : [];
    this.#bytes = whole.length - at;
    return messages;
  }
}
