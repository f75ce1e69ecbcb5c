import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { TestingApi } from '../../src/extension.ts';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { type CdpRelay, startCdpRelay } from '../servers/cdpRelay.ts';
import { Devtools } from '../servers/devtools.ts';
import { startPages } from '../servers/pages.ts';
import type { ProviderServer } from '../servers/providerServer.ts';
import { command, extension, removeAllAccounts, until } from './inside.ts';

const keepAlive = 'liveView.keepAliveWhenHidden';

/** Sets one of our settings; undefined restores its default. */
async function set(key: string, value: unknown): Promise<void> {
  const settings = vscode.workspace.getConfiguration('browserSessions');
  await settings.update(key, value, vscode.ConfigurationTarget.Global);
}

describe('a live view that follows changes around it', () => {
  let api: TestingApi;
  let chromium: RunningChromium;
  let devtools: Devtools;
  let pages: ProviderServer;
  let relay: CdpRelay;
  let sessionId: string;
  let accountId: string;

  before(async () => {
    api = await extension();
    await removeAllAccounts(api);
    [chromium, pages] = await Promise.all([startChromium(), startPages()]);
    devtools = await Devtools.open(chromium.endpoint);
    relay = await startCdpRelay(chromium.endpoint);
    sessionId = await devtools.openContext(`${pages.url}/clock`);
    // Only what a live view asks for is listed.
    await set('refresh.interval', 0);
    accountId = await command<string>('addAccount', { provider: 'localChrome', origin: relay.url, fields: {} });
  });
  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await set(keepAlive, undefined);
    await until(() => relay.sockets === 0);
  });
  after(async () => {
    await set('refresh.interval', undefined);
    await removeAllAccounts(api);
    devtools.close();
    await relay.stop();
    for (const one of [chromium, pages]) await one.stop();
  });

  const open = async () => {
    await command('openLiveView', { accountId, sessionId });
    await until(() => acknowledged() > 0);
  };
  const acknowledged = () => relay.commands.filter(({ method }) => method === 'Page.screencastFrameAck').length;
  /** Puts another editor in front of the panel. */
  const hide = () => command('showDetails', { accountId, sessionId });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 1_000));

  it('disconnects from a hidden session as soon as the settings no longer keep it connected', async () => {
    await set(keepAlive, true);
    await open();
    await hide();
    await settle();
    assert.equal(relay.sockets, 1);
    await set(keepAlive, false);
    await until(() => relay.sockets === 0);
  });

  it('reconnects to a hidden session when the settings begin to keep it connected', async () => {
    await set(keepAlive, true);
    await open();
    await set(keepAlive, false);
    await hide();
    await until(() => relay.sockets === 0);
    await set(keepAlive, true);
    await settle();
    assert.equal(relay.sockets, 0, 'it was connected before it was visible');
    const before = acknowledged();
    await command('openLiveView', { accountId, sessionId });
    await until(() => relay.sockets === 1 && acknowledged() > before);
    await hide();
    await settle();
    assert.equal(relay.sockets, 1);
  });

  it('lists an account at most once in two seconds, however fast a script opens and closes tabs', async () => {
    await open();
    await settle();
    const lists = () => relay.server.requests.filter(({ path }) => path === '/json/version').length;
    const before = lists();
    const began = Date.now();
    let tabs = 0;
    while (Date.now() - began < 6_000) {
      const url = `${pages.url}/counter`;
      const tab = await devtools.send<{ targetId: string }>('Target.createTarget', {
        url,
        browserContextId: sessionId,
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
      await devtools.send('Target.closeTarget', { targetId: tab.targetId });
      tabs++;
    }
    assert.ok(tabs > 8, `${tabs} tabs`);
    assert.ok(lists() - before <= 4, `listed ${lists() - before} times while ${tabs} tabs came and went`);
    // The last change is listed, too.
    await devtools.send('Target.createTarget', { url: `${pages.url}/form`, browserContextId: sessionId });
    for (const deadline = Date.now() + 10_000; ; ) {
      await command('copyJson', { accountId, sessionId });
      if ((await vscode.env.clipboard.readText()).includes('/form')) break;
      assert.ok(Date.now() < deadline, 'the last tab was not listed');
    }
  });
});
