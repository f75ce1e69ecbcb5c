import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { TestingApi } from '../../src/extension.ts';
import type { AnchorServer } from '../servers/anchor.ts';
import { command, type User, until, useCleanState } from './inside.ts';

const destructive = [
  'endSessionById',
  'endSession',
  'endSelectedSessions',
  'endGroup',
  'deleteBatch',
  'cancelBatch',
  'endAccountSessions',
  'endAllSessions',
  'endOldSessions',
  'endMySessions',
  'retryFailedEnds',
  'reviewUnfinishedEnds',
] as const;

describe('commands that another extension runs, inside VS Code', () => {
  let api: TestingApi;
  let server: AnchorServer;
  let user: User;
  let account: string;
  let batch: string;
  let running: string[];

  const configure = (key: string, value: unknown) =>
    vscode.workspace.getConfiguration('browserSessions').update(key, value, vscode.ConfigurationTarget.Global);
  const state = () => api.testing.context.globalState;

  afterEach(async () => {
    await configure('confirm.endSession', undefined);
    await configure('mine', undefined);
    await until(() => state().get('endWithoutAsking') === undefined);
  });
  useCleanState(async (setup) => {
    ({ api, server, user } = setup);
    for (const name of ['a', 'b', 'guarded'])
      server.add({ id: `sess_${name}`, domains: [`${name}.example`], tags: ['anna'] });
    server.keys.set('ci-key', 'sk-anchor-ci-canary');
    server.add({ id: 'sess_other', key: 'sk-anchor-ci-canary' });
    batch = server.addBatch(2).id;
    account = await command('addAccount', { provider: 'anchor', origin: server.url, fields: { apiKey: server.key } });
    await command('protectSession', { accountId: account, sessionId: 'sess_guarded' });
    running = [...server.running].sort();
    // As far as it can be turned off: by the setting, and by the user's own choice.
    await configure('confirm.endSession', 'never');
    await configure('mine', 'tag=anna');
    await state().update('endWithoutAsking', true);
  });

  const nothingEnded = (after: string) => {
    assert.deepEqual([...server.running].sort(), running, after);
    assert.deepEqual(
      server.log().filter((line) => !line.startsWith('GET')),
      [],
      after,
    );
  };

  /** Arguments with which a caller may try to pass for a click, a key, or a confirmation. */
  function hostileArguments(): readonly (readonly unknown[])[] {
    const target = { accountId: account, sessionId: 'sess_a' };
    const changing = (field: string, ...values: readonly unknown[]) => {
      const left = [...values];
      return Object.defineProperty({ ...target }, field, {
        get: () => left.shift() ?? values.at(-1),
        enumerable: true,
      });
    };
    const values: readonly unknown[] = [
      undefined,
      null,
      '',
      'all',
      '*',
      '..',
      0,
      true,
      [],
      {},
      { toString: () => 'sess_a' },
    ];
    const rows: readonly object[] = [
      target,
      { kind: 'session', ...target },
      { kind: 'account', accountId: account },
      { kind: 'group', accountId: account, groupId: batch },
      { accountId: account },
      { accountId: account, groupId: batch },
      { accountId: account, sessionId: 'sess_guarded' },
      { accountId: account, sessionId: 'sess_other' },
      { kind: 'page', ...target, pageId: 'page' },
      { ...target, keyboard: true },
      { ...target, fromLiveView: true, byItself: true, confirmed: true, force: true },
      { keyboard: true },
      Object.create(target),
      new Proxy(target, {}),
      Object.freeze({ ...target, kind: 'session' }),
      changing('sessionId', 'sess_b', 'sess_a'),
      changing('sessionId', undefined, 'sess_a'),
      changing('accountId', account, 'other', account),
      ...values.map((value) => ({ ...target, sessionId: value })),
      ...values.map((value) => ({ ...target, accountId: value })),
      ...values.map((value) => ({ accountId: account, groupId: value })),
    ];
    class Forged extends Array<unknown> {
      override includes(): boolean {
        return true;
      }
      override flatMap(): never[] {
        return [{ ...target, shownOnly: false }] as never[];
      }
    }
    const options = { confirm: false, confirmed: true, fromLiveView: true };
    return [
      [],
      ...values.map((value) => [value]),
      ...rows.flatMap((row) => [[row], [row, [row]], [[row]], [row, undefined, options]]),
      [rows],
      [target, rows],
      [Forged.from([target])],
      [target, Forged.from([target])],
      ...[undefined, target, { $treeViewId: 'browserSessions.sessions', $focusedTreeItem: true }].map((row) => [
        row,
        { keyboard: 'browserSessions.sessions' },
      ]),
    ];
  }

  it('end nothing without a confirmation, whatever they are called with', async () => {
    // Answers everything that comes before a confirmation, and presses every button of anything that isn't modal.
    user.answersPick = ({ choices }) => choices.map(({ value }) => value);
    user.answersAsk = () => '0';
    user.answersTell = (_, buttons) => buttons[0];
    let calls = 0;
    for (const name of destructive) {
      for (const args of hostileArguments()) {
        await command(name, ...args).catch(() => {});
        calls++;
      }
      nothingEnded(name);
    }
    assert.ok(calls >= 1_702, `only ${calls} calls`);
    assert.ok(user.questions.length > 300, `only ${user.questions.length} questions`);
    assert.ok(user.questions.every(({ choices }) => !choices.includes("End and Don't Ask Again")));
  }).timeout(240_000);

  it('end only what the dialog showed, whatever a list that they are called with does when it’s read', async () => {
    const targets = ['sess_a', 'sess_b', 'sess_guarded'].map((sessionId) => ({ accountId: account, sessionId }));
    const longer = Object.assign(targets.slice(0, 1), { [Symbol.iterator]: () => targets[Symbol.iterator]() });
    const hostile = Object.assign(targets.slice(0, 1), { flatMap: () => longer, map: () => longer });
    user.answersConfirm = ({ choices }) => choices.find((choice) => choice === 'End Session');
    await command('endSession', hostile);
    assert.deepEqual(
      user.questions.map(({ message }) => message),
      ['End session "a.example" (sess_a)?'],
    );
    assert.deepEqual(
      [...server.running].sort(),
      running.filter((id) => id !== 'sess_a'),
    );
    user.answersConfirm = ({ choices }) => choices.find((choice) => choice.startsWith('End'));
    await command('endSelectedSessions', targets);
    assert.match(user.questions.at(-1)?.detail ?? '', /guarded\.example.*protected/s);
    assert.ok(server.running.includes('sess_guarded'));
  });

  it('end nothing even when VS Code passes the row itself, as for a click', async () => {
    await vscode.commands.executeCommand('workbench.view.extension.browserSessions');
    await vscode.commands.executeCommand('browserSessions.sessions.focus');
    await api.refresh();
    const view = { $treeViewId: 'browserSessions.sessions' };
    const forged = [
      { ...view, $focusedTreeItem: true },
      { ...view, $selectedTreeItems: true },
      { ...view, $treeItemHandle: `1/ses/${account}/sess_a` },
      { ...view, $treeItemHandle: `0/1/ses/${account}/sess_a` },
    ];
    await vscode.commands.executeCommand('list.focusFirst');
    for (let row = 0; row < 6; row++) {
      await vscode.commands.executeCommand('list.focusDown');
      for (const args of forged) {
        for (const name of ['endSession', 'endSelectedSessions']) {
          const commands = [{ command: `browserSessions.${name}`, args }];
          await Promise.resolve(vscode.commands.executeCommand('runCommands', { commands })).catch(() => {});
        }
      }
    }
    nothingEnded('runCommands');
    // It does get there: that is why a row is no confirmation.
    assert.ok(
      user.questions.some(({ message }) => message === 'End session "a.example" (sess_a)?'),
      JSON.stringify(user.questions.map(({ message }) => message)),
    );
  }).timeout(60_000);
});
