/**
 * Digests: two sides that hold goals of one VPC find out how they differ without naming them.
 *
 *   goal ─▶ bucket, by kind and id ─▶ exclusive or of 64 bits, by content, of all goals in the bucket
 *
 * A digest does not depend on the order in which goals came, and a goal is added or taken out at its own cost. Revisions are left out:
 * what changed and is as it was says the same, and one revision of a port may say different things as its host moves.
 */
import type { Goal, GoalKind } from './goal.ts';

const buckets = 64;
const bytesPerBucket = 8;
/** An offer has one bucket for so many goals: small ones stay far smaller than what they speak of. */
const goalsPerBucket = 32;

/** As `HeldVpc` carries it. */
export interface OfferedDigest {
  readonly count: number;
  readonly digests: Uint8Array;
}

export class GoalDigest {
  /** Two words for each bucket. */
  readonly #words = new Int32Array(2 * buckets);
  #count = 0;

  /** How many goals it is over. */
  get count(): number {
    return this.#count;
  }

  add(goal: Goal): void {
    this.#count++;
    toggle(this.#words, goal);
  }

  /** Takes out a goal that was added, in whatever revision. */
  remove(goal: Goal): void {
    this.#count--;
    toggle(this.#words, goal);
  }

  /** A digest over the goals of both. */
  with(goals: Iterable<Goal>): GoalDigest {
    const result = new GoalDigest();
    result.#words.set(this.#words);
    result.#count = this.#count;
    for (const goal of goals) result.add(goal);
    return result;
  }

  /** In as many buckets as is worth it for so many goals. */
  offer(): { count: number; digests: Buffer } {
    let count = 1;
    while (count < buckets && count * goalsPerBucket < this.#count) count *= 2;
    const digests = Buffer.alloc(count * bytesPerBucket);
    for (const [at, word] of this.#folded(count).entries()) digests.writeInt32BE(word, at * 4);
    return { count: this.#count, digests };
  }

  /**
   * The offered buckets that differ from what this digest and `also` are over; undefined when the offer makes no sense. Costs what is offered
   * and `also`: a host that comes back is compared with a digest for all hosts and what it alone is told.
   */
  differing({ digests }: OfferedDigest, also: Iterable<Goal> = []): number[] | undefined {
    const count = bucketsOf(digests);
    if (count === undefined) return undefined;
    const words = this.#folded(count);
    for (const goal of also) toggle(words, goal);
    const offered = new DataView(digests.buffer, digests.byteOffset, digests.byteLength);
    const differing: number[] = [];
    for (let bucket = 0; bucket < count; bucket++) {
      const at = bucket * bytesPerBucket;
      if (offered.getInt32(at) !== words[2 * bucket] || offered.getInt32(at + 4) !== words[2 * bucket + 1])
        differing.push(bucket);
    }
    return differing;
  }

  /** Two words for each of so many buckets. */
  #folded(count: number): Int32Array {
    const words = new Int32Array(2 * count);
    for (let at = 0; at < this.#words.length; at++) words[at % words.length]! ^= this.#words[at]!;
    return words;
  }
}

/** Puts a goal into the buckets, or takes it out. */
function toggle(words: Int32Array, goal: Goal): void {
  start(goal);
  const at = (2 * bucketHere()) % words.length;
  content(goal.state);
  words[at] = words[at]! ^ high;
  words[at + 1] = words[at + 1]! ^ low;
}

/** How many buckets an offer has; undefined when it makes no sense. */
export function bucketsOf(digests: Uint8Array): number | undefined {
  const count = digests.length / bytesPerBucket;
  return count >= 1 && count <= buckets && Number.isInteger(Math.log2(count)) ? count : undefined;
}

/** The bucket that the goal is in, where there are `count` of them. */
export function bucketOf(goal: Goal, count: number): number {
  start(goal);
  return bucketHere() % count;
}

/** The hash so far: two words, because a pair to return for every part would cost more than the hash. */
let high = 0;
let low = 0;

const kinds: { readonly [K in GoalKind]: number } = {
  vpc: 1,
  subnet: 2,
  port: 3,
  neighbor: 4,
  'security-group': 5,
  'address-group': 6,
  router: 7,
  gateway: 8,
  'network-acl': 9,
  'qos-policy': 10,
  'floating-ip': 11,
};

/** Begins with what names the goal in its VPC. */
function start({ kind, state }: Goal): void {
  high = kinds[kind];
  low = ~high;
  text(state.id);
}

/** By what names the goal alone. */
function bucketHere(): number {
  return (high ^ low) & (buckets - 1);
}

function content(state: object): void {
  for (const name in state) {
    if (name === 'revisionNumber' || name === 'id' || name === 'vpcId') continue;
    value((state as Record<string, unknown>)[name]);
  }
}

/** Numbers of the contract are not negative. */
const absent = -1;

/** Fields come in the order in which generated code makes them, which is that of the contract. */
function value(part: unknown): void {
  if (typeof part === 'string') return text(part);
  if (typeof part === 'number') return number(part);
  if (typeof part === 'boolean') return number(part ? 1 : 0);
  if (part === undefined) return number(absent);
  if (!Array.isArray(part)) {
    for (const name in part as object) value((part as Record<string, unknown>)[name]);
    return undefined;
  }
  number(part.length);
  for (const each of part) value(each);
  return undefined;
}

/** The inner loop of cyrb53, mixed after every string so that where one ends makes a difference. */
function text(part: string): void {
  for (let at = 0; at < part.length; at++) {
    const unit = part.charCodeAt(at);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x5f356495);
  }
  mix();
}

/** Integers of up to 53 bits. */
function number(part: number): void {
  high = Math.imul(high ^ Math.floor(part / 0x1_0000_0000), 0x9e3779b1);
  low = Math.imul(low ^ part, 0x5f356495);
  mix();
}

/** Both words into each other, as MurmurHash3 ends. */
function mix(): void {
  const before = high;
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(before ^ (before >>> 13), 0xc2b2ae35);
}
