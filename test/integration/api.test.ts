import { strict as assert } from 'node:assert';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { TestingApi } from '../../src/extension.ts';
import { Accounts } from '../../src/services/accounts/accounts.ts';
import { OrderedMemory } from '../../src/services/orderedMemory.ts';
import type { PublicEndReport } from '../../src/ui/commands/endReports.ts';
import { commandPrefix, commandTable } from '../../src/ui/commands/table.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { startBrowserbase } from '../servers/browserbase.ts';
import { startExample } from '../servers/example.ts';
import { startStagehand } from '../servers/stagehand.ts';
import { exampleProvider } from '../unit/providers/exampleProvider.ts';
import { command, exampleId, ownId, type User, until, useCleanState } from './inside.ts';

describe('the extension inside VS Code', () => {
  let api: TestingApi;
  let server: AnchorServer;
  let user: User;

  useCleanState((setup) => {
    ({ api, server, user } = setup);
  });

  const addAnchor = (more: object = {}) =>
    command<string>('addAccount', {
      provider: 'anchor',
      label: 'prod',
      origin: server.url,
      fields: { apiKey: server.key },
      ...more,
    });

  it('exports its API and registers every command', async () => {
    assert.equal(api.apiVersion, 1);
    assert.deepEqual(api.sessions(), []);
    const registered = new Set(await vscode.commands.getCommands(true));
    for (const name of Object.keys(commandTable)) assert.ok(registered.has(commandPrefix + name), name);
  });

  it('adds an account from arguments, lists it, and fires events', async () => {
    server.add({ id: 'sess_a', domains: ['shop.example'] });
    let changes = 0;
    const listener = api.onDidChange(() => changes++);
    const id = await addAnchor();
    listener.dispose();
    assert.ok(changes > 0);
    const [account] = api.accounts;
    assert.ok(account);
    assert.deepEqual(
      { ...account, asOf: typeof account.asOf },
      {
        id,
        provider: 'anchor',
        label: 'prod',
        origin: server.url,
        state: 'ready',
        asOf: 'number',
        trouble: undefined,
      },
    );
    assert.deepEqual(
      api.sessions(id).map(({ id, name, phase }) => [id, name, phase]),
      [['sess_a', 'shop.example', 'running']],
    );
  });

  it('keeps the key in SecretStorage and nowhere else', async () => {
    const id = await addAnchor();
    await command('refresh');
    const { secrets, globalState, workspaceState, logUri } = api.testing.context;
    assert.ok((await secrets.get(`browserSessions.account.${id}`))?.includes(server.key));
    const state = [globalState, workspaceState].map((memento) => memento.keys().map((key) => memento.get(key)));
    const settings = vscode.workspace.getConfiguration();
    const logs = await readdir(logUri.fsPath).catch(() => []);
    const texts = await Promise.all(logs.map((file) => readFile(join(logUri.fsPath, file), 'utf8')));
    const everything = JSON.stringify([state, settings, api.accounts, api.sessions(), texts, user]);
    assert.ok(!everything.includes(server.key));
  });

  it('stores nothing that doesn’t work, and reports what is wrong', async () => {
    for (const [more, wrong] of [
      [{ fields: { apiKey: 'wrong-key' } }, /rejected the key/],
      [{ fields: {} }, /API key is required/],
      [{ fields: { apiKey: 'naïve—key' } }, /characters that aren't allowed in a key/],
      [
        { provider: 'nobody' },
        /Unknown provider "nobody"\. Available providers: anchor, browserbase, browserless, gateway, localChrome/,
      ],
      [{ origin: 'http://api.anchorbrowser.io' }, /Only servers on this machine/],
      [{ origin: 'https://user:pw@host' }, /user name or password/],
      [{ origin: 'javascript:alert(1)' }, /Enter a valid address/],
      [{ origin: 'http://127.0.0.1:1' }, /Couldn't connect to 127\.0\.0\.1:1\b/],
    ] as const) {
      await assert.rejects(addAnchor(more), wrong);
      assert.deepEqual(api.accounts, []);
    }
    await addAnchor();
    await assert.rejects(addAnchor({ label: 'again' }), /already added this account as "prod"/);
    assert.equal(api.accounts.length, 1);
  });

  it('asks for an account step by step, at a custom address on request, and tries the key before storing it', async () => {
    user.answersPick = ({ choices }) =>
      choices.filter(({ label }) => label === 'Anchor Browser').map(({ value }) => value);
    let key = 'sk-wrong';
    user.answersAsk = ({ secret, prompt, button, value }) => {
      if (button !== undefined) return { press: 'button' };
      if (prompt.startsWith('Enter the address')) return server.url;
      return secret ? ` export ANCHOR_API_KEY="${key}" ` : value;
    };
    await command('addAccount');
    assert.deepEqual(api.accounts, []);
    key = server.key;
    await command('addAccount');
    assert.deepEqual(
      api.accounts.map(({ label, origin }) => [label, origin]),
      [['Anchor Browser', server.url]],
    );
    const [first] = user.asked;
    assert.equal(first?.secret, true);
    assert.match(first?.prompt ?? '', /sent only to api\.anchorbrowser\.io/);
    assert.match(user.asked.at(-2)?.prompt ?? '', new RegExp(`sent only to ${new URL(server.url).host}`));
    assert.deepEqual(user.asked.at(-1)?.step, { number: 4, of: 4, back: true });
  });

  it('follows other windows: an account that one of them adds, and one that it removes', async () => {
    const { secrets, globalState } = api.testing.context;
    server.add({ id: 'sess_a' });
    const ignore = () => {};
    const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    // VS Code may lose what one window writes while another one does, so it must be written again as windows do.
    const elsewhere = new Accounts(secrets, new OrderedMemory(globalState), Date.now, logger);
    try {
      const credentials = { apiKey: server.key };
      const id = await elsewhere.add({ provider: 'anchor', label: 'elsewhere', origin: server.url, credentials });
      await until(() => api.accounts.some(({ label }) => label === 'elsewhere'));
      await command('refresh');
      assert.deepEqual(
        api.sessions().map((session) => session.id),
        ['sess_a'],
      );
      await elsewhere.remove(id);
      await until(() => api.accounts.length === 0);
      assert.deepEqual(api.sessions(), []);
    } finally {
      elsewhere.dispose();
    }
  });

  it('replaces a key only when the new one works, and renames accounts', async () => {
    const id = await addAnchor();
    server.keys.set('automation-key', 'sk-rotated-canary');
    await api.refresh();
    assert.equal(api.accounts[0]?.trouble, 'unauthorized');
    user.answersAsk = () => 'sk-wrong';
    await command('replaceKey', { accountId: id });
    await api.refresh();
    assert.equal(api.accounts[0]?.trouble, 'unauthorized');
    user.answersAsk = () => 'sk-rotated-canary';
    await command('replaceKey', { accountId: id });
    assert.equal(api.accounts[0]?.trouble, undefined);
    user.answersAsk = () => 'live \u202e$(trash)';
    await command('renameAccount', { accountId: id });
    assert.equal(api.accounts[0]?.label, 'live $ (trash)');
  });

  it('tests a connection and reports the result', async () => {
    const id = await addAnchor();
    assert.equal(await command('testConnection', { accountId: id }), true);
    assert.match(user.messages.at(-1)?.message ?? '', /responded in \d+ ms\. Session limit: 25\./);
    await server.stop();
    assert.equal(await command('testConnection', { accountId: id }), false);
    assert.match(user.messages.at(-1)?.message ?? '', /Couldn't connect to/);
  });

  it('says before removing an account that its sessions keep running, and removes nothing on Cancel', async () => {
    server.add();
    server.add();
    const id = await addAnchor();
    await command('removeAccount', { accountId: id });
    assert.equal(api.accounts.length, 1);
    assert.match(user.questions[0]?.detail ?? '', /2 sessions will keep running and may keep costing money/);
    assert.equal(server.running.length, 2);
  });

  it('keeps what it knew when the server goes down, and says so', async () => {
    server.add({ id: 'sess_a' });
    const id = await addAnchor();
    const { port } = server;
    await server.stop();
    await api.refresh();
    assert.deepEqual(
      api.sessions(id).map((session) => session.id),
      ['sess_a'],
    );
    assert.equal(api.accounts[0]?.trouble, 'unreachable');
    assert.equal(api.accounts[0]?.state, 'ready');
    const back = await startAnchor();
    await back.stop();
    await server.start(port);
    await api.refresh();
    assert.equal(api.accounts[0]?.trouble, undefined);
  });

  it('handles five thousand sessions', async () => {
    for (let index = 0; index < 5_000; index++) server.add({ status: 'warming', domains: [`host${index}.example`] });
    await addAnchor();
    assert.equal(api.sessions().length, 5_000);
    await vscode.commands.executeCommand('workbench.view.extension.browserSessions');
    await api.refresh();
    assert.equal(api.accounts[0]?.trouble, undefined);
  });

  it('reports how a Stagehand session was ended', async () => {
    const browserbase = await startBrowserbase();
    const stagehand = await startStagehand(browserbase);
    try {
      stagehand.startSession('known');
      stagehand.startSession('unknown');
      stagehand.known.delete('unknown');
      const fields = { apiKey: browserbase.key, stagehandOrigin: 'http://stagehand.example' };
      const account = { provider: 'browserbase', origin: browserbase.url, fields };
      await assert.rejects(command('addAccount', account), /Use https:\/\//);
      fields.stagehandOrigin = `${stagehand.url}/`;
      const id = await command<string>('addAccount', account);
      const secret = await api.testing.context.secrets.get(`browserSessions.account.${id}`);
      assert.deepEqual(JSON.parse(secret ?? '').further, [`${stagehand.url}/`]);
      user.answersConfirm = ({ choices }) => choices[0];
      const one = await command<PublicEndReport>('endSession', { accountId: id, sessionId: 'known' });
      assert.deepEqual(one.results, [
        { accountId: id, sessionId: 'known', outcome: 'ended', detail: 'Stagehand ended it.' },
      ]);
      assert.equal(user.notes.at(-1), 'Session known ended. Stagehand ended it.');
      const other = await command<PublicEndReport>('endSession', { accountId: id, sessionId: 'unknown' });
      assert.equal(other.results[0]?.detail, "Stagehand didn't recognize it, so Browserbase released it.");
      assert.deepEqual(browserbase.running, []);
    } finally {
      await Promise.all([browserbase.stop(), stagehand.stop()]);
    }
  });

  it('gives a provider from another extension everything that built-in ones have', async () => {
    const services = await startExample();
    try {
      services.light(2);
      const registration = api.registerProvider(exampleProvider, ownId);
      assert.throws(() => api.registerProvider(exampleProvider, ownId), TypeError);
      user.answersPick = ({ choices }) => choices.filter(({ label }) => label === 'Made Up').map(({ value }) => value);
      const answers = [services.url, services.doorKey, 'home'];
      user.answersAsk = () => answers.shift();
      const account = { provider: 'exampleProvider', origin: services.url, fields: { doorKey: services.doorKey } };
      assert.equal(await command('addAccount'), undefined);
      await assert.rejects(command('addAccount', account), /isn't allowed to receive its keys/);
      assert.deepEqual([user.asked, services.log()], [[], []]);
      assert.match(
        user.questions.at(-1)?.message ?? '',
        /^Allow an extension to receive the keys you save for "Made Up"\?/,
      );
      user.answersConfirm = ({ choices }) => choices.find((choice) => choice === 'Allow');
      const id = await command<string>('addAccount');
      // Once is enough.
      await assert.rejects(command('addAccount', account), /already added this account as "home"/);
      assert.equal(user.questions.length, 3);
      assert.deepEqual(
        user.asked.slice(-3).map(({ prompt }) => prompt),
        [
          'Address of the services',
          `The key to the front door. Stored in the system keychain and given to the extension "Browser Sessions" (${ownId}), which can send it anywhere.`,
          'Enter a name to show in the Sessions view',
        ],
      );
      assert.deepEqual(
        api.sessions(id).map(({ name }) => name),
        ['Room r1', 'Room r2'],
      );
      user.answersConfirm = ({ choices }) => choices[0];
      const one = await command<{ ended: number }>('endSession', { accountId: id, sessionId: 'r1' });
      assert.equal(one.ended, 1);
      assert.match(user.questions.at(-1)?.detail ?? '', /The room is emptied\./);
      assert.deepEqual([...services.rooms.keys()], ['r2']);
      user.answersConfirm = ({ choices }) => choices.find((choice) => choice === 'End Everything in Account');
      const all = await command<{ ended: number }>('endAccountSessions', { accountId: id });
      assert.equal(all.ended, 1);
      assert.match(user.questions.at(-1)?.detail ?? '', /Every room of the house is emptied\./);
      assert.equal(services.log().at(-2) ?? '', 'DELETE /rooms');
      registration.dispose();
      await api.refresh();
      assert.equal(api.accounts[0]?.trouble, 'unsupported');
      // What was saved for that provider isn't available to another that takes over its id.
      assert.throws(() => api.registerProvider(exampleProvider, exampleId), /Keys are saved for exampleProvider/);
      api.registerProvider(exampleProvider, ownId).dispose();
    } finally {
      await services.stop();
    }
  });

  it('says which extension will receive the keys, according to the extension itself, and that this isn’t verified', async () => {
    const { id, packageJSON } = api.testing.context.extension;
    const registration = api.registerProvider({ ...exampleProvider, id: 'claimed' }, id);
    try {
      assert.throws(
        () => api.registerProvider({ ...exampleProvider, id: 'other' }, 'nobody.nothing'),
        /no such extension/,
      );
      await assert.rejects(command('addAccount', { provider: 'claimed' }));
      const { detail = '' } = user.questions.at(-1) ?? {};
      assert.ok(
        detail.startsWith(`The extension "${packageJSON.displayName}" (${id}) adds the provider "Made Up"`),
        detail,
      );
      assert.match(detail, /VS Code can't verify it/);
    } finally {
      registration.dispose();
    }
  });

  it('doesn’t let an extension change what the others receive', () => {
    assert.ok(Object.isFrozen(api));
    assert.throws(() => Object.assign(api, { registerProvider: () => {} }), TypeError);
  });

  it('gives no saved key to a provider whose id turns into another one', async () => {
    await addAnchor();
    const before = server.log().length;
    const ids = ['decoy', 'decoy', 'anchor'];
    const handed: unknown[] = [];
    const raw = { ...exampleProvider, connect: (link: unknown) => void handed.push(link) };
    Object.defineProperty(raw, 'id', { get: () => ids.shift() ?? 'anchor', enumerable: true });
    const registration = api.registerProvider(raw as never, ownId);
    try {
      assert.throws(() => api.registerProvider({ ...exampleProvider, id: 'anchor' }, ownId), TypeError);
      await api.refresh();
      assert.deepEqual(handed, []);
      assert.equal(api.accounts[0]?.trouble, undefined);
      assert.ok(server.log().length > before);
    } finally {
      registration.dispose();
    }
  });
});
