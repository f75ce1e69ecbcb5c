import { strict as assert } from 'node:assert';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { Devtools } from '../servers/devtools.ts';
import { startPages } from '../servers/pages.ts';
import type { ProviderServer } from '../servers/providerServer.ts';
import { until, WorkbenchUser } from './user.ts';

describe('a user with a Chrome of their own', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let chromium: RunningChromium;
  let devtools: Devtools;
  let pages: ProviderServer;
  let user: WorkbenchUser;
  let contexts: string[];

  before(async () => {
    [chromium, pages] = await Promise.all([startChromium(), startPages()]);
    devtools = await Devtools.open(chromium.endpoint);
    contexts = [];
    for (const name of ['clock', 'counter', 'form']) contexts.push(await devtools.openContext(`${pages.url}/${name}`));
    await devtools.send('Target.createTarget', { url: `${pages.url}/clock` });
    user = await WorkbenchUser.open();
  });
  after(async () => {
    await user.picture('local-chrome-end');
    await user.standUp();
    devtools.close();
    await chromium.stop();
    await pages.stop();
  });

  it('adds it through the quick input, and sees its sessions', async () => {
    await user.page.getByRole('button', { name: 'Add Account' }).first().click();
    await user.pick('Local Chrome');
    await user.type('started with --remote-debugging-port', 'http://127.0.0.1:1');
    await user.type("Couldn't connect to 127.0.0.1:1", chromium.endpoint);
    await user.type('Enter a name to show in the Sessions view', 'Local Chrome');
    for (const name of ['Clock', 'Counter', 'Sign-up form', 'Default context'])
      await user.row(`Session ${name}`).waitFor();
    await user.row('Account Local Chrome, 4 running').waitFor();
    await user.picture('local-chrome-rows');
  });

  it('opens a session and sees its pages', async () => {
    await user.row('Session Counter').locator('.monaco-tl-twistie').click();
    await user.row('Page Counter').waitFor();
  });

  it('is offered only what can be done with each row', async () => {
    assert.deepEqual(await user.offers(user.row('Session Clock')), [
      'Open Live View',
      'Open Live View to the Side',
      'Show Details',
      'Take Screenshot',
      'Copy Session ID',
      'Copy as JSON',
      'Protect Session',
      'End Session…',
    ]);
    assert.deepEqual(await user.offers(user.row('Account Local Chrome')), [
      'Filter to This Account',
      'Refresh Account',
      'Rename Account…',
      'Test Connection',
      'Remove Account…',
      'End All Sessions in Account…',
      'End Session by ID…',
    ]);
  });

  it('cancels an end, and nothing is sent', async () => {
    await user.choose(user.row('Session Clock'), 'End Session…');
    const dialog = await user.dialog();
    assert.match(dialog, /End session "Clock" \(\S+\)\?/);
    assert.match(dialog, /Local Chrome: running/);
    assert.match(dialog, /Its pages close\. Anything typed.*This can't be undone\./);
    await user.picture('local-chrome-confirm');
    await user.press('Cancel');
    await user.page.waitForTimeout(1_000);
    assert.deepEqual(new Set(await devtools.contexts()), new Set(contexts));
    assert.ok(await user.row('Session Clock').isVisible());
  });

  it('ends one session: its context is gone from Chromium, and its row disappears', async () => {
    await user.choose(user.row('Session Clock'), 'End Session…');
    await user.dialog();
    await user.press('End Session');
    await until(async () => !(await devtools.contexts()).includes(contexts[0] ?? ''));
    await user.row('Session Clock').waitFor({ state: 'detached' });
    assert.deepEqual(new Set(await devtools.contexts()), new Set(contexts.slice(1)));
  });

  it('ends all from the palette without touching the default context and the browser', async () => {
    await user.run('End All Sessions…');
    const dialog = await user.dialog();
    assert.match(dialog, /End all 2 sessions\?/);
    assert.match(dialog, /Local Chrome: 2/);
    assert.match(dialog, /• Counter/);
    assert.match(dialog, /• Sign-up form/);
    assert.match(dialog, /Skipped:\s+• Default context/);
    await user.picture('local-chrome-confirm-all');
    await user.press('End 2 Sessions');
    await until(async () => (await devtools.contexts()).length === 0);
    await user.row('Session Counter').waitFor({ state: 'detached' });
    await user.row('Session Default context').waitFor();
    await user.notification('Ended 2 of 2 sessions.').waitFor();
    assert.deepEqual(
      (await devtools.defaultPages()).filter((url) => url.startsWith('http')),
      [`${pages.url}/clock`],
    );
    assert.equal(chromium.process.child.exitCode, null);
  });

  it('sees a session that a script starts without refreshing', async () => {
    await devtools.openContext(`${pages.url}/form`);
    await user.row('Session Sign-up form').waitFor({ timeout: 30_000 });
  });

  it('ends the default context only by itself: the pages named in the dialog close, and the browser stays', async () => {
    await user.choose(user.row('Session Default context'), 'End Session…');
    const dialog = await user.dialog();
    assert.match(dialog, /browser's own window, which may be yours/);
    assert.match(dialog, /These pages will close:\s+• Clock/);
    assert.match(dialog, /The browser itself stays open/);
    await user.press('End Session');
    await user.row('Session Default context').waitFor({ state: 'detached' });
    assert.deepEqual(
      (await devtools.defaultPages()).filter((url) => url.startsWith('http')),
      [],
    );
    assert.equal((await devtools.contexts()).length, 1);
  });

  it('ends the selected sessions with the Delete key', async () => {
    await user.row('Session Sign-up form').click();
    await user.page.keyboard.press('Delete');
    assert.match(await user.dialog(), /End session "Sign-up form" \(\S+\)\?/);
    await user.press('End Session');
    await until(async () => (await devtools.contexts()).length === 0);
    await user.row('No running sessions').waitFor();
  });

  it('still sees the rows when the browser dies, and is told about it', async () => {
    await devtools.openContext(`${pages.url}/counter`);
    await user.row('Session Counter').waitFor({ timeout: 30_000 });
    await chromium.stop();
    await user.row("Couldn't connect to").waitFor({ timeout: 30_000 });
    assert.ok(await user.row('Session Counter').isVisible());
    assert.match((await user.rows())[0] ?? '', /error: unreachable, 1 running, as of \d/);
  });
});
