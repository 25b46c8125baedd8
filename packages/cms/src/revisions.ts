import { refusal } from '@alcor/network';
import type { Random } from '@alcor/runtime';

/** What a revision is counted in: `Topic`, as far as it matters. */
interface Counted {
  readonly position: number;
  readonly forgotten: number;
}

/** Where a reader is. */
export interface Place {
  readonly position: number;
  /** What had been forgotten when it began, which it cannot have missed. */
  readonly floor: number;
}

const expression = /^([0-9a-f]{12})-(\d{1,15})(?:-(\d{1,15}))?$/;

/**
 * Places in topics as clients are told them: `EPOCH-POSITION`, and `EPOCH-POSITION-FLOOR` of one that is still reading what there was in
 * the beginning. Topics are made anew with every start of a controller, and count from the beginning then; so each has an epoch, and a
 * revision of another one is known for what it is.
 */
export class Revisions {
  readonly #epochs = new WeakMap<Counted, string>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  of(topic: Counted, { position, floor }: Place): string {
    const revision = `${this.#epochOf(topic)}-${position}`;
    return position < floor ? `${revision}-${floor}` : revision;
  }

  /** The place that a client goes on from; empty text is the beginning. Throws InvalidInput and RevisionGone. */
  placeOf(topic: Counted, revision: string): Place {
    if (revision === '') return { position: 0, floor: topic.forgotten };
    const [, epoch, position, floor = '0'] = expression.exec(revision) ?? [];
    if (position === undefined) {
      throw refusal('InvalidInput', { reason: `'${revision.slice(0, 60)}' is no revision that this service gave` });
    }
    const place = { position: Number(position), floor: Number(floor) };
    if (epoch !== this.#epochOf(topic) || Math.max(place.position, place.floor) > topic.position) {
      throw refusal('RevisionGone', { revision });
    }
    this.checkWhole(topic, place);
    return place;
  }

  /** Throws RevisionGone where something that came after the place has been forgotten. */
  checkWhole(topic: Counted, place: Place): void {
    if (topic.forgotten > Math.max(place.position, place.floor)) {
      throw refusal('RevisionGone', { revision: this.of(topic, place) });
    }
  }

  #epochOf(topic: Counted): string {
    let epoch = this.#epochs.get(topic);
    if (epoch === undefined) this.#epochs.set(topic, (epoch = Buffer.from(this.#random.bytes(6)).toString('hex')));
    return epoch;
  }
}
