import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { systemClock } from '../../../src/core/clock.ts';
import { Emitter } from '../../../src/core/event.ts';
import type { Route } from '../../../src/core/network.ts';
import { TransportError } from '../../../src/http/transport.ts';
import { UndiciTransport } from '../../../src/http/undiciTransport.ts';
import { makeCertificate } from '../../host/certificates.ts';
import { ProviderServer } from '../../servers/providerServer.ts';
import { SilentProxy } from '../../servers/silentProxy.ts';
import { TunnelProxy } from '../../servers/tunnelProxy.ts';
import { until } from '../until.ts';

describe('the undici transport', () => {
  let server: ProviderServer;
  let proxy: TunnelProxy;
  let route: Route;
  /** What the editor waits for before it says the route. */
  let resolver: Promise<void> | undefined;
  let strictCertificates = false;
  const changed = new Emitter<void>();
  let transport: UndiciTransport;
  /** How often the editor was asked for a route. */
  let routesAsked = 0;
  /** How far the machine's two clocks have moved forward, in milliseconds. */
  let passed = { now: 0, monotonic: 0 };
  /** How much faster the transport's timers are. */
  let speed = 1;

  beforeEach(async () => {
    const { cert, key } = await makeCertificate('localhost', 'provider.test');
    const routes = { 'GET /things': () => ({ status: 200, json: { ok: true } }) };
    server = await new ProviderServer({ routes, notFound: () => ({ status: 404 }), tls: { cert, key } }).start();
    proxy = await new TunnelProxy(new Map([['provider.test', server.port]])).start();
    route = { by: 'editor', proxy: undefined };
    resolver = undefined;
    strictCertificates = false;
    transport = new UndiciTransport(
      {
        settings: () => ({ transport: 'undici', systemCertificates: false, strictCertificates }),
        routeTo: async () => {
          routesAsked++;
          await resolver;
          return route;
        },
        onDidChange: changed.event,
      },
      {
        ...systemClock,
        after: (ms, run) => systemClock.after(ms / speed, run),
        now: () => Date.now() + passed.now,
        monotonic: () => performance.now() + passed.monotonic,
      },
    );
    routesAsked = 0;
    passed = { now: 0, monotonic: 0 };
    speed = 1;
  });
  afterEach(async () => {
    transport.close();
    await proxy.stop();
    await server.stop();
  });

  const get = (host: string, answerTimeoutMs?: number, signal = new AbortController().signal) =>
    transport.send({
      url: new URL(`https://${host}:${server.port}/things`),
      origin: `https://${host}:${server.port}`,
      method: 'GET',
      headers: {},
      body: undefined,
      signal,
      maxBytes: 1_000,
      headersOnly: false,
      ...(answerTimeoutMs === undefined ? {} : { answerTimeoutMs }),
    });

  it('waits for a response as long as the request says, instead of the usual ten seconds', async () => {
    server.misbehave('GET', /things/, { kind: 'silent' }, 1);
    const began = Date.now();
    const error = await get('localhost', 1_000).catch((caught: unknown) => caught);
    assert.ok(error instanceof TransportError);
    assert.deepEqual(error.trouble, { kind: 'timedOut', afterMs: 1_000 });
    assert.ok(Date.now() - began < 8_000);
  });

  it('uses the proxy that the editor names, and another when that changes', async () => {
    route = { by: 'editor', proxy: proxy.url };
    assert.equal((await get('provider.test')).status, 200);
    assert.deepEqual(proxy.tunnels, [`provider.test:${server.port}`]);
    route = { by: 'editor', proxy: undefined };
    assert.equal((await get('provider.test')).status, 200);
    changed.fire();
    await assert.rejects(
      get('provider.test'),
      (error) => error instanceof TransportError && error.trouble.kind === 'unreachable',
    );
    assert.equal((await get('localhost')).status, 200);
  });

  it('asks for the proxy again after a minute, even if the clock was set back or the machine slept', async () => {
    route = { by: 'editor', proxy: proxy.url };
    const ways: (readonly [typeof passed, number])[] = [
      [{ now: 59_000, monotonic: 59_000 }, 1],
      [{ now: 61_000, monotonic: 61_000 }, 2],
      [{ now: -3_600_000, monotonic: 122_000 }, 3],
      // While a machine sleeps, only the time of day moves forward.
      [{ now: 0, monotonic: 122_000 }, 4],
    ];
    await get('provider.test');
    for (const [at, asked] of ways) {
      passed = at;
      assert.equal((await get('provider.test')).status, 200);
      assert.equal(routesAsked, asked);
    }
  });

  it('follows the settings when the editor’s resolver isn’t available', async () => {
    route = { by: 'settings', proxy: proxy.url, noProxy: ['localhost'] };
    assert.equal((await get('provider.test')).status, 200);
    assert.equal((await get('localhost')).status, 200);
    assert.deepEqual(proxy.tunnels, [`provider.test:${server.port}`]);
  });

  it('reports that the proxy rejected the request, and that nothing was sent', async () => {
    const refusing = createServer((_, response) => response.writeHead(407).end()).listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    refusing.on('connect', (_, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
    const { port } = refusing.address() as { port: number };
    for (const uri of [`http://127.0.0.1:${port}`, 'socks4://127.0.0.1:1']) {
      route = { by: 'editor', proxy: uri };
      changed.fire();
      await assert.rejects(get('provider.test'), (error) => {
        assert.ok(error instanceof TransportError);
        assert.deepEqual([error.trouble, error.nothingSent], [{ kind: 'unreachable', why: 'proxy' }, true]);
        return true;
      });
    }
    refusing.closeAllConnections();
    refusing.close();
  });

  for (const [what, say] of [
    ['closes without an answer', (socket: Socket) => void socket.end()],
    ['closes in the middle of its answer', (socket: Socket) => void socket.end('HTTP/1.1 2')],
  ] as const) {
    it(`connects once to a proxy that ${what}, and reports that nothing was sent`, async () => {
      const closing = new SilentProxy(say);
      route = { by: 'editor', proxy: await closing.start() };
      await assert.rejects(get('provider.test'), (error) => {
        assert.ok(error instanceof TransportError);
        assert.deepEqual([error.trouble, error.nothingSent], [{ kind: 'unreachable', why: 'proxy' }, true]);
        return true;
      });
      assert.equal(closing.connections, 1);
      await closing.stop();
    });
  }

  it('waits ten seconds at most for a proxy that says nothing, and leaves no connection to it open', async () => {
    speed = 10;
    const silent = new SilentProxy(() => {});
    route = { by: 'editor', proxy: await silent.start() };
    await assert.rejects(get('provider.test'), (error) => {
      assert.ok(error instanceof TransportError);
      assert.deepEqual([error.trouble, error.nothingSent], [{ kind: 'timedOut', afterMs: 10_000 }, true]);
      return true;
    });
    await until(() => silent.open === 0);
    await silent.stop();
  });

  it('stops waiting for the editor to find a proxy when it is canceled', async () => {
    route = { by: 'editor', proxy: proxy.url };
    resolver = new Promise(() => {});
    for (const signal of [AbortSignal.timeout(50), AbortSignal.abort(new Error('timeout'))]) {
      await assert.rejects(get('provider.test', undefined, signal), /timeout/);
    }
    resolver = undefined;
    assert.equal((await get('provider.test')).status, 200);
  });

  it('stops waiting for a proxy that says nothing when it is canceled', async () => {
    const stop = new AbortController();
    const silent = new SilentProxy(() => stop.abort(new Error('canceled')));
    route = { by: 'editor', proxy: await silent.start() };
    await assert.rejects(get('provider.test', undefined, stop.signal), /canceled/);
    await silent.stop();
  });

  it('trusts no certificate that it can’t verify, unless told to', async () => {
    assert.equal((await get('localhost')).status, 200);
    strictCertificates = true;
    changed.fire();
    await assert.rejects(get('localhost'), (error) => {
      return error instanceof TransportError && error.trouble.kind === 'unreachable' && error.trouble.why === 'tls';
    });
  });

  it('keeps its connections, at most 32 per origin', async () => {
    server.misbehave('GET', /things/, { kind: 'slow', ms: 20 });
    await Promise.all(Array.from({ length: 100 }, () => get('localhost')));
    assert.ok(server.mostInFlight <= 32, String(server.mostInFlight));
    assert.ok(server.connections <= 32, String(server.connections));
  });

  it('leaves alone the process-wide dispatcher that other extensions share', () => {
    const slotAfter = (module: string) => {
      const code = `await import('${module}'); console.log(globalThis[Symbol.for('undici.globalDispatcher.1')] !== undefined)`;
      return execFileSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' }).trim();
    };
    assert.equal(slotAfter('./src/http/undiciTransport.ts'), 'false');
    assert.equal(slotAfter('undici'), 'true');
  });
});
