import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { ProviderDefinition } from '../../src/api/defineProvider.ts';
import type { Disposable } from '../../src/core/event.ts';
import type { TestingApi } from '../../src/extension.ts';
import type { AnchorServer } from '../servers/anchor.ts';
import { exampleProvider } from '../unit/providers/exampleProvider.ts';
import { command, ownId, type User, until, useCleanState } from './inside.ts';

const never = () => new Promise<never>(() => {});

describe('a provider of another extension that never responds, inside VS Code', () => {
  let api: TestingApi;
  let server: AnchorServer;
  let user: User;
  let registration: Disposable;
  let adding: Promise<unknown>;

  afterEach(async () => {
    registration.dispose();
    await adding;
  });
  useCleanState(async (setup) => {
    ({ api, server, user } = setup);
    await vscode.commands.executeCommand('workbench.action.closeSidebar');
    const hanging: ProviderDefinition = {
      ...exampleProvider,
      id: 'hanging',
      label: 'Hanging',
      fields: [],
      connect: (link) => ({
        ...exampleProvider.connect(link),
        check: async () => ({ identity: undefined, sessionLimit: undefined, note: undefined }),
        list: () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }),
      }),
    };
    registration = api.registerProvider(hanging, ownId);
    // Adding it lists it, which never finishes by itself.
    adding = command('addAccount', { provider: 'hanging', origin: 'https://made.up.example' });
    await until(() => api.accounts.length === 1);
  });

  it('doesn’t block ending, viewing or refreshing sessions of other accounts', async () => {
    server.add({ id: 'sess_a', domains: ['a.example'] });
    const id = await command<string>('addAccount', {
      provider: 'anchor',
      origin: server.url,
      fields: { apiKey: server.key },
    });
    let offered: readonly string[] = [];
    user.answersPick = ({ choices }) => {
      offered = choices.map(({ label }) => label);
      return choices.map(({ value }) => value);
    };
    await command('showDetails');
    assert.deepEqual(offered, ['a.example']);
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    server.add({ id: 'sess_b', domains: ['b.example'] });
    const refreshing = command('refresh');
    await until(() => api.sessions(id).length === 2);
    user.answersConfirm = ({ choices }) => choices[0];
    await command('endSession');
    assert.deepEqual(offered, ['a.example', 'b.example']);
    assert.deepEqual(server.running, []);
    registration.dispose();
    await refreshing;
  });

  it('is named when nothing else is running, instead of a claim that nothing is', async () => {
    await command('endSession');
    assert.match(user.messages.at(-1)?.message ?? '', /No sessions are running\. Hanging is still loading/);
    await command('showDetails');
    assert.match(user.messages.at(-1)?.message ?? '', /No sessions are running\. Hanging is still loading/);
  });
});
