import { strict as assert } from 'node:assert';
import { sessionId } from '../../../src/core/ids.ts';
import type { Provider } from '../../../src/core/provider.ts';
import type { Session } from '../../../src/core/session.ts';
import { gateway } from '../../../src/providers/gateway.ts';
import { type GatewayServer, startGateway } from '../../servers/gateway.ts';
import { errorOf } from '../errors.ts';
import { TestServices } from '../services/testServices.ts';
import { connect, unaborted } from '../testNetwork.ts';
import { until } from '../until.ts';

const quietly = { stop: unaborted, onProgress: () => {} };

describe('Session gateway', () => {
  let server: GatewayServer;
  let provider: Provider;

  beforeEach(async () => {
    server = await startGateway();
    ({ provider } = connect(gateway, server.url, { authorization: server.authorization }));
  });
  afterEach(() => server.stop());

  async function listed(from = provider) {
    const [page] = await Array.fromAsync(from.list(unaborted));
    assert.ok(page);
    return page;
  }

  async function only(): Promise<Session> {
    const [session] = (await listed()).sessions;
    assert.ok(session);
    return session;
  }

  it('lists under any base address, with or without a header', async () => {
    const below = await startGateway('/tools/browsers');
    try {
      below.add({ id: 'sess_abc123' });
      const account = connect(gateway, `${below.url}/tools/browsers`, { authorization: below.authorization }).provider;
      assert.deepEqual(
        (await listed(account)).sessions.map(({ id }) => id),
        ['sess_abc123'],
      );
      assert.equal((await errorOf(connect(gateway, below.url).provider.check(unaborted))).trouble.kind, 'notFound');
      const without = connect(gateway, `${below.url}/tools/browsers`).provider;
      assert.equal((await errorOf(without.check(unaborted))).trouble.kind, 'unauthorized');
      assert.equal(below.requests.at(-1)?.headers['authorization'], undefined);
    } finally {
      await below.stop();
    }
  });

  it('reads every documented status, and leaves out stopped sessions', async () => {
    for (const status of ['starting', 'running', 'idle', 'stopped', 'error'])
      server.add({ id: `sess_${status}`, status });
    assert.deepEqual(
      (await listed()).sessions.map(({ id, phase }) => [id, phase]),
      [
        ['sess_starting', 'starting'],
        ['sess_running', 'running'],
        ['sess_idle', 'idle'],
        ['sess_error', 'unknown'],
      ],
    );
  });

  it('ends by the documented request, and confirms it by asking again', async () => {
    server.add({ id: 'sess_abc123', persist: true });
    const session = await only();
    assert.equal((await provider.end(session, unaborted)).outcome, 'accepted');
    const request = server.requests.find(({ method }) => method === 'DELETE');
    assert.equal(request?.path, '/api/browser-automation/sessions/sess_abc123');
    assert.equal(request?.body, '');
    assert.deepEqual(server.saved, ['sess_abc123']);
    assert.equal(await provider.probe(session, unaborted), 'gone');
    assert.match(gateway.wording.ending, /"persist" saves its cookies and storage to its profile/);
  });

  it('trap G1: says that an empty list may be incomplete', async () => {
    server.add();
    server.listsNothing = true;
    const { sessions, account } = await listed();
    assert.deepEqual(sessions, []);
    assert.match(account?.note ?? '', /lists no sessions\. Some gateways never list any/);
    server.listsNothing = false;
    assert.equal((await listed()).account?.note, undefined);
  });

  it('trap G1: doesn’t treat a list that is suddenly empty as confirmation', async () => {
    const services = new TestServices();
    try {
      server.add({ id: 'sess_a' });
      const id = await services.add('gateway', server.url, { authorization: server.authorization });
      const session = services.store.session(id, sessionId('sess_a'));
      assert.ok(session);
      server.immortal.add('sess_a');
      server.listsNothing = true;
      const { results } = await services.ender.end([{ accountId: id, session }], quietly);
      assert.equal(results[0]?.outcome, 'stuck');
      assert.equal(services.store.life(id, session.id).kind, 'stuck');
      // Its row stays until the gateway says that it is gone, whatever the list says.
      await services.refresher.refresh(id);
      assert.ok(services.store.session(id, session.id));
      server.sessions.clear();
      await until(async () => {
        await services.refresher.refresh(id);
        return services.store.session(id, session.id) === undefined;
      });
    } finally {
      services.dispose();
    }
  });

  it('trap G2: doesn’t call ended what the gateway lists but doesn’t find', async () => {
    const services = new TestServices();
    try {
      server.add({ id: 'sess_a' });
      server.findsNothing = true;
      const session = await only();
      const error = await errorOf(provider.end(session, unaborted));
      assert.equal(error.trouble.kind, 'notFound');
      assert.equal(await provider.probe(session, unaborted), 'running');
      const id = await services.add('gateway', server.url, { authorization: server.authorization });
      const { results } = await services.ender.end([{ accountId: id, session }], quietly);
      assert.equal(results[0]?.outcome, 'stuck');
      assert.ok(results[0]?.why?.kind === 'stillRuns' && !results[0].why.found);
      assert.equal(results[0].attempts, 1);
      assert.deepEqual(server.running, ['sess_a']);
      assert.ok(services.store.session(id, sessionId('sess_a')));
    } finally {
      services.dispose();
    }
  });

  it('trap G2: treats a session without its fields as one that may be running', async () => {
    server.add({ id: 'sess_a' });
    const session = await only();
    server.tellsNothing = true;
    assert.equal(await provider.probe(session, unaborted), 'unknown');
    const view = provider.liveView?.(session.id, undefined, 'watch', unaborted);
    assert.equal((await errorOf(view)).trouble.kind, 'unsupported');
    const answer = {
      status: 200,
      json: { sessions: [{ id: 'sess_a' }, { id: 'sess_b', status: null }, {}], count: 3 },
    };
    server.misbehave('GET', /sessions$/, { kind: 'answer', answer }, 1);
    const { sessions, faults } = await listed();
    assert.deepEqual(
      sessions.map(({ id, phase, status }) => [id, phase, status]),
      [
        ['sess_a', 'unknown', undefined],
        ['sess_b', 'unknown', undefined],
      ],
    );
    assert.deepEqual(
      faults.map(({ subject }) => subject),
      ['row 3'],
    );
  });

  it('trap G3: keeps a session as it was when the gateway can’t report on it', async () => {
    server.add({ id: 'sess_a' });
    const session = await only();
    const answer = { status: 500, json: { error: 'Failed to get session' } };
    server.misbehave('GET', /sess_a$/, { kind: 'answer', answer });
    assert.equal((await errorOf(provider.probe(session, unaborted))).trouble.kind, 'serverFault');
  });

  it('trap G4: frames the gateway’s own pages and Anchor’s, and nothing else', async () => {
    server.add({ id: 'sess_a' });
    const id = sessionId('sess_a');
    const own = await provider.liveView?.(id, undefined, 'watch', unaborted);
    assert.equal(own?.url.href, `${server.url}/live/sess_a`);
    assert.equal(own.singleUse, 'unknown');
    const view = async (liveViewUrl: string) => {
      const answer = { status: 200, json: { session: { id, status: 'running', liveViewUrl } } };
      server.misbehave('GET', /sess_a$/, { kind: 'answer', answer }, 1);
      return provider.liveView?.(id, undefined, 'watch', unaborted);
    };
    assert.equal((await view('https://live.anchorbrowser.io/sess_abc123'))?.url.host, 'live.anchorbrowser.io');
    for (const url of ['https://anchorbrowser.io.evil.example/', 'http://live.anchorbrowser.io/', 'javascript:1', '']) {
      assert.equal((await errorOf(view(url))).trouble.kind, 'unexpectedAnswer', url);
    }
  });

  it('asks again after a 500: the session may have ended by itself', async () => {
    server.add({ id: 'sess_a' });
    server.add({ id: 'sess_b' });
    const [first, second] = (await listed()).sessions;
    assert.ok(first && second);
    server.vanishing.add('sess_a');
    assert.deepEqual(await provider.end(first, unaborted), {
      outcome: 'alreadyGone',
      how: "The gateway couldn't find it.",
    });
    const answer = { status: 500, json: { error: 'Failed to terminate session' } };
    server.misbehave('DELETE', /./, { kind: 'answer', answer }, 1);
    assert.equal((await errorOf(provider.end(second, unaborted))).trouble.kind, 'serverFault');
    assert.deepEqual(server.running, ['sess_b']);
  });

  it('calls nothing gone that the gateway may leave out of its list or list in an unreadable row', async () => {
    server.add({ id: 'sess_a' });
    const [session] = (await listed()).sessions;
    assert.ok(session);
    server.findsNothing = true;
    const lists = [
      { sessions: [{ id: 'sess_b', status: 'running' }], count: 2 },
      { sessions: [{ status: 'running' }], count: 1 },
      { sessions: [{ id: 'sess_b', currentUrl: 'x'.repeat(5 * 2 ** 20) }], count: 1 },
    ];
    for (const json of lists) {
      server.misbehave('GET', /sessions$/, { kind: 'answer', answer: { status: 200, json } });
      assert.equal(await provider.probe(session, unaborted), 'unknown');
      assert.equal((await errorOf(provider.end(session, unaborted))).trouble.kind, 'notFound');
      server.behave();
    }
    const json = { sessions: [{ id: 'sess_b', status: 'running' }], count: 1 };
    server.misbehave('GET', /sessions$/, { kind: 'answer', answer: { status: 200, json } });
    assert.equal(await provider.probe(session, unaborted), 'gone');
  });

  it('shows the host of a session’s page where the gateway reports its address, and doesn’t call it a name', async () => {
    server.add({ id: 'sess_a', currentUrl: 'https://shop.example/cart?token=1' });
    server.add({ id: 'sess_b', currentUrl: 'about:blank' });
    server.add({ id: 'sess_c' });
    const { sessions } = await listed();
    assert.deepEqual(
      sessions.map(({ name, host }) => [name, host]),
      [
        [undefined, 'shop.example'],
        [undefined, undefined],
        [undefined, undefined],
      ],
    );
  });

  it('says when the gateway counts more sessions than it lists', async () => {
    const answer = { status: 200, json: { sessions: [{ id: 'sess_a', status: 'running' }], count: 12 } };
    server.misbehave('GET', /sessions$/, { kind: 'answer', answer }, 1);
    assert.deepEqual((await listed()).faults, [
      // Any session may be among them.
      { subject: 'The list', what: 'the gateway left out 11 of 12 sessions', unnamed: true },
    ]);
  });

  it('calls nothing gone that it doesn’t find while its list is missing a session or can’t be read', async () => {
    server.add({ id: 'sess_a' });
    const session = await only();
    server.findsNothing = true;
    assert.equal(await provider.probe(session, unaborted), 'running');
    server.hidden.add('sess_a');
    assert.equal(await provider.probe(session, unaborted), 'unknown');
    assert.equal((await errorOf(provider.end(session, unaborted))).trouble.kind, 'notFound');
    server.sessions.clear();
    for (const odd of [{}, { id: 'sess_a', status: 7, createdAt: {} }, null, { id: 'all' }]) {
      server.oddRows.splice(0, 1, odd);
      assert.notEqual(await provider.probe(session, unaborted), 'gone', JSON.stringify(odd));
    }
    server.oddRows.length = 0;
    assert.equal(await provider.probe(session, unaborted), 'gone');
  });

  it('asks again after the list, since the gateway may have been out of order when it didn’t find a session', async () => {
    server.add({ id: 'sess_a' });
    const session = await only();
    server.listsNothing = true;
    const answer = { status: 404, json: { error: 'Session not found' } };
    server.misbehave('GET', /sess_a$/, { kind: 'answer', answer }, 1);
    assert.equal(await provider.probe(session, unaborted), 'running');
  });

  it('ignores a session under another id than the one it asked about', async () => {
    server.add({ id: 'sess_a' });
    const session = await only();
    const answer = { status: 200, json: { session: { id: 'sess_b', status: 'stopped' } } };
    server.misbehave('GET', /sess_a$/, { kind: 'answer', answer }, 1);
    assert.equal(await provider.probe(session, unaborted), 'unknown');
  });

  it('ends no other session that got the id after the list, and reports that the confirmed one is gone', async () => {
    const createdAt = new Date(Date.now() - 60_000).toISOString();
    for (const [before, after] of [
      [{ createdAt }, {}],
      [
        { createdAt, profileName: 'shop' },
        { createdAt, profileName: 'bank' },
      ],
      [{ profileName: 'shop' }, { createdAt: undefined, profileName: 'bank' }],
    ] as const) {
      server.sessions.clear();
      server.add({ id: 'sess_a', ...before });
      const confirmed = await only();
      assert.equal(await provider.probe(confirmed, unaborted), 'running');
      server.reuse('sess_a', after);
      const deletions = () => server.log().filter((line) => line.startsWith('DELETE')).length;
      const sent = deletions();
      const error = await errorOf(provider.end(confirmed, unaborted));
      assert.equal(error.trouble.kind, 'otherSession');
      assert.equal(deletions(), sent);
      assert.deepEqual(server.running, ['sess_a']);
      assert.equal(await provider.probe(confirmed, unaborted), 'gone');
      // When one response has only the documented fields, the list decides.
      const documented = {
        status: 200,
        json: { session: { id: 'sess_a', cdpUrl: '', liveViewUrl: '', status: 'running' } },
      };
      server.misbehave('GET', /sess_a$/, { kind: 'answer', answer: documented });
      assert.equal((await errorOf(provider.end(confirmed, unaborted))).trouble.kind, 'otherSession');
      assert.equal(await provider.probe(confirmed, unaborted), 'gone');
      server.behave();
      await provider.end(await only(), unaborted);
      assert.deepEqual(server.running, []);
    }
  });

  it('takes a session for the same one when its list and its other answers report the start to different precision', async () => {
    server.add({ id: 'sess_a', createdAt: '2026-11-27T07:00:00Z' });
    const session = await only();
    server.sessions.clear();
    server.add({ id: 'sess_a', createdAt: '2026-11-27T07:00:00.412Z' });
    assert.equal(await provider.probe(session, unaborted), 'running');
    // The list may leave it out.
    server.hidden.add('sess_a');
    assert.equal(await provider.probe(session, unaborted), 'running');
    await provider.end(session, unaborted);
    assert.deepEqual(server.running, []);
  });

  it('doesn’t call a session gone that its own answer has another start for, while the list leaves it out', async () => {
    server.add({ id: 'sess_a', createdAt: '2026-11-27T07:00:00Z' });
    const session = await only();
    server.sessions.clear();
    server.add({ id: 'sess_a', createdAt: '2026-11-27T07:00:04Z' });
    server.hidden.add('sess_a');
    assert.equal(await provider.probe(session, unaborted), 'unknown');
  });

  it('sends no end while it can’t tell whether the session is still the confirmed one', async () => {
    server.add({ id: 'sess_a', createdAt: new Date().toISOString() });
    const session = await only();
    server.misbehave('GET', /./, { kind: 'answer', answer: { status: 403, json: {} } });
    assert.equal((await errorOf(provider.end(session, unaborted))).trouble.kind, 'forbidden');
    assert.deepEqual(server.running, ['sess_a']);
  });

  it('sends an end without checking first when the gateway reports nothing to recognize a session by', async () => {
    server.add({ id: 'sess_a' });
    const session = await only();
    const before = server.requests.length;
    await provider.end(session, unaborted);
    assert.deepEqual(server.log().slice(before), ['DELETE /api/browser-automation/sessions/sess_a']);
  });

  it('waits for an end as long as a gateway takes whose provider is retried', async function () {
    this.timeout(40_000);
    server.add({ id: 'sess_a' });
    const session = await only();
    server.misbehave('DELETE', /./, { kind: 'slow', ms: 17_000 }, 1);
    assert.equal((await provider.end(session, unaborted)).outcome, 'accepted');
    assert.deepEqual(server.running, []);
  });
});
