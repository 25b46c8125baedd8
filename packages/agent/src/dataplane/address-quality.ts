/**
 * What QoS policies make of addresses on external networks, floating IPs and those of routers' gateways: meters, which what leaves by the address
 * and what comes in by it has to pass, and a mark on what leaves.
 */
import { set } from './build.ts';
import { hash32 } from './cookie.ts';
import type { Action } from './flow.ts';
import type { MeterTracker } from './meter-tracker.ts';
import { addressMeter, ADDRESS_PLACES, type Meter } from './meters.ts';
import { meterFor, through, unitOf } from './quality.ts';
import type { QualityRules } from './resources.ts';

export interface AddressQuality {
  /** Of IP packets that leave the region as the address. */
  readonly outward: readonly Action[];
  /** Of those that come for it. */
  readonly inward: readonly Action[];
}

export const noQuality: AddressQuality = { outward: [], inward: [] };

/** The addresses of this host that have limits or a mark, by the owner of their flows. */
export class AddressQualities {
  readonly #meters: MeterTracker;
  readonly #places = new Map<string, number>();
  readonly #taken = new Set<number>();

  constructor(meters: MeterTracker) {
    this.#meters = meters;
  }

  /** What the owner's flows have to do from now on; its meters are wanted with them. */
  set(owner: string, rules: QualityRules | undefined): AddressQuality {
    if (rules === undefined || (rules.limits.length === 0 && rules.dscpMark === null)) {
      this.remove(owner);
      return noQuality;
    }
    const place = this.#placeOf(owner);
    const metersOf = (wanted: 'ingress' | 'egress'): Meter[] =>
      rules.limits
        .filter(({ direction }) => direction === wanted)
        .map((limit) => meterFor(addressMeter(place, limit.direction, unitOf(limit)), limit));
    const [egress, ingress] = [metersOf('egress'), metersOf('ingress')];
    this.#meters.set(owner, [...egress, ...ingress]);
    const mark = rules.dscpMark === null ? [] : [set('ip_dscp', rules.dscpMark)];
    return { outward: [...egress.map(through), ...mark], inward: ingress.map(through) };
  }

  remove(owner: string): void {
    const place = this.#places.get(owner);
    if (place === undefined) return;
    this.#places.delete(owner);
    this.#taken.delete(place);
    this.#meters.set(owner, []);
  }

  /** A hash, so that a new process finds the meters that it would make; of two with one hash the later has the next place. */
  #placeOf(owner: string): number {
    let place = this.#places.get(owner);
    if (place !== undefined) return place;
    place = hash32(`meters ${owner}`) % ADDRESS_PLACES;
    while (this.#taken.has(place)) place = (place + 1) % ADDRESS_PLACES;
    this.#taken.add(place);
    this.#places.set(owner, place);
    return place;
  }
}
