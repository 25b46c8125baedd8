// `npm run test:tempest`: OpenStack's own test tests of the network API, against Alcor.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, installNpmPackages, say } from '../setup.mjs';
import { runWith } from './cloud-run.mjs';
import { parseOptions, usage } from './options.mjs';
import { installTestPackages } from './packages.mjs';
import { documentedSkips, judge, runText, serverTroubles, writeFailures } from './report.mjs';

const options = readOptions();
/**
 * Of all that is made: data, configurations, logs.
 * @type {string | undefined}
 */
let directory;
const started = [];
let ending = false;
/** A run that came to no verdict. */
const brokenRun = { passed: 0, failed: 1, skipped: 0 };
for (const [signal, status] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  // npm and terminals may send a signal twice; the second must not cut the cleaning up short.
  process.on(signal, () => void interrupted(status));
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!ending) {
    say(`tempest: ${error instanceof Error ? error.message : String(error)}`);
    if (directory !== undefined) say(`the logs are in ${directory}`);
    process.exitCode = 1;
  }
}

async function main() {
  installTestPackages(options.suite);
  if (options.build) {
    installNpmPackages();
    build();
  }
  const documented = documentedSkips(options.suite);
  directory = mkdtempSync(join(tmpdir(), 'alcor-tempest-'));
  const total = { passed: 0, failed: 0, skipped: 0 };
  // At the same time, because tempest spends most of its time asleep.
  const runs = await Promise.allSettled(options.identities.map((identity) => runOnce(identity, documented)));
  // What a signal cut short says nothing.
  if (ending) await new Promise(() => {});
  for (const [index, { reason, value: verdict }] of runs.entries()) {
    if (verdict === undefined) say(`tempest: ${options.identities[index]}: ${reason.message}`);
    for (const key of Object.keys(total)) total[key] += (verdict ?? brokenRun)[key];
  }
  if (total.failed === 0 && !options.keep) rmSync(directory, { recursive: true, force: true });
  else console.log(`\nThe logs are in ${directory}`);
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 ? 0 : 1;
}

async function runOnce(identity, documented) {
  const place = join(directory, identity);
  const begun = Date.now();
  const progress = progressLine(identity);
  const run = await runWith(identity, {
    ...options,
    directory: place,
    say: (message) => say(`tempest: ${message}`),
    onResult: progress,
    track: (processes) => started.push(processes),
  });
  if (ending) throw new Error('stopping');
  const verdict = judge(run, documented);
  writeFailures(join(place, 'failures'), verdict);
  const seconds = ((Date.now() - begun) / 1000).toFixed(0);
  console.log(
    runText(`${options.suite.tests}, identity ${identity}`, seconds, verdict, {
      ...run,
      troubles: serverTroubles(place),
    }),
  );
  return verdict;
}

/** Says how far it is, every fifty tests. */
function progressLine(identity) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  let done = 0;
  return ({ status }) => {
    counts[status]++;
    if (++done % 50 !== 0) return;
    const { passed, failed, skipped } = counts;
    say(`tempest: ${identity}: ${passed} passed, ${failed} failed, ${skipped} skipped so far`);
  };
}

async function interrupted(status) {
  if (ending) return;
  ending = true;
  say('tempest: stopping');
  await Promise.all(started.map((processes) => processes.stopAll()));
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  process.exit(status);
}

function readOptions() {
  try {
    const parsed = parseOptions(process.argv.slice(2));
    if (parsed.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    return parsed;
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}
