import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { makeCertificate, writeCertificate } from '../host/certificates.ts';
import { temporaryFolder } from '../host/processes.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { type BrowserbaseServer, startBrowserbase } from '../servers/browserbase.ts';
import { type GatewayServer, startGateway } from '../servers/gateway.ts';
import { TunnelProxy } from '../servers/tunnelProxy.ts';
import { WorkbenchUser } from './user.ts';

describe('a user whose VS Code runs on another machine that serves its ports below the editor’s own address', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let anchor: AnchorServer;
  let browserbase: BrowserbaseServer;
  let gateway: GatewayServer;
  let proxy: TunnelProxy;
  let user: WorkbenchUser;

  before(async () => {
    const certificate = await makeCertificate('api.browserbase.com');
    const certificates = temporaryFolder('certificates');
    await writeCertificate(certificates, certificate);
    [anchor, browserbase, gateway] = await Promise.all([startAnchor(), startBrowserbase(certificate), startGateway()]);
    proxy = await new TunnelProxy(new Map([['api.browserbase.com', browserbase.port]])).start();
    anchor.add({ id: 'sess_shop', domains: ['shop.example'] });
    browserbase.add({ id: 'bb-nightly', userMetadata: { name: 'nightly' } });
    gateway.add({ id: 'gateway1' });
    user = await WorkbenchUser.open({
      env: {
        https_proxy: proxy.url,
        no_proxy: '127.0.0.1',
        VSCODE_PROXY_URI: './ports/{{port}}/',
        SSL_CERT_FILE: join(certificates, 'authority.pem'),
      },
    });
  });
  after(async () => {
    await user?.picture('elsewhere-end');
    await user?.standUp();
    for (const server of [anchor, browserbase, gateway, proxy]) await server?.stop();
  });

  /** Opens a live view that can't be shown, and reads the explanation. */
  async function refused(name: string): Promise<{ readonly panel: Frame; readonly why: string }> {
    await user.choose(user.row(`Session ${name}`), 'Open Live View');
    const panel = await user.live(name);
    const agree = panel.getByRole('button', { name: 'Show Live View' });
    await panel.getByRole('heading', { name: "Live view isn't available" }).or(agree).waitFor();
    if (await agree.isVisible()) await agree.click();
    await panel.getByRole('heading', { name: "Live view isn't available" }).waitFor();
    assert.equal(await panel.locator('iframe').count(), 0);
    return { panel, why: await panel.locator('#lines').innerText() };
  }

  /** @returns the address of the tab that a button opens. VS Code asks first unless the address is on this machine. */
  async function opened(panel: Frame, button: string, asks: boolean): Promise<string> {
    return user.opened(async () => {
      await panel.getByRole('button', { name: button }).click();
      if (asks) await user.press('Open');
    });
  }

  it('is told that a page can’t be shown below the editor’s address, and opens it in a browser tab', async () => {
    await user.addAt('Anchor Browser', anchor.url, anchor.key, 'shop');
    const { panel, why } = await refused('shop.example');
    assert.equal(why, "This editor can't show the address of this live view. Open the session in a browser instead.");
    await user.picture('elsewhere-below');
    const address = new URL(await opened(panel, 'Open in External Browser', false));
    assert.equal(address.origin, new URL(user.page.url()).origin);
    assert.match(address.href, new RegExp(`/ports/${anchor.port}/live/sess_shop/[\\w-]+\\?rt=a%2Bb%26c$`));
  });

  it('is told that an address no policy can name can’t be shown', async () => {
    await user.run('Add Account…');
    await user.pick('Session Gateway');
    await user.type('Enter the base address of the gateway', gateway.url);
    await user.type('Value of the Authorization header', gateway.authorization);
    await user.type('Enter a name to show in the Sessions view', 'internal');
    const json = { session: { id: 'gateway1', status: 'running', liveViewUrl: 'http://[::1]:9/live?rt=a%2Bb' } };
    gateway.misbehave('GET', /gateway1$/, { kind: 'answer', answer: { status: 200, json } });
    const { panel, why } = await refused('gateway1');
    assert.equal(why, "This editor can't show the address of this live view. Open the session in a browser instead.");
    assert.equal(await opened(panel, 'Open in External Browser', false), 'http://[::1]:9/live?rt=a%2Bb');
  });

  it('opens a session’s dashboard from its end card', async function () {
    // Only on Linux can a process be given a system store of its own.
    if (process.platform !== 'linux') this.skip();
    await user.run('Add Account…');
    await user.pick('Browserbase');
    await user.type('Browserbase API key', browserbase.key);
    await user.type('Enter a name to show in the Sessions view', 'agents');
    // The server's own address isn't one of the provider's.
    const { panel } = await refused('nightly');
    await panel.getByRole('button', { name: 'End Session…' }).click();
    await user.dialog();
    await user.press('End Session');
    await panel.getByRole('heading', { name: 'Session ended' }).waitFor();
    assert.deepEqual(browserbase.running, []);
    await user.picture('elsewhere-ended');
    assert.equal(await opened(panel, 'Open Dashboard', true), 'https://www.browserbase.com/sessions/bb-nightly');
  });
});
