import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { TestingApi } from '../../src/extension.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { TunnelProxy } from '../servers/tunnelProxy.ts';
import { command, extension, removeAllAccounts, User } from './inside.ts';

/** Where test/run.ts has put a certificate whose authority only the system's store knows; see SSL_CERT_FILE there. */
const certificates = process.env['BROWSER_SESSIONS_CERTIFICATES'];

describe('the network inside VS Code', () => {
  let api: TestingApi;
  let server: AnchorServer;
  let proxy: TunnelProxy;

  before(async function () {
    // Only on Linux can a process be given a system store of its own.
    if (certificates === undefined) this.skip();
    api = await extension();
    await removeAllAccounts(api);
    api.testing.prompts = new User();
    const part = (name: string) => readFileSync(join(certificates ?? '', name), 'utf8');
    server = await startAnchor({ key: part('key.pem'), cert: part('cert.pem') });
    proxy = await new TunnelProxy(new Map([['anchor.test', server.port]])).start();
  });
  after(async () => {
    if (certificates === undefined) return;
    await removeAllAccounts(api);
    await proxy.stop();
    await server.stop();
  });
  afterEach(async () => {
    if (certificates === undefined) return;
    await set('http.proxy', undefined);
    await set('http.systemCertificates', undefined);
    await set('browserSessions.network.transport', undefined);
    api.testing.prompts = new User();
    await removeAllAccounts(api);
  });

  const set = (key: string, value: unknown) =>
    vscode.workspace.getConfiguration().update(key, value, vscode.ConfigurationTarget.Global);
  const addAt = (origin: string) =>
    command('addAccount', { provider: 'anchor', origin, fields: { apiKey: server.key } });

  for (const transport of ['undici', 'editor']) {
    it(`goes through http.proxy, and directly once it is unset (${transport})`, async () => {
      await set('browserSessions.network.transport', transport);
      await set('http.proxy', proxy.url);
      const tunnels = proxy.tunnels.length;
      await addAt(`https://anchor.test:${server.port}`);
      assert.ok(proxy.tunnels.length > tunnels);
      assert.ok(proxy.tunnels.every((tunnel) => tunnel === `anchor.test:${server.port}`));
      const before = proxy.tunnels.length;
      await set('http.proxy', undefined);
      await api.refresh();
      // Only the proxy knows this host.
      assert.equal(api.accounts[0]?.trouble, 'unreachable');
      assert.equal(proxy.tunnels.length, before);
    });

    it(`trusts what the system’s store trusts, and connects directly where no proxy is set (${transport})`, async () => {
      await set('browserSessions.network.transport', transport);
      const before = proxy.tunnels.length;
      await addAt(`https://localhost:${server.port}`);
      assert.equal(api.accounts[0]?.state, 'ready');
      assert.equal(proxy.tunnels.length, before);
    });
  }

  it('doesn’t trust the system’s store when the setting says so', async () => {
    await set('browserSessions.network.transport', 'undici');
    await set('http.systemCertificates', false);
    await assert.rejects(addAt(`https://localhost:${server.port}`), /certificate of localhost:\d+ isn't trusted/);
  });

  for (const transport of ['auto', 'editor']) {
    it(`accepts no other certificate where the environment says that Node accepts any (${transport})`, async () => {
      await set('browserSessions.network.transport', transport);
      await set('http.systemCertificates', false);
      await set('http.proxy', proxy.url);
      const before = server.requests.length;
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      try {
        await assert.rejects(
          addAt(`https://anchor.test:${server.port}`),
          /certificate of anchor\.test:\d+ isn't trusted/,
        );
      } finally {
        delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      }
      assert.equal(server.requests.length, before);
    });
  }

  it('says when the proxy rejects a request', async () => {
    await set('browserSessions.network.transport', 'undici');
    await set('http.proxy', proxy.url);
    await assert.rejects(addAt('https://unknown.test'), /proxy blocked the request to unknown\.test/);
  });
});
