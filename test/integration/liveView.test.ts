import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { TestingApi } from '../../src/extension.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { command, extension, Person, removeAllAccounts } from './inside.ts';

const liveTabs = () =>
  vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter(
      ({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith('browserSessions.liveView'),
    );

describe('live view inside VS Code', () => {
  let api: TestingApi;
  let server: AnchorServer;
  let accountId: string;
  let person: Person;

  before(async () => {
    api = await extension();
    await removeAllAccounts(api);
    person = new Person();
    api.testing.prompts = person;
    server = await startAnchor();
    server.add({ id: 'sess_a', domains: ['shop.example'] });
    accountId = await command<string>('addAccount', {
      provider: 'anchor',
      origin: server.url,
      fields: { apiKey: server.key },
    });
  });
  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await removeAllAccounts(api);
    await server.stop();
  });

  it('opens one panel for a session, and shows it again when asked again', async () => {
    await command('openLiveView', { accountId, sessionId: 'sess_a' });
    assert.deepEqual(
      liveTabs().map(({ label }) => label),
      ['Live: shop.example'],
    );
    await command('openLiveView', { accountId, sessionId: 'sess_a' });
    assert.equal(liveTabs().length, 1);
  });

  it('tells in the confirmation that it is open, and does not end a session by being closed', async () => {
    await command('endSession', { accountId, sessionId: 'sess_a' });
    assert.match(person.questions.at(-1)?.detail ?? '', /A live view of it is open/);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(server.running, ['sess_a']);
    await command('endSession', { accountId, sessionId: 'sess_a' });
    assert.doesNotMatch(person.questions.at(-1)?.detail ?? '', /live view/);
  });

  it('says of a session that is gone that it is', async () => {
    await command('openLiveView', { accountId, sessionId: 'sess_gone' });
    assert.equal(person.told.at(-1)?.message, 'That session has already ended.');
  });
});
