import { strict as assert } from 'node:assert';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { type CdpMessage, type CdpRelay, startCdpRelay } from '../servers/cdpRelay.ts';
import { Devtools } from '../servers/devtools.ts';
import { startPages } from '../servers/pages.ts';
import type { ProviderServer } from '../servers/providerServer.ts';
import { until, WorkbenchUser } from './user.ts';

const unreadable = "Couldn't show the images of this page.";

describe('messages in a live view when something goes wrong', function () {
  this.timeout(120_000);
  let chromium: RunningChromium;
  let devtools: Devtools;
  let pages: ProviderServer;
  let relay: CdpRelay;
  let user: WorkbenchUser;

  before(async () => {
    [chromium, pages] = await Promise.all([startChromium(), startPages()]);
    devtools = await Devtools.open(chromium.endpoint);
    relay = await startCdpRelay(chromium.endpoint);
    await devtools.openContext(`${pages.url}/clock`);
    user = await WorkbenchUser.open();
    await user.addChrome(relay.url, 'Local Chrome');
    await user.row('Session Clock').waitFor();
  });
  afterEach(async () => {
    relay.onEvent = relay.onAnswer = undefined;
    relay.stalled = false;
    await user.page.keyboard.press('Control+K');
    await user.page.keyboard.press('Control+W');
    await until(async () => relay.sockets === 0);
  });
  after(async () => {
    await user?.picture('notes-end');
    await user?.standUp();
    devtools?.close();
    await relay?.stop();
    await chromium?.stop();
    await pages?.stop();
  });

  /** Opens the live view of a session, and waits for its first picture. */
  async function openLive(name: string) {
    await user.row(`Session ${name}`).click();
    const panel = await user.live(name);
    await panel.locator('#picture').waitFor({ state: 'visible', timeout: 30_000 });
    return panel;
  }

  /** Replaces each picture with data that isn't one, different each time. */
  function corruptPictures(): void {
    const corrupt = Buffer.from('no picture!!').toString('base64');
    let count = 0;
    const another = () => `${corrupt}${'A'.repeat((count++ % 50) * 4)}`;
    relay.onEvent = (message: CdpMessage) =>
      message.method === 'Page.screencastFrame'
        ? { ...message, params: { ...message.params, data: another() } }
        : message;
    relay.onAnswer = (result) => ('data' in result ? { ...result, data: another() } : result);
  }

  it('report a lost connection even after pictures that couldn’t be decoded', async () => {
    const panel = await openLive('Clock');
    corruptPictures();
    await panel.getByText(unreadable).waitFor();
    relay.stalled = true;
    relay.cut();
    await panel.getByText('Connection lost').waitFor();
    await user.picture('notes-lost');
  });

  it('report a closed page even after pictures that couldn’t be decoded', async () => {
    const context = await devtools.openContext();
    const url = `${pages.url}/counter`;
    const tab = await devtools.send<{ targetId: string }>('Target.createTarget', { url, browserContextId: context });
    await user.run('Refresh');
    const panel = await openLive('Counter');
    corruptPictures();
    await panel.getByText(unreadable).waitFor();
    await devtools.send('Target.closeTarget', tab);
    await panel.getByText('No page is open').waitFor();
    await devtools.send('Target.disposeBrowserContext', { browserContextId: context });
  });

  it('leave an error in the log after a picture that couldn’t be drawn, and drawing continues', async () => {
    const panel = await openLive('Clock');
    const errors: string[] = [];
    user.page.on('pageerror', ({ message }) => errors.push(message));
    await panel.evaluate(() => {
      const its = ImageBitmapRenderingContext.prototype;
      const real = its.transferFromImageBitmap;
      its.transferFromImageBitmap = () => {
        its.transferFromImageBitmap = real;
        throw new Error('the picture could not be drawn');
      };
    });
    await until(async () => errors.includes('the picture could not be drawn'));
    await user.seesMoving(panel.locator('#picture'));
  });

  it('still call an end confirmed after the history was cleared', async () => {
    const context = await devtools.openContext(`${pages.url}/form`);
    await user.run('Refresh');
    const panel = await openLive('Sign-up form');
    await devtools.send('Target.disposeBrowserContext', { browserContextId: context });
    await panel.getByRole('heading', { name: 'No longer running' }).waitFor();
    const ended = user.page.getByRole('button', { name: 'Recently Ended Section' });
    await ended.click();
    await ended.hover();
    await user.row('Session Sign-up form').waitFor();
    await user.page.getByRole('button', { name: 'Clear Recently Ended' }).click();
    await user.row('Session Sign-up form').waitFor({ state: 'detached' });
    assert.equal(await panel.locator('#heading').innerText(), 'No longer running');
    assert.equal(await panel.locator('#status').innerText(), 'not running');
  });
});
