/**
 * Wanted against present, one entry per place (table, priority, match) in a switch.
 *
 *            wanted                present
 *        ┌───────────────┬────────────────┬──────────────────────┐
 *        │  to write     │  equal cookie  │ ours: to delete      │
 *        │               │  (adopted)     │ foreign: left alone  │
 *        └───────────────┴────────────────┴──────────────────────┘
 *
 * Several resources may want the same place (a port that moves is a neighbour and a local port for a moment): the claim of
 * the lowest rank, then of the smallest name, is what is wanted, whatever came first. Nothing here does I/O, and nothing
 * but `replacePresent` and `sweep` looks at more than what changed.
 */
import { must } from './assert.ts';
import { flowKey, type Flow, type FlowIdentity } from './flow.ts';
import type { FlowChange, FlowFailure } from './switch.ts';

interface Claim {
  readonly owner: string;
  readonly rank: number;
  readonly flow: Flow;
}

interface Refusal {
  readonly change: FlowChange;
  readonly reason: string;
}

/** Everything known of one place; kept while somebody claims it or the switch has something there. */
export interface Place {
  readonly key: string;
  /** The wanted claim first. */
  claims: readonly Claim[];
  present: FlowIdentity | undefined;
  /** Present, but neither written nor adopted: kept until `sweep`. */
  foreign: boolean;
  refusal: Refusal | undefined;
}

/** A change and its place. */
export interface Planned {
  readonly place: Place;
  readonly change: FlowChange;
}

const nobody: readonly Claim[] = [];
const nowhere: readonly Place[] = [];

export class Tracker {
  readonly #places = new Map<string, Place>();
  /** The places of each owner, also of one that has left until its places are settled. */
  readonly #placesOf = new Map<string, readonly Place[]>();
  /** Owners that have places which they no longer want, because the switch has not let go of them yet. */
  readonly #leaving = new Set<string>();
  readonly #foreign = new Set<Place>();
  /** Places where the switch has to be changed. */
  readonly #pending = new Set<Place>();
  readonly #refused = new Set<Place>();

  /** Everything that `owner` wants from now on. Of two owners at one place the lower rank wins. */
  set(owner: string, rank: number, flows: readonly Flow[]): void {
    const before = this.#placesOf.get(owner) ?? nowhere;
    const wanted = flows.map((flow) => this.#claim({ owner, rank, flow }));
    const leaving = before.length === 0 ? nowhere : this.#leave(owner, before, new Set(wanted));
    if (leaving.length > 0) this.#leaving.add(owner);
    else this.#leaving.delete(owner);
    const places = leaving.length > 0 ? [...wanted, ...leaving] : wanted;
    if (places.length > 0) this.#placesOf.set(owner, places);
    else this.#placesOf.delete(owner);
  }

  remove(owner: string): void {
    this.set(owner, 0, []);
  }

  /** What the switch has, read from it: adopts what is wanted, takes the rest for foreign. */
  replacePresent(flows: Iterable<FlowIdentity>): void {
    for (const set of [this.#foreign, this.#refused, this.#pending]) set.clear();
    for (const place of this.#places.values()) {
      place.present = place.refusal = undefined;
      place.foreign = false;
    }
    for (const flow of flows) {
      const place = this.#at(flowKey(flow));
      place.present = flow;
      place.foreign = place.claims[0]?.flow.cookie !== flow.cookie;
      if (place.foreign) this.#foreign.add(place);
    }
    for (const place of this.#places.values()) this.#review(place);
  }

  /** From now on what nobody wants is to go, whoever wrote it. */
  sweep(): void {
    const foreign = [...this.#foreign];
    this.#foreign.clear();
    for (const place of foreign) {
      place.foreign = false;
      this.#review(place);
    }
  }

  /**
   * What to do, make before break: writes first, the end of the pipeline before its beginning, so that no packet is led to
   * a place that is not there yet; then deletions, the beginning first.
   */
  pending(): Planned[] {
    const changes = Array.from(this.#pending, (place) => ({ place, change: changeOf(place) }));
    const writes = changes.filter(({ change }) => change.type === 'write');
    const deletes = changes.filter(({ change }) => change.type === 'delete');
    writes.sort((a, b) => b.change.flow.table - a.change.flow.table);
    deletes.sort((a, b) => a.change.flow.table - b.change.flow.table);
    return [...writes, ...deletes];
  }

  /** Whether the change, taken from `pending` earlier, is still to be done. */
  stands({ place, change }: Planned): boolean {
    if (!this.#pending.has(place)) return false;
    const wanted = wantedAt(place);
    if (change.type === 'write') return wanted?.cookie === change.flow.cookie;
    return wanted === undefined && place.present?.cookie === change.flow.cookie;
  }

  /** The switch has carried out `planned` but for the failures. Returns the owners of what was refused. */
  settle(planned: readonly Planned[], failures: readonly FlowFailure[]): readonly string[] {
    const reasons = new Map(failures.map(({ index, reason }) => [index, reason]));
    const refused: Place[] = [];
    for (const [index, { place: before, change }] of planned.entries()) {
      // Everybody may have left the place, and others come to it, while the switch was at work.
      const place = this.#places.get(before.key) === before ? before : this.#at(before.key);
      const reason = reasons.get(index);
      if (reason === undefined) this.#done(place, change);
      else {
        place.refusal = { change, reason };
        this.#refused.add(place);
        refused.push(place);
      }
      this.#review(place);
    }
    return refused.flatMap((place) => place.claims.map(({ owner }) => owner));
  }

  /** Puts what was refused up for another attempt. */
  retry(): void {
    const places = [...this.#refused];
    this.#refused.clear();
    for (const place of places) {
      place.refusal = undefined;
      this.#review(place);
    }
  }

  /** Why something of `owner` is not as wanted; null if all of it is, or has not been tried. */
  refusal(owner: string): string | null {
    if (this.#refused.size === 0) return null;
    for (const { refusal } of this.#placesOf.get(owner) ?? nowhere) if (refusal !== undefined) return refusal.reason;
    return null;
  }

  /** Whether something of `owner` is still to be written or deleted. */
  waits(owner: string): boolean {
    if (this.#pending.size === 0) return false;
    return (this.#placesOf.get(owner) ?? nowhere).some((place) => this.#pending.has(place));
  }

  /** The flows of `owner` that are wanted in the switch. */
  flowsOf(owner: string): readonly Flow[] {
    return (this.#placesOf.get(owner) ?? nowhere).flatMap(({ claims: [first] }) =>
      first?.owner === owner ? [first.flow] : [],
    );
  }

  /** Lets an owner go of places that it no longer wants, once they are settled. */
  forget(owner: string): void {
    if (this.#leaving.size === 0 || !this.#leaving.has(owner)) return;
    const places = must(this.#placesOf.get(owner), 'who is leaving has places');
    const unsettled = places.filter((place) => !claims(place, owner) && this.#unsettled(place));
    if (unsettled.length === 0) this.#leaving.delete(owner);
    const kept = places.filter((place) => claims(place, owner) || this.#unsettled(place));
    if (kept.length > 0) this.#placesOf.set(owner, kept);
    else this.#placesOf.delete(owner);
  }

  /** Nothing is left to be done. */
  get settled(): boolean {
    return this.#pending.size === 0;
  }

  get refused(): number {
    return this.#refused.size;
  }

  /** For people. Looks at everything. */
  describe(): { wanted: Map<number, number>; present: number; foreign: number; pending: number; refused: number } {
    const wanted = new Map<number, number>();
    let present = 0;
    for (const place of this.#places.values()) {
      if (place.present !== undefined) present++;
      const table = wantedAt(place)?.table;
      if (table !== undefined) wanted.set(table, (wanted.get(table) ?? 0) + 1);
    }
    return {
      wanted,
      present,
      foreign: this.#foreign.size,
      pending: this.#pending.size,
      refused: this.#refused.size,
    };
  }

  #at(key: string): Place {
    let place = this.#places.get(key);
    if (place === undefined) {
      place = { key, claims: nobody, present: undefined, foreign: false, refusal: undefined };
      this.#places.set(key, place);
    }
    return place;
  }

  #claim(claim: Claim): Place {
    const place = this.#at(flowKey(claim.flow));
    const others = place.claims.filter(({ owner }) => owner !== claim.owner);
    place.claims = others.length === 0 ? [claim] : [...others, claim].sort(byRank);
    this.#review(place);
    return place;
  }

  /** Withdraws `owner` from places that it no longer wants; returns those that the switch has not let go of. */
  #leave(owner: string, before: readonly Place[], wanted: ReadonlySet<Place>): readonly Place[] {
    const left = before.filter((place) => !wanted.has(place));
    for (const place of left) {
      const others = place.claims.filter((claim) => claim.owner !== owner);
      place.claims = others.length > 0 ? others : nobody;
      this.#review(place);
    }
    return left.filter((place) => this.#unsettled(place));
  }

  #unsettled(place: Place): boolean {
    return this.#pending.has(place) || place.refusal !== undefined;
  }

  /** Brings `pending` and `refused` in line for one place; the only one to do so. */
  #review(place: Place): void {
    const wanted = wantedAt(place);
    const { present } = place;
    if (place.foreign && wanted !== undefined && wanted.cookie === present?.cookie) {
      place.foreign = false;
      this.#foreign.delete(place);
    }
    const settled = wanted === undefined ? present === undefined || place.foreign : wanted.cookie === present?.cookie;
    if (settled) {
      this.#pending.delete(place);
      this.#acquit(place);
      // An owner may still know a place that is gone and has come anew as another.
      const isGone = wanted === undefined && present === undefined;
      if (isGone && this.#places.get(place.key) === place) this.#places.delete(place.key);
    } else if (isRefused(place, wanted)) {
      this.#pending.delete(place);
    } else {
      this.#acquit(place);
      this.#pending.add(place);
    }
  }

  #acquit(place: Place): void {
    if (place.refusal === undefined) return;
    place.refusal = undefined;
    this.#refused.delete(place);
  }

  #done(place: Place, change: FlowChange): void {
    place.present = change.type === 'delete' ? undefined : change.flow;
    if (!place.foreign) return;
    place.foreign = false;
    this.#foreign.delete(place);
  }
}

function wantedAt(place: Place): Flow | undefined {
  return place.claims[0]?.flow;
}

function claims(place: Place, owner: string): boolean {
  return place.claims.some((claim) => claim.owner === owner);
}

function changeOf(place: Place): FlowChange {
  const wanted = wantedAt(place);
  if (wanted !== undefined) return { type: 'write', flow: wanted };
  return { type: 'delete', flow: must(place.present, 'what is to be deleted is present') };
}

/** Whether what is to be done at the place is what the switch has refused. */
function isRefused({ refusal }: Place, wanted: Flow | undefined): boolean {
  if (refusal === undefined) return false;
  if (wanted === undefined) return refusal.change.type === 'delete';
  return refusal.change.type === 'write' && refusal.change.flow.cookie === wanted.cookie;
}

function byRank(a: Claim, b: Claim): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  return a.owner < b.owner ? -1 : 1;
}
