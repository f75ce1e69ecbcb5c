import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ensureChromium } from './chromium.ts';
import { type McpServer, startMcpServer } from './mcpServer.ts';
import { temporaryFolder } from './processes.ts';

/** Playwright's command line, which includes playwright-cli and the MCP server. */
export const playwright = join(createRequire(import.meta.url).resolve('playwright-core/package.json'), '..', 'cli.js');

/** Folders for Playwright to write to, and the environment that points it there. */
export interface PlaywrightHome {
  readonly folder: string;
  readonly workspace: string;
  /** Where it registers its browsers. */
  readonly registry: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Creates a home for Playwright. */
export function openPlaywrightHome(): PlaywrightHome {
  // The path of a socket can have at most 107 characters.
  const folder = temporaryFolder('pw');
  for (const name of ['home', 'run', 'tmp', 'w']) mkdirSync(join(folder, name), { mode: 0o700 });
  const registry = join(folder, 'b');
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    HOME: join(folder, 'home'),
    XDG_RUNTIME_DIR: join(folder, 'run'),
    TMPDIR: join(folder, 'tmp'),
    PWTEST_SERVER_REGISTRY: registry,
    PWTEST_SOCKETS_DIR: join(folder, 's'),
  };
  delete env['XDG_CACHE_HOME'];
  return { folder, workspace: join(folder, 'w'), registry, env };
}

/** Starts Playwright's MCP server as an agent does, and has it open a page. */
export async function startPlaywrightMcp(
  { env, workspace }: Pick<PlaywrightHome, 'env' | 'workspace'>,
  url: string,
): Promise<McpServer> {
  const flags = ['--browser', 'chromium', '--executable-path', await ensureChromium(), '--headless', '--no-sandbox'];
  const args = [playwright, 'mcp', ...flags, '--isolated'];
  const server = await startMcpServer(process.execPath, args, { env, cwd: workspace });
  await server.call('browser_navigate', { url });
  return server;
}
