// `npm test`: runs everything, the cheapest checks first and the rest in parallel, and ends with one line that counts
// it all. A file that passes only when it is run again is reported as flaky: that is a failure to look into.
// Some tests race a real workbench on whatever machine this is, so what failed is run again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { browserlessMissing, ensureBrowserless } from './host/browserless.ts';
import { makeCertificate, writeCertificate } from './host/certificates.ts';
import { ensureChromium } from './host/chromium.ts';
import { buildExample, exampleFolder } from './host/exampleExtension.ts';
import { findFirefox } from './host/firefox.ts';
import { temporaryFolder } from './host/processes.ts';
import { script, step } from './host/steps.ts';
import { ensureVscodeServer, testSettings } from './host/vscodeServer.ts';
import type { Failure, Outcome } from './integration/index.ts';

let passed = 0;
let failed = 0;
let skipped = 0;
/** End-to-end test files that need both processors: they type, draw or decode as fast as this machine can. */
const runsAlone = new Set(['castTroubles.test.ts', 'hostileViewers.test.ts', 'screencast.test.ts']);
/**
 * Unit test files that take longest, the longest first: nothing would run alongside a long one at the end. Without
 * `cdp/screencast`, whose browser must draw quickly: the others here would take its processor time.
 */
const longUnitFiles = [
  'services/ending/enderProperties',
  'services/ending/balancer',
  'providers/localTools/playwrightCli',
  'providers/localTools/browse',
  'providers/thisMachine',
  'providers/contract/browserlessV2',
  'providers/localTools/agentBrowser',
  'services/ending/http2',
  'providers/browserless',
  'providers/localTools/chromeDevtools',
  'providers/contract/localChrome',
  'providers/gateway',
  'providers/localChrome',
  'services/ending/ender',
  'services/history/historyOfWindows',
  'ui/onboarding/tryIt',
  'http/client',
].map((name) => join('test', 'unit', `${name}.test.ts`));
/** How many more times a file in which a test failed is run. */
const moreRuns = 2;
/** Test files that passed only when they were run again. */
const flaky: string[] = [];
/** What failed at first, also in files that passed when they were run again. */
const firstFailures: Failure[] = [];

/**
 * Runs a program.
 * @param shows whether its output is shown live. Otherwise it is printed in one piece once the program has ended,
 * because others print at the same time.
 * @returns its exit code.
 */
async function run(shows: 'at once' | 'when it has ended', command: string, args: readonly string[]): Promise<number> {
  const options = { shell: process.platform === 'win32' };
  if (shows === 'at once') {
    const [code] = await once(spawn(command, args, { stdio: 'inherit', ...options }), 'exit');
    return Number(code ?? 1);
  }
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => output.push(data));
  const [code] = await once(child, 'close');
  process.stdout.write(Buffer.concat(output));
  return Number(code ?? 1);
}

/** Runs a program with its output shown. @throws when it fails. */
async function show(command: string, ...args: readonly string[]): Promise<void> {
  const code = await run('at once', command, args);
  if (code !== 0) throw new Error(`\`${[command, ...args].join(' ')}\` failed with exit code ${code}`);
}

/**
 * Runs plain mocha tests.
 * @param name of its report.
 * @param args for mocha.
 */
async function mocha(scratch: string, name: string, ...args: readonly string[]): Promise<Outcome> {
  const file = join(scratch, `${name}.json`);
  const reporter = resolve('test', 'host', 'countingReporter.cjs');
  const program = resolve('node_modules', 'mocha', 'bin', 'mocha.js');
  const mochaArgs = [program, '--reporter', reporter, '--reporter-option', `file=${file}`, ...args];
  const code = await run('when it has ended', process.execPath, mochaArgs);
  return outcomeIn(file, `mocha ended with exit code ${code}`);
}

/**
 * The results that tests have written.
 * @param otherwise the reason there may be none.
 * @throws when there are none.
 */
async function outcomeIn(file: string, otherwise: unknown): Promise<Outcome> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new Error(`The tests wrote no results to ${file}: ${String(error)}`, { cause: otherwise });
  }
}

/**
 * Runs one file of the end-to-end tests, which has a workbench of its own, so that files don't affect one another.
 * @param again receives the file if it failed; its results don't count then.
 */
async function endToEnd(scratch: string, name: string, again: string[]): Promise<void> {
  const file = `test/e2e/${name}`;
  const outcome = await mocha(scratch, name, file);
  if (outcome.failed === 0) count(outcome);
  else {
    firstFailures.push(...outcome.failures);
    again.push(file);
  }
}

/** Runs a file that failed again, with nothing running in parallel, until it passes or has failed too often. */
async function runAgain(scratch: string, file: string): Promise<Outcome> {
  const name = basename(file);
  for (let run = 1; ; run++) {
    const outcome = await step(`Again, with nothing running in parallel: ${name}`, () =>
      mocha(scratch, `${name}-again-${run}`, file),
    );
    if (outcome.failed === 0) flaky.push(name);
    if (outcome.failed === 0 || run === moreRuns) return outcome;
    firstFailures.push(...outcome.failures);
  }
}

/**
 * Runs the unit tests, the long files first, and then the files in which one failed again. Their names are in a file, because
 * Windows limits the length of a command.
 * @throws when a long file doesn't exist.
 */
async function unit(scratch: string): Promise<void> {
  const names = await readdir(join('test', 'unit'), { recursive: true });
  const files = names.filter((name) => name.endsWith('.test.ts')).map((name) => join('test', 'unit', name));
  const missing = longUnitFiles.filter((file) => !files.includes(file));
  if (missing.length > 0) throw new Error(`There are no tests in ${missing.join()}`);
  const config = join(scratch, 'unit.mocharc.json');
  const spec = [...new Set([...longUnitFiles, ...files.sort()])];
  await writeFile(config, JSON.stringify({ ...JSON.parse(await readFile('.mocharc.json', 'utf8')), spec }));
  const first = await mocha(scratch, 'unit', '--config', config, '--parallel', '--jobs', '4');
  firstFailures.push(...first.failures);
  const failedFiles = new Set(first.failures.map(({ file }) => file));
  if (failedFiles.size === 0 || failedFiles.has('')) {
    count(first);
    return;
  }
  let failedAgain = 0;
  for (const file of failedFiles) failedAgain += (await runAgain(scratch, file)).failed;
  count({ ...first, passed: first.passed + first.failed - failedAgain, failed: failedAgain });
}

/** The files of the end-to-end tests, the long ones first: nothing would run alongside a long one at the end. */
async function endToEndFiles(): Promise<string[]> {
  const files = (await readdir(join('test', 'e2e'))).filter((name) => name.endsWith('.test.ts'));
  const sizes = await Promise.all(files.map(async (name) => (await stat(join('test', 'e2e', name))).size));
  const long = new Map(files.map((name, at) => [name, sizes[at] ?? 0]));
  return files.sort((one, other) => (long.get(other) ?? 0) - (long.get(one) ?? 0));
}

/** Runs jobs in parallel: each lane takes the next one when it has finished its own. */
async function sideBySide(lanes: number, things: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...things];
  const lane = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await next();
  };
  await allOf(Array.from({ length: lanes }, lane));
}

/**
 * Waits until all have finished, even when one fails.
 * @throws what the first failing one has thrown.
 */
async function allOf(running: readonly Promise<unknown>[]): Promise<void> {
  for (const end of await Promise.allSettled(running)) if (end.status === 'rejected') throw end.reason;
}

/** The beginning of a text, in one line. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 300);
}

function count(outcome: Outcome): void {
  passed += outcome.passed;
  failed += outcome.failed;
  skipped += outcome.skipped;
}

/** Runs the integration tests, and all of them again if one failed. */
async function integration(scratch: string): Promise<void> {
  const first = await integrationOnce(join(scratch, 'integration'));
  if (first.failures.length === 0) {
    count(first);
    return;
  }
  firstFailures.push(...first.failures);
  const second = await step('Again: integration tests', () => integrationOnce(join(scratch, 'integration-again')));
  if (second.failed === 0) flaky.push('integration');
  count(second);
}

/**
 * Runs the integration tests inside VS Code: the version in VSCODE_TEST_VERSION (minimum, stable or insiders, which is
 * downloaded), else the one from npm. The same user starts it twice, to check what is there after a restart.
 */
async function integrationOnce(scratch: string): Promise<Outcome> {
  const wanted = process.env['VSCODE_TEST_VERSION'];
  const { engines } = JSON.parse(await readFile('package.json', 'utf8'));
  const version = wanted === 'minimum' ? String(engines.vscode).replace(/^\D*/, '') : wanted;
  const which = version === undefined ? { vscodeExecutablePath: resolve('test', 'host', 'code.ts') } : { version };
  const user = join(scratch, 'user', 'User');
  await mkdir(user, { recursive: true });
  await writeFile(join(user, 'settings.json'), JSON.stringify(testSettings));
  const certificates = join(scratch, 'certificates');
  await writeCertificate(certificates, await makeCertificate('localhost', 'anchor.test'));
  const outcomes: Outcome[] = [];
  for (const phase of ['first', 'again']) {
    const outcome = join(scratch, `${phase}.json`);
    const env: NodeJS.ProcessEnv = { BROWSER_SESSIONS_PHASE: phase, BROWSER_SESSIONS_OUTCOME: outcome };
    if (process.platform === 'linux') {
      env['SSL_CERT_FILE'] = join(certificates, 'authority.pem');
      env['BROWSER_SESSIONS_CERTIFICATES'] = certificates;
    }
    const ran = runTests({
      ...which,
      extensionDevelopmentPath: [resolve('.'), exampleFolder],
      extensionTestsPath: resolve('out', 'integration', 'index'),
      launchArgs: [`--user-data-dir=${join(scratch, 'user')}`, '--password-store=basic', '--disable-extensions'],
      extensionTestsEnv: env,
    });
    const failure = await ran.then(
      () => undefined,
      (error: unknown) => error,
    );
    outcomes.push(await outcomeIn(outcome, failure));
  }
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  return {
    passed: sum((outcome) => outcome.passed),
    failed: sum((outcome) => outcome.failed),
    skipped: sum((outcome) => outcome.skipped),
    failures: outcomes.flatMap(({ failures }) => failures),
  };
}

await script(async () => {
  const began = Date.now();
  const scratch = temporaryFolder('test');
  try {
    await step('Check types, lint and format; build and package', () =>
      allOf([
        show('npm', 'run', '--silent', 'check'),
        (async () => {
          await show(process.execPath, 'esbuild.js');
          await show(process.execPath, 'esbuild.js', '--tests');
          await buildExample();
          await show(process.execPath, 'test/package.ts');
        })(),
      ]),
    );
    await step('Find a Chromium', async () => console.log(`  ${await ensureChromium()}`));
    await step('Find a Firefox', async () => {
      console.log(`  ${(await findFirefox()) ?? 'There is none, so its tests are skipped.'}`);
    });
    if (browserlessMissing() === undefined) {
      await step('Find Browserless, which runs next to the tests', async () =>
        console.log(`  ${await ensureBrowserless()}`),
      );
    }
    const ours = process.env['VSCODE_TEST_VERSION'] === undefined;
    if (ours) await step('Find VS Code', async () => console.log(`  ${await ensureVscodeServer()}`));

    // Most of their time is waiting, but some of it is for what must be quick: nothing else runs beside them.
    await step('Unit tests', () => unit(scratch));
    const files = ours ? await endToEndFiles() : [];
    const again: string[] = [];
    const testsIn = (name: string) => () => step(`End-to-end tests: ${name}`, () => endToEnd(scratch, name, again));
    await sideBySide(2, [
      () => step('Integration tests, inside VS Code', () => integration(scratch)),
      ...files.filter((name) => !runsAlone.has(name)).map(testsIn),
    ]);
    await sideBySide(1, files.filter((name) => runsAlone.has(name)).map(testsIn));
    for (const file of again) count(await runAgain(scratch, file));
  } finally {
    const left = skipped === 0 ? '' : `, ${skipped} skipped (${browserlessMissing() ?? 'see above'})`;
    for (const { title, why } of firstFailures) console.log(`failed at first: ${title}: ${oneLine(why)}`);
    console.log(`flaky: ${flaky.length}${flaky.map((name) => ` ${name}`).join('')}`);
    console.log(`${passed} passed, ${failed} failed${left} in ${Math.round((Date.now() - began) / 1000)} s`);
  }
  if (failed > 0) process.exitCode = 1;
});
