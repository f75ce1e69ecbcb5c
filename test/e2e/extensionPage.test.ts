import { strict as assert } from 'node:assert';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVSIX } from '@vscode/vsce';
import type { Frame, Page } from 'playwright-core';
import { makeCertificate } from '../host/certificates.ts';
import { run, temporaryFolder } from '../host/processes.ts';
import { ensureVscodeServer } from '../host/vscodeServer.ts';
import { openWorkbench, type Workbench } from '../host/workbench.ts';
import { ProviderServer } from '../servers/providerServer.ts';
import { until } from './user.ts';

// VS Code shows only pictures with an https address on an extension's page: it drops relative paths and `data:`. vsce
// gives the README's pictures their address in the repository when it makes the package. Here a server of ours serves
// that host.

const repository = '/browser-sessions/browser-sessions/raw/HEAD';
const picture = 'media/tour.png';
const folder = join('out', 'e2e');

describe('the page of the installed extension', function () {
  this.timeout(120_000);
  let github: ProviderServer;
  let workbench: Workbench;
  let page: Page;

  before(async () => {
    const { cert, key } = await makeCertificate('github.com');
    github = await new ProviderServer({
      routes: {
        [`GET ${repository}/${picture}`]: () => ({
          status: 200,
          bytes: readFileSync(picture),
          headers: { 'content-type': 'image/png' },
        }),
      },
      notFound: () => ({ status: 404, text: 'no such file' }),
      tls: { cert, key },
    }).start();
    const userDataDir = temporaryFolder('page');
    const packagePath = join(temporaryFolder('vsix'), 'browser-sessions.vsix');
    await createVSIX({ packagePath, dependencies: false });
    const install = ['--server-data-dir', join(userDataDir, 'server'), '--install-extension', packagePath];
    await run(process.execPath, [join('out', 'server-main.js'), '--accept-server-license-terms', ...install], {
      cwd: await ensureVscodeServer(),
    });
    workbench = await openWorkbench({
      userDataDir,
      installed: [],
      settings: { 'workbench.colorTheme': 'Default Dark Modern', 'workbench.startupEditor': 'none' },
      viewport: { width: 1280, height: 800 },
      hosts: new Map([['github.com', github.port]]),
    });
    page = workbench.page;
    page.setDefaultTimeout(30_000);
  });
  after(async () => {
    await workbench?.close();
    await github?.stop();
  });

  /** The frame that shows the README. */
  async function readme(): Promise<Frame> {
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; await page.waitForTimeout(100)) {
      for (const frame of page.frames()) {
        const title = await frame.evaluate(() => document.querySelector('h1')?.innerText).catch(() => undefined);
        if (title === 'Browser Sessions') return frame;
      }
    }
    throw new Error('there is no README on the page');
  }

  async function takePicture(name: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`) });
  }

  it('says on the first screen what the extension is, how to get it and how to see a first session', async () => {
    await page.getByRole('tab', { name: /^Extensions/ }).click();
    await page
      .getByRole('listitem', { name: /^Browser Sessions/ })
      .first()
      .click();
    const frame = await readme();
    for (const heading of ['Install', 'Your first session in three steps']) {
      await frame.getByRole('heading', { name: heading }).waitFor();
    }
    const lastStep = await frame.locator('ol').first().boundingBox();
    await takePicture('extension-page-dark');
    assert.ok(lastStep !== null && lastStep.y + lastStep.height <= 800, 'the third step is below the screen');
  });

  it('shows the animated picture that is in the repository', async () => {
    const frame = await readme();
    const shown = frame.locator('img').first();
    await shown.scrollIntoViewIfNeeded();
    await shown.evaluate((image) => (image as HTMLImageElement).decode());
    const natural = await shown.evaluate((image) => (image as HTMLImageElement).naturalWidth);
    assert.ok(natural > 0);
    const first = await shown.screenshot();
    await until(async () => !(await shown.screenshot()).equals(first));
    assert.match((await shown.getAttribute('alt')) ?? '', /^Watching a checkout session/);
    await takePicture('extension-page-picture-dark');
  });

  it('is readable in a light theme', async () => {
    await page.keyboard.press('F1');
    await page.locator('.quick-input-box input').first().fill('>Preferences: Toggle between Light/Dark Themes');
    await page
      .getByRole('option', { name: /^Preferences: Toggle between Light\/Dark Themes/ })
      .first()
      .click();
    await page.locator('.monaco-workbench.vs').first().waitFor();
    // VS Code shows the page again in another frame.
    await until(async () => {
      const frame = await readme();
      return frame.evaluate(() => document.body.classList.contains('vscode-light')).catch(() => false);
    });
    await takePicture('extension-page-light');
  });
});
