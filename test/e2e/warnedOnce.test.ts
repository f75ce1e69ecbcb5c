import { strict as assert } from 'node:assert';
import type { Page } from 'playwright-core';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { until, WorkbenchUser } from './user.ts';

describe('a user with two windows who forgets a browser', function () {
  this.timeout(180_000);
  let server: AnchorServer;
  let user: WorkbenchUser;

  before(async () => {
    server = await startAnchor();
    server.add({ id: 'sess_new', domains: ['new.example.com'] });
    user = await WorkbenchUser.open({ settings: { 'browserSessions.warnings.show': true } });
  });
  after(async () => {
    await user.picture('warned-once');
    await user.standUp();
    await server.stop();
  });

  it('is warned in one of them', async () => {
    await user.addAt('Anchor Browser', server.url, server.key, 'prod');
    const other = await user.openWindow();
    const windows: readonly Page[] = [user.page, other.page];
    const refreshBoth = () => Promise.all([user.run('Refresh'), other.run('Refresh')]);
    const inEach = (text: string) =>
      Promise.all(windows.map((page) => page.locator('.statusbar-item').getByText(text).waitFor({ timeout: 60_000 })));
    await inEach('1 browser');
    // Both believe that they have the focus, which is how automated browsers are.
    for (const page of windows) assert.ok(await page.evaluate('document.hasFocus()'));
    const createdAt = new Date(Date.now() - 6.1 * 3_600_000);
    server.add({ id: 'sess_forgotten', domains: ['checkout.example.com'], createdAt });
    await refreshBoth();
    await inEach('2 browsers · 1 over limit, 6 h');
    const warned = async () => {
      const shown = windows.map((page) =>
        page.locator('.notification-toast', { hasText: 'running for 6 hours' }).count(),
      );
      return (await Promise.all(shown)).reduce((sum, count) => sum + count, 0);
    };
    await until(async () => (await warned()) > 0, 60_000);
    const lists = () => server.log().filter((line) => line === 'GET /v1/sessions/all/status').length;
    const before = lists();
    // A notification hides itself after some seconds. A window waits two seconds before it warns.
    let most = 0;
    await refreshBoth();
    const enough = Date.now() + 5_000;
    await until(async () => {
      most = Math.max(most, await warned());
      return lists() >= before + 2 && Date.now() > enough;
    }, 60_000);
    assert.equal(most, 1);
  });
});
