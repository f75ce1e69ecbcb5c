import { strict as assert } from 'node:assert';
import type { AccountId, SessionId } from '../../../../src/core/ids.ts';
import { EndCauses } from '../../../../src/services/history/endCauses.ts';
import { History } from '../../../../src/services/history/history.ts';
import { type BrowserbaseServer, startBrowserbase } from '../../../servers/browserbase.ts';
import { until } from '../../until.ts';
import { MapMemory, TestServices } from '../testServices.ts';

describe('end causes', () => {
  let server: BrowserbaseServer;
  let services: TestServices;
  let history: History;
  let endCauses: EndCauses;
  let account: AccountId;

  beforeEach(async () => {
    server = await startBrowserbase();
    services = new TestServices();
    history = new History(new MapMemory(0), services.store, services.accounts, Date.now);
    endCauses = new EndCauses(history, services.connections, services.log);
    services.store.onDidLeave((leaving) => endCauses.follow(leaving));
    account = await services.add('browserbase', server.url, { apiKey: server.key });
  });
  afterEach(async () => {
    endCauses.dispose();
    history.dispose();
    services.dispose();
    await server.stop();
  });

  const by = () => new Map(history.all.map((ended) => [ended.sessionId, ended.by]));
  const asked = () => server.log().filter((line) => /^GET \/v1\/sessions\/.+/.test(line)).length;

  it('tell timeouts and failures from other ends', async () => {
    const ended = ['TIMED_OUT', 'ERROR', 'COMPLETED'].map((status) => ({
      status,
      session: server.add({ id: status }),
    }));
    const mine = server.add({ id: 'mine' });
    await services.refresher.refresh(account);
    for (const { status, session } of ended) session.status = status;
    services.store.setLife(account, [mine.id as SessionId], { kind: 'ending', since: 0 });
    server.sessions.delete('mine');
    await services.refresher.refresh(account);
    services.store.removeGone(account, [mine.id as SessionId]);
    await until(() => asked() === 3);
    await until(() => by().get('ERROR') === 'failed');
    assert.deepEqual(Object.fromEntries(by()), {
      TIMED_OUT: 'timedOut',
      ERROR: 'failed',
      COMPLETED: 'elsewhere',
      mine: 'you',
    });
  });

  it('are requested for only a few of many sessions that end together, and failing to get them does no harm', async () => {
    const many = Array.from({ length: 50 }, () => server.add());
    await services.refresher.refresh(account);
    for (const session of many) session.status = 'TIMED_OUT';
    server.misbehave('GET', /^\/v1\/sessions\/.+/, { kind: 'answer', answer: { status: 500, json: {} } }, 4);
    await services.refresher.refresh(account);
    await until(() => [...by().values()].filter((how) => how === 'timedOut').length >= 8);
    // They are asked for one after another: once this one is answered, all before it were.
    const last = server.add({ id: 'last' });
    await services.refresher.refresh(account);
    last.status = 'TIMED_OUT';
    await services.refresher.refresh(account);
    await until(() => by().get('last') === 'timedOut');
    const ofLast = server.log().filter((line) => line === 'GET /v1/sessions/last').length;
    assert.ok(asked() - ofLast <= 20, String(asked()));
    await until(() => history.all.length === 51);
  });
});
