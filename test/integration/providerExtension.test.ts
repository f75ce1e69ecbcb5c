import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { TestingApi } from '../../src/extension.ts';
import type { PublicEndReport } from '../../src/ui/commands/endReports.ts';
import { type GridServer, startGrid } from '../servers/grid.ts';
import { command, exampleId, extension, ownId, removeAllAccounts, User, until } from './inside.ts';

// test/examples/provider-extension, which is built from the package for other extensions alone.
describe('an extension that adds a provider, inside VS Code', () => {
  let api: TestingApi;
  let server: GridServer;
  let user: User;

  before(async () => {
    api = await extension();
    // It starts by itself, as any extension does.
    await until(() => vscode.extensions.getExtension(exampleId)?.isActive === true);
  });
  beforeEach(async () => {
    await removeAllAccounts(api);
    server = await startGrid();
    server.browsers.set('b1', 'Checkout').set('b2', 'Search');
    user = new User();
    user.answersConfirm = ({ choices }) => choices[0];
    api.testing.prompts = user;
  });
  afterEach(async () => {
    await removeAllAccounts(api);
    await server.stop();
  });

  const add = () => {
    const fields = { token: server.token };
    return command<string>('addAccount', { provider: 'acmeGrid', origin: server.url, fields });
  };

  it('has its sessions listed, shown and ended like those of built-in providers', async () => {
    const id = await add();
    assert.match(user.questions[0]?.message ?? '', /Acme Grid/);
    assert.match(user.questions[0]?.detail ?? '', /"Acme Grid" \(acme\.acme-grid\)/);
    assert.deepEqual(
      api.sessions(id).map(({ id: its, name, phase, startedAt }) => [its, name, phase, startedAt]),
      [
        ['b1', 'Checkout', 'running', Date.UTC(2026, 0, 2, 3, 4, 5)],
        ['b2', 'Search', 'running', Date.UTC(2026, 0, 2, 3, 4, 5)],
      ],
    );
    const { ended } = await command<PublicEndReport>('endSession', { accountId: id, sessionId: 'b1' });
    assert.equal(ended, 1);
    assert.match(user.questions.at(-1)?.detail ?? '', /The browser closes\./);
    assert.deepEqual([...server.browsers.keys()], ['b2']);
  });

  it('is told about a wrong key, and about a session that its server no longer has', async () => {
    const fields = { token: 'another' };
    const adding = command('addAccount', { provider: 'acmeGrid', origin: server.url, fields });
    await assert.rejects(adding, /rejected the key/);
    const id = await add();
    server.browsers.delete('b1');
    const { results } = await command<PublicEndReport>('endSession', { accountId: id, sessionId: 'b1' });
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ['alreadyGone'],
    );
    assert.deepEqual([...server.browsers.keys()], ['b2']);
  });

  it('has a plain error of its own shown as an unexpected response from its provider', async () => {
    const id = await add();
    // JSON.parse of the example throws a SyntaxError.
    server.misbehave('GET', /./, {
      kind: 'answer',
      answer: { status: 200, text: '<p>[maintenance](command:quit)</p>' },
    });
    await api.refresh();
    assert.equal(api.accounts[0]?.trouble, 'unexpectedAnswer');
    assert.equal(api.sessions(id).length, 2);
    assert.equal(await command('testConnection', { accountId: id }), false);
    const { message = '' } = user.messages.at(-1) ?? {};
    assert.match(message, /is not valid JSON/);
    assert.doesNotMatch(message, /this extension fail|\]\(/);
  });

  it('gets an error that says what is wrong for any invalid registration, and all providers keep working', async () => {
    const id = await add();
    const nonsense: readonly unknown[] = [
      undefined,
      null,
      5,
      'x',
      [],
      {},
      Promise.resolve({}),
      { id: 'anchor' },
      () => {},
    ];
    for (const raw of nonsense) {
      assert.throws(() => api.registerProvider(raw as never, exampleId), /^TypeError: registerProvider: [\w ]+: /);
    }
    for (const extensionId of [undefined, null, '', 'nobody.nothing', {}]) {
      assert.throws(
        () => api.registerProvider({} as never, extensionId as never),
        /extensionId: There is no such extension/,
      );
    }
    const rejecting = {
      id: 'rejecting',
      label: 'Rejecting',
      address: { preset: server.url },
      wording: { ending: 'x' },
      connect: () => Promise.reject(new Error('connecting must not wait')),
    };
    const registration = api.registerProvider(rejecting as never, ownId);
    try {
      const adding = command('addAccount', { provider: 'rejecting', origin: server.url, fields: {} });
      await assert.rejects(adding, /“connect” returned a promise/);
    } finally {
      registration.dispose();
    }
    await api.refresh();
    assert.equal(api.accounts[0]?.trouble, undefined);
    assert.equal(api.sessions(id).length, 2);
  });
});
