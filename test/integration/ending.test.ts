import { strict as assert } from 'node:assert';
import type { TestingApi } from '../../src/extension.ts';
import type { PublicEndReport, PublicGroupDeletion } from '../../src/ui/commands/endReports.ts';
import { useChromium } from '../host/useChromium.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { command, removeAllAccounts, type User, useCleanState } from './inside.ts';

const firstChoice = ({ choices }: { choices: readonly string[] }) => choices[0];

describe('ending inside VS Code', () => {
  let api: TestingApi;
  let server: AnchorServer;
  let user: User;
  let accountId: string;

  useCleanState(async (setup) => {
    ({ api, server, user } = setup);
    for (const id of ['sess_a', 'sess_b', 'sess_c']) server.add({ id, domains: [`${id}.example`] });
    accountId = await command<string>('addAccount', {
      provider: 'anchor',
      label: 'prod',
      origin: server.url,
      fields: { apiKey: server.key },
    });
  });

  const deletions = () => server.log().filter((line) => line.startsWith('DELETE'));

  it('ends one session after a confirmation that names it', async () => {
    user.answersConfirm = firstChoice;
    const report = await command<PublicEndReport>('endSession', { accountId, sessionId: 'sess_a' });
    assert.deepEqual(report, {
      requested: 1,
      ended: 1,
      alreadyGone: 0,
      failed: 0,
      stuck: 0,
      canceled: 0,
      results: [{ accountId, sessionId: 'sess_a', outcome: 'ended' }],
    });
    assert.equal(user.questions[0]?.message, 'End session "sess_a.example" (sess_a)?');
    assert.deepEqual(new Set(server.running), new Set(['sess_b', 'sess_c']));
    assert.deepEqual(user.notes, ['Session sess_a.example (sess_a) ended.']);
    assert.deepEqual(user.messages, []);
  });

  it('sends nothing on Cancel', async () => {
    const report = await command<PublicEndReport>('endSession', { accountId, sessionId: 'sess_a' });
    assert.deepEqual([report.requested, report.canceled], [1, 1]);
    await command('endAllSessions');
    await command('endAccountSessions', { accountId });
    assert.equal(user.questions.length, 3);
    assert.deepEqual(deletions(), []);
    assert.equal(server.running.length, 3);
  });

  it('acts on the selection when the clicked row is in it, and on the row alone otherwise', async () => {
    const row = (sessionId: string) => ({ kind: 'session', accountId, sessionId });
    const [a, b, c] = [row('sess_a'), row('sess_b'), row('sess_c')];
    await command('endSession', a, [a, b]);
    assert.equal(user.questions.at(-1)?.message, 'End 2 sessions?');
    await command('endSession', c, [a, b]);
    assert.equal(user.questions.at(-1)?.message, 'End session "sess_c.example" (sess_c)?');
  });

  it('asks which sessions when none are named, and never treats nothing as everything', async () => {
    user.answersConfirm = firstChoice;
    user.answersPick = ({ choices }) => choices.slice(0, 2).map(({ value }) => value);
    const report = await command<PublicEndReport>('endSession');
    assert.equal(report.ended, 2);
    assert.equal(server.running.length, 1);
    user.answersPick = () => [];
    for (const nothing of [undefined, null, {}, [], { accountId: '' }, 'sess_a', 7]) {
      await command('endSession', nothing);
    }
    assert.equal(server.running.length, 1);
  });

  it('rejects an invalid id, and doesn’t widen the end to the surrounding account', async () => {
    user.answersConfirm = firstChoice;
    for (const sessionId of ['all', '', '..', 'a/b', 'x'.repeat(1_000), 7, null]) {
      const report = await command<PublicEndReport>('endSession', { accountId, sessionId });
      assert.equal(report.requested, 0, String(sessionId));
    }
    assert.deepEqual(user.questions, []);
    assert.deepEqual(deletions(), []);
  });

  it('ends a session only once when it is named twice', async () => {
    user.answersConfirm = firstChoice;
    const [first, second] = await Promise.all([
      command<PublicEndReport>('endSession', { accountId, sessionId: 'sess_a' }),
      command<PublicEndReport>('endSession', { accountId, sessionId: 'sess_a' }),
    ]);
    assert.equal(first.ended + first.alreadyGone, 1);
    assert.equal(second.ended + second.alreadyGone, 1);
    assert.equal(server.running.length, 2);
  });

  it('ends all sessions that the dialog listed, one by one, and none that started since', async () => {
    user.answersConfirm = ({ choices }) => {
      server.add({ id: 'sess_since' });
      return choices[0];
    };
    const report = await command<PublicEndReport>('endAllSessions');
    assert.equal(report.ended, 3);
    assert.match(user.questions[0]?.message ?? '', /^End all 3 sessions\?$/);
    for (const id of ['sess_a', 'sess_b', 'sess_c'])
      assert.match(user.questions[0]?.detail ?? '', new RegExp(`• ${id}\\.example`));
    assert.deepEqual(user.questions[0]?.choices, ['End 3 Sessions']);
    assert.deepEqual(server.running, ['sess_since']);
    assert.deepEqual(
      new Set(deletions()),
      new Set(['sess_a', 'sess_b', 'sess_c'].map((id) => `DELETE /v1/sessions/${id}`)),
    );
    assert.deepEqual(
      user.messages.map(({ message }) => message),
      ['Ended 3 of 3 sessions.'],
    );
  });

  it('ends everything in an account only with the button that says so', async () => {
    server.add({ id: 'sess_unlisted' });
    user.answersConfirm = ({ choices }) => choices[1];
    const report = await command<PublicEndReport>('endAccountSessions', { accountId });
    assert.deepEqual(user.questions[0]?.choices, ['End 3 Sessions', 'End Everything in Account']);
    assert.match(user.questions[0]?.detail ?? '', /including sessions that aren't listed/);
    assert.equal(report.ended, 3);
    assert.deepEqual(server.running, []);
    assert.deepEqual(deletions(), ['DELETE /v1/sessions/all']);
  });

  it('says what ending all sessions doesn’t reach: other keys’ sessions, and accounts that can’t be listed', async () => {
    server.keys.set('ci-key', 'sk-ci-canary-key');
    server.add({ id: 'sess_ci', key: 'sk-ci-canary-key' });
    const other = await startAnchor();
    await command('addAccount', {
      provider: 'anchor',
      label: 'other',
      origin: other.url,
      fields: { apiKey: other.key },
    });
    await other.stop();
    await api.refresh();
    user.answersConfirm = firstChoice;
    await command('endAllSessions');
    const detail = user.questions[0]?.detail ?? '';
    assert.match(detail, /Skipped:\n• sess_ci — Anchor Browser · prod\. It was started with ci-key of your team\./);
    assert.match(
      detail,
      /The list for Anchor Browser · other is from .*\. Sessions started since then are NOT included\./,
    );
    assert.deepEqual(server.running, ['sess_ci']);
    await command('endSession', { accountId, sessionId: 'sess_ci' });
    assert.match(user.questions.at(-1)?.detail ?? '', /It was started with ci-key of your team\./);
  });

  it('reports failures by name and reason, keeps their rows, and ends them on a retry', async () => {
    user.answersConfirm = firstChoice;
    server.misbehave('DELETE', /sess_b/, {
      kind: 'answer',
      answer: { status: 500, json: { error: { message: 'boom [x](command:evil)' } } },
    });
    const report = await command<PublicEndReport>('endAllSessions');
    assert.deepEqual([report.ended, report.failed], [2, 1]);
    assert.match(report.results.find(({ outcome }) => outcome === 'failed')?.detail ?? '', /HTTP 500/);
    assert.equal(user.messages.length, 1);
    assert.match(
      user.messages[0]?.message ?? '',
      /^2 sessions ended\. Couldn't end 1 session\. sess_b\.example \(sess_b, Anchor Browser · prod\): .*boom \[x\] \(command:evil\)/,
    );
    assert.deepEqual(
      api.sessions().map(({ id, life }) => [id, life]),
      [['sess_b', 'stuck']],
    );
    server.behave();
    assert.equal((await command<PublicEndReport>('endAllSessions')).ended, 1);
  });

  it('can be stopped halfway', async () => {
    for (let index = 0; index < 20; index++) server.add();
    await api.refresh();
    server.misbehave('DELETE', /./, { kind: 'slow', ms: 60 });
    user.answersConfirm = firstChoice;
    user.cancelsProgress = true;
    const report = await command<PublicEndReport>('endAllSessions');
    assert.equal(report.requested, 23);
    assert.equal(report.ended + report.canceled, 23);
    assert.equal(server.running.length, report.canceled);
    assert.match(
      user.messages[0]?.message ?? '',
      /^Canceled\. \d+ sessions? ended\. \d+ requests? w(as|ere)n't sent\.$/,
    );
  });

  it('deletes a batch, and reports each failure even though the status is 200', async () => {
    const batch = server.addBatch(4);
    const [locked] = batch.members;
    assert.ok(locked);
    batch.undeletable.set(locked.id, 'Session is locked');
    await api.refresh();
    const target = { accountId, groupId: batch.id };
    assert.equal(await command('deleteBatch', target), undefined);
    assert.match(user.questions[0]?.detail ?? '', /4 of its sessions are running and will end:/);
    assert.match(user.questions[0]?.detail ?? '', /Recordings and all other data/);
    assert.deepEqual(deletions(), []);

    user.answersConfirm = firstChoice;
    const deletion = await command<PublicGroupDeletion>('deleteBatch', target);
    assert.deepEqual([deletion.deleted, deletion.failedDeletions, deletion.ended, deletion.failed], [3, 1, 3, 1]);
    assert.deepEqual(deletion.errors, [{ sessionId: locked.id, error: 'Session is locked' }]);
    assert.equal(user.messages.at(-1)?.level, 'warning');
    assert.match(
      user.messages.at(-1)?.message ?? '',
      /3 sessions deleted\. Couldn't delete 1 session\. .*: Session is locked/,
    );
    assert.ok(server.running.includes(locked.id));
    assert.equal(api.sessions().find(({ id }) => id === locked.id)?.life, 'stuck');
  });

  it('ends a group one by one and keeps its data', async () => {
    const batch = server.addBatch(3);
    await api.refresh();
    user.answersConfirm = firstChoice;
    const report = await command<PublicEndReport>('endGroup', { accountId, groupId: batch.id });
    assert.equal(report.ended, 3);
    assert.ok(server.batches.has(batch.id));
    assert.equal(server.running.length, 3);
  });

  it('copies a session’s ID', async () => {
    assert.equal(await command('copySessionId', { accountId, sessionId: 'sess_a' }), 'sess_a');
  });

  describe('on a real Chromium', () => {
    const used = useChromium();

    it('ends all contexts, but neither the default context nor the browser', async () => {
      const { chromium, devtools } = used;
      const page = (title: string) => `data:text/html,<title>${title}</title>`;
      for (const title of ['one', 'two']) await devtools.openContext(page(title));
      await devtools.send('Target.createTarget', { url: page('mine') });
      await removeAllAccounts(api);
      api.testing.prompts = user;
      await command('addAccount', { provider: 'localChrome', origin: chromium.endpoint });
      assert.equal(api.sessions().length, 3);
      user.answersConfirm = firstChoice;
      const report = await command<PublicEndReport>('endAllSessions');
      assert.deepEqual([report.requested, report.ended], [2, 2]);
      assert.match(user.questions[0]?.detail ?? '', /Skipped:\n• Default context/);
      assert.deepEqual(await devtools.contexts(), []);
      assert.equal((await devtools.defaultPages()).filter((url) => url.startsWith('data:')).length, 1);
    });
  });
});
