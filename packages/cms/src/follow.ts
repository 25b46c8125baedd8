import { type Clock, createWakeup, type Entry, type Topic } from '@alcor/runtime';
import type { Place, Revisions } from './revisions.ts';

/** One thing that a reader is told: an entry, and where to go on after it. */
export interface Told<V> extends Entry<V> {
  readonly revision: string;
}

/** What a reader is told at once. */
export interface Batch<V> {
  readonly entries: readonly Told<V>[];
  /** Where to go on after all of them. */
  readonly revision: string;
  /** Nothing more was there when the batch was made. */
  readonly synced: boolean;
}

/** How often a reader hears something where nothing changes. */
const heartbeatMs = 15_000;

export interface FollowOptions {
  readonly revisions: Revisions;
  readonly clock: Clock;
  /** Of an earlier batch; empty: from the beginning. */
  readonly from: string;
  /** Entries in a batch, at most. */
  readonly limit: number;
  /** Nothing will come any more: the topic is no more. */
  readonly isOver: () => boolean;
}

/** One batch, for readers that ask again. */
export function readBatch<V>(
  topic: Topic<V>,
  { revisions, from, limit }: Pick<FollowOptions, 'revisions' | 'from' | 'limit'>,
): Batch<V> {
  const place = revisions.placeOf(topic, from);
  return batchOf(topic, { revisions, limit, place }, topic.after(place.position, limit));
}

/**
 * Everything after a revision, and then what changes, until `signal` aborts. The next batch is made when it is asked for: a reader that
 * is slow finds the newest entry of each key then, and nothing waits for it meanwhile. Throws RevisionGone when it was so slow that
 * a removal has been forgotten.
 */
export async function* follow<V>(
  topic: Topic<V>,
  { revisions, clock, from, limit, isOver }: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<Batch<V>, void> {
  const wakeup = createWakeup();
  const { position: begin, floor } = revisions.placeOf(topic, from);
  const subscription = topic.watch(begin, wakeup.raise);
  try {
    let isDue = true;
    while (!signal.aborted) {
      const place = { position: subscription.position, floor };
      revisions.checkWhole(topic, place);
      const batch = batchOf(topic, { revisions, limit, place }, topic.take(subscription, limit));
      if (batch.entries.length > 0 || isDue) {
        // After a full batch there may be nothing more, and then that is to be said.
        isDue = !batch.synced;
        yield batch;
      }
      if (!batch.synced) continue;
      if (isOver()) return;
      // Whatever came since the entries were taken has raised it.
      const heartbeat = clock.timer(heartbeatMs, () => {
        isDue = true;
        wakeup.raise();
      });
      await wakeup.wait(signal);
      heartbeat.cancel();
    }
  } finally {
    subscription.close();
  }
}

function batchOf<V>(
  topic: Topic<V>,
  { revisions, limit, place }: { readonly revisions: Revisions; readonly limit: number; readonly place: Place },
  entries: readonly Entry<V>[],
): Batch<V> {
  const revisionAt = (position: number): string => revisions.of(topic, { position, floor: place.floor });
  const told = entries.map((entry) => ({ ...entry, revision: revisionAt(entry.position) }));
  const synced = entries.length < limit;
  // Whoever has read all there is has read what was there in the beginning.
  const end = synced ? topic.position : (entries.at(-1)?.position ?? place.position);
  return { entries: told, revision: revisionAt(end), synced };
}
