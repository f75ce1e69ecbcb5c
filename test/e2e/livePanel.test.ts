import { strict as assert } from 'node:assert';
import type { Frame } from 'playwright-core';
import { waitIn } from '../host/workbench.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { type BrowserbaseServer, startBrowserbase } from '../servers/browserbase.ts';
import { heldRequest } from '../servers/providerServer.ts';
import { until, WorkbenchUser } from './user.ts';

const checkout = 'checkout-of-a-shop-with-a-long-name.example';
const disconnectMessage = 'browserbase-disconnected';

/** Sends every surrounding page the messages that the extension sends to a panel, and a panel to the extension. */
const forgery = `
const card = { heading: 'Forged', lines: [], buttons: [{ button: 'endSession', label: 'Forged' }] };
const state = { type: 'state', identity: { v: 1, accountId: 'a', sessionId: 's', mode: 'interact' }, name: 'Forged',
  account: 'Forged', dot: 'ended', dotWord: 'Forged', status: 'Forged', pages: [], shownPage: '',
  stage: { kind: 'card', card, overLast: false }, notice: { text: 'Forged', buttons: card.buttons }, can: {} };
const frame = { type: 'frame', number: 1, width: 10, height: 10, jpeg: new Uint8Array(8) };
const words = [state, frame, { type: 'button', button: 'endSession', byPointer: true }, { type: 'disconnectMessage' }, null];
const sayAll = (more) => {
  for (let target = parent; ; target = target.parent) {
    for (const word of [...words, ...more]) target.postMessage(word, '*');
    if (target === top) break;
  }
};`;

const forger = `<script>${forgery} setInterval(() => sayAll(['${disconnectMessage}']), 50);</script>`;

/** A page that contains forgers with its own origin, another and none. It also forges messages itself on request. */
function hostilePage(other: string): string {
  const inAttribute = forger.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  return `<p id="clock">hostile</p><iframe srcdoc="${inAttribute}"></iframe><iframe src="${other}"></iframe>
<iframe src="data:text/html,${encodeURIComponent(forger)}"></iframe><script>${forgery}</script>`;
}

/** The width next to a panel, in pixels, and the window width that gives the panel 500. */
const beside = 356;
const narrow = 500 + beside;

/**
 * Runs in a panel.
 * @returns what is wrong with the position of its controls: cut off, covered, or overlapping.
 */
function misplaced(): string[] {
  const wrong: string[] = [];
  const seen = [...document.querySelectorAll<HTMLElement>('h1, h2, button, select')].filter((one) =>
    one.checkVisibility(),
  );
  for (const one of seen) {
    const name = one.id || one.innerText;
    const { left, top, right, bottom, width, height } = one.getBoundingClientRect();
    if (width < 16 || height < 12) wrong.push(`${name} is ${width} × ${height}`);
    if (left < 0 || top < 0 || right > innerWidth || bottom > innerHeight) wrong.push(`${name} is cut off`);
    if (one.tagName === 'BUTTON' && one.scrollWidth > one.clientWidth) wrong.push(`the words of ${name} are cut off`);
    for (const [x, y] of [
      [left + width / 2, top + height / 2],
      [left + 4, top + height / 2],
      [right - 4, top + height / 2],
    ] as const) {
      if (!one.contains(document.elementFromPoint(x, y))) wrong.push(`${name} is covered`);
    }
    for (const other of seen.slice(seen.indexOf(one) + 1)) {
      const its = other.getBoundingClientRect();
      const apart = its.left >= right || its.right <= left || its.top >= bottom || its.bottom <= top;
      if (!apart) wrong.push(`${name} and ${other.id || other.innerText} overlap`);
    }
  }
  if (document.documentElement.scrollWidth > innerWidth) wrong.push('it is wider than it is');
  return wrong;
}

describe('a user of a live view panel', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let anchor: AnchorServer;
  let browserbase: BrowserbaseServer;
  let user: WorkbenchUser;

  before(async () => {
    [anchor, browserbase] = await Promise.all([startAnchor(), startBrowserbase()]);
    browserbase.add({ id: 'bb-hostile', userMetadata: { name: 'hostile' } });
    user = await WorkbenchUser.open({
      theme: 'Default High Contrast',
      // Sessions are listed only on request.
      settings: { 'browserSessions.refresh.interval': 0 },
    });
    await user.addAt('Browserbase', browserbase.url, browserbase.key, 'agents');
    const pages = ['Cart', 'Payment'].map((title, index) => ({ id: `p${index + 1}`, title, url: 'about:blank' }));
    anchor.add({ id: 'sess_checkout', domains: [checkout], tags: ['nightly'], pages });
    anchor.add({ id: 'sess_mail', domains: ['mail.example'] });
    await user.addAt('Anchor Browser', anchor.url, anchor.key, 'shop');
  });
  after(async () => {
    await user?.picture('panel-end');
    await user?.standUp();
    for (const server of [anchor, browserbase]) await server?.stop();
  });

  /** Presses a key until an element matching a selector has the focus in a panel. */
  async function reach(panel: Frame, key: string, selector: string): Promise<void> {
    // A dialog has returned the focus.
    await until(() => panel.evaluate(() => document.hasFocus()));
    await user.seesFocus();
    const isThere = () => panel.evaluate((wanted) => document.activeElement?.matches(wanted) === true, selector);
    for (let presses = 0; !(await isThere()); presses++) {
      assert.ok(presses < 10, `${key} does not reach ${selector}`);
      await user.page.keyboard.press(key);
    }
  }

  /** Checks that nothing of a panel is out of reach as the window gets narrower. */
  async function checkWidths(panel: Frame, picture: string): Promise<void> {
    const { height } = user.page.viewportSize() ?? assert.fail();
    const inner = () => panel.evaluate(() => innerWidth);
    for (const width of [1280, 1000, narrow, 720]) {
      await user.page.setViewportSize({ width, height });
      // The width next to the panel stays the same.
      await until(async () => Math.abs((await inner()) - (width - beside)) < 20);
      assert.deepEqual(await panel.evaluate(misplaced), [], `at ${width - beside} pixels`);
      if (width === 1280 || width === narrow) await user.picture(`${picture}-${width - beside}`);
    }
    await user.page.setViewportSize({ width: 1280, height });
  }

  it('isn’t deceived by pages nested in the frame, and only the framed page itself is listened to', async () => {
    anchor.misbehave('GET', /^\/forger$/, { kind: 'answer', answer: { status: 200, html: forger } });
    browserbase.livePage = { body: hostilePage(`${anchor.url}/forger`) };
    await user.openLive('hostile');
    const content = await user.framed('hostile');
    const panel = await user.live('hostile');
    const heard = await panel.evaluateHandle(() => {
      const origins = new Set<string>();
      addEventListener('message', ({ origin }) => origins.add(origin));
      return origins;
    });
    const origins = [new URL(content.url()).origin, anchor.url, 'null'];
    await until(() => heard.evaluate((set, all) => all.every((one) => set.has(one)), origins));
    const lists = () => browserbase.log().filter((line) => line === 'GET /v1/sessions').length;
    const before = lists();
    const receivesNothing = async () => {
      await user.page.waitForTimeout(1_000);
      assert.equal(await panel.locator('h1').innerText(), 'hostile');
      assert.doesNotMatch(await panel.locator('body').innerText(), /Forged/);
      assert.ok(await panel.locator('iframe').isVisible());
      assert.equal(await user.page.getByRole('dialog').count(), 0, 'a page could ask for its session to end');
    };
    await receivesNothing();
    await content.evaluate('sayAll([])');
    await receivesNothing();
    assert.equal(lists(), before, 'a page could have the account listed');
    await content.evaluate(`sayAll(['${disconnectMessage}'])`);
    await until(async () => lists() > before);
    await receivesNothing();
    const after = lists();
    await content.evaluate(`sayAll(['${disconnectMessage}'])`);
    await receivesNothing();
    assert.equal(lists(), after, 'a page could have the account listed again and again');
  });

  it('can reach every button in high contrast and in a narrow panel', async () => {
    const cautious = await user.openLive(checkout);
    await cautious.getByRole('heading', { name: 'Watching affects this session' }).waitFor();
    await checkWidths(cautious, 'panel-effect');
    await cautious.getByRole('button', { name: 'Show Live View' }).click();
    await user.framed(checkout);
    const panel = await user.live(checkout);
    await panel.getByLabel('Page to show').waitFor();
    await panel.getByRole('button', { name: 'Interact' }).click();
    await panel.getByRole('button', { name: 'Got It' }).waitFor();
    const toolbar = panel.getByRole('toolbar').locator('button:visible, select:visible');
    assert.equal(await toolbar.count(), 6);
    await checkWidths(panel, 'panel-frame');
    await panel.getByRole('button', { name: 'Interact' }).click();
  });

  it('operates everything by keyboard: the toolbar, the page switcher, and the buttons of a card', async () => {
    const panel = await user.live(checkout);
    const press = (key: string) => user.page.keyboard.press(key);
    const shown = () => panel.locator('iframe').getAttribute('src');
    await panel.locator('h1').click();
    await reach(panel, 'Tab', '#toolbar *');
    await reach(panel, 'ArrowRight', '#pages');
    await press('ArrowDown');
    await until(async () => ((await shown()) ?? '').includes('/live/sess_checkout/p2?'));
    await reach(panel, 'ArrowRight', '#copyLink');
    await press('Enter');
    await user.page.getByText('Link copied. Anyone with this link can watch').waitFor();
    const copied = await user.page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /\/live\/sess_checkout\/p2\?rt=a%2Bb%26c$/);
    await reach(panel, 'ArrowRight', '#openIn');
    const link = await user.opened(async () => {
      await press('Enter');
      await user.page.getByRole('option', { name: 'External Browser' }).waitFor();
      await press('Enter');
    });
    assert.equal(link, copied);

    anchor.livePage = { headers: { 'x-frame-options': 'DENY' } };
    await reach(panel, 'ArrowLeft', '#reload');
    await press('Enter');
    const card = panel.locator('#card');
    await card.getByText('X-Frame-Options').waitFor();
    await reach(panel, 'Tab', '[data-button=openExternal]');
    assert.equal(await user.opened(() => press('Enter')), copied);
    anchor.livePage = {};
    await reach(panel, 'Tab', '[data-button=reload]');
    await press('Enter');
    await user.framed(checkout);
  });

  it('goes on typing in the command palette when the link that they open elsewhere takes its time', async () => {
    const { page } = user;
    const panel = await user.live(checkout);
    for (const ms of [0, 600]) {
      const request = heldRequest();
      anchor.misbehave('GET', /pages$/, { kind: 'interrupted', by: request.here }, 1);
      await panel.locator('#openIn').click();
      await page.getByRole('option', { name: 'External Browser' }).waitFor();
      await waitIn(page, 700);
      const tab = page.context().waitForEvent('page');
      await page.keyboard.press('Enter');
      await request.arrived;
      await until(() => panel.evaluate(() => document.hasFocus() && document.activeElement?.id === 'openIn'));
      await page.keyboard.press('F1');
      const box = page.locator('.quick-input-widget input').first();
      await until(() => box.evaluate((one) => document.activeElement === one));
      await page.keyboard.type('before ');
      await waitIn(page, ms);
      request.release();
      const opened = await tab;
      for (const letter of 'and after') await page.keyboard.press(letter === ' ' ? 'Space' : letter, { delay: 60 });
      assert.equal(await box.inputValue(), '>before and after');
      await opened.close();
      await page.bringToFront();
      await page.keyboard.press('Escape');
    }
  });

  it('goes on typing in an input box of another command when the link that they copy takes its time', async () => {
    const { page } = user;
    const panel = await user.live(checkout);
    const request = heldRequest();
    anchor.misbehave('GET', /pages$/, { kind: 'interrupted', by: request.here }, 1);
    await panel.locator('#copyLink').click();
    await request.arrived;
    await user.run('Add Account…');
    await user.pick('Anchor Browser');
    const box = page.locator('.quick-input-widget input[type=password]');
    await until(() => box.evaluate((one) => document.activeElement === one));
    request.release();
    for (const letter of 'sk_typed_on') await page.keyboard.press(letter, { delay: 60 });
    await user.page.getByText('Link copied. Anyone with this link can watch').waitFor();
    assert.equal(await box.inputValue(), 'sk_typed_on');
    await page.keyboard.press('Escape');
  });

  it('ends a session by keyboard, and opens its recording and the next session from the end card', async () => {
    const panel = await user.live(checkout);
    const press = (key: string) => user.page.keyboard.press(key);
    await panel.getByRole('button', { name: 'Reload' }).click();
    await user.framed(checkout);
    await reach(panel, 'ArrowLeft', '#endSession');
    await press('Enter');
    assert.match(await user.dialog(), /End session "checkout-of/);
    await user.pressEnter();
    await panel.getByRole('heading', { name: 'Session ended' }).waitFor();
    assert.deepEqual(anchor.running, ['sess_mail']);
    const offered = await panel.locator('#choices button').allInnerTexts();
    assert.deepEqual(offered, ['Open Recording', 'Show mail.example (sess_mai)', 'Close']);
    await checkWidths(panel, 'panel-ended');
    await reach(panel, 'Tab', '[data-button=openRecording]');
    const recording = await user.opened(async () => {
      await press('Enter');
      await user.press('Open');
    });
    assert.equal(recording, 'https://files.example/sess_checkout/first.mp4?signature=canary');
    await reach(panel, 'Tab', '[data-button=showNext]');
    await press('Enter');
    await user.framed('mail.example');
    assert.equal(await user.page.getByRole('tab', { name: /^Live: checkout/ }).count(), 0);
  });
});
