import type { Duplex } from 'node:stream';

/** What the lab needs from its surroundings; the real ones come from `@alcor/runtime`. */
export interface Means {
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** A byte stream to `unix:/path`. */
  readonly dial: (address: string, signal: AbortSignal) => Promise<Duplex>;
}

/** The signal of every step below: abandoning one leaves a part-built thing, which starting again repairs. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}
