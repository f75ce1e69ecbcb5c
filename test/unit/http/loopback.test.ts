import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../src/core/clock.ts';
import type { EditorNetwork, NetworkSettings, Route } from '../../../src/core/network.ts';
import { ProviderError } from '../../../src/core/providerError.ts';
import { openHttpClient, openTransport } from '../../../src/http/client.ts';
import { ForwardProxy } from '../../servers/forwardProxy.ts';
import { countLookups } from '../lookups.ts';
import { RecordingLog, unaborted } from '../testNetwork.ts';

const key = 'canary-key-0123456789';
/** Only Linux responds on all of 127.0.0.0/8 without being set up for it. */
const addresses = ['127.0.0.1', ...(process.platform === 'linux' ? ['127.0.0.2', '127.1.1.1'] : [])];
const loopbackHosts = [...addresses, 'localhost'];

describe('requests to this machine', () => {
  let servers: Server[];
  /** The port at which each host is served; other hosts have none. */
  let ports: Map<string, number>;
  /** The keys that the server received, and the host name it was addressed by. */
  let received: { readonly key: unknown; readonly host: string | undefined }[];
  let proxy: ForwardProxy;
  let environment: Readonly<Record<string, string | undefined>>;

  beforeEach(async () => {
    received = [];
    servers = [];
    ports = new Map();
    for (const address of addresses) ports.set(address, await serve(address));
    ports.set('localhost', ports.get('127.0.0.1') ?? 0);
    proxy = await new ForwardProxy().start();
    environment = { ...process.env };
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY']) {
      process.env[name] = `http://${proxy.host}`;
    }
  });
  afterEach(async () => {
    for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await proxy.stop();
  });

  async function serve(address: string): Promise<number> {
    const server = createServer((request, response) => {
      received.push({ key: request.headers['x-key'], host: request.headers.host });
      response.setHeader('content-type', 'application/json').end('{}');
    }).listen(0, address);
    await once(server, 'listening');
    servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  async function send(host: string, transport: NetworkSettings['transport'], route: Route): Promise<unknown> {
    const network: EditorNetwork = {
      settings: () => ({ transport, systemCertificates: false, strictCertificates: true }),
      routeTo: async () => route,
      onDidChange: () => ({ dispose: () => {} }),
    };
    const options = { transport: openTransport(network, systemClock), clock: systemClock, logger: new RecordingLog() };
    const client = openHttpClient(new URL(`http://${host}:${ports.get(host) ?? 1}`), [key], {
      ...options,
      limits: {},
    });
    const request = { method: 'GET', route: '/things', headers: { 'x-key': key }, repeatable: false } as const;
    return client.send(request, unaborted);
  }

  it('go there directly, even if the editor, a setting, a variable or a PAC file names a proxy', async () => {
    const routes: readonly Route[] = [
      { by: 'editor', proxy: `http://${proxy.host}` },
      { by: 'editor', proxy: `socks5://${proxy.host}` },
      { by: 'settings', proxy: `http://${proxy.host}`, noProxy: [] },
      { by: 'settings', proxy: undefined, noProxy: [] },
    ];
    for (const host of loopbackHosts) {
      for (const route of routes) {
        for (const transport of ['auto', 'undici', 'editor'] as const) {
          received = [];
          await send(host, transport, route);
          assert.deepEqual(received, [{ key, host: `${host}:${ports.get(host)}` }], `${host} ${transport} ${route.by}`);
        }
      }
    }
    assert.equal(proxy.connections, 0);
  });

  it('ask no resolver', async () => {
    const direct = { by: 'editor', proxy: undefined } as const;
    const lookups = await countLookups(async () => {
      for (const host of loopbackHosts) await send(host, 'auto', direct);
    });
    assert.equal(received.length, loopbackHosts.length);
    assert.equal(lookups, 0);
    // This checks that lookups are counted at all.
    assert.ok((await countLookups(async () => fetch(`http://localhost:${ports.get('localhost')}`))) > 0);
  });

  it('aren’t even tried under names that a resolver would be asked about', async () => {
    for (const host of ['localhost.', 'app.localhost', 'a.b.localhost.']) {
      const lookups = await countLookups(async () => {
        for (const transport of ['auto', 'undici', 'editor'] as const) {
          const route = { by: 'settings', proxy: `http://${proxy.host}`, noProxy: [] } as const;
          await assert.rejects(send(host, transport, route), (error) => {
            return ProviderError.isOf(error, 'badAddress') && error.message.includes('localName');
          });
        }
      });
      assert.equal(lookups, 0, host);
    }
    assert.deepEqual([received.length, proxy.connections], [0, 0]);
  });

  it('reach a server that listens only on ::1', async function () {
    try {
      ports.set('[::1]', await serve('::1'));
    } catch {
      // A machine without IPv6.
      this.skip();
    }
    ports.set('localhost', ports.get('[::1]') ?? 0);
    for (const host of ['localhost', '[::1]']) await send(host, 'auto', { by: 'editor', proxy: undefined });
    assert.equal(received.length, 2);
  });
});
