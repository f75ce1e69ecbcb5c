import { writeFile } from 'node:fs/promises';
import Mocha from 'mocha';
import * as vscode from 'vscode';

/** The results of a run, as test/run.ts reads them. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
}

/** A test or hook that failed. */
export interface Failure {
  /** The path of its file; empty if it isn't known. */
  readonly file: string;
  readonly title: string;
  /** The error's message. */
  readonly why: string;
}

/**
 * Runs inside the extension host of VS Code. The variable BROWSER_SESSIONS_PHASE says which phase: `first`, or `again`
 * for the same user after a restart.
 */
export async function run(): Promise<void> {
  // Each test says itself when something is listed.
  const settings = vscode.workspace.getConfiguration('browserSessions');
  await settings.update('refresh.background', 0, vscode.ConfigurationTarget.Global);
  const mocha = new Mocha({ ui: 'bdd', timeout: 60_000, color: false, forbidOnly: true });
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  if (process.env['BROWSER_SESSIONS_PHASE'] === 'again') {
    await import('./again.test.ts');
  } else {
    await import('./api.test.ts');
    await import('./ending.test.ts');
    await import('./endById.test.ts');
    await import('./endingChoices.test.ts');
    await import('./endingQuestions.test.ts');
    await import('./finishedBatches.test.ts');
    await import('./afterEnding.test.ts');
    await import('./badProviders.test.ts');
    await import('./hostileCalls.test.ts');
    await import('./hangingProvider.test.ts');
    await import('./providerExtension.test.ts');
    await import('./network.test.ts');
    await import('./loopback.test.ts');
    await import('./liveView.test.ts');
    await import('./liveViewFollowing.test.ts');
    await import('./liveViewLinks.test.ts');
    await import('./screenshot.test.ts');
    await import('./restart.test.ts');
  }
  const failures: Failure[] = [];
  const outcome = await new Promise<Outcome>((resolve) => {
    const runner = mocha.run((failed) => {
      const { passes: passed = 0, pending: skipped = 0 } = runner.stats ?? {};
      resolve({ passed, failed, skipped, failures });
    });
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      failures.push({ file: '', title: test.fullTitle(), why: String(error?.message ?? error) });
    });
  });
  const file = process.env['BROWSER_SESSIONS_OUTCOME'];
  if (file !== undefined) await writeFile(file, JSON.stringify(outcome));
  if (outcome.failed > 0) throw new Error(`${outcome.failed} failed`);
}
