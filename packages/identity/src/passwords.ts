import { refusal } from '@alcor/network';
import { type Options, hash, verify } from '@node-rs/argon2';

/** OWASP's first choice for Argon2id: 19 MiB, two passes, one lane. About 15 ms of one core, on a thread of its own. */
const cost: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Keystone's own limit. */
export const longestPassword = 4096;

export interface Passwords {
  hash(password: string): Promise<string>;
  /** Takes as long where there is no such user (null), so that time does not tell who exists. */
  verify(password: string, stored: string | null): Promise<boolean>;
}

export interface PasswordLimits {
  /** Computed at a time: each takes a core and 19 MiB. Default: 2. */
  readonly atOnce?: number | undefined;
  /** Waiting for their turn; beyond, logging in is refused (503) and the rest goes on. Default: 100. */
  readonly waiting?: number | undefined;
}

/** Hashes passwords with Argon2id, a few at a time. */
export function createPasswords({ atOnce = 2, waiting = 100 }: PasswordLimits = {}): Passwords {
  const queue: (() => void)[] = [];
  let running = 0;
  let dummy: Promise<string> | undefined;

  const inTurn = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (running >= atOnce) {
      if (queue.length >= waiting) throw refusal('ServiceUnavailable', { reason: 'too many are logging in' });
      // Whoever ends hands its turn on: `running` stays as it is.
      await new Promise<void>((resolve) => queue.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };

  return {
    hash: (password) => inTurn(() => hash(password, cost)),
    verify: (password, stored) =>
      inTurn(async () => {
        dummy ??= hash('nobody has this password', cost);
        const matches = await verify(stored ?? (await dummy), password);
        return matches && stored !== null;
      }),
  };
}
