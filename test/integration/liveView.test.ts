import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { TestingApi } from '../../src/extension.ts';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { startBrowserlessV1 } from '../servers/browserlessV1.ts';
import { Devtools } from '../servers/devtools.ts';
import { startGateway } from '../servers/gateway.ts';
import { startPages } from '../servers/pages.ts';
import type { ProviderServer } from '../servers/providerServer.ts';
import { command, extension, removeAllAccounts, User, until } from './inside.ts';

const liveTabs = () =>
  vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter(
      ({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith('browserSessions.liveView'),
    );
const labels = () => liveTabs().map(({ label }) => label);
const closeAll = () => vscode.commands.executeCommand('workbench.action.closeAllEditors');

/** Sets a setting to another value while something is done. */
async function withSetting(key: string, value: unknown, work: () => Promise<void>): Promise<void> {
  const settings = vscode.workspace.getConfiguration('browserSessions');
  await settings.update(key, value, vscode.ConfigurationTarget.Global);
  try {
    await work();
  } finally {
    await settings.update(key, undefined, vscode.ConfigurationTarget.Global);
  }
}

describe('live view inside VS Code', () => {
  let api: TestingApi;
  let server: AnchorServer;
  let chromium: RunningChromium;
  let devtools: Devtools;
  let pages: ProviderServer;
  let accountId: string;
  let local: string;
  let context: string;
  let user: User;

  before(async () => {
    api = await extension();
    await removeAllAccounts(api);
    user = new User();
    api.testing.prompts = user;
    [server, chromium, pages] = await Promise.all([startAnchor(), startChromium(), startPages()]);
    devtools = await Devtools.open(chromium.endpoint);
    context = await devtools.openContext(`${pages.url}/form?token=canary&q=1`);
    server.add({ id: 'sess_a', domains: ['shop.example'], tags: ['apiKey=tag-canary-value'] });
    accountId = await command<string>('addAccount', {
      provider: 'anchor',
      origin: server.url,
      fields: { apiKey: server.key },
    });
    local = await command<string>('addAccount', { provider: 'localChrome', origin: chromium.endpoint, fields: {} });
    // The watching notice was shown before.
    await api.testing.context.globalState.update('watchingAccepted', ['anchor']);
  });
  after(async () => {
    await closeAll();
    await api.testing.context.globalState.update('watchingAccepted', undefined);
    await removeAllAccounts(api);
    devtools.close();
    for (const one of [server, chromium, pages]) await one.stop();
  });

  it('opens one panel for a session, and shows it again when asked again', async () => {
    await command('openLiveView', { accountId, sessionId: 'sess_a' });
    await until(() => labels().join() === 'Live: shop.example (sess_a)');
    await command('openLiveView', { accountId, sessionId: 'sess_a' });
    assert.equal(liveTabs().length, 1);
    await command('openLiveViewToSide', { accountId: local, sessionId: context });
    await until(() => liveTabs().length === 2);
    assert.equal(vscode.window.tabGroups.all.length, 2);
  });

  it('is mentioned in the confirmation when open, and closing it doesn’t end the session', async () => {
    const isTold = () => /It's open in a live view/.test(user.questions.at(-1)?.detail ?? '');
    // Once it is connected.
    for (const deadline = Date.now() + 10_000; !isTold() && Date.now() < deadline; ) {
      await command('endSession', { accountId, sessionId: 'sess_a' });
    }
    assert.ok(isTold());
    await closeAll();
    await until(() => liveTabs().length === 0);
    assert.deepEqual(server.running, ['sess_a']);
    assert.deepEqual(await devtools.contexts(), [context]);
    await command('endSession', { accountId, sessionId: 'sess_a' });
    assert.doesNotMatch(user.questions.at(-1)?.detail ?? '', /live view/);
  });

  it('says that a session isn’t listed when no list has ever shown it', async () => {
    await command('openLiveView', { accountId, sessionId: 'sess_gone' });
    assert.match(user.messages.at(-1)?.message ?? '', /doesn't list this session\.$/);
  });

  it('asks before opening more than four at once, and arranges four side by side', async () => {
    const batch = server.addBatch(5);
    await api.refresh();
    const target = { accountId, groupId: batch.id };
    await command('openGroupLiveViews', target);
    assert.equal(user.questions.at(-1)?.message, 'Open 5 live views?');
    assert.equal(liveTabs().length, 0);
    user.answersConfirm = ({ choices }) => choices[0];
    await command('openGroupLiveViews', target);
    user.answersConfirm = () => undefined;
    await until(() => liveTabs().length === 5);
    assert.equal(vscode.window.tabGroups.all.length, 4);
    await closeAll();
    for (const { id } of batch.members) server.sessions.delete(id);
    server.batches.clear();
    await api.refresh();
  });

  it('opens in the editor’s own browser when the settings say so and there is one', async function () {
    const name = 'workbench.action.browser.open';
    // On a desktop it exists, and would open a window.
    if ((await vscode.commands.getCommands(true)).includes(name)) this.skip();
    const opened: unknown[] = [];
    const registration = vscode.commands.registerCommand(name, (url: unknown) => opened.push(url));
    try {
      await withSetting('liveView.openIn', 'integratedBrowser', async () => {
        await command('openLiveView', { accountId, sessionId: 'sess_a' });
        assert.equal(opened.length, 1);
        assert.match(String(opened[0]), /\/live\/sess_a\//);
        assert.equal(liveTabs().length, 0);
        // A session without a provider's page is still shown in a panel.
        await command('openLiveView', { accountId: local, sessionId: context });
        await until(() => liveTabs().length === 1);
      });
      await closeAll();
      // A page that doesn't allow framing is explained: VS Code would write its address to the disk.
      server.livePage = { headers: { 'content-security-policy': "frame-ancestors 'none'" } };
      await command('openLiveView', { accountId, sessionId: 'sess_a' });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      assert.deepEqual([opened.length, liveTabs().length], [1, 1]);
    } finally {
      server.livePage = {};
      registration.dispose();
      await closeAll();
    }
  });

  it('opens a single-use link only when the user says so, wherever it would be shown', async () => {
    const batch = server.addBatch(1);
    const [member] = batch.members;
    assert.ok(member);
    const { id } = member;
    member.pages = [];
    server.singleUse.set(id, 0);
    await api.refresh();
    const target = { accountId, sessionId: id };
    const asks = async (work: () => Promise<unknown>) => {
      const before = user.questions.length;
      await work();
      const asked = user.questions.slice(before).map(({ message }) => message);
      assert.deepEqual(asked, ['This link works only once']);
    };
    await asks(() => command('openLiveViewExternal', target));
    await withSetting('liveView.openIn', 'external', () => asks(() => command('openLiveView', target)));
    assert.equal(liveTabs().length, 0);
    await command('copyLiveViewUrl', target);
    assert.equal(
      user.notes.at(-1),
      'Link copied. Anyone with this link can watch the session and may be able to control it. It works only once.',
    );
    // A panel asks by itself, and nothing was opened to find out how.
    await command('openLiveView', target);
    assert.equal(server.singleUse.get(id), 0);
    await closeAll();
    server.sessions.delete(id);
    server.batches.clear();
    await api.refresh();
  });

  it('loads a link that may be single-use only in the frame', async () => {
    const gateway = await startGateway();
    gateway.add({ id: 'sess_g' });
    await api.testing.context.globalState.update('watchingAccepted', ['anchor', 'gateway']);
    try {
      const origin = gateway.url;
      const fields = { authorization: gateway.authorization };
      const id = await command<string>('addAccount', { provider: 'gateway', origin, fields });
      await command('openLiveView', { accountId: id, sessionId: 'sess_g' });
      const opened = () => gateway.log().filter((line) => line === 'GET /live/sess_g').length;
      await until(() => opened() > 0);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      assert.equal(opened(), 1);
    } finally {
      await closeAll();
      await gateway.stop();
    }
  });

  it('says how watching affects a session before showing anything anywhere, once for each provider', async () => {
    await api.testing.context.globalState.update('watchingAccepted', undefined);
    const v1 = await startBrowserlessV1();
    const page = { id: 'p1', title: 'One', url: 'about:blank' };
    v1.browsers.set('b1', { id: 'b1', trackingId: null, devtools: undefined, pages: [page] });
    try {
      const fields = { token: v1.token ?? '' };
      const own = await command<string>('addAccount', { provider: 'browserless', origin: v1.url, fields });
      const questions = async (work: () => Promise<unknown>) => {
        const before = user.questions.length;
        await work();
        return user.questions.slice(before).map(({ message }) => message);
      };
      const watching = ['Watching affects this session'];
      const target = { accountId, sessionId: 'sess_a' };
      const looked = () => server.log().filter((line) => line.startsWith('GET /live/')).length;
      const before = looked();
      assert.deepEqual(await questions(() => command('openLiveViewExternal', target)), watching);
      await withSetting('liveView.openIn', 'external', async () => {
        assert.deepEqual(await questions(() => command('openLiveView', target)), watching);
      });
      assert.equal(looked(), before);
      const sockets = v1.log().length;
      const picture = { accountId: own, sessionId: 'b1' };
      assert.deepEqual(await questions(() => command('takeScreenshot', picture)), watching);
      assert.equal(v1.log().length, sockets);
      // Anchor's own screenshot call isn't a connection.
      assert.deepEqual(await questions(() => command('takeScreenshot', target)), []);
      user.answersConfirm = ({ choices }) => choices[0];
      assert.deepEqual(await questions(() => command('takeScreenshot', picture)), watching);
      assert.deepEqual(await questions(() => command('takeScreenshot', picture)), []);
    } finally {
      user.answersConfirm = () => undefined;
      await api.testing.context.globalState.update('watchingAccepted', ['anchor']);
      await closeAll();
      await v1.stop();
    }
  });

  it('copies a link that is created each time, and says that it did', async () => {
    await command('copyLiveViewUrl', { accountId, sessionId: 'sess_a' });
    assert.match(await vscode.env.clipboard.readText(), /\/live\/sess_a\/.+\?rt=a%2Bb%26c$/);
    const copied = 'Link copied. Anyone with this link can watch the session and may be able to control it.';
    assert.equal(user.notes.at(-1), copied);
    await command('copyLiveViewUrl', { accountId: local, sessionId: context });
    assert.equal(user.messages.at(-1)?.message, `Sign-up form (${context.slice(0, 8)}) has no live view.`);
  });

  it('shows details as read-only JSON without secrets', async () => {
    await command('showDetails', { accountId: local, sessionId: context });
    const document = vscode.window.activeTextEditor?.document;
    assert.equal(document?.uri.scheme, 'browser-sessions');
    assert.equal(document?.languageId, 'json');
    const details = JSON.parse(document?.getText() ?? '');
    assert.equal(details.id, context);
    assert.equal(details.pages[0].url, `${pages.url}/form?token=•••&q=•••`);
    assert.equal(vscode.workspace.fs.isWritableFileSystem('browser-sessions'), false);
    await assert.rejects(async () => vscode.workspace.fs.writeFile(document.uri, Buffer.from('x')));

    await command('copyJson', { accountId, sessionId: 'sess_a' });
    const text = await vscode.env.clipboard.readText();
    assert.equal(JSON.parse(text).account.address, server.url);
    assert.ok(!/canary/.test(text), text);
    await closeAll();
  });

  it('takes screenshots by DevTools and by the provider’s own call, and leaves none on the disk', async () => {
    for (const target of [
      { accountId: local, sessionId: context },
      { accountId, sessionId: 'sess_a' },
    ]) {
      await command('takeScreenshot', target);
      const input = () => vscode.window.tabGroups.activeTabGroup.activeTab?.input;
      await until(() => input() instanceof vscode.TabInputCustom);
      const { uri } = input() as vscode.TabInputCustom;
      assert.equal(uri.scheme, 'browser-sessions');
      const bytes = await vscode.workspace.fs.readFile(uri);
      assert.deepEqual([...bytes.subarray(1, 4)], [...Buffer.from('PNG')]);
      await closeAll();
    }
    await command('takeScreenshot', { accountId, sessionId: 'sess_gone' });
    assert.match(user.messages.at(-1)?.message ?? '', /no longer listed|It may have closed/);
  });

  it('copies a page’s full address', async () => {
    const pageId = (
      await devtools.send<{ targetInfos: { targetId: string; type: string; url: string }[] }>('Target.getTargets')
    ).targetInfos.find(({ type, url }) => type === 'page' && url.includes('/form'))?.targetId;
    await command('copyPageUrl', { accountId: local, sessionId: context, pageId });
    assert.equal(await vscode.env.clipboard.readText(), `${pages.url}/form?token=canary&q=1`);
    await command('copyPageUrl', { accountId: local, sessionId: context, pageId: 'gone' });
    assert.equal(user.messages.at(-1)?.message, 'This page is no longer listed.');
  });

  it('says that there is no recording yet, and gives the reason when a live view can’t be shown', async () => {
    await command('openRecording', { accountId, sessionId: 'sess_a' });
    assert.equal(
      user.messages.at(-1)?.message,
      'There is no recording of this session. If it just ended, try again later.',
    );
    server.misbehave('GET', /pages$/, { kind: 'answer', answer: { status: 500, json: {} } });
    await command('copyLiveViewUrl', { accountId, sessionId: 'sess_a' });
    assert.match(user.messages.at(-1)?.message ?? '', /failed with HTTP 500/);
    server.behave();
  });
});
