import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A server that runs on a data directory, as its `postmaster.pid` tells. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly socketDir: string;
}

/** The server that runs on `data`, if one does. */
export async function readPostmaster(data: string): Promise<Postmaster | null> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  // Process id, data directory, start time, port, socket directory, …
  const [pid = '', , , port = '', socketDir = ''] = text.split('\n');
  if (pid === '' || !(await isServer(Number(pid), data))) return null;
  return { pid: Number(pid), port: Number(port), socketDir };
}

/** Removes a `postmaster.pid` whose process is another's by now; else PostgreSQL would take that for itself and not start. */
export async function removeStalePid(data: string): Promise<void> {
  const file = join(data, 'postmaster.pid');
  const [pid = ''] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  if (pid !== '' && !(await isServer(Number(pid), data))) await rm(file, { force: true });
}

/** Whether there is such a process that has not ended. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether the process is the server that runs on `data`. */
export async function isServer(pid: number, data: string): Promise<boolean> {
  return isAlive(pid) && (await runsIn(pid, data));
}

/** The server's working directory is its data directory. Where the system cannot tell, believes it. */
async function runsIn(pid: number, data: string): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const folder = await readlink(`/proc/${pid}/cwd`).catch((error: NodeJS.ErrnoException) => error.code ?? '');
  if (folder === 'EACCES') return true;
  return folder === (await realpath(data));
}
