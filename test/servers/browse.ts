import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureChromium, quietFlags } from '../host/chromium.ts';
import type { ToolHome } from '../host/localTools.ts';
import { type Owned, start } from '../host/processes.ts';

// Stands in for the background process of `browse` 0.9.3 (npm), which is 177 MB with its dependencies. It has the same files and
// socket, and a browser of its own in the mode `managed-local`. As seen there, each connection takes one request, `id` is a
// string that isn't empty, and `stop` is acknowledged before anything ends. Requests that a list must never send are refused, and
// recorded for the test.

/** What a session of `browse` controls. */
export type BrowseTarget =
  | { readonly kind: 'managed-local'; readonly headless: boolean }
  | { readonly kind: 'cdp'; readonly endpoint: string }
  | { readonly kind: 'remote' };

/** How it misbehaves. */
export type BrowseFault =
  /** It takes requests and never answers. */
  | 'silent'
  /** Its answer never ends. */
  | 'endless'
  /** It closes connections without an answer. */
  | 'drops'
  /** It says that it stops but doesn't, and ignores SIGTERM. */
  | 'stays';

/** A running session. */
export interface BrowseSession {
  readonly process: Owned;
  readonly pid: number;
  /** The types of the requests it received. */
  requests(): readonly string[];
}

/** Starts a session in a tool home. @param cloudId its `browserbaseSessionId`, in the mode `remote`. */
export async function startBrowse(
  home: ToolHome,
  session: string,
  target: BrowseTarget,
  { fault, cloudId, url = 'about:blank' }: { fault?: BrowseFault; cloudId?: string; url?: string } = {},
): Promise<BrowseSession> {
  const log = join(home.folder, `${session}.requests`);
  writeFileSync(log, '');
  const env = {
    ...home.env,
    CHROME_PATH: await ensureChromium(),
    BROWSE_TEST: JSON.stringify({ log, fault, cloudId, url }),
  };
  const args = [import.meta.filename, 'daemon', '--session', session, '--target', JSON.stringify(target)];
  const owned = start(process.execPath, args, { env, cwd: home.workspace });
  const socket = socketOf(home.env, session);
  for (const deadline = Date.now() + 30_000; !existsSync(socket); await sleep(20)) {
    if (Date.now() > deadline || owned.child.exitCode !== null) throw new Error(owned.output());
  }
  return {
    process: owned,
    pid: owned.child.pid ?? 0,
    requests: () => readFileSync(log, 'utf8').split('\n').filter(Boolean),
  };
}

function folderOf(env: NodeJS.ProcessEnv): string {
  return env['BROWSE_DAEMON_DIR'] ?? join(env['TMPDIR'] ?? '/tmp', `browse-driver-${process.getuid?.()}`);
}

function socketOf(env: NodeJS.ProcessEnv, session: string): string {
  return join(folderOf(env), `${session}.sock`);
}

interface Options {
  readonly log: string;
  readonly fault?: BrowseFault;
  readonly cloudId?: string;
  readonly url: string;
}

async function runDaemon(session: string, target: BrowseTarget, { log, fault, cloudId, url }: Options): Promise<void> {
  mkdirSync(folderOf(process.env), { recursive: true, mode: 0o700 });
  const pidFile = join(folderOf(process.env), `${session}.pid`);
  writeFileSync(pidFile, `${process.pid}`, { mode: 0o600 });
  const browser = target.kind === 'managed-local' ? startBrowser(url) : undefined;
  const server = createServer((socket) => serve(socket));
  let isEnding = false;
  const end = async () => {
    if (isEnding) return;
    isEnding = true;
    server.close();
    if (browser !== undefined && browser.exitCode === null) {
      browser.kill('SIGTERM');
      await once(browser, 'exit');
    }
    for (const file of [pidFile, socketOf(process.env, session)]) rmSync(file, { force: true });
    process.exit(0);
  };
  process.on('SIGTERM', () => {
    if (fault !== 'stays') void end();
  });

  function serve(socket: Socket): void {
    socket.on('error', () => {});
    if (fault === 'drops') {
      socket.destroy();
      return;
    }
    const lines = createInterface({ input: socket }).on('error', () => {});
    lines.once('line', (line) => {
      const { id, type } = JSON.parse(line);
      appendFileSync(log, `${type}\n`);
      if (fault === 'silent') return;
      if (fault === 'endless') {
        const flood = () => {
          while (!socket.destroyed && socket.write('x'.repeat(2 ** 16)));
        };
        socket.on('drain', flood);
        flood();
        return;
      }
      const isKnown = typeof id === 'string' && id !== '' && (type === 'status' || type === 'stop');
      const identity = target.kind === 'remote' && cloudId !== undefined ? { browserbaseSessionId: cloudId } : {};
      const data =
        type === 'stop'
          ? { stopped: true }
          : { ...identity, browserConnected: true, mode: target.kind, pages: [], pid: process.pid, session, target };
      const answer = isKnown ? { type: 'success', id, data } : { type: 'error', error: 'Invalid discriminator value' };
      socket.end(`${JSON.stringify(answer)}\n`, () => {
        if (type === 'stop' && fault !== 'stays') void end();
      });
    });
  }
  server.listen(socketOf(process.env, session));
}

function startBrowser(url: string): ChildProcess {
  const folder = join(process.env['TMPDIR'] ?? '/tmp', 'stagehand-v3');
  mkdirSync(folder, { recursive: true });
  const profile = mkdtempSync(join(folder, 'profile-'));
  const flags = [...quietFlags, '--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
  return spawn(process.env['CHROME_PATH'] ?? 'chromium', [...flags, url], { stdio: 'ignore', detached: true });
}

if (import.meta.main) {
  // Otherwise, the handler that ends test processes would end this one whatever its fault.
  process.removeAllListeners('SIGTERM');
  const [, , , , session = '', , target = ''] = process.argv;
  await runDaemon(session, JSON.parse(target), JSON.parse(process.env['BROWSE_TEST'] ?? '{}'));
}
