import { strict as assert } from 'node:assert';
import { systemClock } from '../../../../src/core/clock.ts';
import type { AccountId } from '../../../../src/core/ids.ts';
import { sessionId } from '../../../../src/core/ids.ts';
import { PageLists } from '../../../../src/services/sessions/pageLists.ts';
import { knownPages, type Leaving } from '../../../../src/services/sessions/sessionsView.ts';
import { type AnchorServer, startAnchor } from '../../../servers/anchor.ts';
import { TestServices } from '../testServices.ts';

const session = sessionId('sess_a');

describe('the pages of a session whose list doesn’t include them', () => {
  let server: AnchorServer;
  let services: TestServices;
  let pages: PageLists;
  let id: AccountId;
  let now: number;

  beforeEach(async () => {
    server = await startAnchor();
    services = new TestServices();
    server.add({ id: session });
    id = await services.add('anchor', server.url, { apiKey: server.key });
    now = Date.now();
    const clock = { ...systemClock, now: () => now, monotonic: () => now };
    pages = new PageLists(services.store, services.connections, clock);
  });
  afterEach(async () => {
    pages.dispose();
    services.dispose();
    await server.stop();
  });

  const requests = () => server.requests.filter(({ path }) => path.endsWith('/pages')).length;
  /** Loads pages so much later that known ones are out of date. */
  const loadAgain = () => {
    now += 10_000;
    return pages.load(id, session);
  };
  const loaded = () => knownPages(services.store, id, session)?.map((page) => page.id);

  it('are requested once, however often their row is redrawn until the answer comes', async () => {
    await pages.load(id, session);
    const before = requests();
    server.misbehave('GET', /pages$/, { kind: 'slow', ms: 100 });
    await Promise.all([loadAgain(), loadAgain(), loadAgain()]);
    assert.equal(requests(), before + 1);
    await loadAgain();
    assert.equal(requests(), before + 2);
  });

  for (const status of [200, 401]) {
    it(`aren’t shown for a session that another key finds under the same ID, nor is an error about them (${status})`, async () => {
      const other = 'sk-anchor-other-team';
      server.keys.set('other', other);
      const page = {
        id: 'p',
        title: 'First team',
        url: 'https://first.example/',
        frontend_url: `${server.url}/live/a`,
      };
      const json = status === 200 ? [page] : { error: { message: 'Invalid API key' } };
      server.misbehave('GET', /pages$/, {
        kind: 'answer',
        answer: { status, json },
        after: async () => {
          server.behave();
          await services.accounts.replaceCredentials(id, { apiKey: other });
          server.sessions.delete(session);
          server.add({ id: session, key: other });
          await services.refresher.refresh(id);
        },
      });
      await pages.load(id, session);
      assert.deepEqual(loaded(), undefined);
      assert.notEqual(services.store.pages(id, session)?.kind, 'failed');
      await loadAgain();
      assert.equal(loaded()?.length, 1);
      assert.notDeepEqual(loaded(), ['p']);
    });
  }

  it('stay when they can’t be fetched again, and are still known when the session ends', async () => {
    await pages.load(id, session);
    const known = loaded();
    assert.equal(known?.length, 1);
    server.misbehave('GET', /pages$/, { kind: 'answer', answer: { status: 404, json: {} } });
    await loadAgain();
    await loadAgain();
    assert.equal(services.store.pages(id, session)?.kind, 'failed');
    assert.deepEqual(loaded(), known);
    let left: Leaving | undefined;
    services.store.onDidLeave((leaving) => {
      left = leaving;
    });
    server.sessions.delete(session);
    while (left === undefined) await services.refresher.refresh(id);
    assert.deepEqual(
      left?.pages?.map((page) => page.id),
      known,
    );
  });
});
