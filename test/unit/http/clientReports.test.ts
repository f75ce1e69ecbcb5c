import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import type { HttpRequest } from '../../../src/core/http.ts';
import { ProviderError } from '../../../src/core/providerError.ts';
import type { RequestLimits } from '../../../src/core/rateWindow.ts';
import { openHttpClient } from '../../../src/http/client.ts';
import { UndiciTransport } from '../../../src/http/undiciTransport.ts';
import { freePort } from '../../host/processes.ts';
import { ProviderServer } from '../../servers/providerServer.ts';
import { plainNetwork, RecordingLog, unaborted } from '../testNetwork.ts';

/** The machine's time, and how many of its timers are running. */
class CountingClock implements Clock {
  running = 0;
  now = () => systemClock.now();
  monotonic = () => systemClock.monotonic();

  after = (ms: number, run: () => void) => {
    let isRunning = true;
    this.running++;
    const end = () => {
      if (isRunning) this.running--;
      isRunning = false;
    };
    const timer = systemClock.after(ms, () => {
      end();
      run();
    });
    return {
      dispose: () => {
        end();
        timer.dispose();
      },
    };
  };
}

describe('the HTTP client’s headers, log and errors', () => {
  let server: ProviderServer;
  let log: RecordingLog;
  let clock: CountingClock;
  let limits: RequestLimits;

  beforeEach(async () => {
    const thing = () => ({ status: 200, json: { ok: true } });
    server = await new ProviderServer({
      routes: { 'GET /things': thing, 'GET /things/{id}': thing, 'DELETE /things/{id}': thing },
      notFound: () => ({ status: 404, json: { message: 'no such route' } }),
    }).start();
    log = new RecordingLog();
    clock = new CountingClock();
    limits = {};
  });
  afterEach(() => server.stop());

  const list: HttpRequest = { method: 'GET', route: '/things' };
  const send = (request: HttpRequest, { url = server.url, signal = unaborted } = {}) => {
    const transport = new UndiciTransport(plainNetwork('undici'), systemClock);
    return openHttpClient(new URL(url), [], { transport, clock, logger: log, limits }).send(request, signal);
  };
  async function failing(request: HttpRequest, options: Parameters<typeof send>[1] = {}): Promise<ProviderError> {
    try {
      await send(request, options);
    } catch (error) {
      assert.ok(ProviderError.is(error), String(error));
      return error;
    }
    return assert.fail('it was answered');
  }

  it('identify the extension, and ask for JSON', async () => {
    await send(list);
    const { headers, body } = server.requests[0] ?? assert.fail();
    assert.deepEqual([headers['accept'], headers['user-agent'], body], ['application/json', 'browser-sessions', '']);
  });

  it('log each request: its host and route, its result, and how long it took', async () => {
    await send({ method: 'GET', route: '/things/{id}', params: { id: 'secret-id' } });
    const { host } = new URL(server.url);
    const port = await freePort();
    await failing({ ...list, repeatable: false }, { url: `http://127.0.0.1:${port}` });
    const entries = log.lines.map((line) => /^(.*), (\d+) ms$/.exec(line) ?? assert.fail(line));
    assert.deepEqual(
      entries.map(([, what]) => what),
      [`${host} GET /things/{id}: 200`, `127.0.0.1:${port} GET /things: unreachable`],
    );
    for (const [, , ms] of entries) assert.ok(Number(ms) < 60_000, ms);
  });

  it('name the request in each error', async () => {
    server.misbehave('GET', /things/, { kind: 'silent' });
    assert.equal((await failing({ ...list, timeoutMs: 50 })).message, 'GET /things took longer than 50 ms');
    const port = await freePort();
    const unreachable = await failing({ ...list, repeatable: false }, { url: `http://127.0.0.1:${port}` });
    assert.equal(unreachable.message, 'GET /things got no answer: unreachable');
    assert.equal((await failing(list, { signal: AbortSignal.abort() })).message, 'GET /things was canceled');
    const odd = await failing({ method: 'DELETE', route: '/things/{id}', params: { id: '..' } });
    assert.match(odd.message, /^DELETE \/things\/\{id\} was not sent: /);
  });

  it('pass on no rate limit when the provider reports none', async () => {
    await send(list);
    assert.equal(limits.rateWindow, undefined);
  });

  it('treat each status from 200 to 299 as success', async () => {
    for (const [status, isSuccess] of [
      [201, true],
      [299, true],
      [300, false],
    ] as const) {
      server.misbehave('GET', /things/, { kind: 'answer', answer: { status, json: {} } }, 1);
      if (isSuccess) assert.equal((await send(list)).status, status);
      else assert.equal((await failing(list)).trouble.kind, 'unexpectedAnswer');
    }
  });

  it('leave no timer running, however the request ends', async () => {
    await send(list);
    assert.equal(clock.running, 0);
    server.misbehave('GET', /things/, { kind: 'answer', answer: { status: 404, json: {} } }, 1);
    await failing(list);
    assert.equal(clock.running, 0);
  });

  it('don’t retry when the server doesn’t speak TLS', async () => {
    let connections = 0;
    const plain = createServer((socket) => {
      connections++;
      socket.on('error', () => {});
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    }).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const address = plain.address();
    assert.ok(typeof address === 'object' && address !== null);
    try {
      const { trouble } = await failing(list, { url: `https://127.0.0.1:${address.port}` });
      assert.deepEqual([trouble, connections], [{ kind: 'unreachable', why: 'tls' }, 1]);
    } finally {
      plain.close();
    }
  });
});
