import { strict as assert } from 'node:assert';
import type { TestingApi } from '../../src/extension.ts';
import type { PublicEndReport, PublicGroupDeletion } from '../../src/ui/commands/endReports.ts';
import { startAnchor } from '../servers/anchor.ts';
import { type Balancing, startBalancer } from '../servers/balancer.ts';
import { startBrowserbase } from '../servers/browserbase.ts';
import { startBrowserlessV1 } from '../servers/browserlessV1.ts';
import { startBrowserlessV2 } from '../servers/browserlessV2.ts';
import { startGateway } from '../servers/gateway.ts';
import { outages } from '../servers/providerServer.ts';
import { startStagehand } from '../servers/stagehand.ts';
import { command, extension, removeAllAccounts, User } from './inside.ts';

interface Stoppable {
  stop(): Promise<void>;
}

// What providers really do, according to their own sources and their users. Each end is judged by the servers' own
// state.
describe('ending at providers that behave worse than documented, inside VS Code', function () {
  this.timeout(120_000);
  let api: TestingApi;
  let user: User;
  let servers: Stoppable[];

  before(async () => {
    api = await extension();
  });
  beforeEach(async () => {
    await removeAllAccounts(api);
    user = new User();
    user.answersConfirm = ({ choices }) => choices[0];
    api.testing.prompts = user;
    servers = [];
  });
  afterEach(async () => {
    await removeAllAccounts(api);
    await Promise.all(servers.map((server) => server.stop()));
  });

  function started<T extends Stoppable>(server: T): T {
    servers.push(server);
    return server;
  }
  const add = (provider: string, origin: string, fields: Record<string, string>) =>
    command<string>('addAccount', { provider, origin, fields });
  const listed = (accountId: string) => api.sessions(accountId).map(({ id }) => id);

  function assertTruthful(report: PublicEndReport, running: readonly string[]): void {
    for (const { sessionId, outcome } of report.results) {
      if (outcome !== 'ended' && outcome !== 'alreadyGone') continue;
      assert.ok(!running.includes(sessionId), `${sessionId} is reported as ${outcome}, but is still running`);
    }
  }

  for (const balancing of ['roundRobin', 'leastConnections', { seed: 1 }] as const satisfies readonly Balancing[]) {
    for (const startWorker of [startBrowserlessV1, startBrowserlessV2]) {
      it(`reports ends truthfully when several Browserless workers take turns behind one address (${startWorker.name}, ${JSON.stringify(balancing)})`, async () => {
        const workers = [started(await startWorker()), started(await startWorker())];
        for (const [index, worker] of workers.entries())
          for (const one of ['a', 'b']) worker.add({ id: `w${index}${one}` });
        const addresses = workers.map(({ url }) => url);
        const balancer = started(await startBalancer(addresses, balancing));
        const accountId = await add('browserless', balancer.url, { token: workers[0]?.token ?? '' });
        for (let times = 0; times < 20 && listed(accountId).length < 4; times++) await api.refresh();
        assert.equal(listed(accountId).length, 4);
        const chosen = ['w0a', 'w1a'];
        for (const sessionId of chosen) {
          const report = await command<PublicEndReport>('endSession', { accountId, sessionId });
          assertTruthful(
            report,
            workers.flatMap(({ running }) => running),
          );
          assert.equal(report.ended, 1);
        }
        assert.deepEqual(workers.flatMap(({ running }) => running).sort(), ['w0b', 'w1b']);
      });
    }
  }

  it('reports ends truthfully when Stagehand reports success for an end but releases nothing', async () => {
    const browserbase = started(await startBrowserbase());
    const stagehand = started(await startStagehand(browserbase));
    stagehand.startSession('sh_1');
    stagehand.startSession('sh_2', { keepAlive: true });
    stagehand.releasesNothing = true;
    const fields = { apiKey: browserbase.key, stagehandOrigin: stagehand.url };
    const accountId = await add('browserbase', browserbase.url, fields);
    const report = await command<PublicEndReport>('endAccountSessions', { accountId });
    assert.equal(report.ended, 2);
    assert.deepEqual(browserbase.running, []);
  });

  it('reports ends truthfully when deleting a batch takes longer than other requests may', async () => {
    const anchor = started(await startAnchor());
    anchor.addBatch(0, { id: 'batch_1' });
    for (const id of ['s1', 's2', 's3', 's4']) anchor.add({ id, batchId: 'batch_1' });
    anchor.batches.get('batch_1')?.undeletable.set('s4', 'it is being recorded');
    anchor.deletionMs = 12_000;
    const accountId = await add('anchor', anchor.url, { apiKey: anchor.key });
    const report = await command<PublicGroupDeletion>('deleteBatch', { accountId, groupId: 'batch_1' });
    assert.deepEqual([report.deleted, report.failedDeletions], [3, 1]);
    assert.deepEqual(report.errors, [{ sessionId: 's4', error: 'it is being recorded' }]);
    assert.deepEqual(anchor.running, ['s4']);
    assert.equal(anchor.log().filter((line) => line === 'DELETE /v1/batch-sessions/batch_1').length, 1);
    assert.deepEqual(user.busyMessages, ['Anchor Browser is still deleting the batch…']);
  });

  it('reports ends truthfully when the response to a batch deletion is lost', async () => {
    const anchor = started(await startAnchor());
    anchor.addBatch(0, { id: 'batch_1' });
    for (const id of ['s1', 's2']) anchor.add({ id, batchId: 'batch_1' });
    const accountId = await add('anchor', anchor.url, { apiKey: anchor.key });
    anchor.misbehave('DELETE', /batch_1/, { kind: 'cut', when: 'after' });
    const report = await command<PublicGroupDeletion>('deleteBatch', { accountId, groupId: 'batch_1' });
    assert.deepEqual([report.ended, report.failed, report.stuck], [2, 0, 0]);
    assert.deepEqual(anchor.running, []);
    assert.equal(anchor.log().filter((line) => line === 'DELETE /v1/batch-sessions/batch_1').length, 1);
  });

  it('reports ends truthfully when one entry of a deletion’s errors isn’t as documented', async () => {
    const anchor = started(await startAnchor());
    anchor.addBatch(0, { id: 'batch_1' });
    for (const id of ['s1', 's2']) anchor.add({ id, batchId: 'batch_1' });
    anchor.batches.get('batch_1')?.undeletable.set('s2', 'it is being recorded');
    anchor.oddErrors.push(7, null, { session_id: 3 });
    const accountId = await add('anchor', anchor.url, { apiKey: anchor.key });
    const report = await command<PublicGroupDeletion>('deleteBatch', { accountId, groupId: 'batch_1' });
    assert.ok(report.errors.some(({ sessionId, error }) => sessionId === 's2' && error === 'it is being recorded'));
    assert.deepEqual(anchor.running, ['s2']);
  });

  for (const of of ['ingress-nginx, a line of text', 'JSON that says gone']) {
    it(`reports ends truthfully when a short outage answers every route with a load balancer’s default page: ${of}`, async () => {
      const anchor = started(await startAnchor());
      for (let index = 0; index < 25; index++) anchor.add({ id: `s${index}` });
      const accountId = await add('anchor', anchor.url, { apiKey: anchor.key });
      let duringOutage: readonly string[] | undefined;
      user.answersConfirm = ({ choices }) => {
        anchor.outage = outages[of];
        // At least 100 ms, and on a slow machine until the extension has noticed.
        const check = setInterval(() => {
          if (duringOutage === undefined) return;
          anchor.outage = undefined;
          clearInterval(check);
        }, 100);
        return choices[0];
      };
      const left = api.onDidChange(() => {
        if (anchor.outage !== undefined) duringOutage = listed(accountId);
      });
      const report = await command<PublicEndReport>('endAccountSessions', { accountId });
      left.dispose();
      assert.equal(duringOutage?.length, 25, 'sessions disappeared during the outage');
      assertTruthful(report, anchor.running);
      assert.equal(report.requested, 25);
    });
  }

  it('reports ends truthfully when ends are accepted without effect, and lists are empty for a second', async () => {
    const anchor = started(await startAnchor());
    for (let index = 0; index < 20; index++) anchor.immortal.add(anchor.add({ id: `s${index}` }).id);
    const accountId = await add('anchor', anchor.url, { apiKey: anchor.key });
    anchor.listsEmptyMs = 1_000;
    const report = await command<PublicEndReport>('endAccountSessions', { accountId });
    assertTruthful(report, anchor.running);
    assert.deepEqual([report.stuck, anchor.running.length], [20, 20]);
  });

  it('reports ends truthfully when a gateway counts a session it doesn’t list, and lists a row that can’t be read', async () => {
    const cases = (['count', 'row'] as const).map(async (defect) => {
      const gateway = started(await startGateway());
      gateway.immortal.add(gateway.add({ id: `sess_${defect}` }).id);
      const accountId = await add('gateway', gateway.url, { authorization: gateway.authorization });
      assert.deepEqual(listed(accountId), [`sess_${defect}`]);
      gateway.findsNothing = true;
      gateway.hidden.add(`sess_${defect}`);
      if (defect === 'row') gateway.oddRows.push({ status: 'running' });
      const report = await command<PublicEndReport>('endSession', { accountId, sessionId: `sess_${defect}` });
      assertTruthful(report, gateway.running);
      assert.deepEqual(gateway.running, [`sess_${defect}`]);
      assert.deepEqual(listed(accountId), [`sess_${defect}`]);
    });
    await Promise.all(cases);
  });

  it('sends no end when a gateway gives the confirmed id to another session after the list', async () => {
    const gateway = started(await startGateway());
    gateway.add({ id: 'sess_a', createdAt: '2026-11-22T12:00:00Z' });
    const accountId = await add('gateway', gateway.url, { authorization: gateway.authorization });
    user.answersConfirm = ({ choices }) => {
      gateway.reuse('sess_a');
      return choices[0];
    };
    await command<PublicEndReport>('endSession', { accountId, sessionId: 'sess_a' });
    assert.deepEqual(gateway.running, ['sess_a']);
    assert.ok(!gateway.log().some((line) => line.startsWith('DELETE')));
  });
});
