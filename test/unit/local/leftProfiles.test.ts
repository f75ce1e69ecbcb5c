import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { checkProfile, deleteProfile, leftProfiles } from '../../../src/local/leftProfiles.ts';
import { ensureChromium, quietFlags } from '../../host/chromium.ts';
import { leaveBehind } from '../../host/leftBehind.ts';
import { start, temporaryFolder } from '../../host/processes.ts';
import { unaborted } from '../testNetwork.ts';
import { until } from '../until.ts';

(process.platform === 'linux' ? describe : describe.skip)('temporary profiles (Linux only)', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(temporaryFolder('profiles'));
  });

  /** A folder that looks like the profile of a browser. */
  function profile(name = `agent-browser-chrome-${randomUUID()}`, parent = folder): string {
    const path = join(parent, name);
    mkdirSync(join(path, 'Default'), { recursive: true });
    writeFileSync(join(path, 'Default', 'Cookies'), 'x'.repeat(5_000));
    return path;
  }
  const check = async (path: string) => (await checkProfile(path, unaborted)).kind;
  async function free(path: string) {
    const found = await checkProfile(path, unaborted);
    assert.ok(found.kind === 'free', found.kind);
    return found.profile;
  }

  it('are deleted completely, but nothing next to them or behind their links is', async () => {
    const other = profile();
    const path = profile();
    writeFileSync(join(folder, 'mine.txt'), 'mine');
    symlinkSync(join(folder, 'mine.txt'), join(path, 'link'));
    symlinkSync(other, join(path, 'Default', 'folder'));
    const found = await free(path);
    assert.deepEqual([found.tool, found.bytes >= 5_000], ['agent-browser', true]);
    assert.equal(await deleteProfile(found, unaborted), 'deleted');
    assert.deepEqual(
      [path, other, join(other, 'Default', 'Cookies'), join(folder, 'mine.txt')].map((one) => existsSync(one)),
      [false, true, true, true],
    );
    assert.equal(await deleteProfile(found, unaborted), 'gone');
  });

  it('are in use if a process has them in its arguments, however the path is written there', async () => {
    const path = profile();
    const name = basename(path);
    const linked = join(temporaryFolder('linked'), 'link');
    symlinkSync(folder, linked);
    for (const [argument, cwd] of [
      [`--user-data-dir=${folder}//./${name}`, '/'],
      // As on macOS, where the path of the temporary folder contains a link.
      [`--user-data-dir=${join(linked, name)}`, '/'],
      [`--user-data-dir=${name}`, folder],
      [JSON.stringify({ profile: path }).replaceAll('/', '\\/'), '/'],
      [encodeURIComponent(path), '/'],
    ] as const) {
      const named = start(process.execPath, ['-e', 'setInterval(() => {}, 1_000)', '--', argument], { cwd });
      await until(
        async () => (await check(path)) === 'inUse',
        () => argument,
      );
      await named.stop();
    }
    await until(async () => (await check(path)) === 'free');
  });

  it('aren’t deleted while something is mounted in them', async function () {
    const path = profile();
    const mine = join(folder, 'my files');
    const mounted = join(path, 'Default', 'a folder');
    for (const one of [mine, mounted]) mkdirSync(one);
    writeFileSync(join(mine, 'kept'), '');
    if (spawnSync('mount', ['--bind', mine, mounted]).status !== 0) {
      console.log('      skipped: nothing can be mounted here');
      this.skip();
    }
    try {
      assert.equal(await check(path), 'inUse');
    } finally {
      spawnSync('umount', [mounted]);
    }
    assert.ok(existsSync(join(mine, 'kept')));
  });

  for (const [use, script] of [
    ['has a file of them open', 'exec 3< "$1/Default/Cookies"'],
    ['works in them', 'cd "$1/Default"'],
  ] as const) {
    it(`aren’t deleted while a process ${use} that has them mounted elsewhere, as containers do`, async function () {
      const path = profile();
      const inside = join(folder, 'inside');
      mkdirSync(inside);
      const mounting = `mount --bind "$0" "$1" && ${script} && echo ready && exec sleep 60`;
      const container = start('unshare', ['--mount', 'sh', '-c', mounting, path, inside]);
      await until(() => container.output() !== '');
      if (!container.output().startsWith('ready')) {
        console.log('      skipped: nothing can be mounted here');
        this.skip();
      }
      assert.equal(await check(path), 'inUse');
      assert.equal(await check(profile()), 'free');
      await container.stop();
      assert.equal(await check(path), 'free');
    });
  }

  it('aren’t deleted where others may rename things in the temporary folder', async () => {
    const path = profile();
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = folder;
    try {
      assert.equal(await check(path), 'free');
      chmodSync(folder, 0o777);
      // Only what is below the other temporary folder is left out: this one is inside it.
      assert.equal(await check(path), 'notTemporary');
      chmodSync(folder, 0o1777);
      const direct = await check(path);
      chmodSync(folder, 0o700);
      assert.equal(direct, 'free');
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
  });

  it('keep their name, and are listed again, when something in them can’t be deleted', async function () {
    const path = profile();
    const found = await free(path);
    const busy = join(path, 'Default', 'Cookies');
    // Even root can't delete such a file.
    if (spawnSync('chattr', ['+i', busy]).status !== 0) {
      console.log('      skipped: no file can be made undeletable here');
      this.skip();
    }
    const deletion = deleteProfile(found, unaborted);
    // If VS Code is closed now, what is left is still found.
    let renamed: string | undefined;
    const isRenamed = () => {
      renamed = readdirSync(folder).find((name) => name.startsWith(`${basename(path)}.`));
      return renamed !== undefined;
    };
    try {
      await until(isRenamed);
      assert.equal(await check(join(folder, renamed ?? '')), 'free');
      assert.equal(await deletion, 'failed');
      assert.ok(existsSync(busy));
    } finally {
      spawnSync('chattr', ['-R', '-i', folder]);
    }
    assert.equal(await deleteProfile(await free(path), unaborted), 'deleted');
  });

  it('are only those of known tools, and only inside the temporary folder', async () => {
    for (const name of ['playwright_chromiumdev_profile-x', 'puppeteer_dev_chrome_profile-x', 'stagehand-v3/profile-x'])
      assert.equal(await check(profile(name)), 'free', name);
    for (const name of [
      'Default profile',
      'profile-x',
      'agent-browser',
      'ud-name-chromium',
      'my agent-browser-chrome-x',
    ])
      assert.equal(await check(profile(name)), 'notTemporary', name);
    const elsewhere = join(homedir(), `.browser-sessions-profiles-${process.pid}`);
    assert.equal(await check(profile('agent-browser-chrome-x', elsewhere)), 'notTemporary');
    rmSync(elsewhere, { recursive: true });
    const path = profile();
    for (const one of [`${path}/`, `${path}/../${basename(path)}`, `./${basename(path)}`, '/', tmpdir(), ''])
      assert.equal(await check(one), 'notTemporary', one);
    mkdirSync(join(folder, 'agent-browser-chrome-empty'));
    assert.equal(await check(join(folder, 'agent-browser-chrome-empty')), 'notTemporary');
    assert.equal(await check(join(folder, 'agent-browser-chrome-none')), 'gone');
  });

  it('are never reached through a link, or in a folder that others may write to', async () => {
    const real = profile('agent-browser-chrome-real', join(folder, 'real'));
    symlinkSync(real, join(folder, 'agent-browser-chrome-link'));
    symlinkSync(join(folder, 'real'), join(folder, 'way'));
    assert.equal(await check(join(folder, 'agent-browser-chrome-link')), 'notTemporary');
    assert.equal(await check(join(folder, 'way', basename(real))), 'notTemporary');
    symlinkSync(tmpdir(), join(folder, 'root'));
    assert.equal(await check(join(folder, 'root', basename(folder), 'real', basename(real))), 'notTemporary');
    assert.equal(await check(real), 'free');
    mkdirSync(join(folder, 'open'));
    chmodSync(join(folder, 'open'), 0o777);
    assert.equal(await check(profile('agent-browser-chrome-x', join(folder, 'open'))), 'notTemporary');
    assert.ok(existsSync(join(real, 'Default', 'Cookies')));
  });

  it('aren’t deleted while a browser uses them, even if it starts after they were checked', async () => {
    const one = await leaveBehind({ folder });
    await until(async () => existsSync(join(one.profile, 'Default')));
    assert.equal(await check(one.profile), 'inUse');
    one.stop();
    await until(async () => (await check(one.profile)) === 'free');
    const found = await free(one.profile);
    const flags = [...quietFlags, '--headless', `--user-data-dir=${one.profile}`];
    const browser = start(await ensureChromium(), flags);
    await until(async () => (await check(one.profile)) === 'inUse');
    assert.equal(await deleteProfile(found, unaborted), 'inUse');
    assert.ok(existsSync(join(one.profile, 'Default')));
    await browser.stop();
    await until(async () => (await deleteProfile(found, unaborted)) === 'deleted');
  });

  it('aren’t deleted while a process works in them, has a file in them open, or may hold their lock', async () => {
    const path = profile();
    const inside = start('sleep', ['60'], { cwd: join(path, 'Default') });
    await until(async () => (await check(path)) === 'inUse');
    await inside.stop();
    const reading = start('sh', ['-c', 'exec 3<Cookies && cd / && exec sleep 60'], { cwd: join(path, 'Default') });
    await until(async () => (await check(path)) === 'inUse');
    await reading.stop();
    await until(async () => (await check(path)) === 'free');
    for (const [target, kind] of [
      [`${hostname()}-${process.pid}`, 'inUse'],
      ['another-host-99999999', 'inUse'],
      ['garbage', 'inUse'],
      [`${hostname()}-99999999`, 'free'],
    ] as const) {
      symlinkSync(target, join(path, 'SingletonLock'));
      assert.equal(await check(path), kind, target);
      rmSync(join(path, 'SingletonLock'));
    }
  });

  it('aren’t deleted if another folder now has their name', async () => {
    const path = profile();
    const found = await free(path);
    renameSync(path, join(folder, 'kept'));
    profile(basename(path));
    assert.equal(await deleteProfile(found, unaborted), 'notTemporary');
    assert.ok(existsSync(path) && existsSync(join(folder, 'kept', 'Default')));
  });

  it('are found in the temporary folder with their age and size', async () => {
    const path = profile(`agent-browser-chrome-test-${process.pid}`, realpathSync(tmpdir()));
    try {
      const found = (await leftProfiles(unaborted)).find((one) => one.folder === path);
      assert.ok(found && found.bytes >= 5_000 && Math.abs(found.changedAt - Date.now()) < 30_000);
    } finally {
      rmSync(path, { recursive: true });
    }
  });
});
