import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../../../src/core/clock.ts';
import type { HttpRequest } from '../../../src/core/http.ts';
import { ProviderError, type Trouble } from '../../../src/core/providerError.ts';
import type { RateWindow } from '../../../src/core/rateWindow.ts';
import { openHttpClient } from '../../../src/http/client.ts';
import { FetchTransport } from '../../../src/http/fetchTransport.ts';
import type { Transport } from '../../../src/http/transport.ts';
import { UndiciTransport } from '../../../src/http/undiciTransport.ts';
import { freePort } from '../../host/processes.ts';
import { ProviderServer } from '../../servers/providerServer.ts';
import { plainNetwork, RecordingLog, unaborted } from '../testNetwork.ts';

const secret = 'canary-secret-0123456789';
const transports: readonly (readonly [string, () => Transport])[] = [
  ['undici', () => new UndiciTransport(plainNetwork('undici'), systemClock)],
  ['fetch', () => new FetchTransport()],
];

for (const [name, open] of transports) {
  describe(`HTTP client over ${name}`, () => {
    let server: ProviderServer;
    let log: RecordingLog;
    let windows: RateWindow[];
    let transport: Transport;

    beforeEach(async () => {
      const thing = () => ({ status: 200, json: { ok: true } });
      const routes = {
        'GET /things': thing,
        'GET /things/{id}': thing,
        'DELETE /things/{id}': thing,
        'POST /things': thing,
      };
      server = await new ProviderServer({
        routes,
        notFound: () => ({ status: 404, json: { message: 'no such route' } }),
      }).start();
      log = new RecordingLog();
      windows = [];
      transport = open();
    });
    afterEach(() => server.stop());

    it('reports the provider’s rate limit, on error statuses too', async () => {
      const limit = { 'x-ratelimit-limit': '50', 'x-ratelimit-remaining': '7', 'x-ratelimit-reset': '2' };
      server.misbehave('GET', /things/, { kind: 'answer', answer: { status: 200, json: [], headers: limit } }, 1);
      await send(list);
      assert.equal(windows[0]?.remaining, 7);
      assert.ok(Math.abs((windows[0]?.resetAt ?? 0) - performance.now() - 2_000) < 1_000);
      const none = { ratelimit: '"5-in-1min"; r=0; t=58', 'retry-after': '3600' };
      server.misbehave('GET', /things/, { kind: 'answer', answer: { status: 429, headers: none } }, 1);
      await trouble(list);
      assert.equal(windows[1]?.remaining, 0);
    });

    const list: HttpRequest = { method: 'GET', route: '/things', headers: { 'x-key': secret } };
    const clientFor = (url: string) =>
      openHttpClient(new URL(url), [secret], {
        transport,
        clock: systemClock,
        logger: log,
        limits: {
          set rateWindow(seen: RateWindow) {
            windows.push(seen);
          },
        },
      });
    const send = (request: HttpRequest, signal = unaborted) => clientFor(server.url).send(request, signal);

    async function trouble(
      request: HttpRequest,
      signal = unaborted,
    ): Promise<Trouble & { detail: string | undefined }> {
      try {
        await send(request, signal);
      } catch (error) {
        assert.ok(ProviderError.is(error), String(error));
        const everything = [error.message, error.detail, error.stack, String(error.cause), ...log.lines].join('\n');
        assert.ok(!everything.includes(secret), everything);
        return { ...error.trouble, detail: error.detail };
      }
      return assert.fail('it was answered');
    }

    it('sends what it is given, below the account’s address', async () => {
      const client = clientFor(`${server.url}/`);
      const answer = await client.send({ ...list, query: { page: 2, 'odd key': 'a&b' } }, unaborted);
      assert.deepEqual(JSON.parse(answer.body), { ok: true });
      assert.equal(answer.header('content-type'), 'application/json');
      const [request] = server.requests;
      assert.equal(request?.query.get('odd key'), 'a&b');
      assert.equal(request?.headers['x-key'], secret);
      assert.equal(request?.headers['content-type'], undefined);
      await client.send({ method: 'POST', route: '/things', body: { a: 1 } }, unaborted);
      assert.equal(server.requests[1]?.headers['content-type'], 'application/json');
      assert.equal(server.requests[1]?.body, '{"a":1}');
    });

    it('sends a key only to the account’s host, whatever the account’s address or a route looks like', async () => {
      const other = await new ProviderServer({ routes: {}, notFound: () => ({ status: 200, json: {} }) }).start();
      const evil = new URL(other.url).host;
      try {
        for (const path of [`//${evil}`, `///${evil}/x`, `/%2f${evil}`, `/..//${evil}`, `/\\${evil}/x`]) {
          await assert.rejects(clientFor(server.url + path).send(list, unaborted), (error) =>
            ProviderError.isOf(error, 'badAddress'),
          );
        }
        assert.equal(server.requests.length, 0);
        for (const route of [`//${evil}/things`, `/\\${evil}/things`, `@${evil}/things`, `${other.url}/things`]) {
          // How the server handles such a path is up to the server.
          await clientFor(server.url)
            .send({ ...list, route }, unaborted)
            .catch(() => {});
        }
        assert.equal(other.requests.length, 0);
        assert.equal(server.requests.length, 4);
      } finally {
        await other.stop();
      }
    });

    it('sends nothing unencrypted to another machine', async () => {
      for (const address of ['http://grid.example', 'http://app.localhost', 'http://localhost.', 'http://10.0.0.1']) {
        await assert.rejects(clientFor(address).send(list, unaborted), (error) =>
          ProviderError.isOf(error, 'badAddress'),
        );
      }
      // The last check, for a transport that is used without a client.
      const elsewhere = { url: new URL(`${server.url}/things`), origin: 'https://grid.example' };
      await assert.rejects(
        transport.send({
          ...elsewhere,
          method: 'GET',
          headers: { 'x-key': secret },
          body: undefined,
          signal: unaborted,
          maxBytes: 1_000,
          headersOnly: false,
        }),
        (error) => ProviderError.isOf(error, 'unsupported'),
      );
      assert.equal(server.requests.length, 0);
    });

    it('escapes ids in a path, and rejects invalid ids before sending', async () => {
      await send({ method: 'GET', route: '/things/{id}', params: { id: 'a:b@c' } });
      assert.equal(server.requests[0]?.path, '/things/a%3Ab%40c');
      for (const id of ['', 'all', '..', 'a/b', 'x?y']) {
        assert.equal(
          (await trouble({ method: 'DELETE', route: '/things/{id}', params: { id } })).kind,
          'unexpectedAnswer',
        );
      }
      assert.equal(server.requests.length, 1);
    });

    it('maps each status to an error', async () => {
      for (const [status, kind] of [
        [400, 'unexpectedAnswer'],
        [401, 'unauthorized'],
        [402, 'forbidden'],
        [403, 'forbidden'],
        [404, 'notFound'],
        [408, 'timedOut'],
        [409, 'conflict'],
        [410, 'notFound'],
        [429, 'rateLimited'],
        [500, 'serverFault'],
        [503, 'serverFault'],
      ] as const) {
        server.misbehave('POST', /things/, { kind: 'answer', answer: { status, json: {} } }, 1);
        assert.equal((await trouble({ method: 'POST', route: '/things', body: {} })).kind, kind, String(status));
      }
    });

    it('finds the provider’s message, cleans it, and removes secrets', async () => {
      for (const [answer, detail] of [
        [{ json: { error: { code: 400, message: 'bad \u202eid' } } }, 'bad id'],
        [{ json: { error: 'plain words' } }, 'plain words'],
        [{ json: { message: `the key ${secret} is not known` } }, 'the key ••• is not known'],
        [{ json: { message: '[click](command:evil) token=abcdef' } }, '[click] (command:evil) token=•••'],
        [{ text: 'Bad or missing authentication.' }, 'Bad or missing authentication.'],
        [{ html: '<h1>502</h1>' }, undefined],
        [{ text: '' }, undefined],
        [{ json: {} }, undefined],
        [{ text: `x`.repeat(5_000) }, `${'x'.repeat(199)}…`],
      ] as const) {
        server.misbehave('POST', /things/, { kind: 'answer', answer: { status: 400, ...answer } }, 1);
        assert.equal((await trouble({ method: 'POST', route: '/things', body: {} })).detail, detail);
      }
    });

    it('removes a key from its messages however the provider encodes it, and wherever the text is cut', async () => {
      const inside = `${secret.slice(0, 8)}\u200b${secret.slice(8)}`;
      for (const [answer, detail] of [
        [{ json: { message: `no such key: ${inside}` } }, 'no such key: •••'],
        [{ json: { message: `no such key: ${secret.toUpperCase()}` } }, 'no such key: •••'],
        [{ text: JSON.stringify([`no such key: ${inside}`]).replace('\u200b', '\\u200b') }, '["no such key: •••"]'],
        [{ json: { message: `${Buffer.from(`x:${secret}`).toString('base64')} is unknown` } }, undefined],
        // If it were cut before it is searched, the first half of a key wouldn't be recognized.
        [{ json: { message: `${'x'.repeat(190)} ${secret}` } }, `${'x'.repeat(190)} •••`],
        [{ json: { message: `${'\u200b'.repeat(1_040)} ${secret}` } }, '•••'],
        [{ text: `${'\u200b'.repeat(16_370)} ${secret}` }, undefined],
        [{ text: secret.repeat(800) }, '…'],
      ] as const) {
        server.misbehave('POST', /things/, { kind: 'answer', answer: { status: 400, ...answer } }, 1);
        const reported = (await trouble({ method: 'POST', route: '/things', body: {} })).detail;
        if (detail !== undefined) assert.equal(reported, detail);
        assert.doesNotMatch(reported ?? '', /canary|LXNlY3JldC|5YXJ5/i);
      }
      const headers = { location: `https://${secret}.example/` };
      server.misbehave('GET', /things/, { kind: 'answer', answer: { status: 302, headers } }, 1);
      const { what } = (await trouble(list)) as { what?: string };
      assert.match(what ?? '', name === 'undici' ? /redirects to •••\.example/ : /redirects to/);
    });

    it('removes a key from the cause of an error', async () => {
      const client = clientFor(`https://${secret}.invalid`);
      await assert.rejects(client.send({ ...list, repeatable: false }, unaborted), (error) => {
        assert.ok(ProviderError.isOf(error, 'unreachable') && error.cause instanceof Error);
        if (name === 'undici') assert.match(error.cause.message, /^ENOTFOUND .*•••\.invalid/);
        assert.ok(!`${error.stack} ${error.cause.stack} ${String(error.cause.cause)}`.includes(secret));
        return true;
      });
    });

    it('retries a GET after 408, 429, 5xx and a dropped connection, and nothing else', async () => {
      for (const status of [408, 429, 500, 502, 503, 504]) {
        server.misbehave('GET', /things/, { kind: 'answer', answer: { status } }, 1);
        await send(list);
      }
      server.misbehave('GET', /things/, { kind: 'cut', when: 'before' }, 2);
      await send(list);
      server.misbehave('GET', /things/, { kind: 'halfBody' }, 1);
      await send(list);
      const before = server.requests.length;
      for (const status of [400, 401, 403, 404, 409]) {
        server.misbehave('GET', /things/, { kind: 'answer', answer: { status } }, 1);
        await trouble(list);
      }
      assert.equal(server.requests.length, before + 5);
    });

    it('never retries a request that has an effect', async () => {
      for (const request of [
        { method: 'DELETE', route: '/things/{id}', params: { id: 'a' } },
        { method: 'POST', route: '/things', body: {} },
        { method: 'GET', route: '/things', repeatable: false },
      ] as const) {
        const before = server.requests.length;
        server.misbehave(request.method, /things/, { kind: 'answer', answer: { status: 503 } }, 1);
        assert.equal((await trouble(request)).kind, 'serverFault');
        server.misbehave(request.method, /things/, { kind: 'cut', when: 'after' }, 1);
        assert.equal((await trouble(request)).kind, 'unreachable');
        assert.equal(server.requests.length, before + 2, request.method);
        for (const [status, kind] of [
          [408, 'timedOut'],
          [429, 'rateLimited'],
        ] as const) {
          const headers = { 'retry-after': '0' };
          server.misbehave(request.method, /things/, { kind: 'answer', answer: { status, headers } }, 1);
          assert.equal((await trouble(request)).kind, kind);
        }
        server.misbehave(request.method, /things/, { kind: 'silent' }, 1);
        assert.equal((await trouble({ ...request, timeoutMs: 200 })).kind, 'timedOut');
        // On a busy machine, even the first one may be stopped before it arrives.
        assert.ok(server.requests.length <= before + 5, request.method);
      }
    });

    it('waits as long as Retry-After says, but never beyond its deadline', async () => {
      const limited = (value: string, times = 1) =>
        server.misbehave(
          'GET',
          /things/,
          { kind: 'answer', answer: { status: 429, headers: { 'retry-after': value } } },
          times,
        );
      limited('1');
      const began = Date.now();
      await send(list);
      assert.ok(Date.now() - began >= 950, 'it came too early');
      for (const value of ['3600', '86400', new Date(Date.now() + 3_600_000).toUTCString()]) {
        limited(value);
        const asked = Date.now();
        const { kind, ...rest } = await trouble(list);
        assert.equal(kind, 'rateLimited');
        assert.ok('retryAt' in rest && (rest.retryAt ?? 0) > Date.now() + 3_500_000, value);
        assert.ok(Date.now() - asked < 2_000, 'it waited');
      }
      for (const value of ['soon', '-5', '1e9', '']) {
        limited(value);
        await send(list);
      }
    });

    it('gives up after three retries, even when rate limited', async () => {
      for (const [answer, kind] of [
        [{ status: 500 }, 'serverFault'],
        [{ status: 429, headers: { 'retry-after': '0' } }, 'rateLimited'],
        [{ status: 429 }, 'rateLimited'],
      ] as const) {
        const before = server.requests.length;
        server.misbehave('GET', /things/, { kind: 'answer', answer });
        assert.equal((await trouble(list)).kind, kind);
        assert.equal(server.requests.length, before + 4, JSON.stringify(answer));
        server.behave();
      }
    });

    it('stops at its deadline, whether the server is silent, slow, or fails repeatedly', async () => {
      for (const fault of [{ kind: 'silent' }, { kind: 'drip', ms: 20 }] as const) {
        server.misbehave('GET', /things/, fault, 1);
        const began = Date.now();
        const { kind } = await trouble({ ...list, timeoutMs: 400 });
        assert.equal(kind, 'timedOut', fault.kind);
        assert.ok(Date.now() - began < 1_500, fault.kind);
      }
    });

    it('stops within 50 ms of being aborted, and sends nothing more', async () => {
      for (const fault of [
        { kind: 'silent' },
        { kind: 'drip', ms: 20 },
        { kind: 'answer', answer: { status: 503 } },
      ] as const) {
        server.misbehave('GET', /things/, fault);
        const abort = new AbortController();
        let at = 0;
        setTimeout(() => {
          at = Date.now();
          abort.abort();
        }, 150);
        assert.equal((await trouble(list, abort.signal)).kind, 'canceled', fault.kind);
        await new Promise((resolve) => setTimeout(resolve, 300));
        assert.ok((server.requests.at(-1)?.at ?? 0) <= at + 50, fault.kind);
        server.behave();
      }
      const sent = server.requests.length;
      assert.equal((await trouble(list, AbortSignal.abort())).kind, 'canceled');
      assert.equal(server.requests.length, sent);
    });

    it('follows no redirect, so no key reaches another address', async () => {
      const other = await new ProviderServer({ routes: {}, notFound: () => ({ status: 200, json: {} }) }).start();
      try {
        for (const status of [301, 302, 303, 307, 308]) {
          const headers = { location: `${other.url}/things?x=1` };
          server.misbehave('GET', /things/, { kind: 'answer', answer: { status, headers } }, 1);
          const { kind } = await trouble(list);
          assert.equal(kind, 'unexpectedAnswer');
        }
        assert.equal(other.requests.length, 0);
      } finally {
        await other.stop();
      }
    });

    it('reports why a server couldn’t be reached', async () => {
      const port = await freePort();
      const at = async (url: string) => {
        try {
          return await clientFor(url).send({ ...list, repeatable: false }, unaborted);
        } catch (error) {
          return (error as ProviderError).trouble;
        }
      };
      assert.deepEqual(await at(`http://127.0.0.1:${port}`), { kind: 'unreachable', why: 'refused' });
      assert.deepEqual(await at('https://no-such-host.invalid'), { kind: 'unreachable', why: 'dns' });
      assert.deepEqual(await at(server.url.replace('http:', 'https:')), { kind: 'unreachable', why: 'tls' });
    });

    it('reads at most 32 MiB, counted after decoding', async () => {
      const bomb = gzipSync(Buffer.alloc(40 * 2 ** 20, 32));
      const bare = createServer((request, response) => {
        if (request.url === '/bomb') response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
        else response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"small":true}'));
      }).listen(0, '127.0.0.1');
      await once(bare, 'listening');
      const address = bare.address();
      assert.ok(address !== null && typeof address === 'object');
      const client = clientFor(`http://127.0.0.1:${address.port}`);
      try {
        const { body } = await client.send({ method: 'GET', route: '/small' }, unaborted);
        assert.equal(body, '{"small":true}');
        await assert.rejects(client.send({ method: 'GET', route: '/bomb' }, unaborted), (error) => {
          return (
            ProviderError.isOf(error, 'unexpectedAnswer') &&
            /larger than 32 MiB/.test(error.trouble.kind === 'unexpectedAnswer' ? error.trouble.what : '')
          );
        });
      } finally {
        bare.closeAllConnections();
        bare.close();
      }
    });
  });
}
