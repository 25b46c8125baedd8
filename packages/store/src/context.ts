import type { CarriedMtus, Change } from '@alcor/network';
import type { Clock, Random } from '@alcor/runtime';
import type { AddressBook } from './address-book.ts';
import type { Database, Queryable } from './database.ts';
import { jsonRows } from './sql.ts';
import type { VniBook } from './vni-book.ts';

/** What the writers of all resources share. */
export interface StoreContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: StoreLimits;
  readonly newId: () => string;
  readonly addresses: AddressBook;
  readonly vnis: VniBook;
  /** Tells the feed's readers in this process that there is something to read. */
  readonly committed: () => void;
}

export interface StoreLimits {
  /** Whence the largest and the default MTU of networks. */
  readonly mtus: CarriedMtus;
  readonly firstVni: number;
  readonly lastVni: number;
  /** The first three octets of generated MAC addresses, `fa:16:3e`. */
  readonly macBase: string;
}

export interface Recorded {
  /** Null: none of the feed's. */
  readonly kind: Change['kind'] | null;
  readonly id: string;
  readonly revision: number;
  readonly deleted: boolean;
}

/** The change rows of a transaction, written in it: the feed has them exactly if it commits. `rows` and `at` are placeholders. */
export function insertChanges(rows: string, at: string): string {
  return `insert into changes (kind, id, revision, deleted, at)
    select x.kind, x.id, x.revision, x.deleted, ${at}::timestamptz
    from jsonb_to_recordset(${rows}::text::jsonb) as x(kind text, id text, revision integer, deleted boolean)`;
}

export async function recordChanges(tx: Queryable, now: Date, changes: readonly Recorded[]): Promise<void> {
  const told = changes.filter(({ kind }) => kind !== null);
  if (told.length === 0) return;
  await tx.query(insertChanges('$1', '$2'), [jsonRows(told), now.toISOString()]);
}

export function nowOf({ clock }: Pick<StoreContext, 'clock'>): Date {
  return new Date(clock.wall());
}
