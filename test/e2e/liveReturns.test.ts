import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { temporaryFolder } from '../host/processes.ts';
import { quoted } from '../host/workbench.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { type BrowserlessV1Server, startBrowserlessV1 } from '../servers/browserlessV1.ts';
import { Devtools } from '../servers/devtools.ts';
import { startPages } from '../servers/pages.ts';
import type { ProviderServer } from '../servers/providerServer.ts';
import { until, WorkbenchUser } from './user.ts';

const cart = { id: 'p1', title: 'Cart', url: 'https://shop.example/cart' };
const payment = { id: 'p2', title: 'Payment', url: 'https://shop.example/pay' };

interface Targets {
  readonly targetInfos: readonly { readonly targetId: string; readonly browserContextId: string }[];
}

/** An extension that gives the workbench the command of the editor's own browser, which this VS Code doesn't have. */
function integratedBrowser(): string {
  const folder = temporaryFolder('browser');
  const manifest = {
    name: 'integrated-browser',
    publisher: 'browser-sessions',
    version: '0.0.0',
    engines: { vscode: '^1.101.0' },
    activationEvents: ['onStartupFinished'],
    main: './extension.js',
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(
    join(folder, 'extension.js'),
    `const vscode = require('vscode');
exports.activate = () => vscode.commands.registerCommand('workbench.action.browser.open', (url) =>
  vscode.window.showInformationMessage('In a tab: ' + url.replace(/\\?.*/, '')));`,
  );
  return folder;
}

describe('a user who comes back to live views', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let anchor: AnchorServer;
  let v1: BrowserlessV1Server;
  let chromium: RunningChromium;
  let devtools: Devtools;
  let pages: ProviderServer;
  let user: WorkbenchUser;
  let local: string;

  before(async () => {
    [anchor, v1, chromium, pages] = await Promise.all([
      startAnchor(),
      startBrowserlessV1(),
      startChromium(),
      startPages(),
    ]);
    devtools = await Devtools.open(chromium.endpoint);
    local = await devtools.openContext(`${pages.url}/clock`);
    // With a name, because pages would name it otherwise.
    anchor.add({ id: 'sess_shop', tags: ['name:shop.example'], domains: ['shop.example'], pages: [cart, payment] });
    anchor.add({ id: 'sess_mail', domains: ['mail.example'] });
    user = await WorkbenchUser.open({ extensions: [integratedBrowser()] });
    await user.addAt('Anchor Browser', anchor.url, anchor.key, 'shop');
  });
  after(async () => {
    await user?.picture('returns-end');
    await user?.standUp();
    devtools?.close();
    for (const one of [anchor, v1, chromium, pages]) await one?.stop();
  });

  /** The title of a panel ends in the session's short ID. */
  const tab = (name: string) => user.page.getByRole('tab', { name: new RegExp(`^${quoted(name)} \\(\\S+\\)(?=,|$)`) });
  const close = async (name: string) => {
    await tab(name).click({ button: 'middle' });
    await tab(name).waitFor({ state: 'detached' });
  };
  const panels = (part: string) => user.page.frames().filter((frame) => frame.url().includes(`/live/sess_shop${part}`));
  /** The panel that frames this page of the shop, once there is one. */
  async function shownBy(page: string): Promise<Frame> {
    let panel: Frame | null | undefined;
    await until(async () => {
      panel = panels(`/${page}?`)[0]?.parentFrame();
      return panel != null;
    });
    return panel ?? assert.fail();
  }

  it('sees every panel of a provider connect once the watching notice is accepted in one of them', async () => {
    const asked = async (name: string) => {
      const panel = await user.live(name);
      await panel.getByRole('heading', { name: 'Watching affects this session' }).waitFor();
      return panel;
    };
    await user.choose(user.row('Session shop.example'), 'Open Live View');
    await asked('shop.example');
    await user.choose(user.row('Session mail.example'), 'Open Live View to the Side');
    const mail = await asked('mail.example');
    await asked('shop.example');
    await mail.getByRole('button', { name: 'Show Live View' }).click();
    await user.framed('mail.example');
    await user.framed('shop.example');
    await close('Live: mail.example');
  });

  it('moves through the pages by keyboard past one that another panel shows, and stays on the switcher', async () => {
    await user.row('Session shop.example').click();
    await user.page.keyboard.press('ArrowRight');
    await user.row('Page Payment').waitFor();
    await user.choose(user.row('Page Payment'), 'Open Live View to the Side');
    await tab('Live: shop.example · Payment').waitFor();
    // Placed behind another, so that the test can see it come to the front.
    await until(async () => panels('/p2?').length === 1);
    await user.choose(user.row('Session mail.example'), 'Open Live View');
    await user.framed('mail.example');
    assert.equal(await tab('Live: shop.example · Payment').getAttribute('aria-selected'), 'false');
    const panel = await shownBy('p1');
    const pages = panel.getByLabel('Page to show');
    await pages.focus();
    await user.seesFocus();
    await user.page.keyboard.press('ArrowDown');
    await until(async () => (await tab('Live: shop.example · Payment').getAttribute('aria-selected')) === 'true');
    await until(async () => panels('/p2?').length === 1);
    await user.page.waitForTimeout(500);
    assert.ok(await panel.evaluate(() => document.hasFocus() && document.activeElement?.id === 'pages'));
    assert.equal(await pages.locator('option:checked').innerText(), 'Cart');
    await close('Live: shop.example · Payment');
    await close('Live: mail.example');
  });

  it('returns to the session when the page that a panel was switched to has closed', async () => {
    const session = anchor.sessions.get('sess_shop') ?? assert.fail();
    const turn = async () => {
      session.pages = [cart, payment];
      const panel = await shownBy('p1');
      // The pages are requested when a viewer is shown, which may have been before.
      await panel.getByRole('button', { name: 'Reload', exact: true }).click();
      await panel.getByLabel('Page to show').selectOption({ label: 'Payment' });
      await shownBy('p2');
      await tab('Live: shop.example · Payment').waitFor();
      session.pages = [cart];
    };
    await turn();
    await (await shownBy('p2')).getByRole('button', { name: 'Reload' }).click();
    await shownBy('p1');
    await tab('Live: shop.example').waitFor();
    await turn();
    await user.choose(user.row('Session mail.example'), 'Open Live View');
    await user.framed('mail.example');
    await tab('Live: shop.example · Payment').click();
    await shownBy('p1');
    await tab('Live: shop.example').waitFor();
    await close('Live: mail.example');
    session.pages = [cart, payment];
  });

  it('only views after the window reloads, even where they interacted before', async () => {
    const panel = await shownBy('p1');
    await panel.getByRole('button', { name: 'Interact' }).click();
    await panel.getByRole('button', { name: 'Got It' }).click();
    const inert = async () =>
      (await shownBy('p1')).locator('iframe').evaluate((frame) => (frame as HTMLIFrameElement).inert);
    assert.equal(await inert(), false);
    // The panel that was closed last would be open again, too, or the page that was shown before.
    await user.stored(
      'editors',
      (value) => value.includes('sess_shop') && !value.includes('sess_mail') && !value.includes('pageId'),
    );
    await user.reload();
    const again = await shownBy('p1');
    await again.getByRole('button', { name: 'Interact', pressed: false }).waitFor();
    assert.equal(await inert(), true);
  });

  it('is warned before opening a link in the editor’s browser that its tabs’ addresses are stored', async () => {
    await (await shownBy('p1')).getByRole('button', { name: 'Open In…' }).click();
    const option = user.page.getByRole('option', { name: 'Integrated Browser' });
    await option.getByText('VS Code stores the addresses of its browser tabs').waitFor();
    await user.picture('returns-open-in');
    await option.click();
    await user.notification('In a tab: http').getByText('/live/sess_shop/p1').waitFor();
  });

  it('sees no frame kept of a hidden session that is over, once the setting keeps nothing hidden', async () => {
    const setting = 'browserSessions.liveView.keepAliveWhenHidden';
    await user.row('Session mail.example').focus();
    await user.turnOn(setting, 'hidden');
    await user.choose(user.row('Session mail.example'), 'Open Live View');
    await user.framed('mail.example');
    await tab('Live: shop.example').click();
    await shownBy('p1');
    const kept = () => user.page.frames().filter((frame) => frame.url().includes('/live/sess_mail/')).length;
    const session = anchor.sessions.get('sess_mail') ?? assert.fail();
    session.status = 'completed';
    // Nothing has changed for a while, and so the next list is minutes away.
    await user.choose(user.row('Account'), 'Refresh Account');
    await user.row('Session mail.example').waitFor({ state: 'detached' });
    await user.page.waitForTimeout(1_000);
    assert.equal(kept(), 1, 'what was last seen is gone');
    await user.row('Session shop.example').focus();
    await user.turnOn(setting, 'hidden');
    await until(async () => kept() === 0);
    await tab('Live: mail.example').click();
    const panel = await user.live('mail.example');
    await panel.getByRole('heading', { name: 'No longer running' }).waitFor();
    const card = panel.locator('#card');
    assert.equal(await card.getAttribute('aria-live'), 'polite');
    await close('Live: mail.example');
    await close('Live: shop.example');
  });

  it('sees a session and its picture labeled with the session’s current name', async () => {
    await user.addChrome(chromium.endpoint, 'Local Chrome');
    await user.choose(user.row('Session Clock'), 'Open Live View');
    const panel = await user.live('Clock');
    const picture = panel.locator('#picture');
    await picture.waitFor({ state: 'visible', timeout: 30_000 });
    const called = async () => [await panel.title(), await picture.getAttribute('aria-label')];
    assert.deepEqual(await called(), ['Clock', 'Live image of Clock']);
    const { targetInfos } = await devtools.send<Targets>('Target.getTargets');
    const { targetId } = targetInfos.find(({ browserContextId }) => browserContextId === local) ?? assert.fail();
    const page = await Devtools.connect(`${chromium.endpoint.replace('http', 'ws')}/devtools/page/${targetId}`);
    await page.send('Page.navigate', { url: `${pages.url}/form` });
    page.close();
    await until(async () => (await called()).join() === 'Sign-up form,Live image of Sign-up form');
    await close('Live: Sign-up form');
  });

  it('is told that a server is down when the window reloads, and watches once it is back', async () => {
    const { webSocketDebuggerUrl } = await (await fetch(`${chromium.endpoint}/json/version`)).json();
    v1.add({ id: 'v1browser', trackingId: 'watched', devtools: webSocketDebuggerUrl });
    await user.run('Add Account…');
    await user.pick('Browserless');
    await user.type('Address of your Browserless server', v1.url);
    await user.type('Browserless token', v1.token ?? '');
    await user.type('Enter a name to show in the Sessions view', 'own');
    await user.choose(user.row('Session watched'), 'Open Live View');
    await (await user.live('watched')).getByRole('button', { name: 'Show Live View' }).click();
    await (await user.live('watched')).locator('#picture').waitFor({ state: 'visible', timeout: 30_000 });
    await user.page.getByRole('tab', { name: 'Explorer' }).click();
    await user.stored('editors', (value) => value.includes('v1browser'));
    await user.stored('sideBar', (value) => !value.includes('browserSessions'));
    const { port } = v1;
    await v1.stop();
    await user.page.reload({ timeout: 60_000 });
    const panel = await user.live('v1browse');
    await panel.getByText("Couldn't connect to 127.0.0.1").waitFor({ timeout: 60_000 });
    await user.picture('returns-down');
    assert.equal(await user.row('Account Browserless').count(), 0, 'the list is visible');
    await v1.start(port);
    await panel.getByRole('button', { name: 'Try Again' }).click();
    await (await user.live('watched')).locator('#picture').waitFor({ state: 'visible', timeout: 30_000 });
  });
});
