import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { copyFileSync, realpathSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.ts';
import { type AutomatedBrowser, browsersAmong, findBrowsers } from '../../../src/local/browsers.ts';
import { endChildren, endProcess } from '../../../src/local/endProcess.ts';
import { checkProfile, deleteProfile } from '../../../src/local/leftProfiles.ts';
import { readListeningPorts } from '../../../src/local/listeningPorts.ts';
import { readProcesses as readMac } from '../../../src/local/macProcesses.ts';
import { openProcessReader } from '../../../src/local/openProcessReader.ts';
import type { LocalProcess, ProcessReader } from '../../../src/local/processes.ts';
import { processListFrom } from '../../../src/local/processTree.ts';
import { readProcesses as readWindows } from '../../../src/local/windowsProcesses.ts';
import { findFirefox } from '../../host/firefox.ts';
import { type LeftBehind, leaveBehind } from '../../host/leftBehind.ts';
import { freePort, isRunning, start, temporaryFolder } from '../../host/processes.ts';
import { unaborted } from '../testNetwork.ts';
import { until } from '../until.ts';

const geckodrivers = ['--marionette', '--headless'];

/** What makes a browser's row: what it is, its tool, whether it was left behind, and whether it's headless. */
const seen = ({ engine, tool, isLeftBehind, isHeadless }: AutomatedBrowser) => [engine, tool, isLeftBehind, isHeadless];

(process.platform === 'linux' ? describe : describe.skip)('Firefox on this machine (Linux only)', function () {
  this.timeout(60_000);
  let firefox: string;
  let reader: ProcessReader;
  const browsers: LeftBehind[] = [];
  before(async function () {
    const found = await findFirefox();
    // There is no Firefox, and only Debian's package is installed for tests.
    if (found === undefined) return this.skip();
    firefox = found;
    reader = await openProcessReader();
  });
  afterEach(() => {
    for (const one of browsers.splice(0)) one.stop();
  });

  async function left(profile: string, flags: readonly string[]): Promise<LeftBehind> {
    const folder = realpathSync(temporaryFolder('firefox'));
    const one = await leaveBehind({ firefox, profile, flags, folder });
    browsers.push(one);
    return one;
  }
  const found = async ({ pid }: LeftBehind) =>
    (await findBrowsers(reader, unaborted)).find(({ process }) => process.pid === pid);
  /** Once it has started its pages' processes, which are child processes of its fork server. */
  async function started(one: LeftBehind): Promise<AutomatedBrowser> {
    await until(async () => ((await found(one))?.children.length ?? 0) >= 4);
    const browser = await found(one);
    assert.ok(browser);
    return browser;
  }

  it('is found with its tool, profile, and child processes, as each tool starts it', async () => {
    for (const [profile, flags, tool] of [
      ['playwright_firefoxdev_profile-a', ['-headless', '-juggler-pipe', '-silent'], 'Playwright'],
      ['puppeteer_dev_firefox_profile-a', ['--headless', '--remote-debugging-port=0'], 'Puppeteer'],
      ['rust_mozprofilea', geckodrivers, 'geckodriver'],
      ['my own', ['--marionette', '--headless'], undefined],
    ] as const) {
      const one = await left(profile, flags);
      await until(async () => (await found(one)) !== undefined);
      const browser = await found(one);
      assert.ok(browser);
      assert.deepEqual(seen(browser), ['Firefox', tool, true, true], profile);
      assert.deepEqual([browser.profile, browser.port], [one.profile, undefined]);
      assert.equal(browser.keepsProfile, tool === undefined);
    }
  });

  it('is the user’s own without a profile in its arguments, or if nothing can control it', async () => {
    const one = await left('rust_mozprofileb', geckodrivers);
    const { processes, browser } = await started(one).then(async (browser) => ({
      browser,
      processes: await reader.list(() => true, unaborted),
    }));
    const among = (args: readonly string[]) =>
      browsersAmong({ ...processes, found: [{ ...browser.process, args }] }).length;
    assert.equal(among(browser.process.args), 1);
    assert.equal(among(['firefox', '--marionette', '--headless']), 0);
    assert.equal(among(['firefox', '--marionette', '--headless', '-P', 'rust_mozprofile']), 0);
    assert.equal(among(['firefox', '--headless', '-profile', one.profile]), 0);
    assert.equal(among(['firefox', '--remote-debugging-port', '9222', '-profile', '/profiles/debug']), 0);
  });

  it('ends with its child processes, and its temporary profile can be deleted then', async () => {
    const one = await left('rust_mozprofilec', geckodrivers);
    const { process, children } = await started(one);
    assert.equal((await checkProfile(one.profile, unaborted)).kind, 'inUse');
    assert.match(await endProcess(process, reader, systemClock, unaborted), /^(ended|killed)$/);
    await endChildren(children, reader, systemClock, unaborted);
    assert.deepEqual(
      [one.pid, ...children.map(({ pid }) => pid)].filter((pid) => isRunning(pid)),
      [],
    );
    const check = await checkProfile(one.profile, unaborted);
    assert.ok(check.kind === 'free', check.kind);
    assert.equal(check.profile.tool, 'geckodriver');
    assert.equal(await deleteProfile(check.profile, unaborted), 'deleted');
  });

  it('is killed when it’s frozen, and its profile isn’t locked by what it left there', async () => {
    const one = await left('rust_mozprofiled', geckodrivers);
    const { process: root, children } = await started(one);
    process.kill(one.pid, 'SIGSTOP');
    assert.equal((await checkProfile(one.profile, unaborted)).kind, 'inUse');
    assert.equal(await endProcess(root, reader, systemClock, unaborted), 'killed');
    await endChildren(children, reader, systemClock, unaborted);
    assert.deepEqual(
      children.filter(({ pid }) => isRunning(pid)),
      [],
    );
    // Its crash helper notices a moment later.
    await until(async () => (await checkProfile(one.profile, unaborted)).kind === 'free');
  });

  it('shows at which port it’s controlled by listening there, even if its arguments don’t name one', async () => {
    const port = await freePort();
    const folder = 'rust_mozprofilee';
    const one = await left(folder, [...geckodrivers, `--remote-debugging-port=${port}`]);
    await until(async () => (await readListeningPorts())?.all.includes(port) === true);
    const ports = await readListeningPorts();
    assert.ok((await ports?.portsOf(one.pid))?.includes(port));
    const client = connect(port, '127.0.0.1');
    try {
      await once(client, 'connect');
      const clients = await (await readListeningPorts())?.clientsOf((await ports?.portsOf(one.pid)) ?? []);
      assert.deepEqual([...(clients?.get(port) ?? [])], [process.pid]);
    } finally {
      client.destroy();
    }
  });
});

(process.platform === 'linux' ? describe : describe.skip)('WebKit on this machine (Linux only)', function () {
  this.timeout(30_000);
  it('is found once behind the script that starts it, and both are gone after it was ended', async () => {
    const folder = temporaryFolder('webkit');
    const program = join(folder, 'MiniBrowser');
    // Playwright's build can't be downloaded here. This program has its name, arguments, and parent, which is all that is read.
    copyFileSync(realpathSync('/bin/bash'), program);
    writeFileSync(join(folder, 'wait.sh'), 'while :; do sleep 0.05; done');
    const script = join(folder, 'pw_run.sh');
    writeFileSync(script, `"${program}" "${folder}/wait.sh" "$@"\nexit $?\n`);
    const args = ['--inspector-pipe', '--headless', '--no-startup-window'];
    const reader = await openProcessReader();
    const find = async () =>
      (await findBrowsers(reader, unaborted)).filter(({ process: { program: its } }) => its === program);

    const owner = start('/bin/bash', ['-c', '/bin/bash "$@"; :', 'owner', script, ...args]);
    try {
      await until(async () => (await find()).length === 1);
      const [used] = await find();
      assert.ok(used);
      assert.deepEqual(seen(used), ['WebKit', 'Playwright', false, true]);
      assert.deepEqual([used.profile, used.keepsProfile, used.ownerPids[0]], [undefined, false, owner.child.pid]);
      process.kill(owner.child.pid ?? 0, 'SIGKILL');
      await until(async () => (await find())[0]?.isLeftBehind === true);
      const [left] = await find();
      assert.deepEqual(left?.owners, []);
      const script = used.process.parentPid;
      assert.ok(isRunning(script));
      assert.equal(await endProcess(used.process, reader, systemClock, unaborted), 'ended');
      await until(() => !isRunning(script));
    } finally {
      for (const {
        process: { pid },
      } of await find())
        process.kill(pid, 'SIGKILL');
      await owner.stop();
    }
  });
});

describe('Firefox and WebKit on Macs and Windows', () => {
  const among = (found: readonly LocalProcess[], keepsDeadParents = false) =>
    browsersAmong(
      processListFrom(found, (name) => /firefox|container|Playwright|MiniBrowser|WebKit/.test(name), {
        keepsDeadParents,
      }),
    );

  it('are found quickly, no matter how long and odd their arguments are', () => {
    for (const [name, part] of [
      ['firefox', ' file:'],
      ['firefox', ' -contentproc'],
      ['firefox', '-'],
      ['MiniBrowser', '/pw_run.sh'],
    ] as const) {
      const long = part.repeat(126_000 / part.length);
      const process: LocalProcess = {
        ...{ pid: 9, parentPid: 1, identity: '1', startedAt: 0, memory: undefined, cpuMs: undefined },
        program: `/usr/bin/${name}`,
        args: [name, '-juggler-pipe', '--inspector-pipe', `-profile=${long}\n`, `-${long}\n`],
      };
      const began = performance.now();
      among([process]);
      assert.ok(performance.now() - began < 200, part);
    }
  });

  it('are found in the tables of a Mac, where only spaces separate arguments', () => {
    const nightly = '/Users/me/Library/Caches/ms-playwright/firefox-1490/firefox/Nightly.app/Contents/MacOS';
    const profile = '/var/folders/x y/T/playwright_firefoxdev_profile-Ab1';
    const webkit = '/Users/me/Library/Caches/ms-playwright/webkit-2203';
    const rows: readonly (readonly [pid: number, parent: number, program: string, args: string])[] = [
      [20, 1, '/usr/local/bin/node', 'test.mjs'],
      [21, 20, `${nightly}/firefox`, `-no-remote -headless -profile ${profile} -juggler-pipe -silent`],
      [22, 21, `${nightly}/plugin-container.app/Contents/MacOS/plugin-container`, '-isForBrowser 7 tab'],
      [30, 20, '/bin/bash', `${webkit}/pw_run.sh --inspector-pipe --headless --no-startup-window`],
      [31, 30, `${webkit}/Playwright.app/Contents/MacOS/Playwright`, '--inspector-pipe --headless --no-startup-window'],
      [40, 1, '/Applications/Firefox.app/Contents/MacOS/firefox', '-P me'],
    ];
    const table = rows.map(
      ([pid, parent, program]) => `${pid} ${parent} 501 Fri Nov 27 00:06:53 2026 0:01.00 1000 ${program}`,
    );
    const commands = rows.map(([pid, , program, args]) => `${pid} ${program} ${args}`);
    const all = among(readMac(table.join('\n'), commands.join('\n'), 501));
    assert.deepEqual(all.map(seen), [
      ['Firefox', 'Playwright', false, true],
      ['WebKit', 'Playwright', false, true],
    ]);
    assert.deepEqual(
      all.map(({ profile: its, owners, keepsProfile }) => [its, owners, keepsProfile]),
      [
        [profile, ['test.mjs'], false],
        [undefined, ['test.mjs'], false],
      ],
    );
    assert.deepEqual(
      all[0]?.children.map(({ pid }) => pid),
      [22],
    );
  });

  it('are found in the tables of Windows, once if a launcher waits for them', () => {
    const row = (ProcessId: number, ParentProcessId: number, ExecutablePath: string, args: string) => ({
      ...{ ProcessId, ParentProcessId, ExecutablePath, CommandLine: `"${ExecutablePath}" ${args}` },
      ...{ WorkingSetSize: 1_000, KernelModeTime: 0, UserModeTime: 0, Started: 1 },
    });
    const firefox = 'C:\\Program Files\\Mozilla Firefox\\firefox.exe';
    const flags = '--marionette -no-remote -profile C:\\Users\\me\\AppData\\Local\\Temp\\rust_mozprofileX';
    const webkit = 'C:\\Users\\me\\AppData\\Local\\ms-playwright\\webkit-2203';
    const all = among(
      readWindows(
        JSON.stringify([
          row(5, 1, 'C:\\tools\\geckodriver.exe', '--port 4444'),
          row(6, 5, firefox, `${flags} -wait-for-browser`),
          row(7, 6, firefox, flags),
          row(8, 7, firefox, '-contentproc -isForBrowser 1 tab'),
          row(9, 77, `${webkit}\\Playwright.exe`, '--inspector-pipe --headless --no-startup-window'),
          row(10, 9, `${webkit}\\WebKitWebProcess.exe`, '12 34'),
        ]),
      ),
      true,
    );
    assert.deepEqual(all.map(seen), [
      ['Firefox', 'geckodriver', false, false],
      ['WebKit', 'Playwright', true, true],
    ]);
    assert.deepEqual(
      all.map(({ process, launchers, children, owners }) => [
        ...[process.pid, launchers.map(({ pid }) => pid), children.map(({ pid }) => pid), owners],
      ]),
      [
        [7, [6], [8], ['geckodriver']],
        [9, [], [10], []],
      ],
    );
  });
});
