import { strict as assert } from 'node:assert';
import { accountId, groupId, sessionId } from '../../../src/core/ids.ts';
import type { Session } from '../../../src/core/session.ts';
import { sessionsOf, wholeAccount } from '../../../src/ui/commands/targets.ts';
import { TreeFilter } from '../../../src/ui/tree/filter.ts';
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
