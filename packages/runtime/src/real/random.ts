import { randomBytes } from 'node:crypto';
import type { Random } from '../runtime.ts';

/** Of a number between 0 and 1. */
const bytesPerNumber = 6;
/** To ask the system for a few bytes costs as much as for many. */
const numbersAtOnce = 256;

let pool = Buffer.alloc(0);
let used = 0;

export const realRandom: Random = {
  next() {
    if (used === pool.length) {
      pool = randomBytes(bytesPerNumber * numbersAtOnce);
      used = 0;
    }
    const number = pool.readUIntBE(used, bytesPerNumber) / 2 ** 48;
    used += bytesPerNumber;
    return number;
  },
  bytes: (length) => randomBytes(length),
};
