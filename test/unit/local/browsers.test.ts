import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.ts';
import { type AutomatedBrowser, findBrowsers } from '../../../src/local/browsers.ts';
import { portOfProfile } from '../../../src/local/devtoolsPort.ts';
import { endProcess } from '../../../src/local/endProcess.ts';
import { openProcessReader } from '../../../src/local/openProcessReader.ts';
import type { LocalProcess, ProcessList, ProcessReader } from '../../../src/local/processes.ts';
import { ensureChromium, quietFlags } from '../../host/chromium.ts';
import { type LeftBehind, leaveBehind } from '../../host/leftBehind.ts';
import { isRunning, start, temporaryFolder } from '../../host/processes.ts';
import { unaborted } from '../testNetwork.ts';
import { until } from '../until.ts';

/** The processes whose arguments name a folder. */
function processesOf(folder: string): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return (
        /^\d+$/.test(name) && isRunning(Number(name)) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(folder)
      );
    } catch {
      return false;
    }
  });
}

(process.platform === 'linux' ? describe : describe.skip)('the browsers of this machine (Linux only)', function () {
  this.timeout(60_000);
  let reader: ProcessReader;
  const browsers: LeftBehind[] = [];
  before(async () => {
    reader = await openProcessReader();
  });
  afterEach(() => {
    for (const one of browsers.splice(0)) one.stop();
  });

  async function left(options?: Parameters<typeof leaveBehind>[0]): Promise<LeftBehind> {
    const one = await leaveBehind(options);
    browsers.push(one);
    return one;
  }
  async function found(pid: number): Promise<AutomatedBrowser | undefined> {
    return (await findBrowsers(reader, unaborted)).find(({ process }) => process.pid === pid);
  }

  /** The browsers among some processes. Unless told otherwise, nothing else is known of them. */
  async function amongThose(list: Partial<ProcessList>): Promise<readonly AutomatedBrowser[]> {
    const silent: ProcessList = {
      found: [],
      ancestorsOf: () => [],
      keepsDeadParents: false,
      processWith: () => undefined,
      folderOf: () => undefined,
      isService: () => false,
    };
    return findBrowsers({ ...reader, list: async () => ({ ...silent, ...list }) }, unaborted);
  }

  const browser: LocalProcess = {
    pid: 9,
    parentPid: 8,
    identity: '1',
    startedAt: 0,
    program: '/usr/bin/chromium',
    args: ['chromium', '--headless', '--remote-debugging-pipe', '--user-data-dir=/tmp/puppeteer_dev_chrome_profile-x'],
    memory: undefined,
    cpuMs: undefined,
  };

  it('are found in linear time, however many processes one parent has', async () => {
    const chrome = (pid: number, parentPid: number, ...args: readonly string[]): LocalProcess => {
      return {
        pid,
        parentPid,
        identity: `${pid}`,
        startedAt: 0,
        program: '/usr/bin/chrome',
        args,
        memory: 0,
        cpuMs: 0,
      };
    };
    const browser = chrome(
      2,
      1,
      'chrome',
      '--remote-debugging-port=0',
      '--enable-automation',
      '--user-data-dir=/tmp/x',
    );
    const renderers = Array.from({ length: 20_000 }, (_, index) => chrome(index + 10, 2, 'chrome', '--type=renderer'));
    const before = process.threadCpuUsage();
    assert.equal((await amongThose({ found: [browser, ...renderers] })).length, 1);
    const { user, system } = process.threadCpuUsage(before);
    assert.ok(user + system < 200_000, `${user + system} µs`);
  });

  it('are found in linear time if thousands of them were started with their parent’s arguments', async () => {
    const parent = { ...browser, pid: 2, parentPid: 1 };
    const all = Array.from({ length: 4_000 }, (_, index) => {
      const root = { ...browser, pid: 10 + index, parentPid: 2 };
      return [root, { ...browser, pid: 10_000 + index, parentPid: root.pid, args: ['chromium', '--type=renderer'] }];
    });
    const before = process.threadCpuUsage();
    assert.equal((await amongThose({ found: [parent, ...all.flat()] })).length, 4_000);
    const { user, system } = process.threadCpuUsage(before);
    assert.ok(user + system < 500_000, `${user + system} µs`);
  });

  it('include one whose starter has ended, with its tool and port and without its child processes', async () => {
    const { pid, profile } = await left();
    await until(async () => (await portOfProfile(profile)) !== undefined);
    const one = await found(pid);
    assert.ok(one);
    assert.deepEqual(
      [one.tool, one.isLeftBehind, one.isHeadless, one.keepsProfile, one.port, one.owners],
      ['agent-browser', true, true, false, 0, []],
    );
    assert.ok(Math.abs(one.process.startedAt - Date.now()) < 30_000);
    assert.ok((one.memory ?? 0) > 20e6 && (one.memory ?? 0) < 2e9, String(one.memory));
    const own = (await findBrowsers(reader, unaborted)).filter(({ profile: its }) => its === profile);
    assert.deepEqual(
      own.map(({ process }) => process.pid),
      [pid],
    );
  });

  it('include one whose starter is still running, with the name of that program', async () => {
    const profile = join(temporaryFolder('left'), 'puppeteer_dev_chrome_profile-abc123');
    const flags = [...quietFlags, '--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
    const chromium = start(await ensureChromium(), flags);
    await until(async () => (await portOfProfile(profile)) !== undefined);
    const one = (await findBrowsers(reader, unaborted)).find(({ profile: its }) => its === profile);
    assert.ok(one);
    assert.deepEqual([one.tool, one.isLeftBehind], ['Puppeteer', false]);
    assert.ok(one.owners.length > 0 && !one.owners.some((name) => /[ =/]|--/.test(name)), one.owners.join());
    await chromium.stop();
  });

  it('are listed once while they fork a process, which has their arguments for a moment', async () => {
    const fork = { ...browser, pid: 10, parentPid: 9 };
    const other = {
      ...browser,
      pid: 11,
      parentPid: 9,
      args: [...browser.args.slice(0, -1), '--user-data-dir=/tmp/puppeteer_dev_chrome_profile-y'],
    };
    const roots = await amongThose({ found: [fork, browser, other] });
    assert.deepEqual(
      roots.map(({ process }) => process.pid),
      [9, 11],
    );
  });

  it('don’t include the child processes of another browser that they have started, such as the user’s own', async () => {
    const child = (pid: number, parentPid: number, type: string) => {
      return { ...browser, pid, parentPid, args: ['chromium', `--type=${type}`], memory: 10 };
    };
    const users = {
      ...browser,
      pid: 20,
      parentPid: 9,
      args: ['chromium', '--user-data-dir=/profiles/own'],
    };
    const all = await amongThose({
      found: [
        ...[{ ...browser, memory: 10 }, child(11, 9, 'zygote'), child(12, 11, 'renderer')],
        ...[users, child(21, 20, 'zygote'), child(22, 21, 'renderer')],
      ],
    });
    assert.deepEqual(
      all.map(({ process, children, memory }) => [process.pid, children.map(({ pid }) => pid), memory]),
      [[9, [11, 12], 30]],
    );
  });

  it('aren’t the launchers with a browser’s name that started them with their arguments, and wait', async () => {
    const [starter, outer, inner, real] = [7, 8, 9, 10].map((pid) => ({ ...browser, pid, parentPid: pid - 1 }));
    assert.ok(starter && outer && inner && real);
    const renderer = {
      ...browser,
      pid: 11,
      parentPid: 10,
      args: ['chromium', '--type=renderer', ...browser.args.slice(1)],
    };
    const found = [outer, inner, real, renderer];
    const node = { ...starter, program: '/usr/bin/node', args: ['node', 'scrape.mjs'] };
    const [one, ...others] = await amongThose({
      found,
      ancestorsOf: ({ pid }) => [...found.filter((one) => one.pid < pid).reverse(), node],
    });
    assert.deepEqual([one?.process.pid, others], [10, []]);
    assert.deepEqual(
      [one?.launchers.map(({ pid }) => pid), one?.owners, one?.ownerPids],
      [[9, 8], ['scrape.mjs'], [7]],
    );
  });

  it('aren’t left behind if a service manager runs them', async () => {
    const flags = [...quietFlags, '--headless', '--remote-debugging-port=0'];
    const profile = join(temporaryFolder('service'), 'agent-browser-chrome-s');
    // As systemd does, which sets the variable after it has forked. The shell ends, so that the browser gets another parent.
    const script =
      'sh -c \'echo $$; export SYSTEMD_EXEC_PID=$$; exec "$0" "$@" >/dev/null 2>&1\' "$0" "$@" </dev/null &';
    const shell = start('setsid', ['sh', '-c', script, await ensureChromium(), ...flags, `--user-data-dir=${profile}`]);
    await until(() => /^\d+\n/.test(shell.output()));
    const pid = Number(shell.output());
    await until(async () => (await found(pid)) !== undefined);
    const one = await found(pid);
    process.kill(pid, 'SIGKILL');
    assert.deepEqual([one?.isLeftBehind, one?.owners], [false, ['systemd']]);
  });

  it('name the programs that started them, without their arguments', async () => {
    const ownerOf = (...args: string[]) => ownerOfProgram('/usr/bin/node', ...args);
    const ownerOfProgram = async (program: string, ...args: string[]) => {
      const parent = { ...browser, pid: 8, parentPid: 1, program, args };
      const list = {
        found: [browser],
        ancestorsOf: () => [parent],
        processWith: () => parent,
        folderOf: () => '/',
      };
      const [one] = await amongThose(list);
      assert.equal(one?.startedIn, undefined);
      return one?.owners[0];
    };
    assert.equal(await ownerOf('node', '/app/node_modules/@acme/agent/cli.js', '--key=secret'), '@acme/agent');
    assert.equal(await ownerOf('node', '--watch', 'scrape.mjs', 'other-secret'), 'scrape.mjs');
    assert.equal(await ownerOf('node', '-r', './secret/hook.js', '--', 'scrape.mjs'), 'scrape.mjs');
    assert.equal(await ownerOf('node', '--title', 'a/secret', 'scrape.mjs'), 'scrape.mjs');
    assert.equal(await ownerOf('node', '-e', 'fetch("https://x.example/?key=secret")'), 'node');
    assert.equal(await ownerOf('npm exec tool --key secret'), 'npm');
    assert.equal(await ownerOf('npm exec tool', '--key=secret'), 'npm');
    assert.equal(await ownerOf('chrome-devtools-mcp'), 'chrome-devtools-mcp');
    assert.equal(await ownerOf('node', 'secret'), 'node');
    // What comes after something that isn't a script may be anything.
    assert.equal(await ownerOf('node', '.', '--base-url', 'https://qa:secret@staging.example/'), 'node');
    assert.equal(await ownerOf('node', 'agent', '--aws-secret', 'wJalr/K7MDENG/secret'), 'node');
    assert.equal(await ownerOf('node', 'https://qa:secret@staging.example/hook?key=secret'), 'node');
    assert.equal(await ownerOf('node', `/x/${'a'.repeat(101)}.js`), 'node');
    assert.equal(await ownerOf('https://qa:secret@staging.example'), 'node');
    assert.equal(await ownerOf('node', `/${'node_modules'.repeat(100_000)}`), 'node');
    assert.equal(await ownerOf(), 'node');
    for (const [program, args, name] of [
      ['python3.12', ['-m', 'pytest', '--base-url', 'https://qa:secret@staging.example/'], 'pytest'],
      ['python3', ['-um', 'browser_use.cli', 'a/secret'], 'browser_use.cli'],
      ['python3', ['-m', 'a secret'], 'python3'],
      ['python3', ['-W', 'ignore', '-X', 'dev/secret', '/home/me/agent.py', 'a/secret'], 'agent.py'],
      ['python3', ['-Ic', 'open("a/secret")', 'b/secret'], 'python3'],
      ['java', ['-cp', '/app/secret:/lib', '-jar', '/app/selenium-server.jar', 'standalone'], 'selenium-server.jar'],
      ['java', ['-cp', '/app/secret', 'com.example.Main', 'a/secret'], 'java'],
      ['bun', ['run', 'scripts/agent.ts', 'a/secret'], 'agent.ts'],
      ['deno', ['run', '-A', '/work/agent.ts'], 'agent.ts'],
      ['bun', ['x', 'tool', 'a/secret'], 'bun'],
      ['ruby', ['-r', 'a/secret', '/work/agent.rb'], 'agent.rb'],
      ['dotnet', ['/app/Agent.dll', 'a/secret'], 'Agent.dll'],
      ['dotnet', ['run', '--', 'a/secret'], 'dotnet'],
      ['bun', ['--watch', 'run', 'index.ts', 'a/secret'], 'index.ts'],
      ['python3', ['-Wignore', '-u', '/x/agent.py', 'a/secret'], 'agent.py'],
      ['python3', ['-cimport x', 'a/secret'], 'python3'],
      ['node', ['--eval=1', 'a/secret'], 'node'],
      ['node', ['--dns-result-order', 'ipv4first', 'server.js'], 'server.js'],
      ['python3', ['-', 'a/secret'], 'python3'],
      ['python3', ['-mpytest', 'a/secret'], 'pytest'],
      ['java', ['-classpath', '/app/secret.jar', 'com.example.Main'], 'java'],
    ] as const)
      assert.equal(await ownerOfProgram(`/usr/bin/${program}`, program, ...args), name, args.join(' '));
    const node = 'C:\\Program Files\\nodejs\\node.exe';
    assert.equal(await ownerOfProgram(node, node, 'C:\\work\\scrape.mjs', 'a/secret'), 'scrape.mjs');
  });

  it('are found quickly, no matter how long and odd their arguments are', async () => {
    for (const part of ['scoped_dir', 'playwright_', 'a_dev_profile', 'profile-', '/ud-', '/']) {
      const args = ['chromium', '--headless', '--remote-debugging-port=0'];
      const process: LocalProcess = {
        pid: 9,
        parentPid: 1,
        identity: '1',
        startedAt: 0,
        program: '/usr/bin/chromium',
        args: [...args, `--user-data-dir=/playwright_${part.repeat(131_000 / part.length)}/`],
        memory: undefined,
        cpuMs: undefined,
      };
      const began = performance.now();
      await amongThose({ found: [process] });
      assert.ok(performance.now() - began < 1_000, part);
    }
  });

  it('leave out the user’s own: those without a profile folder, and those debugged by hand', async () => {
    const { pid } = await left({ profile: 'my own profile', flags: ['--headless=old', '--remote-debugging-port=0'] });
    await until(async () =>
      (await reader.list((name) => name.includes('chrom'), unaborted)).found.some((one) => one.pid === pid),
    );
    // Headless ones are always a program's.
    assert.notEqual(await found(pid), undefined);
    const list = await reader.list(() => true, unaborted);
    const own = {
      ...list,
      found: list.found.map((one) => ({ ...one, args: one.args.filter((arg) => !arg.startsWith('--headless')) })),
    };
    const browsersFound = await amongThose(own);
    assert.ok(!browsersFound.some(({ process }) => process.pid === pid));
  });

  it('leave out one that a user opened with a tool’s profile, for example to sign in there', async () => {
    const { pid } = await left({ profile: 'ms-playwright-mcp/chrome', flags: ['--headless'] });
    await until(async () =>
      (await reader.list((name) => name.includes('chrom') || name.includes('headless'), unaborted)).found.some(
        (one) => one.pid === pid,
      ),
    );
    assert.equal(await found(pid), undefined);
  });

  it('are reported as gone only after they and all of their child processes have ended', async () => {
    const { pid, profile } = await left();
    await until(async () => (await portOfProfile(profile)) !== undefined);
    const one = await found(pid);
    assert.ok(one);
    assert.equal(await endProcess(one.process, reader, systemClock, unaborted), 'ended');
    assert.ok(!isRunning(pid));
    assert.equal(await reader.identityOf(pid), undefined);
    await until(() => processesOf(profile).length === 0);
    assert.ok(existsSync(profile), 'a profile is never deleted');
    assert.equal(await endProcess(one.process, reader, systemClock, unaborted), 'gone');
  });

  it('are killed when they are frozen', async () => {
    const { pid, profile } = await left();
    await until(async () => (await portOfProfile(profile)) !== undefined);
    const one = await found(pid);
    assert.ok(one);
    process.kill(pid, 'SIGSTOP');
    assert.equal(await endProcess(one.process, reader, systemClock, unaborted), 'killed');
    assert.ok(!isRunning(pid));
  });

  it('are not ended when their pid now belongs to another process', async () => {
    const other = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(other, 'spawn');
    const pid = other.pid ?? 0;
    assert.equal(await endProcess({ pid, identity: '12345' }, reader, systemClock, unaborted), 'gone');
    assert.ok(isRunning(pid));
    other.kill();
  });
});
