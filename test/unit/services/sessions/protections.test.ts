import { strict as assert } from 'node:assert';
import type { Account } from '../../../../src/core/account.ts';
import { type AccountId, accountId, type SessionId, sessionId } from '../../../../src/core/ids.ts';
import type { Inventory } from '../../../../src/core/inventory.ts';
import { ProviderError } from '../../../../src/core/providerError.ts';
import type { Session } from '../../../../src/core/session.ts';
import { Protections } from '../../../../src/services/sessions/protections.ts';
import { SessionStore } from '../../../../src/services/sessions/sessionStore.ts';
import { keepingAll, keepingOnly, localBrowser, someSession } from '../../sessions.ts';
import { MapMemory } from '../testServices.ts';
import { VirtualClock } from '../virtualClock.ts';

const [a, b] = [accountId('a'), accountId('b')];
/** Another key at the address of `a`, and an account of another provider there. */
const [second, other] = [accountId('second'), accountId('other')];
const all = [a, b, second, other].map((id): Account => {
  const origin = id === b ? 'https://b.example' : 'https://a.example';
  return { id, provider: id === other ? 'other' : 'anchor', label: id, origin };
});
const accounts = { all, get: (id: AccountId) => all.find((account) => account.id === id) };
const removed = (id: AccountId) => accounts.get(id) ?? assert.fail();
const [one, two] = [sessionId('one'), sessionId('two')];

describe('protections', () => {
  let memory: MapMemory;
  let store: SessionStore;
  let clock: VirtualClock;

  beforeEach(() => {
    clock = new VirtualClock();
    memory = new MapMemory(0);
    store = new SessionStore(Date.now, (id) => accounts.get(id)?.provider);
    store.setAccounts(all.map(({ id }) => id));
  });

  const open = () => new Protections(memory, store, accounts, clock);
  const many = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => sessionId(`${prefix}${index}`));
  const count = (protections: Protections, ids: readonly SessionId[]) =>
    ids.filter((id) => protections.has(a, id)).length;

  function list(ids: readonly SessionId[], unreadable: readonly string[] = []): void {
    const faults = unreadable.map((subject) => ({ subject, what: 'no status' }));
    const sessions = ids.map((id) => someSession(id));
    listIn(a, sessions, { faults });
  }

  /** Lists an account, and confirms that whatever isn't listed is gone. */
  function listIn(account: AccountId, sessions: readonly Session[], more: Partial<Inventory> = {}): void {
    const run = store.beginList(account);
    run.arrive({ sessions, groups: [], faults: [], account: undefined, ...more });
    run.complete(keepingOnly(store, account, sessions));
  }

  it('are stored by account, and across restarts', async () => {
    const protections = open();
    const changed: string[] = [];
    protections.onDidChange((id) => changed.push(id));
    await protections.set(a, [one], true);
    assert.ok(protections.has(a, one));
    assert.ok(!protections.has(b, one));
    const later = open();
    assert.ok(later.has(a, one));
    await later.set(a, [one], false);
    assert.ok(!open().has(a, one));
    // Other accounts may list it, too.
    assert.deepEqual(new Set(changed), new Set(['a', 'b', 'second', 'other']));
  });

  it('are all kept if two windows change them before either has seen the other’s change', async () => {
    const [here, there] = [open(), open()];
    await there.set(b, [two], true);
    const theirs = new Map(memory.values);
    memory.values.clear();
    await here.set(a, [one], true);
    // Of two writes at once, the last one counts.
    for (const [key, value] of theirs) memory.values.set(key, value);
    await clock.until(clock.wait(15_000), 15_001);
    for (const window of [here, there, open()]) {
      assert.ok(window.has(a, one));
      assert.ok(window.has(b, two));
    }
    await there.set(a, [one], false);
    assert.ok(!here.has(a, one));
    assert.ok(here.has(b, two));
  });

  for (const [more, theirMore] of [
    [0, 3],
    [3, 0],
    [2, 2],
    [299, 299],
  ] as const) {
    it(`are all kept if two windows make ${1 + more} and ${1 + theirMore} changes before either has seen the other’s`, async () => {
      const [here, there] = [open(), open()];
      const ours = many('ours', 1 + more);
      const theirs = many('theirs', 1 + theirMore);
      for (const id of theirs) await there.set(a, [id], true);
      const written = new Map(memory.values);
      memory.values.clear();
      for (const id of ours) await here.set(a, [id], true);
      for (const [key, value] of written) memory.values.set(key, value);
      await clock.until(clock.wait(15_000), 15_001);
      const ids = [...ours, ...theirs];
      for (const window of [here, there, open()]) assert.equal(count(window, ids), ids.length);
    });
  }

  it('stay as another window has changed them since, which had seen them', async () => {
    const [here, there] = [open(), open()];
    await here.set(a, [one, two], true);
    await there.set(a, [one], false);
    for (const id of many('more', 120)) await there.set(b, [id], true);
    assert.ok(!here.has(a, one) && here.has(a, two));
    await clock.until(clock.wait(15_000), 15_001);
    for (const id of many('still', 600)) await there.set(b, [id], true);
    assert.ok(!here.has(a, one) && here.has(a, two) && !open().has(a, one));
  });

  it('count in each account that lists the same session: with another key there, or if IDs are never used again', async () => {
    const protections = open();
    const changed: string[] = [];
    protections.onDidChange((id) => changed.push(id));
    await protections.set(a, [one, two], true);
    assert.ok(changed.includes('second'));
    assert.ok(protections.has(second, one) && !protections.has(b, one) && !protections.has(other, one));
    list([one]);
    listIn(b, [someSession('one', { hasUniqueId: true })]);
    assert.ok(protections.has(b, one) && !protections.has(b, two));
    // Where one is unprotected, all of its rows are.
    await protections.set(second, [one], false);
    for (const window of [protections, open()]) assert.ok(![a, b, second].some((id) => window.has(id, one)));
    assert.ok(protections.has(a, two) && protections.has(second, two));
    await protections.set(second, [two], true);
    await protections.forget(removed(second));
    assert.ok(protections.has(a, two));
  });

  it('don’t count for another session with the same ID at the same address', async () => {
    const protections = open();
    await protections.set(a, [one], true);
    for (const [id, startedAt] of [
      [a, 1_000_000],
      [second, 9_000_000],
    ] as const) {
      listIn(id, [someSession('one', { startedAt })]);
    }
    assert.ok(protections.has(a, one) && !protections.has(second, one));
    await protections.set(second, [one], true);
    await protections.set(second, [one], false);
    assert.ok(protections.has(a, one));
    await protections.set(second, [one], true);
    await protections.set(a, [one], false);
    assert.ok(protections.has(second, one) && !protections.has(a, one));
  });

  it('don’t count at another path or address of the same port of this machine', async () => {
    const origins = [
      'http://localhost:9000/a',
      'http://127.0.0.1:9000/b',
      'http://127.0.0.2:9000/a',
      'http://[::1]:9000/a',
    ];
    const ids = origins.map((origin, index) => {
      const id = accountId(`path${index}`);
      all.push({ id, provider: 'gateway', label: '', origin });
      return id;
    });
    store.setAccounts(all.map(({ id }) => id));
    const protections = open();
    await protections.set(ids[0] ?? assert.fail(), [one], true);
    assert.deepEqual(
      ids.map((id) => protections.has(id, one)),
      [true, false, false, true],
    );
    all.splice(4);
  });

  it('of a browser on this machine count for the session of the server that runs it, and back', async () => {
    const devtoolsId = '422d20a9-8f60-4d3a-9c4e-0f6f4d1c7a11';
    const served = sessionId(devtoolsId);
    const browser = sessionId('35623-27');
    const protections = open();
    listIn(b, [someSession(browser, { local: localBrowser({ devtoolsId }) })]);
    await protections.set(b, [browser], true);
    assert.deepEqual([protections.has(a, served), protections.has(a, one)], [true, false]);
    await protections.set(a, [served], false);
    assert.ok(!protections.has(b, browser));
    await protections.set(a, [served], true);
    assert.ok(protections.has(b, browser));
    // The browser keeps running when its server's account is removed.
    await protections.forget(removed(a));
    assert.ok(protections.has(b, browser));
  });

  it('count in a gateway that lists another provider’s sessions under its random IDs, and back', async () => {
    const random = sessionId('2b0e5a5e-8f60-4d3a-9c4e-0f6f4d1c7a12');
    const protections = open();
    // Each reports a start of its own.
    listIn(a, [someSession(random, { startedAt: 5_000 })]);
    listIn(other, [someSession(random, { startedAt: 9_000 })]);
    await protections.set(a, [random, one], true);
    assert.deepEqual([protections.has(other, random), protections.has(other, one)], [true, false]);
    await protections.set(other, [random], false);
    assert.ok(!protections.has(a, random));
  });

  it('count at each address of one server: by another name of this machine, or for an ID that is random', async () => {
    const random = sessionId('2b0e5a5e-8f60-4d3a-9c4e-0f6f4d1c7a11');
    for (const [id, origin] of [
      ['numbers', 'http://127.0.0.1:9222'],
      ['name', 'http://localhost:9222'],
      ['port', 'http://localhost:9223'],
      ['lan', 'http://grid.local:9222'],
    ] as const) {
      all.push({ id: accountId(id), provider: 'localChrome', label: id, origin });
    }
    const protections = open();
    await protections.set(accountId('numbers'), [one, random], true);
    const has = (id: SessionId) => ['name', 'port', 'lan'].map((account) => protections.has(accountId(account), id));
    assert.deepEqual(has(one), [true, false, false]);
    assert.deepEqual(has(random), [true, true, true]);
    all.splice(4);
  });

  it('of an account that aren’t listed are known until they ended, or the provider says that they are gone', async () => {
    const protections = open();
    const [three, four] = [sessionId('three'), sessionId('four')];
    assert.ok(!protections.hasAny(a));
    await protections.set(a, [one, two, three, four], true);
    assert.ok(protections.hasAny(a) && !protections.hasAny(b));
    assert.deepEqual(protections.unlisted(a), [one, two, three, four]);
    assert.deepEqual(protections.unlisted(b), []);
    list([one, two]);
    assert.deepEqual(protections.unlisted(a), [three, four]);
    list([one]);
    assert.ok(store.hasEnded(a, two));
    assert.deepEqual(protections.unlisted(a), [three, four]);
    protections.noteGone(a, [three]);
    assert.deepEqual(protections.unlisted(a), [four]);
    protections.noteGone(a, [four]);
    assert.deepEqual(protections.unlisted(a), [three]);
    // It's protected again after its provider called it gone.
    await protections.set(a, [four], true);
    assert.deepEqual(protections.unlisted(a), [three, four]);
    assert.ok([one, two, three, four].every((id) => protections.has(a, id)));
  });

  it('of an account are asked about along with those of others at its address, unless it lists them', async () => {
    const protections = open();
    assert.deepEqual(protections.sharing(a), [a, second]);
    assert.deepEqual(protections.sharing(second), [second, a]);
    assert.deepEqual(protections.sharing(b), [b]);
    assert.deepEqual(protections.sharing(accountId('removed')), [accountId('removed')]);
    await protections.set(second, [one, two], true);
    list([one]);
    listIn(second, [someSession(two)]);
    assert.deepEqual(protections.unlisted(second), [one]);
    assert.deepEqual(protections.unlisted(second, a), [two]);
  });

  it('of a cloud session count for the tools on this machine that control it, and back', async () => {
    const machine = accountId('machine');
    all.push({ id: machine, provider: 'thisMachine', label: '', origin: 'http://localhost' });
    store.setAccounts(all.map(({ id }) => id));
    const [tool, another, free] = ['tool', 'another', 'free'].map(sessionId) as [SessionId, SessionId, SessionId];
    const protections = open();
    const drives = { provider: 'anchor', id: one };
    const controlling = [someSession(tool, { drives }), someSession(another, { drives }), someSession(free)];
    listIn(machine, controlling);
    await protections.set(a, [one, free], true);
    await protections.set(other, [one], true);
    assert.ok(protections.has(machine, tool) && protections.has(machine, another) && !protections.has(machine, free));
    await protections.set(machine, [tool], false);
    assert.ok(!protections.has(a, one) && !protections.has(machine, another));
    assert.ok(protections.has(other, one) && protections.has(a, free));
    // Not even if it has the ID of another provider's session.
    assert.ok(!protections.has(machine, tool));
    list([one, two]);
    await protections.set(machine, [another], true);
    assert.ok(protections.has(a, one) && !protections.has(a, two));
    assert.deepEqual(await protections.set(a, [one], false), [
      { account: a, sessions: [one] },
      { account: machine, sessions: [another] },
    ]);
    assert.ok(!protections.has(machine, another));
    assert.deepEqual(await protections.set(a, [two], false), []);
    all.splice(4);
  });

  it('of a tool on this machine count for the cloud session that it controls, even when that isn’t known anymore', async () => {
    const machine = accountId('machine');
    all.push({ id: machine, provider: 'thisMachine', label: '', origin: 'http://localhost' });
    store.setAccounts(all.map(({ id }) => id));
    const [tool, next] = [sessionId('tool'), sessionId('next')];
    const controls = (id: SessionId) => listIn(machine, [someSession(tool, { drives: { provider: 'anchor', id } })]);
    const protections = open();
    list([one, two, next]);
    controls(one);
    await protections.set(machine, [tool], true);
    controls(two);
    await clock.until(clock.wait(1), 2);
    // A window of another machine.
    const elsewhere = new SessionStore(Date.now);
    elsewhere.setAccounts([a]);
    const remote = new Protections(memory, elsewhere, accounts, clock);
    const isProtected = () => [one, two, next].map((id) => remote.has(a, id));
    assert.deepEqual(isProtected(), [false, true, false]);
    await protections.set(a, [two], false);
    await clock.until(clock.wait(1), 2);
    controls(next);
    await clock.until(clock.wait(1), 2);
    assert.deepEqual([isProtected(), protections.has(machine, tool)], [[false, false, false], false]);
    // In a window of another machine, it can be unprotected for good.
    await protections.set(machine, [tool], true);
    assert.ok(remote.has(a, next));
    await remote.set(a, [next], false);
    list([one, two]);
    list([one, two, next]);
    await clock.until(clock.wait(1), 2);
    assert.ok(!remote.has(a, next));
    // What the user has protected stays so.
    await protections.set(machine, [tool], true);
    await protections.set(a, [next], true);
    controls(one);
    await clock.until(clock.wait(1), 2);
    controls(two);
    await clock.until(clock.wait(1), 2);
    assert.deepEqual(isProtected(), [false, false, true]);
    all.splice(4);
  });

  it('of a cloud session stay if the user made them in another window, though a tool on this machine had brought them', async () => {
    const machine = accountId('machine');
    all.push({ id: machine, provider: 'thisMachine', label: '', origin: 'http://localhost' });
    store.setAccounts(all.map(({ id }) => id));
    const tool = sessionId('tool');
    const controls = (id: SessionId) => listIn(machine, [someSession(tool, { drives: { provider: 'anchor', id } })]);
    const protections = open();
    const other = open();
    controls(one);
    await protections.set(machine, [tool], true);
    list([one, two]);
    await clock.until(clock.wait(1), 2);
    assert.ok(protections.has(a, one));
    await other.set(a, [one], false);
    await other.set(a, [one], true);
    controls(two);
    await clock.until(clock.wait(1), 2);
    assert.ok(protections.has(a, one) && other.has(a, one));
    all.splice(4);
  });

  it('of a browser on this machine count in the account for its port, and back while that isn’t listed', async () => {
    const [machine, chrome, elsewhere] = ['machine', 'chrome', 'elsewhere'].map(accountId) as [
      AccountId,
      AccountId,
      AccountId,
    ];
    all.push(
      { id: machine, provider: 'thisMachine', label: '', origin: 'http://localhost' },
      { id: chrome, provider: 'localChrome', label: '', origin: 'http://127.0.0.1:9222' },
      { id: elsewhere, provider: 'localChrome', label: '', origin: 'http://127.0.0.1:9333' },
    );
    store.setAccounts(all.map(({ id }) => id));
    const [browser, context] = [sessionId('browser'), sessionId('context')];
    const protections = open();
    listIn(machine, [], { shownElsewhere: new Map([[browser, 9222]]) });
    assert.ok(!protections.has(chrome, context));
    await protections.set(a, [browser], true);
    assert.ok(!protections.has(chrome, context) && !protections.has(machine, browser));
    await protections.set(machine, [browser], true);
    assert.ok(protections.has(chrome, context) && !protections.has(elsewhere, context) && !protections.has(b, context));
    assert.deepEqual(await protections.set(chrome, [context], false), [{ account: machine, sessions: [browser] }]);
    assert.ok(!protections.has(machine, browser) && !protections.has(chrome, context));
    await protections.set(chrome, [context], true);
    listIn(machine, [someSession(browser, { local: localBrowser({ port: 9222 }) })]);
    assert.ok(protections.has(machine, browser));
    listIn(machine, [someSession(browser, { local: localBrowser({ port: 9333 }) })]);
    assert.ok(!protections.has(machine, browser));
    listIn(machine, [someSession(browser, { local: localBrowser() })]);
    assert.ok(!protections.has(machine, browser));
    listIn(machine, [someSession(browser, { local: localBrowser({ port: 9222 }) })]);
    // Its list says which session is protected.
    listIn(chrome, [someSession(context)]);
    assert.ok(!protections.has(machine, browser) && protections.has(chrome, context));
    listIn(machine, [], { shownElsewhere: new Map([[browser, 9222]]) });
    await protections.forget(all.find(({ id }) => id === chrome) ?? assert.fail());
    assert.ok(protections.has(machine, browser));
    all.splice(4);
  });

  it('can be restored where they were removed', async () => {
    const protections = open();
    await protections.set(a, [one, two], true);
    const places = await protections.set(second, [one], false);
    assert.deepEqual(places, [{ account: a, sessions: [one] }]);
    assert.ok(!protections.has(a, one));
    for (const { account, sessions } of places) await protections.set(account, sessions, true);
    assert.ok(protections.has(a, one) && protections.has(second, one));
  });

  it('of an account that was removed aren’t stored anymore', async () => {
    const protections = open();
    await protections.set(b, [one, two], true);
    await protections.set(a, [one], true);
    await protections.forget(removed(b));
    assert.ok(!JSON.stringify([...memory.values]).includes('two'));
    assert.ok(!open().has(b, one));
    assert.ok(open().has(a, one));
  });

  it('of an account that was removed count on in another one that lists the same sessions, or isn’t listed yet', async () => {
    list([one, two]);
    const protections = open();
    const run = store.beginList(second);
    run.arrive({ sessions: [someSession('one')], groups: [], faults: [], account: undefined });
    run.complete(keepingAll);
    await protections.set(a, [one, two], true);
    await protections.forget(removed(a));
    assert.ok(protections.has(second, one) && !protections.has(second, two) && !protections.has(other, one));
    store.setAccounts([a, b, other]);
    store.setAccounts(all.map(({ id }) => id));
    await protections.set(a, [two], true);
    await protections.forget(removed(a));
    assert.ok(open().has(second, two));
  });

  it('are written again when another window, which hadn’t seen them, has undone them', async () => {
    const protections = open();
    await protections.set(a, [one], true);
    const pass = (ms: number) => clock.until(clock.wait(ms), ms + 1);
    for (const [undoneAfter, writtenAfter] of [
      [500, 1_000],
      [1_000, 1_000],
      [2_000, 6_000],
    ] as const) {
      await pass(undoneAfter);
      memory.values.clear();
      await pass(writtenAfter);
      assert.ok(open().has(a, one));
    }
  });

  it('are told of once when another window changes them, even if a row has asked before', async () => {
    const [here, there] = [open(), open()];
    const told: string[] = [];
    there.onDidChange((id) => {
      if (id === a) told.push(id);
    });
    await here.set(a, [one], true);
    assert.ok(there.has(a, one));
    assert.deepEqual(told, []);
    there.follow();
    there.follow();
    assert.deepEqual(told, ['a']);
    await there.set(b, [two], true);
    there.follow();
    assert.deepEqual(told, ['a', 'a']);
    await here.set(a, [one], false);
    there.follow();
    assert.deepEqual(told, ['a', 'a', 'a']);
  });

  it('apply in every window, and no window undoes another’s', async () => {
    const [here, there] = [open(), open()];
    assert.ok(!there.has(a, one));
    await here.set(a, [one], true);
    assert.ok(there.has(a, one));
    await there.set(a, [two], true);
    assert.ok(here.has(a, one) && here.has(a, two) && open().has(a, one));
    await here.set(a, [one], false);
    assert.ok(!there.has(a, one) && there.has(a, two));
    // A window in which no row has asked yet.
    await open().set(b, [one], true);
    const later = open();
    assert.ok(later.has(a, two) && later.has(b, one));
  });

  it('apply at once, before they are stored', async () => {
    const protections = open();
    const written = [protections.set(a, [one], true), protections.set(b, [two], true)];
    assert.ok(protections.has(a, one) && protections.has(b, two));
    await Promise.all(written);
    assert.ok(open().has(a, one) && open().has(b, two));
  });

  it('apply even if the editor’s memory stays as it was before, for a while or for good', async () => {
    await open().set(a, [one], true);
    const before = new Map(structuredClone([...memory.values]));
    const protections = open();
    assert.ok(protections.has(a, one));
    await protections.set(a, [two], true);
    for (const [key, value] of before) memory.values.set(key, value);
    assert.ok(protections.has(a, one) && protections.has(a, two));
    await protections.set(b, [one], true);
    assert.ok(open().has(a, two) && open().has(b, one));
  });

  it('are read once for all rows, until a window changes them', () => {
    let reads = 0;
    const kept = {
      get a() {
        reads += 1;
        return ['one'];
      },
    };
    memory.values.set('protectedSessions', kept);
    const protections = open();
    assert.equal(many('s', 5_000).filter((id) => protections.has(a, id)).length, 0);
    assert.ok(protections.has(a, one));
    assert.ok(reads > 0 && reads < 5, `${reads}`);
  });

  it('are all kept for listed sessions, however many', async () => {
    const listed = many('s', 1_200);
    list(listed);
    const protections = open();
    await protections.set(a, listed, true);
    await protections.set(a, [one], true);
    assert.equal(count(protections, listed), 1_200);
    assert.equal(count(open(), listed), 1_200);
  });

  it('don’t grow without end: the newest are kept of those a complete list doesn’t have', async () => {
    const old = many('s', 600);
    list(old);
    const protections = open();
    await protections.set(a, old, true);
    list([one]);
    await protections.set(a, [one], true);
    assert.ok(protections.has(a, one));
    assert.equal(count(protections, old), 500);
    assert.ok(!protections.has(a, sessionId('s99')) && protections.has(a, sessionId('s100')));
  });

  it('lose nothing when no complete list says what is gone', async () => {
    const old = many('s', 600);
    list(old);
    const protections = open();
    await protections.set(a, old, true);
    store.reset(a);
    await protections.set(a, [one], true);
    assert.equal(count(protections, old), 600, 'never listed');
    list([one], ['#3']);
    await protections.set(a, [two], true);
    assert.equal(count(protections, old), 600, 'a row that can’t be read');
    list([one]);
    store.beginList(a).fail(new ProviderError({ kind: 'unauthorized' }, '401'));
    await protections.set(a, [two], false);
    assert.equal(count(protections, old), 600, 'an old list');
  });

  it('survive invalid data stored in their place', async () => {
    memory.values.set('protectedSessions', 'nonsense');
    memory.values.set('protectedSessionsCount', { toString: 1 });
    const protections = open();
    assert.ok(!protections.has(a, one));
    await protections.set(a, [one], true);
    assert.ok(open().has(a, one));
  });

  it('survive when the others that are stored with them are damaged', async () => {
    memory.values.set('protectedSessions', { a: [7, 'one', null], b: ['two'], c: 'nonsense', d: { 0: 'x' } });
    const protections = open();
    assert.ok(protections.has(a, one) && protections.has(b, two));
    await protections.set(b, [one], true);
    assert.ok(open().has(a, one) && open().has(b, one) && open().has(b, two));
  });
});
