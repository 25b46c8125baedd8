import { randomBytes } from 'node:crypto';
import type { Random } from '../runtime.ts';

export const realRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: (length) => randomBytes(length),
};
