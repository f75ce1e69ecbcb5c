import { strict as assert } from 'node:assert';
import type { AccountId } from '../../../../src/core/ids.ts';
import { troubleOf } from '../../../../src/services/sessions/sessionsView.ts';
import { type AnchorServer, startAnchor } from '../../../servers/anchor.ts';
import type { TestServices } from '../testServices.ts';
import type { VirtualClock } from '../virtualClock.ts';
import { virtualTimeServices } from '../virtualTime.ts';

describe('listing an account', () => {
  let server: AnchorServer;
  let services: TestServices;
  let clock: VirtualClock;
  let over: <T>(work: Promise<T>) => Promise<T>;
  /** How many pages the server takes its time for. */
  let slow: number;
  let id: AccountId;

  beforeEach(async () => {
    server = await startAnchor();
    server.add({ id: 'sess_a' });
    slow = 0;
    ({ services, clock, over } = virtualTimeServices({ hanging: () => slow }));
    id = await services.add('anchor', server.url, { apiKey: server.key });
  });
  afterEach(async () => {
    services.dispose();
    await server.stop();
  });

  /** Each page of its list takes nearly as long as a request may, and there is always another one. */
  function listSlowlyForever(): void {
    let page = 0;
    server.misbehave('GET', /^\/v1\/sessions$/, {
      kind: 'answer',
      after: async () => {
        slow++;
        await clock.wait(8_000);
        slow--;
      },
      get answer() {
        page++;
        const row = {
          id: `sess_${page}`,
          status: 'running',
          created_at: new Date().toISOString(),
          tags: [],
          domains: [],
        };
        const json = { data: { sessions: [row], total: 1e6, page, total_pages: 1e6 } };
        return { status: 200, json };
      },
    });
  }

  it('fails after three minutes, however slowly its pages come', async () => {
    listSlowlyForever();
    const began = clock.now();
    const result = await over(services.refresher.refresh(id));
    const seconds = (clock.now() - began) / 1_000;
    assert.equal(result.kind, 'failed');
    const state = services.store.state(id);
    assert.equal(state && troubleOf(state)?.trouble.kind, 'timedOut');
    assert.ok(seconds >= 180 && seconds < 190, `${seconds} s`);
    assert.deepEqual([...(state?.contents.sessions.keys() ?? [])].slice(0, 1), ['sess_a']);
  });

  it('lets an end finish, without a claim, when its pages come that slowly', async () => {
    const session = services.store.state(id)?.contents.sessions.values().next().value;
    assert.ok(session);
    listSlowlyForever();
    const options = { stop: new AbortController().signal, onProgress: () => {} };
    const { results } = await over(services.ender.end([{ accountId: id, session }], options));
    assert.deepEqual(
      results.map(({ outcome, why }) => [outcome, why?.kind]),
      [['stuck', 'unconfirmed']],
    );
  });
});
