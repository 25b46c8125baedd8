// Says when the whole machine stood still: `node scripts/watch-standstills.mjs FILE` appends a line for each time, its begin and end in ms since 1970.
// A virtual machine is not always given its processors, and no process of its own is to blame for that. With the priority of real time (`chrt`)
// this one waits for no other, so that what it sees is the machine's.
import { appendFileSync } from 'node:fs';

const LEAST_MS = 5;
const file = process.argv[2];
const nobodyWakesIt = new Int32Array(new SharedArrayBuffer(4));
// Whoever started it may be killed and cannot end it then.
const parent = process.ppid;
let last = Date.now();
while (process.ppid === parent) {
  Atomics.wait(nobodyWakesIt, 0, 0, 1);
  const now = Date.now();
  if (now - last > LEAST_MS) appendFileSync(file, `${last} ${now}\n`);
  last = now;
}
