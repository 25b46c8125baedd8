import { padding } from './reader.ts';
import type { ByteReader } from './reader.ts';
import type { ByteWriter } from './writer.ts';

/** One property of a list (section 7.2.4): its type, its body after the 4-byte header, and all of it. */
export type Property = { readonly type: number; readonly body: ByteReader; readonly whole: Uint8Array };

/** Reads properties to the reader's end; each is padded to a multiple of 8. */
export function* readProperties(reader: ByteReader): Generator<Property> {
  while (reader.left > 0) {
    const whole = reader.peek();
    const type = reader.u16();
    const length = reader.u16();
    if (length < 4) reader.fail('bad_length', `property of ${length} bytes`);
    const body = reader.inner(length - 4);
    reader.skipAtMost(padding(length));
    yield { type, body, whole: whole.bytes(Math.min(length + padding(length), whole.left)) };
  }
}

/** Writes one property: header, what `body` writes, padding. */
export function writeProperty(writer: ByteWriter, type: number, body: () => void): void {
  const start = writer.length;
  writer.u16(type).u16(0);
  body();
  writer.patch16(start + 2, writer.length - start);
  writer.padFrom(start);
}
