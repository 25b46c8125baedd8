import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Codec } from '../runtime.ts';

/** Before each message: whether it is compressed, and its length. gRPC over HTTP2, "Length-Prefixed-Message". */
const headerBytes = 5;
export const messageBytesAtMost = 64 << 20;

/** What has held a message so large is not kept for others. */
const keptBytesAtMost = 1 << 20;
let spare: BinaryWriter | undefined;

/** The message's bytes. One writer serves all messages: to let each begin with a small buffer that grows costs as much as to write what most of them say. */
export function bytesOf<T>(codec: Codec<T>, message: T): Uint8Array {
  const writer = spare ?? new BinaryWriter();
  // One that a message has failed in is not used again.
  spare = undefined;
  const bytes = codec.encode(message, writer).finish();
  if (bytes.length <= keptBytesAtMost) spare = writer;
  return bytes;
}

export function frameOf<T>(codec: Codec<T>, message: T): Buffer {
  const bytes = bytesOf(codec, message);
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
