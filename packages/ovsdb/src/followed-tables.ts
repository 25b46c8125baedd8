import type { Change, Monitor, MonitorMethod, MonitorTables } from './api.ts';
import { ChangeQueue } from './change-queue.ts';
import { OvsdbError } from './error.ts';
import { isArray } from './json.ts';
import { tableSchema, type DatabaseSchema } from './schema.ts';
import { applyChanges, decodeUpdates, difference, type TableCopy, type Tables, type UpdateForm } from './table-copy.ts';
import { encodeConditions } from './transaction.ts';
import type { Row } from './value.ts';

/** The transaction id that no transaction has: "send everything". */
export const NO_TRANSACTION = '00000000-0000-0000-0000-000000000000';

/** One monitor's state across sessions: knows what was asked and what is known, not how it gets there. */
export class FollowedTables implements Monitor {
  readonly id: string;
  readonly db: string;
  method: MonitorMethod = 'monitor_cond_since';
  lastTransaction = NO_TRANSACTION;
  readonly #asked: MonitorTables;
  readonly #onClose: (monitor: FollowedTables) => void;
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  readonly #queues = new Set<ChangeQueue>();
  #tables: Tables = new Map();
  #closed = false;

  constructor(id: string, db: string, asked: MonitorTables, onClose: (monitor: FollowedTables) => void) {
    this.id = id;
    this.db = db;
    this.#asked = asked;
    this.#onClose = onClose;
  }

  get closed(): boolean {
    return this.#closed;
  }

  rows(table: string): ReadonlyMap<string, Row> {
    const copy = this.#tables.get(table);
    if (copy === undefined) throw new OvsdbError('refused', `${table} is not monitored`);
    return copy.rows;
  }

  onChange(listener: (changes: readonly Change[]) => void): () => void {
    const entry = (changes: readonly Change[]): void => listener(changes);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  changes(signal?: AbortSignal): AsyncIterable<readonly Change[]> {
    const queue = new ChangeQueue();
    const stop = (): void => {
      this.#queues.delete(queue);
      signal?.removeEventListener('abort', stop);
      queue.close();
    };
    if (this.#closed || signal?.aborted === true) queue.close();
    else {
      this.#queues.add(queue);
      signal?.addEventListener('abort', stop, { once: true });
    }
    return iterateThen(queue, stop);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listeners.clear();
    for (const queue of this.#queues) queue.close();
    this.#queues.clear();
    this.#onClose(this);
  }

  /** True where only the newer requests can express what was asked. */
  get hasConditions(): boolean {
    return Object.values(this.#asked).some((table) => table.anyOf !== undefined);
  }

  /** `<monitor-cond-requests>`. All columns are named, which keeps the server's own `_version` out. */
  request(schema: DatabaseSchema): unknown {
    const requests = Object.entries(this.#asked).map(([table, { columns, anyOf }]) => {
      const request = { columns: columns ?? [...tableSchema(schema, table).columns.keys()] };
      return [table, [anyOf === undefined ? request : { ...request, where: encodeConditions(anyOf) }]];
    });
    return Object.fromEntries(requests);
  }

  /** The answer to the request on a new session: everything, or what came after the transaction that we have last seen. */
  resync(schema: DatabaseSchema, method: MonitorMethod, result: unknown): void {
    // Until this is taken in, nothing is a safe point to continue from.
    this.lastTransaction = NO_TRANSACTION;
    const fresh = this.#emptyTables(schema);
    const answer = readAnswer(method, result);
    if (answer.since) this.#show(decodeUpdates(this.#tables, 'difference', answer.updates));
    else {
      applyChanges(fresh, decodeUpdates(fresh, formOf(method), answer.updates));
      const changes = difference(this.#tables, fresh);
      this.#tables = fresh;
      this.#tell(changes);
    }
    this.method = method;
    this.lastTransaction = answer.transaction;
  }

  /** A notification: `update` with one parameter behind the id, `update2` likewise, `update3` with the transaction before it. */
  update(params: readonly unknown[]): void {
    const [transaction, updates] = this.method === 'monitor_cond_since' ? params : [NO_TRANSACTION, params[0]];
    if (typeof transaction !== 'string') throw new OvsdbError('protocol', 'malformed update');
    // An update that cannot be taken in ends the session, and the next one has to start from everything.
    this.lastTransaction = NO_TRANSACTION;
    this.#show(decodeUpdates(this.#tables, formOf(this.method), updates));
    this.lastTransaction = transaction;
  }

  #show(changes: readonly Change[]): void {
    applyChanges(this.#tables, changes);
    this.#tell(changes);
  }

  #tell(changes: readonly Change[]): void {
    if (changes.length === 0 || this.#closed) return;
    for (const queue of this.#queues) queue.push(changes);
    for (const listener of this.#listeners) callSafely(() => listener(changes));
  }

  #emptyTables(schema: DatabaseSchema): Tables {
    return new Map(
      Object.entries(this.#asked).map(([table, { columns }]): [string, TableCopy] => {
        const all = tableSchema(schema, table).columns;
        const wanted = [...all].filter(([column]) => columns?.includes(column) ?? true);
        return [table, { columns: new Map(wanted), rows: new Map() }];
      }),
    );
  }
}

function formOf(method: MonitorMethod): UpdateForm {
  return method === 'monitor' ? 'whole' : 'difference';
}

interface Answer {
  readonly since: boolean;
  readonly transaction: string;
  readonly updates: unknown;
}

/** ovsdb-server(7) 4.1.15: `[found, last transaction, updates]`; the older requests answer with the updates alone. */
function readAnswer(method: MonitorMethod, result: unknown): Answer {
  if (method !== 'monitor_cond_since') return { since: false, transaction: NO_TRANSACTION, updates: result };
  const [found, transaction, updates]: readonly unknown[] = isArray(result) ? result : [];
  if (typeof found !== 'boolean' || typeof transaction !== 'string') {
    throw new OvsdbError('protocol', 'malformed answer to monitor_cond_since');
  }
  return { since: found, transaction, updates };
}

/** A listener that throws has a bug that must be seen, but neither the other listeners nor the session are to blame. */
function callSafely(run: () => void): void {
  try {
    run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

async function* iterateThen(queue: ChangeQueue, stop: () => void): AsyncGenerator<readonly Change[], void, void> {
  try {
    yield* queue.batches();
  } finally {
    stop();
  }
}
