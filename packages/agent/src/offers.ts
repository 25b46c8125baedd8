import { bucketOf, bucketsOf, type Goal, HeldVpc as Offer } from '@alcor/contract';
import type { HeldVpc } from './held-vpc.ts';

/** What was offered to one stream of what is held, so that it need not tell it, and how it has taken that up. */
export class Offers {
  readonly #open = new Map<string, Offer>();
  /** Of VPCs that were taken up but for some buckets: whether the goal is in one of those. */
  readonly #stale = new Map<string, (goal: Goal) => boolean>();
  /** VPCs that were taken up when what was offered was not held any more. */
  readonly #lost = new Set<string>();

  /** Offers everything that is held of a VPC. */
  open({ id, digest, onDemand, learntIds }: HeldVpc): Offer {
    const offer = Offer.fromPartial({ vpcId: id, ...digest.offer(), onDemand, learntIds });
    this.#open.set(id, offer);
    return offer;
  }

  /** The stream begins the VPC. */
  drop(vpcId: string): void {
    this.#open.delete(vpcId);
    this.#stale.delete(vpcId);
    this.#lost.delete(vpcId);
  }

  /** The stream takes the offer up but for these buckets. False when it is not what is held any more. */
  takeUp({ id, digest }: HeldVpc, staleBuckets: readonly number[]): boolean {
    const offer = this.#open.get(id);
    this.drop(id);
    const stands = offer?.count === digest.count && digest.differing(offer)?.length === 0;
    if (!stands) this.#lost.add(id);
    else if (staleBuckets.length > 0) {
      const count = bucketsOf(offer.digests)!;
      const stale = new Set(staleBuckets);
      this.#stale.set(id, (goal) => stale.has(bucketOf(goal, count)));
    }
    return stands;
  }

  /** Whether what the stream leaves out of the VPC says nothing, until it begins it. */
  isLost(vpcId: string): boolean {
    return this.#lost.has(vpcId);
  }

  /** Of the goals that the stream has left out in a VPC of which it has told the rest: which are meant to go. */
  leftOut(vpcId: string): (goal: Goal) => boolean {
    const isStale = this.#stale.get(vpcId);
    this.#stale.delete(vpcId);
    return isStale ?? (() => true);
  }
}
