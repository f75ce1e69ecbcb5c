import { strict as assert } from 'node:assert';
import { type AccountId, type GroupId, groupId } from '../../../../src/core/ids.ts';
import { FinishedBatches } from '../../../../src/services/sessions/finishedBatches.ts';
import { type AnchorServer, startAnchor } from '../../../servers/anchor.ts';
import { startBrowserbase } from '../../../servers/browserbase.ts';
import { until } from '../../until.ts';
import { fastClock, MapMemory, TestServices } from '../testServices.ts';

describe('finished batches', () => {
  const clock = fastClock(20);
  let services: TestServices;
  let memory: MapMemory;
  let server: AnchorServer;
  let account: AccountId;
  let finished: FinishedBatches;

  const open = () => {
    const { accounts, connections, store } = services;
    return new FinishedBatches({ accounts, connections, store, memory, memoryKey: 'shown', clock });
  };

  beforeEach(async () => {
    services = new TestServices({ clock });
    memory = new MapMemory();
    server = await startAnchor();
    account = await services.add('anchor', server.url, { apiKey: server.key });
    finished = open();
  });
  afterEach(async () => {
    finished.dispose();
    services.dispose();
    await server.stop();
  });

  const over = (count: number, failedRequests = 0): GroupId => {
    const batch = server.addBatch(count, { failedRequests, status: 'completed' });
    for (const member of batch.members) member.status = 'completed';
    return groupId(batch.id);
  };
  const asked = () => server.requests.filter(({ path }) => path === '/v1/batch-sessions').length;
  const ids = () => [...(finished.of(account)?.groups.keys() ?? [])];

  it('are listed only while they are shown, with counts of failures', async () => {
    const id = over(3, 2);
    await services.refresher.refresh(account);
    const before = asked();
    await finished.reload(account);
    assert.deepEqual([finished.of(account), asked()], [undefined, before]);
    await finished.show(true);
    assert.deepEqual(finished.of(account)?.groups.get(id)?.counts, { total: 5, failed: 2 });
    await finished.show(false);
    assert.equal(finished.of(account), undefined);
    const after = asked();
    await finished.reloadAll();
    assert.equal(asked(), after);
  });

  it('aren’t listed each time that an extension shows and hides them in a loop', async () => {
    over(1);
    await services.refresher.refresh(account);
    const before = asked();
    const all: Promise<void>[] = [];
    for (let times = 0; times < 50; times++) {
      all.push(finished.show(true));
      await new Promise((resolve) => setImmediate(resolve));
      all.push(finished.show(false));
    }
    await finished.show(true);
    await Promise.all(all);
    assert.ok(asked() - before <= 3, `${asked() - before} requests`);
    assert.equal(ids().length, 1);
  });

  it('are shown again after a restart, as soon as their account is listed', async () => {
    const id = over(1);
    await finished.show(true);
    finished.dispose();
    finished = open();
    assert.equal(finished.isShown, true);
    assert.equal(finished.of(account), undefined);
    server.add();
    await services.refresher.refresh(account);
    await until(() => ids().includes(id));
  });

  it('are listed again when a running batch has finished', async () => {
    const batch = server.addBatch(2);
    await services.refresher.refresh(account);
    await finished.show(true);
    const before = asked();
    for (const member of batch.members) member.status = 'completed';
    for (let list = 0; list < 3; list++) await services.refresher.refresh(account);
    await until(() => finished.of(account)?.isLoading === false && asked() > before + 3);
    assert.ok(ids().includes(groupId(batch.id)));
  });

  it('stay as they were when they can’t be listed, with the reason', async () => {
    const id = over(1);
    await finished.show(true);
    server.misbehave('GET', /batch-sessions/, { kind: 'answer', answer: { status: 500, json: {} } });
    await finished.reload(account);
    assert.deepEqual(ids(), [id]);
    assert.equal(finished.of(account)?.trouble?.trouble.kind, 'serverFault');
  });

  const look = (id: AccountId, group: GroupId, isTaken: boolean) =>
    finished.look(id, group, isTaken, services.connections.generation(id));

  it('are forgotten with the key that they were listed with', async () => {
    over(1);
    await finished.show(true);
    await services.accounts.replaceCredentials(account, { apiKey: 'another' });
    assert.equal(finished.of(account), undefined);
  });

  it('aren’t requested from a provider that doesn’t report them', async () => {
    const other = await startBrowserbase();
    const id = await services.add('browserbase', other.url, { apiKey: other.key });
    await finished.show(true);
    assert.equal(finished.of(id), undefined);
    assert.equal((await look(id, groupId('any'), false)).kind, 'unknown');
    await other.stop();
  });

  it('are considered gone only after a complete list without them', async () => {
    const id = over(1);
    assert.equal((await look(account, id, true)).kind, 'listed');
    server.misbehave('GET', /batch-sessions/, { kind: 'answer', answer: { status: 404, html: '<h1>404</h1>' } }, 1);
    assert.equal((await look(account, id, true)).kind, 'unknown');
    server.batches.delete(id);
    const odd = { data: { batches: [{ batch_id: 7 }], pagination: { has_next: false } } };
    server.misbehave('GET', /batch-sessions/, { kind: 'answer', answer: { status: 200, json: odd } }, 1);
    assert.equal((await look(account, id, true)).kind, 'unknown');
    assert.equal((await look(account, id, true)).kind, 'gone');
  });

  it('aren’t considered gone because one list left them out, unless the provider said that it deleted them', async () => {
    const id = over(1);
    const none = { data: { batches: [], pagination: { has_next: false } } };
    const leaveOut = (times: number) =>
      server.misbehave('GET', /batch-sessions/, { kind: 'answer', answer: { status: 200, json: none } }, times);
    leaveOut(1);
    assert.equal((await look(account, id, false)).kind, 'listed');
    leaveOut(2);
    assert.equal((await look(account, id, false)).kind, 'gone');
    leaveOut(1);
    assert.equal((await look(account, id, true)).kind, 'gone');
  });
});
