import { strict as assert } from 'node:assert';
import { type AccountId, type SessionId, sessionId } from '../../../../src/core/ids.ts';
import type { AccountSession } from '../../../../src/services/ending/report.ts';
import { reviewOne } from '../../../../src/services/ending/verifier.ts';
import { History } from '../../../../src/services/history/history.ts';
import { KnownSession } from '../../../../src/ui/liveView/knownSession.ts';
import { checkUnlisted } from '../../../../src/ui/liveView/unlistedCheck.ts';
import { type AnchorServer, startAnchor } from '../../../servers/anchor.ts';
import { startGateway } from '../../../servers/gateway.ts';
import { fastClock, MapMemory, TestServices } from '../../services/testServices.ts';
import { until } from '../../until.ts';

describe('a live view of a session that the first list after a restart doesn’t have', () => {
  const clock = fastClock(20);
  const longAgo = new Date(Date.now() - 3_600_000).toISOString();
  let services: TestServices;
  let history: History;
  let server: AnchorServer;
  let account: AccountId;

  beforeEach(async () => {
    services = new TestServices({ clock });
    history = new History(new MapMemory(), services.store, services.accounts, clock.now);
    server = await startAnchor();
    server.add({ id: 'sess_a' });
    server.unlisted.add('sess_a');
    account = await services.add('anchor', server.url, { apiKey: server.key });
  });
  afterEach(async () => {
    history.dispose();
    services.dispose();
    await server.stop();
  });

  const setStatus = (status: string) => Object.assign(server.sessions.get('sess_a') ?? {}, { status });
  const known = (
    id: AccountId = account,
    session: SessionId = sessionId('sess_a'),
    restored?: { readonly startedAt: number | undefined; readonly keyAt?: number },
  ) => {
    const { accounts, connections, store, evidence, refresher, log: logger } = services;
    const parts = { accounts, connections, store, evidence, refresher, history, clock, logger };
    const review = (target: AccountSession) => reviewOne(parts, target);
    const first = restored && { keyAt: undefined, ...restored };
    return new KnownSession({ ...parts, review }, { accountId: id, sessionId: session, pageId: undefined }, first);
  };
  const cardOf = (session: KnownSession) => {
    const { card, knownEnd } = session.over(undefined);
    return { heading: card.heading, line: card.lines[0], buttons: card.buttons.map(({ button }) => button), knownEnd };
  };

  it('reports that it ended when its provider says so, and how', async () => {
    setStatus('failed');
    const session = known();
    assert.equal(session.isGone, true);
    assert.equal(await session.look(), 'confirmedGone');
    const { heading, line, buttons } = cardOf(session);
    assert.deepEqual([heading, line], ['Session ended', 'It failed.']);
    assert.ok(!buttons.includes('reload'));
  });

  it('reports that it ended when its provider no longer knows it, though not how', async () => {
    server.sessions.delete('sess_a');
    const session = known();
    assert.equal(await session.look(), 'confirmedGone');
    const { heading, line, knownEnd } = cardOf(session);
    assert.deepEqual([heading, knownEnd], ['Session ended', 'confirmed']);
    assert.equal(line, "It's no longer running. When and how it ended isn't known.");
  });

  it('reports that it is running when its provider says so, whatever the list leaves out', async () => {
    const session = known();
    assert.equal(await session.look(), 'stillRunning');
    assert.equal(session.isGone, false);
  });

  it('is checked again once a minute until its provider says that it ended', async () => {
    const session = known();
    assert.equal(await session.look(), 'stillRunning');
    const closed = new AbortController();
    const ended = new Promise<void>((resolve) => {
      void checkUnlisted(session, fastClock(600), closed.signal, resolve);
    });
    server.misbehave('GET', /sess_a/, { kind: 'answer', answer: { status: 404, html: '<h1>No backend</h1>' } });
    const asked = () => server.requests.filter(({ path }) => path.includes('sess_a')).length;
    const before = asked();
    await until(() => asked() > before + 1);
    assert.equal(session.isGone, false, 'an answer that says nothing changes nothing');
    server.behave();
    setStatus('completed');
    await ended;
    assert.equal(cardOf(session).heading, 'Session ended');
    closed.abort();
  });

  it('claims nothing while its provider can’t be asked, and reports the state once it can', async () => {
    server.misbehave('GET', /sess_a/, { kind: 'answer', answer: { status: 404, html: '<h1>No backend</h1>' } });
    const session = known();
    assert.equal(await session.look(), 'unknown');
    const { heading, line, buttons, knownEnd } = cardOf(session);
    assert.equal(heading, "Couldn't confirm that this session ended");
    assert.match(line ?? '', /^It's missing from the latest list from .* It may still be running\.$/);
    assert.ok(buttons.includes('reload'));
    assert.equal(knownEnd, undefined);
    server.behave();
    setStatus('completed');
    session.forget();
    assert.equal(await session.look(), 'confirmedGone');
    assert.equal(cardOf(session).heading, 'Session ended');
  });

  it('claims nothing when a list fails, whatever is said about the session alone', async () => {
    setStatus('completed');
    const session = known();
    server.misbehave('GET', /all\/status/, { kind: 'answer', answer: { status: 500, json: {} } });
    assert.equal(await session.look(), 'unknown');
  });

  it('claims nothing at a gateway that neither lists nor reports anything', async () => {
    const gateway = await startGateway();
    gateway.listsNothing = true;
    gateway.tellsNothing = true;
    const { id } = gateway.add();
    const other = await services.add('gateway', gateway.url, { authorization: gateway.authorization });
    const session = known(other, sessionId(id));
    assert.equal(await session.look(), 'unknown');
    assert.match(cardOf(session).line ?? '', /It may still be running\.$/);
    await gateway.stop();
  });

  it('claims nothing with another key, which may not even find what is running', async () => {
    server.unlisted.clear();
    await services.refresher.refresh(account);
    const session = known();
    session.learn();
    session.noteOtherKey();
    // The other key belongs to another team.
    const other = await startAnchor();
    const id = await services.add('anchor', other.url, { apiKey: other.key });
    const moved = known(id);
    moved.noteOtherKey();
    assert.equal(await moved.look(), 'unknown');
    assert.match(cardOf(moved).line ?? '', /^This account's key was replaced/);
    assert.ok(!other.log().some((line) => line.includes('sess_a')));
    // As soon as a list has it, it's as if nothing had happened.
    session.learn();
    assert.equal(session.isGone, false);
    await other.stop();
  });

  it('claims nothing after a restart during which the key was replaced', async () => {
    const { accounts, refresher } = services;
    const keyAt = (await accounts.keyAt(account)) ?? assert.fail();
    setStatus('completed');
    const same = known(account, sessionId('sess_a'), { startedAt: Date.now(), keyAt });
    assert.deepEqual([await same.look(), same.keyAt], ['confirmedGone', keyAt]);
    // The other key belongs to another team, which has no such session.
    const other = await startAnchor();
    await accounts.replaceCredentials(account, { apiKey: server.key });
    await refresher.refresh(account);
    const moved = known(account, sessionId('sess_a'), { startedAt: Date.now(), keyAt });
    assert.equal(await moved.look(), 'unknown');
    assert.match(cardOf(moved).line ?? '', /^This account's key was replaced/);
    const next = known(account, sessionId('sess_a'), { startedAt: undefined, keyAt: moved.keyAt ?? assert.fail() });
    assert.equal(await next.look(), 'unknown', 'nor after the next restart');
    await other.stop();
  });

  it('isn’t the one that the panel was opened for with another key, or at another address: the same ID may be someone else’s', async () => {
    const { accounts, store, refresher } = services;
    const gateway = await startGateway();
    gateway.add({ id: 'worker-1' });
    const id = await services.add('gateway', gateway.url, { authorization: gateway.authorization });
    const session = known(id, sessionId('worker-1'));
    session.learn();
    assert.equal(session.isStillTheFirst, true);
    session.noteOtherKey();
    store.reset(id);
    await refresher.refresh(id);
    session.learn();
    assert.ok(accounts.get(id));
    assert.equal(session.isStillTheFirst, false);
    await gateway.stop();
  });

  it('isn’t the one that the panel was opened for once that has left the list, though the gateway gives no starts', async () => {
    const { store, refresher } = services;
    const gateway = await startGateway();
    gateway.add({ id: 'worker-1' });
    const id = await services.add('gateway', gateway.url, { authorization: gateway.authorization });
    const session = known(id, sessionId('worker-1'));
    session.learn();
    store.onDidLeave(() => session.noteLeft());
    gateway.sessions.delete('worker-1');
    await until(async () => {
      await refresher.refresh(id);
      return store.hasEnded(id, sessionId('worker-1'));
    });
    gateway.add({ id: 'worker-1' });
    await refresher.refresh(id);
    session.learn();
    assert.equal(session.isStillTheFirst, false);
    await gateway.stop();
  });

  it('isn’t called ended after a restart because an earlier session with its ID is in the history', async () => {
    const gateway = await startGateway();
    gateway.add({ id: 'worker-1', createdAt: longAgo });
    const id = await services.add('gateway', gateway.url, { authorization: gateway.authorization });
    gateway.sessions.delete('worker-1');
    await until(async () => {
      await services.refresher.refresh(id);
      return history.find(id, sessionId('worker-1')) !== undefined;
    });
    // After a restart, only the history knows the earlier one.
    services.store.reset(id);
    const { createdAt } = gateway.reuse('worker-1');
    gateway.hidden.add('worker-1');
    gateway.listsNothing = true;
    await services.refresher.refresh(id);
    const keyAt = (await services.accounts.keyAt(id)) ?? assert.fail();
    const session = known(id, sessionId('worker-1'), { startedAt: Date.parse(createdAt ?? ''), keyAt });
    assert.equal(await session.look(), 'stillRunning');
    assert.equal(session.isGone, false);
    await gateway.stop();
  });

  it('isn’t called ended when opened by its ID alone because an earlier session with that ID ended in this window', async () => {
    const gateway = await startGateway();
    gateway.add({ id: 'worker-1', createdAt: longAgo });
    const id = await services.add('gateway', gateway.url, { authorization: gateway.authorization });
    services.store.removeGone(id, [sessionId('worker-1')]);
    assert.ok(history.find(id, sessionId('worker-1')));
    gateway.reuse('worker-1');
    gateway.listsNothing = true;
    await services.refresher.refresh(id);
    const session = known(id, sessionId('worker-1'));
    assert.equal(await session.look(), 'stillRunning');
    gateway.sessions.delete('worker-1');
    assert.equal(await session.hasEndedSince(), true);
    assert.equal(cardOf(session).heading, 'Session ended');
    await gateway.stop();
  });

  it('isn’t certainly the one that the panel was opened for after a restart, unless IDs are never used again', async () => {
    const gateway = await startGateway();
    gateway.add({ id: 'worker-1', createdAt: longAgo });
    const id = await services.add('gateway', gateway.url, { authorization: gateway.authorization });
    const opened = known(id, sessionId('worker-1'));
    opened.learn();
    const { firstStart } = opened;
    const same = known(id, sessionId('worker-1'), { startedAt: firstStart });
    same.learn();
    // With another key, another session that started earlier may have its ID.
    assert.deepEqual([same.isStillTheFirst, same.firstStart], [false, firstStart]);
    server.unlisted.clear();
    await services.refresher.refresh(account);
    const unique = known(account, sessionId('sess_a'), { startedAt: Date.now() });
    unique.learn();
    assert.equal(unique.isStillTheFirst, true);
    gateway.reuse('worker-1');
    await services.refresher.refresh(id);
    const another = known(id, sessionId('worker-1'), { startedAt: firstStart });
    another.learn();
    assert.equal(another.isStillTheFirst, false);
    assert.equal(another.firstStart, firstStart, 'it stays so after the next restart');
    const uncertain = known(id, sessionId('worker-1'), { startedAt: undefined });
    uncertain.learn();
    assert.equal(uncertain.isStillTheFirst, false, 'nothing tells whether it is another one');
    await gateway.stop();
  });

  it('doesn’t end because an earlier session with its ID did', async () => {
    const { store, refresher } = services;
    const gateway = await startGateway();
    const { id } = gateway.add({ id: 'worker-1', createdAt: longAgo });
    const other = await services.add('gateway', gateway.url, { authorization: gateway.authorization });
    store.removeGone(other, [sessionId(id)]);
    assert.ok(history.find(other, sessionId(id)));
    gateway.reuse(id);
    await refresher.refresh(other);
    const session = known(other, sessionId(id));
    session.learn();
    // Nothing is known about it with another key.
    session.noteOtherKey();
    store.reset(other);
    gateway.listsNothing = true;
    gateway.tellsNothing = true;
    await refresher.refresh(other);
    assert.equal(session.isGone, true);
    assert.notEqual(await session.look(), 'confirmedGone');
    assert.notEqual(cardOf(session).heading, 'Session ended');
    await gateway.stop();
  });

  it('stays ended when its account is removed afterwards', async () => {
    server.unlisted.clear();
    await services.refresher.refresh(account);
    const session = known();
    session.learn();
    setStatus('completed');
    for (let list = 0; list < 3; list++) await services.refresher.refresh(account);
    const ended = cardOf(session);
    await services.accounts.remove(account);
    assert.deepEqual([cardOf(session).heading, cardOf(session).knownEnd], [ended.heading, ended.knownEnd]);
    history.clear();
    assert.equal(cardOf(session).heading, 'The account was removed');
  });

  it('keeps what was seen of its end, even when the recent history was cleared', async () => {
    server.unlisted.clear();
    await services.refresher.refresh(account);
    const session = known();
    session.learn();
    setStatus('completed');
    for (let list = 0; list < 3; list++) await services.refresher.refresh(account);
    assert.equal(session.isGone, true);
    assert.equal(cardOf(session).heading, 'No longer running');
    history.clear();
    assert.deepEqual([cardOf(session).heading, cardOf(session).knownEnd], ['Session ended', 'confirmed']);
    const before = server.requests.length;
    assert.equal(await session.look(), 'confirmedGone');
    // Only how it ended is requested, not whether.
    assert.equal(server.requests.length, before + 1);
  });
});
