import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import * as v from 'valibot';
import { Turns } from '../core/turns.ts';
import { readOwnFile } from './ownFile.ts';

// Playwright writes a file for each bound browser: `b/<guid>` in its cache folder. It contains everything that the browser was
// launched with, including keys and passwords, so only the fields below are read from it. It stays if the browser crashes.
// Playwright's own `list` command deletes such files, and they name Playwright's library: we run neither.

const Descriptor = v.object({
  title: v.fallback(v.string(), ''),
  browser: v.object({ browserName: v.fallback(v.string(), '') }),
  endpoint: v.string(),
  workspaceDir: v.fallback(v.optional(v.string()), undefined),
});

/** A browser that Playwright has bound to a local socket. */
export interface BoundBrowser {
  /** The name its owner gave it: a session's name, or the agent that uses the MCP server. Clean it before showing. */
  readonly title: string;
  /** The path of its socket. */
  readonly socket: string;
  /** The folder it was started for. */
  readonly workspace: string | undefined;
}

const mostFiles = 2_000;
const mostBytes = 64 * 1_024;

/** Playwright's cache folder. */
function cacheFolder(env: NodeJS.ProcessEnv): string {
  const own = env['XDG_CACHE_HOME'];
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'ms-playwright');
  if (process.platform === 'win32')
    return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'ms-playwright');
  return join(own === undefined || own === '' ? join(homedir(), '.cache') : own, 'ms-playwright');
}

/** Reads which browsers Playwright has bound, including ones that have ended since. Never rejects. */
export async function readBound(env: NodeJS.ProcessEnv = process.env): Promise<readonly BoundBrowser[]> {
  const folder = env['PWTEST_SERVER_REGISTRY'] ?? join(cacheFolder(env), 'b');
  const names = await readdir(folder).catch(() => []);
  const turns = new Turns();
  const found: BoundBrowser[] = [];
  for (const name of names.slice(0, mostFiles)) {
    if (turns.isOver) await turns.pass();
    const text = await readOwnFile(join(folder, name), mostBytes);
    const read = v.safeParse(v.pipe(v.string(), v.parseJson(), Descriptor), text);
    if (!read.success || !isAbsolute(read.output.endpoint)) continue;
    if (read.output.browser.browserName !== 'chromium') continue;
    found.push({ title: read.output.title, socket: read.output.endpoint, workspace: read.output.workspaceDir });
  }
  return found;
}
