import { FeedGap } from '@alcor/network';
import type { Position } from '@alcor/network';

/**
 * Which transactions a reader has seen: all below `xmax` except `running` (PostgreSQL manual, 9.27, "pg_snapshot"). Not
 * a sequence number: transactions commit in another order than they number their rows.
 */
export interface Seen {
  readonly xmax: bigint;
  /** Ascending, all below xmax. */
  readonly running: readonly bigint[];
}

/**
 * A place in the feed. Where what is new between two snapshots is too much for one batch, the place is between them:
 * `upTo` is the later one, and rows to number `after` have been given.
 */
export interface Place {
  readonly seen: Seen;
  readonly part: { readonly upTo: Seen; readonly after: string } | null;
}

export function formatPlace({ seen, part }: Place): Position {
  return part === null ? formatSeen(seen) : `${formatSeen(seen)}/${formatSeen(part.upTo)}/${part.after}`;
}

/** Throws FeedGap for what no feed has given. */
export function parsePlace(position: Position): Place {
  const [seen, upTo, after, ...rest] = position.split('/');
  if (seen !== undefined && upTo === undefined) return { seen: parseSeen(seen), part: null };
  if (seen === undefined || upTo === undefined || after === undefined || rest.length > 0 || !/^\d{1,18}$/.test(after)) {
    throw new FeedGap(`'${position}' is not a position`);
  }
  return { seen: parseSeen(seen), part: { upTo: parseSeen(upTo), after } };
}

/** In PostgreSQL's form of pg_snapshot. */
export function formatSeen({ xmax, running }: Seen): string {
  return `${running[0] ?? xmax}:${xmax}:${running.join(',')}`;
}

export function parseSeen(text: string): Seen {
  const [, xmax = '', list = ''] = /^\d{1,18}:(\d{1,18}):((?:\d{1,18}(?:,\d{1,18})*)?)$/.exec(text) ?? [];
  if (xmax === '') throw new FeedGap(`'${text}' is not a position`);
  return { xmax: BigInt(xmax), running: list === '' ? [] : list.split(',').map(BigInt) };
}

/**
 * The same for all rows there are, but without a word on transactions from `end` on, where `end` is above that of every row
 * seen. For their numbers might be given out once more: a crash forgets a transaction that wrote nothing durable, and a
 * reader who counts it among the seen would miss the next one of that number.
 */
export function withoutUnknown({ xmax, running }: Seen, end: bigint): Seen {
  if (end >= xmax) return { xmax, running };
  return { xmax: end, running: running.filter((xid) => xid < end) };
}
