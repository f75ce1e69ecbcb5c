import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../../../src/core/clock.ts';
import { type AccountId, sessionId } from '../../../../src/core/ids.ts';
import type { Session } from '../../../../src/core/session.ts';
import { startAnchor } from '../../../servers/anchor.ts';
import { startBrowserbase } from '../../../servers/browserbase.ts';
import { startBrowserlessCloud } from '../../../servers/browserlessCloud.ts';
import { startGateway } from '../../../servers/gateway.ts';
import type { ProviderServer } from '../../../servers/providerServer.ts';
import { unaborted } from '../../testNetwork.ts';
import { fastClock, TestServices } from '../testServices.ts';

describe('a running session whose provider says another start than before', () => {
  let services: TestServices;
  let server: ProviderServer | undefined;
  const began = Date.now() - 60_000;
  const id = sessionId('sess_a');
  const isoAt = (ms: number) => new Date(began + ms).toISOString();

  beforeEach(() => {
    services = new TestServices({
      clock: fastClock(100),
      wireClock: systemClock,
      interval: 0,
      settings: new Set(['browserless.accountApi']),
    });
  });
  afterEach(async () => {
    services.dispose();
    await server?.stop();
  });

  async function end(accountId: AccountId) {
    const session = services.store.session(accountId, id) ?? assert.fail();
    const { results } = await services.ender.end([{ accountId, session }], { stop: unaborted, onProgress: () => {} });
    return results[0]?.outcome;
  }

  it('isn’t called ended at Anchor Browser, whose two lists may differ', async () => {
    const anchor = await startAnchor();
    server = anchor;
    anchor.add({ id, createdAt: new Date(began) });
    anchor.immortal.add(id);
    const own = (...items: object[]) => {
      const answer = { status: 200, json: { data: { count: items.length, items } } };
      anchor.misbehave('GET', /all\/status$/, { kind: 'answer', answer });
    };
    own();
    const account = await services.add('anchor', anchor.url, { apiKey: anchor.key });
    own({ session_id: id, status: 'running', tags: [], created_at: isoAt(1_500) });
    assert.equal(await end(account), 'stuck');
    assert.deepEqual(anchor.running, [id]);
  });

  it('isn’t called ended at Browserbase, where a row may lack the time at which it was created', async () => {
    const browserbase = await startBrowserbase();
    server = browserbase;
    browserbase.add({ id });
    browserbase.immortal.add(id);
    const list = (createdAt: string | null) => {
      const row = { id, status: 'RUNNING', createdAt, startedAt: isoAt(5_000) };
      browserbase.misbehave('GET', /sessions$/, { kind: 'answer', answer: { status: 200, json: [row] } });
    };
    list(isoAt(0));
    const account = await services.add('browserbase', browserbase.url, { apiKey: browserbase.key });
    list(null);
    assert.equal(await end(account), 'stuck');
    assert.deepEqual(browserbase.running, [id]);
  });

  it('isn’t called ended in Browserless’s shared cloud', async () => {
    const cloud = await startBrowserlessCloud();
    server = cloud;
    cloud.add({ id, startTime: isoAt(0) });
    const account = await services.add('browserless', cloud.url, { token: cloud.token });
    cloud.misbehave('DELETE', /browser/, { kind: 'answer', answer: { status: 204 } });
    cloud.add({ id, startTime: isoAt(2_000) });
    assert.equal(await end(account), 'stuck');
    assert.deepEqual([...cloud.browsers.keys()], [id]);
  });

  it('isn’t called ended at a gateway if its ID is random, and nothing is sent until that is confirmed again', async () => {
    const gateway = await startGateway();
    server = gateway;
    const random = sessionId(randomUUID());
    gateway.add({ id: random, createdAt: isoAt(0) });
    const account = await services.add('gateway', gateway.url, { authorization: gateway.authorization });
    const session = services.store.session(account, random) ?? assert.fail();
    Object.assign(gateway.sessions.get(random) ?? {}, { createdAt: isoAt(5_000) });
    await services.refresher.refresh(account);
    const endAs = async (confirmed: Session) => {
      const targets = [{ accountId: account, session: confirmed }];
      return (await services.ender.end(targets, { stop: unaborted, onProgress: () => {} })).results[0];
    };
    assert.deepEqual([(await endAs(session))?.outcome, gateway.running], ['failed', [random]]);
    const now = services.store.session(account, random) ?? assert.fail();
    assert.deepEqual([(await endAs(now))?.outcome, gateway.running], ['ended', []]);
  });
});
