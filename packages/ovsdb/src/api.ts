import type { Duplex } from 'node:stream';
import type { OvsdbError } from './error.ts';
import type { Condition, Operation, OperationResults } from './operation.ts';
import type { DatabaseSchema } from './schema.ts';
import type { Row } from './value.ts';

/** What the owner provides and allows. Times are milliseconds. */
export interface ConnectOptions {
  /** Opens the byte stream; called again for each reconnection. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  /** Resolves after `ms`; rejects when the signal aborts first. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Closes the client when it aborts. */
  readonly signal?: AbortSignal;
  /** Told of each change of state, with the error that ended a connection or kept one from coming up. */
  readonly onState?: (state: ConnectionState, cause: OvsdbError | undefined) => void;
  readonly limits?: Partial<Limits>;
}

export interface Limits {
  /** Largest message accepted, in bytes. A monitor's first answer holds whole tables. Default 256 MiB. */
  readonly messageBytes: number;
  /** Calls under way at once. Default 4096. */
  readonly pendingCalls: number;
  /** Bytes written but not yet taken by the stream. Default 64 MiB. */
  readonly unsentBytes: number;
  /** After this long without a byte the server is asked for an echo; after as long again it is given up. Default 5000. */
  readonly silenceMs: number;
  /** Pause before the first reconnection; doubles each time up to `maxBackoffMs`. Default 50. */
  readonly minBackoffMs: number;
  /** Default 2000. */
  readonly maxBackoffMs: number;
}

export type ConnectionState = 'connected' | 'reconnecting' | 'closed';

/** A connection to one OVSDB server that comes back by itself. Calls made while it is away reject with `disconnected`. */
export interface OvsdbClient {
  readonly state: ConnectionState;
  /** Resolves when connected and all monitors are in step; rejects once closed. */
  ready(signal?: AbortSignal): Promise<void>;
  listDbs(signal?: AbortSignal): Promise<readonly string[]>;
  getSchema(db: string, signal?: AbortSignal): Promise<DatabaseSchema>;
  echo(params?: readonly string[], signal?: AbortSignal): Promise<void>;
  /**
   * Carries out all operations or none; rejects with a `TransactionError` naming the operation that failed.
   * When it resolves, every monitor of this client already shows what the transaction did.
   * Aborting withdraws it from the server where it is still waiting; otherwise it may have taken effect.
   */
  transact<const Ops extends readonly Operation[]>(
    db: string,
    operations: Ops,
    signal?: AbortSignal,
  ): Promise<OperationResults<Ops>>;
  /**
   * Keeps a copy of tables and follows them, over reconnections too. Resolves when the first copy is complete.
   * The signal gives up waiting for it; the monitor itself lives until closed.
   */
  monitor(db: string, tables: MonitorTables, signal?: AbortSignal): Promise<Monitor>;
  /** Rejects all calls under way and closes the stream. Idempotent. */
  close(): void;
}

/** By table: which columns (all unless named) of which rows (all unless conditions are given; one must hold). */
export type MonitorTables = Readonly<Record<string, MonitorTable>>;

export interface MonitorTable {
  readonly columns?: readonly string[];
  /** A row is in the copy where ANY of these holds (unlike `where` of an operation), as ovsdb-server(7) 4.1.12 has it. */
  readonly anyOf?: readonly Condition[];
}

/** One row came (`old` undefined), went (`new` undefined) or became different; rows are whole, never partial. */
export interface Change {
  readonly table: string;
  readonly uuid: string;
  readonly old: Row | undefined;
  readonly new: Row | undefined;
}

/** The request in use, the newest that the server knows. */
export type MonitorMethod = 'monitor_cond_since' | 'monitor_cond' | 'monitor';

/** A live copy of tables. While disconnected it shows the last known state; a reconnection reports the difference. */
export interface Monitor {
  readonly method: MonitorMethod;
  /** Row by UUID, live: look, don't keep. Throws for a table that is not monitored. */
  rows(table: string): ReadonlyMap<string, Row>;
  /** Calls back once per transaction seen (or per resynchronisation), after the copy has changed. Returns the way to stop. */
  onChange(listener: (changes: readonly Change[]) => void): () => void;
  /**
   * Batches of changes from now on. Changes to a row that the consumer has not taken yet are merged, so a slow consumer
   * holds at most one change per row. Ends when the signal aborts, the monitor closes or the client closes.
   */
  changes(signal?: AbortSignal): AsyncIterable<readonly Change[]>;
  /** Stops following; the server is told. Idempotent. */
  close(): void;
}
