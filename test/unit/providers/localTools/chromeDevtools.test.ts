import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { capabilitiesOf, waysToSee } from '../../../../src/core/provider.ts';
import { ensureChromium } from '../../../host/chromium.ts';
import { ensureChromeDevtools, startForeignBrowser } from '../../../host/localTools.ts';
import { startMcpServer } from '../../../host/mcpServer.ts';
import { unaborted } from '../../testNetwork.ts';
import { until } from '../../until.ts';

import { onLinux, orSkip, pageCalled, pidOf, useToolHome } from './useToolHome.ts';

onLinux('sessions of chrome-devtools', function () {
  this.timeout(180_000);
  const its = useToolHome();
  const { rows, onlyRow, endsAll, onlyBrowser, groupOf } = its;

  beforeEach(async function () {
    await orSkip(this, ensureChromeDevtools);
  });

  it('are listed once they have a browser, which listing doesn’t start, and ended by chrome-devtools itself', async () => {
    await its.home.startChromeDevtools();
    for (let times = 0; times < 3; times++) assert.deepEqual(await rows(), []);
    assert.deepEqual(its.home.browsers(), []);
    await its.home.chromeDevtools('new_page', pageCalled('Cart'));
    const row = await onlyRow();
    assert.equal(pidOf(row), onlyBrowser().pid);
    assert.equal(await groupOf(row), 'chrome-devtools · default');
    assert.equal(row.canWatch, false);
    const ways = waysToSee(capabilitiesOf(its.provider), row.canWatch, row.canTakeScreenshot);
    assert.deepEqual(ways, { live: false, link: false, picture: true });
    const shot = await its.provider.screenshot?.(row.id, unaborted);
    assert.ok(shot !== undefined && shot.bytes.length > 500);
    assert.equal(its.home.browsers().length, 1);
    await endsAll(row);
    assert.equal(existsSync(join(its.home.folder, 'run', 'chrome-devtools-mcp', 'daemon.pid')), false);
  });

  it('are only detached from a browser that something else started', async () => {
    const foreign = await startForeignBrowser(its.home, pageCalled('Foreign'));
    const program = join(await ensureChromeDevtools(), 'build', 'src', 'bin', 'chrome-devtools.js');
    const address = `http://127.0.0.1:${foreign.port}`;
    await its.home.run(process.execPath, program, 'start', '--sessionId', 'ab12', '--browserUrl', address);
    const attached = (await rows()).find(({ ends }) => ends === 'connection');
    assert.ok(attached);
    assert.equal(await groupOf(attached), 'chrome-devtools · ab12');
    assert.equal((await its.provider.end(attached, unaborted)).outcome, 'ended');
    assert.ok(its.home.browsers().some(({ pid }) => pid === foreign.pid));
    await foreign.stop();
  });

  it('end as an MCP server’s browser, and the server keeps running and opens another one with its next call', async () => {
    const program = join(await ensureChromeDevtools(), 'build', 'src', 'bin', 'chrome-devtools-mcp.js');
    const flags = ['--headless', '--isolated', '--executablePath', await ensureChromium(), '--chromeArg=--no-sandbox'];
    const server = await startMcpServer(process.execPath, [program, ...flags], {
      env: its.home.env,
      cwd: its.home.workspace,
    });
    await server.call('new_page', { url: pageCalled('Used') });
    const row = await onlyRow();
    assert.equal(row.metadata.get('tool'), 'Chrome DevTools MCP');
    assert.equal((await its.provider.end(row, unaborted)).outcome, 'ended');
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
