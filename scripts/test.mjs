// `npm test`: sets up what a fresh clone lacks, then checks and tests everything. Arguments go to vitest.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, installNpmPackages, installSystemPackages, root, run, say } from './setup.mjs';

installNpmPackages();
installSystemPackages('test');
build();
const filters = process.argv.slice(2);
if (filters.length === 0) run('npm', ['run', '--silent', 'check']);
// Tests that own bridges and processes of the machine mostly wait, so the others run beside them.
const parts =
  filters.length > 0
    ? [filters]
    : [
        ['--project', 'unit', '--project', 'store'],
        ['--project', 'machine'],
      ];
const failuresFollow = 'failed tests:';
const mostLines = 30;
const folder = mkdtempSync(join(tmpdir(), 'alcor-test-'));
try {
  process.exitCode = await testAll();
} finally {
  rmSync(folder, { recursive: true });
}

/** Runs the parts at once; what the later ones print comes after the first has ended. */
async function testAll() {
  say('the tests begin');
  const statuses = parts.map((part, index) => vitest(part, index));
  if (parts.length > 1) void Promise.race(statuses).then(() => say('a part of the tests has ended, the others go on'));
  const ends = [];
  for (const [index, status] of statuses.entries()) {
    ends.push(await status);
    if (index === 0 && parts.length > 1) say('what the tests that own the machine print follows');
    if (index > 0) process.stdout.write(readFileSync(outputOf(index)));
  }
  const counts = parts.map((part, index) => countsOf(index) ?? diedEarly(part, ends[index]));
  const sum = (what) => counts.reduce((total, each) => total + each[what], 0);
  sayFailures(counts.flatMap(({ failures }) => failures));
  process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped\n`);
  return ends.find((status) => status !== 0) ?? 0;
}

/** Resolves with the exit status. */
function vitest(part, index) {
  const reporters = ['--reporter=default', `--reporter=${join(root, 'scripts/count-reporter.mjs')}`];
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...part];
  const output = index === 0 ? 'inherit' : openSync(outputOf(index), 'w');
  const env = { ...process.env, ALCOR_TEST_COUNTS: join(folder, `${index}.json`) };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['inherit', output, output] });
  if (index > 0) closeSync(output);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => resolve(status ?? 1));
  });
}

function outputOf(index) {
  return join(folder, `${index}.txt`);
}

/** Of a part that has counted nothing. */
function diedEarly(part, status) {
  const failure = `vitest ${part.join(' ')} ended with ${status} before it had counted its tests`;
  return { passed: 0, failed: 1, skipped: 0, failures: [failure] };
}

/** Directly before the counts: of a long output often only the end is kept. */
function sayFailures(failures) {
  if (failures.length === 0) return;
  const lines = failures.flatMap((failure) => failure.split('\n'));
  const left = lines.length > mostLines ? [`… and ${lines.length - mostLines} lines more, above`] : [];
  process.stdout.write(`\n${[failuresFollow, ...lines.slice(0, mostLines), ...left].join('\n')}\n`);
}

function countsOf(index) {
  try {
    return JSON.parse(readFileSync(join(folder, `${index}.json`), 'utf8'));
  } catch {
    return undefined;
  }
}
