import { strict as assert } from 'node:assert';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { browserAt } from '../../src/local/devtoolsPort.ts';
import { temporaryFolder } from '../host/processes.ts';
import { type BrowserbaseServer, startBrowserbase } from '../servers/browserbase.ts';
import { until, WorkbenchUser } from './user.ts';

const token = 'canary-token-0123456789abcd';

/** The profiles of running browsers that were started to try the extension, by process id. */
function trialBrowsers(): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parts = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
      const profile = parts.find((part) => /^--user-data-dir=.*browser-sessions-trial-/.test(part));
      // The browser's other processes have a type.
      if (profile !== undefined && !parts.some((part) => part.startsWith('--type='))) {
        found.set(Number(entry), profile.replace('--user-data-dir=', ''));
      }
    } catch {
      // It has just ended.
    }
  }
  return found;
}

describe('a new user', function () {
  this.timeout(180_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let server: BrowserbaseServer;
  let folder: string;
  let user: WorkbenchUser;

  before(async function () {
    if (process.platform !== 'linux' || (await browserAt(9222)) !== undefined) return this.skip();
    server = await startBrowserbase();
    folder = temporaryFolder('project');
    writeFileSync(
      join(folder, '.env'),
      `\ufeff# Keys\r\nexport BROWSERBASE_API_KEY="${server.key}" # mine\r\nBROWSERBASE_BASE_URL='${server.url}'\r\n`,
    );
    user = await WorkbenchUser.open({ folder, env: { BROWSERLESS_TOKEN: token } });
  });
  after(async () => {
    await user?.picture('welcome-end');
    await user?.standUp();
    await server?.stop();
  });

  const button = (name: string) => user.page.locator('.welcome-view').getByRole('button', { name });
  it('is offered an account, a browser on this machine, and the keys in the environment', async () => {
    for (const name of ['Add Account', 'Try It with a Browser on This Machine', 'Import Keys from Environment']) {
      await button(name).waitFor();
    }
    await user.page
      .locator('.welcome-view')
      .getByText('Each key is sent only to the hosts that are named when you save it')
      .waitFor();
    await user.picture('welcome');
    await user.resizeSideBar(240);
    await user.picture('welcome-narrow');
  });

  it('tries it with one click: a browser is listed and shown live', async () => {
    const before = new Set(trialBrowsers().keys());
    await button('Try It with a Browser on This Machine').click();
    await user.row('Session Trial page').waitFor({ timeout: 60_000 });
    const panel = await user.live('Trial page');
    await user.seesMoving(panel.locator('#picture'));
    assert.equal([...trialBrowsers().keys()].filter((pid) => !before.has(pid)).length, 1);
    await user.picture('try-it');
  });

  it('ends it with its row like any other, and its process and profile are gone', async () => {
    const [[pid, profile] = [0, '']] = [...trialBrowsers()];
    assert.ok(existsSync(profile));
    await user.choose(user.row('Session Trial page'), 'End Session…');
    assert.match(await user.dialog(), /End session "Trial page"/);
    await user.press('End Session');
    await until(async () => !existsSync(`/proc/${pid}`) && !existsSync(profile));
    await button('Try It with a Browser on This Machine').waitFor();
    const panel = await user.live('Trial page');
    await panel.getByText('Session ended').waitFor();
    assert.equal(await user.notification("Couldn't confirm").count(), 0);
    await user.picture('try-it-ended');
  });

  it('imports a key from .env once its host is confirmed, and nothing is written back', async () => {
    const before = readFileSync(join(folder, '.env'));
    await button('Import Keys from Environment').click();
    const list = user.page.locator('.quick-input-widget');
    await list.getByText('BROWSERBASE_API_KEY').waitFor();
    await list.getByText('BROWSERLESS_TOKEN').waitFor();
    const shown = await list.innerText();
    assert.ok(!shown.includes(server.key) && !shown.includes(token), shown);
    assert.match(shown, /••••abcd/);
    await user.picture('import');
    await list
      .getByRole('checkbox', { name: /BROWSERBASE_API_KEY/ })
      .last()
      .click();
    await list.getByRole('button', { name: 'OK' }).click();
    const dialog = await user.dialog();
    assert.match(dialog, new RegExp(`Save BROWSERBASE_API_KEY for ${new URL(server.url).host}\\?`));
    assert.match(dialog, /The address comes from BROWSERBASE_BASE_URL in \.env/);
    assert.equal(server.requests.length, 0);
    await user.picture('import-confirm');
    await user.press('Save Key');
    await user.row('Account Browserbase').waitFor();
    assert.ok(server.requests.length > 0);
    assert.deepEqual(readFileSync(join(folder, '.env')), before);
  });

  it('finds the walkthrough with what is done checked off', async () => {
    // Without the second side bar there is room for the pictures.
    await user.page.keyboard.press('Control+Alt+B');
    await user.run('Open Walkthrough');
    const steps = user.page.locator('.getting-started-step');
    await steps.first().waitFor();
    const done = steps.locator('[role=checkbox][aria-checked=true]');
    await until(async () => (await done.count()) === 4);
    for (const [index, name] of ['connect', 'sessions', 'watch', 'end'].entries()) {
      await steps.nth(index).click();
      await steps.nth(index).and(user.page.locator('.expanded')).waitFor();
      await user.picture(`walkthrough-${name}`);
    }
  });

  it('doesn’t see the welcome view for a moment when the window is loaded again', async () => {
    await user.page.addInitScript(() => {
      const look = () => {
        const shown = document.querySelector('.welcome-view-content');
        if (shown?.textContent?.includes('left running')) Reflect.set(window, 'flashed', true);
      };
      new MutationObserver(look).observe(document, { childList: true, subtree: true });
    });
    await user.reload();
    await user.row('Account Browserbase').waitFor();
    assert.equal(await user.page.evaluate(() => Reflect.get(window, 'flashed')), undefined);
  });
});
