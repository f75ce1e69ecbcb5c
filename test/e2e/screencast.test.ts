import { strict as assert } from 'node:assert';
import type { Frame } from 'playwright-core';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { type CdpRelay, startCdpRelay } from '../servers/cdpRelay.ts';
import { Devtools } from '../servers/devtools.ts';
import { startPages } from '../servers/pages.ts';
import type { ProviderServer } from '../servers/providerServer.ts';
import { assertAccessible } from './accessibility.ts';
import { until, WorkbenchUser } from './user.ts';

/** A valid JPEG whose image is gray, and this many pixels wide and high: 275 KB for 12,000, which decoded take 576 MB. */
function blankJpeg(size: number): Buffer {
  const segment = (marker: number, ...bytes: readonly number[]) => [0xff, marker, 0, bytes.length + 2, ...bytes];
  const zeros = (count: number) => Array.from({ length: count }, () => 0);
  const [high, low] = [size >> 8, size & 0xff];
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    Buffer.from(segment(0xdb, 0, ...zeros(64).map(() => 1))),
    Buffer.from(segment(0xc2, 8, high, low, high, low, 1, 1, 0x11, 0)),
    Buffer.from(segment(0xc4, 0, 1, ...zeros(15), 0)),
    Buffer.from(segment(0xda, 1, 1, 0, 0, 0, 0)),
    // A bit for each block of 64 pixels.
    Buffer.alloc(Math.ceil(Math.ceil(size / 8) ** 2 / 8) + 2),
    Buffer.from([0xff, 0xd9]),
  ]);
}

describe('a user watching a Chrome of their own', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let chromium: RunningChromium;
  let devtools: Devtools;
  let pages: ProviderServer;
  let relay: CdpRelay;
  let user: WorkbenchUser;
  let contexts: Record<'clock' | 'counter' | 'form', string>;

  before(async () => {
    [chromium, pages] = await Promise.all([startChromium(), startPages()]);
    devtools = await Devtools.open(chromium.endpoint);
    const open = (name: string) => devtools.openContext(`${pages.url}/${name}`);
    contexts = { clock: await open('clock'), counter: await open('counter'), form: await open('form') };
    relay = await startCdpRelay(chromium.endpoint);
    user = await WorkbenchUser.open();
    await user.addChrome(relay.url, 'Local Chrome');
    await user.row('Session Clock').waitFor();
  });
  after(async () => {
    await user?.picture('screencast-end');
    await user?.standUp();
    devtools?.close();
    await relay?.stop();
    await chromium?.stop();
    await pages?.stop();
  });

  /** The picture in a panel, once there is one. */
  async function pictureIn(panel: Frame) {
    const picture = panel.locator('#picture');
    await picture.waitFor({ state: 'visible', timeout: 30_000 });
    return picture;
  }

  /** How much of the picture changes in a second. */
  async function changeIn(panel: Frame): Promise<number> {
    const picture = await pictureIn(panel);
    const before = await picture.screenshot();
    await user.page.waitForTimeout(1_100);
    return user.difference(before, await picture.screenshot());
  }

  /** Runs a script in the page of a context, as its owner would. */
  async function inPage<T>(context: string, expression: string): Promise<T> {
    interface Info {
      readonly targetId: string;
      readonly type: string;
      readonly browserContextId: string;
    }
    const { targetInfos } = await devtools.send<{ targetInfos: Info[] }>('Target.getTargets');
    const pageOf = ({ type, browserContextId }: Info) => type === 'page' && browserContextId === context;
    const target = targetInfos.find(pageOf)?.targetId;
    const page = await Devtools.connect(`${chromium.endpoint.replace('http', 'ws')}/devtools/page/${target}`);
    try {
      const { result } = await page.send<{ result: { value: T } }>('Runtime.evaluate', { expression });
      return result.value;
    } finally {
      page.close();
    }
  }

  const inputs = () => relay.commands.filter(({ method }) => method?.startsWith('Input.') === true).length;

  it('opens a session by clicking its row, which keeps the focus, and sees the page move', async () => {
    await user.row('Session Clock').click();
    const panel = await user.live('Clock');
    await user.seesMoving(await pictureIn(panel));
    assert.ok(await user.page.evaluate(() => document.activeElement?.closest('.monaco-list') !== null));
    await user.picture('screencast-clock');
    // It comes to the front again, and isn't opened twice.
    await user.row('Session Clock').click();
    assert.equal(await user.page.getByRole('tab', { name: 'Live: Clock' }).count(), 1);
  });

  it('sees a page that doesn’t change, and is told that it hasn’t changed', async () => {
    await user.row('Session Sign-up form').click();
    const panel = await user.live('Sign-up form');
    assert.equal(await changeIn(panel), 0);
    await panel.getByText(/No change for 1\d s/).waitFor({ timeout: 20_000 });
    await assertAccessible(user, panel, 'screencast-quiet');
  });

  it('is disconnected from hidden panels', async () => {
    // The visible panel has one socket, and the one behind it has none.
    await until(async () => relay.sockets === 1);
    await user.page.getByRole('tab', { name: 'Live: Clock' }).click();
    await user.seesMoving(await pictureIn(await user.live('Clock')));
    await until(async () => relay.sockets === 1);
    await user.page.getByRole('tab', { name: 'Live: Sign-up form' }).click();
  });

  it('stays connected to hidden panels when the settings say so', async () => {
    const setting = 'browserSessions.liveView.keepAliveWhenHidden';
    await user.row('Session Clock').focus();
    await user.turnOn(setting, 'hidden');
    await user.row('Session Counter').click();
    await pictureIn(await user.live('Counter'));
    await user.page.getByRole('tab', { name: 'Live: Sign-up form' }).click();
    await pictureIn(await user.live('Sign-up form'));
    await until(async () => relay.sockets === 2);
    // From then on it isn't, even if its panel was created while they did.
    await user.row('Session Clock').focus();
    await user.turnOn(setting, 'hidden');
    await user.page.getByRole('tab', { name: 'Live: Counter' }).click();
    await user.page.getByRole('tab', { name: 'Live: Sign-up form' }).click();
    await until(async () => relay.sockets === 1);
    await user.page.getByRole('tab', { name: 'Live: Counter' }).click();
    await user.seesMoving(await pictureIn(await user.live('Counter')));
    await user.page.keyboard.press('Control+W');
    await user.page.getByRole('tab', { name: 'Live: Sign-up form' }).click();
  });

  it('only views until they choose to interact, then clicks, types and pastes into the page', async () => {
    const panel = await user.live('Sign-up form');
    await pictureIn(panel);
    const clickOn = (id: string) => user.clickShown(panel, id, (expression) => inPage(contexts.form, expression));
    await clickOn('user');
    await user.page.keyboard.type('unwanted');
    assert.equal(inputs(), 0, 'input reached a page that was view only');

    await panel.getByRole('button', { name: 'Interact' }).click();
    await panel.getByText('can interfere with a script').waitFor();
    await assertAccessible(user, panel, 'screencast-interact');
    await panel.getByRole('button', { name: 'Got It' }).click();
    await clickOn('user');
    await user.page.keyboard.type('Ada ');
    // A shortcut of the editor's own, which goes to the page here.
    await user.page.keyboard.press('Control+B');
    await user.page.evaluate(() => navigator.clipboard.writeText('Lovelace'));
    await panel.locator('#keys').focus();
    await user.page.keyboard.press('Control+V');
    await until(async () => (await inPage(contexts.form, 'user.value')) === 'Ada Lovelace');
    // As an emoji picker does, without a key.
    await user.page.keyboard.insertText(' 👋');
    await until(async () => (await inPage(contexts.form, 'user.value')) === 'Ada Lovelace 👋');
    await clickOn('send');
    await until(async () => (await inPage(contexts.form, 'said.textContent')) === 'Hello Ada Lovelace 👋');
    assert.ok(await user.row('Session Clock').isVisible(), 'the editor took a key that was the page’s');

    await user.page.keyboard.down('Shift');
    await user.page.keyboard.press('F6');
    await until(() => panel.evaluate(() => document.activeElement?.id === 'mode'));
    // Its release doesn't arrive in the panel's field anymore.
    await user.page.keyboard.up('Shift');
    const keyPressed = () => relay.commands.findLast(({ method }) => method === 'Input.dispatchKeyEvent')?.params;
    await until(async () => keyPressed()?.['type'] === 'keyUp' && keyPressed()?.['code'] === 'ShiftLeft');
    await user.page.keyboard.press('Enter');
    const before = inputs();
    await clickOn('send');
    assert.equal(inputs(), before);
  });

  it('reaches everything in the panel by keyboard', async () => {
    const panel = await user.live('Sign-up form');
    const focused = () => panel.evaluate(() => document.activeElement?.id);
    // The toolbar is one stop of the Tab key, from wherever the focus is in the panel.
    await panel.locator('#name').click();
    for (let tabs = 0; tabs < 5 && (await focused()) !== 'mode'; tabs++) await user.page.keyboard.press('Tab');
    const seen = [await focused()];
    for (let step = 0; step < 4; step++) {
      await user.page.keyboard.press('ArrowRight');
      seen.push(await focused());
    }
    assert.deepEqual(seen, ['mode', 'fit', 'reload', 'endSession', 'mode']);
    const names = await panel.getByRole('toolbar').getByRole('button').allInnerTexts();
    assert.deepEqual(names, ['Interact', '100%', 'Reload', 'End Session…']);
  });

  it('sees the page at its own size on request', async () => {
    const panel = await user.live('Sign-up form');
    const width = async () => Math.round((await (await pictureIn(panel)).boundingBox())?.width ?? 0);
    const fitting = await width();
    await panel.getByRole('button', { name: '100%' }).click();
    const own = await inPage<number>(contexts.form, 'innerWidth');
    await until(async () => (await width()) === own);
    assert.notEqual(fitting, own);
    await panel.getByRole('button', { name: '100%' }).click();
    await until(async () => (await width()) === fitting);
  });

  it('follows the session to a tab that it opens, and goes back to another tab by choice', async () => {
    await user.row('Session Counter').click();
    const panel = await user.live('Counter');
    await pictureIn(panel);
    const url = `${pages.url}/clock`;
    await devtools.send('Target.createTarget', { url, browserContextId: contexts.counter });
    const chosen = panel.getByLabel('Page to show');
    await chosen.waitFor();
    await until(async () => (await chosen.locator('option:checked').innerText()) === 'Clock');
    await chosen.selectOption({ label: 'Counter' });
    await panel.getByText('in a background tab').waitFor();
    await assertAccessible(user, panel, 'screencast-pages');
    // A single page of it can be watched by itself.
    await user.row('Session Counter').locator('.monaco-tl-twistie').click();
    await user.choose(user.row('Page Clock'), 'Open Live View');
    await user.page.getByRole('tab', { name: 'Live: Counter · Clock' }).waitFor();
    // When chosen in the other panel, it is revealed where it is already shown.
    await user.row('Session Counter').click();
    await user.page.getByRole('tab', { name: 'Live: Counter · Counter', selected: true }).waitFor();
    await (await user.live('Counter')).getByLabel('Page to show').selectOption({ label: 'Clock' });
    await user.page.getByRole('tab', { name: 'Live: Counter · Clock', selected: true }).waitFor();
    assert.equal(await user.page.getByRole('tab', { name: 'Live: Counter' }).count(), 2);
  });

  it('only views after the panel was hidden while they interacted, and sees the same tab', async () => {
    const url = 'data:text/html,<title>Tab</title><p>One of several';
    const tabs = await devtools.openContext(url);
    const openTab = () => devtools.send('Target.createTarget', { url, browserContextId: tabs });
    for (let count = 1; count < 5; count++) await openTab();
    await user.run('Refresh');
    await user.row('Session Tab').click();
    const shown = async () => (await user.live('Tab')).getByLabel('Page to show').inputValue();
    let panel = await user.live('Tab');
    await pictureIn(panel);
    // It follows the session to this one.
    await openTab();
    await until(async () => (await panel.getByLabel('Page to show').locator('option').count()) === 6);
    const before = await shown();
    for (let times = 0; times < 3; times++) {
      await panel.getByRole('button', { name: 'Interact' }).click();
      await panel.getByRole('button', { name: 'Interact', pressed: true }).waitFor();
      await user.page.getByRole('tab', { name: 'Live: Clock' }).click();
      await pictureIn(await user.live('Clock'));
      await user.page.getByRole('tab', { name: 'Live: Tab' }).click();
      panel = await user.live('Tab');
      await pictureIn(panel);
      assert.equal(await shown(), before);
      await panel.getByRole('button', { name: 'Interact', pressed: false }).waitFor();
    }
    await user.page.keyboard.press('Control+W');
    await devtools.send('Target.disposeBrowserContext', { browserContextId: tabs });
  });

  for (const [what, picture] of [
    ['can’t be decoded', Buffer.from('no picture!!')],
    ['are far larger than any screen', blankJpeg(12_000)],
  ] as const) {
    it(`is told when a page’s pictures ${what}, and sees the next valid one`, async () => {
      const corrupt = picture.toString('base64');
      relay.onEvent = (message) => {
        if (message.method !== 'Page.screencastFrame') return message;
        // Anything may follow the end of a JPEG, and each picture must be another one.
        const data = Buffer.concat([picture, Buffer.alloc((count++ % 50) * 3)]).toString('base64');
        return { ...message, params: { ...message.params, data } };
      };
      let count = 0;
      relay.onAnswer = (result) => ('data' in result ? { ...result, data: corrupt } : result);
      await user.row('Session Clock').click();
      const panel = await user.live('Clock');
      await panel.getByRole('button', { name: 'Reload' }).click();
      await panel.getByText("Couldn't show the images of this page.").waitFor();
      await user.picture('screencast-unreadable');
      relay.onEvent = relay.onAnswer = undefined;
      await panel.getByText("Couldn't show the images of this page.").waitFor({ state: 'hidden' });
      await user.seesMoving(await pictureIn(panel));
    });
  }

  it('ends the session from the panel, and is told when, how, and what they can do next', async () => {
    await user.row('Session Clock').click();
    const panel = await user.live('Clock');
    await pictureIn(panel);
    await panel.getByRole('button', { name: 'End Session…' }).click();
    assert.match(await user.dialog(), /End session "Clock" \(\S+\)\?[\s\S]*It's open in a live view/);
    await user.press('End Session');
    await panel.getByRole('heading', { name: 'Session ended' }).waitFor();
    assert.match(await panel.locator('#card').innerText(), /You ended it at \d/);
    assert.ok(await panel.locator('#picture.past').isVisible(), 'what was last seen is gone');
    assert.ok(!(await devtools.contexts()).includes(contexts.clock));
    await assertAccessible(user, panel, 'screencast-ended');
    await panel.getByRole('button', { name: /^Show (Sign-up form|Counter) / }).click();
    await until(async () => (await user.page.getByRole('tab', { name: 'Live: Clock' }).count()) === 0);
  });

  it('sees a hostile title as plain text, and opens the session by keyboard or palette', async () => {
    const title = '<img src=x> [x](command:closeWindow) \u202e$(trash)';
    const hostile = await devtools.openContext(
      `data:text/html;charset=utf-8,<title>${encodeURIComponent(title)}</title><p>Hello`,
    );
    await user.run('Refresh');
    // Until it has loaded, a page's title is its address.
    await user.row('Session <img src=x>').waitFor();
    const shown = '<img src=x> [x] (command:closeWindow) $ (trash)';
    await user.run('Open Live View');
    await user.pick('<img src=x> [x] (command');
    const panel = await user.live(shown);
    await pictureIn(panel);
    assert.equal(await panel.locator('h1').innerText(), shown);
    assert.equal(await panel.locator('img').count(), 0);
    await user.picture('screencast-hostile');
    await user.page.keyboard.press('Control+W');
    await user.row('Session Counter').click();
    // A panel that is still opening would change what has the focus.
    await user.page.getByRole('tab', { name: 'Live: Counter', selected: true }).waitFor();
    await pictureIn(await user.live('Counter'));
    await user.walkTo('Session Sign-up form');
    await user.page.keyboard.press('Enter');
    await pictureIn(await user.live('Sign-up form'));
    await devtools.send('Target.disposeBrowserContext', { browserContextId: hostile });
  });

  it('is told when the connection is lost, and sees the page again without doing anything', async () => {
    await user.row('Session Counter').click();
    const panel = await user.live('Counter');
    await pictureIn(panel);
    relay.stalled = true;
    relay.cut();
    await panel.getByText('Connection lost').waitFor();
    await assertAccessible(user, panel, 'screencast-lost');
    relay.stalled = false;
    await panel.getByText('Connection lost').waitFor({ state: 'hidden', timeout: 30_000 });
    await user.page.keyboard.press('Control+K');
    await user.page.keyboard.press('Control+W');
    await until(async () => relay.sockets === 0);
    assert.deepEqual(new Set(await devtools.contexts()), new Set([contexts.counter, contexts.form]));
  });

  it('is told when a script closes the watched browser context, though its Chrome is still running', async () => {
    await user.row('Session Counter').click();
    const panel = await user.live('Counter');
    await pictureIn(panel);
    await devtools.send('Target.disposeBrowserContext', { browserContextId: contexts.counter });
    await panel.getByRole('heading', { name: 'No longer running' }).waitFor();
    await until(async () => relay.sockets === 0);
  });
});
