import { strict as assert } from 'node:assert';
import type { Group } from '../../../src/core/group.ts';
import { accountId, groupId, pageId, sessionId } from '../../../src/core/ids.ts';
import type { Session } from '../../../src/core/session.ts';
import { SessionStore } from '../../../src/services/sessions/sessionStore.ts';
import type { StoreChange } from '../../../src/services/sessions/sessionsView.ts';
import { Arrangement } from '../../../src/ui/tree/arrangement.ts';
import { ListOptions, type SortBy } from '../../../src/ui/tree/listOptions.ts';
import { MapMemory } from '../services/testServices.ts';
import { keepingOnly, noFilter, someSession } from '../sessions.ts';

const account = accountId('a');
const start = Date.parse('2026-11-22T12:00:00Z');

describe('the arrangement of the list', () => {
  let now = start;
  let store: SessionStore;
  let options: ListOptions;
  let key = '';
  let ratePerHour: number | undefined;
  let arrangement: Arrangement;
  let changes: StoreChange[];

  beforeEach(() => {
    now = start;
    key = '';
    ratePerHour = undefined;
    store = new SessionStore(() => now);
    store.setAccounts([account]);
    options = new ListOptions(new MapMemory(0), () => key);
    arrangement = new Arrangement({
      store,
      changes: store.onDidChange,
      filter: noFilter,
      options,
      ratePerHour: () => ratePerHour,
      now: () => now,
    });
    changes = [];
    arrangement.onDidChange((change) => changes.push(change));
  });
  afterEach(() => arrangement.dispose());

  function list(sessions: readonly Session[], groups: readonly Group[] = []): void {
    const run = store.beginList(account);
    run.arrive({ sessions, groups, faults: [], account: undefined });
    run.complete(keepingOnly(store, account, sessions));
  }

  async function sorted(by: SortBy): Promise<string> {
    await options.setSort(by);
    arrangement.reset();
    return arrangement.of(account).sessions(undefined).join(' ');
  }

  const batch = (id: string, createdAt: number | undefined): Group => {
    return { id: groupId(id), kind: 'batch', name: id, status: undefined, createdAt };
  };
  const groupNames = () =>
    arrangement
      .of(account)
      .groups.map(({ name }) => name)
      .join(' ');

  it('sorts sessions by each order, equal ones by id, and those about which it isn’t known last', async () => {
    list([someSession('idle2', { phase: 'idle' })]);
    now += 60_000;
    list([
      someSession('b', { name: 'job 10', startedAt: start - 2 }),
      someSession('idle2', { phase: 'idle', name: 'Job 2', startedAt: start - 1 }),
      someSession('a', { name: 'job 10', startedAt: start - 2 }),
      someSession('idle1', { phase: 'idle', name: 'äpfel', startedAt: start }),
    ]);
    assert.equal(await sorted('newest'), 'idle1 idle2 a b');
    assert.equal(await sorted('oldest'), 'a b idle2 idle1');
    assert.equal(await sorted('idle'), 'idle2 idle1 a b');
    assert.equal(await sorted('name'), 'idle1 idle2 a b');
  });

  it('sorts the most expensive first, by the user’s rate or by what the provider reports, and sessions of unknown cost last', async () => {
    const used = (id: string, credits: number) => someSession(id, { usage: { unit: 'credits', used: credits } });
    list([used('b', 2), someSession('free'), used('c', 7), used('a', 2)]);
    assert.equal(await sorted('cost'), 'c a b free');
    ratePerHour = 1.5;
    now = start + 3_600_000;
    list([someSession('young', { startedAt: start + 1 }), used('a', 2), someSession('old', { startedAt: start - 1 })]);
    assert.equal(await sorted('cost'), 'old young a');
    changes = [];
    now += 60_000;
    store.setLife(account, [sessionId('old')], { kind: 'ending', since: now });
    assert.deepEqual(
      changes.map((change) => change.kind === 'account' && change.membership),
      [false],
      'time alone moves no row',
    );
  });

  it('counts how long a session has been idle from the list that first said so', () => {
    list([someSession('a', { phase: 'idle' })]);
    now += 5;
    list([someSession('a', { phase: 'idle', region: 'eu' })]);
    assert.equal(store.idleSince(account, sessionId('a')), start);
    list([someSession('a')]);
    assert.equal(store.idleSince(account, sessionId('a')), undefined);
    list([someSession('a', { phase: 'idle' })]);
    assert.equal(store.idleSince(account, sessionId('a')), start + 5);
  });

  it('doesn’t depend on the order in which the provider lists', async () => {
    const sessions = Array.from({ length: 50 }, (_, index) =>
      someSession(`s${index}`, { name: `n${index % 5}`, startedAt: start + (index % 3), tags: [`t${index % 4}`] }),
    );
    for (const by of ['newest', 'oldest', 'idle', 'name'] as const) {
      list(sessions);
      const before = await sorted(by);
      list(sessions.toReversed());
      assert.equal(await sorted(by), before, by);
    }
  });

  it('sorts batches by age, and groups that it makes by name, or by their oldest session', async () => {
    const tagged = (tag: string, minutes: number) =>
      someSession(`${tag}${minutes}`, { tags: [tag], startedAt: start - minutes });
    list(
      [tagged('b', 1), tagged('c', 9), tagged('a', 3)],
      [batch('old', 1), batch('unknown', undefined), batch('new', 2)],
    );
    assert.equal(groupNames(), 'new old unknown');
    await options.setGroup('tag');
    arrangement.reset();
    assert.equal(groupNames(), 'a b c');
    await options.setSort('oldest');
    arrangement.reset();
    assert.equal(groupNames(), 'c a b');
  });

  it('says that rows moved when a change moves one, and only then', async () => {
    await options.setGroup('status');
    await options.setSort('name');
    list([someSession('a', { name: 'one' }), someSession('b', { name: 'two', phase: 'idle' })]);
    arrangement.of(account);
    const kindOfChange = (...next: Session[]) => {
      changes = [];
      list(next);
      arrangement.of(account);
      return changes.map((change) => change.kind === 'account' && [change.membership, ...change.sessions].join(' '));
    };
    const b = someSession('b', { name: 'two', phase: 'idle' });
    assert.deepEqual(kindOfChange(someSession('a', { name: 'one', traits: ['proxy'] }), b), ['false a']);
    assert.deepEqual(kindOfChange(someSession('a', { name: 'one', phase: 'idle' }), b), ['true a']);
    assert.equal(arrangement.of(account).groupOf(sessionId('a'))?.name, 'idle');
    const renamed = someSession('a', { name: 'zoo', phase: 'idle' });
    assert.deepEqual(kindOfChange(renamed, b), ['true a']);
    assert.deepEqual(kindOfChange(renamed, b), []);
    const [group] = arrangement.of(account).groups;
    assert.deepEqual(arrangement.of(account).sessions(group?.id), ['b', 'a']);
  });

  it('follows pages that name a session', async () => {
    await options.setSort('name');
    list([someSession('b'), someSession('z')]);
    assert.deepEqual(arrangement.of(account).sessions(undefined), ['b', 'z']);
    list([someSession('b'), someSession('z', { pages: [{ id: pageId('p'), title: '', url: 'https://a.example' }] })]);
    assert.deepEqual(arrangement.of(account).sessions(undefined), ['z', 'b']);
  });

  it('sorts 10,000 sessions once, however often rows ask', () => {
    let looks = 0;
    const sessions = Array.from({ length: 10_000 }, (_, index) =>
      Object.defineProperty(someSession(`s${index}`), 'startedAt', {
        enumerable: true,
        get: () => {
          looks += 1;
          return start + (index % 100);
        },
      }),
    );
    list(sessions);
    looks = 0;
    for (let index = 0; index < 1_000; index++) arrangement.of(account).sessions(undefined).slice(0, 200);
    assert.ok(looks <= 20_000, `${looks}`);
    looks = 0;
    store.setLife(account, [sessionId('s1')], { kind: 'ending', since: 0 });
    arrangement.of(account);
    assert.ok(looks <= 10, `${looks} for a change of one`);
  });

  it('groups by batch and by the key in the settings until the user chooses, and then as chosen', async () => {
    const session = (id: string, more: Partial<Session> = {}) =>
      someSession(id, { metadata: new Map([['job', 'nightly']]), ...more });
    list([session('a', { groupId: groupId('b1') }), session('b')], [batch('b1', 1)]);
    assert.deepEqual(groupNames(), 'b1');
    key = 'job';
    options.followSetting();
    arrangement.reset();
    assert.deepEqual(groupNames(), 'b1 job: nightly');
    assert.equal(options.groupBy, 'batch');
    const both = arrangement.of(account).groups[1];
    assert.ok(both);
    assert.deepEqual(arrangement.of(account).sessions(both.id), ['b']);
    await options.setGroup('batch');
    arrangement.reset();
    assert.deepEqual(groupNames(), 'b1');
    await options.setGroup('metadata');
    arrangement.reset();
    assert.deepEqual(groupNames(), 'job: nightly');
    const [alone] = arrangement.of(account).groups;
    assert.notEqual(alone?.id, both.id, 'it has other sessions');
    assert.deepEqual(arrangement.of(account).sessions(alone?.id), ['a', 'b']);
  });
});

describe('how the list is sorted and grouped', () => {
  it('is kept, and what was stored wrongly is ignored', async () => {
    const memory = new MapMemory(0);
    const options = new ListOptions(memory, () => '');
    assert.deepEqual([options.sortBy, options.groupBy], ['newest', 'batch']);
    let changes = 0;
    options.onDidChange(() => changes++);
    await options.setSort('oldest');
    await options.setGroup('tag');
    assert.equal(changes, 2);
    const again = new ListOptions(memory, () => '');
    assert.deepEqual([again.sortBy, again.groupBy, again.grouping.by], ['oldest', 'tag', ['tag']]);
    for (const odd of [7, {}, 'constructor', '__proto__']) {
      memory.values.set('sortBy', odd);
      memory.values.set('groupBy', odd);
      const { sortBy, groupBy } = new ListOptions(memory, () => '');
      assert.deepEqual([sortBy, groupBy], ['newest', 'batch']);
    }
  });
});
