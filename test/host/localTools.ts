import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { chmod, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cached } from './cache.ts';
import { ensureChromium } from './chromium.ts';
import { playwright } from './playwright.ts';
import { run, start, temporaryFolder } from './processes.ts';

// The tools that keep browsers open on this machine, each from its own npm package. Those that this project doesn't depend on
// are kept in the cache. Each test has folders of its own for what they write.

const agentBrowserVersion = '0.41.2';
const chromeDevtoolsVersion = '1.11.0';

/**
 * The program of agent-browser. Its npm package contains one for each of seven systems. Only the one for this system is kept.
 * @throws Error if it can't be downloaded.
 */
export async function ensureAgentBrowser(): Promise<string> {
  const file = `agent-browser-${process.platform}-${process.arch}`;
  const home = await cached(
    `agent-browser-${agentBrowserVersion}-${process.arch}`,
    `agent-browser ${agentBrowserVersion}`,
    '100 MB',
    async (folder) => {
      await run('npm', ['pack', '--silent', `agent-browser@${agentBrowserVersion}`], { cwd: folder });
      const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
      await run('tar', ['xzf', archive, `package/bin/${file}`], { cwd: folder });
      await rename(join(folder, 'package', 'bin', file), join(folder, file));
      await chmod(join(folder, file), 0o755);
      await rm(join(folder, archive));
      await rm(join(folder, 'package'), { recursive: true });
    },
  );
  return join(home, file);
}

/** The folder of the package `chrome-devtools-mcp`. @throws Error if it can't be downloaded. */
export async function ensureChromeDevtools(): Promise<string> {
  const home = await cached(
    `chrome-devtools-mcp-${chromeDevtoolsVersion}`,
    `chrome-devtools-mcp ${chromeDevtoolsVersion}`,
    '20 MB',
    async (folder) => {
      const flags = ['--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
      await run('npm', ['install', ...flags, `chrome-devtools-mcp@${chromeDevtoolsVersion}`], { cwd: folder });
    },
  );
  return join(home, 'node_modules', 'chrome-devtools-mcp');
}

/** Folders for tools to write to, and the environment that points them there. */
export interface ToolHome {
  readonly folder: string;
  readonly workspace: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs a tool's command until it exits, and returns what it wrote. @throws Error when it fails. */
  run(command: string, ...args: readonly string[]): Promise<string>;
  /** Opens a session of playwright-cli. @param workspace the folder it's for. */
  openPlaywright(name: string, url: string, workspace?: string): Promise<void>;
  /** Attaches a session of playwright-cli to the browser at a port. */
  attachPlaywright(name: string, port: number): Promise<void>;
  /** Opens a session of agent-browser. */
  openAgentBrowser(name: string, url: string, ...args: readonly string[]): Promise<void>;
  /** Starts the background process of chrome-devtools; it has no browser until the first page is opened. */
  startChromeDevtools(...args: readonly string[]): Promise<void>;
  chromeDevtools(...args: readonly string[]): Promise<string>;
  /** The processes that were started with this home's environment, including those that tools have left behind. */
  processes(): readonly RunningProcess[];
  /** The browsers among them, without their child processes. */
  browsers(): readonly RunningProcess[];
  /** Kills all of them. */
  clear(): void;
}

/** A process as the operating system lists it. */
export interface RunningProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly program: string;
  readonly args: readonly string[];
}

/** Creates a home for tools. */
export async function openToolHome(): Promise<ToolHome> {
  // The path of a socket can have at most 107 characters.
  const folder = temporaryFolder('t');
  for (const name of ['home', 'run', 'tmp', 'cache', 'w']) mkdirSync(join(folder, name), { mode: 0o700 });
  const workspace = join(folder, 'w');
  const executablePath = await ensureChromium();
  const launchOptions = { executablePath, chromiumSandbox: false, headless: true };
  const config = JSON.stringify({ browser: { browserName: 'chromium', launchOptions } });
  const configure = (forFolder: string) => {
    mkdirSync(join(forFolder, '.playwright'), { recursive: true });
    writeFileSync(join(forFolder, '.playwright', 'cli.config.json'), config);
  };
  configure(workspace);
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    HOME: join(folder, 'home'),
    XDG_RUNTIME_DIR: join(folder, 'run'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    TMPDIR: join(folder, 'tmp'),
    CHROME_DEVTOOLS_MCP_NO_USAGE_STATISTICS: '1',
    CI: '1',
  };
  for (const name of [
    'PWTEST_SERVER_REGISTRY',
    'PWTEST_DAEMON_SESSION_DIR',
    'AGENT_BROWSER_SOCKET_DIR',
    'BROWSE_DAEMON_DIR',
  ])
    delete env[name];
  const runIn = async (cwd: string, command: string, args: readonly string[]) =>
    (await promisify(execFile)(command, args, { env, cwd, timeout: 90_000 })).stdout;
  const runTool = (command: string, ...args: readonly string[]) => runIn(workspace, command, args);
  const chromeDevtools = async (...args: readonly string[]) =>
    runTool(process.execPath, join(await ensureChromeDevtools(), 'build', 'src', 'bin', 'chrome-devtools.js'), ...args);
  const processes = () => processesIn(folder);
  const browsers = () => processes().filter(isBrowser);
  return {
    folder,
    workspace,
    env,
    run: runTool,
    async openPlaywright(name, url, itsWorkspace = workspace) {
      configure(itsWorkspace);
      await runIn(itsWorkspace, process.execPath, [playwright, 'cli', `-s=${name}`, 'open', url]);
    },
    async attachPlaywright(name, port) {
      await runTool(process.execPath, playwright, 'cli', `-s=${name}`, 'attach', `--cdp=http://127.0.0.1:${port}`);
    },
    async openAgentBrowser(name, url, ...args) {
      const program = await ensureAgentBrowser();
      await runTool(program, '--session', name, '--executable-path', executablePath, ...args, 'open', url, '--json');
    },
    async startChromeDevtools(...args) {
      await chromeDevtools('start', ...args, '--executablePath', executablePath, '--chromeArg=--no-sandbox');
    },
    chromeDevtools,
    processes,
    browsers,
    clear() {
      for (const { pid } of processes()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended.
        }
      }
    },
  };
}

function isBrowser({ program, args }: RunningProcess): boolean {
  return /\/(chromium|chrome|headless_shell)$/.test(program) && !/(^|\s)--type=/.test(args.join(' '));
}

/**
 * The processes whose home folder is in a folder, and all that they started, because Chrome's child processes overwrite their
 * environment. Zombies are left out.
 */
function processesIn(folder: string): readonly RunningProcess[] {
  const inFolder = new Set<number>();
  const all = readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const [state = '', parent = ''] = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      if (/[ZX]/.test(state)) return [];
      if (readFileSync(`/proc/${name}/environ`, 'utf8').includes(`HOME=${folder}/`)) inFolder.add(Number(name));
      const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').slice(0, -1);
      return [{ pid: Number(name), parentPid: Number(parent), program: readlinkSync(`/proc/${name}/exe`), args }];
    } catch {
      return [];
    }
  });
  for (const pid of inFolder) for (const one of all) if (one.parentPid === pid) inFolder.add(one.pid);
  return all.filter(({ pid }) => inFolder.has(pid));
}

/** Starts a browser with a DevTools port, as something other than a tool would. It never outlives this process. */
export async function startForeignBrowser(
  home: ToolHome,
  url: string,
): Promise<{ readonly pid: number; readonly port: number; stop(): Promise<void> }> {
  const profile = join(home.folder, 'foreign');
  const flags = [
    '--headless',
    '--no-sandbox',
    '--no-first-run',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
  ];
  const owned = start(await ensureChromium(), [...flags, url], { env: home.env });
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    const port = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(owned.output())?.[1];
    if (port !== undefined) return { pid: owned.child.pid ?? 0, port: Number(port), stop: () => owned.stop() };
    if (owned.child.stderr !== null) await once(owned.child.stderr, 'data');
  }
  throw new Error(`No browser was started: ${owned.output()}`);
}
