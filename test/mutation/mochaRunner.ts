// Runs mocha for Stryker, whose own runner needs files that mocha no longer has since version 12. This one uses only
// mocha's public interface, and declares Stryker's types itself: Stryker's declarations don't compile with this
// project's options. Test files are native modules, which can't be loaded twice: a mutant is switched on within the
// code that is loaded, and one that counts while its file is loaded gets a process of its own.
import fc from 'fast-check';
import Mocha from 'mocha';

/** The state that the instrumented code and Stryker share. */
interface Instrumented {
  activeMutant?: string | undefined;
  currentTestId?: string;
  mutantCoverage?: object;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
}

/** Stryker's options for this runner. Stryker's own `testFiles` would make it run static mutants too late. */
export interface MochaRunnerOptions {
  /** Test files, in the order in which they run. */
  readonly mochaFiles: readonly string[];
}

interface MutantRun {
  readonly activeMutant: { readonly id: string };
  readonly disableBail: boolean;
  readonly hitLimit?: number;
  /** `static` for a mutant that must already be active while files are loaded. */
  readonly mutantActivation: 'runtime' | 'static';
  /** Full titles of the tests that reach the mutant; none for all tests. */
  readonly testFilter?: readonly string[];
}

interface TestResult {
  readonly id: string;
  readonly name: string;
  readonly status: 0 | 1;
  readonly failureMessage: string | undefined;
  readonly timeSpentMs: number;
}

type RunResult =
  | { readonly status: 'complete'; readonly tests: readonly TestResult[] }
  | { readonly status: 'timeout'; readonly reason: string }
  | { readonly status: 'error'; readonly errorMessage: string };

// It is enough that a property fails; the smallest failing input doesn't matter here.
fc.configureGlobal({ endOnFailure: true });

const shared = globalThis as { __stryker__?: Instrumented };

class MochaRunner {
  /** What Stryker passes to the constructor. */
  static readonly inject = ['options'] as const;
  readonly #mocha: Mocha;
  readonly #context: Instrumented;
  #isLoaded = false;
  #isDryRun = false;

  constructor({ mochaFiles }: MochaRunnerOptions) {
    shared.__stryker__ ??= {};
    const context = shared.__stryker__;
    const isDryRun = () => this.#isDryRun;
    this.#context = context;
    // Stryker stops tests that never end: it has measured how long each takes.
    this.#mocha = new Mocha({ ui: 'bdd', timeout: 0, reporter: Mocha.reporters.Base });
    this.#mocha.cleanReferencesAfterRun(false);
    for (const file of mochaFiles) this.#mocha.addFile(file);
    this.#mocha.suite.beforeEach(function () {
      const title = this.currentTest?.fullTitle();
      if (isDryRun() && title !== undefined) context.currentTestId = title;
    });
  }

  capabilities() {
    return { reloadEnvironment: false };
  }

  /** Runs all tests without a mutant, and reports which mutants each of them reaches. */
  async dryRun({ disableBail }: Pick<MutantRun, 'disableBail'>) {
    this.#isDryRun = true;
    const result = await this.#run(disableBail);
    this.#isDryRun = false;
    return { ...result, mutantCoverage: this.#context.mutantCoverage };
  }

  async mutantRun({ activeMutant, disableBail, hitLimit, mutantActivation, testFilter }: MutantRun) {
    Object.assign(this.#context, { hitLimit, hitCount: hitLimit === undefined ? undefined : 0 });
    const titles = testFilter?.map((title) => `^${RegExp.escape(title)}$`);
    this.#mocha.grep(new RegExp(titles?.join('|') ?? ''));
    if (mutantActivation === 'static') this.#context.activeMutant = activeMutant.id;
    const result = await this.#run(disableBail, activeMutant.id);
    if (result.status !== 'complete') return result;
    const nrOfTests = result.tests.length;
    const failed = result.tests.filter(({ status }) => status === 1);
    if (failed.length === 0) return { status: 'survived', nrOfTests };
    return {
      status: 'killed',
      killedBy: failed.map(({ id }) => id),
      failureMessage: failed[0]?.failureMessage,
      nrOfTests,
    };
  }

  async #run(disableBail: boolean, mutant?: string): Promise<RunResult> {
    try {
      setBail(this.#mocha.suite, !disableBail);
      if (!this.#isLoaded) await this.#mocha.loadFilesAsync();
      this.#isLoaded = true;
      this.#context.activeMutant = mutant;
      const tests = await this.#runLoaded();
      const { hitCount = 0, hitLimit = Number.POSITIVE_INFINITY } = this.#context;
      return hitCount > hitLimit
        ? { status: 'timeout', reason: `the mutant was reached ${hitCount} times` }
        : { status: 'complete', tests };
    } catch (error) {
      return { status: 'error', errorMessage: String(error) };
    }
  }

  #runLoaded(): Promise<readonly TestResult[]> {
    return new Promise((resolve) => {
      const tests: TestResult[] = [];
      let began = performance.now();
      const tell = (name: string, status: TestResult['status'], failureMessage?: string) => {
        tests.push({ id: name, name, status, failureMessage, timeSpentMs: performance.now() - began });
        began = performance.now();
      };
      const runner = this.#mocha.run(() => resolve(tests));
      runner.on('pass', (test) => tell(test.fullTitle(), 0));
      runner.on('fail', (test, error: unknown) => {
        // For a hook, the test that it ran for.
        const name = test.ctx?.currentTest?.fullTitle() ?? test.fullTitle();
        tell(name, 1, error instanceof Error ? error.message : String(error));
      });
    });
  }
}

function setBail(suite: Mocha.Suite, bail: boolean): void {
  suite.bail(bail);
  for (const child of suite.suites) setBail(child, bail);
}

/** The export that Stryker looks for in a plugin. */
export const strykerPlugins = [{ kind: 'TestRunner', name: 'mocha', injectableClass: MochaRunner }];

/** Tells Stryker that {@link MochaRunnerOptions} are valid options. */
export const strykerValidationSchema = {
  properties: { mochaFiles: { type: 'array', items: { type: 'string' } } },
};
