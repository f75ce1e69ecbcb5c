import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as vscode from 'vscode';
import { WebSocketServer } from 'ws';
import type { TestingApi } from '../../src/extension.ts';
import { ForwardProxy } from '../servers/forwardProxy.ts';
import { command, extension, removeAllAccounts, User } from './inside.ts';

const key = 'canary-key-0123456789';

/** Another address of this machine, which VS Code itself treats as remote; only Linux has it by default. */
const host = '127.0.0.2';

describe('accounts on this machine inside VS Code, with a proxy set', () => {
  let api: TestingApi;
  let proxy: ForwardProxy;
  let server: Server;
  let sockets: WebSocketServer;
  let received: string[];

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    api = await extension();
    await removeAllAccounts(api);
    api.testing.prompts = new User();
    proxy = await new ForwardProxy().start();
    received = [];
    sockets = new WebSocketServer({ noServer: true });
    server = createServer((request, response) => {
      received.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`.trim());
      const webSocketDebuggerUrl = `ws://${request.headers.host}/devtools/browser/1`;
      const version = { Browser: 'Chrome/156', webSocketDebuggerUrl };
      const json = request.url === '/json/version' ? version : { sessions: [], count: 0 };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(json));
    });
    server.on('upgrade', (request, socket, head) => {
      received.push(`WebSocket ${request.url}`);
      sockets.handleUpgrade(request, socket, head, (client) => {
        client.on('message', (data: Buffer) => {
          const { id } = JSON.parse(data.toString('utf8'));
          client.send(JSON.stringify({ id, result: { targetInfos: [], browserContextIds: [] } }));
        });
      });
    });
    server.listen(0, host);
    await once(server, 'listening');
  });
  after(async () => {
    if (process.platform !== 'linux') return;
    await set('http.proxy', undefined);
    await set('browserSessions.network.transport', undefined);
    await removeAllAccounts(api);
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
    await proxy.stop();
  });

  const set = (name: string, value: unknown) =>
    vscode.workspace.getConfiguration().update(name, value, vscode.ConfigurationTarget.Global);

  for (const transport of ['auto', 'undici', 'editor']) {
    it(`are reached directly, by HTTP and by DevTools (${transport})`, async () => {
      await set('browserSessions.network.transport', transport);
      await set('http.proxy', `http://${proxy.host}`);
      received.length = 0;
      const before = proxy.connections;
      const origin = `http://${host}:${(server.address() as AddressInfo).port}`;
      await command('addAccount', { provider: 'localChrome', origin });
      await command('addAccount', { provider: 'gateway', origin, fields: { authorization: `Bearer ${key}` } });
      assert.deepEqual(
        api.accounts.map(({ state }) => state),
        ['ready', 'ready'],
      );
      assert.ok(received.includes('WebSocket /devtools/browser/1'));
      assert.ok(received.some((request) => request.endsWith(`Bearer ${key}`)));
      assert.equal(proxy.connections, before);
      await removeAllAccounts(api);
      api.testing.prompts = new User();
    });
  }
});
