// The Debian packages that the OpenStack suite needs.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { say } from '../setup.mjs';
import { pythonPath } from './suites.mjs';

/**
 * Debian packages by the command that shows that they are there. `python3-keystone` is all of Keystone but its system service,
 * which the package `keystone` would start with files in /etc and /var: here everything is in a temporary directory.
 */
const packages = {
  tempest: 'tempest',
  'keystone-manage': 'python3-keystone',
};

/** Installs what `suite` misses, saying so first; throws when something is missing and may not or cannot be installed. */
export function installTestPackages({ plugin }) {
  const missing = Object.keys(packages)
    .filter((command) => !onPath(command))
    .map((command) => packages[command]);
  if (plugin !== undefined && !existsSync(join(pythonPath, plugin.module))) missing.push(plugin.package);
  if (missing.length === 0) return;
  const names = missing.join(' ');
  if (process.env.ALCOR_NO_INSTALL === '1' || process.getuid?.() !== 0 || !onPath('apt-get')) {
    throw new Error(`the Debian packages ${names} are needed: \`apt-get install ${names}\` as root`);
  }
  say(`installing Debian packages: ${names} (ALCOR_NO_INSTALL=1 turns this off)`);
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...missing];
  if (!apt(install) && !(apt(['update', '-qq']) && apt(install))) throw new Error(`could not install ${names}`);
}

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env }).status === 0;
}

function onPath(command) {
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return places.some((place) => existsSync(join(place, command)));
}
