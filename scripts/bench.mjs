// `npm run bench:*`: sets up what a fresh clone lacks and runs one benchmark. `--save` keeps what it printed under bench/results/.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { basename, join } from 'node:path';
import { build, installNpmPackages, installSystemPackages, root, say } from './setup.mjs';

installNpmPackages();
installSystemPackages('bench');
build();
const [file, ...given] = process.argv.slice(2);
// One JSON object per measure and line, whichever benchmark it is.
const args = ['--json', ...given.filter((arg) => arg !== '--save' && arg !== '--json')];
const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
// A region of a million ports is a few GB, and thousands of simulated hosts make as much garbage as they would on their own machines.
const NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --max-old-space-size=16384 --max-semi-space-size=64`;
// What is measured is what has been built: what tsx makes of sources names each function again whenever it is made.
const TSX_TSCONFIG_PATH = join(root, 'tsconfig.base.json');
const { status, stdout } = spawnSync(process.execPath, [tsx, join(root, file), ...args], {
  cwd: root,
  env: { ...process.env, NODE_OPTIONS, TSX_TSCONFIG_PATH },
  stdio: ['ignore', 'pipe', 'inherit'],
  encoding: 'utf8',
  maxBuffer: 1 << 28,
});
process.stdout.write(stdout);
if (status === 0 && given.includes('--save')) save();
process.exit(status ?? 1);

function save() {
  const measures = stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version };
  const date = new Date().toISOString().slice(0, 10);
  const folder = join(root, 'bench/results');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${basename(file, '.ts')}-${date}-${commit}.json`);
  writeFileSync(path, `${JSON.stringify({ commit, date, machine, arguments: args, measures }, null, 2)}\n`);
  say(`kept in ${path}`);
}
