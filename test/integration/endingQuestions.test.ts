import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { TestingApi } from '../../src/extension.ts';
import type { AnchorServer } from '../servers/anchor.ts';
import { command, makeListsOld, type User, unfinishedEnd, until, useCleanState } from './inside.ts';

describe('confirmation dialogs for ends, inside VS Code', () => {
  let api: TestingApi;
  let server: AnchorServer;
  let user: User;
  let id: string;

  useCleanState(async (setup) => {
    ({ api, server, user } = setup);
    server.add({ id: 'sess_a', domains: ['a.example'], createdAt: new Date(Date.now() - 3_600_000) });
    id = await command('addAccount', { provider: 'anchor', origin: server.url, fields: { apiKey: server.key } });
    // The view is hidden: lists are only made on request.
    await vscode.commands.executeCommand('workbench.action.closeSidebar');
  });

  const configure = (key: string, value: unknown) =>
    vscode.workspace.getConfiguration('browserSessions').update(key, value, vscode.ConfigurationTarget.Global);
  const asked = () => user.questions.at(-1);
  const lastMessage = () => user.messages.at(-1)?.message ?? '';

  it('ask about what is running now, however old the list is', async () => {
    makeListsOld();
    server.add({ id: 'sess_b' });
    await command('endAccountSessions', { accountId: id });
    assert.match(asked()?.message ?? '', /^End all 2 sessions/);
    makeListsOld();
    server.add({ id: 'sess_c' });
    await command('endAllSessions');
    assert.match(asked()?.message ?? '', /^End all 3 sessions/);
    assert.ok(user.notes.includes('Listing sessions…'));
  });

  it('say how old the list is when there is no newer one, and don’t wait long for one', async () => {
    makeListsOld();
    server.misbehave('GET', /all\/status/, { kind: 'slow', ms: 60_000 });
    const began = Date.now();
    await command('endAllSessions');
    assert.ok(Date.now() - began < 9_000);
    server.misbehave('GET', /all\/status/, { kind: 'answer', answer: { status: 500, json: {} } });
    await api.refresh();
    user.answersAsk = () => '1';
    user.answersPick = ({ choices }) => choices.map(({ value }) => value);
    await command('endOldSessions');
    assert.match(
      asked()?.detail ?? '',
      /The list for Anchor Browser is from .*\. Sessions started since then are NOT included/,
    );
  }).timeout(60_000);

  it('say that a session has ended only where that was confirmed', async () => {
    const session = { accountId: id, sessionId: 'sess_other' };
    await command('endSession', session);
    assert.match(
      lastMessage() ?? '',
      /^Anchor Browser couldn't find a running session with this ID in Anchor Browser\. The session may/,
    );
    await command('showDetails', session);
    assert.equal(lastMessage(), "Anchor Browser doesn't list this session.");
    user.messages.length = 0;
    await command('copyJson', session);
    assert.equal(lastMessage(), "Anchor Browser doesn't list this session.");
    server.misbehave('GET', /all\/status/, { kind: 'answer', answer: { status: 500, json: {} } });
    await api.refresh();
    await command('openLiveView', session);
    assert.equal(lastMessage(), "Couldn't list the sessions in Anchor Browser, so this session may still be running.");
    await command('endSession', { accountId: 'gone', sessionId: 'sess_a' });
    assert.equal(lastMessage(), 'The account of this session was removed.');
    server.behave();
    user.answersConfirm = ({ choices }) => choices[0];
    await command('endSession', { accountId: id, sessionId: 'sess_a' });
    await command('endSession', { accountId: id, sessionId: 'sess_a' });
    assert.equal(lastMessage(), 'This session has already ended.');
  });

  it('name the filter when it hides everything a row stands for, and end nothing hidden', async () => {
    await command('setFilter', 'nothing-has-this');
    try {
      for (const name of ['endSession', 'endAccountSessions']) {
        await command(name, { kind: 'account', accountId: id });
        const [question] = user.questions;
        // The provider's one call isn't offered while a filter is set.
        assert.equal(question, undefined);
        assert.equal(
          lastMessage(),
          'There are no sessions to end. The filter "nothing-has-this" hides the sessions that are running.',
        );
      }
      await command('retryFailedEnds');
      assert.equal(lastMessage(), "There's nothing to retry. No sessions failed to end.");
    } finally {
      await command('clearFilter');
    }
  });

  it('count what a filtered list would end, and say where a filter doesn’t apply', async () => {
    for (const name of ['shop', 'shopping', 'shops']) server.add({ id: `sess_${name}`, domains: [`${name}.example`] });
    const batch = server.addBatch(1);
    await api.refresh();
    await command('protectSession', { accountId: id, sessionId: 'sess_shops' });
    await command('setFilter', 'shop');
    try {
      await command('endAccountSessions', { kind: 'account', accountId: id });
      assert.equal(asked()?.message, 'End 2 sessions in Anchor Browser? The filter shows 2 of 4 sessions.');
      assert.match(asked()?.detail ?? '', /Skipped:\n• shops\.example/);
      assert.doesNotMatch(asked()?.detail ?? '', /NOT applied/);
      await command('endGroup', { accountId: id, groupId: batch.id });
      assert.match(asked()?.detail ?? '', /The filter "shop" is NOT applied/);
    } finally {
      await command('clearFilter');
      await command('unprotectSession', { accountId: id, sessionId: 'sess_shops' });
    }
  });

  it('name old sessions that are left out', async () => {
    await command('protectSession', { accountId: id, sessionId: 'sess_a' });
    user.answersAsk = () => '30';
    await command('endOldSessions');
    assert.match(lastMessage(), /^There are no sessions to end\. It's protected\./);
    server.add({ id: 'sess_b', domains: ['b.example'], createdAt: new Date(Date.now() - 3_600_000) });
    await api.refresh();
    user.answersPick = ({ choices }) => choices.map(({ value }) => value);
    await command('endOldSessions');
    assert.equal(asked()?.message, 'End 1 session?');
    assert.match(asked()?.detail ?? '', /• b\.example[\s\S]*Skipped:\n• a\.example \(\S+\) — .*It's protected\./);
    await command('unprotectSession', { accountId: id, sessionId: 'sess_a' });
    assert.match(lastMessage(), /^a\.example \(\S+\) is no longer protected\.$/);
  });

  it('say for one session, and for a batch, whose it is and how new it is', async () => {
    server.add({ id: 'sess_b', domains: ['b.example'], tags: ['bob'] });
    const batch = server.addBatch(1);
    await api.refresh();
    await configure('mine', 'tag=anna');
    try {
      await command('endSession', { accountId: id, sessionId: 'sess_b' });
      assert.match(asked()?.detail ?? '', /This session isn't yours\.\nIt started less than a minute ago\./);
      await command('deleteBatch', { accountId: id, groupId: batch.id });
      assert.match(
        asked()?.detail ?? '',
        /Other people's sessions \(1\):[\s\S]*1 session started less than a minute ago\./,
      );
    } finally {
      await configure('mine', undefined);
    }
    await command('endSession', { accountId: id, sessionId: 'sess_a' });
    assert.doesNotMatch(asked()?.detail ?? '', /yours|younger/);
  });

  it('keep unfinished ends until it was possible to check what became of them', async () => {
    const runs = await unfinishedEnd(api, id, 'sess_a');
    const kept = () => api.testing.context.globalState.get('unfinishedEnds');
    await api.testing.context.globalState.update('unfinishedEnds', runs);
    server.misbehave('GET', /all\/status/, { kind: 'answer', answer: { status: 500, json: {} } });
    let presses = 0;
    user.answersTell = (_, buttons) => (presses++ === 0 ? buttons[0] : undefined);
    await command('reviewUnfinishedEnds');
    assert.match(
      user.messages[0]?.message ?? '',
      /^The window closed while 12 sessions were ending\. Couldn't list the sessions in Anchor Browser[^,]*, so 1 session/,
    );
    assert.notEqual(kept(), undefined);
    await until(() => user.messages.length === 2);
    server.behave();
    // Another window doesn't report it in the meantime.
    await command('reviewUnfinishedEnds');
    assert.equal(user.messages.length, 2);
    await api.testing.context.globalState.update('unfinishedEnds', runs);
    await command('reviewUnfinishedEnds');
    assert.match(lastMessage(), /1 session is still running\./);
    assert.equal(kept(), undefined);
    assert.deepEqual(server.running, ['sess_a']);
  });

  it('say how many sessions of an unfinished end are missing from the list and not confirmed gone', async () => {
    const runs = await unfinishedEnd(api, id, 'sess_a', 'sess_gone', 'sess_hidden');
    await api.testing.context.globalState.update('unfinishedEnds', runs);
    server.misbehave('GET', /sess_hidden$/, { kind: 'answer', answer: { status: 500, json: {} } });
    await command('reviewUnfinishedEnds');
    assert.equal(
      lastMessage(),
      'The window closed while 12 sessions were ending. 1 session is still running. 1 more session is missing from the latest list. It may still be running.',
    );
  });

  it('don’t offer to end everything when the list hides any of it', async () => {
    server.add({ id: 'sess_precious', domains: ['precious.example'] });
    await api.refresh();
    await command('protectSession', { accountId: id, sessionId: 'sess_precious' });
    await command('setFilter', 'a.example');
    try {
      await command('endAccountSessions', { kind: 'account', accountId: id });
      assert.deepEqual(asked()?.choices, ['End Session']);
    } finally {
      await command('clearFilter');
      await command('unprotectSession', { accountId: id, sessionId: 'sess_precious' });
    }
    await command('endAccountSessions', { accountId: id });
    assert.ok(asked()?.choices.includes('End Everything in Account'));
  });

  it('are followed by a report on ending everything even when nothing is listed', async () => {
    server.sessions.clear();
    await command('removeAccount', { accountId: id });
    user.answersConfirm = ({ choices }) => choices[0];
    await command('removeAccount', { accountId: id });
    user.answersConfirm = ({ choices }) => choices.at(-1);
    id = await command('addAccount', { provider: 'anchor', origin: server.url, fields: { apiKey: server.key } });
    server.misbehave('DELETE', /all$/, { kind: 'answer', answer: { status: 500, json: {} } }, 1);
    await command('endAccountSessions', { accountId: id });
    assert.match(asked()?.message ?? '', /No sessions are listed in Anchor Browser/);
    assert.match(lastMessage(), /HTTP 500/);
    const before = user.messages.length;
    await command('endAccountSessions', { accountId: id });
    assert.equal(user.messages.length, before);
    assert.match(user.notes.at(-1) ?? '', /accepted the request\.$/);
  });

  it('aren’t followed by a claim that a batch wasn’t deleted when the response was lost', async () => {
    const batch = server.addBatch(1);
    await api.refresh();
    user.answersConfirm = ({ choices }) => choices[0];
    server.misbehave('DELETE', /batch-sessions/, { kind: 'doneBut', answer: { status: 500, json: {} } });
    await command('deleteBatch', { accountId: id, groupId: batch.id });
    assert.match(lastMessage(), /^Couldn't confirm whether Batch .* was deleted\. /);
    assert.deepEqual(server.running, ['sess_a']);
  });
});
