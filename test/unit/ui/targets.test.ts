import { strict as assert } from 'node:assert';
import { accountId, groupId, pageId, sessionId } from '../../../src/core/ids.ts';
import type { Session } from '../../../src/core/session.ts';
import { groupFor } from '../../../src/services/sessions/grouping.ts';
import {
  isOneRow,
  sessionsOf,
  sessionTargetsOf,
  targetOfOne,
  targetsOf,
  wholeAccount,
} from '../../../src/ui/commands/targets.ts';
import { TreeFilter } from '../../../src/ui/tree/filter.ts';
import type { TreeNode } from '../../../src/ui/tree/nodes.ts';
import { MapMemory, TestServices } from '../services/testServices.ts';
import { keepingAll, someSession } from '../sessions.ts';

describe('targets of commands', () => {
  let services: TestServices;
  let filter: TreeFilter;
  const account = accountId('a');
  const group = groupId('g');
  const named = (id: string, shownOnly = false) => ({
    ...wholeAccount(account),
    sessionId: sessionId(id),
    shownOnly,
  });
  const idsOf = (...targets: Parameters<typeof sessionsOf>[1]) =>
    sessionsOf({ store: services.store, filter }, targets).map(({ session }) => session.id);

  beforeEach(() => {
    services = new TestServices();
    services.store.setAccounts([account]);
    const { accounts, kinds, store } = services;
    filter = new TreeFilter({ accounts, kinds, store, memory: new MapMemory(0) });
  });
  afterEach(() => services.dispose());

  function list(sessions: readonly Session[]): void {
    const run = services.store.beginList(account);
    const groups = [{ id: group, kind: 'metadata', name: 'g', status: undefined, createdAt: 0 } as const];
    run.arrive({ sessions, groups, faults: [], account: undefined });
    run.complete(keepingAll);
  }

  it('include each of their sessions once, in the order in which they are named', async () => {
    list([someSession('one', { groupId: group }), someSession('two'), someSession('three', { groupId: group })]);
    assert.deepEqual(idsOf(named('three'), named('gone'), named('one'), named('three')), ['three', 'one']);
    assert.deepEqual(idsOf({ ...wholeAccount(account), groupId: group }), ['one', 'three']);
    assert.deepEqual(idsOf(named('two'), wholeAccount(account)), ['two', 'one', 'three']);
    assert.deepEqual(idsOf({ ...named('one'), accountId: accountId('gone') }), []);
    await filter.set('two');
    assert.deepEqual(idsOf(named('one', true), named('two', true)), ['two']);
    assert.deepEqual(idsOf({ ...wholeAccount(account), shownOnly: true }), ['two']);
  });

  const rows: readonly TreeNode[] = [
    { kind: 'session', accountId: account, sessionId: sessionId('one') },
    { kind: 'session', accountId: account, sessionId: sessionId('two') },
  ];
  const [first] = rows;
  const ids = (targets: readonly { readonly sessionId: unknown }[]) => targets.map((target) => target.sessionId);

  it('are all selected rows if the one that was clicked is selected, and otherwise only that one', () => {
    const other: TreeNode = { kind: 'session', accountId: account, sessionId: sessionId('three') };
    assert.deepEqual(ids(targetsOf([first, rows])), ['one', 'two']);
    assert.deepEqual(ids(targetsOf([other, rows])), ['three']);
    assert.deepEqual(ids(targetsOf([other, undefined])), ['three']);
    assert.deepEqual(targetsOf([]), []);
    assert.deepEqual(targetsOf([undefined]), []);
  });

  it('are the row that was clicked for a command that acts on one, even if others are selected before it', () => {
    assert.equal(targetOfOne([rows[1], rows])?.sessionId, 'two');
    assert.equal(targetOfOne([rows])?.sessionId, 'one');
    assert.equal(targetOfOne([undefined]), undefined);
    assert.ok(isOneRow([first], 'session'));
    assert.ok(!isOneRow([first], 'account'));
    assert.ok(!isOneRow([first, rows], 'session'));
    assert.ok(!isOneRow([{ accountId: account }], 'account'));
  });

  it('are read once, whatever a list that another extension passes does when it’s read again', () => {
    const targets = ['one', 'two', 'three'].map((id) => named(id));
    /** Says that it has one target and yields three, like an array that changes while a dialog is open. */
    const longer = Object.assign(targets.slice(0, 1), { [Symbol.iterator]: () => targets[Symbol.iterator]() });
    const hostile = Object.assign(targets.slice(0, 1), {
      flatMap: () => longer,
      map: () => longer,
      includes: () => true,
    });
    for (const args of [[hostile], [undefined, hostile], [targets[0], hostile]]) {
      for (const read of [targetsOf(args), sessionTargetsOf(args)]) {
        assert.ok(!Object.keys(read).includes('flatMap'));
        assert.equal([...read].length, read.length);
        assert.ok(read.length <= 1);
      }
    }
    assert.deepEqual(targetOfOne([hostile]), targets[0]);
    // Its iterator doesn't count, even if it never ends or isn't one.
    const endless = Object.assign(targets.slice(0, 1), {
      *[Symbol.iterator]() {
        for (;;) yield targets[1];
      },
    });
    const none = Object.assign(targets.slice(0, 1), { [Symbol.iterator]: undefined });
    for (const list of [longer, endless, none]) assert.deepEqual(targetsOf([list]), [targets[0]]);
    assert.deepEqual(targetsOf([Array.from({ length: 100_001 }, () => targets[0])]), []);
  });

  it('are never a whole account or session because one of its notes or pages was selected', () => {
    const session = sessionId('one');
    const others: readonly TreeNode[] = [
      { kind: 'trouble', accountId: account },
      { kind: 'fault', accountId: account, index: 0 },
      { kind: 'note', accountId: account, note: 'empty' },
      { kind: 'more', accountId: account, groupId: undefined },
      { kind: 'more', accountId: account, groupId: group },
      { kind: 'page', accountId: account, sessionId: session, pageId: pageId('p') },
      { kind: 'pageNote', accountId: account, sessionId: session, note: 'empty' },
    ];
    for (const row of others) {
      assert.deepEqual(sessionTargetsOf([row]), [], row.kind);
      assert.deepEqual(ids(sessionTargetsOf([row, [row, rows[1]]])), ['two'], row.kind);
    }
    const standing: readonly TreeNode[] = [
      { kind: 'account', accountId: account },
      { kind: 'group', accountId: account, groupId: group },
    ];
    for (const row of standing) assert.equal(sessionTargetsOf([row]).length, 1, row.kind);
    assert.deepEqual(ids(sessionTargetsOf([{ accountId: account, sessionId: 'one', pageId: 'p' }])), ['one']);
  });

  it('of a group that was made for another grouping are the sessions it had, never the sessions of another group', () => {
    const red = someSession('one', { tags: ['red'], region: 'blue', groupId: group });
    list([red, someSession('two', { tags: ['blue'], region: 'red' }), someSession('three', { name: 'red' })]);
    const kept = groupFor({ by: ['tag'], metadataKey: '' }, new Map(), red)?.id;
    assert.ok(kept);
    const targets = targetsOf([{ accountId: account, groupId: kept }]);
    assert.deepEqual(idsOf(...targets), ['one']);
    list([someSession('one', { tags: ['blue'] }), someSession('two', { tags: ['red'] })]);
    assert.deepEqual(idsOf(...targets), ['two']);
    // An id of neither a batch nor a grouping names nothing, rather than the whole account.
    for (const odd of ['tag/red', `all/${'0'.repeat(32)}`, 'all']) {
      assert.deepEqual(targetsOf([{ accountId: account, groupId: odd }]), [], odd);
    }
  });

  it('are found without searching all running sessions for each of them', () => {
    let looks = 0;
    const count = 5_000;
    const ids = Array.from({ length: count }, (_, index) => `s${index}`);
    list(
      ids.map((id) =>
        Object.defineProperty(someSession(id), 'id', {
          enumerable: true,
          get: () => {
            looks += 1;
            return sessionId(id);
          },
        }),
      ),
    );
    looks = 0;
    const found = sessionsOf(
      { store: services.store, filter },
      ids.map((id) => named(id)),
    );
    assert.equal(found.length, count);
    assert.ok(looks <= 5 * count, `${looks}`);
  });
});
