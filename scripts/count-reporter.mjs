import { writeFileSync } from 'node:fs';

// Counts the tests of a run, and keeps the counts as JSON in the file that `ALCOR_TEST_COUNTS` names.
export default class CountReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      let failed = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state === 'passed' || state === 'failed' ? state : 'skipped']++;
        if (state === 'failed') failed++;
      }
      // A file or a suite that failed before its tests ran counts as one.
      if (failed === 0 && module.state() === 'failed') counts.failed++;
    }
    writeFileSync(process.env.ALCOR_TEST_COUNTS, JSON.stringify(counts));
  }
}
