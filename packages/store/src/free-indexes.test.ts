import { seededRandom } from '@alcor/runtime';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FreeIndexes } from './free-indexes.ts';

/** A "database" of taken indexes, and how much of it was read. */
function createTable(taken: readonly number[] = []) {
  const rows = new Set(taken);
  const loads: [number, number][] = [];
  const loadTaken = (first: number, last: number): Promise<readonly number[]> => {
    loads.push([first, last]);
    return Promise.resolve([...rows].filter((index) => index >= first && index <= last));
  };
  return { rows, loads, loadTaken };
}

const over = (size: number, table = createTable(), order: 'lowest' | 'rotating' = 'lowest') =>
  new FreeIndexes({ size, loadTaken: table.loadTaken, random: seededRandom(1), order });

it('gives the lowest free index, also one freed since', async () => {
  const free = over(100, createTable([0, 2]));
  expect([await free.take(), await free.take(), await free.take()]).toEqual([1, 3, 4]);
  free.release(3);
  expect(await free.take()).toBe(3);
});

it('gives what was freed as late as possible when rotating', async () => {
  const free = over(4, createTable(), 'rotating');
  expect([await free.take(), await free.take()]).toEqual([0, 1]);
  free.release(0);
  expect([await free.take(), await free.take(), await free.take(), await free.take()]).toEqual([2, 3, 0, null]);
});

it('gives none when all are taken, and what another has freed after a reload', async () => {
  const table = createTable([0, 1]);
  const free = over(2, table);
  expect(await free.take()).toBeNull();
  table.rows.delete(1);
  expect(await free.take()).toBeNull();
  free.reload();
  expect(await free.take()).toBe(1);
});

it('keeps what is under way over a reload', async () => {
  const free = over(3);
  expect(await free.take()).toBe(0);
  free.reload();
  expect([await free.take(), await free.take(), await free.take()]).toEqual([1, 2, null]);
});

it('reads each chunk once, however many ask at once, and none that it need not', async () => {
  const table = createTable(Array.from({ length: 4096 }, (_, index) => index));
  const free = over(2 ** 40, table);
  const taken = await Promise.all(Array.from({ length: 50 }, () => free.take()));
  expect(new Set(taken).size).toBe(50);
  expect(Math.min(...taken.map(Number))).toBe(4096);
  expect(table.loads).toEqual([
    [0, 4095],
    [4096, 8191],
  ]);
});

it('keeps out of the way of another process after a conflict', async () => {
  const [one, other] = [over(4096), over(4096)];
  const first = await one.take();
  await other.take();
  other.conflict(first ?? -1);
  const [mine, theirs] = [await one.take(), await other.take()];
  expect(theirs).not.toBe(mine);
  expect(theirs).not.toBe(first);
});

it('tries again after a load that failed', async () => {
  let broken = true;
  const loadTaken = (): Promise<readonly number[]> =>
    broken ? Promise.reject(new Error('gone')) : Promise.resolve([]);
  const free = new FreeIndexes({ size: 10, loadTaken, random: seededRandom(1), order: 'lowest' });
  await expect(free.take()).rejects.toThrow('gone');
  broken = false;
  expect(await free.take()).toBe(0);
});

it('never gives an index twice, and gives all there are', async () => {
  const step = fc.oneof(fc.constant('take'), fc.constant('release'), fc.constant('conflict'), fc.constant('reload'));
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 70 }),
      fc.array(step, { maxLength: 200, size: 'max' }),
      async (size, steps) => {
        const table = createTable();
        const free = over(size, table);
        for (const action of steps) {
          if (action === 'take') {
            const index = await free.take();
            if (index === null) continue;
            expect(index).toBeLessThan(size);
            expect(table.rows.has(index)).toBe(false);
            table.rows.add(index);
            free.settle(index);
          } else if (action === 'release') {
            const [index] = table.rows;
            if (index === undefined) continue;
            table.rows.delete(index);
            free.release(index);
          } else if (action === 'conflict') {
            const [index] = table.rows;
            if (index !== undefined) free.conflict(index);
          } else free.reload();
        }
        while (table.rows.size < size) {
          const index = await free.take();
          if (index === null) throw new Error('nothing free, yet not all are taken');
          table.rows.add(index);
          free.settle(index);
        }
        expect(await free.take()).toBeNull();
      },
    ),
  );
});
