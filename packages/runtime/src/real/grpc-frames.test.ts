import type { BinaryWriter } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { bytesOf, Deframer, frameOf } from './grpc-frames.ts';

const text = {
  encode: (message: string, writer?: BinaryWriter) => {
    const written = writer!.string(message);
    if (message === 'bad') throw new Error('no good');
    return written;
  },
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(1)),
};

describe('frames', () => {
  it('are put together again, however they are cut', () => {
    const bytes = Buffer.concat(['one', '', 'three'].map((message) => frameOf(text, message)));
    for (let size = 1; size <= bytes.length; size++) {
      const deframer = new Deframer();
      const messages: string[] = [];
      for (let at = 0; at < bytes.length; at += size)
        messages.push(...deframer.take(bytes.subarray(at, at + size)).map(text.decode));
      expect(messages).toEqual(['one', '', 'three']);
    }
  });

  it('hold their own message, whatever was written before and is written after', () => {
    const first = bytesOf(text, 'first');
    expect(() => bytesOf(text, 'bad')).toThrow('no good');
    const [large, last] = [bytesOf(text, 'x'.repeat(2 << 20)), bytesOf(text, 'last')];
    expect([text.decode(first), large.length, text.decode(last)]).toEqual(['first', (2 << 20) + 4, 'last']);
  });
});
