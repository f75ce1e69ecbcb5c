// Makes media/thisMachine.png for the README from a real workbench: a browser that an agent uses and two that were left behind.
// Other browsers on this machine would be in the picture, so `npm run picture:machine` runs it in a PID namespace of its own. It
// runs below a shell, because browsers whose parent is a first process that runs scripts don't count as left behind.
import { join, resolve } from 'node:path';
import { leaveBehind } from './host/leftBehind.ts';
import { pictureSettings } from './host/pictureSettings.ts';
import { openPlaywrightHome, startPlaywrightMcp } from './host/playwright.ts';
import { run, temporaryFolder } from './host/processes.ts';
import { script, step } from './host/steps.ts';
import { liveViewOf, openWorkbench } from './host/workbench.ts';

const file = join('media', 'thisMachine.png');
const viewport = { width: 1100, height: 400 };
const sideBarWidth = 480;
const waitMs = 30_000;

const pageCalled = (title: string, text: string) =>
  `data:text/html,${encodeURIComponent(`<title>${title}</title><body style="font: 6vw sans-serif"><h1>${text}</h1>`)}`;

/** The browser that shows this workbench is listed as well, under the name of the script that started it. */
const name = 'checkout.test.ts';
process.title = name;

await script(async () => {
  await step('Build the extension', () => run(process.execPath, ['esbuild.js']));
  const home = openPlaywrightHome();
  const server = await step('Start the browsers that the picture shows', async () => {
    await leaveBehind({ url: pageCalled('Flight search', 'Flights') });
    await leaveBehind({ url: pageCalled('Login test', 'Login') });
    return startPlaywrightMcp(home, pageCalled('Checkout', 'Your order'));
  });
  const workbench = await step('Start VS Code', () =>
    openWorkbench({
      userDataDir: temporaryFolder('picture'),
      installed: [resolve('.')],
      settings: { ...pictureSettings, 'browserSessions.thisMachine.enabled': true },
      env: { PWTEST_SERVER_REGISTRY: home.registry },
      viewport,
    }),
  );
  await step(`Write ${file}`, async () => {
    const { page } = workbench;
    await page.getByRole('tab', { name: 'Browser Sessions' }).click({ timeout: waitMs });
    const row = (name: string) => page.getByRole('treeitem', { name: new RegExp(`^${name}`) });
    try {
      for (const title of ['Checkout', 'Flight search', 'Login test']) {
        await row(`Session ${title}`).waitFor({ timeout: waitMs });
      }
    } catch (error) {
      await page.screenshot({ path: 'out/picture-failed.png' });
      throw error;
    }
    await row(name).locator('.monaco-tl-twistie').click();
    const box = await page.locator('.part.sidebar').boundingBox();
    await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0), viewport.height / 2);
    await page.mouse.down();
    await page.mouse.move(sideBarWidth, viewport.height / 2, { steps: 4 });
    await page.mouse.up();
    await row('Session Checkout').click();
    const panel = await liveViewOf(page, 'Checkout');
    await panel.locator('#picture').waitFor({ state: 'visible', timeout: waitMs });
    await page.mouse.move(viewport.width - 5, viewport.height - 5);
    await page.locator('.monaco-sash.hover, .monaco-sash.active').first().waitFor({ state: 'detached' });
    await page.screenshot({ path: file });
  });
  await workbench.close();
  await server.process.stop();
});
process.exit();
