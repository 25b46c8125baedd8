// `npm run bench:*`: sets up what a fresh clone lacks and runs one benchmark. `--save` keeps what it printed under bench/results/.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { build, installNpmPackages, installSystemPackages, root, say } from './setup.mjs';

installNpmPackages();
installSystemPackages('bench');
build();
const [file, ...given] = process.argv.slice(2);
// One JSON object per measure and line, whichever benchmark it is.
const args = ['--json', ...given.filter((arg) => arg !== '--save' && arg !== '--json')];
const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
// A region of a million ports is a few GB.
const NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --max-old-space-size=16384`;
// What is measured is what has been built: what tsx makes of sources names each function again whenever it is made.
const TSX_TSCONFIG_PATH = join(root, 'tsconfig.base.json');
// Without the priority of real time, which only root may have, waiting for others would look like a machine that stands still.
const watch = process.getuid() === 0 ? watchStandstills() : undefined;
const begun = Date.now();
const { status, stdout } = spawnSync(process.execPath, [tsx, join(root, file), ...args], {
  cwd: root,
  env: { ...process.env, NODE_OPTIONS, TSX_TSCONFIG_PATH, ...(watch && { ALCOR_STANDSTILLS: watch.file }) },
  stdio: ['ignore', 'pipe', 'inherit'],
  encoding: 'utf8',
  maxBuffer: 1 << 28,
});
const standstill = watch?.end(Date.now() - begun);
process.stdout.write(stdout);
say(
  standstill === undefined
    ? 'whether the machine stood still is not known: to watch for that takes root'
    : `the machine stood still for ${(100 * standstill.share).toFixed(1)} % of the time, for ${standstill.most_ms} ms at most`,
);
if (status === 0 && given.includes('--save')) save();
process.exit(status ?? 1);

/** Beside the benchmark; `end` says how much of that time, in ms, the machine stood still. */
function watchStandstills() {
  const folder = mkdtempSync(join(tmpdir(), 'alcor-bench-'));
  const seen = join(folder, 'standstills');
  writeFileSync(seen, '');
  const command = ['--fifo', '1', process.execPath, join(root, 'scripts/watch-standstills.mjs'), seen];
  const child = spawn('chrt', command, { stdio: 'ignore' });
  return {
    file: seen,
    end(ofMs) {
      child.kill();
      const lines = readFileSync(seen, 'utf8').split('\n').slice(0, -1);
      const lengths = lines.map((line) => line.split(' ').reduce((from, to) => to - from));
      rmSync(folder, { recursive: true });
      return { share: lengths.reduce((sum, ms) => sum + ms, 0) / ofMs, most_ms: Math.max(0, ...lengths) };
    },
  };
}

function save() {
  const measures = stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version };
  const date = new Date().toISOString().slice(0, 10);
  const folder = join(root, 'bench/results');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${basename(file, '.ts')}-${date}-${commit}.json`);
  writeFileSync(path, `${JSON.stringify({ commit, date, machine, standstill, arguments: args, measures }, null, 2)}\n`);
  say(`kept in ${path}`);
}
