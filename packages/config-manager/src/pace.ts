/** A host is told of what nobody waits for at once, and then not again for so long, in ms. */
const leastMs = 20;
/** By then whoever is to know has seldom come to ask. */
const mostMs = 100;
/** Up to so many hosts do not hold anybody up. */
const hostsAtLeastPace = 16;

/**
 * How often hosts are told of what nobody waits for. A message and its acknowledgement cost more than a goal in them, so the more hosts there are to be
 * told the more is gathered for each: those who wait for answers are served by the same process.
 */
export class Pace {
  #hosts = 0;

  /** For one more host something is gathered; returns for how long, in ms. */
  enter(): number {
    this.#hosts++;
    return Math.min(mostMs, leastMs * Math.max(1, this.#hosts / hostsAtLeastPace));
  }

  leave(): void {
    this.#hosts--;
  }
}
