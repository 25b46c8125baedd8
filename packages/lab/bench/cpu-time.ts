import { readdir, readFile } from 'node:fs/promises';

/** Time that all threads of a process have had on a CPU, in ms (`/proc/PID/task/TID/schedstat`: nanoseconds first). */
export async function cpuMs(pid: number): Promise<number> {
  let total = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    try {
      total += Number((await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')).split(' ', 1)[0]) / 1e6;
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return total;
}

/** The same of several processes together. */
export async function cpuMsOf(pids: readonly number[]): Promise<number> {
  return (await Promise.all(pids.map(cpuMs))).reduce((total, ms) => total + ms, 0);
}
