import type { Random } from '@alcor/runtime';

/** Indexes in [first, last] that are taken according to the database. */
export type LoadTaken = (first: number, last: number) => Promise<readonly number[]>;

export interface FreeIndexesOptions {
  /** Indexes are 0 to `size` - 1. */
  readonly size: number;
  readonly loadTaken: LoadTaken;
  readonly random: Random;
  /** `lowest`: what was freed is taken again first. `rotating`: as late as possible. */
  readonly order: 'lowest' | 'rotating';
}

/** Bits a chunk holds: what one query loads at most. */
const chunkBits = 4096;
/** After a conflict with another process, so many picks are spread over the chunk. */
const spreadPicks = 256;

interface Chunk {
  readonly words: Uint32Array;
  readonly bits: number;
  taken: number;
}

/**
 * A hint of which indexes of a range are free. The database's unique constraint is the truth: what is taken here may prove
 * taken already (then `conflict` is called), and what another process frees is seen at the next `reload`.
 *
 * A bitmap in chunks, each loaded when first needed; full chunks are passed over once. So a pick costs the same in a range
 * of any size, however full.
 */
export class FreeIndexes {
  readonly #options: FreeIndexesOptions;
  readonly #chunks = new Map<number, Promise<Chunk> | Chunk>();
  /** Taken here and not yet settled: survives a reload. */
  readonly #unsettled = new Set<number>();
  /** No chunk before this one has a free index, as far as is known. */
  #start = 0;
  #spread = 0;
  /** The index after the one taken last. */
  #next = 0;
  /** Guards against a load that was begun before a reload. */
  #generation = 0;

  constructor(options: FreeIndexesOptions) {
    this.#options = options;
  }

  /** Takes a free index; null where there seems to be none. Settle it once it is in the database, or release it. */
  async take(): Promise<number | null> {
    const chunkCount = Math.ceil(this.#options.size / chunkBits);
    for (let number = this.#start; number < chunkCount; number++) {
      const held = this.#chunks.get(number);
      const chunk = held === undefined || held instanceof Promise ? await this.#load(number) : held;
      const bit = this.#freeBit(chunk, number);
      if (bit !== null) {
        setBit(chunk, bit);
        const index = number * chunkBits + bit;
        this.#next = index + 1;
        this.#unsettled.add(index);
        return index;
      }
      if (this.#start === number) this.#start = number + 1;
    }
    return null;
  }

  /** The index is in the database now, whether it was taken here or asked for by name. One out of range is passed over. */
  settle(index: number): void {
    if (index < 0 || index >= this.#options.size) return;
    this.#unsettled.delete(index);
    const chunk = this.#chunks.get(Math.floor(index / chunkBits));
    if (chunk !== undefined && !(chunk instanceof Promise)) setBit(chunk, index % chunkBits);
  }

  /** The index is not, or no longer, in the database. One out of range is passed over. */
  release(index: number): void {
    if (index < 0 || index >= this.#options.size) return;
    this.#unsettled.delete(index);
    const number = Math.floor(index / chunkBits);
    const chunk = this.#chunks.get(number);
    if (chunk !== undefined && !(chunk instanceof Promise)) clearBit(chunk, index % chunkBits);
    if (this.#options.order === 'lowest') this.#start = Math.min(this.#start, number);
  }

  /** The database refused the index: another has it. Further picks keep out of that other's way for a while. */
  conflict(index: number): void {
    this.settle(index);
    this.#spread = spreadPicks;
  }

  /** Forgets what is known, to see what others have freed. */
  reload(): void {
    this.#generation += 1;
    this.#chunks.clear();
    this.#start = 0;
  }

  /** Nothing is under way: it may be dropped and made again. */
  get idle(): boolean {
    return this.#unsettled.size === 0;
  }

  #freeBit(chunk: Chunk, number: number): number | null {
    if (chunk.taken === chunk.bits) return null;
    if (this.#spread === 0) {
      const rotating = this.#options.order === 'rotating' && Math.floor(this.#next / chunkBits) === number;
      return firstFree(chunk, rotating ? this.#next % chunkBits : 0);
    }
    this.#spread -= 1;
    return firstFree(chunk, Math.floor(this.#options.random.next() * chunk.bits));
  }

  #load(number: number): Promise<Chunk> {
    const held = this.#chunks.get(number);
    if (held instanceof Promise) return held;
    const generation = this.#generation;
    const loading = this.#read(number).then(
      (chunk) => {
        if (this.#generation === generation) this.#chunks.set(number, chunk);
        return chunk;
      },
      (error: unknown) => {
        if (this.#generation === generation) this.#chunks.delete(number);
        throw error;
      },
    );
    this.#chunks.set(number, loading);
    return loading;
  }

  async #read(number: number): Promise<Chunk> {
    const first = number * chunkBits;
    const bits = Math.min(chunkBits, this.#options.size - first);
    const chunk: Chunk = { words: new Uint32Array(chunkBits / 32), bits, taken: 0 };
    for (const index of await this.#options.loadTaken(first, first + bits - 1)) setBit(chunk, index - first);
    for (const index of this.#unsettled) {
      if (index >= first && index < first + bits) setBit(chunk, index - first);
    }
    return chunk;
  }
}

function setBit(chunk: Chunk, bit: number): void {
  const word = bit >>> 5;
  const before = chunk.words[word] ?? 0;
  const after = (before | (1 << (bit & 31))) >>> 0;
  if (after === before) return;
  chunk.words[word] = after;
  chunk.taken += 1;
}

function clearBit(chunk: Chunk, bit: number): void {
  const word = bit >>> 5;
  const before = chunk.words[word] ?? 0;
  const after = (before & ~(1 << (bit & 31))) >>> 0;
  if (after === before) return;
  chunk.words[word] = after;
  chunk.taken -= 1;
}

/** The first free bit at or after `from`, then from the beginning; null where there is none. */
function firstFree(chunk: Chunk, from: number): number | null {
  const wordCount = Math.ceil(chunk.bits / 32);
  const firstWord = from >>> 5;
  // The first word is looked at twice: from `from` on, and in the end as a whole.
  for (let step = 0; step <= wordCount; step++) {
    const word = (firstWord + step) % wordCount;
    const free = ~(chunk.words[word] ?? 0) & (step === 0 ? -1 << (from & 31) : -1);
    if (free === 0) continue;
    const bit = word * 32 + 31 - Math.clz32(free & -free);
    if (bit < chunk.bits) return bit;
  }
  return null;
}
