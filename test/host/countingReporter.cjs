// Mocha's `spec` reporter, which also writes how many tests passed, failed and were skipped, and which ones failed where and
// why, into the file that it is given.
const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  /**
   * @param {import('mocha').Runner} runner
   * @param {import('mocha').MochaOptions & { reporterOptions: { file: string } }} options
   */
  constructor(runner, options) {
    super(runner, options);
    /** @type {{ file: string, title: string, why: string }[]} */
    const failures = [];
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      const { file = '' } = test;
      failures.push({ file, title: test.fullTitle(), why: String(error?.message ?? error) });
    });
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes: passed = 0, failures: failed = 0, pending: skipped = 0 } = runner.stats ?? {};
      writeFileSync(options.reporterOptions.file, JSON.stringify({ passed, failed, skipped, failures }));
    });
  }
};
