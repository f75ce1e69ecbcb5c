import { isAbsolute, join } from 'node:path';
import * as v from 'valibot';
import { homeIn } from './environment.ts';
import { OwnFolders } from './ownFolders.ts';

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

const mostBytes = 64 * 1_024;

/** Playwright's cache folder. */
export function playwrightCache(env: NodeJS.ProcessEnv): string {
  const home = homeIn(env);
  const own = env['XDG_CACHE_HOME'];
  if (process.platform === 'darwin') return join(home, 'Library', 'Caches', 'ms-playwright');
  if (process.platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'ms-playwright');
  return join(own === undefined || own === '' ? join(home, '.cache') : own, 'ms-playwright');
}

/** Reads which browsers Playwright has bound, including ones that have ended since. */
export class BoundBrowsers {
  readonly #folder: string;
  readonly #files = new OwnFolders<BoundBrowser>(() => true, mostBytes, boundIn);

  constructor(env: NodeJS.ProcessEnv) {
    this.#folder = env['PWTEST_SERVER_REGISTRY'] ?? join(playwrightCache(env), 'b');
  }

  /** Never rejects. */
  async read(): Promise<readonly BoundBrowser[]> {
    return ((await this.#files.read([this.#folder])).get(this.#folder) ?? []).map(({ content }) => content);
  }
}

function boundIn(text: string): BoundBrowser | undefined {
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), Descriptor), text);
  if (!read.success || !isAbsolute(read.output.endpoint)) return undefined;
  if (read.output.browser.browserName !== 'chromium') return undefined;
  return { title: read.output.title, socket: read.output.endpoint, workspace: read.output.workspaceDir };
}
