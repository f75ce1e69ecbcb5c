import { strict as assert } from 'node:assert';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { until, WorkbenchUser } from './user.ts';

const hourMs = 3_600_000;

describe('a user who forgets a browser', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let server: AnchorServer;
  let user: WorkbenchUser;

  before(async () => {
    server = await startAnchor();
    const ago = (hours: number) => new Date(Date.now() - hours * hourMs);
    server.add({ id: 'sess_forgotten', domains: ['checkout.example.com'], createdAt: ago(6.1) });
    server.add({ id: 'sess_old', domains: ['login.acme.io'], createdAt: ago(2.1) });
    server.add({ id: 'sess_new', domains: ['new.example.com'], createdAt: ago(0.1) });
    user = await WorkbenchUser.open({ settings: { 'browserSessions.warnings.show': true } });
  });
  after(async () => {
    await user.picture('in-time-end');
    await user.standUp();
    await server.stop();
  });

  const item = () => user.page.locator('.statusbar-item').filter({ hasText: /browser/ });
  const badge = (count: string) =>
    user.page
      .getByRole('tab', { name: /Browser Sessions/ })
      .locator('xpath=..')
      .getByText(count, { exact: true });
  const warning = () => user.notification('have been running for more than 1 hour');

  it('sees in the status bar, on the badge and in a notification that something runs for too long', async () => {
    await user.addAt('Anchor Browser', server.url, server.key, 'prod');
    await item().getByText('3 browsers · 2 over limit, oldest 6 h').waitFor();
    await badge('2').waitFor();
    await warning().waitFor();
    assert.match(
      await warning().innerText(),
      /2 sessions in Anchor Browser · prod have been running for more than 1 hour\. The oldest is checkout\.example\.com \(sess_for\): 6 hours 6 minutes\./,
    );
    await item().hover();
    const tooltip = user.page.locator('.monaco-hover table');
    await tooltip.waitFor();
    await user.picture('in-time-warning');
    assert.deepEqual(
      (await tooltip.locator('tr').allInnerTexts()).map((row) => row.replaceAll('\u00a0', '').split('\t')),
      [
        ['Account', 'Running', 'Oldest', 'Limit'],
        ['Anchor Browser · prod', '3', '6h 06m', '25'],
      ],
    );
  });

  it('reviews the sessions, and is led to the row of the one that they choose', async () => {
    await warning().getByRole('button', { name: 'Review' }).click();
    await user.page.getByText('Sessions over the Age or Idle Limit').waitFor();
    await user.picture('in-time-review');
    await user.pick('login.acme.io (sess_old)');
    await until(async () => (await user.row('Session login.acme.io').getAttribute('aria-selected')) === 'true');
    assert.deepEqual(
      server.log().filter((line) => line.startsWith('DELETE')),
      [],
    );
  });

  it('is told by the status bar of a window in which the view was never opened, and not warned again', async () => {
    await user.page.getByRole('tab', { name: /^Explorer/ }).click();
    await user.stored('sideBar', (value) => !value.includes('browserSessions'));
    await user.stored('extension', (value) => value.includes('"warnings"'));
    await user.page.reload({ timeout: 60_000 });
    await item().getByText('3 browsers · 2 over limit, oldest 6 h').waitFor({ timeout: 60_000 });
    await badge('2').waitFor();
    assert.equal(await user.page.getByRole('treeitem', { name: /^Session / }).count(), 0);
    await user.picture('in-time-elsewhere');
    await item().click();
    await user.row('Session checkout.example.com').waitFor();
    assert.equal(await warning().count(), 0);
  });
});
