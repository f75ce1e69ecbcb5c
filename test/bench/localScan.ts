import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { browsersAmong, findBrowsers, listBrowserProcesses } from '../../src/local/browsers.ts';
import { linuxProcesses } from '../../src/local/linuxProcesses.ts';
import { BoundBrowsers } from '../../src/local/playwrightFiles.ts';
import { readListeningSockets } from '../../src/local/socketOwners.ts';
import { openLocalTools } from '../../src/providers/local/localTools.ts';
import { watchTurns } from '../host/ownTime.ts';
import { run, temporaryFolder } from '../host/processes.ts';
import { median, table } from './figures.ts';

const runs = 21;

/** Measures a scan for browsers on a machine with 500 processes and 100 files of Playwright, with `ps` beside it. */
export async function localScan(): Promise<void> {
  const proc = processes(500);
  const registry = descriptors(100);
  const reader = linuxProcesses(proc);
  const files = new BoundBrowsers({ PWTEST_SERVER_REGISTRY: registry });
  const stop = new AbortController().signal;
  const [scans, blocks, rivals]: [number[], number[], number[]] = [[], [], []];
  for (let at = 0; at < runs; at++) {
    const turns = watchTurns();
    const began = performance.now();
    const [found, bound] = await Promise.all([findBrowsers(reader, stop), files.read()]);
    scans.push(performance.now() - began);
    blocks.push(turns.stop());
    if (found.length !== 20 || bound.length !== 100) throw new Error(`${found.length} browsers, ${bound.length} files`);
    const rivalBegan = performance.now();
    await run('ps', ['-eo', 'pid,ppid,lstart,args']);
    rivals.push(performance.now() - rivalBegan);
  }
  const [scan, block, rival] = [median(scans), median(blocks), median(rivals)];
  table(
    ['', 'median', 'limit', 'ratio'],
    [
      ['scan', `${scan.toFixed(1)} ms`, '60 ms', (scan / 60).toFixed(2)],
      ['longest block', `${block.toFixed(1)} ms`, '10 ms', (block / 10).toFixed(2)],
      [
        'longest block of all runs',
        `${Math.max(...blocks).toFixed(1)} ms`,
        '10 ms',
        (Math.max(...blocks) / 10).toFixed(2),
      ],
      ['`ps` of this machine', `${rival.toFixed(1)} ms`, '', (scan / rival).toFixed(2)],
    ],
  );
  await staleScan();
}

/** Measures scans when tools have left the files of 2,000 sessions that aren't running anymore. */
async function staleScan(): Promise<void> {
  const env = writeLeftovers(2_000);
  const tools = openLocalTools(env);
  const files = new BoundBrowsers(env);
  const reader = linuxProcesses(processes(500));
  const { signal } = new AbortController();
  const [scans, blocks]: [number[], number[]] = [[], []];
  for (let at = 0; at < runs; at++) {
    const turns = watchTurns();
    const began = performance.now();
    const list = await listBrowserProcesses(reader, signal);
    const on = { processes: list, browsers: browsersAmong(list), sockets: await readListeningSockets() };
    const [sessions] = await Promise.all([tools.sessions({ ...on, clock: systemClock, signal }), files.read()]);
    scans.push(performance.now() - began);
    blocks.push(turns.stop());
    if (sessions.length !== 0) throw new Error(`${sessions.length} sessions`);
  }
  const [first = 0, ...later] = scans;
  const [scan, block] = [median(later), median(blocks)];
  table(
    ['2,000 stale sessions', '', 'limit', 'ratio'],
    [
      ['first scan', `${first.toFixed(1)} ms`, '', ''],
      ['later scans, median', `${scan.toFixed(1)} ms`, '60 ms', (scan / 60).toFixed(2)],
      ['longest block, median', `${block.toFixed(1)} ms`, '10 ms', (block / 10).toFixed(2)],
    ],
  );
}

/** Writes files of sessions that have crashed, a third of each of three kinds. @returns the environment that points to them. */
function writeLeftovers(count: number): NodeJS.ProcessEnv {
  const home = temporaryFolder('stale');
  const [cache, runtime] = [join(home, 'cache'), join(home, 'run')];
  const folders = {
    bound: join(cache, 'ms-playwright', 'b'),
    cli: join(cache, 'ms-playwright', 'daemon', '0123456789abcdef'),
    agentBrowser: join(runtime, 'agent-browser'),
  };
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  const browser = { browserName: 'chromium', launchOptions: { env: { PADDING: 'x'.repeat(600) } } };
  for (let at = 0; at < count; at++) {
    const socket = `/run/none/${at}.sock`;
    const [name, workspaceDir] = [`session-${at}`, '/work'];
    if (at % 3 === 0)
      writeFileSync(
        join(folders.bound, name),
        JSON.stringify({ title: name, browser, endpoint: socket, workspaceDir }),
      );
    if (at % 3 === 1)
      writeFileSync(
        join(folders.cli, `${name}.session`),
        JSON.stringify({ name, socketPath: socket, workspaceDir, browser }),
      );
    if (at % 3 === 2) writeFileSync(join(folders.agentBrowser, `${name}.pid`), `${4_000_000 + at}`);
  }
  return { HOME: home, XDG_CACHE_HOME: cache, XDG_RUNTIME_DIR: runtime, TMPDIR: join(home, 'tmp') };
}

/** A folder like /proc. Every fifth process is one of a browser: 20 browsers with four child processes each. */
function processes(count: number): string {
  const proc = temporaryFolder('proc');
  writeFileSync(join(proc, 'stat'), 'btime 1700000000\n');
  for (let pid = 2; pid < count + 2; pid++) {
    const folder = join(proc, String(pid));
    mkdirSync(folder);
    const isBrowser = pid % 5 === 0;
    const isRoot = pid % 25 === 0;
    symlinkSync(isBrowser ? '/usr/lib/chromium/chromium' : '/usr/bin/node', join(folder, 'exe'));
    const parent = isBrowser && !isRoot ? pid - (pid % 25) : 1;
    writeFileSync(
      join(folder, 'stat'),
      `${pid} (some (name) S ${parent} 1 1 0 -1 0 0 0 0 0 10 20 0 0 20 0 1 0 ${1_000 + pid} 1 1\n`,
    );
    writeFileSync(join(folder, 'statm'), '50000 20000 8000 100 0 9000 0\n');
    const args = [
      'chromium',
      '--headless',
      '--remote-debugging-pipe',
      `--user-data-dir=/tmp/playwright_chromiumdev_profile-${pid}`,
    ];
    writeFileSync(join(folder, 'cmdline'), isRoot ? `${args.join('\0')}\0` : 'chromium --type=renderer --lang=en\0');
  }
  return proc;
}

function descriptors(count: number): string {
  const registry = temporaryFolder('registry');
  for (let at = 0; at < count; at++) {
    const browser = { browserName: 'chromium', launchOptions: { env: { PADDING: 'x'.repeat(2_000) } } };
    writeFileSync(
      join(registry, `browser@${at}`),
      JSON.stringify({ title: `session ${at}`, browser, endpoint: `/run/none/${at}.sock`, workspaceDir: '/work' }),
    );
  }
  return registry;
}
