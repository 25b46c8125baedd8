// What a fresh clone needs before anything can run. No dependency: it runs before there are any.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const mayInstall = process.env.ALCOR_NO_INSTALL !== '1';

/** Debian packages by the command that shows that they are there. */
const runPackages = {
  'ovs-vswitchd': 'openvswitch-switch',
  ip: 'iproute2',
  ping: 'iputils-ping',
  ethtool: 'ethtool',
};
const benchPackages = { ...runPackages, 'nats-server': 'nats-server', fping: 'fping', iperf3: 'iperf3' };
const testPackages = {
  ...benchPackages,
  openstack: 'python3-openstackclient',
  udhcpc: 'udhcpc',
  curl: 'curl',
  dhclient: 'isc-dhcp-client',
  python3: 'python3',
};
const packagesFor = { run: runPackages, bench: benchPackages, test: testPackages };

export function say(message) {
  process.stderr.write(`alcor ${message}\n`);
}

/** Runs a command to its end; its output goes to standard error, because standard output is for results. */
export function run(command, args, options = {}) {
  const { status, error, signal } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (error) throw error;
  if (status !== 0) {
    say(`\`${command} ${args.join(' ')}\` failed (${signal ?? `exit code ${status}`})`);
    process.exit(1);
  }
}

/** npm packages, when package-lock.json is newer than what is installed. */
export function installNpmPackages() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const locked = join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(locked).mtimeMs) return;
  if (!mayInstall) {
    if (existsSync(installed)) return;
    say('the npm packages are not installed and ALCOR_NO_INSTALL=1 is set: run `npm install` first');
    process.exit(1);
  }
  say('installing npm packages');
  // Not `npm ci`, which gives up where a registry lacks the optional packages of some other platform.
  run('npm', ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error']);
}

/** With root on Debian or Ubuntu: what is missing of Open vSwitch and iproute2, saying so first. */
export function installSystemPackages(purpose) {
  const wanted = packagesFor[purpose];
  const missing = [
    ...new Set(
      Object.keys(wanted)
        .filter((command) => !onPath(command))
        .map((command) => wanted[command]),
    ),
  ];
  if (missing.length === 0 || !mayInstall || process.getuid?.() !== 0 || !onPath('apt-get')) return;
  say(`installing Debian packages: ${missing.join(' ')} (ALCOR_NO_INSTALL=1 turns this off)`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...missing];
  const apt = (args) => spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env }).status === 0;
  if (apt(install) || (apt(['update', '-qq']) && apt(install))) return;
  say(`could not install ${missing.join(' ')}; going on without`);
}

/** Generated code and JavaScript, where sources are newer. */
export function build() {
  const proto = join(root, 'packages/contract/proto');
  const generated = join(root, 'packages/contract/src/generated');
  if (newest(proto) > newest(generated)) run('npm', ['run', '--silent', 'generate']);
  say('building');
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', ...references()]);
}

function references() {
  return readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name));
}

function newest(directory) {
  if (!existsSync(directory)) return 0;
  return Math.max(0, ...readdirSync(directory).map((name) => statSync(join(directory, name)).mtimeMs));
}

function onPath(command) {
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return places.some((place) => existsSync(join(place, command)));
}
