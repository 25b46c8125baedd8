import { execFile, type ChildProcess, type ExecFileException } from 'node:child_process';
import type { Abortable } from './means.ts';

/** A command that ended with a status other than 0; the message carries what it said. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** `undefined` where the command could not be started or was killed. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(command: string, status: number | undefined, stdout: string, stderr: string, cause: unknown) {
    const said = stderr.trim() === '' ? 'no message' : stderr.trim();
    super(`${command}: ${status === undefined ? 'did not finish' : `status ${status}`}: ${said}`, { cause });
    this.status = status;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

export interface RunOptions extends Abortable {
  /** Written to standard input. */
  readonly input?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Killed after this long; never unless given. */
  readonly timeoutMs?: number;
}

/**
 * Runs a command to its end and gives what it wrote; the one place where the lab starts processes. An abort kills it; either
 * way it has ended when the promise settles, so nothing that it holds is in the way of the next one.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { signal, input, env, timeoutMs = 0 } = options;
  signal?.throwIfAborted();
  const settings = { env: { ...process.env, ...env }, maxBuffer: 16 * 1024 * 1024, timeout: timeoutMs };
  let child: ChildProcess | undefined;
  const kill = (): void => void child?.kill('SIGKILL');
  try {
    return await new Promise<string>((resolve, reject) => {
      child = execFile(command, [...args], settings, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(signal?.aborted === true ? signal.reason : failure([command, ...args], error, stdout, stderr));
      });
      signal?.addEventListener('abort', kill, { once: true });
      // A command that ends before it has read everything is judged by its status.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

function failure(words: readonly string[], error: ExecFileException, stdout: string, stderr: string): CommandError {
  const status = typeof error.code === 'number' ? error.code : undefined;
  return new CommandError(words.join(' '), status, stdout, stderr || error.message, error);
}
