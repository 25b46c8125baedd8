import { expect, it } from 'vitest';
import { createPasswords } from './passwords.ts';

it('knows a password by its hash, and nobody by none', async () => {
  const passwords = createPasswords();
  const hash = await passwords.hash('pässword');
  expect(hash).not.toBe(await passwords.hash('pässword'));
  expect(await passwords.verify('pässword', hash)).toBe(true);
  expect(await passwords.verify('password', hash)).toBe(false);
  expect(await passwords.verify('nobody has this password', null)).toBe(false);
});

it('computes a few at a time, and refuses when too many wait', async () => {
  const passwords = createPasswords({ atOnce: 1, waiting: 2 });
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => passwords.hash('x')));
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected']);
  expect((outcomes[4] as PromiseRejectedResult).reason).toMatchObject({ status: 503 });
  expect(await passwords.hash('x')).toContain('$argon2id$');
});
