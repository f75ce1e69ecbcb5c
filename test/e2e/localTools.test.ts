import { strict as assert } from 'node:assert';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureChromium, quietFlags } from '../host/chromium.ts';
import { type LeftBehind, leaveBehind } from '../host/leftBehind.ts';
import {
  ensureAgentBrowser,
  ensureChromeDevtools,
  openToolHome,
  startForeignBrowser,
  type ToolHome,
} from '../host/localTools.ts';
import type { McpServer } from '../host/mcpServer.ts';
import { startPlaywrightMcp } from '../host/playwright.ts';
import { type Owned, start } from '../host/processes.ts';
import { succeeds, until, WorkbenchUser } from './user.ts';

/** The address of a page with a title. */
function pageCalled(title: string): string {
  return `data:text/html,${encodeURIComponent(`<title>${title}</title><h1>${title}</h1>`)}`;
}

/** Titles that no other browser on this machine has. */
const titles = Object.fromEntries(
  ['Cli', 'Mcp', 'Agent', 'Left', 'Again', 'Foreign', 'Own'].map((name) => [name, `${name} ${process.pid}`]),
) as Record<'Cli' | 'Mcp' | 'Agent' | 'Left' | 'Again' | 'Foreign' | 'Own', string>;
/** The name of the chrome-devtools session. Its browser can't be asked for its pages. */
const devtoolsSession = `0-${process.pid}`;
const guest = `guest-${process.pid}`;

// Other browsers on this machine are in the list, too.
(process.platform === 'linux' ? describe : describe.skip)(
  'a user whose tools keep browsers open on this machine (Linux only)',
  function () {
    this.timeout(240_000);
    // Each test continues where the previous one ended.
    this.bail(true);
    let user: WorkbenchUser;
    let home: ToolHome;
    let orphan: LeftBehind;
    let server: McpServer;
    let foreign: Awaited<ReturnType<typeof startForeignBrowser>>;
    let own: Owned;

    before(async function () {
      try {
        await Promise.all([ensureAgentBrowser(), ensureChromeDevtools()]);
      } catch (error) {
        console.log(`      skipped: ${String(error)}`);
        this.skip();
      }
      home = await openToolHome();
      orphan = await leaveBehind({ url: pageCalled(titles.Left) });
      await home.openPlaywright('checkout', pageCalled(titles.Cli));
      await home.openAgentBrowser('checkout', pageCalled(titles.Agent));
      await home.startChromeDevtools('--sessionId', devtoolsSession);
      await home.chromeDevtools('--sessionId', devtoolsSession, 'new_page', pageCalled('Unseen'));
      server = await startPlaywrightMcp(home, pageCalled(titles.Mcp));
      foreign = await startForeignBrowser(home, pageCalled(titles.Foreign));
      const port = `${foreign.port}`;
      await home.run(await ensureAgentBrowser(), '--session', guest, '--cdp', port, 'get', 'title', '--json');
      // The user's own browser, which is started without a profile folder.
      const ownFlags = [...quietFlags, '--headless', '--remote-debugging-port=0', pageCalled(titles.Own)];
      own = start(await ensureChromium(), ownFlags, { env: home.env });
      const { XDG_CACHE_HOME, XDG_RUNTIME_DIR } = home.env;
      user = await WorkbenchUser.open({
        settings: { 'browserSessions.thisMachine.enabled': true },
        env: { XDG_CACHE_HOME, XDG_RUNTIME_DIR },
      });
    });
    after(async () => {
      await user?.picture('local-tools-end');
      await user?.standUp();
      await server?.process.stop();
      await foreign?.stop();
      await own?.stop();
      orphan?.stop();
      home?.clear();
    });

    /** Those of some processes that are still running. */
    const running = (pids: readonly number[]) => home.processes().filter(({ pid }) => pids.includes(pid));
    /** The pids of matching processes and of all that they started. */
    function treeOf(isRoot: (program: string, args: string) => boolean): readonly number[] {
      const all = home.processes();
      const roots = all.filter(({ program, args }) => isRoot(program, args.join(' '))).map(({ pid }) => pid);
      const tree = new Set(roots);
      for (const pid of tree) for (const one of all) if (one.parentPid === pid) tree.add(one.pid);
      return [...tree];
    }
    async function end(name: string, group: string, tree: readonly number[]): Promise<void> {
      assert.ok(running(tree).length > 2, group);
      await user.choose(user.row(`Session ${name}`), 'End Session…');
      const dialog = await user.dialog();
      assert.ok(dialog.includes(name) && dialog.includes(group), dialog);
      assert.match(dialog, /The browser ends\./);
      await user.press('End Session');
      await until(async () => running(tree).length === 0);
      await user.row(`Session ${name}`).waitFor({ state: 'detached', timeout: 30_000 });
    }

    it('sees browsers by tool and session, but not their own', async () => {
      await user.row('Account This Machine').waitFor({ timeout: 60_000 });
      // Rows of other tests' browsers come and go, and a menu loses its row when that happens.
      await user.run('Filter Sessions…');
      await user.type('Filter by session name', `${process.pid}`);
      for (const group of [
        'playwright-cli · checkout',
        'agent-browser · checkout',
        `chrome-devtools · ${devtoolsSession}`,
        'Playwright MCP · claude-code',
        'Left behind',
        `agent-browser · ${guest}`,
      ])
        await user.row(group).first().waitFor({ timeout: 60_000 });
      for (const name of [titles.Cli, titles.Agent, titles.Mcp, titles.Left, devtoolsSession, guest])
        await user.row(`Session ${name}`).waitFor({ timeout: 60_000 });
      assert.ok(!(await user.rows()).some((row) => row.includes(titles.Own)));
      await user.picture('local-tools-rows');
    });

    it('ends a session of playwright-cli, and its background process is gone, too', async () => {
      await end(
        titles.Cli,
        'playwright-cli · checkout',
        treeOf((_, args) => /cliDaemon\.js checkout/.test(args)),
      );
      const files = readdirSync(join(home.folder, 'cache'), { recursive: true, encoding: 'utf8' });
      assert.ok(!files.some((file) => file.endsWith('.session')));
    });

    it('ends a session of agent-browser', async () => {
      const tree = treeOf((program) => /agent-browser/.test(program)).filter((one) => one !== guestPid());
      await end(titles.Agent, 'agent-browser · checkout', tree);
      assert.ok(!existsSync(join(home.folder, 'run', 'agent-browser', 'checkout.pid')));
    });

    /** The only agent-browser process that hasn't started a browser. */
    function guestPid(): number | undefined {
      const all = home.processes();
      const daemons = all.filter(({ program }) => /agent-browser/.test(program));
      return daemons.find(({ pid }) => !all.some(({ parentPid }) => parentPid === pid))?.pid;
    }

    it('takes a screenshot of a chrome-devtools session, which can’t be watched', async () => {
      const row = user.row(`Session ${devtoolsSession}`);
      const offered = await user.offers(row);
      assert.ok(!offered.includes('Open Live View'), offered.join());
      await user.choose(row, 'Take Screenshot');
      await user.page
        .locator('.tab', { hasText: /\.(jpg|png)/ })
        .first()
        .waitFor({ timeout: 30_000 });
      await user.picture('local-tools-screenshot');
    });

    it('ends the browser of chrome-devtools', async () => {
      await end(
        devtoolsSession,
        'chrome-devtools',
        treeOf((_, args) => /daemon\/daemon\.js/.test(args)),
      );
    });

    it('detaches agent-browser from a browser that it didn’t start, which keeps running', async () => {
      const pid = guestPid();
      assert.ok(pid);
      await user.choose(user.row(`Session ${guest}`), 'End Session…');
      const dialog = await user.dialog();
      assert.match(dialog, /The tool is disconnected/);
      assert.doesNotMatch(dialog, /The browser ends/);
      await user.picture('local-tools-detach');
      await user.press('Detach');
      await until(async () => running([pid]).length === 0);
      await user.row(`Session ${guest}`).waitFor({ state: 'detached', timeout: 30_000 });
      assert.equal(running([foreign.pid]).length, 1);
      assert.ok(await user.row(`Session ${titles.Foreign}`).isVisible());
    });

    it('ends the browser of an MCP server, whose next call opens another one', async () => {
      const pid = server.process.child.pid ?? 0;
      const tree = treeOf((_, args) => /cli\.js mcp /.test(args)).filter((one) => one !== pid);
      await end(titles.Mcp, 'Playwright MCP · claude-code', tree);
      assert.equal(server.process.child.exitCode, null);
      await until(() => succeeds(server.call('browser_navigate', { url: pageCalled(titles.Again) })));
      await user.row(`Session ${titles.Again}`).waitFor({ timeout: 60_000 });
    });

    it('ends what was left behind', async () => {
      await user.choose(user.row(`Session ${titles.Left}`), 'End Session…');
      await user.dialog();
      await user.press('End Session');
      await user.row(`Session ${titles.Left}`).waitFor({ state: 'detached', timeout: 30_000 });
      assert.ok(!existsSync(`/proc/${orphan.pid}/exe`));
      assert.equal(own.child.exitCode, null);
    });
  },
);
