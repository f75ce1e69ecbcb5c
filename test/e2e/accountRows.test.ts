import { strict as assert } from 'node:assert';
import { resolve } from 'node:path';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { type BrowserbaseServer, startBrowserbase } from '../servers/browserbase.ts';
import { type GatewayServer, startGateway } from '../servers/gateway.ts';
import { until, WorkbenchUser } from './user.ts';

const narrow = 240;

describe('a user with several accounts in a narrow side bar', function () {
  this.timeout(180_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let anchor: AnchorServer;
  let browserbase: BrowserbaseServer;
  let gateway: GatewayServer;
  let user: WorkbenchUser;

  before(async () => {
    [anchor, browserbase, gateway] = await Promise.all([startAnchor(), startBrowserbase(), startGateway()]);
    for (let index = 0; index < 7; index++) anchor.add({ domains: [`shop-${index}.example`] });
    browserbase.add({ id: 'bb-one', userMetadata: { name: 'nightly' } });
    gateway.add({ id: 'gateway1', persist: true });
    gateway.add({ id: 'gateway2', status: 'idle' });
    const accounts = [
      { provider: 'anchor', label: 'production europe checkout', origin: anchor.url, fields: { apiKey: anchor.key } },
      { provider: 'browserbase', label: 'agents', origin: browserbase.url, fields: { apiKey: browserbase.key } },
      { provider: 'gateway', label: 'agents', origin: gateway.url, fields: { authorization: gateway.authorization } },
    ];
    user = await WorkbenchUser.open({
      viewport: { width: 1100, height: 760 },
      extensions: [resolve('test', 'host', 'demo')],
      env: { BROWSER_SESSIONS_DEMO: JSON.stringify(accounts) },
    });
    await user.row('Account Anchor Browser · production europe checkout, 7 of 25 sessions').waitFor();
    await user.row('Account Browserbase · agents, 1 of ').waitFor();
    await user.row('Account Session Gateway · agents, 1 running, 1 idle').waitFor();
  });
  after(async () => {
    await user?.picture('account-rows-end');
    await user?.standUp();
    for (const server of [anchor, browserbase, gateway]) await server?.stop();
  });

  /** The right edge of a text in a row, and of the space that the row has for text. */
  const edges = (name: string, text: string) =>
    user.row(name).evaluate((row, text) => {
      const container = row.querySelector('.monaco-icon-label-container') ?? row;
      const walker = document.createTreeWalker(container, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        const at = node.nodeValue?.indexOf(text) ?? -1;
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + text.length);
        return { text: range.getBoundingClientRect().right, room: container.getBoundingClientRect().right };
      }
      return undefined;
    }, text);
  const color = (name: string) =>
    user
      .row(name)
      .locator('.monaco-icon-label .label-name')
      .evaluate((label) => getComputedStyle(label).color);
  const iconOf = (name: string) =>
    user
      .row(name)
      .locator('.custom-view-tree-node-item-icon')
      .first()
      .evaluate((icon) => `${icon.className} ${decodeURIComponent(getComputedStyle(icon).backgroundImage)}`);

  it('sees how many sessions each account has', async () => {
    await user.resizeSideBar(narrow);
    await user.picture('account-rows-narrow');
    for (const [name, text] of [
      ['Account Anchor Browser · production', '7 of 25'],
      ['Account Browserbase · agents', '1 of '],
      ['Account Session Gateway · agents', '1 running'],
    ] as const) {
      const at = await edges(name, text);
      assert.ok(at !== undefined && at.text <= at.room, `${name}: ${JSON.stringify(at)}`);
    }
  });

  it('tells accounts of the same name apart by the icon of the provider', async () => {
    assert.match(await iconOf('Account Browserbase · agents'), /providers\/dark\/browserbase\.svg/);
    assert.match(await iconOf('Account Session Gateway · agents'), /providers\/dark\/gateway\.svg/);
  });

  it('sees which account is in trouble while its old rows are shown, and that they are old', async () => {
    const before = await color('Session shop-1.example');
    anchor.outage = { status: 401, json: { message: 'Invalid API key' } };
    gateway.outage = { status: 503, text: 'Service Unavailable' };
    await user.run('Refresh');
    const name = 'Account Anchor Browser · production europe checkout, error: key rejected, 7 of 25 sessions, as of ';
    await user.row(name).waitFor();
    await user.row('Account Session Gateway · agents, error: server error 503').waitFor();
    assert.match(await iconOf('Account Anchor Browser'), /codicon-error/);
    await until(async () => (await color('Session shop-1.example')) !== before);
    assert.match((await user.rows()).find((row) => row.startsWith('Session shop-1')) ?? '', /, as of \d/);
    const at = await edges(name, 'key');
    assert.ok(at !== undefined && at.text <= at.room, JSON.stringify(at));
    await user.picture('account-rows-trouble');
    anchor.outage = undefined;
    gateway.outage = undefined;
    anchor.misbehave('GET', /status$/, { kind: 'slow', ms: 3_000 });
    await user.run('Refresh');
    // Trying again shows progress, and doesn't take the error away before it's known to be over.
    const bar = user.page.locator('#workbench\\.parts\\.sidebar .monaco-progress-container.active').first();
    await bar.waitFor();
    assert.ok(await user.row(name).isVisible());
    assert.equal((await user.rows()).filter((row) => /[Ll]oading…/.test(row)).length, 0);
    await user.row('Account Anchor Browser · production europe checkout, 7 of 25 sessions').waitFor();
    await until(async () => (await color('Session shop-1.example')) === before);
    await bar.waitFor({ state: 'hidden' });
    anchor.behave();
  });

  it('sees the progress of ending several sessions move with each one', async () => {
    anchor.misbehave('DELETE', /./, { kind: 'oneByOne', ms: 700 });
    await user.page.evaluate(() => {
      const seen = new Set<string>();
      Object.assign(window, { seenProgress: seen });
      const look = () => {
        for (const [said] of document.body.innerText.matchAll(/\d+ of 7 requested/g)) seen.add(said);
      };
      new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    await user.choose(user.row('Account Anchor Browser'), 'End All Sessions in Account…');
    await user.press('End 7 Sessions');
    await user.notification('Ended 7 of 7 sessions.').waitFor({ timeout: 60_000 });
    assert.deepEqual(anchor.running, []);
    const seen = await user.page.evaluate(() => [...(window as unknown as { seenProgress: Set<string> }).seenProgress]);
    // VS Code may skip one that it has no time to draw.
    assert.ok(seen.length >= 5, seen.join());
  });
});
