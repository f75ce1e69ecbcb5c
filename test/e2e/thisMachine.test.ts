import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { type LeftBehind, leaveBehind } from '../host/leftBehind.ts';
import type { McpServer } from '../host/mcpServer.ts';
import { openPlaywrightHome, startPlaywrightMcp } from '../host/playwright.ts';
import { isRunning } from '../host/processes.ts';
import { succeeds, until, WorkbenchUser } from './user.ts';

/** The address of a page that moves, with a title that no other browser of this machine has. */
function pageCalled(title: string): string {
  const script = 'setInterval(() => { document.body.textContent = Date.now(); }, 100);';
  const body = `<title>${title}</title><body style="font-size: 6vw"><script>${script}</script>`;
  return `data:text/html,${encodeURIComponent(body)}`;
}

const named = (name: string) => `${name} ${process.pid}`;
const [forgotten, used, reopened, leftover] = [named('Forgotten'), named('Used'), named('Reopened'), named('Leftover')];

// Other browsers of this machine are in the list, too: the one that this test itself uses is one of them.
(process.platform === 'linux' ? describe : describe.skip)(
  'a user whose agents left browsers on this machine (Linux only)',
  function () {
    this.timeout(120_000);
    // Each test continues where the previous one ended.
    this.bail(true);
    let user: WorkbenchUser;
    let orphan: LeftBehind;
    let leftovers: LeftBehind[];
    let server: McpServer;

    before(async () => {
      orphan = await leaveBehind({ url: pageCalled(forgotten) });
      leftovers = [await leaveBehind({ url: pageCalled(leftover) }), await leaveBehind({ url: pageCalled(leftover) })];
      const home = openPlaywrightHome();
      server = await startPlaywrightMcp(home, pageCalled(used));
      user = await WorkbenchUser.open({
        settings: { 'browserSessions.thisMachine.enabled': true },
        env: { PWTEST_SERVER_REGISTRY: home.registry },
      });
    });
    after(async () => {
      await user?.picture('this-machine-end');
      await user?.standUp();
      await server?.process.stop();
      for (const one of [orphan, ...(leftovers ?? [])]) one?.stop();
    });

    it('sees them without adding anything, by who left them or uses them', async () => {
      await user.row('Account This Machine').waitFor();
      // Rows of other tests' browsers come and go, and a menu loses its row when that happens.
      await user.run('Filter Sessions…');
      await user.type('Filter by session name', `${process.pid}`);
      await user.row('Left behind').first().waitFor();
      await user.row('Playwright MCP · claude-code').first().waitFor();
      await user.row(`Session ${forgotten}`).waitFor();
      await user.row(`Session ${used}`).waitFor();
      await user.picture('this-machine-rows');
    });

    it('watches a browser that has no port, while its agent goes on', async () => {
      await user.choose(user.row(`Session ${used}`), 'Open Live View');
      await user.seesMoving((await user.live(used)).locator('#picture'));
      await user.picture('this-machine-live');
      assert.match(await server.call('browser_snapshot'), new RegExp(used));
    });

    it('ends a browser that was left behind, and its process is gone', async () => {
      await user.choose(user.row(`Session ${forgotten}`), 'End Session…');
      const dialog = await user.dialog();
      assert.match(dialog, new RegExp(forgotten));
      assert.match(dialog, /The browser ends\./);
      assert.match(dialog, /Its temporary profile stays on disk\./);
      assert.doesNotMatch(dialog, /may be using it/);
      assert.ok(isRunning(orphan.pid));
      await user.press('End Session');
      await until(async () => !isRunning(orphan.pid));
      await user.row(`Session ${forgotten}`).waitFor({ state: 'detached' });
      assert.ok(await user.row(`Session ${used}`).isVisible());
    });

    it('deletes the profile that this browser left, once the user confirms', async () => {
      assert.ok(existsSync(orphan.profile));
      await user.page.getByRole('button', { name: /Recently Ended Section/ }).click();
      await user.choose(user.row(`Session ${forgotten} ended by you at`), 'Delete Profile…');
      const dialog = await user.dialog();
      assert.ok(dialog.includes(orphan.profile), dialog);
      await user.picture('this-machine-delete-profile');
      await user.press('Delete Profile');
      await until(async () => !existsSync(orphan.profile));
      // A deleted profile can't be deleted again.
      const row = user.row(`Session ${forgotten} ended by you at`);
      await until(async () => !(await user.offers(row)).includes('Delete Profile…'));
      await user.page.getByRole('button', { name: /Recently Ended Section/ }).click();
    });

    it('ends all left-behind browsers at once, except those that the filter hides or that were left behind later', async () => {
      const hidden = await leaveBehind({ url: pageCalled(named('Hidden')) });
      leftovers.push(hidden);
      await user.run('Filter Sessions…');
      await user.type('Showing ', leftover);
      await user.row(`Session ${used}`).waitFor({ state: 'detached' });
      // Other programs on this machine may have left browsers behind, too. This test must never end those.
      await user.choose(user.row('Left behind').first(), 'End All Browsers Left Behind…');
      assert.match(await user.dialog(), /End 2 browsers that were left behind\?.*2 temporary profiles stay on disk\./s);
      await user.picture('this-machine-end-left-behind');
      const late = await leaveBehind({ url: pageCalled(leftover) });
      leftovers.push(late);
      await user.press('End 2 Sessions');
      const [first, second] = leftovers;
      await until(async () => !isRunning(first?.pid ?? 0) && !isRunning(second?.pid ?? 0));
      assert.ok(isRunning(late.pid) && isRunning(hidden.pid));
      await user.run('Filter Sessions…');
      await user.type('Showing ', `${process.pid}`);
      await user.row(`Session ${used}`).waitFor();
    });

    it('ends a browser of an agent, which opens another one with its next call', async () => {
      await user.choose(user.row(`Session ${used}`), 'End Session…');
      const dialog = await user.dialog();
      assert.match(dialog, /It may be in use: claude-code is still running\./);
      assert.match(dialog, /The tool that started it deletes its temporary profile\./);
      await user.press('End Session');
      await user.row(`Session ${used}`).waitFor({ state: 'detached' });
      assert.equal(server.process.child.exitCode, null);
      await until(() => succeeds(server.call('browser_navigate', { url: pageCalled(reopened) })));
      await user.row(`Session ${reopened}`).waitFor({ timeout: 60_000 });
    });

    it('turns it off with one click', async () => {
      await user.choose(user.row('Account This Machine'), 'Hide This Machine');
      await user.row('Account This Machine').waitFor({ state: 'detached' });
      await user.page.getByRole('button', { name: 'Add Account' }).first().waitFor();
    });
  },
);
