import { strict as assert } from 'node:assert';
import { browserlessMissing, type RunningBrowserless, startBrowserless } from '../host/browserless.ts';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { type BrowserbaseServer, startBrowserbase } from '../servers/browserbase.ts';
import { type BrowserlessCloudServer, startBrowserlessCloud } from '../servers/browserlessCloud.ts';
import { type BrowserlessV1Server, startBrowserlessV1 } from '../servers/browserlessV1.ts';
import { Devtools } from '../servers/devtools.ts';
import { type GatewayServer, startGateway } from '../servers/gateway.ts';
import { startPages } from '../servers/pages.ts';
import type { ProviderServer } from '../servers/providerServer.ts';
import { type StagehandServer, startStagehand } from '../servers/stagehand.ts';
import { until, WorkbenchUser } from './user.ts';

/** A user's account at one provider, with two sessions in it. */
interface Side {
  readonly provider: string;
  readonly label: string;
  /** The names of the sessions' rows; the first is ended by itself, the second with all. */
  readonly sessions: readonly [string, string];
  /** Asks the provider's own server how many sessions are running. */
  running(): Promise<number>;
}

describe('a user with an account at every provider', function () {
  this.timeout(180_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  const withRealBrowserless = browserlessMissing() === undefined;
  let anchor: AnchorServer;
  let browserbase: BrowserbaseServer;
  let stagehand: StagehandServer;
  let v1: BrowserlessV1Server;
  let cloud: BrowserlessCloudServer;
  let gateway: GatewayServer;
  let chromium: RunningChromium;
  let devtools: Devtools;
  let pages: ProviderServer;
  let v2: RunningBrowserless | undefined;
  let user: WorkbenchUser;
  let sides: readonly Side[];

  before(async () => {
    [anchor, browserbase, v1, cloud, gateway, chromium, pages] = await Promise.all([
      startAnchor(),
      startBrowserbase(),
      startBrowserlessV1(),
      startBrowserlessCloud(),
      startGateway(),
      startChromium(),
      startPages(),
    ]);
    stagehand = await startStagehand(browserbase);
    devtools = await Devtools.open(chromium.endpoint);
    if (withRealBrowserless) v2 = await startBrowserless();

    anchor.add({ domains: ['anchor-one.example'] });
    anchor.add({ domains: ['anchor-two.example'] });
    stagehand.startSession('bb-stage');
    browserbase.add({ id: 'bb-plain', userMetadata: { name: 'nightly', job: 'shop' }, region: 'eu-central-1' });
    v1.add({ trackingId: 'v1-one' });
    v1.add({ trackingId: 'v1-two' });
    cloud.add({ id: 'cloud001' });
    cloud.add({ id: 'cloud002' });
    gateway.add({ id: 'gateway1', persist: true });
    gateway.add({ id: 'gateway2', status: 'idle' });
    for (const name of ['clock', 'counter']) await devtools.openContext(`${pages.url}/${name}`);
    for (const trackingId of ['v2-one', 'v2-two']) await v2?.open({ trackingId, page: `${pages.url}/form` });
    user = await WorkbenchUser.open({ theme: 'Default Light Modern', viewport: { width: 1280, height: 960 } });
  });
  after(async () => {
    await user?.picture('every-provider-end');
    await user?.standUp();
    devtools?.close();
    for (const server of [anchor, browserbase, stagehand, v1, cloud, gateway, pages, chromium, v2])
      await server?.stop();
  });

  /** Answers the questions that every account asks after its provider's own. */
  async function finish(provider: string, label: string): Promise<void> {
    await user.type('Enter a name to show in the Sessions view', label);
    await user.row(`Account ${provider} · ${label}`).waitFor();
  }

  it('turns on the setting that lets Browserless’s cloud be listed, and reads its description', async () => {
    await user.turnOn('browserSessions.browserless.accountApi', 'undocumented and may change');
  });

  it('adds the accounts, and is told where each key goes', async () => {
    await user.run('Add Account…');
    await user.pick('Anchor Browser');
    await user.page.getByRole('button', { name: 'Use a Different Address…' }).click();
    await user.type('Enter the address of the Anchor Browser API', anchor.url);
    await user.type('Anchor Browser API key', anchor.key);
    await finish('Anchor Browser', 'shop');

    await user.run('Add Account…');
    await user.pick('Browserbase');
    const cloudHosts = 'sent only to api.browserbase.com, api.stagehand.browserbase.com';
    await user.page.locator('.quick-input-widget').getByText(cloudHosts).waitFor();
    await user.picture('browserbase-key');
    await user.page.getByRole('button', { name: 'Use a Different Address…' }).click();
    await user.type('Enter the address of the Browserbase API', browserbase.url);
    await user.type(`sent only to ${new URL(browserbase.url).host}`, browserbase.key);
    await user.type('Browserbase project ID', '');
    await user.type('Address of the Stagehand API', 'http://stagehand.example');
    await user.type('Use https://', stagehand.url);
    await finish('Browserbase', 'agents');

    for (const [label, address, token] of [
      ['old', v1.url, v1.token ?? ''],
      ['cloud', cloud.url, cloud.token],
      ...(v2 === undefined ? [] : [['own', v2.url, v2.token] as const]),
    ] as const) {
      await user.run('Add Account…');
      await user.pick('Browserless');
      await user.type('Address of your Browserless server', address);
      await user.type('Browserless token', token);
      await finish('Browserless', label);
    }

    await user.run('Add Account…');
    await user.pick('Session Gateway');
    await user.type('Enter the base address of the gateway', gateway.url);
    await user.type('Value of the Authorization header', gateway.authorization);
    await finish('Session Gateway', 'internal');

    await user.run('Add Account…');
    await user.pick('Local Chrome');
    await user.type('started with --remote-debugging-port', chromium.endpoint);
    await finish('Local Chrome', 'mine');

    sides = [
      {
        provider: 'Anchor Browser',
        label: 'shop',
        sessions: ['anchor-one.example', 'anchor-two.example'],
        running: async () => anchor.running.length,
      },
      {
        provider: 'Browserbase',
        label: 'agents',
        sessions: ['bb-stage', 'nightly'],
        running: async () => browserbase.running.length,
      },
      { provider: 'Browserless', label: 'old', sessions: ['v1-one', 'v1-two'], running: async () => v1.browsers.size },
      {
        provider: 'Browserless',
        label: 'cloud',
        sessions: ['cloud001', 'cloud002'],
        running: async () => cloud.browsers.size,
      },
      ...(v2 === undefined ? [] : [realBrowserless(v2)]),
      {
        provider: 'Session Gateway',
        label: 'internal',
        sessions: ['gateway1', 'gateway2'],
        running: async () => gateway.running.length,
      },
      {
        provider: 'Local Chrome',
        label: 'mine',
        sessions: ['Clock', 'Counter'],
        running: async () => (await devtools.contexts()).length,
      },
    ];
    for (const { sessions } of sides) for (const name of sessions) await user.row(`Session ${name}`).waitFor();
  });

  const realBrowserless = (real: RunningBrowserless): Side => ({
    provider: 'Browserless',
    label: 'own',
    sessions: ['v2-one', 'v2-two'],
    running: async () => (await real.running()).length,
  });

  it('sees in each account which server responds and how many sessions may run', async () => {
    // The account that was added last may only be listed now.
    await until(async () => !(await user.rows()).some((row) => /^Account .*loading…/.test(row)));
    const accounts = (await user.rows()).filter((row) => row.startsWith('Account '));
    const of = (name: string) => accounts.find((row) => row.startsWith(`Account ${name}`)) ?? '';
    assert.match(of('Anchor Browser · shop'), /2 of 25 sessions/);
    assert.match(of('Browserbase · agents'), /2 of 25 sessions, checkout-bots/);
    assert.match(of('Browserless · old'), /2 of 10 sessions, v1/);
    assert.match(of('Browserless · cloud'), /2 running, cloud v2\.49\.0/);
    if (v2 !== undefined) assert.match(of('Browserless · own'), /2 of 20 sessions, v2\.42\.0/);
    assert.match(of('Session Gateway · internal'), /1 running, 1 idle/);
    assert.match(of('Local Chrome · mine'), /2 running, (Headless)?Chrome \d+/);
    await user.picture('every-provider');
  });

  it('ends one session of each provider from its context menu, and each server confirms it', async () => {
    for (const { sessions, running, provider } of sides) {
      const [first] = sessions;
      await user.choose(user.row(`Session ${first}`), 'End Session…');
      const dialog = await user.dialog();
      // A session that nothing names is called by its short ID alone.
      assert.match(dialog, new RegExp(`End session "${first}"( \\(\\S+\\))?\\?`));
      if (provider === 'Session Gateway') assert.match(dialog, /started with "persist" saves its cookies and storage/);
      await user.press('End Session');
      await user.row(`Session ${first}`).waitFor({ state: 'detached' });
      assert.equal(await running(), 1, provider);
    }
    assert.deepEqual(stagehand.log(), ['POST /v1/sessions/bb-stage/end']);
    assert.deepEqual(gateway.saved, ['gateway1']);
    await user.picture('every-provider-one-each');
  });

  it('ends all sessions from the palette: exactly those the dialog lists, one by one', async () => {
    await user.run('End All Sessions…');
    const dialog = await user.dialog();
    assert.match(dialog, new RegExp(`End all ${sides.length} sessions in ${sides.length} accounts\\?`));
    for (const { provider, label, sessions } of sides) {
      assert.ok(dialog.includes(`${provider} · ${label}: 1`), dialog);
      assert.ok(dialog.includes(`• ${sessions[1]}`), dialog);
    }
    assert.match(dialog, /What will be lost:\s+• Anchor Browser, Browserbase: The browser closes/);
    await user.picture('every-provider-kill-all');
    await user.press(`End ${sides.length} Sessions`);
    for (const { sessions, running, provider } of sides) {
      await user.row(`Session ${sessions[1]}`).waitFor({ state: 'detached' });
      await until(async () => (await running()) === 0).catch(() => assert.fail(provider));
    }
    assert.ok(!anchor.log().includes('DELETE /v1/sessions/all'));
    assert.ok(!v1.log().includes('GET /kill/all'));
    assert.equal(cloud.killsOfAll, 0);
    if (v2 !== undefined) {
      const real = v2;
      await until(async () => (await real.browserProcesses()).length === 0);
    }
    // A gateway's empty list isn't a confirmation.
    await user.row('This gateway lists no sessions.').waitFor();
  });

  it('groups sessions by a metadata key', async () => {
    for (const id of ['job-one', 'job-two']) browserbase.add({ id, userMetadata: { job: 'shop [x](command:y)' } });
    await user.run('Refresh');
    // The job names both, so each has its ID.
    await user.row('Session shop [x] (command:y) · job-one').waitFor();
    await user.fillSetting('browserSessions.groupByMetadataKey', 'job');
    await user.row('job: shop [x] (command:y), 2').waitFor();
    await user.picture('every-provider-grouped');
    assert.deepEqual(await user.offers(user.row('job: shop')), [
      'Open All Live Views in Group',
      'Filter to This Group',
      'End Group…',
    ]);
    await user.choose(user.row('job: shop'), 'End Group…');
    await user.dialog();
    await user.press('End 2 Sessions');
    await user.row('job: shop').waitFor({ state: 'detached' });
    assert.deepEqual(browserbase.running, []);
  });
});
