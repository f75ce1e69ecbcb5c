// `npm test`: everything, in the order of what is cheapest to fail, and at its end one line that counts all of it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { browserlessMissing, ensureBrowserless } from './host/browserless.ts';
import { makeCertificate, writeCertificate } from './host/certificates.ts';
import { ensureChromium } from './host/chromium.ts';
import { buildExample, exampleFolder } from './host/exampleExtension.ts';
import { temporaryFolder } from './host/processes.ts';
import { script, step } from './host/steps.ts';
import { ensureVscodeServer } from './host/vscodeServer.ts';
import type { Outcome } from './integration/index.ts';

let passed = 0;
let failed = 0;
let skipped = 0;
/** End-to-end test files that passed only when they were run once more. */
const repeated: string[] = [];

/** Runs a program with its output shown. @throws when it fails. */
async function show(command: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`\`${[command, ...args].join(' ')}\` failed with exit code ${String(code)}`);
}

/** Runs plain mocha tests. @param name what becomes the name of its report. @param args what mocha is told. */
async function mocha(scratch: string, name: string, ...args: readonly string[]): Promise<Outcome> {
  const file = join(scratch, `${name}.json`);
  const reporter = resolve('test', 'host', 'countingReporter.cjs');
  const told = ['mocha', '--reporter', reporter, '--reporter-option', `file=${file}`, ...args];
  const child = spawn('npx', told, { stdio: 'inherit', shell: process.platform === 'win32' });
  const [code] = await once(child, 'exit');
  return outcomeIn(file, `mocha ended with exit code ${String(code)}`);
}

/** What tests have told of how they came out. @param otherwise why that may be nothing. @throws then. */
async function outcomeIn(file: string, otherwise: unknown): Promise<Outcome> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new Error(`The tests told no outcome in ${file}: ${String(error)}`, { cause: otherwise });
  }
}

/**
 * Runs each file of the end-to-end tests by itself, so that none suffers from another. They click in a foreign program while
 * it draws, and a click may miss: a file that failed is run once more, from a new workbench, and the last line says so.
 */
async function endToEnd(scratch: string): Promise<void> {
  const files = (await readdir(join('test', 'e2e'))).filter((name) => name.endsWith('.test.ts')).sort();
  for (const name of files) {
    const first = await mocha(scratch, name, `test/e2e/${name}`);
    if (first.failed > 0) {
      console.log(`  ${name} failed, and is run once more.`);
      const again = await mocha(scratch, `${name}-again`, `test/e2e/${name}`);
      if (again.failed === 0) repeated.push(name);
      count(again);
    } else count(first);
  }
}

function count(outcome: Outcome): void {
  passed += outcome.passed;
  failed += outcome.failed;
  skipped += outcome.skipped;
}

/**
 * Runs the integration tests inside VS Code: the one that VSCODE_TEST_VERSION names (minimum, stable or insiders, which
 * is downloaded), else the one from npm. The same person starts it twice, to see what is there after a restart.
 */
async function integration(scratch: string): Promise<void> {
  const wanted = process.env['VSCODE_TEST_VERSION'];
  const { engines } = JSON.parse(await readFile('package.json', 'utf8'));
  const version = wanted === 'minimum' ? String(engines.vscode).replace(/^\D*/, '') : wanted;
  const which = version === undefined ? { vscodeExecutablePath: resolve('test', 'host', 'code.ts') } : { version };
  const certificates = join(scratch, 'certificates');
  await writeCertificate(certificates, await makeCertificate('localhost', 'anchor.test'));
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
    count(await outcomeIn(outcome, failure));
  }
}

await script(async () => {
  const began = Date.now();
  const scratch = temporaryFolder('test');
  try {
    await step('Check types, lint and format', () => show('npm', 'run', '--silent', 'check'));
    await step('Build', async () => {
      await show(process.execPath, 'esbuild.js');
      await show(process.execPath, 'esbuild.js', '--tests');
      await buildExample();
    });
    await step('Package', () => show(process.execPath, 'test/package.ts'));
    await step('Find a Chromium', async () => console.log(`  ${await ensureChromium()}`));
    if (browserlessMissing() === undefined) {
      await step('Find Browserless, which runs beside the tests', async () =>
        console.log(`  ${await ensureBrowserless()}`),
      );
    }
    // It is fetched while the unit tests run, which do not need it.
    const editor = process.env['VSCODE_TEST_VERSION'] === undefined ? ensureVscodeServer() : undefined;
    editor?.catch(() => {});
    // Most of their time is waiting.
    await step('Unit tests', async () =>
      count(await mocha(scratch, 'unit', '--parallel', '--jobs', '3', 'test/unit/**/*.test.ts')),
    );
    if (editor !== undefined) await step('Find VS Code', async () => console.log(`  ${await editor}`));
    await step('Integration tests, inside VS Code', () => integration(scratch));
    if (process.env['VSCODE_TEST_VERSION'] === undefined) await step('End-to-end tests', () => endToEnd(scratch));
  } finally {
    const left = skipped === 0 ? '' : `, ${skipped} skipped (${browserlessMissing() ?? 'see above'})`;
    const twice = repeated.length === 0 ? '' : `, at the second attempt: ${repeated.join(', ')}`;
    console.log(`${passed} passed, ${failed} failed${left}${twice} in ${Math.round((Date.now() - began) / 1000)} s`);
  }
  if (failed > 0) process.exitCode = 1;
});
