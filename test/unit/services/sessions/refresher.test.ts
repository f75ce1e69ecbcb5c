import { strict as assert } from 'node:assert';
import { type AccountId, sessionId } from '../../../../src/core/ids.ts';
import { type AnchorServer, startAnchor } from '../../../servers/anchor.ts';
import { startBrowserbase } from '../../../servers/browserbase.ts';
import { startBrowserlessV1 } from '../../../servers/browserlessV1.ts';
import type { TestServices } from '../testServices.ts';
import { virtualTimeServices } from '../virtualTime.ts';

describe('the refresher', () => {
  let server: AnchorServer;
  /** All that requests are sent to. */
  let servers: AnchorServer[];
  let pass: (seconds: number) => Promise<void>;
  let services: TestServices;
  let id: AccountId;
  const lists = () => server.log().filter((line) => line === 'GET /v1/sessions/all/status').length;

  beforeEach(async () => {
    ({ server, servers, services, pass, id } = await servicesWithSession());
  });
  afterEach(async () => {
    services.dispose();
    await server.stop();
  });

  it('requests nothing while the view is hidden', async () => {
    await pass(600);
    assert.equal(server.requests.length, 0);
    services.refresher.setAttention({ visible: true, focused: true });
    await pass(60);
    assert.ok(lists() > 0);
    services.refresher.setAttention({ visible: false, focused: true });
    await pass(30);
    const before = server.requests.length;
    await pass(600);
    assert.equal(server.requests.length, before);
  });

  it('slows down while nothing changes, and speeds up again when something does', async () => {
    services.refresher.setAttention({ visible: true, focused: true });
    await pass(600);
    const quiet = lists();
    // Every ten seconds would make sixty; slowing down to one a minute makes it about a dozen.
    assert.ok(quiet >= 5 && quiet <= 25, String(quiet));
    for (let times = 0; times < 50; times++) {
      server.add();
      await pass(12);
    }
    assert.ok(lists() - quiet > quiet, `${lists() - quiet} after ${quiet}`);
  });

  it('refreshes seldom while the window isn’t focused, and at once when it is again', async () => {
    services.refresher.setAttention({ visible: true, focused: false });
    await pass(300);
    assert.ok(lists() <= 8, String(lists()));
    await pass(30);
    const before = lists();
    services.refresher.setAttention({ visible: true, focused: true });
    await pass(30);
    assert.ok(lists() > before);
  });

  it('lists once at a time; calls during a list share the one that follows', async () => {
    const during: Promise<unknown>[] = [];
    const callAgain = () => {
      for (let times = 0; times < 3; times++) during.push(services.refresher.refresh(id));
    };
    server.misbehave('GET', /all\/status/, { kind: 'interrupted', by: callAgain }, 1);
    await services.refresher.refresh(id);
    server.add({ id: 'sess_b' });
    await Promise.all(during);
    assert.equal(during.length, 3);
    assert.equal(lists(), 2);
    assert.equal(server.mostInFlight, 1);
    assert.equal(services.store.state(id)?.contents.sessions.size, 2);
  });

  it('stops after a rejected key until the key is replaced', async () => {
    server.keys.set('automation-key', 'sk-rotated');
    services.refresher.setAttention({ visible: true, focused: true });
    await pass(120);
    const asked = server.requests.length;
    await pass(600);
    assert.equal(server.requests.length, asked);
    assert.equal(services.store.state(id)?.kind, 'failed');
    await services.accounts.replaceCredentials(id, { apiKey: 'sk-rotated' });
    await pass(120);
    assert.equal(services.store.state(id)?.kind, 'ready');
  });

  it('doesn’t let a list with the old key disturb the one with the new key', async () => {
    server.keys.set('automation-key', 'sk-rotated');
    const replaceKey = () => services.accounts.replaceCredentials(id, { apiKey: 'sk-rotated' });
    server.misbehave('GET', /all\/status/, { kind: 'interrupted', by: replaceKey }, 1);
    await Promise.all([services.refresher.refresh(id), services.refresher.refresh(id)]);
    assert.equal(services.store.state(id)?.kind, 'disconnected');
    await services.refresher.refresh(id);
    assert.equal(services.store.state(id)?.kind, 'ready');
  });

  it('backs off while the server fails, and waits as long as it asks to', async () => {
    server.misbehave('GET', /all\/status/, {
      kind: 'answer',
      answer: { status: 429, headers: { 'retry-after': '3600' } },
    });
    services.refresher.setAttention({ visible: true, focused: true });
    await pass(60);
    const asked = lists();
    await pass(1_200);
    assert.equal(lists(), asked);
  });

  it('knows what can be done with sessions by the time it shows them', async () => {
    const v1 = await startBrowserlessV1();
    const browser = { id: 'b1', trackingId: null, devtools: undefined };
    v1.browsers.set('b1', { ...browser, pages: [{ id: 'p1', title: 'One', url: 'about:blank' }] });
    const own = await services.accounts.add({
      provider: 'browserless',
      label: 'own',
      origin: v1.url,
      credentials: { token: v1.token ?? '' },
    });
    const seen: boolean[] = [];
    services.store.onDidChange(() => {
      if (services.store.state(own)?.contents.sessions.size === 1)
        seen.push(services.store.capabilities(own).has('devtools'));
    });
    await services.refresher.refresh(own);
    assert.ok(seen.length > 0);
    assert.ok(!seen.includes(false), 'a session was there before it could be watched');
    await v1.stop();
  });

  it('keeps refreshing other accounts when one hangs', async () => {
    const silent = await startAnchor();
    servers.push(silent);
    silent.misbehave('GET', /./, { kind: 'silent' });
    const hung = await services.accounts.add({
      provider: 'anchor',
      label: 'y',
      origin: silent.url,
      credentials: { apiKey: 'k123' },
    });
    services.refresher.setAttention({ visible: true, focused: true });
    await pass(10);
    assert.equal(services.store.state(id)?.kind, 'ready');
    assert.equal(services.store.state(hung)?.kind, 'loading');
    await services.accounts.remove(hung);
    assert.equal(services.store.state(hung), undefined);
    await silent.stop();
  });
});

describe('the refresher, with sessions missing from a list', () => {
  let server: AnchorServer;
  let pass: (seconds: number) => Promise<void>;
  let becomes: (isSo: () => boolean | Promise<boolean>, otherwise?: () => string) => Promise<void>;
  let services: TestServices;
  let id: AccountId;
  const left = () => services.store.state(id)?.contents.sessions.size ?? 0;

  beforeEach(async () => {
    ({ server, services, pass, becomes, id } = await servicesWithSession());
  });
  afterEach(async () => {
    services.dispose();
    await server.stop();
  });

  it('removes no running session, whatever its list leaves out', async () => {
    const provider = await startBrowserbase();
    const base = await services.accounts.add(accountAt('browserbase', provider));
    const ids = () => [...(services.store.state(base)?.contents.sessions.keys() ?? [])].sort();
    for (const id of ['moves', 'stays', 'stops']) provider.add({ id });
    await services.refresher.refresh(base);
    // Between two statuses, neither of which the list asks for.
    const moving = provider.sessions.get('moves');
    const stopping = provider.sessions.get('stops');
    assert.ok(moving && stopping);
    moving.status = 'SUSPENDED';
    stopping.status = 'COMPLETED';
    const leaves = (...left: string[]) =>
      becomes(async () => {
        await services.refresher.refresh(base);
        return ids().join() === left.join();
      });
    await leaves('moves', 'stays');
    // No probe gets an answer: nothing is confirmed.
    moving.status = 'COMPLETED';
    provider.misbehave('GET', /^\/v1\/sessions\/.+/, { kind: 'answer', answer: { status: 500, json: {} } });
    for (let times = 0; times < 3; times++) {
      await pass(6);
      await services.refresher.refresh(base);
    }
    assert.deepEqual(ids(), ['moves', 'stays']);
    provider.behave();
    await leaves('stays');
    await provider.stop();
  });

  it('asks about a few of many missing sessions at a time, and removes none that it didn’t ask about', async () => {
    for (let times = 0; times < 60; times++) server.add();
    await services.refresher.refresh(id);
    for (const session of server.sessions.values()) session.status = 'completed';
    const probes = () => server.log().filter((line) => /^GET \/v1\/sessions\/[\w-]+$/.test(line)).length;
    await services.refresher.refresh(id);
    await becomes(
      () => left() === 61 - 16,
      () => `${probes()} probes, ${left()} left`,
    );
    assert.equal(probes(), 16);
    for (const asked of [32, 48, 61]) {
      await pass(2);
      await services.refresher.refresh(id);
      await becomes(() => left() === 61 - asked);
      assert.equal(probes(), asked);
    }
  });

  it('asks about others when it got no answer about the first, and seldom again about the same', async () => {
    server.keys.set('another', 'sk-another');
    const team = Array.from({ length: 40 }, (_, index) => server.add({ id: `s${index}`, key: 'sk-another' }));
    await services.refresher.refresh(id);
    for (const session of team) session.status = 'paused';
    const probed = () => server.log().filter((line) => /^GET \/v1\/sessions\/s\d+$/.test(line));
    await services.refresher.refresh(id);
    await becomes(() => probed().length === 16);
    await becomes(
      async () => {
        await services.refresher.refresh(id);
        return new Set(probed()).size === 40;
      },
      () => 'the same were asked for again and again, and others not at all',
    );
    server.misbehave('GET', /^\/v1\/sessions\/s\d+$/, { kind: 'answer', answer: { status: 429, json: {} } });
    await pass(25);
    const probesBefore = probed().length;
    await services.refresher.refresh(id);
    await becomes(() => probed().length > probesBefore);
    // Failed requests are retried until the probe's time is up.
    await pass(12);
    const refused = probed().length;
    await pass(10);
    await services.refresher.refresh(id);
    await pass(5);
    assert.equal(probed().length, refused, 'it was asked again at once after it had refused');
    // Lists continue: only the probes were rate limited.
    services.refresher.setAttention({ visible: true, focused: true });
    const lists = () => server.log().filter((line) => line === 'GET /v1/sessions/all/status').length;
    const before = lists();
    await becomes(() => lists() > before);
  });

  it('doesn’t make callers that wait for a list wait for the missing sessions', async () => {
    server.add({ id: 'sess_b' });
    await services.refresher.refresh(id);
    server.sessions.clear();
    server.misbehave('GET', /^\/v1\/sessions\/sess_/, { kind: 'silent' });
    const probes = () => server.log().filter((line) => /^GET \/v1\/sessions\/sess_/.test(line)).length;
    await services.refresher.refresh(id);
    assert.equal(left(), 2);
    await becomes(() => probes() === 2);
    await pass(0.5);
    await services.refresher.refresh(id);
    assert.equal(probes(), 2, 'what is being asked was asked twice');
  });

  it('doesn’t remove what the provider says is running, even if two lists are enough at this provider', async () => {
    server.keys.set('another', 'sk-another');
    const other = server.add({ id: 'sess_b', key: 'sk-another' });
    await services.refresher.refresh(id);
    // The team's list is asked for what is "running", and no document says that this is the only such status.
    other.status = 'paused';
    await services.refresher.refresh(id);
    await becomes(() => services.evidence.verdict(id, sessionId('sess_b')) === 'stillRunning');
    for (let times = 0; times < 3; times++) {
      await pass(6);
      await services.refresher.refresh(id);
    }
    assert.equal(left(), 2);
    server.sessions.delete('sess_b');
    await becomes(async () => {
      await services.refresher.refresh(id);
      return left() === 1;
    });
  });
});

function accountAt(provider: string, { url, key }: { readonly url: string; readonly key: string }) {
  return { provider, label: provider, origin: url, credentials: { apiKey: key } };
}

/** Services with an account that hasn't been listed, on a server with one session. */
async function servicesWithSession() {
  const server = await startAnchor();
  server.add({ id: 'sess_a' });
  const servers = [server];
  const hanging = () => servers.reduce((sum, { waitingInVain }) => sum + waitingInVain, 0);
  const inTime = virtualTimeServices({ hanging });
  const id = await inTime.services.accounts.add(accountAt('anchor', server));
  return { ...inTime, server, servers, id };
}
