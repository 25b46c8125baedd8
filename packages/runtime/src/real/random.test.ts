import { expect, it } from 'vitest';
import { realRandom } from './random.ts';

it('numbers are between 0 and 1 and do not come again, however many are drawn', () => {
  const numbers = Array.from({ length: 2_000 }, () => realRandom.next());
  expect(numbers.every((each) => each >= 0 && each < 1)).toBe(true);
  expect(new Set(numbers).size).toBe(2_000);
});
