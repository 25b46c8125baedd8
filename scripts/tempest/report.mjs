// What is said about the runs, and whether they went as they should.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup.mjs';

const documentation = 'docs/compatibility.md';

/** The tests that docs/compatibility.md lists as skipped: the first column of the table under the suite's heading. */
export function documentedSkips({ skips: heading }) {
  const lines = readFileSync(join(root, documentation), 'utf8').split('\n');
  const start = lines.findIndex((line) => /^##+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (start === -1) throw new Error(`${documentation} has no section "${heading}"`);
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith('#'));
  const section = lines.slice(start + 1, length === -1 ? undefined : start + 1 + length);
  return new Set(section.flatMap((line) => /^\| `([^`]+)` \|/.exec(line)?.[1] ?? []));
}

/** The counts of one run. A skip that is not documented is a failure, and so is a tempest that broke down. */
export function judge({ results: all, exitStatus }, documented) {
  // A class that several workers share can be skipped, or fail, in each of them.
  const results = [...new Map(all.map((result) => [`${result.status} ${result.test}`, result])).values()];
  const failed = results.filter(({ status }) => status === 'failed');
  const skipped = results.filter(({ status }) => status === 'skipped');
  const unexpected = skipped.filter(({ test }) => !documented.has(test));
  const broken = exitStatus !== 0 && failed.length === 0;
  return {
    passed: results.length - failed.length - skipped.length,
    failed: failed.length + unexpected.length + (broken || results.length === 0 ? 1 : 0),
    skipped: skipped.length - unexpected.length,
    details: { failed, skipped, unexpected, broken },
  };
}

/** What the region in `directory` said of requests that it could not answer (5xx): the last few lines of its log. */
export function serverTroubles(directory) {
  const path = join(directory, 'region/alcor.log');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return lines.filter((line) => line.includes('"a request failed"')).slice(-5);
}

/** A run in lines for people, with what the server said of its own `troubles` where a test failed. */
export function runText(name, seconds, verdict, { exitStatus, log, troubles }) {
  const { failed, skipped, unexpected, broken } = verdict.details;
  const counts = `${verdict.passed} passed, ${verdict.failed} failed, ${verdict.skipped} skipped`;
  return [
    '',
    `${name}: ${counts} in ${seconds} s`,
    ...failed.map(({ test, reason }) => `  failed  ${test}\n          ${reason}`),
    ...unexpected.map(
      ({ test, reason }) => `  failed  ${test}\n          skipped, but not in ${documentation}: ${reason}`,
    ),
    ...skipped.filter((each) => !unexpected.includes(each)).map(({ test, reason }) => `  skipped ${test}: ${reason}`),
    ...(failed.length > 0 ? troubles.map((line) => `  failed  in the server: ${line.slice(0, 900)}`) : []),
    ...(broken ? [`  failed  tempest itself ended with ${exitStatus}; see ${log}`] : []),
  ].join('\n');
}

/** A file for each failed test, with its traceback and every request it made; resolves with their directory. */
export function writeFailures(directory, { details }) {
  mkdirSync(directory, { recursive: true });
  for (const { test, details: parts } of details.failed) {
    const text = Object.entries(parts).map(([name, content]) => `=== ${name}\n${content}\n`);
    writeFileSync(join(directory, `${test.replace(/[^\w.]+/g, '_')}.log`), text.join('\n'));
  }
}
