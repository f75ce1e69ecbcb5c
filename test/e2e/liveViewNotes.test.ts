import { strict as assert } from 'node:assert';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { type CdpMessage, type CdpRelay, startCdpRelay } from '../servers/cdpRelay.ts';
import { Devtools } from '../servers/devtools.ts';
import { startPages } from '../servers/pages.ts';
import type { VendorServer } from '../servers/providerServer.ts';
import { until, WorkbenchPerson } from './user.ts';

const unreadable = "Couldn't show the images of this page.";

describe('what a live view says when something goes wrong', function () {
  this.timeout(120_000);
  let chromium: RunningChromium;
  let devtools: Devtools;
  let pages: VendorServer;
  let relay: CdpRelay;
  let person: WorkbenchPerson;

  before(async () => {
    [chromium, pages] = await Promise.all([startChromium(), startPages()]);
    devtools = await Devtools.open(chromium.endpoint);
    relay = await startCdpRelay(chromium.endpoint);
    await devtools.openContext(`${pages.url}/clock`);
    person = await WorkbenchPerson.sitDown();
    await person.addChrome(relay.url, 'Local Chrome');
    await person.row('Session Clock').waitFor();
  });
  afterEach(async () => {
    relay.onEvent = relay.onAnswer = undefined;
    relay.stalled = false;
    await person.page.keyboard.press('Control+K');
    await person.page.keyboard.press('Control+W');
    await until(async () => relay.sockets === 0);
  });
  after(async () => {
    await person?.picture('notes-end');
    await person?.standUp();
    devtools?.close();
    await relay?.stop();
    await chromium?.stop();
    await pages?.stop();
  });

  /** Opens the live view of a session, and waits for its first picture. */
  async function openLive(name: string) {
    await person.row(`Session ${name}`).click();
    const panel = await person.live(name);
    await panel.locator('#picture').waitFor({ state: 'visible', timeout: 30_000 });
    return panel;
  }

  /** Puts something that is no picture in the place of each, another one each time. */
  function spoil(): void {
    const spoilt = Buffer.from('no picture!!').toString('base64');
    let count = 0;
    const another = () => `${spoilt}${'A'.repeat((count++ % 50) * 4)}`;
    relay.onEvent = (message: CdpMessage) =>
      message.method === 'Page.screencastFrame'
        ? { ...message, params: { ...message.params, data: another() } }
        : message;
    relay.onAnswer = (result) => ('data' in result ? { ...result, data: another() } : result);
  }

  it('tells of a connection that is lost though its pictures were none', async () => {
    const panel = await openLive('Clock');
    spoil();
    await panel.getByText(unreadable).waitFor();
    relay.stalled = true;
    relay.cut();
    await panel.getByText('The connection was lost').waitFor();
    await person.picture('notes-lost');
  });

  it('tells of a page that is open no longer though its pictures were none', async () => {
    const context = await devtools.openContext();
    const url = `${pages.url}/counter`;
    const tab = await devtools.send<{ targetId: string }>('Target.createTarget', { url, browserContextId: context });
    await person.run('Refresh');
    const panel = await openLive('Counter');
    spoil();
    await panel.getByText(unreadable).waitFor();
    await devtools.send('Target.closeTarget', tab);
    await panel.getByText('No page is open').waitFor();
    await devtools.send('Target.disposeBrowserContext', { browserContextId: context });
  });

  it('goes on drawing after a picture that could not be drawn, and leaves word of it', async () => {
    const panel = await openLive('Clock');
    const errors: string[] = [];
    person.page.on('pageerror', ({ message }) => errors.push(message));
    await panel.evaluate(() => {
      const its = ImageBitmapRenderingContext.prototype;
      const real = its.transferFromImageBitmap;
      its.transferFromImageBitmap = () => {
        its.transferFromImageBitmap = real;
        throw new Error('the picture could not be drawn');
      };
    });
    await until(async () => errors.includes('the picture could not be drawn'));
    await person.seesMoving(panel.locator('#picture'));
  });

  it('goes on calling an end proven after the history was cleared', async () => {
    const context = await devtools.openContext(`${pages.url}/form`);
    await person.run('Refresh');
    const panel = await openLive('Sign-up form');
    await devtools.send('Target.disposeBrowserContext', { browserContextId: context });
    await panel.getByRole('heading', { name: 'No longer running' }).waitFor();
    const ended = person.page.getByRole('button', { name: 'Recently Ended Section' });
    await ended.click();
    await ended.hover();
    await person.row('Session Sign-up form').waitFor();
    await person.page.getByRole('button', { name: 'Clear Recently Ended' }).click();
    await person.row('Session Sign-up form').waitFor({ state: 'detached' });
    assert.equal(await panel.locator('#heading').innerText(), 'No longer running');
    assert.equal(await panel.locator('#status').innerText(), 'not running');
  });
});
