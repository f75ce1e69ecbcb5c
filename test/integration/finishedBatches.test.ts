import { strict as assert } from 'node:assert';
import type { PublicGroupDeletion } from '../../src/ui/commands/endReports.ts';
import type { AnchorBatch, AnchorServer } from '../servers/anchor.ts';
import { command, type User, useCleanState } from './inside.ts';

describe('finished batches, inside VS Code', () => {
  let server: AnchorServer;
  let user: User;
  let accountId: string;
  let batch: AnchorBatch;

  afterEach(async () => {
    await command('hideFinishedBatches');
  });
  useCleanState(async (setup) => {
    ({ server, user } = setup);
    server.add({ id: 'sess_a' });
    const made = server.addBatch(3, { failedRequests: 2 });
    for (const member of made.members) member.status = 'completed';
    batch = made;
    user.answersConfirm = ({ choices }) => choices[0];
    const fields = { apiKey: server.key };
    accountId = await command('addAccount', { provider: 'anchor', label: 'prod', origin: server.url, fields });
  });

  const sent = () => server.log().filter((line) => !line.startsWith('GET'));
  const lastMessage = () => user.messages.at(-1);
  const remove = () => command<PublicGroupDeletion | undefined>('deleteBatch', { accountId, groupId: batch.id });

  it('can only be deleted while they are shown', async () => {
    assert.equal(await remove(), undefined);
    assert.equal(lastMessage()?.message, 'This batch is no longer listed.');
    await command('showFinishedBatches');
    const deletion = await remove();
    assert.deepEqual([deletion?.deleted, deletion?.failedDeletions, deletion?.batch], [3, 0, 'gone']);
    const [question] = user.questions;
    assert.match(question?.message ?? '', /^Delete "Batch .*" and all its data\?$/);
    assert.equal(
      question?.detail,
      [
        'Anchor Browser · prod\n2 of 5 failed',
        'None of its sessions are running anymore. Deleting the batch removes the data that the provider still keeps.',
        "Recordings and all other data of the batch's sessions are deleted too. This can't be undone.",
      ].join('\n\n'),
    );
    assert.equal(server.batches.size, 0);
    assert.deepEqual(server.running, ['sess_a']);
    assert.deepEqual(sent(), [`DELETE /v1/batch-sessions/${batch.id}`]);
    assert.match(lastMessage()?.message ?? '', /: 3 sessions deleted\.$/);
    // It leaves the list at once.
    assert.equal(await remove(), undefined);
  });

  it('aren’t deleted on Cancel', async () => {
    await command('showFinishedBatches');
    user.answersConfirm = () => undefined;
    assert.equal(await remove(), undefined);
    assert.deepEqual(sent(), []);
  });

  it('are offered by Delete Batch… while they are shown', async () => {
    const offered: string[] = [];
    user.answersPick = ({ choices }) => {
      offered.push(...choices.map(({ detail }) => detail));
      return [];
    };
    await command('deleteBatch');
    assert.deepEqual(offered, []);
    await command('showFinishedBatches');
    await command('deleteBatch');
    assert.deepEqual(offered, [batch.id]);
  });

  it('are reported as deleted when the response was lost and a list shows that they are gone', async () => {
    await command('showFinishedBatches');
    server.misbehave('DELETE', /batch/, { kind: 'doneBut', answer: { status: 502, html: '<h1>Bad gateway</h1>' } }, 1);
    assert.equal((await remove())?.batch, 'gone');
    assert.match(lastMessage()?.message ?? '', /was deleted\. Anchor Browser no longer lists it\.$/);
    assert.deepEqual(sent(), [`DELETE /v1/batch-sessions/${batch.id}`]);
  });

  it('aren’t reported as deleted when the provider accepts it but keeps listing them', async () => {
    await command('showFinishedBatches');
    const json = { data: { deleted_sessions: 3, failed_deletions: 0 } };
    server.misbehave('DELETE', /batch/, { kind: 'answer', answer: { status: 200, json } });
    assert.equal((await remove())?.batch, 'listed');
    assert.equal(lastMessage()?.level, 'warning');
    assert.match(
      lastMessage()?.message ?? '',
      /^Anchor Browser accepted the request but still lists Batch .*\. Its data may not be deleted\.$/,
    );
    assert.equal(server.batches.size, 1);
  }).timeout(30_000);

  it('aren’t reported as deleted when the list that would confirm it fails', async () => {
    await command('showFinishedBatches');
    server.misbehave('GET', /batch-sessions/, { kind: 'answer', answer: { status: 500, json: {} } });
    assert.equal((await remove())?.batch, 'unknown');
    assert.match(lastMessage()?.message ?? '', /the deletion of Batch .* couldn't be confirmed\. .*HTTP 500/);
  });

  it('are reported with each session that the provider couldn’t delete', async () => {
    const [locked = ''] = [...server.sessions.values()]
      .filter(({ batchId }) => batchId === batch.id)
      .map(({ id }) => id);
    batch.undeletable.set(locked, 'Session is locked');
    await command('showFinishedBatches');
    const deletion = await remove();
    assert.deepEqual([deletion?.deleted, deletion?.failedDeletions, deletion?.batch], [2, 1, 'listed']);
    assert.match(
      lastMessage()?.message ?? '',
      /2 sessions deleted\. Couldn't delete 1 session\. .*: Session is locked/,
    );
  });
});
