import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where a region keeps what must outlive it, and what must not. */
export interface StateDirectory {
  readonly path: string;
  /** Starts the name of everything the region makes on the machine; the same for the same directory. */
  readonly prefix: string;
  /** Sockets and process files; short, because a Unix socket's path holds 107 bytes. Removed when the region ends. */
  readonly runDir: string;
  /** True when the directory was made now. */
  readonly fresh: boolean;
  /** Lets another region have the directory. */
  release(): void;
}

/** Takes the directory for this process; throws when a living region has it. */
export function takeStateDirectory(path: string): StateDirectory {
  const fresh = !existsSync(path);
  mkdirSync(path, { recursive: true });
  const lock = join(path, 'region.pid');
  const holder = existsSync(lock) ? readFileSync(lock, 'utf8') : '';
  if (holder !== '' && holder === identityOf(Number(holder.split(' ')[0]))) {
    throw new Error(
      `a region is already running on ${path} (process ${holder.split(' ')[0]}); stop it, or choose another --state and --port`,
    );
  }
  writeFileSync(lock, identityOf(process.pid));
  const digest = createHash('sha256').update(realpathSync(path)).digest('hex').slice(0, 6);
  const base = process.getuid?.() === 0 ? '/run' : tmpdir();
  const prefix = `al${digest}`;
  const runDir = join(base, `alcor-${digest}`);
  mkdirSync(runDir, { recursive: true, mode: 0o755 });
  return { path, prefix, runDir, fresh, release: () => rmSync(lock, { force: true }) };
}

/** Process id and start time, which together never come back; empty for a process that is not there. */
function identityOf(pid: number): string {
  try {
    process.kill(pid, 0);
    const stat = existsSync('/proc/self/stat') ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
  } catch {
    return '';
  }
}
