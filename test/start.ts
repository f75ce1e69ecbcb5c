// `npm start`: shows the product with a headless Chromium that has three sessions, and a VS Code connected to it. `npm
// start -- --screenshot FILE [--theme NAME] [--size WIDTHxHEIGHT] [--open SESSION …]` takes a screenshot and exits.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { ensureChromium, quietFlags, startChromium } from './host/chromium.ts';
import { start, temporaryFolder } from './host/processes.ts';
import { Advice, script, step } from './host/steps.ts';
import { startVscodeServer } from './host/vscodeServer.ts';
import { chooseFromMenu, liveViewOf, openWorkbench, workbenchUrl } from './host/workbench.ts';
import { Devtools } from './servers/devtools.ts';
import { startPages } from './servers/pages.ts';

const installed = [resolve('.'), resolve('test', 'host', 'demo')];
const rowTimeoutMs = 60_000;
/** The page titles of the three sessions. */
const sessionNames = ['Clock', 'Counter', 'Sign-up form'];

function options() {
  const { values } = parseArgs({
    options: {
      screenshot: { type: 'string' },
      theme: { type: 'string', default: 'Default Dark Modern' },
      size: { type: 'string', default: '1280x800' },
      open: { type: 'string', multiple: true, default: [] },
    },
  });
  const [width, height] = values.size.split('x').map(Number);
  if (!width || !height) throw new Advice('--size is WIDTHxHEIGHT, such as 1280x800.');
  const unknown = values.open.find((name) => !sessionNames.includes(name));
  if (unknown !== undefined) throw new Advice(`--open is one of: ${sessionNames.join(', ')}.`);
  return { screenshot: values.screenshot, theme: values.theme, viewport: { width, height }, watched: values.open };
}

/** The account that the demo extension adds. */
function demoAccount(endpoint: string): NodeJS.ProcessEnv {
  const account = { provider: 'localChrome', label: 'Local Chrome', origin: endpoint, fields: {} };
  return { BROWSER_SESSIONS_DEMO: JSON.stringify([account]) };
}

/** Opens three isolated browser contexts, as three jobs of a script would. */
async function openSessions(endpoint: string): Promise<void> {
  const pages = await startPages();
  const devtools = await Devtools.open(endpoint);
  for (const page of ['clock', 'counter', 'form']) await devtools.openContext(`${pages.url}/${page}`);
  devtools.close();
}

/** Opens a session's live view to the side, and waits for its picture. */
async function watch(page: Page, name: string): Promise<void> {
  const row = page.getByRole('treeitem', { name: `Session ${name}` });
  await chooseFromMenu(page, row, 'Open Live View to the Side');
  try {
    const panel = await liveViewOf(page, name);
    await panel.locator('#picture').waitFor({ state: 'visible', timeout: rowTimeoutMs });
  } catch {
    throw new Advice(
      `The live view of ${name} did not show a picture. The log channel "Browser Sessions" may say why.`,
    );
  }
}

async function screenshot(
  file: string,
  endpoint: string,
  settings: object,
  viewport: { width: number; height: number },
  watched: readonly string[],
) {
  const workbench = await openWorkbench({
    userDataDir: temporaryFolder('start'),
    installed,
    settings: { ...settings },
    env: demoAccount(endpoint),
    viewport,
  });
  for (const name of sessionNames) {
    await workbench.page.getByRole('treeitem', { name: `Session ${name}` }).waitFor({ timeout: rowTimeoutMs });
  }
  await workbench.page
    .getByRole('button', { name: 'Clear Notification' })
    .first()
    .click({ timeout: 500 })
    .catch(() => {});
  for (const name of watched) await watch(workbench.page, name);
  await workbench.page.mouse.move(viewport.width - 50, viewport.height / 2);
  await workbench.page.waitForTimeout(1_000);
  await workbench.page.screenshot({ path: file });
  await workbench.close();
}

/** Shows the workbench in a window if there is a screen. */
async function openWindow(url: string): Promise<void> {
  const hasDisplay = process.platform !== 'linux' || process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY'];
  if (!hasDisplay) return;
  start(await ensureChromium(), [`--user-data-dir=${temporaryFolder('window')}`, ...quietFlags, `--app=${url}`]);
}

await script(async () => {
  const { screenshot: file, theme, viewport, watched } = options();
  await step('Build the extension', async () => {
    const [code] = await once(
      spawn(process.execPath, ['esbuild.js'], { stdio: ['ignore', 'ignore', 'inherit'] }),
      'exit',
    );
    if (code !== 0) throw new Advice('The build failed; what esbuild says is above.');
  });
  const chromium = await step('Start a headless Chromium with three sessions', async () => {
    const started = await startChromium();
    await openSessions(started.endpoint);
    console.log(`  DevTools at ${started.endpoint}`);
    return started;
  });
  const settings = {
    'workbench.colorTheme': theme,
    'workbench.startupEditor': 'none',
    'workbench.tips.enabled': false,
  };
  if (file !== undefined) {
    await step(`Make a picture of the workbench: ${file}`, () =>
      screenshot(file, chromium.endpoint, settings, viewport, watched),
    );
    return;
  }
  const dataDir = temporaryFolder('start');
  const env = demoAccount(chromium.endpoint);
  const server = await step('Start VS Code', () =>
    startVscodeServer({ dataDir, settings, env, installed, allBuiltIn: true, forTests: false }),
  );
  const url = workbenchUrl(server);
  console.log(`\nOpen this address in a browser. Ctrl+C ends everything.\n\n  ${url}\n`);
  await openWindow(url);
  await new Promise(() => setInterval(() => {}, 60_000));
});
process.exit();
