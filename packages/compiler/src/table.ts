/** Work done so far. */
export interface Work {
  changes: number;
  /** Changes that were not newer than what was known. */
  stale: number;
  rowsRead: number;
  deltas: number;
}

/** What a change made of a row. */
export interface Replaced<Row> {
  readonly before: Row | undefined;
  readonly after: Row | undefined;
}

/** The rows of one kind, each as its newest change says. */
export class Table<Id extends string, Row extends { readonly id: Id; readonly revision: number }> {
  readonly rows = new Map<Id, Row>();
  readonly #work: Work;

  constructor(work: Work) {
    this.#work = work;
  }

  /** Takes a change in; undefined where it is not newer than what is known. */
  take(change: { readonly id: Id; readonly revision: number; readonly row: Row | null }): Replaced<Row> | undefined {
    const before = this.get(change.id);
    if (before !== undefined && change.revision <= before.revision) {
      this.#work.stale++;
      return undefined;
    }
    if (change.row === null) this.rows.delete(change.id);
    else this.rows.set(change.id, change.row);
    return { before, after: change.row ?? undefined };
  }

  /** The row, counted as read. */
  get(id: Id): Row | undefined {
    this.#work.rowsRead++;
    return this.rows.get(id);
  }
}
