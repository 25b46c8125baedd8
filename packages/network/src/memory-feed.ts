import { FeedGap } from './feed.ts';
import type { Change, Feed, FeedBatch, Position } from './feed.ts';

export type Kind = Change['kind'];
export type RowOf<K extends Kind> = NonNullable<Extract<Change, { kind: K }>['row']>;

/** A feed over tables in memory, with the promises of the real one: no timers, no chance. Used by simulations. */
export interface MemoryFeed extends Feed {
  /** Makes or replaces a row; its revision must be newer than the one before (also than that of its removal). */
  put<K extends Kind>(kind: K, row: RowOf<K>): void;
  /** Removes a row, if it is there. */
  remove<K extends Kind>(kind: K, id: RowOf<K>['id']): void;
  /** The row, if it is there. */
  get<K extends Kind>(kind: K, id: RowOf<K>['id']): RowOf<K> | undefined;
  /** Forgets all changes so far: positions taken before now, other than the newest, are gaps. */
  forget(): void;
}

const batchSize = 1000;
/** The order of a snapshot: what is referred to comes first. */
const kinds: readonly Kind[] = [
  'node',
  'qos-policy',
  'network',
  'channel',
  'address-group',
  'security-group',
  'subnet',
  'network-acl',
  'port',
  'router',
  'floating-ip',
  'lease',
];

/** Makes an empty feed. */
export function createMemoryFeed(): MemoryFeed {
  const tables: Record<Kind, Map<string, Change>> = {
    node: new Map(),
    'qos-policy': new Map(),
    network: new Map(),
    channel: new Map(),
    'address-group': new Map(),
    'security-group': new Map(),
    subnet: new Map(),
    'network-acl': new Map(),
    port: new Map(),
    lease: new Map(),
    router: new Map(),
    'floating-ip': new Map(),
  };
  /** `log[n]` is change number `forgotten + n + 1`. */
  let log: { readonly kind: Kind; readonly id: string }[] = [];
  let forgotten = 0;
  let waiting: (() => void)[] = [];

  const record = (change: Change): void => {
    tables[change.kind].set(change.id, Object.freeze(change));
    log.push({ kind: change.kind, id: change.id });
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };

  const present = (): Change[] => kinds.flatMap((kind) => [...tables[kind].values()].filter(({ row }) => row !== null));

  const after = (position: number): readonly Change[] => {
    const seen = new Map<string, Change>();
    for (const { kind, id } of log.slice(position - forgotten)) {
      const change = tables[kind].get(id);
      if (change !== undefined) seen.set(`${kind} ${id}`, change);
    }
    return [...seen.values()];
  };

  /** Resolves at the next change or when `signal` aborts. */
  const nextChange = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      waiting.push(wake);
      signal.addEventListener('abort', wake, { once: true });
    });

  const end = (): number => forgotten + log.length;

  return {
    put(kind, row) {
      const known = tables[kind].get(row.id)?.revision ?? 0;
      if (row.revision <= known) throw new Error(`${kind} ${row.id}: revision ${row.revision} is not after ${known}`);
      record({ kind, id: row.id, revision: row.revision, row } as unknown as Change);
    },
    remove(kind, id) {
      const known = tables[kind].get(id);
      if (known === undefined || known.row === null) return;
      record({ kind, id, revision: known.revision + 1, row: null } as unknown as Change);
    },
    get(kind, id) {
      return (tables[kind].get(id)?.row ?? undefined) as never;
    },
    forget() {
      forgotten = end();
      log = [];
    },
    snapshot() {
      return Promise.resolve({ position: String(end()), batches: inBatches(present()) });
    },
    async *changes(from: Position, signal: AbortSignal): AsyncGenerator<FeedBatch> {
      let position = Number(from);
      while (!signal.aborted) {
        if (!Number.isInteger(position) || position < forgotten || position > end()) {
          throw new FeedGap(`position ${from} is not kept`);
        }
        const changes = after(position);
        position = end();
        if (changes.length > 0) yield { position: String(position), changes };
        else await nextChange(signal);
      }
    },
  };
}

async function* inBatches(changes: readonly Change[]): AsyncGenerator<readonly Change[]> {
  for (let index = 0; index < changes.length; index += batchSize) yield changes.slice(index, index + batchSize);
}
