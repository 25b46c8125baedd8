/** What became of each resource, and what has been said of it: a change of state is told once, by whoever answers first. */
import type { DesiredFlows } from './desired.ts';
import type { MeterTracker } from './meter-tracker.ts';
import { ownersOf } from './owners.ts';
import { HOST } from './program.ts';
import type { ResourceOutcome } from './resources.ts';
import type { Tracker } from './tracker.ts';

export interface OutcomesOptions {
  readonly desired: DesiredFlows;
  readonly tracker: Tracker;
  readonly meters: MeterTracker;
  readonly hostIp: string;
  /** Why the switch is away; null while connected. */
  readonly lost: () => string | null;
  /** Told when a resource's outcome becomes another than the last one given, outside of `answer`. */
  readonly tell: (outcome: ResourceOutcome) => void;
}

/** What was touched before some moment, for one answer. */
export interface Touched {
  readonly number: number;
  readonly ids: readonly string[];
}

export class Outcomes {
  readonly #options: OutcomesOptions;
  /** Set or removed, and not answered for yet: by the number of the answer that speaks of it. */
  readonly #touched = new Map<string, number>();
  /** Of those, the ones that no answer has taken on itself. */
  #untaken: string[] = [];
  #number = 1;
  /** Changed by something else, to be told of when it differs from what was said last. */
  readonly #stirred = new Set<string>();
  /** What was said last: of ports always, of others only when not ok. */
  readonly #told = new Map<string, ResourceOutcome>();
  /** Those last said not to be ok. */
  readonly #troubled = new Set<string>();

  constructor(options: OutcomesOptions) {
    this.#options = options;
  }

  /** Set or removed: the next answer speaks of it. */
  touch(id: string): void {
    if (this.#touched.get(id) === this.#number) return;
    this.#touched.set(id, this.#number);
    this.#untaken.push(id);
  }

  /** Something else may have changed its outcome. */
  stir(id: string): void {
    this.#stirred.add(id);
  }

  /** Takes what was touched; whoever cannot answer for it touches it again. */
  take(): Touched {
    const taken = { number: this.#number++, ids: this.#untaken };
    this.#untaken = [];
    return taken;
  }

  /** Whether something of what was taken has become another since, by something else, and is yet to be written. */
  waits({ ids }: Touched): boolean {
    return this.#stirred.size > 0 && ids.some((id) => this.#stirred.has(id) && this.#isPending(id));
  }

  /** For what was taken and not touched again; `isDone`: the switch has since answered for all that was to be written by then. */
  answer({ number, ids }: Touched, isDone: boolean): ResourceOutcome[] {
    const isQuiet = isDone && !this.#isTroubled;
    const outcomes: ResourceOutcome[] = [];
    for (const id of ids) {
      if (this.#touched.get(id) !== number) continue;
      this.#touched.delete(id);
      const isFine = isQuiet && !this.#stirred.has(id) && this.#options.desired.whyCutOff(id) === null;
      outcomes.push(isFine ? this.#unlessUnplugged(id) : this.of(id));
    }
    for (const outcome of outcomes) this.#remember(outcome);
    this.tellChanges();
    return outcomes;
  }

  /** Says what has become different of resources that no answer is about to speak of. */
  tellChanges(): void {
    for (const id of new Set([...this.#stirred, ...this.#troubled])) {
      if (this.#touched.has(id) || (this.#options.lost() === null && this.#isPending(id))) continue;
      const before = this.#told.get(id);
      const now = this.of(id);
      this.#remember(now);
      const isNew = now.status !== (before?.status ?? 'ok') || now.reason !== (before?.reason ?? '');
      if (isNew) this.#options.tell(now);
    }
  }

  of(id: string): ResourceOutcome {
    const reason = this.#failure(id) ?? this.#options.desired.whyCutOff(id);
    return reason === null ? this.#unlessUnplugged(id) : { resourceId: id, status: 'failed', reason };
  }

  #unlessUnplugged(id: string): ResourceOutcome {
    const { ports, plugs } = this.#options.desired;
    const port = ports.get(id);
    if (port === undefined || plugs.interfaceFor(port) !== undefined)
      return { resourceId: id, status: 'ok', reason: '' };
    return { resourceId: id, status: 'unplugged', reason: plugs.whyUnplugged(port) };
  }

  /** Whether anything is wrong that may be a resource's trouble. */
  get #isTroubled(): boolean {
    const { desired, tracker, meters } = this.#options;
    return desired.tunnelPort === null || desired.invalid.size > 0 || tracker.refused + meters.refused > 0;
  }

  #isPending(id: string): boolean {
    const { tracker, meters } = this.#options;
    if (tracker.settled && meters.settled) return false;
    return [...ownersOf(id), HOST].some((owner) => tracker.waits(owner) || meters.waits(owner));
  }

  #failure(id: string): string | null {
    const { desired, tracker, meters, hostIp } = this.#options;
    if (tracker.settled && meters.settled && !this.#isTroubled) return null;
    const owners = ownersOf(id);
    for (const owner of [...owners, HOST]) {
      const reason = desired.invalid.get(owner) ?? meters.refusal(owner) ?? tracker.refusal(owner);
      if (reason !== null) return owner === HOST ? `flows of the host itself: ${reason}` : reason;
    }
    const remote = desired.neighbors.get(id);
    const tunnelled = remote !== undefined && remote.hostIp !== hostIp && !desired.ports.has(id);
    if (tunnelled && desired.tunnelPort === null) return 'the bridge has no tunnel port';
    if (!this.#isPending(id)) return null;
    const lost = this.#options.lost();
    return lost === null ? 'not yet confirmed by the switch' : `the switch is away: ${lost}`;
  }

  #remember(outcome: ResourceOutcome): void {
    const { desired, tracker } = this.#options;
    const { resourceId: id, status } = outcome;
    this.#stirred.delete(id);
    if (status === 'ok') this.#troubled.delete(id);
    else this.#troubled.add(id);
    if (status !== 'ok' || desired.ports.has(id)) this.#told.set(id, outcome);
    else this.#told.delete(id);
    for (const owner of ownersOf(id)) tracker.forget(owner);
  }
}
