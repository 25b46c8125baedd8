import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Abortable, Means } from './means.ts';
import { killProgram, livesIn, programOf, runIn } from './namespace.ts';
import { run } from './run.ts';

export const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

/** Far longer than a daemon takes to serve, even on a busy machine. */
const START_MS = 20_000;

/** A place where a switch runs: a namespace and a folder. */
export interface SwitchPlace {
  readonly netns: string;
  readonly runDir: string;
  readonly means: Means;
}

export const databaseSocket = (place: SwitchPlace): string => join(place.runDir, 'db.sock');

/** The database server, with a database made at its first start. */
export async function ensureDatabase(place: SwitchPlace, options: Abortable): Promise<void> {
  await mkdir(place.runDir, { recursive: true });
  if ((await daemonPid(place, 'ovsdb-server')) !== undefined) return;
  const file = join(place.runDir, 'conf.db');
  if (!(await exists(file))) await createDatabase(file, options);
  await startDaemon(place, 'ovsdb-server', [file, `--remote=punix:${databaseSocket(place)}`], options);
}

/** In one step for all who look, so that a start cut short leaves no half of a database. */
async function createDatabase(file: string, options: Abortable): Promise<void> {
  const draft = `${file}.draft`;
  await rm(draft, { force: true });
  await run('ovsdb-tool', ['create', draft, SCHEMA], options);
  await rename(draft, file);
}

/** The switch itself; `--disable-system` since there is no kernel datapath to look for. */
export async function ensureSwitch(place: SwitchPlace, options: Abortable): Promise<void> {
  if ((await daemonPid(place, 'ovs-vswitchd')) !== undefined) return;
  await startDaemon(place, 'ovs-vswitchd', [`unix:${databaseSocket(place)}`, '--disable-system'], options);
}

/** Process id of a daemon that runs in this place, by its pid file; `undefined` where it does not run. */
export async function daemonPid(
  place: SwitchPlace,
  daemon: 'ovsdb-server' | 'ovs-vswitchd',
): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(pidFile(place, daemon), 'utf8'));
    const [name, here] = await Promise.all([programOf(pid), livesIn(pid, place.netns)]);
    return here && name === daemon ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Returns once the daemon serves; it is detached, so it outlives this process however that ends. */
async function startDaemon(
  place: SwitchPlace,
  daemon: string,
  args: readonly string[],
  options: Abortable,
): Promise<void> {
  const housekeeping = [
    '--detach',
    '--no-chdir',
    `--pidfile=${pidFile(place, daemon)}`,
    `--unixctl=${join(place.runDir, `${daemon}.ctl`)}`,
    `--log-file=${join(place.runDir, `${daemon}.log`)}`,
    '-vconsole:off',
  ];
  // A start that was cut short may have left one that is not yet in its pid file and would stand in the way.
  await killProgram(place.netns, daemon, place.means, options);
  // The bridges' management sockets lie in the run folder, which only the environment sets.
  const env = { OVS_RUNDIR: place.runDir, OVS_LOGDIR: place.runDir, OVS_DBDIR: place.runDir };
  // Not by the signal: a daemon whose starter is killed looks alive for a moment and then gives up.
  await runIn(place.netns, daemon, [...args, ...housekeeping], { env, timeoutMs: START_MS });
  options.signal?.throwIfAborted();
}

function pidFile(place: SwitchPlace, daemon: string): string {
  return join(place.runDir, `${daemon}.pid`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
