import { strict as assert } from 'node:assert';
import dns from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { openCdpDialer, type TrustedTls } from '../../../src/cdp/dialer.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { makeCertificate } from '../../host/certificates.ts';
import { troubleOf } from '../errors.ts';
import { countLookups } from '../lookups.ts';
import { unaborted } from '../testNetwork.ts';
import { until } from '../until.ts';

const headers = { authorization: 'Bearer canary-token-0123' };

describe('dialing DevTools', () => {
  let servers: Server[];
  let sockets: WebSocketServer;
  /** The WebSocket requests that any server received. */
  let requests: IncomingMessage[];

  beforeEach(() => {
    servers = [];
    requests = [];
    sockets = new WebSocketServer({ noServer: true });
  });
  afterEach(() => {
    for (const client of sockets.clients) client.terminate();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** Serves WebSockets, and returns the port. */
  async function serve(address = '127.0.0.1', server = createServer()): Promise<number> {
    servers.push(server);
    server.on('upgrade', (request, socket, head) => {
      requests.push(request);
      sockets.handleUpgrade(request, socket, head, (client) => {
        client.on('message', (data: Buffer) => {
          const { id, method } = JSON.parse(data.toString('utf8'));
          client.send(JSON.stringify({ id, result: { method } }));
        });
      });
    });
    server.listen(0, address);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async function exchange(address: string): Promise<void> {
    const url = new URL(address);
    const origin = new URL(`${url.protocol === 'wss:' ? 'https:' : 'http:'}//${url.host}`);
    const dialer = openCdpDialer(origin, systemClock, () => ({ rejectUnauthorized: false }));
    const connection = await dialer.dial(url, headers, unaborted);
    assert.deepEqual(await connection.send('Browser.getVersion', {}, unaborted), { method: 'Browser.getVersion' });
    connection.dispose();
  }

  /** Makes a host name mean this machine while something runs. */
  async function resolvedHere(host: string, work: () => Promise<void>): Promise<void> {
    const { lookup } = dns;
    dns.lookup = ((...[name, ...others]: Parameters<typeof lookup>) =>
      lookup(name === host ? '127.0.0.1' : name, ...others)) as typeof lookup;
    try {
      await work();
    } finally {
      dns.lookup = lookup;
    }
  }

  it('reaches this machine under each of its names without asking a resolver', async () => {
    const port = await serve();
    const secure = await serve('127.0.0.1', createTlsServer(await makeCertificate('localhost')));
    const hosts = [`ws://127.0.0.1:${port}`, `ws://localhost:${port}`, `wss://localhost:${secure}`];
    hosts.push(`wss://127.0.0.1:${secure}`);
    if (process.platform === 'linux') hosts.push(`ws://127.0.0.2:${await serve('127.0.0.2')}`);
    const lookups = await countLookups(async () => {
      for (const host of hosts) await exchange(`${host}/devtools/browser/a%3Ab?token=x%20y`);
    });
    assert.equal(lookups, 0);
    for (const [index, host] of hosts.entries()) {
      const request = requests[index];
      assert.equal(request?.url, '/devtools/browser/a%3Ab?token=x%20y');
      assert.equal(request?.headers.host, new URL(host).host);
      assert.equal(request?.headers.authorization, headers.authorization);
      assert.equal(request?.headers.origin, undefined);
    }
  });

  it('reaches a server that listens only on ::1', async function () {
    let port: number;
    try {
      port = await serve('::1');
    } catch {
      // A machine without IPv6.
      this.skip();
    }
    for (const host of ['localhost', '[::1]']) await exchange(`ws://${host}:${port}/x`);
    assert.equal(requests.length, 2);
  });

  it('sends nothing to another host whose certificate isn’t trusted, even if Node is told to accept any', async () => {
    const port = await serve('127.0.0.1', createTlsServer(await makeCertificate('provider.test')));
    const address = new URL(`wss://provider.test:${port}/x`);
    const dial = (tls?: () => TrustedTls) =>
      openCdpDialer(new URL(`https://provider.test:${port}`), systemClock, tls).dial(address, headers, unaborted);
    await resolvedHere('provider.test', async () => {
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      try {
        assert.equal(await troubleOf(dial()), 'unreachable');
        assert.equal(requests.length, 0);
        (await dial(() => ({ rejectUnauthorized: false }))).dispose();
      } finally {
        delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      }
    });
  });

  it('connects to the account’s own origin, and to no other', async () => {
    const port = await serve();
    const other = await serve();
    const dialer = openCdpDialer(new URL(`http://127.0.0.1:${port}/base`), systemClock);
    for (const address of [
      `ws://127.0.0.1:${other}/x`,
      `ws://localhost:${port}/x`,
      `wss://127.0.0.1:${port}/x`,
      `ws://user@127.0.0.1:${port}/x`,
      `http://127.0.0.1:${other}/x`,
    ]) {
      assert.equal(await troubleOf(dialer.dial(new URL(address), headers, unaborted)), 'unsupported', address);
    }
    const grid = openCdpDialer(new URL('https://grid.example:8443/base'), systemClock);
    const clear = openCdpDialer(new URL(`http://app.localhost:${port}`), systemClock);
    const lookups = await countLookups(async () => {
      for (const address of [
        'wss://grid.example/devtools/browser/1',
        'ws://grid.example:8443/devtools/browser/1',
        'wss://evil.example:8443/devtools/browser/1',
        'wss://grid.example.evil.example:8443/',
      ]) {
        assert.equal(await troubleOf(grid.dial(new URL(address), headers, unaborted)), 'unsupported', address);
      }
      const local = new URL(`ws://app.localhost:${port}/x`);
      assert.equal(await troubleOf(clear.dial(local, headers, unaborted)), 'unsupported');
    });
    assert.deepEqual([requests.length, lookups], [0, 0]);
    (await dialer.dial(new URL(`ws://127.0.0.1:${port}//127.0.0.1:${other}/x`), headers, unaborted)).dispose();
    assert.deepEqual(
      requests.map(({ url }) => url),
      [`//127.0.0.1:${other}/x`],
    );
    assert.equal(requests[0]?.headers.host, `127.0.0.1:${port}`);
  });

  it('receives nothing more once it is disposed of, and doesn’t wait for a server that never closes', async () => {
    const port = await serve();
    const timers = new Set<() => void>();
    const clock: Clock = {
      ...systemClock,
      after: (_ms, run) => {
        timers.add(run);
        return { dispose: () => void timers.delete(run) };
      },
    };
    const dialer = openCdpDialer(new URL(`http://127.0.0.1:${port}`), clock);
    const connection = await dialer.dial(new URL(`ws://127.0.0.1:${port}/devtools/browser/x`), {}, unaborted);
    const events: string[] = [];
    connection.onEvent(({ method }) => events.push(method));
    const [client] = sockets.clients;
    assert.ok(client);
    const event = () => client.send(JSON.stringify({ method: 'Target.targetCreated', params: {} }));
    event();
    await until(() => events.length === 1);
    // It neither reads that the connection is closing nor stops sending.
    client.pause();
    connection.dispose();
    for (let sent = 0; sent < 100; sent++) event();
    const [terminate] = timers;
    terminate?.();
    const closed = once(client, 'close');
    client.resume();
    await closed;
    assert.equal(events.length, 1);
    connection.dispose();
  });

  it('reports how a connection was refused', async () => {
    const port = await serve();
    const refusing = createServer().listen(0, '127.0.0.1');
    servers.push(refusing);
    await once(refusing, 'listening');
    refusing.on('upgrade', (_, socket) => socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n'));
    const at = async (number: number) => {
      const origin = new URL(`http://127.0.0.1:${number}`);
      return troubleOf(openCdpDialer(origin, systemClock).dial(new URL(`ws://${origin.host}/x`), {}, unaborted));
    };
    assert.equal(await at((refusing.address() as AddressInfo).port), 'unauthorized');
    servers[0]?.close();
    await once(servers[0] as Server, 'close');
    assert.equal(await at(port), 'unreachable');
  });
});
