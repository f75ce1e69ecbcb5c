import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { join } from 'node:path';
import { PageTargets } from '../../../src/cdp/pageTargets.ts';
import { takeScreenshot } from '../../../src/cdp/screenshot.ts';
import type { Inventory } from '../../../src/core/inventory.ts';
import { isEmptyTab } from '../../../src/core/page.ts';
import { capabilitiesOf, type Provider, type ProviderKind, waysToSee } from '../../../src/core/provider.ts';
import type { Session } from '../../../src/core/session.ts';
import { openProcessReader } from '../../../src/local/processes.ts';
import { connectTo, thisMachine } from '../../../src/providers/local/thisMachine.ts';
import { ensureChromium } from '../../host/chromium.ts';
import {
  ensureAgentBrowser,
  ensureChromeDevtools,
  openToolHome,
  type RunningProcess,
  startForeignBrowser,
  type ToolHome,
} from '../../host/localTools.ts';
import { startMcpServer } from '../../host/mcpServer.ts';
import { startBrowse } from '../../servers/browse.ts';
import { connect, unaborted } from '../testNetwork.ts';
import { until } from '../until.ts';

const pageCalled = (title: string) => `data:text/html,<title>${title}</title><h1>${title}</h1>`;

/** Skips a block's tests if a tool can't be downloaded, and says why. */
async function orSkip<Tool>(test: Mocha.Context, ensure: () => Promise<Tool>): Promise<Tool> {
  try {
    return await ensure();
  } catch (error) {
    console.log(`      skipped: ${String(error)}`);
    return test.skip();
  }
}

(process.platform === 'linux' ? describe : describe.skip)(
  'sessions of tools on this machine (Linux only)',
  function () {
    this.timeout(180_000);
    let home: ToolHome;
    let provider: Provider;

    beforeEach(async () => {
      home = await openToolHome();
      const kind: ProviderKind = {
        ...thisMachine,
        connect: (link) => connectTo(link, () => openProcessReader(), home.env),
      };
      ({ provider } = connect(kind, 'http://localhost'));
    });
    afterEach(() => home.clear());

    const list = async (): Promise<Inventory> => {
      const [inventory] = await Array.fromAsync(provider.list(unaborted));
      assert.ok(inventory);
      return inventory;
    };
    /** The rows of this home's processes. */
    async function rows(): Promise<readonly Session[]> {
      const pids = new Set(home.processes().map(({ pid }) => pid));
      return (await list()).sessions.filter(({ id }) => pids.has(pidOf({ id })));
    }
    async function onlyRow(isSo: (session: Session) => boolean = () => true): Promise<Session> {
      let found: readonly Session[] = [];
      await until(
        async () => {
          found = await rows();
          return found.length === 1 && found.every(isSo);
        },
        () => JSON.stringify(found),
      );
      const [row] = found;
      assert.ok(row);
      return row;
    }
    const pidOf = ({ id }: Pick<Session, 'id'>) => Number(id.split('-')[0]);
    const groupOf = async ({ groupId }: Session) => (await list()).groups.find(({ id }) => id === groupId)?.name;
    const fact = ({ facts }: Session, label: string) => facts.find(([its]) => its === label)?.[1];
    const onlyBrowser = (): RunningProcess => {
      const [browser, ...others] = home.browsers();
      assert.ok(browser);
      assert.deepEqual(others, []);
      return browser;
    };
    async function endsAll(row: Session): Promise<void> {
      assert.equal((await provider.end(row, unaborted)).outcome, 'ended');
      assert.equal(await provider.probe(row, unaborted), 'gone');
      await until(() => home.processes().every(({ program }) => program.endsWith('crashpad_handler')));
      assert.deepEqual(await rows(), []);
    }

    describe('of playwright-cli', () => {
      it('are listed by their names and folders, and ended by playwright-cli itself', async () => {
        await home.openPlaywright('checkout', pageCalled('Cart'));
        const row = await onlyRow(({ name }) => name === 'Cart');
        assert.equal(pidOf(row), onlyBrowser().pid);
        assert.equal(await groupOf(row), 'playwright-cli · checkout');
        assert.equal(fact(row, 'Session'), 'checkout');
        assert.equal(fact(row, 'Started in'), home.workspace);
        assert.equal(row.canWatch, true);
        assert.doesNotMatch(
          JSON.stringify([row.facts, [...row.metadata]]),
          /executable|no-sandbox|cliDaemon\.js checkout/,
        );
        await endsAll(row);
        // It deletes its own file when it's asked to end, but not when its browser is killed.
        const files = readdirSync(join(home.folder, 'cache', 'ms-playwright', 'daemon'), {
          recursive: true,
          encoding: 'utf8',
        });
        assert.deepEqual(
          files.filter((name) => name.endsWith('.session')),
          [],
        );
      });

      it('are told apart if two folders have one with the same name', async () => {
        const second = join(home.folder, 'second');
        await home.openPlaywright('default', pageCalled('One'));
        await home.openPlaywright('default', pageCalled('Two'), second);
        const names = async () => (await rows()).map(({ name }) => name).sort();
        await until(async () => (await names()).join() === 'One,Two');
        const all = await rows();
        const [ended, other] = ['One', 'Two'].map((title) => all.find(({ name }) => name === title));
        assert.ok(ended && other);
        assert.deepEqual([fact(ended, 'Started in'), fact(other, 'Started in')], [home.workspace, second]);
        assert.equal(ended.groupId, other.groupId);
        assert.equal((await provider.end(ended, unaborted)).outcome, 'ended');
        assert.equal(await provider.probe(other, unaborted), 'running');
        assert.equal((await onlyRow()).id, other.id);
      });

      it('end once if two windows end the same one', async () => {
        await home.openPlaywright('shared', pageCalled('Shared'));
        const row = await onlyRow();
        const answers = await Promise.all([provider.end(row, unaborted), provider.end(row, unaborted)]);
        assert.ok(answers.every(({ outcome }) => outcome === 'ended' || outcome === 'alreadyGone'));
        assert.equal(await provider.probe(row, unaborted), 'gone');
        assert.equal((await provider.end(row, unaborted)).outcome, 'alreadyGone');
      });

      it('end by themselves when they are idle, however often they are listed', async () => {
        Object.assign(home.env, { PLAYWRIGHT_MCP_IDLE_TIMEOUT: '4000' });
        await home.openPlaywright('idle', pageCalled('Idle'));
        await until(async () => {
          await list();
          return home.browsers().length === 0;
        });
      });

      it('end even if their browser is frozen', async () => {
        await home.openPlaywright('frozen', pageCalled('Frozen'));
        const row = await onlyRow();
        process.kill(onlyBrowser().pid, 'SIGSTOP');
        await endsAll(row);
      });

      it('are only detached from a browser that something else started', async () => {
        const foreign = await startForeignBrowser(home, pageCalled('Foreign'));
        await home.attachPlaywright('guest', foreign.port);
        let attached: Session | undefined;
        await until(async () => {
          attached = (await rows()).find(({ ends }) => ends === 'connection');
          return attached !== undefined;
        });
        assert.ok(attached);
        assert.equal(await groupOf(attached), 'playwright-cli · guest');
        assert.deepEqual(attached.traits, ['attached']);
        assert.notEqual(pidOf(attached), foreign.pid);
        assert.equal((await provider.end(attached, unaborted)).outcome, 'ended');
        assert.equal(await provider.probe(attached, unaborted), 'gone');
        assert.ok(home.browsers().some(({ pid }) => pid === foreign.pid));
        await foreign.stop();
      });
    });

    describe('of agent-browser', () => {
      beforeEach(async function () {
        await orSkip(this, ensureAgentBrowser);
      });

      it('are listed by their names, shown with the page that the agent uses, and ended by agent-browser itself', async () => {
        await home.openAgentBrowser('checkout', pageCalled('Cart'));
        const row = await onlyRow(({ name }) => name === 'Cart');
        assert.equal(await groupOf(row), 'agent-browser · checkout');
        assert.equal(fact(row, 'Session'), 'checkout');
        const devtools = await provider.devtools?.(row.id, unaborted);
        assert.ok(devtools);
        const targets = new PageTargets(devtools);
        await targets.discover(unaborted);
        // Blank pages come first, and the last one is shown.
        assert.equal(targets.all.at(-1)?.title, 'Cart');
        assert.ok(targets.all.slice(0, -1).every(isEmptyTab));
        devtools.connection.dispose();
        const again = await provider.devtools?.(row.id, unaborted);
        assert.ok(again);
        assert.ok((await takeScreenshot(again, undefined, unaborted)).bytes.length > 500);
        again.connection.dispose();
        await endsAll(row);
        const files = readdirSync(join(home.folder, 'run', 'agent-browser'));
        assert.deepEqual(
          files.filter((name) => name.endsWith('.pid')),
          [],
        );
      });

      it('are only detached from a browser that something else started', async () => {
        const foreign = await startForeignBrowser(home, pageCalled('Foreign'));
        await home.run(
          await ensureAgentBrowser(),
          '--session',
          'guest',
          '--cdp',
          `${foreign.port}`,
          'get',
          'title',
          '--json',
        );
        let attached: Session | undefined;
        await until(async () => {
          attached = (await rows()).find(({ ends }) => ends === 'connection');
          return attached !== undefined;
        });
        assert.ok(attached);
        assert.equal(await groupOf(attached), 'agent-browser · guest');
        assert.ok(attached.bulkEndExclusion);
        assert.equal((await provider.end(attached, unaborted)).outcome, 'ended');
        assert.ok(home.browsers().some(({ pid }) => pid === foreign.pid));
        assert.ok(!home.processes().some(({ program }) => /agent-browser/.test(program)));
        await foreign.stop();
      });

      it('in a cloud are listed as such, and ended by agent-browser, which tells the cloud', async () => {
        const foreign = await startForeignBrowser(home, pageCalled('Foreign'));
        const asked: string[] = [];
        const cloud = createServer((request, response) => {
          asked.push(`${request.method} ${request.url?.split('?')[0]}`);
          const { webSocketDebuggerUrl: connect } = version;
          response.end(JSON.stringify(request.method === 'POST' ? { connect, stop: `${address}/session/s1` } : {}));
        }).listen(0, '127.0.0.1');
        await once(cloud, 'listening');
        const address = `http://127.0.0.1:${(cloud.address() as AddressInfo).port}`;
        const version = (await (await fetch(`http://127.0.0.1:${foreign.port}/json/version`)).json()) as {
          webSocketDebuggerUrl: string;
        };
        Object.assign(home.env, { BROWSERLESS_API_KEY: 'canary', BROWSERLESS_API_URL: address });
        await home.run(await ensureAgentBrowser(), '-p', 'browserless', '--session', 'far', 'get', 'title', '--json');
        const row = (await rows()).find(({ ends }) => ends === 'connection');
        assert.ok(row);
        assert.equal(await groupOf(row), 'agent-browser · far');
        assert.deepEqual(row.traits, ['in a cloud']);
        assert.equal((await provider.end(row, unaborted)).outcome, 'ended');
        assert.ok(!home.processes().some(({ program }) => /agent-browser/.test(program)));
        assert.deepEqual(asked, ['POST /session', 'DELETE /session/s1']);
        cloud.close();
        cloud.closeAllConnections();
        await foreign.stop();
      });

      it('end even if their browser is frozen, which agent-browser itself takes 35 seconds to end', async () => {
        await home.openAgentBrowser('frozen', pageCalled('Frozen'));
        const row = await onlyRow();
        process.kill(onlyBrowser().pid, 'SIGSTOP');
        const began = performance.now();
        const answer = await provider.end(row, unaborted);
        assert.equal(answer.outcome, 'ended');
        assert.match(answer.how ?? '', /killed/);
        assert.ok(performance.now() - began < 20_000);
        await until(() => home.processes().every(({ program }) => program.endsWith('crashpad_handler')));
      });

      it('end by themselves when they are idle, however often they are listed', async () => {
        await home.openAgentBrowser('idle', pageCalled('Idle'), '--idle-timeout', '3s');
        await onlyRow();
        await until(async () => {
          await list();
          return home.browsers().length === 0;
        });
      });

      it('don’t start a browser when they are listed', async () => {
        await home.openAgentBrowser('lost', pageCalled('Lost'));
        await onlyRow();
        process.kill(onlyBrowser().pid, 'SIGKILL');
        await until(() => home.browsers().length === 0);
        const before = home.processes().length;
        for (let times = 0; times < 5; times++) assert.deepEqual(await rows(), []);
        assert.equal(home.browsers().length, 0);
        assert.ok(home.processes().length <= before);
      });
    });

    describe('of chrome-devtools', () => {
      beforeEach(async function () {
        await orSkip(this, ensureChromeDevtools);
      });

      it('are listed once they have a browser, which listing doesn’t start, and ended by chrome-devtools itself', async () => {
        await home.startChromeDevtools();
        for (let times = 0; times < 3; times++) assert.deepEqual(await rows(), []);
        assert.deepEqual(home.browsers(), []);
        await home.chromeDevtools('new_page', pageCalled('Cart'));
        const row = await onlyRow();
        assert.equal(pidOf(row), onlyBrowser().pid);
        assert.equal(await groupOf(row), 'chrome-devtools · default');
        assert.equal(row.canWatch, false);
        const ways = waysToSee(capabilitiesOf(provider), row.canWatch, row.canTakeScreenshot);
        assert.deepEqual(ways, { live: false, link: false, picture: true });
        const shot = await provider.screenshot?.(row.id, unaborted);
        assert.ok(shot !== undefined && shot.bytes.length > 500);
        assert.equal(home.browsers().length, 1);
        await endsAll(row);
        assert.equal(existsSync(join(home.folder, 'run', 'chrome-devtools-mcp', 'daemon.pid')), false);
      });

      it('are only detached from a browser that something else started', async () => {
        const foreign = await startForeignBrowser(home, pageCalled('Foreign'));
        const program = join(await ensureChromeDevtools(), 'build', 'src', 'bin', 'chrome-devtools.js');
        const address = `http://127.0.0.1:${foreign.port}`;
        await home.run(process.execPath, program, 'start', '--sessionId', 'ab12', '--browserUrl', address);
        const attached = (await rows()).find(({ ends }) => ends === 'connection');
        assert.ok(attached);
        assert.equal(await groupOf(attached), 'chrome-devtools · ab12');
        assert.equal((await provider.end(attached, unaborted)).outcome, 'ended');
        assert.ok(home.browsers().some(({ pid }) => pid === foreign.pid));
        await foreign.stop();
      });

      it('end as an MCP server’s browser, and the server keeps running and opens another one with its next call', async () => {
        const program = join(await ensureChromeDevtools(), 'build', 'src', 'bin', 'chrome-devtools-mcp.js');
        const flags = [
          '--headless',
          '--isolated',
          '--executablePath',
          await ensureChromium(),
          '--chromeArg=--no-sandbox',
        ];
        const server = await startMcpServer(process.execPath, [program, ...flags], {
          env: home.env,
          cwd: home.workspace,
        });
        await server.call('new_page', { url: pageCalled('Used') });
        const row = await onlyRow();
        assert.equal(row.metadata.get('tool'), 'Chrome DevTools MCP');
        assert.equal((await provider.end(row, unaborted)).outcome, 'ended');
        assert.equal(server.process.child.exitCode, null);
        // It notices a moment after the process is gone.
        await until(async () => {
          const called = server.call('new_page', { url: pageCalled('Again') });
          return called.then(
            () => true,
            () => false,
          );
        });
        assert.notEqual((await onlyRow()).id, row.id);
        await server.process.stop();
      });
    });

    describe('of browse (a test server)', () => {
      it('are listed by their names, and ended by browse itself', async () => {
        const session = await startBrowse(
          home,
          'checkout',
          { kind: 'managed-local', headless: true },
          { url: pageCalled('Cart') },
        );
        const row = await onlyRow(({ name }) => name === 'Cart');
        assert.equal(pidOf(row), onlyBrowser().pid);
        assert.equal(await groupOf(row), 'browse · checkout');
        assert.equal(row.canWatch, true);
        await endsAll(row);
        assert.deepEqual([...new Set(session.requests())], ['status', 'stop']);
        assert.equal(session.requests().filter((type) => type === 'status').length, 1);
      });

      it('are only detached from a browser that something else started', async () => {
        const foreign = await startForeignBrowser(home, pageCalled('Foreign'));
        const endpoint = `ws://127.0.0.1:${foreign.port}/devtools/browser/secret`;
        const session = await startBrowse(home, 'guest', { kind: 'cdp', endpoint });
        const attached = (await rows()).find(({ ends }) => ends === 'connection');
        assert.ok(attached);
        assert.equal(pidOf(attached), session.pid);
        assert.doesNotMatch(JSON.stringify(await list()), /devtools\/browser\/secret/);
        assert.equal((await provider.end(attached, unaborted)).outcome, 'ended');
        assert.ok(home.browsers().some(({ pid }) => pid === foreign.pid));
        await foreign.stop();
      });

      it('say which Browserbase session they control, unless its ID is missing or invalid', async () => {
        const session = await startBrowse(home, 'cloudy', { kind: 'remote' }, { cloudId: 'bb-0f3a' });
        const row = await onlyRow();
        assert.equal(pidOf(row), session.pid);
        assert.deepEqual(row.drives, { provider: 'browserbase', id: 'bb-0f3a' });
        assert.deepEqual([row.ends, row.traits], ['connection', ['in a cloud']]);
        await endsAll(row);
        const unnamed = await startBrowse(home, 'early', { kind: 'remote' });
        assert.equal((await onlyRow()).drives, undefined);
        const bad = await startBrowse(home, 'bad', { kind: 'remote' }, { cloudId: '../all' });
        await until(async () => (await rows()).length === 2);
        assert.ok((await rows()).every(({ drives }) => drives === undefined));
        await unnamed.process.stop();
        await bad.process.stop();
      });

      for (const fault of ['silent', 'endless', 'drops'] as const) {
        it(`are listed in time and ended by signals if their socket doesn’t give a useful answer (${fault})`, async () => {
          await startBrowse(home, 'broken', { kind: 'managed-local', headless: true }, { fault });
          const began = performance.now();
          const row = await onlyRow();
          assert.ok(performance.now() - began < 10_000);
          assert.equal(await groupOf(row), 'browse · broken');
          await endsAll(row);
        });
      }

      it('don’t count as ended because they say so, and are killed if they keep running', async () => {
        const session = await startBrowse(home, 'liar', { kind: 'managed-local', headless: true }, { fault: 'stays' });
        const row = await onlyRow();
        const answer = await provider.end(row, unaborted);
        assert.equal(answer.outcome, 'ended');
        assert.match(answer.how ?? '', /killed/);
        assert.deepEqual(session.requests(), ['status', 'stop']);
        assert.ok(!home.processes().some(({ pid }) => pid === session.pid || pid === pidOf(row)));
      });

      it('are ended without their socket if it belongs to another process', async () => {
        const session = await startBrowse(home, 'first', { kind: 'managed-local', headless: true });
        const row = await onlyRow();
        const path = join(home.folder, 'tmp', `browse-driver-${process.getuid?.()}`, 'first.sock');
        rmSync(path);
        let connections = 0;
        const impostor = createSocketServer(() => connections++).listen(path);
        await once(impostor, 'listening');
        assert.equal((await provider.end(row, unaborted)).outcome, 'ended');
        assert.equal(connections, 0);
        impostor.close();
        assert.ok(!home.processes().some(({ pid }) => pid === session.pid));
      });
    });

    it('have ended, and aren’t ended again, if their pid now belongs to another process', async () => {
      const session = await startBrowse(home, 'guest', { kind: 'cdp', endpoint: 'ws://127.0.0.1:9/x' });
      const row = await onlyRow();
      const bystander = await startBrowse(home, 'bystander', { kind: 'cdp', endpoint: 'ws://127.0.0.1:9/y' });
      await session.process.stop();
      // The pid file names a running process that started after the file was written.
      const folder = join(home.folder, 'tmp', `browse-driver-${process.getuid?.()}`);
      const file = join(folder, 'guest.pid');
      writeFileSync(file, `${bystander.pid}`);
      utimesSync(file, row.startedAt === undefined ? 0 : row.startedAt / 1_000 - 60, (row.startedAt ?? 0) / 1_000 - 60);
      assert.equal((await provider.end(row, unaborted)).outcome, 'alreadyGone');
      assert.equal(await provider.probe(row, unaborted), 'gone');
      assert.deepEqual(
        (await rows()).map((one) => one.name),
        ['bystander'],
      );
      // This pid file names a process of another program that started before the file was written.
      writeFileSync(join(folder, 'other.pid'), `${process.pid}`);
      assert.deepEqual(
        (await rows()).map((one) => one.name),
        ['bystander'],
      );
      assert.ok(!(await list()).sessions.some((one) => pidOf(one) === process.pid));
      await bystander.process.stop();
    });

    it('aren’t read from files that are garbage, large, or links, or that lead elsewhere', async () => {
      const [cache, run] = [join(home.folder, 'cache', 'ms-playwright'), join(home.folder, 'run')];
      const foldersOfTools = [
        join(cache, 'daemon', 'abc'),
        join(cache, 'b'),
        join(run, 'agent-browser'),
        join(run, 'chrome-devtools-mcp'),
        join(home.folder, 'tmp', `browse-driver-${process.getuid?.()}`),
      ];
      const contents = [
        '',
        '{',
        '[]',
        'null',
        '-1',
        '0',
        '99999999999',
        '1e3',
        `${process.pid}`,
        `${process.pid}\0`,
        '💥',
      ];
      for (const folder of foldersOfTools) {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        for (const [at, content] of contents.entries())
          for (const ending of ['session', 'pid', 'provider', 'target', 'engine'])
            writeFileSync(join(folder, `x${at}.${ending}`), content);
        writeFileSync(join(folder, 'large.pid'), ' '.repeat(10 * 2 ** 20));
        writeFileSync(join(folder, 'large.session'), ' '.repeat(10 * 2 ** 20));
        symlinkSync('/dev/zero', join(folder, 'endless.pid'));
        symlinkSync('/dev/zero', join(folder, 'endless.session'));
        mkdirSync(join(folder, 'folder.pid'));
        if (folder.endsWith('mcp')) symlinkSync('/dev/zero', join(folder, 'daemon.pid'));
      }
      const climbing = { name: '../../x', socketPath: '/../../../etc/passwd', workspaceDir: '../..', attached: true };
      writeFileSync(join(cache, 'daemon', 'abc', 'climbing.session'), JSON.stringify(climbing));
      symlinkSync('/', join(cache, 'daemon', 'root'));
      const began = performance.now();
      const { sessions } = await list();
      assert.ok(performance.now() - began < 5_000);
      assert.ok(!sessions.some((one) => pidOf(one) === process.pid));
    });

    it('leave every file unchanged when they are listed', async () => {
      await home.openPlaywright('gone', pageCalled('Gone'));
      for (const { pid } of home.processes()) process.kill(pid, 'SIGKILL');
      await until(() => home.processes().length === 0);
      const files = () =>
        ['cache', 'run']
          .flatMap((name) => readdirSync(join(home.folder, name), { recursive: true, withFileTypes: true }))
          .filter((entry) => entry.isFile())
          .map((entry) =>
            [entry.parentPath, entry.name, readFileSync(join(entry.parentPath, entry.name)).length].join(' '),
          )
          .sort();
      const before = files();
      for (let times = 0; times < 3; times++) assert.deepEqual(await rows(), []);
      assert.deepEqual(files(), before);
    });
  },
);
