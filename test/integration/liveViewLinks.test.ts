import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { TestingApi } from '../../src/extension.ts';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { startBrowserlessCloud } from '../servers/browserlessCloud.ts';
import { Devtools } from '../servers/devtools.ts';
import { startGateway } from '../servers/gateway.ts';
import { startPages } from '../servers/pages.ts';
import type { ProviderServer } from '../servers/providerServer.ts';
import { command, extension, removeAllAccounts, User, until } from './inside.ts';

describe('opening and copying live views', () => {
  let api: TestingApi;
  let user: User;
  let anchor: AnchorServer;
  let accountId: string;

  before(async () => {
    api = await extension();
    await removeAllAccounts(api);
    user = new User();
    api.testing.prompts = user;
    anchor = await startAnchor();
    const fields = { apiKey: anchor.key };
    accountId = await command<string>('addAccount', { provider: 'anchor', origin: anchor.url, fields });
    await api.testing.context.globalState.update('watchingAccepted', ['anchor']);
  });
  after(async () => {
    await api.testing.context.globalState.update('watchingAccepted', undefined);
    await removeAllAccounts(api);
    await anchor.stop();
  });

  it('opens all in a group at once, even when the provider never responds for one of them', async () => {
    const batch = anchor.addBatch(3);
    await api.refresh();
    const [first, ...others] = batch.members.map(({ id }) => id);
    anchor.misbehave('GET', new RegExp(`${first}/pages$`), { kind: 'silent' }, 100);
    const began = Date.now();
    await command('openGroupLiveViews', { accountId, groupId: batch.id });
    const panels = () =>
      vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).filter(({ label }) => label.startsWith('Live: '));
    await until(() => panels().length === 3);
    const watched = (id: string) => anchor.requests.some(({ path }) => path.startsWith(`/live/${id}/`));
    await until(() => others.every(watched));
    assert.ok(Date.now() - began < 10_000, 'they waited for what never came');
    anchor.behave();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    for (const { id } of batch.members) anchor.sessions.delete(id);
    anchor.batches.clear();
    await api.refresh();
  });

  it('requests only some of the links and live views that an extension asks for in a loop', async () => {
    const gateway = await startGateway();
    const ids = Array.from({ length: 70 }, (_, index) => gateway.add({ id: `sess_${index}` }).id);
    try {
      const fields = { authorization: gateway.authorization };
      const id = await command<string>('addAccount', { provider: 'gateway', origin: gateway.url, fields });
      await api.refresh();
      for (const sessionId of ids) await command('copyLiveViewUrl', { accountId: id, sessionId });
      const before = gateway.requests.length;
      for (const sessionId of ids) await command('copyLiveViewUrl', { accountId: id, sessionId });
      assert.equal(gateway.requests.length - before, 30);
      const sentence = /^Too many requests like this were made to 127\.0\.0\.1:\d+ in the last few seconds\./;
      assert.match(user.messages.at(-1)?.message ?? '', sentence);
      await command('openLiveView', { accountId: id, sessionId: 'sess_0' });
      assert.equal(gateway.requests.length - before, 30);
      const isLiveView = ({ label }: vscode.Tab) => label.startsWith('Live: ');
      assert.equal(vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).some(isLiveView), false);
    } finally {
      await gateway.stop();
    }
  });

  it('says that a link may be single-use when its provider doesn’t say', async () => {
    const gateway = await startGateway();
    gateway.add({ id: 'sess_g' });
    try {
      const fields = { authorization: gateway.authorization };
      const id = await command<string>('addAccount', { provider: 'gateway', origin: gateway.url, fields });
      await command('copyLiveViewUrl', { accountId: id, sessionId: 'sess_g' });
      assert.equal(
        user.notes.at(-1),
        'Link copied. Anyone with this link can watch the session and may be able to control it. It may work only once.',
      );
      assert.match(await vscode.env.clipboard.readText(), /\/live\/sess_g$/);
    } finally {
      await gateway.stop();
    }
  });

  it('closes a panel’s link once nothing shows it any longer, and keeps copied ones open', async () => {
    const cloud = await startBrowserlessCloud();
    cloud.add({ id: 'browser-1' });
    const settings = vscode.workspace.getConfiguration('browserSessions');
    const watched = () => cloud.requests.filter(({ path }) => path === '/live/index.html').length;
    try {
      await settings.update('browserless.accountApi', true, vscode.ConfigurationTarget.Global);
      await api.testing.context.globalState.update('watchingAccepted', ['anchor', 'browserless']);
      const fields = { token: cloud.token };
      const id = await command<string>('addAccount', { provider: 'browserless', origin: cloud.url, fields });
      const target = { accountId: id, sessionId: 'browser-1' };
      await command('copyLiveViewUrl', target);
      const copied = [...cloud.links.keys()];
      assert.equal(copied.length, 1);
      const onlyCopied = () => [...cloud.links.keys()].join() === copied.join();

      await command('openLiveView', target);
      await until(() => cloud.links.size === 2 && watched() > 0);
      const [, first] = cloud.links.keys();
      // A hidden panel shows nothing, and gets a new link when it is visible again.
      const note = await vscode.workspace.openTextDocument({ content: '' });
      await vscode.window.showTextDocument(note);
      await until(onlyCopied);
      await command('openLiveView', target);
      await until(() => cloud.links.size === 2);
      assert.notEqual([...cloud.links.keys()][1], first);
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
      await until(onlyCopied);

      // One that isn't shown at all: its page doesn't allow framing.
      const headers = { 'x-frame-options': 'DENY', 'content-type': 'text/html' };
      cloud.misbehave('GET', /^\/live\//, { kind: 'answer', answer: { status: 200, headers, text: '<p>Alone' } });
      const before = cloud.liveRequests.length;
      await command('openLiveView', target);
      await until(() => cloud.liveRequests.length > before && onlyCopied());
      // The session itself isn't touched.
      assert.deepEqual([...cloud.browsers.keys()], ['browser-1']);
    } finally {
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
      await api.testing.context.globalState.update('watchingAccepted', ['anchor']);
      await settings.update('browserless.accountApi', undefined, vscode.ConfigurationTarget.Global);
      await cloud.stop();
    }
  });

  it('offers page addresses to copy without their queries, and copies the chosen one in full', async () => {
    let chromium: RunningChromium | undefined;
    let pages: ProviderServer | undefined;
    try {
      [chromium, pages] = await Promise.all([startChromium(), startPages()]);
      const devtools = await Devtools.open(chromium.endpoint);
      const url = `${pages.url}/form?token=canary&q=1#canary`;
      await devtools.openContext(url);
      devtools.close();
      await command('addAccount', { provider: 'localChrome', origin: chromium.endpoint, fields: {} });
      let offered = '';
      user.answersPick = ({ choices }) => {
        offered = JSON.stringify(choices.map(({ label, description, detail }) => [label, description, detail]));
        return choices.map(({ value }) => value).filter((value) => value === url);
      };
      await command('copyPageUrl');
      assert.ok(offered.includes(`${pages.url}/form?token=•••&q=•••#•••`), offered);
      assert.ok(!offered.includes('canary'), offered);
      assert.equal(await vscode.env.clipboard.readText(), url);
    } finally {
      user.answersPick = () => [];
      for (const one of [chromium, pages]) await one?.stop();
    }
  });

  it('doesn’t take a screenshot of a session instead of one of its pages', async () => {
    const session = anchor.add({ domains: ['shop.example'] });
    await api.refresh();
    await command('takeScreenshot', { accountId, sessionId: session.id, pageId: session.pages[0]?.id });
    assert.deepEqual(user.messages.at(-1), {
      level: 'info',
      message: "Can't take a screenshot of a single page here. Take one of the session instead.",
      buttons: [],
    });
    assert.ok(!anchor.requests.some(({ path }) => path.endsWith('/screenshot')));
  });
});
