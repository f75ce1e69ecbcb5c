import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Devtools } from '../servers/devtools.ts';
import { cached } from './cache.ts';
import { ensureChromium } from './chromium.ts';
import { freePort, type Owned, run, start, temporaryFolder, until } from './processes.ts';

// The real Browserless v2, from its own npm package. It is under the SSPL: it runs next to the tests, from the cache,
// and isn't a dependency of anything that is built or shipped here.

const version = '2.42.0';
/** Part of the folder's name: increment it when what is installed there changes for the same version. */
const layout = 1;
const startTimeoutMs = 60_000;
const packageFolder = join('node_modules', '@browserless.io', 'browserless');
/** Where Browserless's playwright-core (1.58) looks for its Chromium below PLAYWRIGHT_BROWSERS_PATH. */
const chromiumPlace = join('chromium-1208', 'chrome-linux64', 'chrome');
/** Browsers that aren't installed; Browserless doesn't start while it has routes for them. */
const otherBrowsers = ['chrome', 'edge', 'firefox', 'webkit'];

/** The reason the real Browserless can't run on this machine, or undefined. */
export function browserlessMissing(): string | undefined {
  return process.platform === 'linux' ? undefined : 'Browserless finds its Chromium this way on Linux only';
}

/** Returns the folder of the Browserless package, installing it into the cache if needed. */
export async function ensureBrowserless(): Promise<string> {
  const home = await cached(`browserless-${version}-${layout}`, `Browserless ${version}`, '1 GB', async (folder) => {
    const flags = ['--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...flags, `@browserless.io/browserless@${version}`], { cwd: folder });
    for (const browser of otherBrowsers) {
      await rm(join(folder, packageFolder, 'build', 'routes', browser), { recursive: true });
    }
    // It reads files of its dependencies from where they are when it is the root package itself.
    await symlink(join('..', '..'), join(folder, packageFolder, 'node_modules'));
  });
  return join(home, packageFolder);
}

/** A running Browserless. */
export interface RunningBrowserless {
  readonly url: string;
  readonly token: string;
  readonly process: Owned;
  /**
   * Starts a session, as a script elsewhere would, and stays connected to it.
   * @param options `profile` is the name of a folder for its data, which is kept when it ends.
   * @returns its browser's id.
   */
  open(options?: { readonly trackingId?: string; readonly page?: string; readonly profile?: string }): Promise<string>;
  /** Asks it which browsers are running. */
  running(): Promise<string[]>;
  /** The ids of its browsers' processes, as the system lists them. */
  browserProcesses(): Promise<number[]>;
  /** Ends all of its browsers. */
  clear(): Promise<void>;
  /** Stops it, and everything it left running. */
  stop(): Promise<void>;
}

/** Starts several, as the workers of one cluster: each knows only its own browsers. They share a token. */
export async function startBrowserlessWorkers(count: number): Promise<RunningBrowserless[]> {
  await ensureBrowserless();
  return Promise.all(Array.from({ length: count }, () => startBrowserless()));
}

/** Starts Browserless on a free port and waits until it responds. */
export async function startBrowserless(): Promise<RunningBrowserless> {
  const folder = await ensureBrowserless();
  const browsers = temporaryFolder('browserless');
  const link = join(browsers, chromiumPlace);
  await mkdir(dirname(link), { recursive: true });
  await symlink(await ensureChromium(), link);
  const port = await freePort();
  const token = 'browserless-canary-0123';
  const dataDir = temporaryFolder('browserless-data');
  const env = {
    ...process.env,
    PLAYWRIGHT_BROWSERS_PATH: browsers,
    HOST: '127.0.0.1',
    PORT: String(port),
    TOKEN: token,
    CONCURRENT: '20',
    TIMEOUT: '600000',
    DATA_DIR: dataDir,
  };
  const owned = start(process.execPath, [join(folder, 'build', 'index.js')], { cwd: folder, env });
  const url = `http://127.0.0.1:${port}`;
  const ask = (path: string) => fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
  await until(owned, 'Browserless', startTimeoutMs, async () => ((await ask('/meta')).ok ? true : undefined));

  const clients: Devtools[] = [];
  const rows = async () => (await (await ask('/sessions')).json()) as { browserId: string; trackingId?: string }[];
  const browserProcesses = () => processesWith(dataDir);
  return {
    url,
    token,
    process: owned,
    async open({ trackingId = `t${randomUUID().slice(0, 8)}`, page, profile } = {}) {
      const query = new URLSearchParams({ token, trackingId });
      if (profile !== undefined) query.set('--user-data-dir', join(dataDir, profile));
      const client = await Devtools.connect(`ws://127.0.0.1:${port}/chromium?${query}`);
      clients.push(client);
      if (page !== undefined) await client.send('Target.createTarget', { url: page });
      const id = (await rows()).find((row) => row.trackingId === trackingId)?.browserId;
      if (id === undefined) throw new Error(`Browserless does not list ${trackingId}`);
      return id;
    },
    running: async () => [...new Set((await rows()).map(({ browserId }) => browserId))],
    browserProcesses,
    async clear() {
      for (const client of clients.splice(0)) client.close();
      await ask('/kill/all');
    },
    async stop() {
      for (const client of clients) client.close();
      await owned.stop();
      // Its browsers are in process groups of their own, and outlive it when it is killed.
      for (const pid of await browserProcesses()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended since it was listed.
        }
      }
    },
  };
}

/** Our processes whose command line contains a text that is unique to them. */
async function processesWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const line = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(text)) found.push(Number(entry));
  }
  return found;
}
