import { strict as assert } from 'node:assert';
import type { Frame } from 'playwright-core';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { type CdpMessage, type CdpRelay, startCdpRelay } from '../servers/cdpRelay.ts';
import { Devtools } from '../servers/devtools.ts';
import { startPages } from '../servers/pages.ts';
import type { ProviderServer } from '../servers/providerServer.ts';
import { until, WorkbenchUser } from './user.ts';

const tenMegabytes = 10 * 2 ** 20;

describe('a user watching a screencast over an unreliable connection', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let chromium: RunningChromium;
  let devtools: Devtools;
  let pages: ProviderServer;
  let relay: CdpRelay;
  let user: WorkbenchUser;
  let counter: string;

  before(async () => {
    [chromium, pages] = await Promise.all([startChromium(), startPages()]);
    devtools = await Devtools.open(chromium.endpoint);
    counter = await devtools.openContext(`${pages.url}/counter`);
    relay = await startCdpRelay(chromium.endpoint);
    user = await WorkbenchUser.open();
    await user.addChrome(relay.url, 'Local Chrome');
    await user.row('Session Counter').waitFor();
  });
  after(async () => {
    await user?.picture('cast-troubles-end');
    await user?.standUp();
    devtools?.close();
    await relay?.stop();
    await chromium?.stop();
    await pages?.stop();
  });

  async function openLive(name: string): Promise<Frame> {
    await user.row(`Session ${name}`).click();
    return user.live(name);
  }

  /** Waits until a panel shows a picture, and until the picture changes. */
  async function waitForMotion(panel: Frame): Promise<void> {
    const picture = panel.locator('#picture');
    await picture.waitFor({ state: 'visible', timeout: 30_000 });
    const before = await picture.screenshot();
    await until(async () => (await user.difference(before, await picture.screenshot())) > 0.0005);
  }

  it('sees pictures of ten megabytes like any others', async () => {
    // Anything may follow the end of a JPEG.
    const padded = (data: unknown) =>
      Buffer.concat([Buffer.from(String(data), 'base64'), Buffer.alloc(tenMegabytes)]).toString('base64');
    let passed = 0;
    relay.onEvent = (message) => {
      if (message.method !== 'Page.screencastFrame') return message;
      passed++;
      return { ...message, params: { ...message.params, data: padded(message.params?.['data']) } };
    };
    relay.onAnswer = (result) => ('data' in result ? { ...result, data: padded(result['data']) } : result);
    const panel = await openLive('Counter');
    await waitForMotion(panel);
    const before = passed;
    // The workbench stays responsive throughout.
    await user.run('Refresh');
    await until(async () => passed > before + 3);
    await waitForMotion(panel);
    assert.equal(await panel.locator('#note').isVisible(), false);
    await user.picture('cast-troubles-huge');
    relay.onEvent = relay.onAnswer = undefined;
  });

  it('is told when a connection falls silent without closing, and sees the page again after reconnecting', async () => {
    const panel = await openLive('Counter');
    await waitForMotion(panel);
    relay.stalled = true;
    await panel.getByText('Connection lost').waitFor({ timeout: 30_000 });
    await user.picture('cast-troubles-silent');
    relay.stalled = false;
    await panel.getByText('Connection lost').waitFor({ state: 'hidden', timeout: 60_000 });
    await waitForMotion(panel);
    await until(async () => relay.sockets === 1);
  });

  it('keeps following a page that goes to another site or that its browser replaces with another', async () => {
    const panel = await openLive('Counter');
    type Targets = { targetInfos: { targetId: string; browserContextId: string }[] };
    const { targetInfos } = await devtools.send<Targets>('Target.getTargets');
    const { targetId } = targetInfos.find(({ browserContextId }) => browserContextId === counter) ?? assert.fail();
    const page = await Devtools.connect(`${chromium.endpoint.replace('http', 'ws')}/devtools/page/${targetId}`);
    await page.send('Page.navigate', { url: `${pages.url.replace('127.0.0.1', 'localhost')}/clock` });
    page.close();
    await waitForMotion(panel);
    const attached = () => relay.commands.filter(({ method }) => method === 'Target.attachToTarget').length;
    const before = attached();
    let swapped: CdpMessage | undefined;
    relay.onEvent = (message) => {
      if (swapped !== undefined || message.method !== 'Page.screencastFrame') return message;
      swapped = { method: 'Target.detachedFromTarget', params: { sessionId: message.sessionId } };
      return swapped;
    };
    await until(async () => swapped !== undefined && attached() > before);
    relay.onEvent = undefined;
    await waitForMotion(panel);
    assert.equal(await panel.locator('#note').isVisible(), false);
  });

  it('is told when a session ends while its panel is opening', async () => {
    const dying = await devtools.openContext(`${pages.url}/form`);
    await user.run('Refresh');
    await user.row('Session Sign-up form').waitFor();
    relay.server.misbehave('GET', /version$/, { kind: 'slow', ms: 2_000 });
    const panel = await openLive('Sign-up form');
    await devtools.send('Target.disposeBrowserContext', { browserContextId: dying });
    await panel.getByRole('heading', { name: 'No longer running' }).waitFor({ timeout: 30_000 });
    await user.picture('cast-troubles-dying');
    relay.server.behave();
    await panel.getByRole('button', { name: 'Close' }).click();
  });

  it('is told when the account of an open panel was removed, and the panel disconnects', async () => {
    const panel = await openLive('Clock');
    await waitForMotion(panel);
    await user.choose(user.row('Account Local Chrome'), 'Remove Account…');
    await user.press('Remove Account');
    await panel.getByRole('heading', { name: 'The account was removed' }).waitFor();
    assert.equal(await panel.locator('#picture').isVisible(), false, 'it is still to be seen');
    await until(async () => relay.sockets === 0);
    assert.deepEqual(await devtools.contexts(), [counter]);
    await panel.getByRole('button', { name: 'Close' }).click();
  });
});
