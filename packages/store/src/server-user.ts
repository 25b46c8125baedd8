import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The operating-system user PostgreSQL runs as, and how to become that user. */
export interface ServerUser {
  /** What the files it owns are given to; null where they are ours anyway. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  /** Put before the program and its arguments. */
  readonly prefix: readonly string[];
}

/**
 * PostgreSQL refuses to run as root. Then it runs as the first of these that the machine has.
 */
const candidates = ['postgres', 'nobody'];

/**
 * Finds a way to run `program` in `folder`. As root, with the rights of another user; where that user cannot reach the two
 * (a checkout below /root), with the one capability more that lets it pass. PostgreSQL looks with access(2), which counts
 * capabilities only if `no_setuid_fixup` is set.
 */
export function serverUser(program: string, folder: string): ServerUser {
  if (process.getuid?.() !== 0) return { owner: null, prefix: [] };
  const owner = findUser();
  const become: [string, ...string[]] = ['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'];
  const capable = [
    ...become,
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    '--securebits=+no_setuid_fixup',
  ];
  const reaches = `test -x "$0" && cd "$1"`;
  for (const prefix of [become, capable]) {
    const [command, ...rest] = [...prefix, 'sh', '-c', reaches, program, folder];
    if (spawnSync(command, rest, { stdio: 'ignore', cwd: '/' }).status === 0) return { owner, prefix };
  }
  throw new Error(`PostgreSQL does not run as root, and no other user can be made to reach ${program} and ${folder}`);
}

function findUser(): { readonly uid: number; readonly gid: number } {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of candidates) {
    const [, , uid, gid] = users.find(([login]) => login === name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`PostgreSQL does not run as root, and there is no user ${candidates.join(' or ')} to run it as`);
}
