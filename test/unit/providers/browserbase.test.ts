import { strict as assert } from 'node:assert';
import { pageId, sessionId } from '../../../src/core/ids.ts';
import type { Link, Provider } from '../../../src/core/provider.ts';
import type { Session } from '../../../src/core/session.ts';
import { browserbase } from '../../../src/providers/browserbase/index.ts';
import { type BrowserbaseServer, startBrowserbase } from '../../servers/browserbase.ts';
import { type StagehandServer, startStagehand } from '../../servers/stagehand.ts';
import { troubleOf } from '../errors.ts';
import { TestServices } from '../services/testServices.ts';
import { connect, RecordingLog, realNetwork, unaborted } from '../testNetwork.ts';

/** The example id in Stagehand's own document. */
const documentedId = 'c4dbf3a9-9a58-4b22-8a1c-9f20f9f9e123';
const quietly = { stop: unaborted, onProgress: () => {} };

describe('Browserbase', () => {
  let server: BrowserbaseServer;
  let stagehand: StagehandServer;
  let provider: Provider;

  beforeEach(async () => {
    server = await startBrowserbase();
    stagehand = await startStagehand(server);
    ({ provider } = connect(browserbase, server.url, { apiKey: server.key, stagehandOrigin: stagehand.url }));
  });
  afterEach(async () => {
    const unknown = server.unknownRequests + stagehand.unknownRequests;
    await Promise.all([server.stop(), stagehand.stop()]);
    assert.equal(unknown, 0, 'a path was asked for that the provider does not document');
  });

  async function listed(from = provider): Promise<Session[]> {
    const pages = await Array.fromAsync(from.list(unaborted));
    return [...new Map(pages.flatMap(({ sessions }) => sessions.map((one) => [one.id, one] as const))).values()];
  }

  async function only(from = provider): Promise<Session> {
    const [session] = await listed(from);
    assert.ok(session);
    return session;
  }

  it('takes nothing from an answer about another session than the one it asked about', async () => {
    server.add({ id: 'a' });
    const session = await only();
    const answer = { status: 200, json: { id: 'b', status: 'COMPLETED' } };
    server.misbehave('GET', /sessions\/a$/, { kind: 'answer', answer });
    assert.equal(await troubleOf(provider.probe(session, unaborted)), 'unexpectedAnswer');
    assert.equal(await troubleOf(provider.endCause?.(session.id, unaborted) ?? assert.fail()), 'unexpectedAnswer');
    server.misbehave('POST', /sessions\/a$/, { kind: 'answer', answer });
    assert.equal(await troubleOf(provider.end(session, unaborted)), 'unexpectedAnswer');
  });

  it('reports the project and its limit', async () => {
    assert.deepEqual(await provider.check(unaborted), {
      identity: 'checkout-bots',
      sessionLimit: 25,
      note: undefined,
    });
    server.projects.push({ id: 'other', name: 'other', concurrency: 3 });
    assert.equal((await provider.check(unaborted)).sessionLimit, undefined);
    const named = connect(browserbase, server.url, { apiKey: server.key, projectId: 'other' }).provider;
    assert.equal((await named.check(unaborted)).sessionLimit, 3);
  });

  it('ends a session that was confirmed while it was pending, and has its start time from then on', async () => {
    const services = new TestServices();
    try {
      const createdAt = new Date(Date.now() - 60_000);
      const session = server.add({ id: 'slow', status: 'PENDING', createdAt, startedAt: undefined });
      const accountId = await services.add('browserbase', server.url, { apiKey: server.key });
      const [confirmed] = services.store.state(accountId)?.contents.sessions.values() ?? [];
      assert.ok(confirmed);
      assert.equal(confirmed.startedAt, createdAt.getTime());
      Object.assign(session, { status: 'RUNNING', startedAt: new Date(Date.now() - 10_000) });
      await services.refresher.refresh(accountId);
      const { results } = await services.ender.end([{ accountId, session: confirmed }], quietly);
      assert.deepEqual(
        results.map(({ outcome }) => outcome),
        ['ended'],
      );
      assert.deepEqual(server.running, []);
    } finally {
      services.dispose();
    }
  });

  it('reads what the project has used, and ignores figures that aren’t valid', async () => {
    const used = async () => {
      const { provider: another } = connect(browserbase, server.url, { apiKey: server.key });
      const pages = await Array.fromAsync(another.list(unaborted));
      return pages.findLast(({ account }) => account !== undefined)?.account;
    };
    assert.deepEqual((await used())?.usage, [
      { unit: 'minutes', used: 1_234 },
      { unit: 'proxyBytes', used: 1_500_000_000 },
    ]);
    for (const odd of ['many', '-1', -1, 1e300, null, { minutes: 3 }]) {
      server.usage = { browserMinutes: odd, proxyBytes: odd };
      const facts = await used();
      assert.equal(facts?.usage, undefined, JSON.stringify(odd));
      assert.equal(facts?.sessionLimit, 25);
    }
    server.misbehave('GET', /usage/, { kind: 'answer', answer: { status: 403, json: {} } });
    assert.equal((await used())?.sessionLimit, 25);
  });

  it('lists without waiting for what the project has used, and requests that rarely', async () => {
    server.add({ id: 'one' });
    server.misbehave('GET', /usage/, { kind: 'silent' });
    const began = Date.now();
    for (let count = 0; count < 3; count++) assert.equal((await listed()).length, 1);
    assert.ok(Date.now() - began < 5_000, `${Date.now() - began} ms`);
    assert.equal(server.log().filter((line) => line.endsWith('/usage')).length, 1);
  });

  it('asks for the limit seldom, though it lists often', async () => {
    for (let count = 0; count < 3; count++) await listed();
    assert.equal(server.log().filter((line) => line === 'GET /v1/projects').length, 1);
  });

  it('trap B1: lists what is pending and what is running, and nothing from the history', async () => {
    const createdAt = new Date(Date.now() - 60_000);
    server.add({ id: 'pending', status: 'PENDING' });
    server.add({ id: 'running', createdAt, keepAlive: true, userMetadata: { name: 'nightly', job: 'shop' } });
    for (const status of ['COMPLETED', 'ERROR', 'TIMED_OUT']) server.add({ status });
    const sessions = await listed();
    assert.deepEqual(
      sessions.map(({ id, phase }) => [id, phase]),
      [
        ['pending', 'starting'],
        ['running', 'running'],
      ],
    );
    const running = sessions[1];
    assert.equal(running?.name, 'nightly');
    assert.equal(running?.region, 'us-west-2');
    assert.equal(running?.startedAt, createdAt.getTime());
    assert.deepEqual(running?.traits, ['keep alive']);
    assert.deepEqual(new Map(running?.metadata), new Map(Object.entries({ name: 'nightly', job: 'shop' })));
  });

  it('doesn’t miss a session that starts running between its two requests', async () => {
    const session = server.add({ status: 'PENDING' });
    const begin = provider.list(unaborted)[Symbol.asyncIterator]();
    await begin.next();
    session.status = 'RUNNING';
    const { value } = await begin.next();
    assert.deepEqual(
      value.sessions.map(({ id }: Session) => id),
      [session.id],
    );
  });

  it('shows labels as tags, in either form, and reports nothing when a list has none', async () => {
    for (const [labels, tags] of [
      [undefined, []],
      [
        ['beta', 'gpt6'],
        ['beta', 'gpt6'],
      ],
      [
        [
          { id: 'l1', name: 'beta' },
          { id: 'l2', name: 'verizon.com' },
        ],
        ['beta', 'verizon.com'],
      ],
      [['beta', null, { id: 'l3' }, 7, ''], ['beta']],
      ['beta', []],
    ] as const) {
      server.sessions.clear();
      server.add({ labels });
      assert.deepEqual((await only()).tags, tags);
    }
  });

  it('trap B2: takes only the status from a response that contains the signing key', async () => {
    server.add({ id: 'a' });
    const session = await only();
    assert.equal(await provider.probe(session, unaborted), 'running');
    assert.ok(!JSON.stringify(await listed()).includes('canary'));
  });

  it('trap B3: reads metadata that isn’t text', async () => {
    server.add({ userMetadata: { nested: { a: [1] }, count: 3, none: null, name: 7 } });
    const { metadata, name } = await only();
    assert.deepEqual(
      [...metadata],
      [
        ['nested', '{"a":[1]}'],
        ['count', '3'],
        ['none', 'null'],
        ['name', '7'],
      ],
    );
    assert.equal(name, '7');
  });

  it('trap B4: accepts any 2xx', async () => {
    server.add({ id: 'a' });
    const session = await only();
    const answer = { status: 201, json: { status: 'COMPLETED' } };
    server.misbehave('POST', /./, { kind: 'doneBut', answer }, 1);
    assert.equal((await provider.end(session, unaborted)).outcome, 'ended');
  });

  it('releases a session by the documented request, and calls it ended only when its status says so', async () => {
    const releasing = server.add({ id: 'a' });
    server.immortal.add('a');
    const session = await only();
    assert.deepEqual(await provider.end(session, unaborted), { outcome: 'accepted', how: undefined });
    const request = server.requests.find(({ method }) => method === 'POST');
    assert.equal(request?.path, '/v1/sessions/a');
    assert.equal(request?.body, '{"status":"REQUEST_RELEASE"}');
    assert.equal(await provider.probe(session, unaborted), 'running');
    releasing.status = 'COMPLETED';
    assert.equal(await provider.probe(session, unaborted), 'gone');
    assert.ok(!server.log().some((line) => line.startsWith('DELETE')));
  });

  it('treats a failed release as “already ended” only when the status is final', async () => {
    server.add({ id: 'a' });
    const session = await only();
    for (const status of [400, 404, 409]) {
      server.misbehave('POST', /./, { kind: 'answer', answer: { status, json: { message: 'no' } } }, 1);
      await troubleOf(provider.end(session, unaborted));
    }
    assert.deepEqual(server.running, ['a']);
    const [one] = server.sessions.values();
    assert.ok(one);
    one.status = 'TIMED_OUT';
    assert.equal((await provider.end(session, unaborted)).outcome, 'alreadyGone');
    assert.equal((await provider.end({ ...session, id: sessionId('never') }, unaborted)).outcome, 'alreadyGone');
  });

  it('asks for the status of many at once, and separately for any that is left out', async () => {
    const [first, second, third] = [server.add(), server.add(), server.add()];
    const sessions = await listed();
    first.status = 'TIMED_OUT';
    second.status = 'SUSPENDED';
    server.sessions.delete(third.id);
    const unknown = sessions.find(({ id }) => id === third.id);
    assert.ok(unknown);
    assert.equal(await provider.probe(unknown, unaborted), 'notFound');
    assert.deepEqual(
      await provider.probeMany?.(sessions, unaborted),
      new Map([
        [first.id, 'gone'],
        [second.id, 'running'],
      ]),
    );
  });

  it('follows a release to a final status before calling it ended', async () => {
    const services = new TestServices();
    try {
      const [first, second, third] = [server.add(), server.add(), server.add()];
      server.releaseLagMs = 150;
      server.immortal.add(second.id);
      const id = await services.add('browserbase', server.url, { apiKey: server.key });
      const targets = [...(services.store.state(id)?.contents.sessions.values() ?? [])].map((session) => ({
        accountId: id,
        session,
      }));
      // What is in neither list may still be running: here under an unknown status.
      third.status = 'SUSPENDED';
      server.immortal.add(third.id);
      const { results } = await services.ender.end(targets, quietly);
      const outcomes = new Map(results.map(({ session, outcome }) => [session.id as string, outcome]));
      assert.equal(outcomes.get(first.id), 'ended');
      assert.equal(outcomes.get(second.id), 'stuck');
      assert.equal(outcomes.get(third.id), 'stuck');
    } finally {
      services.dispose();
    }
  });

  it('creates short-lived live views each time, one for each page', async () => {
    const pages = [
      { id: 'p1', title: 'Cart', url: 'https://shop.example/cart' },
      { id: 'p2', title: 'Pay', url: 'about:blank' },
    ];
    server.add({ id: 'a', pages });
    const id = sessionId('a');
    assert.deepEqual(await provider.pages?.(id, unaborted), pages);
    const first = await provider.liveView?.(id, undefined, 'watch', unaborted);
    const again = await provider.liveView?.(id, undefined, 'watch', unaborted);
    assert.notEqual(first?.url.href, again?.url.href);
    const second = await provider.liveView?.(id, pageId('p2'), 'watch', unaborted);
    assert.match(second?.url.pathname ?? '', /^\/devtools-fullscreen\/a\/p2\//);
    assert.equal(second?.sandbox, 'allow-same-origin allow-scripts');
    // The user who copies it has to be told.
    assert.equal(second.expiresInMs, 600_000);
    for (const { path, query } of server.requests) {
      if (path.endsWith('/debug')) assert.ok(Number(query.get('expiresIn')) <= 600);
    }
    assert.equal(await troubleOf(provider.liveView?.(id, pageId('p3'), 'watch', unaborted)), 'notFound');
  });

  it('reports how a session ended, and when', async () => {
    const session = server.add({ id: 'a' });
    const endCause = () => provider.endCause?.(sessionId('a'), unaborted);
    assert.equal(await endCause(), undefined);
    for (const [status, how] of [
      ['COMPLETED', 'completed'],
      ['TIMED_OUT', 'timedOut'],
      ['ERROR', 'failed'],
    ] as const) {
      session.status = status;
      const cause = await endCause();
      assert.equal(cause?.how, how);
      assert.ok(Math.abs((cause?.endedAt ?? 0) - Date.now()) < 10_000);
    }
    server.sessions.delete('a');
    assert.equal(await endCause(), undefined);
  });

  it('recognizes the message by which a live view reports that its session is over', async () => {
    server.add({ id: 'a' });
    const view = await provider.liveView?.(sessionId('a'), undefined, 'watch', unaborted);
    assert.equal(view?.disconnectMessage, 'browserbase-disconnected');
  });

  it('rejects a live view on any address other than the provider’s', async () => {
    server.add({ id: 'a' });
    for (const debuggerFullscreenUrl of ['https://evil.example/', 'javascript:alert(1)', 'http://10.0.0.1/', '']) {
      const answer = { status: 200, json: { debuggerFullscreenUrl, pages: [] } };
      server.misbehave('GET', /debug$/, { kind: 'answer', answer }, 1);
      const view = provider.liveView?.(sessionId('a'), undefined, 'watch', unaborted);
      assert.equal(await troubleOf(view), 'unexpectedAnswer', debuggerFullscreenUrl);
    }
  });

  it('links to the dashboard only for the provider’s own cloud', () => {
    const own = connect(browserbase, 'https://api.browserbase.com', { apiKey: 'k' }).provider;
    assert.equal(own.dashboard?.(sessionId('a')).href, 'https://www.browserbase.com/sessions/a');
    assert.equal(provider.dashboard, undefined);
  });

  describe('with Stagehand', () => {
    it('ends a Stagehand session exactly as documented', async () => {
      stagehand.startSession(documentedId);
      const session = await only();
      assert.deepEqual(session.traits, ['Stagehand']);
      assert.deepEqual(await provider.end(session, unaborted), { outcome: 'ended', how: 'Stagehand ended it.' });
      const [request] = stagehand.requests;
      assert.equal(`${request?.method} ${request?.path}`, `POST /v1/sessions/${documentedId}/end`);
      assert.equal(request?.body, '');
      assert.equal(request?.headers['x-bb-api-key'], server.key);
      assert.equal(request?.headers['content-type'], undefined);
      assert.equal(request?.headers['x-bb-project-id'], undefined);
      assert.deepEqual(server.running, []);
      assert.ok(!server.log().some((line) => line.startsWith('POST')));
    });

    it('releases through Browserbase what is still running after Stagehand reported success', async () => {
      stagehand.releasesNothing = true;
      stagehand.startSession('never-used');
      assert.deepEqual(await provider.end(await only(), unaborted), {
        outcome: 'accepted',
        how: 'Stagehand ended it, and Browserbase released it.',
      });
      assert.deepEqual(server.running, []);
      stagehand.releasesNothing = false;
      stagehand.startSession('kept', { keepAlive: true });
      await provider.end(await only(), unaborted);
      assert.deepEqual(server.running, []);
      assert.equal(server.log().filter((line) => line.startsWith('POST')).length, 2);
    });

    it('releases a session even when its status can’t be read after Stagehand’s end', async () => {
      stagehand.releasesNothing = true;
      stagehand.startSession('a');
      const session = await only();
      server.misbehave('GET', /sessions\/a$/, { kind: 'answer', answer: { status: 502, html: '<h1>Bad</h1>' } }, 4);
      assert.equal((await provider.end(session, unaborted)).outcome, 'accepted');
      assert.deepEqual(server.running, []);
    });

    it('sends no end to Stagehand for a session that Stagehand 4 started, which releases through Browserbase', async () => {
      for (const [id, version] of [
        ['ts', '4.0.2'],
        ['next', '10.1.0'],
        ['py', '0.0.0-dev'],
      ] as const) {
        const userMetadata = { stagehand: 'true', stagehand_sdk_language: id, stagehand_sdk_version: version };
        stagehand.startSession(id, { userMetadata });
        const session = await only();
        assert.deepEqual(session.traits, ['Stagehand']);
        assert.deepEqual(await provider.end(session, unaborted), { outcome: 'accepted', how: undefined });
        assert.deepEqual(server.running, []);
      }
      assert.equal(stagehand.requests.length, 0);
      stagehand.startSession('old', { userMetadata: { stagehand: 'true', stagehand_sdk_version: '3.9.0' } });
      await provider.end(await only(), unaborted);
      assert.equal(stagehand.requests.length, 1);
    });

    it('sends the project when one is configured', async () => {
      stagehand.startSession('a');
      const credentials = { apiKey: server.key, projectId: 'project-1', stagehandOrigin: `${stagehand.url}/v1` };
      const withProject = connect(browserbase, server.url, credentials).provider;
      await withProject.end(await only(withProject), unaborted);
      assert.equal(stagehand.requests[0]?.headers['x-bb-project-id'], 'project-1');
      assert.deepEqual(server.running, []);
    });

    it('asks Browserbase about a session that Stagehand doesn’t know, and releases what is still running', async () => {
      stagehand.startSession('a');
      const session = await only();
      stagehand.known.clear();
      assert.deepEqual(await provider.end(session, unaborted), {
        outcome: 'accepted',
        how: "Stagehand didn't recognize it, so Browserbase released it.",
      });
      assert.deepEqual(server.running, []);
      assert.deepEqual(await provider.end(session, unaborted), { outcome: 'alreadyGone', how: undefined });
    });

    it('releases what Stagehand can’t end: down, broken, in another region, or with a negative response', async () => {
      const answers = [
        { status: 500, json: { success: false, message: 'Internal error' } },
        { status: 401, json: { success: false, error: 'Unauthorized' } },
        { status: 400, json: { success: false, message: 'Session is in region us-east-1' } },
        { status: 200, json: { success: false } },
        { status: 200, html: '<h1>Down for maintenance</h1>' },
      ];
      for (const [index, answer] of answers.entries()) {
        stagehand.startSession(`a${index}`);
        const session = await only();
        stagehand.misbehave('POST', /./, { kind: 'answer', answer }, 1);
        assert.deepEqual(await provider.end(session, unaborted), {
          outcome: 'accepted',
          how: "Stagehand couldn't end it, so Browserbase released it.",
        });
        assert.deepEqual(server.running, []);
      }
      stagehand.startSession('last');
      const session = await only();
      await stagehand.stop();
      assert.match((await provider.end(session, unaborted)).how ?? '', /Stagehand couldn't end it/);
      assert.deepEqual(server.running, []);
    });

    it('reports how a session ended', async () => {
      const services = new TestServices();
      try {
        stagehand.startSession('known');
        stagehand.startSession('unknown');
        stagehand.known.delete('unknown');
        const credentials = { apiKey: server.key, stagehandOrigin: stagehand.url };
        const id = await services.add('browserbase', server.url, credentials);
        const sessions = [...(services.store.state(id)?.contents.sessions.values() ?? [])];
        const targets = sessions.map((session) => ({ accountId: id, session }));
        const { results } = await services.ender.end(targets, quietly);
        assert.deepEqual(
          new Map(results.map(({ session, how }) => [session.id as string, how])),
          new Map([
            ['known', 'Stagehand ended it.'],
            ['unknown', "Stagehand didn't recognize it, so Browserbase released it."],
          ]),
        );
        assert.ok(results.every(({ outcome }) => outcome === 'ended'));
        assert.ok(services.log.lines.some((line) => /known: ended, 1 sent, \d+ ms: Stagehand ended it\.$/.test(line)));
      } finally {
        services.dispose();
      }
    });

    it('uses the host of the session’s region', async () => {
      const hosts = {
        'us-west-2': 'api.stagehand.browserbase.com',
        'us-east-1': 'api.use1.stagehand.browserbase.com',
        'eu-central-1': 'api.euc1.stagehand.browserbase.com',
        'ap-southeast-1': 'api.apse1.stagehand.browserbase.com',
      };
      const origin = new URL('https://api.browserbase.com');
      const credentials = { apiKey: server.key };
      assert.deepEqual(
        browserbase.furtherAddresses(origin, credentials).map(({ host }) => host),
        Object.values(hosts),
      );
      const network = realNetwork(new RecordingLog());
      const asked: string[] = [];
      // The provider's addresses, served by the servers here.
      const link: Link = {
        origin,
        credentials,
        http: network.http(new URL(server.url), [server.key], {}),
        httpTo: (address) => {
          asked.push(address.href);
          return network.http(new URL(stagehand.url), [server.key], {});
        },
        cdp: network.cdp(origin),
        clock: network.clock,
        setting: () => false,
        localPort: () => assert.fail('not used'),
        isShownElsewhere: () => false,
        hasAccountAt: () => false,
      };
      const cloud = browserbase.connect(link);
      for (const region of Object.keys(hosts)) {
        server.add({ region, userMetadata: { stagehand: 'true' } });
        await cloud.end(await only(cloud), unaborted);
        assert.deepEqual(server.running, []);
      }
      assert.deepEqual(
        asked,
        Object.values(hosts).map((host) => `https://${host}/`),
      );
      server.add({ region: 'mars-1', userMetadata: { stagehand: 'true' } });
      assert.match((await cloud.end(await only(cloud), unaborted)).how ?? '', /no known address for its region/);
      assert.equal(asked.length, 4);
    });

    it('sends the key to no Stagehand host when the account is at another address', async () => {
      const credentials = { apiKey: server.key };
      assert.deepEqual(browserbase.furtherAddresses(new URL(server.url), credentials), []);
      server.add({ userMetadata: { stagehand: 'true' } });
      const elsewhere = connect(browserbase, server.url, credentials).provider;
      const { how } = await elsewhere.end(await only(elsewhere), unaborted);
      assert.match(how ?? '', /^Browserbase released it/);
      assert.deepEqual(server.running, []);
    });
  });
});
