// A real Keystone in a directory: SQLite, Fernet keys, nothing of it outside.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers } from './processes.mjs';

/**
 * Tokens are signed but not stored, passwords are hashed lightly, and what was read is remembered (the server is one process):
 * tempest makes a user or two for each of its classes, and Keystone would take most of the time.
 */
function configuration(directory) {
  return `[DEFAULT]
use_stderr = true
[database]
connection = sqlite:///${join(directory, 'keystone.sqlite')}?timeout=30
sqlite_synchronous = false
[token]
provider = fernet
[cache]
enabled = true
backend = dogpile.cache.memory
[fernet_tokens]
key_repository = ${join(directory, 'fernet-keys')}
[fernet_receipts]
key_repository = ${join(directory, 'receipt-keys')}
[credential]
key_repository = ${join(directory, 'credential-keys')}
[identity]
password_hash_rounds = 4
`;
}

/** Without it, one of Keystone's own readers can keep its writer out until it gives up: "database is locked". */
const writeAheadLog = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA journal_mode=WAL')";

/** Makes Keystone's database, keys and administrator in `directory` and serves it; resolves with the address of its API. */
export async function startKeystone({ processes, directory, port, region, password }) {
  for (const each of ['', 'fernet-keys', 'receipt-keys', 'credential-keys'])
    mkdirSync(join(directory, each), { recursive: true, mode: 0o700 });
  const config = join(directory, 'keystone.conf');
  const log = join(directory, 'keystone.log');
  const url = `http://127.0.0.1:${port}/v3`;
  writeFileSync(config, configuration(directory));
  const manage = (args, env) => processes.run('keystone-manage', ['--config-file', config, ...args], { log, env });
  const me = ['--keystone-user', String(process.getuid()), '--keystone-group', String(process.getgid())];
  // Neither needs what the other makes, and each takes seconds to load Keystone.
  await Promise.all([manage(['db_sync']), manage(['fernet_setup', ...me])]);
  await processes.run('python3', ['-c', writeAheadLog, join(directory, 'keystone.sqlite')], { log });
  const bootstrap = ['bootstrap', '--bootstrap-region-id', region, '--bootstrap-public-url', url];
  await manage(bootstrap, { OS_BOOTSTRAP_PASSWORD: password });
  // Keystone's own small server takes one request at a time, which suits SQLite: it lets one write at a time.
  const server = ['--host', '127.0.0.1', '--port', String(port), '--', '--config-file', config];
  const keystone = processes.start('keystone-wsgi-public', server, { log });
  await answers(url, keystone);
  return url;
}
