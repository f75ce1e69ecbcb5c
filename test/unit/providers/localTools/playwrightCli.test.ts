import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startForeignBrowser } from '../../../host/localTools.ts';
import { unaborted } from '../../testNetwork.ts';
import { until } from '../../until.ts';

import { fact, onLinux, pageCalled, pidOf, useToolHome } from './useToolHome.ts';

onLinux('sessions of playwright-cli', function () {
  this.timeout(180_000);
  const its = useToolHome();
  const { attachedRow, list, rows, onlyRow, endsAll, onlyBrowser, groupOf } = its;

  it('are listed by their names and folders, and ended by playwright-cli itself', async () => {
    await its.home.openPlaywright('checkout', pageCalled('Cart'));
    const row = await onlyRow(({ name }) => name === 'Cart');
    assert.equal(pidOf(row), onlyBrowser().pid);
    assert.equal(await groupOf(row), 'playwright-cli · checkout');
    assert.equal(fact(row, 'Session'), 'checkout');
    assert.equal(fact(row, 'Started in'), its.home.workspace);
    assert.equal(row.canWatch, true);
    assert.doesNotMatch(JSON.stringify([row.facts, [...row.metadata]]), /executable|no-sandbox|cliDaemon\.js checkout/);
    await endsAll(row);
    // It deletes its own file when it's asked to end, but not when its browser is killed.
    const files = readdirSync(join(its.home.folder, 'cache', 'ms-playwright', 'daemon'), {
      recursive: true,
      encoding: 'utf8',
    });
    assert.deepEqual(
      files.filter((name) => name.endsWith('.session')),
      [],
    );
  });

  it('are told apart if two folders have one with the same name', async () => {
    const second = join(its.home.folder, 'second');
    await its.home.openPlaywright('default', pageCalled('One'));
    await its.home.openPlaywright('default', pageCalled('Two'), second);
    const names = async () => (await rows()).map(({ name }) => name).sort();
    await until(async () => (await names()).join() === 'One,Two');
    const all = await rows();
    const [ended, other] = ['One', 'Two'].map((title) => all.find(({ name }) => name === title));
    assert.ok(ended && other);
    assert.deepEqual([fact(ended, 'Started in'), fact(other, 'Started in')], [its.home.workspace, second]);
    assert.equal(ended.groupId, other.groupId);
    assert.equal((await its.provider.end(ended, unaborted)).outcome, 'ended');
    assert.equal(await its.provider.probe(other, unaborted), 'running');
    assert.equal((await onlyRow()).id, other.id);
  });

  it('end once if two windows end the same one', async () => {
    await its.home.openPlaywright('shared', pageCalled('Shared'));
    const row = await onlyRow();
    const answers = await Promise.all([its.provider.end(row, unaborted), its.provider.end(row, unaborted)]);
    assert.ok(answers.every(({ outcome }) => outcome === 'ended' || outcome === 'alreadyGone'));
    assert.equal(await its.provider.probe(row, unaborted), 'gone');
    assert.equal((await its.provider.end(row, unaborted)).outcome, 'alreadyGone');
  });

  it('end by themselves when they are idle, however often they are listed', async () => {
    Object.assign(its.home.env, { PLAYWRIGHT_MCP_IDLE_TIMEOUT: '4000' });
    await its.home.openPlaywright('idle', pageCalled('Idle'));
    await until(async () => {
      await list();
      return its.home.browsers().length === 0;
    });
  });

  it('end even if their browser is frozen', async () => {
    await its.home.openPlaywright('frozen', pageCalled('Frozen'));
    const row = await onlyRow();
    process.kill(onlyBrowser().pid, 'SIGSTOP');
    await endsAll(row);
  });

  it('are only detached from a browser that something else started', async () => {
    const foreign = await startForeignBrowser(its.home, pageCalled('Foreign'));
    await its.home.attachPlaywright('guest', foreign.port);
    const attached = await attachedRow();
    assert.equal(await groupOf(attached), 'playwright-cli · guest');
    assert.deepEqual(attached.traits, ['attached']);
    assert.notEqual(pidOf(attached), foreign.pid);
    assert.equal((await its.provider.end(attached, unaborted)).outcome, 'ended');
    assert.equal(await its.provider.probe(attached, unaborted), 'gone');
    assert.ok(its.home.browsers().some(({ pid }) => pid === foreign.pid));
    await foreign.stop();
  });
});
