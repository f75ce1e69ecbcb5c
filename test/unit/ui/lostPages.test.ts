import { strict as assert } from 'node:assert';
import type { AccountId } from '../../../src/core/ids.ts';
import { sessionId } from '../../../src/core/ids.ts';
import { PageLists } from '../../../src/services/sessions/pageLists.ts';
import { LostPages } from '../../../src/ui/tree/lostPages.ts';
import { type AnchorServer, startAnchor } from '../../servers/anchor.ts';
import { fastClock, TestServices } from '../services/testServices.ts';
import { until } from '../until.ts';

const ended = sessionId('sess_ended');
const running = sessionId('sess_running');

describe('the pages of an expanded session that has ended', () => {
  let server: AnchorServer;
  let services: TestServices;
  let id: AccountId;
  let load: (session: typeof ended) => Promise<void>;

  beforeEach(async () => {
    server = await startAnchor();
    services = new TestServices();
    server.add({ id: ended });
    server.add({ id: running });
    id = await services.add('anchor', server.url, { apiKey: server.key });
    const pages = new PageLists(services.store, services.connections, fastClock(1_000));
    const lost = new LostPages(services.store, (account) => services.refresher.refresh(account));
    load = async (session) => {
      await pages.load(id, session);
      await lost.follow(id, session);
    };
  });
  afterEach(async () => {
    services.dispose();
    await server.stop();
  });

  const lists = () => server.requests.filter(({ path }) => /\/all\/status$|\/v1\/sessions$/.test(path)).length;

  it('disappear with its row, which another list removes even if nothing else refreshes it', async () => {
    server.sessions.delete(ended);
    await load(ended);
    await until(() => services.store.session(id, ended) === undefined);
    assert.notEqual(services.store.session(id, running), undefined);
  });

  it('are requested without another list while the session is running, and with one list if they keep failing', async () => {
    const before = lists();
    await load(running);
    assert.equal(lists(), before);
    server.misbehave('GET', /pages$/, { kind: 'answer', answer: { status: 404, json: {} } });
    await load(ended);
    const asked = lists();
    assert.ok(asked > before);
    const fetched = () => server.requests.filter(({ path }) => path.endsWith('/pages')).length;
    for (const times = fetched(); fetched() === times; ) await load(ended);
    assert.equal(lists(), asked);
    assert.notEqual(services.store.session(id, ended), undefined);
  });

  it('cause no list while the key is rejected', async () => {
    const before = lists();
    server.misbehave('GET', /pages$/, { kind: 'answer', answer: { status: 401, json: {} } });
    await load(ended);
    assert.equal(lists(), before);
  });
});
