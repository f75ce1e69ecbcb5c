import { strict as assert } from 'node:assert';
import { accountId, groupId, pageId, sessionId } from '../../../../src/core/ids.ts';
import type { Inventory } from '../../../../src/core/inventory.ts';
import { ProviderError } from '../../../../src/core/providerError.ts';
import type { Session } from '../../../../src/core/session.ts';
import { SessionStore } from '../../../../src/services/sessions/sessionStore.ts';
import type { StoreChange } from '../../../../src/services/sessions/sessionsView.ts';
import { keepingAll, keepingOnly, someSession } from '../../sessions.ts';

const account = accountId('a');
const offline = new ProviderError({ kind: 'unreachable', why: 'refused' }, 'no response');

const inventory = (...sessions: Session[]): Inventory => ({ sessions, groups: [], faults: [], account: undefined });

describe('the session store', () => {
  let now = 1_000;
  let store: SessionStore;
  let changes: StoreChange[];

  beforeEach(() => {
    store = new SessionStore(() => now);
    store.setAccounts([account]);
    changes = [];
    store.onDidChange((change) => changes.push(change));
  });

  function list(...pages: Inventory[]): void {
    const run = store.beginList(account);
    for (const page of pages) run.arrive(page);
    run.complete(
      keepingOnly(
        store,
        account,
        pages.flatMap(({ sessions }) => sessions),
      ),
    );
  }
  /** A list that confirms nothing. */
  function listUnsure(...pages: Inventory[]): void {
    const run = store.beginList(account);
    for (const page of pages) run.arrive(page);
    run.complete(keepingAll);
  }
  const missing = () => [...store.missing(account)];
  const ids = () => [...(store.state(account)?.contents.sessions.keys() ?? [])];

  it('keeps at most five thousand sessions that lists leave out, says so, and calls none of them gone', () => {
    const left: string[] = [];
    store.onDidLeave(({ session }) => left.push(session.id));
    const many = (prefix: string) => Array.from({ length: 3_000 }, (_, n) => someSession(`${prefix}${n}`));
    listUnsure(inventory(...many('a')));
    store.setLife(account, [sessionId('a2999')], { kind: 'ending', since: now });
    for (const prefix of ['b', 'c', 'd']) listUnsure(inventory(...many(prefix)));
    const state = store.state(account);
    assert.deepEqual(left, []);
    assert.equal(ids().length, 3_000 + 5_000);
    // One of them is ending: dropping it mustn't be mistaken for its end.
    assert.ok(ids().includes('a2999' as never));
    assert.deepEqual(state?.contents.faults, [
      { subject: '3000 more sessions', unnamed: true, what: 'too many are missing from the latest lists' },
    ]);
    assert.equal(store.hasEnded(account, sessionId('a0')), false);
    listUnsure(inventory(...many('d')));
    assert.deepEqual(store.state(account)?.contents.faults, []);
    assert.deepEqual(left, []);
  });

  it('keeps at most twenty thousand pages of sessions that lists leave out', () => {
    const pages = Array.from({ length: 500 }, (_, n) => ({ id: pageId(`p${n}`), title: '', url: '' }));
    const many = (prefix: string) => Array.from({ length: 30 }, (_, n) => someSession(`${prefix}${n}`, { pages }));
    for (const prefix of ['a', 'b', 'c']) listUnsure(inventory(...many(prefix)));
    assert.equal(ids().length, 30 + 40);
  });

  it('shows rows of a first list as its pages arrive', () => {
    const run = store.beginList(account);
    assert.equal(store.state(account)?.kind, 'loading');
    run.arrive(inventory(someSession('a')));
    assert.deepEqual(ids(), ['a']);
    run.arrive(inventory(someSession('b')));
    run.complete(keepingAll);
    assert.deepEqual([ids(), store.state(account)?.kind], [['a', 'b'], 'ready']);
  });

  it('keeps what it knew while another list arrives, so that nothing flickers or vanishes halfway', () => {
    list(inventory(someSession('a', { name: 'named' }), someSession('b')));
    const run = store.beginList(account);
    changes.length = 0;
    run.arrive(inventory(someSession('a'), someSession('c')));
    assert.deepEqual(ids(), ['a', 'b', 'c']);
    assert.equal(store.session(account, sessionId('a'))?.name, 'named');
    run.arrive(inventory(someSession('a', { name: 'named' })));
    run.complete({ ...keepingAll, gone: new Set([sessionId('b')]) });
    assert.deepEqual(ids(), ['a', 'c']);
    assert.deepEqual(
      changes.map((change) => change.kind === 'account' && change.membership),
      [true, true],
    );
  });

  it('keeps the last good list, and its age, when a refresh fails', () => {
    list(inventory(someSession('a')));
    now = 2_000;
    const run = store.beginList(account);
    run.arrive(inventory(someSession('b')));
    run.fail(offline);
    const state = store.state(account);
    assert.ok(state?.kind === 'ready');
    assert.deepEqual([ids(), state.asOf, state.trouble], [['a', 'b'], 1_000, offline]);
    list(inventory(someSession('b')));
    const recovered = store.state(account);
    assert.ok(recovered?.kind === 'ready' && recovered.trouble === undefined && recovered.asOf === 2_000);
    now = 1_000;
  });

  it('drops a list’s results after another one was begun or the account was removed', () => {
    const late = store.beginList(account);
    list(inventory(someSession('a')));
    late.arrive(inventory(someSession('old')));
    late.complete(keepingAll);
    assert.deepEqual(ids(), ['a']);
    const orphan = store.beginList(account);
    store.reset(account);
    orphan.arrive(inventory(someSession('old')));
    orphan.complete(keepingAll);
    assert.deepEqual([ids(), store.state(account)?.kind], [[], 'disconnected']);
    const removed = store.beginList(account);
    store.setAccounts([]);
    removed.complete(keepingAll);
    assert.equal(store.state(account), undefined);
  });

  it('fires no event when nothing changed, and otherwise only for what did', () => {
    list(inventory(someSession('a'), someSession('b')));
    changes.length = 0;
    list(inventory(someSession('a'), someSession('b')));
    assert.equal(changes.length, 0);
    list(inventory(someSession('a'), someSession('b', { name: 'new' })));
    assert.deepEqual(changes, [{ kind: 'account', accountId: account, membership: false, sessions: ['b'] }]);
    changes.length = 0;
    list(inventory(someSession('a'), someSession('b', { name: 'new', groupId: groupId('g') })));
    assert.deepEqual(
      changes.map((change) => change.kind === 'account' && change.membership),
      [true],
    );
  });

  it('reports a failure once, however often it repeats', () => {
    list(inventory(someSession('a')));
    changes.length = 0;
    for (let times = 0; times < 3; times++) {
      store.beginList(account).fail(new ProviderError({ kind: 'unreachable', why: 'refused' }, 'no response'));
    }
    assert.equal(changes.length, 1);
  });

  it('counts from when it first saw a session whose start the provider doesn’t report', () => {
    now = 5_000;
    list(inventory(someSession('a', { startedAt: undefined }), someSession('b', { startedAt: 7 })));
    now = 9_000;
    list(inventory(someSession('a', { startedAt: undefined }), someSession('b', { startedAt: 7 })));
    assert.deepEqual(store.startOf(account, sessionId('a')), { at: 5_000, exact: false });
    assert.deepEqual(store.startOf(account, sessionId('b')), { at: 7, exact: true });
    list(inventory());
    assert.equal(store.startOf(account, sessionId('a')), undefined);
  });

  it('keeps a session’s state for as long as it is listed', () => {
    list(inventory(someSession('a')));
    store.setLife(account, [sessionId('a'), sessionId('gone')], { kind: 'ending', since: 1 });
    list(inventory(someSession('a')));
    assert.equal(store.life(account, sessionId('a')).kind, 'ending');
    assert.equal(store.life(account, sessionId('gone')).kind, 'running');
    list(inventory());
    list(inventory(someSession('a')));
    assert.equal(store.life(account, sessionId('a')).kind, 'running');
  });

  it('knows nothing of a session from another one that had its id before', () => {
    const id = sessionId('a');
    const idle = { phase: 'idle', startedAt: 1_000 } as const;
    now = 10_000;
    list(inventory(someSession('a', idle)));
    store.setPages(account, id, { kind: 'ready', pages: [{ id: pageId('p'), title: 'Old', url: '' }], asOf: now });
    store.setLife(account, [id], {
      kind: 'stuck',
      since: now,
      why: { kind: 'stillRuns', found: true, said: undefined },
    });
    now = 50_000;
    // A start that moves a little means the same session.
    list(inventory(someSession('a', { ...idle, startedAt: 1_900 })));
    assert.deepEqual([store.life(account, id).kind, store.pages(account, id)?.kind], ['stuck', 'ready']);
    assert.equal(store.idleSince(account, id), 10_000);
    list(inventory(someSession('a', { ...idle, startedAt: 40_000 })));
    assert.deepEqual([store.life(account, id).kind, store.pages(account, id)], ['running', undefined]);
    assert.equal(store.idleSince(account, id), 50_000);
  });

  it('keeps a session that a list leaves out until it is confirmed gone', () => {
    const left: string[] = [];
    store.onDidLeave(({ session }) => left.push(session.id));
    const both = inventory(someSession('a'), someSession('b'));
    listUnsure(both);
    for (let times = 0; times < 3; times++) {
      changes.length = 0;
      listUnsure(inventory(someSession('a')));
      assert.deepEqual([ids(), missing(), left], [['a', 'b'], ['b'], []]);
      // Reported once, so that its row says so.
      const expected = times === 0 ? [{ kind: 'account', accountId: account, membership: false, sessions: ['b'] }] : [];
      assert.deepEqual(changes, expected);
    }
    listUnsure(both);
    assert.deepEqual([ids(), missing()], [['a', 'b'], []]);
    listUnsure(inventory(someSession('a')));
    store.removeGone(account, [sessionId('b')]);
    assert.deepEqual([ids(), missing(), left], [['a'], [], ['b']]);

    listUnsure(both);
    listUnsure(inventory(someSession('a')));
    assert.deepEqual([ids(), missing()], [['a', 'b'], ['b']]);
    // A truncated list has reported it in between.
    const broken = store.beginList(account);
    broken.arrive(both);
    broken.fail(offline);
    assert.deepEqual(missing(), []);
    list(both);
    list(inventory(someSession('a')));
    assert.deepEqual([ids(), left], [['a'], ['b', 'b']]);
  });

  it('keeps a session whose row can no longer be read: it is listed', () => {
    list(inventory(someSession('a'), someSession('b')));
    const fault = { subject: 'b', what: 'its "status" isn\'t as documented' };
    listUnsure({ ...inventory(someSession('a')), faults: [fault] });
    assert.deepEqual([ids(), missing()], [['a', 'b'], []]);
    list(inventory(someSession('a')));
    assert.deepEqual(ids(), ['a']);
  });

  it('keeps the group of a kept session, even if no list reports the group any longer', () => {
    const member = someSession('a', { groupId: groupId('g') });
    const group = {
      id: groupId('g'),
      kind: 'batch',
      name: undefined,
      status: undefined,
      createdAt: undefined,
    } as const;
    listUnsure({ ...inventory(member), groups: [group] });
    listUnsure(inventory());
    assert.deepEqual([ids(), [...(store.state(account)?.contents.groups.keys() ?? [])]], [['a'], ['g']]);
    store.removeGone(account, [sessionId('a')]);
    listUnsure(inventory());
    assert.equal(store.state(account)?.contents.groups.size, 0);
  });

  it('removes nothing based on a list with a row that can’t be identified', () => {
    list(inventory(someSession('a'), someSession('b')));
    const fault = { subject: 'row 2', unnamed: true, what: 'its "id" isn\'t as documented' };
    const run = store.beginList(account);
    run.arrive({ ...inventory(someSession('a')), faults: [fault] });
    run.complete({ ...keepingAll, complete: false });
    assert.deepEqual([ids(), missing()], [['a', 'b'], []]);
    list(inventory(someSession('a')));
    assert.deepEqual(ids(), ['a']);
  });

  it('doesn’t bring back what was confirmed gone during a list that had read it before', () => {
    listUnsure(inventory(someSession('a'), someSession('b')));
    const run = store.beginList(account);
    run.arrive(inventory(someSession('a')));
    store.removeGone(account, [sessionId('a'), sessionId('b')]);
    run.arrive(inventory(someSession('b')));
    run.complete(keepingAll);
    assert.deepEqual(ids(), []);
    assert.ok(store.hasEnded(account, sessionId('a')));
    // A later list reports what has started since.
    list(inventory(someSession('b')));
    assert.deepEqual([ids(), store.hasEnded(account, sessionId('b'))], [['b'], false]);
    store.reset(account);
    assert.ok(!store.hasEnded(account, sessionId('a')));
  });
});
