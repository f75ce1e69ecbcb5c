import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cached } from './cache.ts';
import { openFrontDoor } from './frontDoor.ts';
import { freePort, type Owned, run, start, until } from './processes.ts';

// A complete VS Code from the npm registry, for machines where the usual download isn't available: the package
// code-server contains VS Code's own server and workbench, with the regular extension host for Node. A Chromium shows
// it.

/** code-server 4.139.1 is VS Code 1.139.1. */
const version = '4.139.1';
/** Part of the folder's name: increment it when what is installed there changes for the same version. */
const layout = 1;
const startTimeoutMs = 60_000;
/** Built-in extensions with code that tests use: it shows images. */
const usedBuiltIn: ReadonlySet<string> = new Set(['media-preview']);

/** Returns the folder of VS Code's server, installing it into the cache if needed. */
export async function ensureVscodeServer(): Promise<string> {
  const server = join('node_modules', 'code-server', 'lib', 'vscode');
  const name = `vscode-server-${version}-${layout}`;
  const home = await cached(name, `VS Code ${version.slice(2)}`, '1 GB', async (folder) => {
    // The native modules that its install scripts would compile aren't needed: it runs without them.
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...flags, `code-server@${version}`], { cwd: folder });
    await run('npm', ['install', '--omit=dev', ...flags], { cwd: join(folder, server) });
  });
  return join(home, server);
}

/**
 * The settings that tests run with unless they say otherwise. The browsers on this machine belong to the tests themselves,
 * and to anyone else who works on it: no test may touch them by accident.
 */
export const testSettings = { 'chat.disableAIFeatures': true, 'browserSessions.thisMachine.enabled': false };

/**
 * The file where VS Code keeps a user's settings.
 * @param dataDir the folder that the server is started with.
 */
export function userSettings(dataDir: string): string {
  return join(dataDir, 'server', 'data', 'User', 'settings.json');
}

/** A running VS Code server. */
export interface VscodeServer {
  /** Host and port, which is what VS Code calls the remote authority. */
  readonly authority: string;
  readonly url: string;
  stop(): Promise<void>;
}

/** Options for starting a server. */
export interface ServerOptions {
  /**
   * Where it keeps its settings and state. The same folder gets the same port, because browsers keep state by address.
   */
  readonly dataDir: string;
  /** Folders of extensions to provide as if they were installed. */
  readonly installed: readonly string[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly env: NodeJS.ProcessEnv;
  /**
   * Whether all of VS Code's built-in extensions run. Otherwise only those without code (themes and grammars) and those that
   * tests use: the others take a quarter of the processor time in which VS Code opens.
   */
  readonly allBuiltIn: boolean;
  /** Makes VS Code load an extension under development and its tests from its address, which it otherwise ignores. */
  readonly forTests: boolean;
}

/** Starts the server and waits until it responds. */
export async function startVscodeServer({
  dataDir,
  installed,
  settings,
  env,
  allBuiltIn,
  forTests,
}: ServerOptions): Promise<VscodeServer> {
  const folder = await ensureVscodeServer();
  const [port, innerPort] = [await portFor(dataDir), await freePort()];
  // The user's own settings, not the machine's: not every setting can be set there.
  const user = userSettings(dataDir);
  await mkdir(dirname(user), { recursive: true });
  const before = existsSync(user) ? JSON.parse(await readFile(user, 'utf8')) : {};
  await writeFile(user, JSON.stringify({ ...testSettings, ...before, ...settings }));
  for (const extension of installed) await install(extension, join(dataDir, 'server', 'extensions'));
  const args = [
    join('out', 'server-main.js'),
    ...['--host', '127.0.0.1', '--port', String(innerPort), '--without-connection-token'],
    ...['--accept-server-license-terms', '--disable-telemetry', '--disable-workspace-trust'],
    ...['--force-disable-user-env', '--server-data-dir', join(dataDir, 'server')],
    ...(allBuiltIn ? [] : ['--builtin-extensions-dir', await fewBuiltIn(folder, join(dataDir, 'built-in'))]),
    ...(forTests ? ['--enable-smoke-test-driver'] : []),
  ];
  // How the workbench can reach other ports of this machine; the front door serves them there.
  const ports = { VSCODE_PROXY_URI: `http://{{port}}.localhost:${port}/` };
  const server: Owned = start(process.execPath, args, { cwd: folder, env: { ...process.env, ...ports, ...env } });
  const authority = `127.0.0.1:${port}`;
  const url = `http://${authority}/`;
  await until(server, 'The VS Code server', startTimeoutMs, async () => {
    const answer = await fetch(`http://127.0.0.1:${innerPort}/version`);
    return answer.ok ? true : undefined;
  });
  const door = await openFrontDoor(port, innerPort, join(dataDir, 'key'));
  return {
    authority,
    url,
    async stop() {
      await door.stop();
      await server.stop();
    },
  };
}

/** Links the built-in extensions that tests need into a folder. @returns the folder. */
async function fewBuiltIn(server: string, folder: string): Promise<string> {
  const all = join(server, 'extensions');
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(all)) {
    const manifest = join(all, name, 'package.json');
    if (existsSync(join(folder, name)) || !existsSync(manifest)) continue;
    const { main, browser } = JSON.parse(await readFile(manifest, 'utf8'));
    const hasCode = main !== undefined || browser !== undefined;
    if (!hasCode || usedBuiltIn.has(name)) await symlink(join(all, name), join(folder, name), 'junction');
  }
  return folder;
}

/** Copies an extension to where installed ones are: its manifest, texts and build output. */
async function install(extension: string, folder: string): Promise<void> {
  const { publisher, name, version: its } = JSON.parse(await readFile(join(extension, 'package.json'), 'utf8'));
  const target = join(folder, `${publisher}.${name}-${its}`);
  await mkdir(target, { recursive: true });
  for (const part of ['package.json', 'package.nls.json', 'dist', 'media', 'l10n', 'extension.js']) {
    if (existsSync(join(extension, part))) await cp(join(extension, part), join(target, part), { recursive: true });
  }
}

async function portFor(dataDir: string): Promise<number> {
  const file = join(dataDir, 'port');
  await mkdir(dataDir, { recursive: true });
  if (existsSync(file)) return Number(await readFile(file, 'utf8'));
  const port = await freePort();
  await writeFile(file, String(port));
  return port;
}
