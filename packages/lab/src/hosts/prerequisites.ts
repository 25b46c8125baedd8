import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run } from './run.ts';
import { SCHEMA } from './switch-daemons.ts';

const TOOLS = ['ip', 'ovs-vswitchd', 'ovsdb-server', 'ovsdb-tool', 'ethtool', 'ping'];

export type CanEmulate =
  | { readonly ok: true }
  | { readonly ok: false; readonly missing: readonly string[]; readonly reason: string };

/** Whether this machine can carry emulated hosts, and what it lacks where it cannot. */
export async function canEmulate(): Promise<CanEmulate> {
  const tools = await Promise.all(TOOLS.map(async (tool) => ((await installed(tool)) ? [] : [tool])));
  const missing = [
    ...(process.getuid?.() === 0 ? [] : ['root']),
    ...tools.flat(),
    ...((await exists(SCHEMA)) ? [] : [SCHEMA]),
  ];
  if (missing.length > 0) return { ok: false, missing, reason: `emulated hosts need ${missing.join(', ')}` };
  return namespacesPermitted();
}

async function namespacesPermitted(): Promise<CanEmulate> {
  const probe = `alcor-probe-${process.pid}`;
  try {
    await run('ip', ['netns', 'add', probe]);
    await run('ip', ['netns', 'del', probe]);
    return { ok: true };
  } catch (error) {
    return {
      ok: false,
      missing: ['network namespaces'],
      reason: `network namespaces are not permitted: ${String(error)}`,
    };
  }
}

async function installed(tool: string): Promise<boolean> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = await Promise.all(folders.map((folder) => exists(join(folder, tool))));
  return found.includes(true);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
