import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { TestingApi } from '../../src/extension.ts';
import type { PublicEndReport } from '../../src/ui/commands/endReports.ts';
import type { AnchorServer } from '../servers/anchor.ts';
import { command, type User, unfinishedEnd, useCleanState } from './inside.ts';

describe('choosing what to end, inside VS Code', () => {
  let api: TestingApi;
  let server: AnchorServer;
  let user: User;

  useCleanState((setup) => {
    ({ api, server, user } = setup);
  });

  const addAnchor = () =>
    command<string>('addAccount', { provider: 'anchor', origin: server.url, fields: { apiKey: server.key } });

  it('leaves protected sessions out of bulk ends, and ends one only by itself', async () => {
    server.add({ id: 'sess_a', domains: ['a.example'] });
    server.add({ id: 'sess_b', domains: ['b.example'] });
    const batch = server.addBatch(1);
    const id = await addAnchor();
    await command('protectSession', { accountId: id, sessionId: 'sess_a' });
    user.answersConfirm = ({ choices }) => choices[0];
    const report = await command<PublicEndReport>('endAccountSessions', { accountId: id });
    assert.equal(report.ended, 2);
    assert.deepEqual(server.running, ['sess_a']);
    const question = user.questions.at(-1);
    assert.match(question?.detail ?? '', /Skipped:\n• a\.example \(\S+\) — .*It's protected\./);
    // The provider's one call would end it too.
    assert.ok(!question?.choices.includes('End Everything in Account'));
    const [member] = server.addBatch(1, { id: 'batch_b' }).members;
    assert.ok(member);
    await api.refresh();
    await command('protectSession', { accountId: id, sessionId: member.id });
    assert.equal(await command('deleteBatch', { accountId: id, groupId: 'batch_b' }), undefined);
    assert.match(user.messages.at(-1)?.message ?? '', /has protected sessions: .*\. No request was sent\./);
    assert.ok(batch.id !== 'batch_b');
    const one = await command<PublicEndReport>('endSession', { accountId: id, sessionId: 'sess_a' });
    assert.equal(one.ended, 1);
    assert.match(user.questions.at(-1)?.detail ?? '', /It's protected\./);
    await command('unprotectSession', { accountId: id, sessionId: member.id });
    const rest = await command<PublicEndReport>('endAllSessions');
    assert.equal(rest.ended, 1);
  });

  it('retries what failed, from the message and from the palette, after asking again', async () => {
    for (const name of ['a', 'b', 'c']) server.add({ id: `sess_${name}` });
    const id = await addAnchor();
    server.misbehave('DELETE', /sess_[ab]$/, { kind: 'answer', answer: { status: 403, json: {} } });
    user.answersConfirm = ({ choices }) => choices[0];
    const first = await command<PublicEndReport>('endAccountSessions', { accountId: id });
    assert.deepEqual([first.ended, first.failed], [1, 2]);
    assert.deepEqual(user.messages.at(-1)?.buttons, ['Retry Failed', 'Show Log']);
    server.behave();
    const again = await command<PublicEndReport>('retryFailedEnds');
    assert.equal(again.ended, 2);
    assert.match(user.questions.at(-1)?.message ?? '', /End 2 sessions\?/);
    assert.deepEqual(server.running, []);
  });

  it('retries a protected session that failed to end by itself', async () => {
    server.add({ id: 'sess_a', domains: ['a.example'] });
    const id = await addAnchor();
    const session = { accountId: id, sessionId: 'sess_a' };
    await command('protectSession', session);
    server.misbehave('DELETE', /sess_a$/, { kind: 'answer', answer: { status: 403, json: {} } });
    user.answersConfirm = ({ choices }) => choices[0];
    assert.equal((await command<PublicEndReport>('endSession', session)).failed, 1);
    server.behave();
    user.questions.length = 0;
    assert.equal((await command<PublicEndReport>('retryFailedEnds')).ended, 1);
    assert.match(user.questions.at(-1)?.detail ?? '', /It's protected\./);
    assert.deepEqual(server.running, []);
  });

  it('ends only what a filtered list shows, and says so; and says where more than that ends', async () => {
    for (const name of ['shop', 'mail', 'shopping']) server.add({ id: `sess_${name}`, domains: [`${name}.example`] });
    const batch = server.addBatch(2);
    const id = await addAnchor();
    await command('setFilter', 'SHOP example');
    try {
      // As the list's own menu calls it.
      const account = { kind: 'account', accountId: id };
      await command('endAccountSessions', account);
      const asked = user.questions.at(-1);
      assert.equal(asked?.message, 'End 2 sessions in Anchor Browser? The filter shows 2 of 5 sessions.');
      assert.doesNotMatch(asked.detail, /mail/);
      assert.deepEqual(asked.choices, ['End 2 Sessions']);
      const group = { kind: 'group', accountId: id, groupId: batch.id };
      await command('deleteBatch', group);
      assert.match(
        user.questions.at(-1)?.detail ?? '',
        /"SHOP example" is NOT applied[\s\S]*2 of its sessions are running/,
      );
      for (const work of [() => command('endAllSessions'), () => command('endAccountSessions', { accountId: id })]) {
        await work();
        const { message = '', detail = '' } = user.questions.at(-1) ?? {};
        assert.match(message, /End all 5 sessions/);
        assert.match(detail, /The filter "SHOP example" is NOT applied/);
      }
      user.answersConfirm = ({ choices }) => choices[0];
      assert.equal((await command<PublicEndReport>('endAccountSessions', account)).ended, 2);
      assert.deepEqual(server.running.sort(), ['sess_mail', ...batch.members.map((member) => member.id)].sort());
      await command('setFilter', batch.members[0]?.id);
      await command('endGroup', group);
      assert.match(
        user.questions.at(-1)?.message ?? '',
        /^End 1 session in "Batch .*"\? The filter shows 1 of 2 sessions\.$/,
      );
      assert.equal(server.running.length, 2);
    } finally {
      await command('clearFilter');
    }
  });

  it('asks for the words of a filter, and says while typing how many sessions match', async () => {
    for (const name of ['shop', 'mail']) server.add({ id: `sess_${name}`, domains: [`${name}.example`] });
    await addAnchor();
    user.answersAsk = ({ preview }) => preview?.('mail');
    await command('setFilter');
    assert.equal(user.asked.at(-1)?.value, '');
    user.answersAsk = () => 'mail';
    await command('setFilter');
    user.answersAsk = ({ value }) => value;
    await command('setFilter');
    assert.equal(user.asked.at(-1)?.value, 'mail');
    await command('clearFilter');
  });

  it('asks for the count before ending all when that is set, and always asks about a session that a command names', async () => {
    server.add({ id: 'sess_a' });
    server.add({ id: 'sess_b' });
    server.add({ id: 'sess_c' });
    const id = await addAnchor();
    const settings = vscode.workspace.getConfiguration('browserSessions');
    await settings.update('confirm.endAll', 'typeCount', vscode.ConfigurationTarget.Global);
    await settings.update('confirm.endSession', 'never', vscode.ConfigurationTarget.Global);
    try {
      user.answersConfirm = ({ choices }) => choices[0];
      const one = await command<PublicEndReport>('endSession', { accountId: id, sessionId: 'sess_a' });
      assert.equal(one.ended, 1);
      assert.equal(user.questions.length, 1);
      user.answersAsk = () => '3';
      assert.equal((await command<PublicEndReport>('endAllSessions')).canceled, 2);
      assert.equal(server.running.length, 2);
      user.answersAsk = () => '2';
      assert.equal((await command<PublicEndReport>('endAllSessions')).ended, 2);
      // The provider's own call ends sessions that aren't listed, too, so their number isn't known.
      server.add({ id: 'sess_late' });
      user.answersConfirm = ({ choices }) => choices.find((choice) => choice === 'End Everything in Account');
      user.answersAsk = () => '0';
      await command('endAccountSessions', { accountId: id });
      assert.deepEqual(server.running, ['sess_late']);
      user.answersAsk = () => 'Anchor Browser';
      await command('endAccountSessions', { accountId: id });
      assert.deepEqual(server.running, []);
    } finally {
      await settings.update('confirm.endAll', undefined, vscode.ConfigurationTarget.Global);
      await settings.update('confirm.endSession', undefined, vscode.ConfigurationTarget.Global);
    }
  });

  it('ends old sessions, the oldest first, and remembers the age', async () => {
    const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
    server.add({ id: 'sess_new' });
    server.add({ id: 'sess_old', createdAt: ago(90), domains: ['old.example'] });
    server.add({ id: 'sess_older', createdAt: ago(300), domains: ['older.example'] });
    await addAnchor();
    user.answersAsk = ({ value }) => (value === '60' ? '45' : value);
    let offered: string[] = [];
    user.answersPick = ({ choices }) => {
      offered = choices.map(({ label }) => label);
      return choices.filter(({ picked }) => picked).map(({ value }) => value);
    };
    user.answersConfirm = ({ choices }) => choices[0];
    assert.equal((await command<PublicEndReport>('endOldSessions')).ended, 2);
    assert.deepEqual(offered, ['older.example', 'old.example']);
    assert.deepEqual(server.running, ['sess_new']);
    await command('endOldSessions');
    assert.equal(user.asked.at(-1)?.value, '45');
    assert.match(user.messages.at(-1)?.message ?? '', /No session has been running that long/);
  });

  it('cancels a batch while it is being created, and keeps its data', async () => {
    const batch = server.addBatch(2, { id: 'batch_a', status: 'processing', completedAt: undefined });
    const id = await addAnchor();
    user.answersConfirm = ({ choices }) => choices[0];
    const member = { accountId: id, sessionId: batch.members[0]?.id };
    await command('protectSession', member);
    assert.equal((await command<PublicEndReport>('cancelBatch', { accountId: id, groupId: 'batch_a' })).canceled, 2);
    await command('unprotectSession', member);
    assert.ok(!server.log().some((line) => line.startsWith('PATCH')));
    const report = await command<PublicEndReport>('cancelBatch', { accountId: id, groupId: 'batch_a' });
    assert.equal(report.ended, 2);
    assert.match(user.questions.at(-1)?.detail ?? '', /Its data is kept\./);
    assert.ok(batch.members.every(({ id: member }) => server.sessions.has(member)));
    assert.equal(server.log().filter((line) => line.startsWith('PATCH')).length, 1);
  });

  it('tells your sessions from other people’s, lists them separately, and ends yours by themselves', async () => {
    server.add({ id: 'sess_mine', domains: ['mine.example'], tags: ['anna'] });
    server.add({ id: 'sess_other', domains: ['other.example'], tags: ['bob'] });
    await addAnchor();
    const settings = vscode.workspace.getConfiguration('browserSessions');
    await settings.update('mine', 'tag=anna', vscode.ConfigurationTarget.Global);
    try {
      await command('endAllSessions');
      assert.match(
        user.questions[0]?.detail ?? '',
        /Other people's sessions \(1\):\n• other\.example.*\n\nYour sessions \(1\):\n• mine\.example/,
      );
      user.answersConfirm = ({ choices }) => choices[0];
      const report = await command<PublicEndReport>('endMySessions');
      assert.equal(report.ended, 1);
      assert.deepEqual(server.running, ['sess_other']);
    } finally {
      await settings.update('mine', undefined, vscode.ConfigurationTarget.Global);
    }
    await command('endMySessions');
    assert.match(user.messages.at(-1)?.message ?? '', /browserSessions\.mine/);
  });

  it('reports ends that a closed window left unfinished, and ends nothing by itself', async () => {
    server.add({ id: 'sess_a' });
    server.add({ id: 'sess_b' });
    const id = await addAnchor();
    const runs = await unfinishedEnd(api, id, 'sess_a', 'sess_b', 'sess_gone');
    await api.testing.context.globalState.update('unfinishedEnds', runs);
    await command('reviewUnfinishedEnds');
    assert.match(user.messages.at(-1)?.message ?? '', /2 sessions are still running/);
    assert.deepEqual(user.messages.at(-1)?.buttons, ['Review']);
    assert.equal(server.running.length, 2);
    assert.equal(user.questions.length, 0);
    assert.equal(api.testing.context.globalState.get('unfinishedEnds'), undefined);
  });

  it('exports what ended', async () => {
    server.add({ id: 'sess_a', domains: ['a.example'] });
    const id = await addAnchor();
    user.answersConfirm = ({ choices }) => choices[0];
    await command('endAccountSessions', { accountId: id });
    await command('exportEnded');
    const [newest] = JSON.parse(vscode.window.activeTextEditor?.document.getText() ?? '[]');
    assert.deepEqual([newest.sessionId, newest.name, newest.by], ['sess_a', 'a.example', 'you']);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await command('clearEnded');
  });
});
