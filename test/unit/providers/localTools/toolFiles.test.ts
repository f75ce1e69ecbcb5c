import { strict as assert } from 'node:assert';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBrowse } from '../../../servers/browse.ts';
import { unaborted } from '../../testNetwork.ts';
import { until } from '../../until.ts';

import { onLinux, pageCalled, pidOf, useToolHome } from './useToolHome.ts';

onLinux('sessions of tools on this machine', function () {
  this.timeout(180_000);
  const its = useToolHome();
  const { list, rows, onlyRow } = its;

  it('have ended, and aren’t ended again, if their pid now belongs to another process', async () => {
    const session = await startBrowse(its.home, 'guest', { kind: 'cdp', endpoint: 'ws://127.0.0.1:9/x' });
    const row = await onlyRow();
    const bystander = await startBrowse(its.home, 'bystander', { kind: 'cdp', endpoint: 'ws://127.0.0.1:9/y' });
    await session.process.stop();
    // The pid file names a running process that started after the file was written.
    const folder = join(its.home.folder, 'tmp', `browse-driver-${process.getuid?.()}`);
    const file = join(folder, 'guest.pid');
    writeFileSync(file, `${bystander.pid}`);
    utimesSync(file, row.startedAt === undefined ? 0 : row.startedAt / 1_000 - 60, (row.startedAt ?? 0) / 1_000 - 60);
    assert.equal((await its.provider.end(row, unaborted)).outcome, 'alreadyGone');
    assert.equal(await its.provider.probe(row, unaborted), 'gone');
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
    const [cache, run] = [join(its.home.folder, 'cache', 'ms-playwright'), join(its.home.folder, 'run')];
    const foldersOfTools = [
      join(cache, 'daemon', 'abc'),
      join(cache, 'b'),
      join(run, 'agent-browser'),
      join(run, 'chrome-devtools-mcp'),
      join(its.home.folder, 'tmp', `browse-driver-${process.getuid?.()}`),
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
    await its.home.openPlaywright('gone', pageCalled('Gone'));
    its.home.clear();
    await until(() => its.home.processes().length === 0);
    const files = () =>
      ['cache', 'run']
        .flatMap((name) => readdirSync(join(its.home.folder, name), { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) =>
          [entry.parentPath, entry.name, readFileSync(join(entry.parentPath, entry.name)).length].join(' '),
        )
        .sort();
    const before = files();
    for (let times = 0; times < 3; times++) assert.deepEqual(await rows(), []);
    assert.deepEqual(files(), before);
  });
});
