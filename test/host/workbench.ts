import { join } from 'node:path';
import { type BrowserContext, chromium, type Frame, type Locator, type Page } from 'playwright-core';
import { ensureChromium, quietFlags } from './chromium.ts';
import { startVscodeServer, type VscodeServer } from './vscodeServer.ts';

/** Options for opening a workbench. */
export interface WorkbenchOptions {
  /** Where this user's settings, keys and state are kept. The same folder is the same user. */
  readonly userDataDir: string;
  /** Folders of extensions to provide as if they were installed. */
  readonly installed: readonly string[];
  /**
   * An extension under development, and a module whose `run()` is awaited inside its extension host. VS Code then
   * refuses modal dialogs and shows no notifications.
   */
  readonly tested?: { readonly extension: string; readonly tests: string };
  readonly settings?: Readonly<Record<string, unknown>>;
  /** A folder to open; undefined for none. */
  readonly folder?: string;
  /** Environment variables of the extension host. */
  readonly env?: NodeJS.ProcessEnv;
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
  /** The port on this machine that serves a host name, for the workbench only. Any certificate is accepted for it. */
  readonly hosts?: ReadonlyMap<string, number>;
  /** Called with each line that tests inside the extension host print. */
  readonly onLog?: (type: string, args: readonly unknown[]) => void;
}

/** A VS Code with an open page. */
export interface Workbench {
  readonly page: Page;
  readonly browser: BrowserContext;
  /** Settles with the exit code of the tests inside the extension host. */
  readonly exit: Promise<number>;
  close(): Promise<void>;
}

/** The address at which a server shows a workbench, with a folder open if one is given. */
export function workbenchUrl(
  { authority, url }: VscodeServer,
  tested?: WorkbenchOptions['tested'],
  folder?: string,
): string {
  if (folder !== undefined) return `${url}?folder=${encodeURIComponent(folder)}`;
  if (tested === undefined) return `${url}?ew=true`;
  const remote = (path: string) => `vscode-remote://${authority}${path}`;
  const payload = [
    ['extensionDevelopmentPath', remote(tested.extension)],
    ['extensionTestsPath', remote(tested.tests)],
  ];
  return `${url}?ew=true&payload=${encodeURIComponent(JSON.stringify(payload))}`;
}

/** Starts VS Code's server and a Chromium that shows it to a user. */
export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const { userDataDir, installed, tested, settings = {}, env = {}, viewport = { width: 1280, height: 800 } } = options;
  const { hosts = new Map<string, number>() } = options;
  const rules = [...hosts].map(([host, port]) => `MAP ${host}:443 127.0.0.1:${port}`);
  const executablePath = await ensureChromium();
  const server = await startVscodeServer({
    dataDir: userDataDir,
    installed,
    settings,
    env,
    allBuiltIn: false,
    forTests: tested !== undefined,
  });
  let browser: BrowserContext | undefined;
  try {
    browser = await chromium.launchPersistentContext(join(userDataDir, 'chromium'), {
      executablePath,
      args: [
        ...quietFlags,
        ...(hosts.size === 0 ? [] : [`--host-resolver-rules=${rules.join(',')}`, '--ignore-certificate-errors']),
      ],
      viewport,
      colorScheme: options.colorScheme ?? 'dark',
      permissions: ['clipboard-read', 'clipboard-write'],
      // Our own handlers end everything; Playwright's would end the browser before a test has cleaned up.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    const page = browser.pages()[0] ?? (await browser.newPage());
    let settle: (code: number) => void = () => {};
    const exit = new Promise<number>((resolve) => {
      settle = resolve;
    });
    await page.exposeFunction('codeAutomationLog', (type: string, args: unknown[]) => options.onLog?.(type, args));
    await page.exposeFunction('codeAutomationExit', (code: number) => settle(code));
    await page.goto(workbenchUrl(server, tested, options.folder));
    const opened = browser;
    return {
      page,
      browser,
      exit,
      async close() {
        await opened.close();
        await server.stop();
      },
    };
  } catch (error) {
    await browser?.close();
    await server.stop();
    throw error;
  }
}

/** How long a new VS Code menu ignores clicks, so that the click that opened it doesn't count. */
const menuTakesClicksAfterMs = 100;

/** Waits until the context menu that has just opened accepts clicks, which it doesn't do at once. */
export async function menuTakesClicks(page: Page): Promise<void> {
  await page.locator('.monaco-menu .action-label').first().waitFor();
  // A timer that is set after the menu's own with the same delay fires after it, however busy the window is.
  await waitIn(page, menuTakesClicksAfterMs);
}

/** Waits by a timer of the page itself, which fires later while the page is busy. */
export async function waitIn(page: Page, ms: number): Promise<void> {
  await page.evaluate((wait) => new Promise((done) => setTimeout(done, wait)), ms);
}

const mostMenus = 3;

/**
 * Right-clicks a row and chooses from its menu. VS Code closes a menu when the focus moves, for example to a panel that has just
 * loaded: then it's opened again, as a user would.
 */
export async function chooseFromMenu(page: Page, row: Locator, item: string): Promise<void> {
  // A menu item's accessible name ends with its shortcut.
  const entry = page.locator('.monaco-menu .action-label').filter({ hasText: new RegExp(`^${quoted(item)}$`) });
  for (let opened = 1; ; opened++) {
    await row.click({ button: 'right' });
    try {
      await entry.waitFor({ timeout: 5_000 });
      await menuTakesClicks(page);
      await entry.click({ timeout: 3_000 });
      return;
    } catch (error) {
      if (opened === mostMenus) throw error;
      await page.keyboard.press('Escape');
    }
  }
}

const betweenLooksMs = 250;

/** The page of the live view panel that shows a session of this name, once it is there. */
export async function liveViewOf(page: Page, name: string): Promise<Frame> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    await page.waitForTimeout(betweenLooksMs);
    for (const frame of page.frames()) {
      // VS Code's own wrapper around a webview mustn't be touched while it loads.
      if (!frame.url().includes('/fake.html')) continue;
      const heading = await frame.evaluate(() => document.querySelector('h1#name')?.textContent).catch(() => undefined);
      if (heading === name) return frame;
    }
  }
  throw new Error(`there is no live view of ${name}`);
}

/** A pattern that matches exactly this text. */
export function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
