import { OpenFlowError } from '../errors.ts';

/** Structures that hold structures (clone, ct, bundle-add) may nest so deep; no switch accepts more. */
const MAX_DEPTH = 32;

/**
 * Reads a piece of a message from front to back and never beyond its end: then it throws `truncated`. Offsets in
 * errors count from the start of the bytes given first, also in readers of inner pieces.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  readonly #depth: number;
  #at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length, depth = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#end = end;
    this.#depth = depth;
    if (depth > MAX_DEPTH) throw new OpenFlowError('bad_structure', 'nested too deeply', { offset: start });
  }

  get offset(): number {
    return this.#at;
  }

  /** Bytes not yet read. */
  get left(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u48(): number {
    const at = this.#take(6);
    return this.#view.getUint16(at) * 0x1_0000_0000 + this.#view.getUint32(at + 2);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  u128(): bigint {
    const high = this.u64();
    return (high << 64n) | this.u64();
  }

  /** The next `count` bytes, as a copy: nothing decoded keeps the received buffer alive. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return new Uint8Array(this.#bytes.subarray(at, at + count));
  }

  /** All that is left, as a copy. */
  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  skip(count: number): void {
    this.#take(count);
  }

  /** Skips padding, which the sender may leave out at the very end. */
  skipAtMost(count: number): void {
    this.#take(Math.min(count, this.left));
  }

  /** Text in a field of fixed size, up to its first zero. */
  text(size: number): string {
    const at = this.#take(size);
    const zero = this.#bytes.subarray(at, at + size).indexOf(0);
    return Buffer.from(this.#bytes.subarray(at, zero < 0 ? at + size : at + zero)).toString('utf8');
  }

  /** A reader of the next `count` bytes, which this one skips. */
  inner(count: number): ByteReader {
    const at = this.#take(count);
    return new ByteReader(this.#bytes, at, at + count, this.#depth + 1);
  }

  /** A second reader of the same bytes from here on. */
  peek(): ByteReader {
    return new ByteReader(this.#bytes, this.#at, this.#end, this.#depth);
  }

  fail(code: 'truncated' | 'bad_length' | 'bad_value' | 'bad_structure', detail: string): never {
    throw new OpenFlowError(code, detail, { offset: this.#at });
  }

  #take(count: number): number {
    const at = this.#at;
    if (count < 0 || count > this.#end - at) {
      this.fail('truncated', `${count} bytes wanted, ${this.#end - at} left`);
    }
    this.#at = at + count;
    return at;
  }
}

/** The length field of a TLV: at least its header, at most what is left. */
export function checkedLength(reader: ByteReader, length: number, least: number): number {
  if (length < least) reader.fail('bad_length', `length ${length} is less than ${least}`);
  return length;
}

/** Bytes from `length` up to the next multiple of 8. */
export function padding(length: number): number {
  return (8 - (length & 7)) & 7;
}
