import { strict as assert } from 'node:assert';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { Devtools } from '../servers/devtools.ts';
import type { ProviderServer } from '../servers/providerServer.ts';
import { startRelay } from '../servers/relay.ts';
import { succeeds, until, WorkbenchUser } from './user.ts';

const count = 12;
const page = (index: number) => `data:text/html,<title>Job ${index}</title><h1>Job ${index}</h1>`;

describe('a user who ends all sessions', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let chromium: RunningChromium;
  let devtools: Devtools;
  /** A relay in front of the real Chromium that can slow it down or make it fail. */
  let relay: ProviderServer;
  let contexts: string[];
  let user: WorkbenchUser;

  before(async () => {
    chromium = await startChromium();
    devtools = await Devtools.open(chromium.endpoint);
    relay = await startRelay(chromium.endpoint);
    contexts = [];
    for (let index = 1; index <= count; index++) contexts.push(await devtools.openContext(page(index)));
    user = await WorkbenchUser.open({ viewport: { width: 1280, height: 900 } });
    await user.addChrome(relay.url, 'jobs');
    await user.row('Account Local Chrome · jobs, 12 running').waitFor();
    for (let index = 1; index <= count; index++) await user.row(`Session Job ${index},`).waitFor();
  });
  after(async () => {
    await user?.picture('kill-all-end');
    await user?.standUp();
    devtools?.close();
    await relay?.stop();
    await chromium?.stop();
  });

  /** The names that a dialog lists on screen. */
  const listed = (dialog: string) => [...dialog.matchAll(/• (Job \d+)/g)].map(([, name = '']) => name);

  it('protects a session, and sees the shield', async () => {
    await user.choose(user.row('Session Job 7,'), 'Protect Session');
    await until(async () => /protected/.test((await user.row('Session Job 7,').getAttribute('aria-label')) ?? ''));
    assert.ok((await user.offers(user.row('Session Job 7,'))).includes('Unprotect Session'));
    await user.picture('kill-all-protected');
  });

  it('reads in the dialog exactly what will end, cancels halfway, and is told what is still running', async () => {
    relay.misbehave('GET', /json\/version/, { kind: 'slow', ms: 3_000 });
    await user.run('End All Sessions…');
    const dialog = await user.dialog();
    assert.match(dialog, /End all 11 sessions\?/);
    const names = listed(dialog.split('Skipped:')[0] ?? '');
    assert.equal(new Set(names).size, 11);
    assert.ok(!names.includes('Job 7'));
    assert.match(dialog, /Skipped:\s+• Job 7 \(\w+\) — Local Chrome · jobs\. It's protected\./);
    await user.picture('kill-all-dialog');
    await user.press('End 11 Sessions');
    const progress = user.notification('Ending sessions');
    await progress.waitFor();
    await user.picture('kill-all-progress');
    // The first few are in flight: they end, and the others aren't sent.
    await progress.getByRole('button', { name: 'Cancel' }).click();
    await user.notification('Canceled.').waitFor({ timeout: 60_000 });
    relay.behave();
    const left = await devtools.contexts();
    assert.ok(left.length > 1 && left.length < count, String(left.length));
    assert.match(
      await user.notification('Canceled.').innerText(),
      new RegExp(`${left.length - 1} requests? w(as|ere)n't sent`),
    );
    await user.page.keyboard.press('Escape');
  });

  it('is told what failed, and ends it by retrying', async () => {
    const before = await devtools.contexts();
    relay.misbehave('GET', /json\/version/, { kind: 'answer', answer: { status: 403, text: 'Forbidden' } });
    await user.run('End All Sessions…');
    await user.dialog();
    await user.press(before.length === 2 ? 'End Session' : `End ${before.length - 1} Sessions`);
    const note = user.notification('failed');
    await note.waitFor({ timeout: 60_000 });
    assert.deepEqual(await devtools.contexts(), before);
    relay.behave();
    await user.picture('kill-all-failed');
    await user.run('Refresh');
    // A click is lost on a notification that is just being moved.
    await until(async () => {
      await note.getByRole('button', { name: 'Retry Failed' }).click({ timeout: 2_000 });
      return succeeds(user.dialog());
    });
    await user.press(before.length === 2 ? 'End Session' : `End ${before.length - 1} Sessions`);
    await until(async () => (await devtools.contexts()).length === 1);
    assert.deepEqual(await devtools.contexts(), [contexts[6]]);
    await user.row('Account Local Chrome · jobs, 1 running').waitFor();
  });

  it('sees in Recently Ended what ended, and who ended it', async () => {
    await user.page.getByRole('button', { name: /Recently Ended Section/ }).click();
    await user.picture('kill-all-ended');
    // VS Code draws only the rows that fit.
    await user.page.locator('.pane-header').filter({ hasText: 'Sessions' }).locator('h3').first().click();
    await user.row('Session Job 1 ended by you').waitFor();
    const rows = (await user.rows()).filter((row) => / ended by you at /.test(row));
    assert.equal(rows.length, 11);
    for (const row of rows) assert.match(row, /^Session Job \d+ ended by you at .* after /);
    assert.ok(!rows.some((row) => row.startsWith('Session Job 7 ')));
    await devtools.send('Target.disposeBrowserContext', { browserContextId: contexts[6] });
    await user.run('Refresh');
    await user.row('Session Job 7 ended at').waitFor();
    const label = (await user.row('Session Job 7 ended at').getAttribute('aria-label')) ?? '';
    assert.match(label, /by itself or by someone else/);
    await user.stored('extension', (value) => value.includes('Job 7'));
    await user.reload();
    await user.row('Session Job 7 ended at').waitFor({ timeout: 30_000 });
  });
});
