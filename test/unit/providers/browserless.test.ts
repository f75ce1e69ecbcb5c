import { strict as assert } from 'node:assert';
import { takeScreenshot } from '../../../src/cdp/screenshot.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { sessionId } from '../../../src/core/ids.ts';
import type { Inventory } from '../../../src/core/inventory.ts';
import { capabilitiesOf, type Provider } from '../../../src/core/provider.ts';
import type { Session } from '../../../src/core/session.ts';
import { bestName } from '../../../src/core/sessionName.ts';
import { unlistedSession } from '../../../src/core/unlistedSession.ts';
import { browserless } from '../../../src/providers/browserless/index.ts';
import { thisMachine } from '../../../src/providers/local/thisMachine.ts';
import { connect as connectBy } from '../../../src/services/accounts/connect.ts';
import { troubleSentence } from '../../../src/ui/text/troubles.ts';
import { browserlessMissing, type RunningBrowserless, startBrowserlessWorkers } from '../../host/browserless.ts';
import { startChromium } from '../../host/chromium.ts';
import { useBrowserless } from '../../host/useBrowserless.ts';
import { type BalancerServer, startBalancer } from '../../servers/balancer.ts';
import { type BrowserlessCloudServer, startBrowserlessCloud } from '../../servers/browserlessCloud.ts';
import { type BrowserlessV1Server, startBrowserlessV1 } from '../../servers/browserlessV1.ts';
import { type BrowserlessV2Server, startBrowserlessV2 } from '../../servers/browserlessV2.ts';
import { startCdpRelay } from '../../servers/cdpRelay.ts';
import { ProviderServer } from '../../servers/providerServer.ts';
import { startRelay } from '../../servers/relay.ts';
import { errorOf } from '../errors.ts';
import { fastClock, TestServices } from '../services/testServices.ts';
import { connect, RecordingLog, realNetwork, unaborted } from '../testNetwork.ts';

const quietly = { stop: unaborted, onProgress: () => {} };
const withAccountApi = new Set(['browserless.accountApi']);

/** The result of a list once all of its pages are there. */
async function listed(provider: Provider) {
  const pages: Inventory[] = await Array.fromAsync(provider.list(unaborted));
  return {
    sessions: pages.flatMap(({ sessions }) => sessions),
    faults: pages.flatMap(({ faults }) => faults),
    account: pages.findLast(({ account }) => account !== undefined)?.account,
  };
}

async function only(provider: Provider): Promise<Session> {
  const [session] = (await listed(provider)).sessions;
  assert.ok(session);
  return session;
}

/** A server that responds as v2 does, with the test's own rows. */
function startV2Like(rows: unknown, { pressure = true, sessions = true } = {}): Promise<ProviderServer> {
  const nothing = () => ({ status: 404, text: 'Not Found' });
  return new ProviderServer({
    routes: {
      'GET /meta': () => ({ status: 200, json: { version: '2.42.0' } }),
      'GET /sessions': () => (sessions ? { status: 200, json: rows } : nothing()),
      'GET /pressure': () => (pressure ? { status: 200, json: { pressure: { maxConcurrent: 5 } } } : nothing()),
    },
    notFound: nothing,
  }).start();
}

describe('Browserless', () => {
  describe('v1', () => {
    let server: BrowserlessV1Server;
    let provider: Provider;
    let log: RecordingLog;

    beforeEach(async () => {
      server = await startBrowserlessV1();
      ({ provider, log } = connect(browserless, server.url, { token: server.token ?? '' }));
    });
    afterEach(() => server.stop());

    it('is recognized by its error text, and named in the account', async () => {
      assert.deepEqual(await provider.check(unaborted), { identity: 'v1', sessionLimit: 10, note: undefined });
      assert.deepEqual(server.log().slice(0, 2), ['GET /meta', 'GET /sessions']);
      assert.ok(capabilitiesOf(provider).has('endEverything'));
      assert.ok(!capabilitiesOf(provider).has('liveView'));
    });

    it('gets its token as the name of Basic authentication, and nowhere else that can be read', async () => {
      server.add();
      const session = await only(provider);
      await provider.end(session, unaborted);
      for (const { path, query, headers } of server.requests.filter(({ path }) => path !== '/meta')) {
        assert.equal(query.get('token'), null, path);
        assert.equal(headers['authorization'], `Basic ${Buffer.from(`${server.token}:`).toString('base64')}`);
      }
      assert.ok(!log.lines.join('\n').includes('canary'));
      assert.ok(log.lines.some((line) => line.includes('GET /kill/{id}: 204')));
    });

    it('trap L6: reports a token that is refused with 403 as rejected', async () => {
      const { provider: wrong } = connect(browserless, server.url, { token: 'wrong-token' });
      assert.equal((await errorOf(wrong.check(unaborted))).trouble.kind, 'unauthorized');
    });

    it('connects to DevTools with its token, and reveals it nowhere else, not in an address either', async () => {
      const chromium = await startChromium();
      try {
        const { webSocketDebuggerUrl } = await (await fetch(`${chromium.endpoint}/json/version`)).json();
        server.add({ id: 'browser-1', devtools: webSocketDebuggerUrl });
        const { id } = await only(provider);
        const devtools = await provider.devtools?.(id, unaborted);
        const { product } = (await devtools?.connection.send('Browser.getVersion', {}, unaborted)) ?? {};
        assert.match(String(product), /Chrome/);
        assert.ok(devtools?.owns('whatever'));
        devtools?.connection.dispose();
        assert.deepEqual(server.sockets, ['/devtools/browser/browser-1']);
        assert.ok(server.requests.every(({ query }) => !query.has('token')));
        server.token = 'another';
        const error = await errorOf(provider.devtools?.(id, unaborted) ?? assert.fail());
        assert.equal(error.trouble.kind, 'forbidden');
        assert.ok(!`${error.message} ${error.stack} ${String(error.cause)}`.includes('canary'));
        assert.ok(!log.lines.join('\n').includes('canary'));
      } finally {
        await chromium.stop();
      }
    });

    it('needs no token when the server has none, and sends none', async () => {
      server.token = undefined;
      server.add();
      const { provider: open } = connect(browserless, server.url);
      assert.equal((await only(open)).phase, 'running');
      assert.ok(server.requests.every(({ query }) => !query.has('token')));
    });

    it('trap L5: has one session for each browser, however many rows it has', async () => {
      const pages = [
        { id: 'A1', title: '', url: 'https://shop.example/' },
        { id: 'A2', title: 'Cart', url: 'https://shop.example/cart' },
      ];
      server.add({ id: 'browser-1', pages });
      server.add({ id: 'browser-2', trackingId: 'job-2' });
      const { sessions } = await listed(provider);
      assert.deepEqual(
        sessions.map((session) => [session.id, bestName(session).text, session.pages?.length]),
        [
          ['browser-1', 'Cart · shop.example', 2],
          ['browser-2', 'job-2', 1],
        ],
      );
      assert.deepEqual([...(sessions[1]?.metadata ?? [])], [['trackingId', 'job-2']]);
    });

    it('trap L2: doesn’t treat a 204 as confirmation', async () => {
      const services = new TestServices();
      try {
        server.add({ id: 'browser-1' });
        const id = await services.add('browserless', server.url, { token: server.token ?? '' });
        const session = services.store.session(id, sessionId('browser-1'));
        assert.ok(session);
        server.misbehave('GET', /kill/, { kind: 'answer', answer: { status: 204 } });
        const { results } = await services.ender.end([{ accountId: id, session }], quietly);
        assert.equal(results[0]?.outcome, 'stuck');
        assert.ok(services.store.session(id, session.id));
      } finally {
        services.dispose();
      }
    });

    it('doesn’t treat a list without a browser’s pages as confirmation: it may have closed its last page', async () => {
      const services = new TestServices();
      try {
        const job = server.add({ id: 'browser-1' });
        server.add({ id: 'browser-2' });
        const id = await services.add('browserless', server.url, { token: server.token ?? '' });
        server.browsers.set(job.id, { ...job, pages: [] });
        for (let times = 0; times < 3; times++) await services.refresher.refresh(id);
        assert.ok(services.store.session(id, sessionId('browser-1')));
        server.browsers.set(job.id, job);
        await services.refresher.refresh(id);
        assert.equal(services.store.life(id, sessionId('browser-1')).kind, 'running');
      } finally {
        services.dispose();
      }
    });

    it('doesn’t treat a list as confirmation when one of its rows can’t be identified', async () => {
      const services = new TestServices();
      try {
        server.add({ id: 'browser-1' });
        const id = await services.add('browserless', server.url, { token: server.token ?? '' });
        const session = services.store.session(id, sessionId('browser-1'));
        assert.ok(session);
        server.misbehave('GET', /kill/, { kind: 'answer', answer: { status: 204 } });
        server.misbehave('GET', /^\/sessions$/, {
          kind: 'answer',
          answer: { status: 200, json: [{ type: 'browser' }] },
        });
        const { results } = await services.ender.end([{ accountId: id, session }], quietly);
        assert.equal(results[0]?.outcome, 'stuck');
        assert.equal(results[0].why?.kind, 'unconfirmed');
        assert.ok(services.store.session(id, session.id));
      } finally {
        services.dispose();
      }
    });

    it('kills all by its one call, once, whatever it returns', async () => {
      server.add();
      await only(provider);
      for (const status of [500, 429, 503]) {
        server.misbehave('GET', /kill/, { kind: 'answer', answer: { status } }, 1);
        await errorOf(provider.endEverything?.(unaborted));
      }
      assert.equal(server.log().filter((line) => line === 'GET /kill/all').length, 3);
      await provider.endEverything?.(unaborted);
      assert.equal(server.browsers.size, 0);
    });

    it('trap L1: sends a kill once, though it is a GET', async () => {
      server.add({ id: 'browser-1' });
      const session = await only(provider);
      for (const fault of [
        { kind: 'answer', answer: { status: 503 } },
        { kind: 'cut', when: 'before' },
      ] as const) {
        const before = server.log().filter((line) => line.startsWith('GET /kill')).length;
        server.misbehave('GET', /kill/, fault, 1);
        await errorOf(provider.end(session, unaborted));
        assert.equal(server.log().filter((line) => line.startsWith('GET /kill')).length, before + 1);
      }
      assert.ok(!server.log().some((line) => line.startsWith('HEAD')));
    });

    it('trap L4: lets no id reach /kill that could be another path, or all', async () => {
      server.add({ id: 'browser-1' });
      const session = await only(provider);
      const before = server.requests.length;
      for (const bad of ['all', 'All', 'a.b', 'a/b', '', 'ä']) {
        await errorOf(provider.end({ ...session, id: bad as Session['id'] }, unaborted));
      }
      assert.equal(server.requests.length, before);
    });

    it('says when its list or its limit is turned off', async () => {
      server.disabled.add('pressure');
      assert.equal((await provider.check(unaborted)).sessionLimit, undefined);
      server.disabled.add('sessions');
      const error = await errorOf(listed(provider));
      assert.deepEqual(error.trouble, { kind: 'unsupported', reason: { kind: 'routeOff', route: '/sessions' } });
    });
  });

  describe('several workers behind one address', () => {
    let workers: BrowserlessV2Server[];
    let balancer: BalancerServer;
    let provider: Provider;

    beforeEach(async () => {
      workers = [await startBrowserlessV2(), await startBrowserlessV2()];
      balancer = await startBalancer(workers.map(({ url }) => url));
      ({ provider } = connect(browserless, balancer.url, { token: workers[0]?.token ?? '' }));
    });
    afterEach(async () => {
      await Promise.all([balancer.stop(), ...workers.map((worker) => worker.stop())]);
    });

    /** Sends the next requests to one worker. */
    function to(worker: number): void {
      balancer.down.clear();
      balancer.down.add(1 - worker);
    }

    it('tells an end by the worker that had the session from one by another, which says nothing', async () => {
      workers[0]?.add({ id: 'browser-0' });
      to(0);
      const session = await only(provider);
      to(1);
      assert.deepEqual(await provider.end(session, unaborted), { outcome: 'alreadyGone', how: undefined });
      assert.equal(await provider.probe(session, unaborted), 'unknown');
      assert.deepEqual(workers[0]?.running, ['browser-0']);
      to(0);
      assert.equal(await provider.probe(session, unaborted), 'running');
      assert.deepEqual(await provider.end(session, unaborted), { outcome: 'ended', how: undefined });
      assert.deepEqual(workers[0]?.running, []);
    });

    it('reports how many sessions the worker counts, but not with every list', async () => {
      workers[0]?.add({ id: 'browser-0' });
      to(0);
      const counts = async () => (await Array.fromAsync(provider.list(unaborted))).map(({ counted }) => counted);
      assert.deepEqual(await counts(), [undefined, 1]);
      // With two requests for each list, the lists would never reach the second of two workers.
      assert.deepEqual(await counts(), [undefined, undefined]);
    });

    it('shows one worker after the other even when the balancer takes turns', async () => {
      workers[0]?.add({ id: 'browser-0' });
      workers[1]?.add({ id: 'browser-1' });
      await listed(provider);
      const lists = [await only(provider), await only(provider), await only(provider)].map(({ id }) => id);
      assert.equal(new Set(lists).size, 2);
    });

    it('lists without a count when /pressure fails or is turned off, and then asks for it seldom', async () => {
      workers[0]?.add({ id: 'browser-0' });
      to(0);
      await provider.check(unaborted);
      for (const answer of [
        { status: 503, text: '' },
        { status: 404, text: 'Not Found' },
      ]) {
        balancer.misbehave('GET', /pressure/, { kind: 'answer', answer });
        const pages = await Array.fromAsync(provider.list(unaborted));
        assert.deepEqual(
          pages.map(({ sessions, counted }) => [sessions.length, counted]),
          [
            [1, undefined],
            [0, undefined],
          ],
        );
        assert.equal(pages.findLast(({ account }) => account !== undefined)?.account?.sessionLimit, 10);
      }
      const asked = () => balancer.log().filter((line) => line === 'GET /pressure').length;
      const before = asked();
      await listed(provider);
      assert.equal(asked(), before);
    });

    it('reports only an accepted end when a v1 server accepts a kill', async () => {
      const old = await startBrowserlessV1();
      try {
        old.add({ id: 'browser-1' });
        const { provider: v1 } = connect(browserless, old.url, { token: old.token ?? '' });
        const session = await only(v1);
        old.browsers.clear();
        assert.deepEqual(await v1.end(session, unaborted), { outcome: 'accepted', how: undefined });
        old.disabled.add('kill');
        assert.equal((await errorOf(v1.end(session, unaborted))).trouble.kind, 'unexpectedAnswer');
      } finally {
        await old.stop();
      }
    });

    it('ends no other browser that got the id after the list', async () => {
      const [worker] = workers;
      assert.ok(worker);
      to(0);
      for (const [before, after] of [
        [{ startedOn: Date.now() - 60_000 }, { startedOn: Date.now() }],
        [
          { trackingId: 'job-1', startedOn: 1 },
          { trackingId: 'job-2', startedOn: 1 },
        ],
      ]) {
        worker.add({ id: 'browser-0', ...before });
        const { provider: fresh } = connect(browserless, balancer.url, { token: worker.token ?? '' });
        const confirmed = await only(fresh);
        worker.add({ id: 'browser-0', ...after });
        const kills = () => balancer.log().filter((line) => line.startsWith('GET /kill')).length;
        const sent = kills();
        for (let attempt = 0; attempt < 2; attempt++) {
          assert.equal((await errorOf(fresh.end(confirmed, unaborted))).trouble.kind, 'otherSession');
        }
        assert.equal(kills(), sent);
        assert.deepEqual(worker.running, ['browser-0']);
      }
    });

    it('ends no other browser whose tracking id is the given one, and needs the list to know', async () => {
      const [worker] = workers;
      assert.ok(worker);
      to(0);
      worker.add({ id: 'browser-0', trackingId: 'job-1' });
      const kills = () => balancer.log().filter((line) => line.startsWith('GET /kill')).length;
      const refused = async (id: string) =>
        (await errorOf(provider.end(unlistedSession(sessionId(id)), unaborted))).trouble;
      assert.equal((await refused('job-1')).kind, 'otherSession');
      // After it was listed, its ID became another browser's tracking ID.
      worker.add({ id: 'browser-1', startedOn: 1 });
      const confirmed = (await listed(provider)).sessions.find(({ id }) => id === 'browser-1') ?? assert.fail();
      worker.add({ id: 'browser-2', trackingId: 'browser-1' });
      const { provider: fresh } = connect(browserless, balancer.url, { token: worker.token ?? '' });
      assert.equal((await errorOf(fresh.end(confirmed, unaborted))).trouble.kind, 'otherSession');
      const { provider: blind } = connect(browserless, balancer.url, { token: worker.token ?? '' });
      await listed(blind);
      balancer.misbehave('GET', /sessions/, { kind: 'answer', answer: { status: 500, text: 'no' } });
      const named = unlistedSession(sessionId('job-1'));
      assert.equal((await errorOf(blind.end(named, unaborted))).trouble.kind, 'serverFault');
      assert.equal(kills(), 0);
      // It doesn't look like a name, so it can only be a browser's ID.
      const random = unlistedSession(sessionId('2b0e5a5e-8f60-4d3a-9c4e-0f6f4d1c7a11'));
      assert.equal((await blind.end(random, unaborted)).outcome, 'alreadyGone');
      assert.equal(kills(), 1);
    });

    it('ends a browser though the list hangs, as it does while another browser is frozen', async () => {
      const [worker] = workers;
      assert.ok(worker);
      to(0);
      worker.add({ startedOn: 1 });
      const clock = fastClock(5);
      const network = realNetwork(new RecordingLog(), clock);
      const hasty = connectBy(browserless, balancer.url, { token: worker.token ?? '' }, network);
      const session = await only(hasty);
      balancer.misbehave('GET', /sessions/, { kind: 'silent' });
      const began = clock.monotonic();
      await hasty.end(session, unaborted);
      assert.ok(clock.monotonic() - began < 10_000);
      assert.deepEqual(worker.running, []);
    });

    it('reads the list once for many ends at a time, and still ends when it can’t be read', async () => {
      const [worker] = workers;
      assert.ok(worker);
      to(0);
      for (let index = 0; index < 20; index++) worker.add();
      const { sessions } = await listed(provider);
      const lists = () => balancer.log().filter((line) => line === 'GET /sessions').length;
      const before = lists();
      await Promise.all(sessions.slice(0, 10).map((session) => provider.end(session, unaborted)));
      assert.equal(lists(), before + 1);
      // A resent end goes to whichever worker is next, and not always to the one after a list's.
      const [again] = sessions;
      assert.ok(again);
      await provider.end(again, unaborted);
      assert.equal(lists(), before + 1);
      const { provider: other } = connect(browserless, balancer.url, { token: worker.token ?? '' });
      await listed(other);
      balancer.misbehave('GET', /sessions/, { kind: 'answer', answer: { status: 400, text: 'no' } });
      await Promise.all(sessions.slice(10).map((session) => other.end(session, unaborted)));
      assert.deepEqual(worker.running, []);
    });
  });

  describe('at the provider’s own addresses', () => {
    const servers: ProviderServer[] = [];
    afterEach(async () => {
      await Promise.all(servers.splice(0).map((server) => server.stop()));
    });

    /** The provider at one of its own addresses, served by a server here. */
    function at(host: string, server: ProviderServer, token: string): Provider {
      servers.push(server);
      const network = realNetwork(new RecordingLog());
      const http = network.http(new URL(server.url), [token], {});
      return browserless.connect({
        origin: new URL(`https://${host}`),
        credentials: { token },
        http,
        httpTo: () => http,
        cdp: network.cdp(new URL(server.url)),
        clock: network.clock,
        setting: () => true,
        localPort: () => assert.fail('not used'),
        isShownElsewhere: () => false,
        hasAccountAt: () => false,
      });
    }

    it('lists and ends by /sessions and /kill when a dedicated account has them, and never kills all', async () => {
      const dedicated = await startBrowserlessV2();
      dedicated.add({ id: 'browser-1' });
      const provider = at('production-sfo.browserless.io', dedicated, dedicated.token ?? '');
      const session = await only(provider);
      assert.equal(session.id, 'browser-1');
      assert.equal((await provider.check(unaborted)).identity, 'v2.42.0');
      // There is no way to tell whether others use that host.
      assert.equal(provider.endEverything, undefined);
      assert.equal((await provider.end(session, unaborted)).outcome, 'ended');
      assert.deepEqual(dedicated.running, []);
    });

    it('treats it as the shared cloud when it has no /sessions, however it refuses them', async () => {
      for (const answer of [
        { status: 404, text: 'Not Found' },
        { status: 401, text: 'Bad or missing authentication.' },
        { status: 403, text: 'Forbidden' },
        { status: 200, html: '<h1>Browserless</h1>' },
      ]) {
        const shared = await startBrowserlessCloud();
        shared.add({ id: 'browser-1' });
        shared.misbehave('GET', /^\/sessions$/, { kind: 'answer', answer });
        const provider = at('production-lon.browserless.io', shared, shared.token);
        const session = await only(provider);
        assert.equal(provider.endEverything, undefined);
        await provider.end(session, unaborted);
        assert.equal(shared.browsers.size, 0);
      }
    });

    it('names the regional addresses when the retired one responds', async () => {
      const said =
        'This URL is a legacy endpoint, please use https://production-sfo.browserless.io/ for REST API calls';
      for (const answer of [
        { status: 403, text: said },
        { status: 301, headers: { location: 'https://production-sfo.browserless.io/' } },
      ]) {
        const server = await new ProviderServer({ routes: {}, notFound: () => answer }).start();
        const provider = at('chrome.browserless.io', server, 'token');
        const { trouble } = await errorOf(provider.check(unaborted));
        assert.ok(trouble.kind === 'unexpectedAnswer');
        for (const region of ['sfo', 'lon', 'ams']) assert.match(trouble.what, new RegExp(`production-${region}\\.`));
      }
      const old = await startBrowserlessV1();
      old.add({ id: 'browser-1' });
      assert.equal((await only(at('chrome.browserless.io', old, old.token ?? ''))).id, 'browser-1');
    });
  });

  describe('v2, on simulated responses', () => {
    let server: ProviderServer;
    afterEach(() => server.stop());

    it('trap L5: has one session for each browser, and nothing from its rows that must stay private', async () => {
      const row = (browserId: string, more: object) => ({
        id: browserId,
        initialConnectURL: 'http://127.0.0.1:3977/chromium/?token=leaked-canary',
        isTempDataDir: true,
        launchOptions: { args: ['--proxy-server=http://user:proxy-canary@host'] },
        numbConnected: 1,
        startedOn: 1_795_304_295_267,
        trackingId: 'job-1',
        ttl: 0,
        browser: 'ChromiumCDP',
        browserId,
        killURL: `http://127.0.0.1:3977/kill/${browserId}`,
        running: true,
        type: 'browser',
        ...more,
      });
      const target = (browserId: string, type: string, id: string, title: string) =>
        row(browserId, { type, id, title, url: 'https://example.com/', webSocketDebuggerUrl: 'ws://x?token=canary' });
      server = await startV2Like([
        row('browser-1', {}),
        target('browser-1', 'page', 'P1', 'Hello A'),
        target('browser-1', 'browser_ui', 'U1', 'Omnibox Popup'),
        target('browser-1', 'iframe', 'I1', 'Ad'),
        target('browser-1', 'page', 'all', 'A page whose id is the word for everything'),
        row('browser-2', { trackingId: undefined, numbConnected: 0 }),
        target('browser-2', 'service_worker', 'W1', 'worker'),
        row('browser-3', { browser: 'ChromiumPlaywright', running: false }),
        // What older builds return for a Firefox: nothing that it could be ended by.
        row('browser-4', { id: null, browserId: null, killURL: null, browser: 'FirefoxPlaywright' }),
      ]);
      const { provider } = connect(browserless, server.url, { token: 'token' });
      const { sessions, faults, account } = await listed(provider);
      assert.deepEqual(
        sessions.map(({ id, name, phase, pages, canWatch }) => [id, name, phase, pages?.length, canWatch]),
        [
          ['browser-1', 'job-1', 'running', 1, true],
          ['browser-2', undefined, 'idle', 0, true],
          ['browser-3', 'job-1', 'unknown', undefined, false],
        ],
      );
      assert.equal(sessions[0]?.startedAt, 1_795_304_295_267);
      assert.deepEqual(faults, [{ subject: 'FirefoxPlaywright', what: 'its "browserId" isn\'t as documented' }]);
      assert.deepEqual(account, { identity: 'v2.42.0', sessionLimit: 5, note: undefined });
      assert.ok(!JSON.stringify(sessions).includes('canary'));
    });

    it('detects the version again when a different one runs at the address', async () => {
      server = await startV2Like([]);
      const { provider } = connect(browserless, server.url, { token: 'v1-token-canary-0123' });
      await listed(provider);
      const { port } = server;
      await server.stop();
      const other = await startBrowserlessV1();
      await other.stop();
      await other.start(port);
      try {
        other.add();
        await errorOf(listed(provider));
        assert.equal((await listed(provider)).sessions.length, 1);
        assert.equal((await provider.check(unaborted)).identity, 'v1');
      } finally {
        await other.stop();
      }
    });

    it('reveals the token to no unknown server: it is in no URL before v1 has refused in its own words', async () => {
      for (const answer of [
        { status: 404, text: 'Not Found' },
        { status: 403, json: { message: 'Forbidden' } },
        { status: 200, html: '<h1>It works!</h1>' },
        { status: 200, json: { hello: 'world' } },
        { status: 500, text: 'oops' },
      ]) {
        const unknownServer = await new ProviderServer({ routes: {}, notFound: () => answer }).start();
        const { provider } = connect(browserless, unknownServer.url, { token: 'token-canary' });
        await errorOf(provider.check(unaborted));
        assert.ok(unknownServer.requests.every(({ query }) => query.size === 0));
        await unknownServer.stop();
      }
      server = await startV2Like([]);
    });
  });

  describe('the shared cloud', () => {
    let server: BrowserlessCloudServer;
    let provider: Provider;

    beforeEach(async () => {
      server = await startBrowserlessCloud();
      ({ provider } = connect(browserless, server.url, { token: server.token }, withAccountApi));
    });
    afterEach(async () => {
      await server.stop();
      assert.equal(server.killsOfAll, 0);
    });

    it('is listed only when the user has turned on the undocumented account API', async () => {
      server.add();
      const { provider: off } = connect(browserless, server.url, { token: server.token });
      assert.equal((await off.check(unaborted)).identity, 'cloud v2.49.0');
      const error = await errorOf(listed(off));
      assert.match(
        troubleSentence(error, 'x.example'),
        /turn on the setting browserSessions\.browserless\.accountApi\./,
      );
      assert.ok(!server.log().includes('POST /graphql'));
      assert.match(browserless.settings[0]?.description ?? '', /undocumented/);
      const { sessions, account } = await listed(provider);
      assert.equal(sessions.length, 1);
      assert.equal(account?.identity, 'cloud v2.49.0');
    });

    it('never kills all: others use it too', async () => {
      server.add();
      await listed(provider);
      assert.equal(provider.endEverything, undefined);
      const named = connect(browserless, 'https://production-sfo.browserless.io', { token: 'token' }).provider;
      assert.equal(named.endEverything, undefined);
    });

    it('reads null sessions as an empty list, and reads to an empty page whatever it counts', async () => {
      const answer = { status: 200, json: { data: { getActiveSession: { sessions: null, count: null } } } };
      server.misbehave('POST', /graphql/, { kind: 'answer', answer }, 1);
      assert.deepEqual((await listed(provider)).sessions, []);
      for (let index = 0; index < 130; index++) server.add();
      for (const count of [50, 0, 1_000]) {
        server.count = count;
        assert.equal((await listed(provider)).sessions.length, 130);
      }
    });

    it('takes no list with an error beside it for an empty one: part of it failed', async () => {
      server.add({ id: 'browser-1' });
      const services = new TestServices({ clock: fastClock(100), wireClock: systemClock, settings: withAccountApi });
      const accountId = await services.add('browserless', server.url, { token: server.token });
      const session = services.store.session(accountId, sessionId('browser-1')) ?? assert.fail();
      server.misbehave('DELETE', /browser/, { kind: 'answer', answer: { status: 204 } });
      const oddErrors = [[{ message: 'upstream timed out' }], [{}], 'failed'];
      for (const [index, errors] of oddErrors.entries()) {
        const sessions = index === 0 ? null : [];
        const answer = { status: 200, json: { data: { getActiveSession: { sessions, count: null } }, errors } };
        server.misbehave('POST', /graphql/, { kind: 'answer', answer });
        assert.equal((await errorOf(listed(provider))).trouble.kind, 'unexpectedAnswer');
        if (index > 0) continue;
        const { results } = await services.ender.end([{ accountId, session }], quietly);
        assert.deepEqual([results[0]?.outcome, [...server.browsers.keys()]], ['stuck', ['browser-1']]);
      }
      services.dispose();
    }).timeout(20_000);

    it('closes a link that it created, so that nobody can open it any longer', async () => {
      server.add({ id: 'browser-1' });
      const { id } = await only(provider);
      const view = await provider.liveView?.(id, undefined, 'watch', unaborted);
      assert.equal((await fetch(view?.url ?? '')).status, 200);
      await view?.close?.(unaborted);
      assert.equal((await fetch(view?.url ?? '')).status, 404);
      // Already closed is the desired result.
      await view?.close?.(unaborted);
      const answer = { status: 200, json: { liveURL: `${server.url}/live/index.html?i=1`, liveURLId: null } };
      server.misbehave('POST', /live$/, { kind: 'answer', answer }, 1);
      assert.equal((await provider.liveView?.(id, undefined, 'watch', unaborted))?.close, undefined);
    });

    it('ends by its documented request', async () => {
      server.add({ id: 'browser-1' });
      const session = await only(provider);
      assert.equal((await provider.end(session, unaborted)).outcome, 'accepted');
      const request = server.requests.find(({ method }) => method === 'DELETE');
      assert.equal(request?.path, '/browser/browser-1');
      assert.deepEqual(request?.headers['authorization'], `Basic ${Buffer.from(server.token).toString('base64')}`);
      // VS Code writes addresses to its own log if its proxy is used.
      assert.ok(server.requests.every(({ query }) => query.size === 0));
      // Only the list can confirm it, and the list may be outdated.
      assert.equal(await provider.probe(session, unaborted), 'unknown');
      server.add({ id: 'browser-2' });
      const both = [session, await only(provider)];
      const lists = () => server.log().filter((line) => line === 'POST /graphql').length;
      const before = lists();
      assert.deepEqual(
        [...((await provider.probeMany?.(both, unaborted)) ?? [])],
        [
          ['browser-1', 'unknown'],
          ['browser-2', 'running'],
        ],
      );
      // One page, and the empty one that ends the list.
      assert.equal(lists(), before + 2);
      assert.equal((await provider.end(session, unaborted)).outcome, 'alreadyGone');
    });

    it('has its token in the address only if the cloud refuses the header', async () => {
      server.takesHeader = false;
      await provider.check(unaborted);
      server.add({ id: 'browser-1' });
      const session = await only(provider);
      assert.equal((await provider.end(session, unaborted)).outcome, 'accepted');
      assert.deepEqual([...server.browsers], []);
      const ends = server.requests.filter(({ method }) => method === 'DELETE');
      assert.deepEqual(
        ends.map(({ query }) => query.get('token')),
        [null, server.token],
      );
      const view = provider.liveView?.(session.id, undefined, 'watch', unaborted) ?? assert.fail();
      assert.equal((await errorOf(view)).trouble.kind, 'notFound');
      const last = server.requests.at(-1);
      assert.deepEqual([last?.headers['authorization'], last?.query.get('token')], [undefined, server.token]);
    });

    it('doesn’t have its token in the address if the cloud refuses something else, or refuses the header only once', async () => {
      await provider.check(unaborted);
      server.add({ id: 'browser-1' });
      const session = await only(provider);
      const view = await provider.liveView?.(session.id, undefined, 'watch', unaborted);
      assert.ok(view);
      server.forbids = true;
      assert.equal((await errorOf(provider.end(session, unaborted))).trouble.kind, 'forbidden');
      server.forbids = false;
      for (const text of ['Bad gateway.', 'Again.']) {
        server.misbehave('DELETE', /browser/, { kind: 'answer', answer: { status: 401, text } }, 1);
        assert.equal((await errorOf(provider.end(session, unaborted))).trouble.kind, 'unauthorized');
      }
      assert.equal((await provider.end(session, unaborted)).outcome, 'accepted');
      assert.equal(
        server.requests.filter(({ method, path }) => method === 'DELETE' && !path.includes('live')).length,
        4,
      );
      assert.ok(server.requests.every(({ query }) => query.size === 0));
    });

    it('doesn’t call ended what another region is running', async () => {
      server.add({ id: 'browser-1', here: false });
      const session = await only(provider);
      assert.equal((await errorOf(provider.end(session, unaborted))).trouble.kind, 'notFound');
      assert.equal(await provider.probe(session, unaborted), 'running');
    });

    it('creates a view-only live view, unless the user wants to interact', async () => {
      server.add({ id: 'browser-1' });
      const { id } = await only(provider);
      const view = await provider.liveView?.(id, undefined, 'watch', unaborted);
      assert.match(view?.url.href ?? '', /\/live\/index\.html\?i=.+/);
      assert.ok(!view?.url.href.includes(server.token));
      assert.deepEqual(server.liveRequests, [{ interactable: false }]);
      // Interacting needs another link.
      assert.equal(view?.fixedMode, true);
      await provider.liveView?.(id, undefined, 'interact', unaborted);
      assert.deepEqual(server.liveRequests.at(-1), { interactable: true });
      const answer = { status: 200, json: { liveURL: 'https://evil.example/' } };
      server.misbehave('POST', /live$/, { kind: 'answer', answer }, 1);
      const evil = provider.liveView?.(id, undefined, 'watch', unaborted);
      assert.equal((await errorOf(evil)).trouble.kind, 'unexpectedAnswer');
    });

    it('reads rows whose fields are null, and passes on the account API’s message', async () => {
      const rows = [
        { browserId: 'a', startTime: 1_795_304_295_267, browserName: null, type: 'persistent' },
        { browserId: 'b', startTime: null, browserName: 'chromium', type: null },
        { browserId: null },
      ];
      const list = { status: 200, json: { data: { getActiveSession: { sessions: rows, count: null } } } };
      const end = { status: 200, json: { data: { getActiveSession: { sessions: [], count: null } } } };
      server.misbehave('POST', /graphql/, { kind: 'answer', answer: end }, 2);
      server.misbehave('POST', /graphql/, { kind: 'answer', answer: list }, 1);
      const { sessions, faults } = await listed(provider);
      assert.deepEqual(
        sessions.map(({ id, startedAt, traits }) => [id, startedAt, traits]),
        [
          ['a', 1_795_304_295_267, ['persistent']],
          ['b', undefined, ['chromium']],
        ],
      );
      assert.equal(faults.length, 1);
      server.behave();
      for (const [message, kind] of [
        ['Invalid API token', 'unauthorized'],
        ['Something else', 'unexpectedAnswer'],
      ] as const) {
        const answer = { status: 200, json: { errors: [{ message }], data: null } };
        server.misbehave('POST', /graphql/, { kind: 'answer', answer }, 1);
        assert.equal((await errorOf(listed(provider))).trouble.kind, kind);
      }
    });

    it('sends the token to the account API’s own host only for the provider’s addresses', () => {
      const further = (address: string) =>
        browserless.furtherAddresses(new URL(address), { token: 't' }).map(({ href }) => href);
      assert.deepEqual(further('https://production-sfo.browserless.io'), ['https://api.browserless.io/']);
      assert.deepEqual(further('https://browserless.io.evil.example'), []);
      assert.deepEqual(further('http://127.0.0.1:3000'), []);
    });
  });

  describe('v2, a real server', function () {
    this.timeout(60_000);
    const used = useBrowserless();
    let provider: Provider;

    beforeEach(() => {
      const { url, token } = used.browserless;
      ({ provider } = connect(browserless, url, { token }));
    });
    afterEach(() => used.browserless.clear());

    const page = 'data:text/html,<title>Checkout</title>';

    it('reports its version, and how many sessions it accepts', async () => {
      assert.deepEqual(await provider.check(unaborted), { identity: 'v2.42.0', sessionLimit: 20, note: undefined });
    });

    it('lists browsers with their pages, and ends one by its id', async () => {
      const { browserless: real } = used;
      const id = await real.open({ trackingId: 'job-1', page });
      const other = await real.open();
      const sessions = await until(async () => {
        const all = (await listed(provider)).sessions;
        return all.some(({ pages }) => pages?.some(({ title }) => title === 'Checkout')) ? all : undefined;
      });
      const session = sessions.find((one) => one.id === id);
      assert.ok(session);
      assert.equal(session.name, 'job-1');
      assert.ok(Math.abs((session.startedAt ?? 0) - Date.now()) < 60_000);
      assert.equal((await provider.end(session, unaborted)).outcome, 'ended');
      // When other workers may respond at the same address, what is missing here may be running there.
      await until(async () => ((await provider.probe(session, unaborted)) === 'unknown' ? true : undefined));
      assert.deepEqual(await real.running(), [other]);
      assert.equal((await provider.end(session, unaborted)).outcome, 'alreadyGone');
    });

    it('doesn’t end a listed one by its tracking id, which /kill accepts: trap L7', async () => {
      const [id] = [await used.browserless.open({ trackingId: 'job-7' }), await used.browserless.open()];
      const job = (await listed(provider)).sessions.find((session) => session.id === id) ?? assert.fail();
      assert.equal(job.otherId, 'job-7');
      const named = unlistedSession(sessionId('job-7'));
      assert.equal((await errorOf(provider.end(named, unaborted))).trouble.kind, 'otherSession');
      assert.equal((await used.browserless.running()).length, 2);
    });

    it('kills all, and its browsers are gone from the process list', async () => {
      const { browserless: real } = used;
      for (let count = 0; count < 3; count++) await real.open();
      assert.ok((await real.browserProcesses()).length > 3);
      await listed(provider);
      await provider.endEverything?.(unaborted);
      await until(async () => ((await listed(provider)).sessions.length === 0 ? true : undefined));
      await until(async () => ((await real.browserProcesses()).length === 0 ? true : undefined));
    });

    it('never has the token in a URL, nor a content type on a GET', async () => {
      const { browserless: real } = used;
      const relay = await startRelay(real.url);
      try {
        await real.open();
        const { provider: through } = connect(browserless, relay.url, { token: real.token });
        await through.end(await only(through), unaborted);
        await through.endEverything?.(unaborted);
        for (const { path, query, headers } of relay.requests) {
          assert.equal(query.size, 0, path);
          assert.equal(headers['content-type'], undefined);
          assert.equal(headers['authorization'], `Bearer ${real.token}`);
        }
      } finally {
        await relay.stop();
      }
    });

    it('shows a browser by DevTools, without the token in any address', async () => {
      const real = used.browserless;
      const relay = await startCdpRelay(real.url);
      try {
        const id = await real.open({ page: 'data:text/html,<title>Watched</title>' });
        const { provider: watched } = connect(browserless, relay.url, { token: real.token });
        await listed(watched);
        const devtools = await watched.devtools?.(sessionId(id), unaborted);
        assert.ok(devtools);
        const picture = await takeScreenshot(devtools, undefined, unaborted);
        assert.equal(Buffer.from(picture.bytes).subarray(1, 4).toString(), 'PNG');
        devtools.connection.dispose();
        assert.deepEqual(relay.addresses, [`/devtools/browser/${id}`]);
        // Disconnecting a viewer has ended nothing.
        await new Promise((resolve) => setTimeout(resolve, 500));
        assert.ok((await real.running()).includes(id));
      } finally {
        await relay.stop();
      }
    });

    it('rejects a wrong token and a missing one', async () => {
      const { url } = used.browserless;
      for (const credentials of [{ token: 'wrong-token' }, {}]) {
        const { provider: wrong } = connect(browserless, url, credentials);
        assert.equal((await errorOf(wrong.check(unaborted))).trouble.kind, 'unauthorized');
      }
    });

    it('has its browsers left out when several of this machine’s are ended, because its account has them, too', async () => {
      const { browserless: real } = used;
      const opened = await real.open();
      const pids = await real.browserProcesses();
      const others = {
        isShownElsewhere: () => false,
        hasAccountAt: (port: number) => port === Number(new URL(real.url).port),
      };
      const machine = connectBy(
        thisMachine,
        'http://localhost',
        {},
        realNetwork(new RecordingLog(), systemClock),
        {},
        [],
        others,
      );
      const { sessions } = await listed(machine);
      const own = sessions.filter(({ id }) => pids.some((pid) => id.startsWith(`${pid}-`)));
      assert.deepEqual(
        own.map(({ bulkEndExclusion }) => bulkEndExclusion),
        ['It belongs to a server on this machine that has an account of its own.'],
      );
      assert.deepEqual(
        own.map(({ local }) => local?.devtoolsId),
        [opened],
        'protected in one list, it’s found in the other one by this ID',
      );
      const { provider: alone } = connect(thisMachine, 'http://localhost');
      const [same] = (await listed(alone)).sessions.filter(({ id }) => id === own[0]?.id);
      assert.ok(same !== undefined && same.bulkEndExclusion === undefined);
    });

    it('no longer lists a browser that it has closed, which Browserless keeps in its list if its data is kept', async () => {
      const { browserless: real } = used;
      const id = await real.open({ profile: 'kept' });
      const session = await only(provider);
      assert.equal((await provider.end(session, unaborted)).outcome, 'ended');
      await until(async () => ((await real.browserProcesses()).length === 0 ? true : undefined));
      assert.deepEqual(await real.running(), [id]);
      assert.deepEqual((await listed(provider)).sessions, []);
      assert.equal(await provider.probe(session, unaborted), 'unknown');
      // Somebody who hasn't ended it can't know that this was an end.
      const { provider: another } = connect(browserless, real.url, { token: real.token });
      const still = await only(another);
      assert.deepEqual([still.id as string, still.status], [id, 'not running']);
      assert.equal((await another.end(still, unaborted)).outcome, 'ended');
      assert.deepEqual((await listed(another)).sessions, []);
      const { provider: third } = connect(browserless, real.url, { token: real.token });
      await listed(third);
      await third.endEverything?.(unaborted);
      assert.deepEqual((await listed(third)).sessions, []);
    });
  });

  describe('v2, two real workers behind one address', function () {
    this.timeout(300_000);
    let workers: RunningBrowserless[] = [];

    before(async function () {
      const missing = browserlessMissing();
      if (missing !== undefined) {
        console.log(`      skipped: ${missing}`);
        this.skip();
      }
      workers = await startBrowserlessWorkers(2);
    });
    after(() => Promise.all(workers.map((worker) => worker.stop())));

    it('ends a browser only at the worker that has it, and reports that', async () => {
      const balancer = await startBalancer(workers.map(({ url }) => url));
      try {
        const [first, second] = workers;
        assert.ok(first && second);
        const id = await first.open();
        const other = await second.open();
        const { provider: through } = connect(browserless, balancer.url, { token: first.token });
        const found = new Map<string, Session>();
        for (let list = 0; found.size < 2; list++) {
          assert.ok(list < 8, 'a worker was never asked');
          for (const session of (await listed(through)).sessions) found.set(session.id, session);
        }
        const session = found.get(id);
        assert.ok(session);
        balancer.down.add(0);
        assert.equal((await through.end(session, unaborted)).outcome, 'alreadyGone');
        assert.equal(await through.probe(session, unaborted), 'unknown');
        assert.deepEqual(await first.running(), [id]);
        assert.ok((await first.browserProcesses()).length > 0);
        balancer.down.clear();
        balancer.down.add(1);
        assert.equal((await through.end(session, unaborted)).outcome, 'ended');
        await until(async () => ((await first.browserProcesses()).length === 0 ? true : undefined));
        assert.deepEqual(await second.running(), [other]);
        assert.ok((await second.browserProcesses()).length > 0);
      } finally {
        await balancer.stop();
      }
    });
  });

  describe('v2, a real server, when it dies', function () {
    this.timeout(120_000);
    const used = useBrowserless();

    it('keeps what was known, and reports nothing as ended', async () => {
      const { browserless: real } = used;
      const services = new TestServices({ wireClock: systemClock });
      try {
        await real.open();
        const id = await services.add('browserless', real.url, { token: real.token });
        const [session] = services.store.state(id)?.contents.sessions.values() ?? [];
        assert.ok(session);
        const refreshing = services.refresher.refresh(id);
        real.process.child.kill('SIGKILL');
        await refreshing;
        await services.refresher.refresh(id);
        const state = services.store.state(id);
        assert.ok(state?.kind === 'ready' && state.trouble?.trouble.kind === 'unreachable');
        const { results } = await services.ender.end([{ accountId: id, session }], quietly);
        assert.equal(results[0]?.outcome, 'failed');
        assert.ok(services.store.session(id, session.id));
      } finally {
        services.dispose();
      }
    });
  });
});

async function until<T>(found: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 15_000; ; ) {
    const value = await found();
    if (value !== undefined) return value;
    assert.ok(Date.now() < deadline, 'it did not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
