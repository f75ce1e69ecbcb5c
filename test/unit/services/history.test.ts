import { strict as assert } from 'node:assert';
import { accountId, sessionId } from '../../../src/core/ids.ts';
import { ProviderError } from '../../../src/core/providerError.ts';
import { History } from '../../../src/services/history.ts';
import { SessionStore } from '../../../src/services/sessionStore.ts';
import { someSession } from '../sessions.ts';
import { House, MapMemory } from './house.ts';

const account = accountId('a');

describe('history', () => {
  let now = 1_000_000;
  let store: SessionStore;
  let memory: MapMemory;
  let history: History;
  const house = new House();
  after(() => house.dispose());

  beforeEach(() => {
    store = new SessionStore(() => now);
    store.setAccounts([account]);
    memory = new MapMemory(0);
    history = new History(memory, store, house.accounts, () => now);
  });
  afterEach(() => history.dispose());

  function list(...ids: string[]): void {
    const run = store.beginList(account);
    const sessions = ids.map((id) => someSession(id, { name: `named ${id}`, startedAt: 400_000 }));
    run.arrive({ sessions, groups: [], faults: [], account: undefined });
    run.complete(true);
  }
  const ids = () => history.all.map((ended) => ended.sessionId);

  it('tells what left the list, how long it ran, and by whom it ended', () => {
    list('mine', 'other');
    store.setLife(account, [sessionId('mine')], { kind: 'ending', since: now });
    now += 60_000;
    list();
    const told = new Map(
      history.all.map(({ sessionId: id, by, name, startedAt, endedAt }) => [id, { by, name, startedAt, endedAt }]),
    );
    assert.deepEqual(told.get('mine'), { by: 'you', name: 'named mine', startedAt: 400_000, endedAt: now });
    assert.equal(told.get('other')?.by, 'elsewhere');
  });

  it('calls an end the person’s own only where the vendor has not refused it', () => {
    const refused = new ProviderError({ kind: 'forbidden' }, '403');
    list('taken', 'refused', 'unproven');
    for (const [id, why] of [
      ['taken', { kind: 'stillRuns', found: true, said: undefined }],
      ['refused', { kind: 'failed', error: refused }],
      ['unproven', { kind: 'unproven', error: refused }],
    ] as const) {
      store.setLife(account, [sessionId(id)], { kind: 'stuck', since: now, why });
    }
    list();
    const by = new Map(history.all.map((ended) => [ended.sessionId, ended.by]));
    assert.deepEqual([by.get('taken'), by.get('refused'), by.get('unproven')], ['you', 'elsewhere', 'you']);
  });

  it('takes back what a list had left out by mistake', () => {
    list('a', 'b');
    list('a');
    assert.deepEqual(ids(), ['b']);
    list('a', 'b');
    assert.deepEqual(ids(), []);
  });

  it('says nothing of an account that is removed or connected anew', () => {
    list('a');
    store.reset(account);
    list('b');
    store.setAccounts([]);
    assert.deepEqual(ids(), []);
  });

  it('keeps the last hundred, across restarts', async () => {
    list(...Array.from({ length: 150 }, (_, index) => `s${index}`));
    list();
    assert.equal(history.all.length, 100);
    await new Promise((resolve) => setTimeout(resolve, 700));
    const again = new History(memory, store, house.accounts, () => now);
    assert.equal(again.all.length, 100);
    again.clear();
    assert.deepEqual(again.all, []);
    again.dispose();
    memory.values.set('endedSessions', [{ nonsense: true }]);
    const odd = new History(memory, store, house.accounts, () => now);
    assert.deepEqual(odd.all, []);
    odd.dispose();
  });
});
