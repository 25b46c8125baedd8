import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Abortable, Means } from './means.ts';
import { CommandError, run } from './run.ts';

const NAMED = '/run/netns';

/** Makes a network namespace unless it is there. */
export async function ensureNamespace(name: string, { signal }: Abortable): Promise<void> {
  signal?.throwIfAborted();
  try {
    // Not aborted half-way: a name without its mount would be left, which is there and is no namespace.
    await run('ip', ['netns', 'add', name]);
  } catch (error) {
    if (!(error instanceof CommandError && error.stderr.includes('File exists'))) throw error;
  }
  signal?.throwIfAborted();
}

/** Names of namespaces that start like this. */
export async function namespacesOf(prefix: string): Promise<readonly string[]> {
  try {
    return (await readdir(NAMED)).filter((name) => name.startsWith(prefix)).sort();
  } catch {
    // The folder comes with the machine's first namespace.
    return [];
  }
}

/** Runs `ip` commands in a namespace, all in one process. Stops at the first that fails. */
export async function ipIn(namespace: string, commands: readonly string[], options: Abortable): Promise<void> {
  await run('ip', ['-n', namespace, '-batch', '-'], { ...options, input: `${commands.join('\n')}\n` });
}

/** Names of the interfaces in a namespace, each without its peer; none where there is no such namespace. */
export async function linksOf(namespace: string, options: Abortable): Promise<ReadonlySet<string>> {
  const listed = await run('ip', ['-n', namespace, '-o', 'link'], options).catch((error: unknown) => absent(error, ''));
  return new Set([...listed.matchAll(/^\d+: ([^:@]+)/gm)].map((match) => match[1] ?? ''));
}

/** Runs a command inside a namespace. */
export function runIn(
  namespace: string,
  command: string,
  args: readonly string[],
  options: Parameters<typeof run>[2] = {},
): Promise<string> {
  return run('ip', ['netns', 'exec', namespace, command, ...args], options);
}

/** True where the process lives in the namespace; false where either is gone. */
export async function livesIn(pid: number, namespace: string): Promise<boolean> {
  try {
    const [link, file] = await Promise.all([readlink(`/proc/${pid}/ns/net`), stat(join(NAMED, namespace))]);
    return link === `net:[${file.ino}]`;
  } catch {
    return false;
  }
}

/** Kills what lives in the namespaces and removes them; those that are gone already are none the worse. */
export async function removeNamespaces(names: readonly string[], { sleep }: Means, options: Abortable): Promise<void> {
  await killUntilGone(
    async () => (await Promise.all(names.map((name) => residentsOf(name, options)))).flat(),
    sleep,
    options,
  );
  for (const name of names) await removeNamespace(name, options);
}

/** Kills the processes of one program in a namespace; resolves when none is left. */
export function killProgram(namespace: string, program: string, { sleep }: Means, options: Abortable): Promise<void> {
  const find = async (): Promise<readonly number[]> => {
    const residents = await residentsOf(namespace, options);
    const programs = await Promise.all(residents.map(programOf));
    return residents.filter((_, at) => programs[at] === program);
  };
  return killUntilGone(find, sleep, options);
}

/** The name of the program that a process runs; `undefined` where it is gone. */
export async function programOf(pid: number): Promise<string | undefined> {
  try {
    return (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
  } catch {
    return undefined;
  }
}

async function killUntilGone(
  find: () => Promise<readonly number[]>,
  sleep: Means['sleep'],
  options: Abortable,
): Promise<void> {
  for (;;) {
    const found = await find();
    if (found.length === 0) return;
    for (const pid of found) kill(pid);
    await sleep(5, options.signal);
  }
}

async function residentsOf(name: string, options: Abortable): Promise<readonly number[]> {
  try {
    const listed = await run('ip', ['netns', 'pids', name], options);
    return listed.split('\n').filter(Boolean).map(Number);
  } catch (error) {
    return absent(error, []);
  }
}

async function removeNamespace(name: string, options: Abortable): Promise<void> {
  try {
    await run('ip', ['netns', 'del', name], options);
  } catch (error) {
    absent(error, undefined);
  }
}

function absent<T>(error: unknown, instead: T): T {
  if (error instanceof CommandError && error.stderr.includes('No such file or directory')) return instead;
  throw error;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
