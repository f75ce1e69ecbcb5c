import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { ProviderDefinition } from '../../src/api/defineProvider.ts';
import type { TestingApi } from '../../src/extension.ts';
import type { PublicEndReport, PublicGroupDeletion } from '../../src/ui/commands/endReports.ts';
import type { AnchorServer } from '../servers/anchor.ts';
import { startExample } from '../servers/example.ts';
import { exampleProvider } from '../unit/providers/exampleProvider.ts';
import { command, ownId, removeAllAccounts, User, until, useCleanState } from './inside.ts';

describe('actions after an end, inside VS Code', () => {
  let api: TestingApi;
  let server: AnchorServer;
  let user: User;
  let accountId: string;

  useCleanState(async (setup) => {
    ({ api, server, user } = setup);
    user.answersConfirm = ({ choices }) => choices[0];
    const fields = { apiKey: server.key };
    accountId = await command<string>('addAccount', { provider: 'anchor', label: 'prod', origin: server.url, fields });
  });

  const deletions = () => server.log().filter((line) => line.startsWith('DELETE'));
  const presses = (button: string) => (_: string, buttons: readonly string[]) =>
    buttons.find((offered) => offered === button);
  /** The ids that a question lists, for sessions that have no other name. */
  const asked = () => [...(user.questions.at(-1)?.detail ?? '').matchAll(/• (sess_\w+)/g)].map(([, id]) => id);

  it('end one by one the sessions that a batch deletion left, after asking about exactly those', async () => {
    const batch = server.addBatch(0, { id: 'batch_a' });
    for (const name of ['a', 'b', 'c', 'd']) server.add({ id: `sess_${name}`, batchId: 'batch_a' });
    server.add({ id: 'sess_other' });
    for (const name of ['b', 'd']) batch.undeletable.set(`sess_${name}`, 'Session is locked');
    await api.refresh();
    user.answersTell = presses('End One by One…');
    const questions: string[] = [];
    user.answersConfirm = ({ message, choices }) => {
      questions.push(message);
      // Only the batch's own deletion has been sent so far.
      assert.ok(deletions().every((line) => line === 'DELETE /v1/batch-sessions/batch_a'));
      return choices[0];
    };
    const deletion = await command<PublicGroupDeletion>('deleteBatch', { accountId, groupId: 'batch_a' });
    assert.deepEqual([deletion.deleted, deletion.failedDeletions, deletion.failed], [2, 2, 2]);
    await until(() => user.messages.length === 2);
    assert.equal(questions.length, 2);
    assert.equal(questions[1], 'End 2 sessions?');
    assert.deepEqual(asked().sort(), ['sess_b', 'sess_d']);
    assert.deepEqual(user.messages[1]?.message, 'Ended 2 of 2 sessions.');
    assert.deepEqual(deletions().slice(1).sort(), ['DELETE /v1/sessions/sess_b', 'DELETE /v1/sessions/sess_d']);
    assert.deepEqual(server.running, ['sess_other']);
  });

  it('end a whole batch one by one when its deletion was rejected', async () => {
    server.addBatch(0, { id: 'batch_a' });
    for (const name of ['a', 'b']) server.add({ id: `sess_${name}`, batchId: 'batch_a' });
    await api.refresh();
    server.misbehave('DELETE', /batch/, { kind: 'answer', answer: { status: 403, json: {} } });
    user.answersTell = presses('End One by One…');
    const deletion = await command<PublicGroupDeletion>('deleteBatch', { accountId, groupId: 'batch_a' });
    assert.deepEqual([deletion.deleted, deletion.failed], [0, 2]);
    await until(() => user.messages.length === 2);
    assert.match(user.messages[0]?.message ?? '', /^Couldn't delete Batch batch_a\. /);
    assert.deepEqual(asked().sort(), ['sess_a', 'sess_b']);
    assert.deepEqual(server.running, []);
    // The batch and its data are still there.
    assert.ok(server.batches.has('batch_a'));
  });

  it('retry what failed after a canceled run, and not what was never sent', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `sess_${index}`);
    for (const id of names) server.add({ id });
    await api.refresh();
    server.misbehave('DELETE', /./, { kind: 'slow', ms: 60 });
    // The first few to be sent.
    server.misbehave('DELETE', /./, { kind: 'answer', answer: { status: 403, json: {} } }, 2);
    user.cancelsProgress = true;
    const first = await command<PublicEndReport>('endAllSessions');
    const ids = (outcome: string) =>
      first.results.filter((result) => result.outcome === outcome).map(({ sessionId }) => sessionId);
    const [failed, unsent] = [ids('failed'), ids('canceled')];
    assert.ok(failed.length === 2 && unsent.length > 0, JSON.stringify(first));
    assert.match(
      user.messages.at(-1)?.message ?? '',
      new RegExp(`Couldn't end 2 sessions\\. ${unsent.length} requests weren't sent\\. `),
    );
    assert.deepEqual(user.messages.at(-1)?.buttons, ['Retry Failed', 'Show Log']);
    assert.deepEqual([...server.running].sort(), [...failed, ...unsent].sort());

    server.behave();
    user.cancelsProgress = false;
    const again = await command<PublicEndReport>('retryFailedEnds');
    assert.deepEqual(asked().sort(), [...failed].sort());
    assert.equal(again.ended, 2);
    assert.deepEqual([...server.running].sort(), [...unsent].sort());
    await command('retryFailedEnds');
    assert.equal(user.messages.at(-1)?.message, "There's nothing to retry. No sessions failed to end.");
    const rest = await command<PublicEndReport>('endAllSessions');
    assert.equal(rest.ended, unsent.length);
    assert.deepEqual(server.running, []);
  });

  it('retry from the message itself, but nothing that has ended since', async () => {
    for (const name of ['a', 'b', 'c']) server.add({ id: `sess_${name}` });
    await api.refresh();
    server.misbehave('DELETE', /sess_[ab]$/, { kind: 'answer', answer: { status: 403, json: {} } });
    let press: () => void = () => {};
    const pressed = new Promise<void>((resolve) => {
      press = resolve;
    });
    const { tell } = User.prototype;
    user.tell = async (...args) => {
      await tell.apply(user, args);
      await pressed;
      return args[2].find((button) => button === 'Retry Failed');
    };
    await command('endAllSessions');
    server.behave();
    server.sessions.delete('sess_a');
    await api.refresh();
    // A list alone isn't confirmation: the session is probed.
    await until(() => api.sessions(accountId).length === 1);
    const before = deletions().length;
    press();
    await until(() => user.questions.length === 2);
    assert.equal(user.questions[1]?.message, 'End 1 session?');
    assert.deepEqual(asked(), ['sess_b']);
    await until(() => server.running.length === 0);
    assert.deepEqual(deletions().slice(before), ['DELETE /v1/sessions/sess_b']);
  });

  it('name the sessions that couldn’t be confirmed when their account was removed during the end', async () => {
    for (let index = 0; index < 12; index++) server.add({ id: `sess_${index}`, domains: [`host${index}.example`] });
    await api.refresh();
    server.misbehave('DELETE', /./, { kind: 'slow', ms: 200 });
    const ending = command<PublicEndReport>('endAllSessions');
    await until(() => deletions().length > 0);
    await command('removeAccount', { accountId });
    const report = await ending;
    assert.deepEqual([report.requested, report.ended, report.alreadyGone], [12, 0, 0]);
    for (const { detail } of report.results)
      assert.equal(detail, 'The account was removed while this session was ending. It may still be running.');
    const message = user.messages.at(-1)?.message ?? '';
    assert.match(message, /(host\d+\.example \(sess_\d+\)(, )?){3} and 9 more: The account was removed/);
    assert.ok(!message.includes(accountId), message);
    assert.equal(server.running.length, 12 - deletions().length);
  });

  it('show the progress of a bulk end, its rate, and the time left', async () => {
    for (let index = 0; index < 60; index++) server.add();
    await api.refresh();
    server.misbehave('DELETE', /./, { kind: 'slow', ms: 1_500 });
    const began = Date.now();
    const report = await command<PublicEndReport>('endAllSessions');
    const tookMs = Date.now() - began;
    assert.equal(report.ended, 60);
    assert.deepEqual(user.progressTitles, ['Ending sessions']);
    assert.deepEqual(user.shown.at(-1), { message: '60 of 60 requested, 60 done', percent: 100 });
    assert.match(user.shown[0]?.message ?? '', /^[01] of 60 requested$/);
    const percents = user.shown.map(({ percent }) => percent);
    assert.deepEqual(
      percents,
      percents.toSorted((a, b) => a - b),
    );
    const progress = user.shown.flatMap(({ message }) => {
      const [, sent, rate, left] =
        /^(\d+) of 60 requested, (?:\d+ done, )?([\d.]+) per second, (\d+) s left$/.exec(message) ?? [];
      return rate === undefined ? [] : [{ sent: Number(sent), rate: Number(rate), left: Number(left) }];
    });
    assert.ok(progress.length > 10, JSON.stringify(user.shown));
    for (const { sent, rate, left } of progress) {
      assert.ok(rate > (sent * 1_000) / tookMs - 1 && rate < sent / 2 + 1, `${rate} a second after ${sent}`);
      assert.ok(
        Math.abs(left - (60 - sent) / rate) <= 1 + left / 10,
        `${left} s left after ${sent} at ${rate} a second`,
      );
    }
    assert.equal(progress.at(-1)?.left, 1);
  });

  it('open the provider’s page for a session in the browser, even when the session has ended', async function () {
    // On a desktop it would open a window of the user's own browser.
    if (vscode.env.uiKind === vscode.UIKind.Desktop) this.skip();
    const services = await startExample();
    let hasNoPages = false;
    const withDashboard: ProviderDefinition = {
      ...exampleProvider,
      id: 'withDashboard',
      connect: (link) => ({
        ...exampleProvider.connect(link),
        dashboard: (id) => {
          if (hasNoPages) throw new Error(`no pages for ${link.credentials['doorKey']}`);
          return new URL(`/dashboard/${id}?tab=replay`, link.origin);
        },
      }),
    };
    const registration = api.registerProvider(withDashboard, ownId);
    try {
      services.light(2);
      const opened = () =>
        services.requests
          .filter(({ path }) => path.startsWith('/dashboard/'))
          .map(({ path, query, headers }) => [path, query.get('tab'), headers['door-key']]);
      const fields = { doorKey: services.doorKey };
      const id = await command<string>('addAccount', { provider: 'withDashboard', origin: services.url, fields });
      await command('openDashboard', { accountId: id, sessionId: 'r1' });
      await until(() => opened().length === 1);
      await command('endSession', { accountId: id, sessionId: 'r2' });
      await command('openDashboard', { accountId: id, sessionId: 'r2' });
      await until(() => opened().length === 2);
      // The key is only for the provider's API.
      assert.deepEqual(opened(), [
        ['/dashboard/r1', 'replay', undefined],
        ['/dashboard/r2', 'replay', undefined],
      ]);
      hasNoPages = true;
      await command('openDashboard', { accountId: id, sessionId: 'r1' });
      assert.match(user.messages.at(-1)?.message ?? '', /unexpected.*no pages for •••/);
      // When no session is named, only those are offered whose provider has such a page.
      server.add({ id: 'sess_a' });
      await api.refresh();
      let offered: string[] = [];
      user.answersPick = ({ choices }) => {
        offered = choices.map(({ label }) => label);
        return [];
      };
      await command('openDashboard');
      assert.deepEqual(offered, ['Room r1']);
      await command('openDashboard', { accountId, sessionId: 'sess_a' });
      assert.equal(user.messages.at(-1)?.message, 'No running session has a dashboard page.');
    } finally {
      await removeAllAccounts(api);
      registration.dispose();
      await services.stop();
    }
  });
});
