import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const linesOfAnError = 6;

// Counts the tests of a run and says which failed, as JSON in the file that `ALCOR_TEST_COUNTS` names.
export default class CountReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const failures = [];
    const fail = (what, errors) => {
      counts.failed++;
      failures.push([what, ...firstLines(errors)].join('\n'));
    };
    for (const module of modules) {
      const before = counts.failed;
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (state === 'failed') fail(nameOf(test), errors);
        else counts[state === 'passed' ? 'passed' : 'skipped']++;
      }
      // A file or a suite that failed before its tests ran counts as one.
      if (counts.failed === before && module.state() === 'failed') fail(nameOf(module), ownErrors(module));
    }
    for (const error of unhandledErrors) fail('an error outside the tests', [error]);
    writeFileSync(process.env.ALCOR_TEST_COUNTS, JSON.stringify({ ...counts, failures }));
  }
}

/** The file, the suites in it, and the test. */
function nameOf(task) {
  return task.type === 'module' ? task.relativeModuleId : `${task.module.relativeModuleId} > ${task.fullName}`;
}

/** What a file says of itself and of its suites: errors while loading, and of hooks. */
function ownErrors(module) {
  return [module, ...module.children.allSuites()].flatMap((each) => each.errors());
}

/** The beginning of the first message, and where it was thrown. */
function firstLines(errors) {
  const [error] = errors;
  if (error === undefined) return ['  (no error is known)'];
  const message = plainLines(`${error.name ?? 'Error'}: ${error.message}`).filter((line) => line.trim() !== '');
  const difference = plainLines(error.diff ?? '').filter((line) => /^[+-] /.test(line));
  const place = error.stacks?.[0];
  return [
    ...[...message, ...difference].slice(0, linesOfAnError),
    ...(place ? [`at ${relative('', place.file)}:${place.line}`] : []),
    ...(errors.length > 1 ? [`and ${errors.length - 1} more`] : []),
  ].map((line) => `  ${line.length > 300 ? `${line.slice(0, 300)}…` : line}`);
}

function plainLines(text) {
  return stripVTControlCharacters(text).split('\n');
}
