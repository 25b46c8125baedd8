import { OpenFlowError } from '../errors.ts';

const MAX_U48 = 0xffff_ffff_ffff;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;
const MAX_U128 = (1n << 128n) - 1n;
const LOW_64 = MAX_U64;

function misfit(value: number | bigint, bits: number): never {
  throw new OpenFlowError('bad_value', `${value} is not an unsigned integer of ${bits} bits`);
}

/**
 * A growing buffer, written from front to back and used again after `reset`. Numbers are big-endian and unsigned;
 * one that does not fit throws `bad_value`. Lengths that are known late are patched in with `patch16`.
 */
export class ByteWriter {
  #bytes: Buffer;
  #view: DataView;
  #length = 0;

  constructor(capacity = 4096) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written since the last reset; also the place of the next byte. */
  get length(): number {
    return this.#length;
  }

  reset(): void {
    this.#length = 0;
  }

  /** Forgets what was written at `length` and after. */
  rewind(length: number): void {
    this.#length = length;
  }

  u8(value: number): this {
    if ((value & 0xff) !== value) misfit(value, 8);
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    if ((value & 0xffff) !== value) misfit(value, 16);
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
    return this;
  }

  u32(value: number): this {
    if (value >>> 0 !== value) misfit(value, 32);
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
    return this;
  }

  u48(value: number): this {
    if (!(Number.isInteger(value) && value >= 0 && value <= MAX_U48)) misfit(value, 48);
    const at = this.#grow(6);
    this.#view.setUint16(at, Math.floor(value / 0x1_0000_0000));
    this.#view.setUint32(at + 2, value % 0x1_0000_0000);
    return this;
  }

  u64(value: number | bigint): this {
    if (typeof value === 'number') {
      if (!(Number.isSafeInteger(value) && value >= 0)) misfit(value, 64);
      const at = this.#grow(8);
      this.#view.setUint32(at, Math.floor(value / 0x1_0000_0000));
      this.#view.setUint32(at + 4, value % 0x1_0000_0000);
      return this;
    }
    if (value < 0n || value > MAX_U64) misfit(value, 64);
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value);
    return this;
  }

  u128(value: number | bigint): this {
    if (typeof value === 'number') return this.u64(0).u64(value);
    if (value < 0n || value > MAX_U128) misfit(value, 128);
    return this.u64(value >> 64n).u64(value & LOW_64);
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  zeros(count: number): this {
    const at = this.#grow(count);
    const bytes = this.#bytes;
    // Counts are small: `fill` would take longer to begin.
    for (let each = at; each < at + count; each++) bytes[each] = 0;
    return this;
  }

  /** Zeros until the bytes since `start` are a multiple of 8. */
  padFrom(start: number): this {
    const over = (this.#length - start) & 7;
    return over === 0 ? this : this.zeros(8 - over);
  }

  /** A fixed field of `size` bytes, filled up with zeros; text that is too long throws. */
  text(value: string, size: number): this {
    const encoded = Buffer.from(value, 'utf8');
    if (encoded.length > size) throw new OpenFlowError('bad_value', `${value} is longer than ${size} bytes`);
    return this.bytes(encoded).zeros(size - encoded.length);
  }

  /** Overwrites two bytes at `at`. */
  patch16(at: number, value: number): void {
    if ((value & 0xffff) !== value)
      throw new OpenFlowError('bad_value', `${value} bytes are too many for a length field`);
    this.#view.setUint16(at, value);
  }

  /** Overwrites four bytes at `at`. */
  patch32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  /** What was written since `start`, as a copy. */
  copy(start = 0): Buffer {
    return Buffer.from(this.#bytes.subarray(start, this.#length));
  }

  /** What was written since `start`, each byte as one character: compact, for keys. */
  binaryText(start = 0): string {
    return this.#bytes.toString('latin1', start, this.#length);
  }

  /** Makes room for `count` bytes; the buffer may be another one afterwards, so call it before touching that. */
  #grow(count: number): number {
    const at = this.#length;
    const end = at + count;
    if (end > this.#bytes.length) this.#reallocate(end);
    this.#length = end;
    return at;
  }

  #reallocate(least: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(least, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
