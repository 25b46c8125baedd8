import { canEmulate } from '@alcor/lab';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { removeGuests } from './testing/guests.ts';
import { startMovable } from './testing/migration.ts';
import { cleanUp, folder, start } from './testing/region-process.ts';

const emulation = await canEmulate();
if (!emulation.ok) console.log(`skipped: live migration on real Open vSwitch: ${emulation.reason}`);

afterAll(async () => {
  removeGuests();
  await cleanUp();
});

describe.skipIf(!emulation.ok)('a guest that moves to another host and back', () => {
  it('answers on, each request once, by the binding that is activated', async () => {
    const { json, url } = await start(['--state', join(folder(), 'state'), '--hosts', '3']);
    const guest = await startMovable(url, json);
    try {
      for (const n of [2, 1]) {
        const migration = await guest.move(n);
        console.log(`to host ${n + 1}: ${JSON.stringify(migration)}`);
        expect(migration.duplicates).toBe(0);
        // It had moved a second after the first of four thousand: how long a busy machine takes for that is for the benchmark to say.
        expect(migration.answered).toBeGreaterThan(migration.sent / 2);
        expect(migration.sent).toBe(4_000);
      }
    } finally {
      guest.remove();
    }
  });
});
