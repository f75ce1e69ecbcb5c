import { strict as assert } from 'node:assert';
import { systemClock } from '../../../../src/core/clock.ts';
import type { AccountId } from '../../../../src/core/ids.ts';
import { sessionId } from '../../../../src/core/ids.ts';
import type { Inventory } from '../../../../src/core/inventory.ts';
import { newSession } from '../../../../src/core/newSession.ts';
import type { Session } from '../../../../src/core/session.ts';
import { History } from '../../../../src/services/history/history.ts';
import { Protections } from '../../../../src/services/sessions/protections.ts';
import { freePort } from '../../../host/processes.ts';
import { type BrowserbaseServer, startBrowserbase } from '../../../servers/browserbase.ts';
import { kindsWithMachine } from '../../sessions.ts';
import { until } from '../../until.ts';
import { MapMemory, TestServices } from '../testServices.ts';

describe('a session on this machine that controls one in the cloud', function () {
  this.timeout(20_000);
  let server: BrowserbaseServer;
  let services: TestServices;
  let history: History;
  let local: AccountId;
  /** What runs on this machine. */
  let running: Session[];
  let remote: string;
  /** See `Inventory.shownElsewhere`. */
  let elsewhere: Inventory['shownElsewhere'];
  /** How often this machine was listed. */
  let lists: number;

  beforeEach(async () => {
    server = await startBrowserbase();
    remote = server.add({}).id;
    running = [driver('agent', remote)];
    lists = 0;
    elsewhere = undefined;
    const list = () => {
      lists += 1;
      return { sessions: running, shownElsewhere: elsewhere };
    };
    services = new TestServices({ kinds: kindsWithMachine(() => running, list), interval: 0 });
    history = new History(new MapMemory(0), services.store, services.accounts, Date.now, () => true);
    local = await services.add('thisMachine', 'http://localhost');
  });
  afterEach(async () => {
    history.dispose();
    services.dispose();
    await server.stop();
  });

  function driver(id: string, drives: string): Session {
    return newSession(sessionId(id), {
      name: 'checkout',
      metadata: new Map([['tool', 'agent-browser']]),
      drives: { provider: 'browserbase', id: sessionId(drives) },
    });
  }
  const cloud = () =>
    services.add('browserbase', server.url, { apiKey: server.key, projectId: server.projects[0]?.id ?? '' });
  const shown = (account: AccountId) => [...(services.store.state(account)?.contents.sessions.keys() ?? [])];

  it('is a row of its own while no account lists that session', async () => {
    assert.deepEqual(shown(local), ['agent']);
    running = [driver('agent', 'another-session')];
    await services.refresher.refresh(local);
    const account = await cloud();
    assert.deepEqual([shown(local), shown(account)], [['agent'], [remote]]);
  });

  it('is shown once, under the cloud’s account, with the tool that uses it', async () => {
    const account = await cloud();
    assert.deepEqual([shown(local), shown(account)], [[], [remote]]);
    const session = services.store.session(account, sessionId(remote));
    assert.equal(session?.inUseBy, 'agent-browser');
    assert.deepEqual(session?.facts.at(-1), ['Used on this machine by', 'agent-browser · checkout']);
    // The order in which they are listed doesn't matter.
    await services.refresher.refresh(local);
    await services.refresher.refresh(account);
    assert.deepEqual([shown(local), shown(account)], [[], [remote]]);
    assert.deepEqual([...services.store.known(local).keys()], ['agent']);
    assert.deepEqual(history.all, []);
  });

  it('is protected under whichever account it is shown, and unprotected there, too', async () => {
    const protections = new Protections(new MapMemory(0), services.store, services.accounts, systemClock);
    const [agent, remoteId] = [sessionId('agent'), sessionId(remote)];
    await protections.set(local, [agent], true);
    const account = await cloud();
    assert.ok(protections.has(account, remoteId));
    await protections.set(account, [remoteId], false);
    assert.ok(!protections.has(local, agent));
    await protections.set(account, [remoteId], true);
    server.misbehave('GET', /sessions/, { kind: 'answer', answer: { status: 503, json: {} } });
    // As after a restart while the cloud can't be listed.
    services.store.setAccounts([local]);
    await services.refresher.refresh(local);
    assert.deepEqual(shown(local), ['agent']);
    assert.ok(protections.has(local, agent));
    await protections.set(local, [agent], false);
    assert.ok(!protections.has(account, remoteId));
  });

  it('is protected under each account that lists the session, whichever of several tools is', async () => {
    const protections = new Protections(new MapMemory(0), services.store, services.accounts, systemClock);
    running = [driver('first', remote), driver('agent', remote)];
    await services.refresher.refresh(local);
    await protections.set(local, [sessionId('agent')], true);
    for (const account of [await cloud(), await cloud()]) {
      assert.ok(protections.has(account, sessionId(remote)));
      assert.equal(services.store.session(account, sessionId(remote))?.inUseBy, 'agent-browser');
    }
  });

  it('is protected in the account that shows its browser instead, by its port', async () => {
    const protections = new Protections(new MapMemory(0), services.store, services.accounts, systemClock);
    const [agent, context] = [sessionId('agent'), sessionId('context')];
    await protections.set(local, [agent], true);
    const port = await freePort();
    const chrome = await services.add('localChrome', `http://localhost:${port}`);
    assert.ok(!protections.has(chrome, context));
    running = [];
    elsewhere = new Map([[agent, port]]);
    await services.refresher.refresh(local);
    assert.ok(protections.has(chrome, context));
    await protections.set(chrome, [context], false);
    assert.ok(!protections.has(local, agent));
    await protections.set(local, [agent], true);
    elsewhere = new Map([[agent, undefined]]);
    await services.refresher.refresh(local);
    assert.ok(!protections.has(chrome, context));
  });

  it('is a row of its own again when the cloud’s account is removed', async () => {
    const account = await cloud();
    await services.accounts.remove(account);
    await until(async () => shown(local).length === 1);
    assert.deepEqual(shown(local), ['agent']);
  });

  it('no longer counts as using the cloud’s session when it ends by itself', async () => {
    const account = await cloud();
    running = [];
    await services.refresher.refresh(local);
    assert.equal(services.store.session(account, sessionId(remote))?.inUseBy, undefined);
    assert.deepEqual([shown(local), shown(account)], [[], [remote]]);
    assert.deepEqual(history.all, []);
  });

  for (const staysLocal of [true, false]) {
    const outcome = staysLocal ? 'shown by itself if it’s still running' : 'gone if it ended, too';
    it(`is refreshed once the cloud’s session has ended, and ${outcome}`, async () => {
      const account = await cloud();
      const session = services.store.session(account, sessionId(remote));
      assert.ok(session);
      const before = lists;
      const release = services.store.onDidLeave(() => {
        if (!staysLocal) running = [];
      });
      const { results } = await services.ender.end([{ accountId: account, session }], {
        stop: new AbortController().signal,
        onProgress: () => {},
      });
      release.dispose();
      assert.deepEqual(
        results.map(({ outcome: its }) => its),
        ['ended'],
      );
      assert.equal(server.sessions.get(remote)?.status, 'COMPLETED');
      await until(async () => lists > before && services.store.state(local)?.kind === 'ready');
      await until(async () => shown(local).length === (staysLocal ? 1 : 0));
      assert.deepEqual(shown(account), []);
    });
  }
});
