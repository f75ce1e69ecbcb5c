import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PageTargets } from '../../../src/cdp/pageTargets.ts';
import { sendCommand } from '../../../src/cdp/protocol.ts';
import { takeScreenshot } from '../../../src/cdp/screenshot.ts';
import type { Inventory } from '../../../src/core/inventory.ts';
import type { Provider, ProviderKind } from '../../../src/core/provider.ts';
import type { Session } from '../../../src/core/session.ts';
import { openProcessReader } from '../../../src/local/openProcessReader.ts';
import { BoundBrowsers, playwrightCache } from '../../../src/local/playwrightFiles.ts';
import { connectTo, thisMachine } from '../../../src/providers/local/thisMachine.ts';
import type { McpServer } from '../../host/mcpServer.ts';
import { openPlaywrightHome, startPlaywrightMcp } from '../../host/playwright.ts';
import { start, temporaryFolder } from '../../host/processes.ts';
import { connect, unaborted } from '../testNetwork.ts';
import { until } from '../until.ts';

const ticking =
  '<title>Ticking</title><h1>0</h1><script>setInterval(() => { document.querySelector("h1").textContent = Date.now(); }, 100);</script>';

(process.platform === 'linux' ? describe : describe.skip)(
  'browsers of Playwright on this machine (Linux only)',
  function () {
    this.timeout(90_000);
    let env: NodeJS.ProcessEnv;
    let provider: Provider;
    let server: McpServer;

    before(async () => {
      const home = openPlaywrightHome();
      ({ env } = home);
      const kind: ProviderKind = { ...thisMachine, connect: (link) => connectTo(link, () => openProcessReader(), env) };
      ({ provider } = connect(kind, 'http://localhost'));
      server = await startPlaywrightMcp(home, `data:text/html,${encodeURIComponent(ticking)}`);
    });
    after(async () => server?.process.stop());

    const list = async (): Promise<Inventory[]> => Array.fromAsync(provider.list(unaborted));
    async function listed(): Promise<Session> {
      let found: Session | undefined;
      await until(async () => {
        const all = (await list()).flatMap(({ sessions }) => sessions);
        found = all.find(({ pages }) => pages?.some(({ title }) => title === 'Ticking'));
        return found !== undefined;
      });
      assert.ok(found);
      return found;
    }

    it('are listed under the agent whose MCP server started them, with their pages, though they have no port', async () => {
      const session = await listed();
      const groups = (await list()).flatMap((one) => one.groups);
      assert.equal(groups.find(({ id }) => id === session.groupId)?.name, 'Playwright MCP · claude-code');
      assert.equal(session.canWatch, true);
      assert.doesNotMatch(JSON.stringify([session.facts, [...session.metadata]]), /executable|no-sandbox|cli\.js mcp/);
    });

    it('are shown live without a port, and are left as they were', async () => {
      const session = await listed();
      const devtools = await provider.devtools?.(session.id, unaborted);
      assert.ok(devtools);
      const { connection } = devtools;
      const targets = new PageTargets(devtools);
      await targets.discover(unaborted);
      const page = targets.all.find(({ title }) => title === 'Ticking');
      assert.ok(page);
      const target = await targets.attach(page.id, unaborted);
      let frames = 0;
      connection.onEvent(({ method, params, target: its }) => {
        if (method !== 'Page.screencastFrame' || its !== target) return;
        frames++;
        void sendCommand(
          connection,
          'Page.screencastFrameAck',
          { sessionId: Number(params['sessionId']) },
          unaborted,
          target,
        );
      });
      await sendCommand(connection, 'Page.startScreencast', { format: 'jpeg', quality: 50 }, unaborted, target);
      await until(() => frames >= 5);
      connection.dispose();
      const again = await provider.devtools?.(session.id, unaborted);
      assert.ok(again);
      assert.ok((await takeScreenshot(again, page.id, unaborted)).bytes.length > 500);
      again.connection.dispose();
      assert.match(await server.call('browser_snapshot'), /Ticking/);
    });

    /** The session with an ID, and its group, as a new connection lists them. */
    async function listedFirst(id: string) {
      const kind: ProviderKind = { ...thisMachine, connect: (link) => connectTo(link, () => openProcessReader(), env) };
      const [inventory] = await Array.fromAsync(connect(kind, 'http://localhost').provider.list(unaborted));
      const session = inventory?.sessions.find((one) => one.id === id);
      return { session, group: inventory?.groups.find((one) => one.id === session?.groupId) };
    }

    it('aren’t shown with what another program says that passes itself off as their browser', async () => {
      const { id } = await listed();
      const [real] = await new BoundBrowsers(env).read();
      const socket = join(temporaryFolder('pretender'), 's.sock');
      // It passes everything on to the real browser, whose process ID it therefore has, and changes a title. It answers last.
      const script = `
        const { connect, createServer } = require('node:net');
        createServer((client) => {
          const browser = connect(${JSON.stringify(real?.socket)});
          client.on('error', () => {}).on('close', () => browser.destroy()).pipe(browser);
          browser.on('error', () => {}).on('close', () => client.destroy());
          browser.on('data', (data) => {
            const text = data.toString('latin1').replaceAll('Ticking', 'Bargain');
            setTimeout(() => client.write(text, 'latin1'), 100);
          });
        }).listen(${JSON.stringify(socket)}, () => console.log('listening'));`;
      const pretender = start(process.execPath, ['-e', script]);
      assert.ok(pretender.child.stdout);
      await once(pretender.child.stdout, 'data');
      const folder = env['PWTEST_SERVER_REGISTRY'] ?? join(playwrightCache(env), 'b');
      const [name = ''] = readdirSync(folder);
      const file = { ...JSON.parse(readFileSync(join(folder, name), 'utf8')), title: 'pretender', endpoint: socket };
      const pretended = join(folder, 'pretended');
      writeFileSync(pretended, JSON.stringify(file));
      try {
        const { session, group } = await listedFirst(id);
        assert.equal(session?.name, 'Ticking');
        assert.equal(group?.name, 'Playwright MCP · claude-code');
      } finally {
        rmSync(pretended);
        await pretender.stop();
      }
    });

    it('are listed under their agent even if they are frozen from the start', async () => {
      const { id } = await listed();
      const pid = Number(id.split('-')[0]);
      process.kill(pid, 'SIGSTOP');
      try {
        const { session, group } = await listedFirst(id);
        assert.ok(session);
        assert.equal(session.pages, undefined);
        assert.equal(group?.name, 'Playwright MCP · claude-code');
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    });

    it('end while the MCP server stays, whose next call opens another browser', async () => {
      const session = await listed();
      assert.equal((await provider.end(session, unaborted)).outcome, 'ended');
      assert.equal(await provider.probe(session, unaborted), 'gone');
      assert.equal(server.process.child.exitCode, null);
      // It notices a moment after the process is gone.
      const url = `data:text/html,${encodeURIComponent(ticking)}`;
      await until(async () => {
        const called = server.call('browser_navigate', { url });
        return called.then(
          () => true,
          () => false,
        );
      });
      assert.notEqual((await listed()).id, session.id);
    });
  },
);
