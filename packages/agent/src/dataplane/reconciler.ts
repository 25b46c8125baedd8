/**
 * Brings the switch in line with what the trackers want: the meters that flows name before the flows, and away after them. All work on the switch is done by one job at a time; jobs wait
 * for each other in the order in which they came. What may be wrong (start, loss, an aborted caller) is read back first.
 */
import type { Clock, Timer } from '@alcor/runtime';
import type { FlowIdentity } from './flow.ts';
import type { MeterTracker } from './meter-tracker.ts';
import type { Meter } from './meters.ts';
import { SwitchLost, type MeterChange, type Switch } from './switch.ts';
import type { Planned, Tracker } from './tracker.ts';

/** Changes per barrier: 1,000 flow-mods are some 150 kB on the wire and some 15 ms of the switch's time. */
const BATCH = 1000;
/** Pause before what was refused is tried again; doubles up to the second. */
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 30_000;

export interface ReconcilerOptions {
  readonly switch: Switch;
  readonly tracker: Tracker;
  readonly meters: MeterTracker;
  readonly clock: Clock;
  /** Told of the owners of flows that the switch has refused. */
  readonly onRefused: (owner: string) => void;
  /** Called after work that no caller waits for. */
  readonly onBackgroundWork: () => void;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  /** Null while connected. */
  #lost: string | null = 'not started';
  /** Whether what the tracker holds as present may be wrong. */
  #doubt = true;
  /** Whether flows of nobody are to go. */
  #sweeps = false;
  #jobs: Promise<unknown> = Promise.resolve();
  #kicked = false;
  #retry: Timer | null = null;
  #retryMs = FIRST_RETRY_MS;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** Why the switch is away; null while connected. */
  get lost(): string | null {
    return this.#lost;
  }

  /** Nothing is retried after `signal` aborts. */
  begin(signal: AbortSignal): void {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#retry?.cancel(), { once: true });
  }

  /** The switch can be spoken with for the first time: reads what is there. */
  async firstRead(signal: AbortSignal): Promise<void> {
    this.#lost = null;
    await this.exclusively(() => this.#read(signal));
  }

  lose(reason: string): void {
    this.#lost = reason;
    this.#doubt = true;
  }

  regain(): void {
    this.#lost = null;
    this.#doubt = true;
    this.kick();
  }

  /** From now on flows of nobody are deleted, also after each loss. Within a job. */
  sweep(): void {
    if (!this.#doubt) this.#sweepPresent();
    this.#sweeps = true;
  }

  #sweepPresent(): void {
    this.#options.tracker.sweep();
    this.#options.meters.sweep();
  }

  /** Runs after all jobs that came before. */
  exclusively<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#jobs.then(job);
    this.#jobs = result.catch(() => undefined);
    return result;
  }

  /**
   * Within a job: writes what is pending now; what comes meanwhile is for the next call. False if the switch is away, which is no
   * error here: its return repairs.
   */
  async work(caller: AbortSignal): Promise<boolean> {
    const signal = AbortSignal.any([caller, this.#signal]);
    signal.throwIfAborted();
    if (this.#lost !== null) return false;
    try {
      if (this.#doubt) await this.#read(signal);
      await this.#write(signal);
      return true;
    } catch (error) {
      this.#doubt = true;
      // A switch may be back before this is noticed, or never have said that it went; a caller may never come back.
      this.#scheduleRetry();
      if (!(error instanceof SwitchLost)) throw error;
      return false;
    }
  }

  /** Has the work done soon, once, whatever number of events asks for it. */
  kick(): void {
    if (this.#kicked || this.#lost !== null || this.#signal.aborted) return;
    this.#kicked = true;
    void this.exclusively(() => this.#background()).catch(() => undefined);
  }

  get #isSettled(): boolean {
    return this.#options.tracker.settled && this.#options.meters.settled;
  }

  async #background(): Promise<void> {
    this.#kicked = false;
    try {
      while ((await this.work(this.#signal)) && !this.#isSettled);
      this.#options.onBackgroundWork();
    } catch {
      // Nobody waits for an answer here, and a retry is on its way.
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const present: FlowIdentity[] = [];
    for await (const flow of this.#options.switch.flows(signal)) present.push(flow);
    const meters: Meter[] = [];
    for await (const meter of this.#options.switch.meters(signal)) meters.push(meter);
    this.#options.tracker.replacePresent(present);
    this.#options.meters.replacePresent(meters);
    if (this.#sweeps) this.#sweepPresent();
    this.#doubt = false;
  }

  async #write(signal: AbortSignal): Promise<void> {
    const { tracker, meters } = this.#options;
    const unused = meters.deletions();
    await this.#applyMeters(meters.writes(), signal);
    await this.#applyAll(tracker.pending(), signal);
    await this.#applyMeters(
      unused.filter((change) => meters.stands(change)),
      signal,
    );
    if (tracker.refused + meters.refused > 0) this.#scheduleRetry();
    else this.#retryMs = FIRST_RETRY_MS;
  }

  /** While the switch is at work on one batch, the next is put into words. */
  async #applyAll(changes: readonly Planned[], signal: AbortSignal): Promise<void> {
    const underWay: Promise<void>[] = [];
    try {
      for (let at = 0; at < changes.length; at += BATCH) {
        // Resources may have changed while the batches before were under way.
        const batch = changes.slice(at, at + BATCH).filter((planned) => this.#options.tracker.stands(planned));
        if (batch.length === 0) continue;
        const applied = this.#apply(batch, signal);
        applied.catch(() => undefined);
        underWay.push(applied);
        if (underWay.length > 1) await underWay.shift();
      }
      await Promise.all(underWay);
    } finally {
      await Promise.allSettled(underWay);
    }
  }

  async #apply(batch: readonly Planned[], signal: AbortSignal): Promise<void> {
    const changes = batch.map(({ change }) => change);
    const failures = await this.#options.switch.apply(changes, signal);
    for (const owner of this.#options.tracker.settle(batch, failures)) this.#options.onRefused(owner);
  }

  async #applyMeters(changes: readonly MeterChange[], signal: AbortSignal): Promise<void> {
    if (changes.length === 0) return;
    const failures = await this.#options.switch.applyMeters(changes, signal);
    for (const owner of this.#options.meters.settle(changes, failures)) this.#options.onRefused(owner);
  }

  #scheduleRetry(): void {
    if (this.#retry !== null || this.#signal.aborted) return;
    this.#retry = this.#options.clock.timer(this.#retryMs, () => {
      this.#retry = null;
      this.#options.meters.retry();
      this.#options.tracker.retry();
      this.kick();
    });
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }
}
