import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PageTargets } from '../../../../src/cdp/pageTargets.ts';
import { takeScreenshot } from '../../../../src/cdp/screenshot.ts';
import { isEmptyTab } from '../../../../src/core/page.ts';
import { ensureAgentBrowser, startForeignBrowser } from '../../../host/localTools.ts';
import { troubleOf } from '../../errors.ts';
import { unaborted } from '../../testNetwork.ts';
import { until } from '../../until.ts';

import { fact, onLinux, orSkip, pageCalled, useToolHome } from './useToolHome.ts';

onLinux('sessions of agent-browser', function () {
  this.timeout(180_000);
  const its = useToolHome();
  const { attachedRow, list, rows, onlyRow, endsAll, onlyBrowser, groupOf } = its;

  beforeEach(async function () {
    await orSkip(this, ensureAgentBrowser);
  });

  it('are listed by their names, shown with the page that the agent uses, and ended by agent-browser itself', async () => {
    await its.home.openAgentBrowser('checkout', pageCalled('Cart'));
    const row = await onlyRow(({ name }) => name === 'Cart');
    assert.equal(await groupOf(row), 'agent-browser · checkout');
    assert.equal(fact(row, 'Session'), 'checkout');
    const devtools = await its.provider.devtools?.(row.id, unaborted);
    assert.ok(devtools);
    const targets = new PageTargets(devtools);
    await targets.discover(unaborted);
    // Blank pages come first, and the last one is shown.
    assert.equal(targets.all.at(-1)?.title, 'Cart');
    assert.ok(targets.all.slice(0, -1).every(isEmptyTab));
    devtools.connection.dispose();
    const again = await its.provider.devtools?.(row.id, unaborted);
    assert.ok(again);
    assert.ok((await takeScreenshot(again, undefined, unaborted)).bytes.length > 500);
    again.connection.dispose();
    await endsAll(row);
    const files = readdirSync(join(its.home.folder, 'run', 'agent-browser'));
    assert.deepEqual(
      files.filter((name) => name.endsWith('.pid')),
      [],
    );
  });

  it('are only detached from a browser that something else started', async () => {
    const foreign = await startForeignBrowser(its.home, pageCalled('Foreign'));
    await its.home.run(
      await ensureAgentBrowser(),
      '--session',
      'guest',
      '--cdp',
      `${foreign.port}`,
      'get',
      'title',
      '--json',
    );
    const attached = await attachedRow();
    assert.equal(await groupOf(attached), 'agent-browser · guest');
    assert.ok(attached.bulkEndExclusion);
    assert.equal((await its.provider.end(attached, unaborted)).outcome, 'ended');
    assert.ok(its.home.browsers().some(({ pid }) => pid === foreign.pid));
    assert.ok(!its.home.processes().some(({ program }) => /agent-browser/.test(program)));
    await foreign.stop();
  });

  it('in a cloud are listed as such, and ended by agent-browser, which tells the cloud', async () => {
    const foreign = await startForeignBrowser(its.home, pageCalled('Foreign'));
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
    Object.assign(its.home.env, { BROWSERLESS_API_KEY: 'canary', BROWSERLESS_API_URL: address });
    await its.home.run(await ensureAgentBrowser(), '-p', 'browserless', '--session', 'far', 'get', 'title', '--json');
    const row = (await rows()).find(({ traits }) => traits.includes('in a cloud'));
    assert.ok(row);
    assert.equal(await groupOf(row), 'agent-browser · far');
    // The question mustn't say that it's only detached.
    assert.equal(row.ends, 'session');
    const attached = { ...row, ends: 'connection' } as const;
    assert.equal(await troubleOf(its.provider.end(attached, unaborted)), 'otherSession');
    assert.deepEqual(asked, ['POST /session']);
    const answer = await its.provider.end(row, unaborted);
    assert.equal(answer.outcome, 'ended');
    assert.match(answer.how ?? '', /Check there whether it has ended/);
    assert.ok(!its.home.processes().some(({ program }) => /agent-browser/.test(program)));
    assert.deepEqual(asked, ['POST /session', 'DELETE /session/s1']);
    cloud.close();
    cloud.closeAllConnections();
    await foreign.stop();
  });

  it('end even if their browser is frozen, which agent-browser itself takes 35 seconds to end', async () => {
    await its.home.openAgentBrowser('frozen', pageCalled('Frozen'));
    const row = await onlyRow();
    process.kill(onlyBrowser().pid, 'SIGSTOP');
    const began = performance.now();
    const answer = await its.provider.end(row, unaborted);
    assert.equal(answer.outcome, 'ended');
    assert.match(answer.how ?? '', /killed/);
    assert.ok(performance.now() - began < 20_000);
    await until(() => its.home.processes().every(({ program }) => program.endsWith('crashpad_handler')));
  });

  it('end by themselves when they are idle, however often they are listed', async () => {
    await its.home.openAgentBrowser('idle', pageCalled('Idle'), '--idle-timeout', '3s');
    await onlyRow();
    await until(async () => {
      await list();
      return its.home.browsers().length === 0;
    });
  });

  it('don’t start a browser when they are listed', async () => {
    await its.home.openAgentBrowser('lost', pageCalled('Lost'));
    await onlyRow();
    process.kill(onlyBrowser().pid, 'SIGKILL');
    await until(() => its.home.browsers().length === 0);
    const before = its.home.processes().length;
    for (let times = 0; times < 5; times++) assert.deepEqual(await rows(), []);
    assert.equal(its.home.browsers().length, 0);
    assert.ok(its.home.processes().length <= before);
  });
});
