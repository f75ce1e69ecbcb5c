import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer as createSocketServer } from 'node:net';
import { join } from 'node:path';
import { sessionId } from '../../../../src/core/ids.ts';
import { startForeignBrowser } from '../../../host/localTools.ts';
import { isRunning } from '../../../host/processes.ts';
import { startBrowse } from '../../../servers/browse.ts';
import { troubleOf } from '../../errors.ts';
import { unaborted } from '../../testNetwork.ts';
import { until } from '../../until.ts';

import { onLinux, pageCalled, pidOf, useToolHome } from './useToolHome.ts';

onLinux('sessions of browse (a test server)', function () {
  this.timeout(180_000);
  const its = useToolHome();
  const { list, rows, onlyRow, endsAll, onlyBrowser, groupOf } = its;

  it('are listed by their names, and ended by browse itself', async () => {
    const session = await startBrowse(
      its.home,
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
    const foreign = await startForeignBrowser(its.home, pageCalled('Foreign'));
    const endpoint = `ws://127.0.0.1:${foreign.port}/devtools/browser/secret`;
    const session = await startBrowse(its.home, 'guest', { kind: 'cdp', endpoint });
    const attached = (await rows()).find(({ ends }) => ends === 'connection');
    assert.ok(attached);
    assert.equal(pidOf(attached), session.pid);
    assert.doesNotMatch(JSON.stringify(await list()), /devtools\/browser\/secret/);
    assert.equal((await its.provider.end(attached, unaborted)).outcome, 'ended');
    assert.ok(its.home.browsers().some(({ pid }) => pid === foreign.pid));
    await foreign.stop();
  });

  it('are listed as what they were started as while they don’t answer, such as when a page shows a dialog', async () => {
    const endpoint = 'ws://127.0.0.1:1/devtools/browser/secret';
    const attached = await startBrowse(its.home, 'guest', { kind: 'cdp', endpoint }, { fault: 'silent' });
    const cloudy = await startBrowse(its.home, 'cloudy', { kind: 'remote' }, { fault: 'silent', cloudId: 'bb-1' });
    await until(async () => (await rows()).length === 2);
    const kinds = new Map((await rows()).map((row) => [pidOf(row), [row.ends, row.traits, row.drives]]));
    assert.deepEqual(kinds.get(attached.pid), ['connection', ['attached'], undefined]);
    assert.deepEqual(kinds.get(cloudy.pid), ['session', ['in a cloud'], undefined]);
    assert.doesNotMatch(JSON.stringify(await list()), /devtools\/browser\/secret/);
  });

  it('still say which Browserbase session they control when they stop answering, and can be ended', async () => {
    const session = await startBrowse(its.home, 'cloudy', { kind: 'remote' }, { cloudId: 'bb-0f3a' });
    const row = await onlyRow();
    process.kill(session.pid, 'SIGSTOP');
    assert.deepEqual((await onlyRow()).drives, { provider: 'browserbase', id: 'bb-0f3a' });
    // It was confirmed before it had said anything.
    assert.equal(await troubleOf(its.provider.end({ ...row, drives: undefined }, unaborted)), 'otherSession');
    assert.ok(isRunning(session.pid));
    await endsAll(row);
  });

  it('say which Browserbase session they control, unless its ID is missing or invalid', async () => {
    const session = await startBrowse(its.home, 'cloudy', { kind: 'remote' }, { cloudId: 'bb-0f3a' });
    const row = await onlyRow();
    assert.equal(pidOf(row), session.pid);
    assert.deepEqual(row.drives, { provider: 'browserbase', id: 'bb-0f3a' });
    assert.deepEqual([row.ends, row.traits], ['session', ['in a cloud']]);
    const other = { ...row, drives: { provider: 'browserbase', id: sessionId('bb-other') } };
    assert.equal(await troubleOf(its.provider.end(other, unaborted)), 'otherSession');
    assert.ok(isRunning(session.pid));
    await endsAll(row);
    const unnamed = await startBrowse(its.home, 'early', { kind: 'remote' });
    assert.equal((await onlyRow()).drives, undefined);
    const bad = await startBrowse(its.home, 'bad', { kind: 'remote' }, { cloudId: '../all' });
    await until(async () => (await rows()).length === 2);
    assert.ok((await rows()).every(({ drives }) => drives === undefined));
    await unnamed.process.stop();
    await bad.process.stop();
  });

  for (const fault of ['silent', 'endless', 'drops'] as const) {
    it(`are listed in time and ended by signals if their socket doesn’t give a useful answer (${fault})`, async () => {
      await startBrowse(its.home, 'broken', { kind: 'managed-local', headless: true }, { fault });
      const began = performance.now();
      const row = await onlyRow();
      assert.ok(performance.now() - began < 10_000);
      assert.equal(await groupOf(row), 'browse · broken');
      await endsAll(row);
    });
  }

  it('don’t count as ended because they say so, and are killed if they keep running', async () => {
    const session = await startBrowse(its.home, 'liar', { kind: 'managed-local', headless: true }, { fault: 'stays' });
    const row = await onlyRow();
    const answer = await its.provider.end(row, unaborted);
    assert.equal(answer.outcome, 'ended');
    assert.match(answer.how ?? '', /killed/);
    assert.deepEqual(session.requests(), ['status', 'stop']);
    assert.ok(!its.home.processes().some(({ pid }) => pid === session.pid || pid === pidOf(row)));
  });

  it('are ended without their socket if it belongs to another process', async () => {
    const session = await startBrowse(its.home, 'first', { kind: 'managed-local', headless: true });
    const row = await onlyRow();
    const path = join(its.home.folder, 'tmp', `browse-driver-${process.getuid?.()}`, 'first.sock');
    rmSync(path);
    let connections = 0;
    const impostor = createSocketServer(() => connections++).listen(path);
    await once(impostor, 'listening');
    assert.equal((await its.provider.end(row, unaborted)).outcome, 'ended');
    assert.equal(connections, 0);
    impostor.close();
    assert.ok(!its.home.processes().some(({ pid }) => pid === session.pid));
  });
});
