import { strict as assert } from 'node:assert';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { type BrowserbaseServer, startBrowserbase } from '../servers/browserbase.ts';
import { until, WorkbenchUser } from './user.ts';

describe('a user with two windows', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let anchor: AnchorServer;
  let browserbase: BrowserbaseServer;
  let first: WorkbenchUser;
  let second: WorkbenchUser;

  before(async () => {
    anchor = await startAnchor();
    browserbase = await startBrowserbase();
    for (const name of ['one', 'two', 'three']) anchor.add({ id: `sess_${name}`, domains: [`${name}.example.com`] });
    for (const name of ['four', 'five']) browserbase.add({ id: `bb-${name}`, userMetadata: { name } });
    first = await WorkbenchUser.open({ settings: { 'browserSessions.clickAction': 'none' } });
    await first.addAt('Anchor Browser', anchor.url, anchor.key, 'shop');
    await first.addAt('Browserbase', browserbase.url, browserbase.key, 'jobs');
    await first.row('Session one.example.com').waitFor();
    // A window reads what the other ones have stored by then.
    await first.stored('extension', (value) => value.includes('"jobs"'));
    second = await first.openWindow();
    await second.row('Session one.example.com').waitFor();
    await second.row('Session five').waitFor();
  });
  after(async () => {
    await first?.picture('two-windows-first');
    await second?.picture('two-windows-second');
    await first?.standUp();
    await anchor?.stop();
    await browserbase?.stop();
  });

  const running = () => [...anchor.running, ...browserbase.running].sort();

  it('ends nothing if they protect a session in one window while the other one asks', async () => {
    await first.run('End All Sessions…');
    assert.match(await first.dialog(), /End all 5 sessions in 2 accounts\?/);
    await second.choose(second.row('Session two.example.com'), 'Protect Session');
    await until(async () => (await second.rows()).some((row) => /two\.example\.com.*protected/.test(row)));
    await first.press('End 5 Sessions');
    await first.notification('two.example.com').getByText('was protected while the dialog was open').waitFor();
    await first.picture('two-windows-protected');
    assert.equal(running().length, 5);
  });

  it('ends a session once if they confirm it in both', async () => {
    for (const window of [first, second]) {
      await window.choose(window.row('Session one.example.com'), 'End Session…');
      assert.match(await window.dialog(), /End session "one\.example\.com"/);
    }
    await first.press('End Session');
    await first.row('Session one.example.com').waitFor({ state: 'detached' });
    await until(async () => !running().includes('sess_one'));
    await second.press('End Session');
    await second.row('Session one.example.com').waitFor({ state: 'detached' });
    await second.picture('two-windows-ended-twice');
    assert.deepEqual(running(), ['bb-five', 'bb-four', 'sess_three', 'sess_two']);
  });

  it('ends the selected sessions of two accounts, but not the protected one among them', async () => {
    const selected = second.page.getByRole('treeitem', { selected: true });
    // A click is lost on a row that is just being redrawn.
    await until(async () => {
      await second.row('Session three.example.com').click();
      for (const name of ['two.example.com', 'five']) {
        await second.row(`Session ${name}`).click({ modifiers: ['Control'] });
      }
      return (await selected.count()) === 3;
    });
    await second.page.keyboard.press('Delete');
    const dialog = await second.dialog();
    await second.picture('two-windows-selected');
    assert.match(dialog, /End 2 sessions in 2 accounts\?/);
    assert.match(dialog, /three\.example\.com[\s\S]*five|five[\s\S]*three\.example\.com/);
    assert.match(dialog, /Skipped:\s+• two\.example\.com/);
    await second.press('End 2 Sessions');
    await until(async () => running().length === 2);
    assert.deepEqual(running(), ['bb-four', 'sess_two']);
    for (const window of [first, second]) {
      await until(async () => !(await window.rows()).some((row) => /^Session (three|five)/.test(row)), 45_000);
    }
  });
});
