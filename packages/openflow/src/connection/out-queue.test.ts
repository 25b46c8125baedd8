import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { OutQueue } from './out-queue.ts';

/** A stream that takes as many pieces at once as it is given. */
class Wire extends Duplex {
  readonly taken: string[] = [];

  override _read(): void {}

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.taken.push(chunks.map(({ chunk }) => chunk.toString()).join(''));
    done();
  }
}

test('what is written in one go leaves in one piece, and what is written later in another', async () => {
  const wire = new Wire();
  const out = new OutQueue(wire, 10);
  const write = (text: string): Promise<void> => out.write(Buffer.from(text), undefined);
  void write('a');
  void write('b');
  await write('c');
  expect(wire.taken).toEqual(['abc']);
  await write('d');
  await Promise.resolve();
  expect(wire.taken).toEqual(['abc', 'd']);
});

test('a stream that has taken enough is given the rest when it asks for more, in order', async () => {
  const wire = new Wire({ writableHighWaterMark: 2 });
  const out = new OutQueue(wire, 10);
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map((text) => out.write(Buffer.from(text), undefined)));
  await new Promise((resolve) => wire.end(resolve));
  expect(wire.taken.join('')).toBe('abcde');
  expect(wire.taken[0]).toBe('ab');
});
