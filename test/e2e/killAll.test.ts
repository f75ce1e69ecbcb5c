import { strict as assert } from 'node:assert';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { Devtools } from '../servers/devtools.ts';
import type { VendorServer } from '../servers/providerServer.ts';
import { startRelay } from '../servers/relay.ts';
import { until, WorkbenchPerson, writtenAfterMs } from './user.ts';

const count = 12;
const page = (index: number) => `data:text/html,<title>Job ${index}</title><h1>Job ${index}</h1>`;

describe('a person who kills all', function () {
  this.timeout(120_000);
  // Each test begins where the one before it has ended.
  this.bail(true);
  let chromium: RunningChromium;
  let devtools: Devtools;
  /** Stands before the real Chromium, to make it slow or fail. */
  let relay: VendorServer;
  let contexts: string[];
  let person: WorkbenchPerson;

  before(async () => {
    chromium = await startChromium();
    devtools = await Devtools.open(chromium.endpoint);
    relay = await startRelay(chromium.endpoint);
    contexts = [];
    for (let index = 1; index <= count; index++) contexts.push(await devtools.openContext(page(index)));
    person = await WorkbenchPerson.sitDown({ viewport: { width: 1280, height: 900 } });
    await person.addChrome(relay.url, 'jobs');
    await person.row('Account Local Chrome · jobs, 12 running').waitFor();
    for (let index = 1; index <= count; index++) await person.row(`Session Job ${index},`).waitFor();
  });
  after(async () => {
    await person?.picture('kill-all-end');
    await person?.standUp();
    devtools?.close();
    await relay?.stop();
    await chromium?.stop();
  });

  /** The names that a dialog lists, read off the screen. */
  const listed = (dialog: string) => [...dialog.matchAll(/• (Job \d+)/g)].map(([, name = '']) => name);

  it('protects a session, and sees the shield', async () => {
    await person.choose(person.row('Session Job 7,'), 'Protect Session');
    await until(async () => /protected/.test((await person.row('Session Job 7,').getAttribute('aria-label')) ?? ''));
    assert.ok((await person.offers(person.row('Session Job 7,'))).includes('Unprotect Session'));
    await person.picture('kill-all-protected');
  });

  it('reads exactly what will end off the dialog, cancels half-way, and is told what still runs', async () => {
    relay.misbehave('GET', /json\/version/, { kind: 'slow', ms: 3_000 });
    await person.run('End All Sessions…');
    const dialog = await person.dialog();
    assert.match(dialog, /End all 11 sessions\?/);
    const names = listed(dialog.split('Skipped:')[0] ?? '');
    assert.equal(new Set(names).size, 11);
    assert.ok(!names.includes('Job 7'));
    assert.match(dialog, /Skipped:\s+• Job 7 — Local Chrome · jobs\. It's protected\./);
    await person.picture('kill-all-dialog');
    await person.press('End 11 Sessions');
    const progress = person.notification('Ending sessions');
    await progress.waitFor();
    await person.picture('kill-all-progress');
    // The first few are under way: they end, and the others are not sent.
    await progress.getByRole('button', { name: 'Cancel' }).click();
    await person.notification('Cancelled:').waitFor({ timeout: 60_000 });
    relay.behave();
    const left = await devtools.contexts();
    assert.ok(left.length > 1 && left.length < count, String(left.length));
    assert.match(await person.notification('Cancelled:').innerText(), new RegExp(`${left.length - 1} not sent`));
    await person.page.keyboard.press('Escape');
  });

  it('is told what failed, and ends it by trying again', async () => {
    const before = await devtools.contexts();
    relay.misbehave('GET', /json\/version/, { kind: 'answer', answer: { status: 403, text: 'Forbidden' } });
    await person.run('End All Sessions…');
    await person.dialog();
    await person.press(before.length === 2 ? 'End Session' : `End ${before.length - 1} Sessions`);
    const note = person.notification('failed');
    await note.waitFor({ timeout: 60_000 });
    assert.deepEqual(await devtools.contexts(), before);
    relay.behave();
    await person.picture('kill-all-failed');
    await person.run('Refresh');
    await note.getByRole('button', { name: 'Retry Failed' }).click();
    await person.dialog();
    await person.press(before.length === 2 ? 'End Session' : `End ${before.length - 1} Sessions`);
    await until(async () => (await devtools.contexts()).length === 1);
    assert.deepEqual(await devtools.contexts(), [contexts[6]]);
    await person.row('Account Local Chrome · jobs, 1 running').waitFor();
  });

  it('sees in Recently Ended what ended, and who ended it', async () => {
    await person.page.getByRole('button', { name: /Recently Ended Section/ }).click();
    await person.picture('kill-all-ended');
    // VS Code draws only the rows that have room.
    await person.page.locator('.pane-header').filter({ hasText: 'Sessions' }).locator('h3').first().click();
    await person.row('Session Job 1 ended at').waitFor();
    const rows = (await person.rows()).filter((row) => / ended at /.test(row));
    assert.equal(rows.length, 11);
    for (const row of rows) assert.match(row, /^Session Job \d+ ended at .*, by you, after/);
    assert.ok(!rows.some((row) => row.startsWith('Session Job 7 ')));
    await devtools.send('Target.disposeBrowserContext', { browserContextId: contexts[6] });
    await person.run('Refresh');
    await person.row('Session Job 7 ended at').waitFor();
    const label = (await person.row('Session Job 7 ended at').getAttribute('aria-label')) ?? '';
    assert.match(label, /by itself or by someone else/);
    await person.page.waitForTimeout(writtenAfterMs);
    await person.reload();
    await person.row('Session Job 7 ended at').waitFor({ timeout: 30_000 });
  });
});
