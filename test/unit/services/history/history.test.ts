import { strict as assert } from 'node:assert';
import { accountId, sessionId } from '../../../../src/core/ids.ts';
import { ProviderError } from '../../../../src/core/providerError.ts';
import { History } from '../../../../src/services/history/history.ts';
import { SessionStore } from '../../../../src/services/sessions/sessionStore.ts';
import { keepingOnly, someSession } from '../../sessions.ts';
import { until } from '../../until.ts';
import { MapMemory, TestServices } from '../testServices.ts';

const account = accountId('a');

describe('the history', () => {
  let now = 1_000_000;
  let store: SessionStore;
  let memory: MapMemory;
  let history: History;
  const services = new TestServices();
  after(() => services.dispose());

  beforeEach(() => {
    store = new SessionStore(() => now);
    store.setAccounts([account]);
    memory = new MapMemory(0);
    history = new History(memory, store, services.accounts, () => now);
  });
  afterEach(() => history.dispose());

  function list(...ids: string[]): void {
    listFrom(400_000, ...ids);
  }
  function listFrom(startedAt: number | undefined, ...ids: string[]): void {
    const run = store.beginList(account);
    const sessions = ids.map((id) => someSession(id, { name: `named ${id}`, startedAt }));
    run.arrive({ sessions, groups: [], faults: [], account: undefined });
    run.complete(keepingOnly(store, account, sessions));
  }
  const stored = () => (memory.values.get('endedSessions') ?? []) as readonly object[];
  const ids = () => history.all.map((ended) => ended.sessionId);

  it('records what left the list, how long it ran, and who ended it', () => {
    list('mine', 'other');
    store.setLife(account, [sessionId('mine')], { kind: 'ending', since: now });
    now += 60_000;
    list();
    const records = new Map(
      history.all.map(({ sessionId: id, by, name, startedAt, endedAt }) => [id, { by, name, startedAt, endedAt }]),
    );
    assert.deepEqual(records.get('mine'), { by: 'you', name: 'named mine', startedAt: 400_000, endedAt: now });
    assert.equal(records.get('other')?.by, 'elsewhere');
  });

  it('knows of an end before anything else is told that the list has changed', () => {
    list('a');
    let known: unknown;
    const subscription = store.onDidChange(() => {
      known ??= history.find(account, sessionId('a'))?.by;
    });
    store.setLife(account, [sessionId('a')], { kind: 'ending', since: now });
    known = undefined;
    store.removeGone(account, [sessionId('a')]);
    subscription.dispose();
    assert.equal(known, 'you');
  });

  it('calls an end the user’s own only when the provider hasn’t rejected it', () => {
    const refused = new ProviderError({ kind: 'forbidden' }, '403');
    list('taken', 'refused', 'unconfirmed');
    for (const [id, why] of [
      ['taken', { kind: 'stillRuns', found: true, said: undefined }],
      ['refused', { kind: 'failed', error: refused }],
      ['unconfirmed', { kind: 'unconfirmed', error: refused, isCombined: false }],
    ] as const) {
      store.setLife(account, [sessionId(id)], { kind: 'stuck', since: now, why });
    }
    list();
    const by = new Map(history.all.map((ended) => [ended.sessionId, ended.by]));
    assert.deepEqual([by.get('taken'), by.get('refused'), by.get('unconfirmed')], ['you', 'elsewhere', 'you']);
  });

  it('takes back what a list had left out by mistake', () => {
    list('a', 'b');
    list('a');
    assert.deepEqual(ids(), ['b']);
    list('a', 'b');
    assert.deepEqual(ids(), []);
  });

  it('takes it back even if the provider says its start less exactly, or not at all, and keeps an earlier one with its ID', () => {
    for (const startedAt of [400_999, 399_000, undefined]) {
      list('a');
      list();
      assert.deepEqual(ids(), ['a']);
      listFrom(startedAt, 'a');
      assert.deepEqual(ids(), [], String(startedAt));
    }
    list('a');
    list();
    listFrom(401_000, 'a');
    assert.deepEqual(ids(), ['a']);
  });

  it('records nothing for an account that is removed or reconnected', () => {
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
    await until(() => stored().length === 100);
    const again = new History(memory, store, services.accounts, () => now);
    assert.equal(again.all.length, 100);
    again.clear();
    assert.deepEqual(again.all, []);
    again.dispose();
    memory.values.set('endedSessions', [{ nonsense: true }]);
    const odd = new History(memory, store, services.accounts, () => now);
    assert.deepEqual(odd.all, []);
    odd.dispose();
  });

  it('loses nothing else when an entry is damaged or comes from a newer version', async () => {
    list('one', 'two');
    list();
    await until(() => stored().length === 2);
    const [entry, ...others] = stored();
    const unreadable = [
      { ...entry, by: 'evicted' },
      { ...entry, endedAt: 1e300 },
      { ...entry, startedAt: null },
      null,
      7,
    ];
    memory.values.set('endedSessions', [...unreadable, ...others, entry]);
    const again = new History(memory, store, services.accounts, () => now);
    assert.deepEqual(again.all.map(({ sessionId }) => sessionId).sort(), ['one', 'two']);
    again.dispose();
  });

  it('fires one change event for all that leave a list at once', async () => {
    let events = 0;
    history.onDidChange(() => events++);
    list(...Array.from({ length: 150 }, (_, index) => `s${index}`));
    list();
    assert.equal(history.all.length, 100);
    await Promise.resolve();
    assert.equal(events, 1);
  });

  it('is cleared again if another window that hadn’t heard of it has undone that, and is stored again', async () => {
    list('old');
    list();
    const before = new Map(memory.values);
    history.clear();
    const undo = () => {
      memory.values.clear();
      for (const [key, value] of before) memory.values.set(key, value);
    };
    undo();
    await until(() => !JSON.stringify([...memory.values]).includes('old'));
    list('new');
    list();
    await until(() => JSON.stringify([...memory.values]).includes('new'));
    memory.values.delete('endedSessions');
    await until(() => JSON.stringify([...memory.values]).includes('new'));
  });

  it('is cleared of ends that a clock wrote that was ahead, as the one of a remote machine may be', async () => {
    list('ahead');
    list();
    now -= 60_000;
    history.clear();
    assert.deepEqual(ids(), []);
    list('new');
    list();
    await until(() => JSON.stringify([...memory.values]).includes('new'));
    assert.ok(!JSON.stringify([...memory.values]).includes('ahead'));
    assert.deepEqual(ids(), ['new']);
    now += 60_000;
  });

  it('keeps no more of a name than is shown', () => {
    const run = store.beginList(account);
    const sessions = [someSession('a', { name: 'x'.repeat(1_000_000) })];
    run.arrive({ sessions, groups: [], faults: [], account: undefined });
    run.complete(keepingOnly(store, account, sessions));
    list();
    assert.equal(history.all[0]?.name?.length, 80);
  });

  describe('when turned off', () => {
    let isKept = true;
    /** Everything that was ever written, which a disk may still contain. */
    let written: unknown[];
    const onDisk = () => JSON.stringify([...memory.values]);

    beforeEach(() => {
      isKept = true;
      written = [];
      memory = new MapMemory(0);
      const update = memory.update;
      memory.update = async (key, value) => {
        written.push(value);
        await update(key, value);
      };
      history.dispose();
      history = new History(
        memory,
        store,
        services.accounts,
        () => now,
        () => isKept,
      );
    });
    const turn = (on: boolean) => {
      isKept = on;
      history.followSetting();
    };
    const settled = () => new Promise((resolve) => setTimeout(resolve, 600));

    it('stores nothing of what ends, even when its window closes', async () => {
      turn(false);
      list('secret', 'other');
      list('other');
      history.learn(account, sessionId('secret'), { how: 'failed', endedAt: now });
      list();
      await settled();
      history.clear();
      list('third');
      list();
      history.dispose();
      await settled();
      assert.deepEqual(
        written.filter((value) => value !== undefined),
        [],
      );
      assert.equal(onDisk().includes('secret'), false);
    });

    it('still knows in its window that a session has ended', () => {
      turn(false);
      list('a');
      list();
      assert.equal(history.find(account, sessionId('a'))?.by, 'elsewhere');
    });

    it('deletes what was stored as soon as it is turned off', async () => {
      list('secret');
      list();
      await settled();
      assert.match(onDisk(), /named secret/);
      turn(false);
      assert.deepEqual(history.all, []);
      await settled();
      assert.doesNotMatch(onDisk(), /secret/);
      assert.deepEqual([memory.get('endedSessions'), memory.get('endedSessionsCleared')], [undefined, undefined]);
    });

    it('deletes it again if another window that hadn’t heard of it has written it again', async () => {
      list('secret');
      list();
      await settled();
      const before = memory.values.get('endedSessions');
      assert.ok(before);
      turn(false);
      memory.values.set('endedSessions', before);
      await until(() => !onDisk().includes('secret'));
    });

    it('cancels a write that was pending', async () => {
      list('one', 'two');
      list('two');
      list();
      turn(false);
      await settled();
      assert.doesNotMatch(onDisk(), /named/);
    });

    it('deletes soon after startup what was stored before', async () => {
      list('secret');
      list();
      await settled();
      isKept = false;
      const again = new History(
        memory,
        store,
        services.accounts,
        () => now,
        () => isKept,
      );
      again.followSetting();
      assert.deepEqual(again.all, []);
      await settled();
      assert.doesNotMatch(onDisk(), /secret/);
      again.dispose();
    });

    it('stores only what ends after it is turned on again', async () => {
      turn(false);
      list('before', 'after');
      list('after');
      turn(true);
      assert.deepEqual(history.all, []);
      now += 1_000;
      list();
      await settled();
      assert.match(onDisk(), /named after/);
      assert.doesNotMatch(onDisk(), /named before/);
    });
  });
});
