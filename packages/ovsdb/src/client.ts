import type {
  ConnectionState,
  ConnectOptions,
  Limits,
  Monitor,
  MonitorMethod,
  MonitorTables,
  OvsdbClient,
} from './api.ts';
import { abortable } from './abortable.ts';
import { deferred } from './deferred.ts';
import { dialWithin } from './dial.ts';
import { asOvsdbError, OvsdbError } from './error.ts';
import { FollowedTables } from './followed-tables.ts';
import { isArray } from './json.ts';
import type { Operation, OperationResults } from './operation.ts';
import { parseSchema, type DatabaseSchema } from './schema.ts';
import { Session } from './session.ts';
import { decodeResults, encodeOperation } from './transaction.ts';

/** A session with the databases' schemas, which hold for as long as it lasts: the server hangs up when one changes. */
interface Link {
  readonly session: Session;
  readonly schemas: Map<string, DatabaseSchema>;
}

/** Keeps a session up and its monitors in step: dial, resynchronise, serve until it breaks, pause, again. */
export class ReconnectingClient implements OvsdbClient {
  readonly #options: ConnectOptions;
  readonly #limits: Limits;
  readonly #life = new AbortController();
  readonly #monitors = new Map<string, FollowedTables>();
  #state: ConnectionState = 'reconnecting';
  #link: Link | undefined;
  #nextMonitor = 1;
  #waiting = deferred<void>();

  constructor(options: ConnectOptions, limits: Limits) {
    this.#options = options;
    this.#limits = limits;
    const owner = options.signal;
    const abandon = (): void => this.#end(owner?.reason);
    owner?.addEventListener('abort', abandon, { once: true });
    this.#life.signal.addEventListener('abort', () => owner?.removeEventListener('abort', abandon), { once: true });
    void this.#run();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  ready(signal?: AbortSignal): Promise<void> {
    return abortable(this.#waiting.promise, signal);
  }

  async listDbs(signal?: AbortSignal): Promise<readonly string[]> {
    return this.#connected().session.call('list_dbs', [], decodeNames, signal);
  }

  async getSchema(db: string, signal?: AbortSignal): Promise<DatabaseSchema> {
    return schemaOf(this.#connected(), db, signal);
  }

  async echo(params: readonly string[] = [], signal?: AbortSignal): Promise<void> {
    await this.#connected().session.call('echo', params, () => undefined, signal);
  }

  async transact<const Ops extends readonly Operation[]>(
    db: string,
    operations: Ops,
    signal?: AbortSignal,
  ): Promise<OperationResults<Ops>> {
    const link = this.#connected();
    // Only rows that come back need their types looked up.
    const reads = operations.some((operation) => operation.op === 'select');
    const schema = reads ? await schemaOf(link, db, signal) : undefined;
    const params = [db, ...operations.map(encodeOperation)];
    return link.session.call('transact', params, (result) => decodeResults(operations, schema, result), signal);
  }

  async monitor(db: string, tables: MonitorTables, signal?: AbortSignal): Promise<Monitor> {
    const link = this.#connected();
    const followed = new FollowedTables(`monitor-${this.#nextMonitor}`, db, tables, (closed) => this.#forget(closed));
    this.#nextMonitor += 1;
    // Known before the answer: updates may be right behind it.
    this.#monitors.set(followed.id, followed);
    try {
      await this.#follow(link, followed, signal);
      return followed;
    } catch (error) {
      followed.close();
      throw error;
    }
  }

  close(): void {
    this.#end(new OvsdbError('closed', 'the client was closed'));
  }

  async #run(): Promise<void> {
    const { signal } = this.#life;
    let pause = this.#limits.minBackoffMs;
    while (!signal.aborted) {
      const cause = await this.#serve(() => {
        pause = this.#limits.minBackoffMs;
      });
      if (signal.aborted) break;
      this.#left(cause);
      await this.#options.sleep(pause, signal).catch(() => {});
      pause = Math.min(pause * 2, this.#limits.maxBackoffMs);
    }
  }

  /** One connection from dial to its end; resolves with what ended it. */
  async #serve(connected: () => void): Promise<OvsdbError> {
    let session: Session | undefined;
    try {
      const stream = await dialWithin(this.#options, this.#limits.silenceMs, this.#life.signal);
      const { sleep } = this.#options;
      const onNotification = (method: string, params: readonly unknown[]): void => this.#notified(method, params);
      session = new Session({ stream, sleep, limits: this.#limits, onNotification });
      const link = { session, schemas: new Map<string, DatabaseSchema>() };
      // From here on, so that closing the client reaches it; calls are taken only once the state says so.
      this.#link = link;
      this.#life.signal.throwIfAborted();
      for (const followed of this.#monitors.values()) await this.#follow(link, followed);
      this.#arrived();
      connected();
      return await session.ended;
    } catch (error) {
      const cause = asOvsdbError('disconnected', error);
      session?.end(cause);
      return cause;
    }
  }

  /** Asks with the newest request that the server knows, and takes the answer in at the moment it comes. */
  async #follow(link: Link, followed: FollowedTables, signal?: AbortSignal): Promise<void> {
    const { id, db } = followed;
    const schema = await schemaOf(link, db, signal);
    const methods: MonitorMethod[] = ['monitor_cond_since', 'monitor_cond', 'monitor'];
    for (const method of methods) {
      if (followed.closed) return;
      if (method === 'monitor' && followed.hasConditions) {
        throw new OvsdbError('unsupported', 'the server knows no monitor conditions');
      }
      const since = method === 'monitor_cond_since' ? [followed.lastTransaction] : [];
      const params = [db, id, followed.request(schema), ...since];
      try {
        await link.session.call(method, params, (result) => followed.resync(schema, method, result), signal);
        return;
      } catch (error) {
        const unknown = error instanceof OvsdbError && error.code === 'unsupported';
        if (!unknown || method === 'monitor') throw error;
      }
    }
  }

  #notified(method: string, params: readonly unknown[]): void {
    const [id, ...rest] = params;
    const followed = typeof id === 'string' ? this.#monitors.get(id) : undefined;
    switch (method) {
      case 'update':
      case 'update2':
      case 'update3':
        // Updates of a monitor that was closed a moment ago are still on their way; they are nobody's.
        followed?.update(rest);
        return;
      case 'monitor_canceled':
        throw new OvsdbError('disconnected', 'the server cancelled a monitor');
      default:
    }
  }

  #forget(followed: FollowedTables): void {
    this.#monitors.delete(followed.id);
    // Its answer tells nothing that could be acted upon: the session may be gone, and the monitor with it.
    this.#link?.session.call('monitor_cancel', [followed.id], () => undefined).catch(() => {});
  }

  #connected(): Link {
    if (this.#state === 'closed') throw new OvsdbError('closed', 'the client was closed');
    if (this.#state === 'reconnecting' || this.#link === undefined)
      throw new OvsdbError('disconnected', 'no connection');
    return this.#link;
  }

  #arrived(): void {
    if (this.#life.signal.aborted) return;
    this.#state = 'connected';
    this.#waiting.resolve();
    this.#options.onState?.('connected', undefined);
  }

  #left(cause: OvsdbError): void {
    this.#link = undefined;
    if (this.#state === 'connected') this.#waiting = deferred<void>();
    this.#state = 'reconnecting';
    this.#options.onState?.('reconnecting', cause);
  }

  #end(reason: unknown): void {
    if (this.#state === 'closed') return;
    const cause = asOvsdbError('closed', reason);
    this.#state = 'closed';
    this.#link?.session.end(cause);
    this.#link = undefined;
    this.#life.abort(cause);
    for (const followed of this.#monitors.values()) followed.close();
    // Whoever waits for a connection after this one is told at once.
    this.#waiting.reject(reason);
    this.#waiting = deferred<void>();
    this.#waiting.reject(cause);
    this.#options.onState?.('closed', cause);
  }
}

async function schemaOf(link: Link, db: string, signal?: AbortSignal): Promise<DatabaseSchema> {
  const known = link.schemas.get(db);
  if (known !== undefined) return known;
  const schema = await link.session.call('get_schema', [db], parseSchema, signal);
  link.schemas.set(db, schema);
  return schema;
}

function decodeNames(json: unknown): readonly string[] {
  if (isArray(json) && json.every((name) => typeof name === 'string')) return json;
  throw new OvsdbError('protocol', 'malformed list of databases');
}
