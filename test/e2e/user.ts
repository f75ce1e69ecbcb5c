import { strict as assert } from 'node:assert';
import { mkdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Frame, FrameLocator, Locator, Page } from 'playwright-core';
import { temporaryFolder } from '../host/processes.ts';
import { userSettings } from '../host/vscodeServer.ts';
import {
  chooseFromMenu,
  liveViewOf,
  menuTakesClicks,
  openWorkbench,
  quoted,
  type Workbench,
  waitIn,
} from '../host/workbench.ts';

/** Under which keys VS Code stores state that tests wait for. */
const storedState = {
  extension: 'browser-sessions.browser-sessions',
  editors: 'memento/workbench.parts.editor',
  sideBar: 'workbench.sidebar.activeviewletid',
} as const;
const picturesFolder = join('out', 'e2e');
const mostPresses = 5;
/** A little longer than the time before a dialog accepts answers. */
const readingMs = 700;
/** How soon a dialog that wasn't read for long enough is shown again, in milliseconds. */
const askedAgainMs = 150;
/** A little longer than the time without a key after which a live view accepts keys. */
const seeingFocusMs = 1_200;

/** One color theme of each kind, with the class that VS Code gives the workbench and webviews for it. */
export const themes = {
  light: { title: 'Light 2026', workbenchClass: 'vs', panelClass: 'vscode-light' },
  dark: { title: 'Dark 2026', workbenchClass: 'vs-dark', panelClass: 'vscode-dark' },
  'high-contrast': { title: 'Dark High Contrast', workbenchClass: 'hc-black', panelClass: 'vscode-high-contrast' },
  'high-contrast-light': {
    title: 'Light High Contrast',
    workbenchClass: 'hc-light',
    panelClass: 'vscode-high-contrast-light',
  },
} as const;
export type Theme = keyof typeof themes;

/** A user of VS Code, with a mouse and a keyboard. */
export class WorkbenchUser {
  readonly #workbench: Workbench;
  readonly #userDataDir: string;

  private constructor(workbench: Workbench, userDataDir: string) {
    this.#workbench = workbench;
    this.#userDataDir = userDataDir;
  }

  /** Opens VS Code with the extension, and shows the extension's view unless `opensView` is false. */
  static async open(
    options: {
      theme?: string;
      opensView?: boolean;
      viewport?: { width: number; height: number };
      userDataDir?: string;
      settings?: Readonly<Record<string, unknown>>;
      /** Environment variables of the extension host. */
      env?: NodeJS.ProcessEnv;
      /** The folder to open. */
      folder?: string;
      /** The port on this machine that serves a host name, for the workbench only. */
      hosts?: ReadonlyMap<string, number>;
      /** Folders of additional extensions. */
      extensions?: readonly string[];
    } = {},
  ): Promise<WorkbenchUser> {
    const userDataDir = options.userDataDir ?? temporaryFolder('e2e');
    const user = new WorkbenchUser(
      await openWorkbench({
        userDataDir,
        installed: [resolve('.'), ...(options.extensions ?? [])],
        settings: {
          'workbench.colorTheme': options.theme ?? 'Default Dark Modern',
          'workbench.startupEditor': 'none',
          'workbench.tips.enabled': false,
          'browserSessions.refresh.interval': 5,
          // Of sessions that are old on purpose; the notification would cover what is clicked.
          'browserSessions.warnings.show': false,
          ...options.settings,
        },
        ...(options.folder === undefined ? {} : { folder: options.folder }),
        ...(options.env === undefined ? {} : { env: options.env }),
        ...(options.hosts === undefined ? {} : { hosts: options.hosts }),
        ...(options.viewport === undefined ? {} : { viewport: options.viewport }),
      }),
      userDataDir,
    );
    user.page.setDefaultTimeout(15_000);
    if (options.opensView === false) await user.#icon.waitFor({ timeout: 60_000 });
    else await user.openView();
    return user;
  }

  get page(): Page {
    return this.#workbench.page;
  }

  /** Opens another window of the same user. Its `standUp` closes only that window. */
  async openWindow(): Promise<WorkbenchUser> {
    const page = await this.page.context().newPage();
    page.setDefaultTimeout(15_000);
    await page.goto(this.page.url());
    const window = new WorkbenchUser({ ...this.#workbench, page, close: () => page.close() }, this.#userDataDir);
    await window.openView();
    return window;
  }

  async standUp(): Promise<void> {
    await this.#workbench.close();
  }

  /** Clicks the extension's icon in the activity bar. */
  async openView(): Promise<void> {
    await this.#icon.click({ timeout: 60_000 });
  }

  get #icon(): Locator {
    return this.page.getByRole('tab', { name: 'Browser Sessions' });
  }

  /** Reloads the window, as "Developer: Reload Window" does. */
  async reload(): Promise<void> {
    await this.page.reload({ timeout: 60_000 });
    await this.#icon.waitFor({ timeout: 60_000 });
    await until(async () => {
      if (await succeeds(this.page.getByRole('treeitem').first().waitFor({ timeout: 5_000 }))) return true;
      // What was open is open again, unless VS Code hadn't stored that yet. Sooner, a click could close it.
      if ((await this.#icon.getAttribute('aria-selected')) !== 'true') await this.openView();
      return false;
    }, 60_000);
  }

  /** Reloads the window from the palette. Resolves when the new one is there. */
  async reloadByCommand(): Promise<void> {
    const loaded = this.page.waitForEvent('load', { timeout: 60_000 });
    await this.runTitled('Developer: Reload Window');
    await loaded;
    await this.page.getByRole('treeitem').first().waitFor({ timeout: 60_000 });
  }

  /** The row of the tree whose accessible name begins like this. */
  row(name: string): Locator {
    return this.page.getByRole('treeitem', { name: new RegExp(`^${quoted(name)}`) });
  }

  /** Every row's accessible name, from top to bottom. */
  async rows(): Promise<string[]> {
    const names = await this.page
      .getByRole('treeitem')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label')));
    return names.map((name) => name ?? '');
  }

  /** Right-clicks a row and chooses from its menu. */
  async choose(row: Locator, item: string): Promise<void> {
    await chooseFromMenu(this.page, row, item);
  }

  /** The items of a row's context menu. */
  async offers(row: Locator): Promise<string[]> {
    await row.click({ button: 'right' });
    await menuTakesClicks(this.page);
    const names = await this.page.getByRole('menuitem').locator('.action-label').allInnerTexts();
    await this.page.keyboard.press('Escape');
    await this.page.getByRole('menu').waitFor({ state: 'hidden' });
    return names.map((name) => name.trim()).filter((name) => name !== '');
  }

  /** Runs a command by its title from the palette. */
  async run(title: string): Promise<void> {
    await this.runTitled(`Browser Sessions: ${title}`);
  }

  /** Runs one of VS Code's own commands by its category and title. */
  async runTitled(title: string): Promise<void> {
    const option = this.page.getByRole('option', { name: new RegExp(`^${quoted(title)}`) }).first();
    for (let opened = 1; ; opened++) {
      const input = await this.#palette();
      try {
        await input.fill(`>${title}`, { timeout: 5_000 });
        break;
      } catch (error) {
        // Something that took the focus has closed it.
        if (opened === mostPresses) throw error;
      }
    }
    await option.click();
  }

  /** Opens the command palette. A key that is pressed while another picker closes does nothing: then it's pressed again. */
  async #palette(): Promise<Locator> {
    const input = this.page.locator('.quick-input-box input[aria-label^="Type the name of a command"]');
    for (let pressed = 1; ; pressed++) {
      await this.page.keyboard.press('F1');
      try {
        await input.waitFor({ timeout: 3_000 });
        return input;
      } catch (error) {
        if (pressed === mostPresses) throw error;
      }
    }
  }

  /** Opens a setting in the settings editor, and reads its description. */
  async #setting(id: string): Promise<Locator> {
    await this.runTitled('Preferences: Open Settings (UI)');
    const editor = this.page.locator('.settings-editor');
    await editor.locator('.suggest-input-container').click();
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.type(`@id:${id}`);
    const item = editor.locator(`[data-key="${id}"]`).first();
    await item.waitFor();
    return item;
  }

  /** Turns on a checkbox setting, after reading its description. */
  async turnOn(id: string, says: string): Promise<void> {
    const item = await this.#setting(id);
    await item.getByText(says).first().waitFor();
    await this.#changes(() => item.getByRole('checkbox').first().click());
  }

  /** Types a setting's value. */
  async fillSetting(id: string, value: string): Promise<void> {
    const item = await this.#setting(id);
    await this.#changes(() => item.locator('input').first().fill(value));
  }

  /** Changes settings in the settings file, all with one save. */
  async editSettings(changes: Readonly<Record<string, unknown>>): Promise<void> {
    const before = JSON.parse(await readFile(userSettings(this.#userDataDir), 'utf8'));
    await this.runTitled('Preferences: Open User Settings (JSON)');
    await this.page.locator('.editor-instance .monaco-editor.focused').waitFor();
    await this.#changes(async () => {
      await this.page.keyboard.press('Control+A');
      await this.page.evaluate(
        (text) => navigator.clipboard.writeText(text),
        JSON.stringify({ ...before, ...changes }),
      );
      await this.page.keyboard.press('Control+V');
      await this.page.keyboard.press('Control+S');
    });
  }

  /** Changes something in a settings editor, and closes it once the settings file contains the change. */
  async #changes(work: () => Promise<void>): Promise<void> {
    const settings = () => readFile(userSettings(this.#userDataDir), 'utf8');
    const before = await settings();
    await work();
    await until(async () => {
      const now = await settings();
      return now !== '' && now !== before;
    });
    await this.page.keyboard.press('Control+W');
  }

  /** Switches to a color theme. */
  async useTheme(theme: Theme): Promise<void> {
    const { title, workbenchClass } = themes[theme];
    await this.runTitled('Preferences: Color Theme');
    const box = this.page.locator('.quick-input-widget');
    await box.getByPlaceholder('Select Color Theme').fill(title);
    await this.pick(title);
    await this.page.locator(`.monaco-workbench.${workbenchClass}`).waitFor();
    await box.waitFor({ state: 'hidden' });
    // Some colors fade from one theme to the next.
    await this.page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)));
  }

  /** Drags the edge of the side bar until it is this many pixels wide. */
  async resizeSideBar(width: number): Promise<void> {
    const box = async () => {
      const found = await this.page.locator('.part.sidebar').boundingBox();
      return found ?? assert.fail('there is no side bar');
    };
    const { x, width: before, height } = await box();
    await this.page.mouse.move(x + before, height / 2);
    await this.page.mouse.down();
    await this.page.mouse.move(x + width, height / 2, { steps: 5 });
    await this.page.mouse.up();
    await until(async () => Math.abs((await box()).width - width) < 3);
    // While the pointer is on the edge, it's highlighted.
    await this.page.mouse.move(x + width + 200, height / 2);
  }

  /** Presses a key, Shift+Tab by default, until an element has the focus, then Enter. */
  async pressByKeys(target: Locator, towards = 'Shift+Tab'): Promise<void> {
    await target.waitFor();
    const hasFocus = () => target.evaluate((element) => element.ownerDocument.activeElement === element);
    for (let presses = 0; !(await hasFocus()); presses++) {
      assert.ok(presses < 15, `${towards} never gets there`);
      await this.page.keyboard.press(towards);
    }
    if (await target.evaluate((element) => element.closest('[aria-modal=true]') !== null)) await this.#read();
    await this.page.keyboard.press('Enter');
  }

  /** The button of the modal dialog with exactly this text. */
  dialogButton(name: string): Locator {
    return this.#modal().getByRole('button', { name, exact: true });
  }

  /** The accessible name of the focused row in the focused tree; empty if there is none. */
  async focusedRow(): Promise<string> {
    const row = this.page.locator('.monaco-list:focus-within .monaco-list-row.focused');
    return (await row.count()) === 0 ? '' : ((await row.first().getAttribute('aria-label')) ?? '');
  }

  /** Moves the focus in the focused tree to the first row whose accessible name starts like this. */
  async walkTo(name: string): Promise<void> {
    let before = '';
    const goTo = async (key: string) => {
      await until(async () => {
        await this.page.keyboard.press(key);
        // A list that is being redrawn may miss a key.
        return succeeds(until(async () => (await this.focusedRow()) !== before, 3_000));
      });
      before = await this.focusedRow();
    };
    await goTo('Home');
    while (!before.startsWith(name)) await goTo('ArrowDown');
  }

  /** Chooses from a pick list. */
  async pick(label: string): Promise<void> {
    await this.page
      .getByRole('option', { name: new RegExp(quoted(label)) })
      .first()
      .click();
  }

  /** Types into the input box and presses Enter, once `shown` (a prompt, or an error) is visible. */
  async type(shown: string, text: string): Promise<void> {
    const box = this.page.locator('.quick-input-widget');
    await box.getByText(shown).first().waitFor();
    await box.locator('input[type=text], input[type=password]').first().fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** The text of the open modal dialog. */
  async dialog(): Promise<string> {
    const dialog = this.#modal();
    await dialog.waitFor();
    return dialog.innerText();
  }

  /** Notifications are dialogs too, but not modal ones. */
  #modal(): Locator {
    return this.page.locator('[role=dialog][aria-modal=true]');
  }

  /** Presses a button of the modal dialog. */
  async press(button: string): Promise<void> {
    await this.dialogButton(button).waitFor();
    if (button === 'Cancel') {
      await this.dialogButton(button).click();
      return;
    }
    // If the window was held up, it wasn't shown for long enough, and is asked again.
    const text = await this.dialog();
    for (let times = 0; times < 5; times++) {
      await this.#read();
      const dialog = await this.#modal().elementHandle();
      await this.dialogButton(button).click();
      await dialog?.waitForElementState('hidden');
      await waitIn(this.page, askedAgainMs);
      if (!(await this.#modal().isVisible()) || (await this.dialog()) !== text) return;
    }
  }

  /** Presses Enter, and with it the first button of the modal dialog. */
  async pressEnter(): Promise<void> {
    await this.#modal().waitFor();
    await this.#read();
    await this.page.keyboard.press('Enter');
  }

  /**
   * From now on, presses the first button of each dialog that contains a text, as soon as it's shown, so many times. A key from
   * outside might come later on a busy machine.
   * @returns how many such dialogs were shown, at any time; the last one that is counted isn't pressed.
   */
  async pressAtOnce(text: string, times: number): Promise<() => Promise<number>> {
    const shown = await this.page.evaluateHandle(
      ([wanted, most]) => {
        const seen = new Set<Element>();
        new MutationObserver((_, observer) => {
          const dialog = document.querySelector('[role=dialog][aria-modal=true]');
          const button = dialog?.querySelector<HTMLElement>('.dialog-buttons .monaco-button:not(.secondary)');
          if (!dialog || !button || seen.has(dialog) || !dialog.textContent.includes(wanted)) return;
          seen.add(dialog);
          if (seen.size > most) observer.disconnect();
          else button.click();
        }).observe(document.body, { childList: true, subtree: true });
        return seen;
      },
      [text, times] as const,
    );
    return () => shown.evaluate((seen) => seen.size);
  }

  /** Takes the time to see where the focus is: in a live view to which it has just moved, keys that come sooner don't count. */
  async seesFocus(): Promise<void> {
    await waitIn(this.page, seeingFocusMs);
  }

  /** Takes the time to aim at a button: a click on one that has only just moved there doesn't skip a question. */
  async aims(): Promise<void> {
    await waitIn(this.page, readingMs);
  }

  /** Takes the time to read a dialog that has just opened: an answer that comes sooner doesn't count. */
  async #read(): Promise<void> {
    await waitIn(this.page, readingMs);
  }

  /**
   * Does something that opens a browser tab, and closes the tab.
   * @returns its address.
   */
  async opened(work: () => Promise<void>): Promise<string> {
    const context = this.page.context();
    const asked = context.waitForEvent('request', (request) => request.isNavigationRequest());
    const tab = context.waitForEvent('page');
    await work();
    const address = (await asked).url();
    await (await tab).close();
    // Comes back to the window.
    await this.page.bringToFront();
    return address;
  }

  /** The notification with this text. */
  notification(text: string): Locator {
    return this.page.locator('.notification-toast, .notification-list-item').filter({ hasText: text }).first();
  }

  /** Adds an account with a custom address at a provider whose own address isn't asked for. */
  async addAt(provider: string, address: string, key: string, label: string): Promise<void> {
    await this.run('Add Account…');
    await this.pick(provider);
    await this.page.getByRole('button', { name: 'Use a Different Address…' }).click();
    await this.type(`Address of the ${provider} API`, address);
    await this.type(`${provider} API key`, key);
    if (provider === 'Browserbase') {
      await this.type('Browserbase project ID', '');
      await this.type('Address of the Stagehand API', '');
    }
    await this.type('Enter a name to show in the Sessions view', label);
    await this.row(`Account ${provider} · ${label}`).waitFor();
  }

  /** Adds a Chrome by its address. */
  async addChrome(address: string, label: string): Promise<void> {
    await this.run('Add Account…');
    await this.pick('Local Chrome');
    await this.type('started with --remote-debugging-port', address);
    await this.type('Enter a name to show in the Sessions view', label);
  }

  /** The framed page in a session's panel, once it is running. The panel's own page is recreated for each origin. */
  async framed(name: string): Promise<Frame> {
    for (const deadline = Date.now() + 30_000; ; ) {
      const panel = await this.live(name);
      const frame = await panel.$('iframe').catch(() => null);
      const content = await frame?.contentFrame();
      if (content && (await content.locator('#clock').count()) > 0) return content;
      if (Date.now() > deadline) throw new Error(`nothing is framed in the panel of ${name}`);
    }
  }

  /** The content of a webview panel, two frames deep. */
  panel(): FrameLocator {
    return this.page.frameLocator('iframe.webview').last().frameLocator('iframe#active-frame');
  }

  /**
   * Opens a session's live view from its row's menu. If rows were redrawn in the meantime, VS Code has lost the row, and the
   * command asks which session is meant: then it's picked, as a user would.
   */
  async openLive(name: string): Promise<Frame> {
    await this.choose(this.row(`Session ${name}`), 'Open Live View');
    const picker = this.page.locator('.quick-input-widget').getByText('Open Live View', { exact: true });
    const tab = this.page.getByRole('tab', { name: new RegExp(`^Live: ${quoted(name)}`) });
    await picker.or(tab).first().waitFor();
    if (await picker.isVisible()) await this.pick(name);
    return this.live(name);
  }

  /** The page of the live view panel that shows a session of this name, once it is there. */
  async live(name: string): Promise<Frame> {
    return liveViewOf(this.page, name);
  }

  /**
   * Clicks where a live view's picture shows an element of the page.
   * @param inPage runs a script in the page that is shown, as its owner would, and returns its result.
   */
  async clickShown(panel: Frame, id: string, inPage: (expression: string) => Promise<string>): Promise<void> {
    const place = `(({ x, y, width, height }) => JSON.stringify([x + width / 2, y + height / 2, innerWidth, innerHeight]))(${id}.getBoundingClientRect())`;
    const [x, y, width, height] = JSON.parse(await inPage(place));
    const picture = panel.locator('#picture');
    const box = await picture.boundingBox();
    if (box === null) throw new Error('there is no picture');
    await picture.click({ position: { x: (x * box.width) / width, y: (y * box.height) / height } });
  }

  /** Waits until a place on screen moves: until more than half a thousandth of its pixels changes. */
  async seesMoving(place: Locator): Promise<void> {
    const before = await place.screenshot();
    await until(async () => (await this.difference(before, await place.screenshot())) > 0.0005);
  }

  /** The fraction of pixels that differ between two pictures of the same size. */
  async difference(one: Buffer, other: Buffer): Promise<number> {
    const pictures = [one.toString('base64'), other.toString('base64')];
    return this.page.evaluate(async (both) => {
      const [a, b] = await Promise.all(
        both.map(async (base64) => {
          const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
          const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
          const brush = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
          brush?.drawImage(bitmap, 0, 0);
          return brush?.getImageData(0, 0, bitmap.width, bitmap.height).data ?? new Uint8ClampedArray();
        }),
      );
      if (a === undefined || b === undefined || a.length !== b.length) return 1;
      let differ = 0;
      for (let at = 0; at < a.length; at += 4) {
        if (a[at] !== b[at] || a[at + 1] !== b[at + 1] || a[at + 2] !== b[at + 2]) differ++;
      }
      return differ / (a.length / 4);
    }, pictures);
  }

  /**
   * Waits until the state that VS Code has stored is as expected. In a browser, it stores its state every few seconds, but not
   * when the window is reloaded.
   * @param isAsExpected gets what all its databases have, as text.
   */
  async stored(state: keyof typeof storedState, isAsExpected: (value: string) => boolean): Promise<void> {
    const key = storedState[state];
    await until(async () => isAsExpected((await this.page.evaluate(valuesStoredUnder, key)).join()));
  }

  /** The files in which the service workers of webviews have stored what they showed from an address with this text. */
  async cachedResources(text: string): Promise<string[]> {
    const folder = join(this.#userDataDir, 'chromium', 'Default', 'Service Worker', 'CacheStorage');
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'latin1').catch(() => '')));
    return names.filter((_, index) => texts[index]?.includes(text));
  }

  /** Takes a screenshot for a person to look at. */
  async picture(name: string): Promise<void> {
    mkdirSync(picturesFolder, { recursive: true });
    await this.page.screenshot({ path: join(picturesFolder, `${name}.png`) });
  }
}

/** Runs in the workbench: what its databases have under a key. */
async function valuesStoredUnder(key: string): Promise<string[]> {
  const answer = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(new Error(request.error?.message));
    });
  const values: string[] = [];
  for (const { name } of await indexedDB.databases()) {
    if (name?.startsWith('vscode-web-state-db-') !== true) continue;
    const database = await answer(indexedDB.open(name));
    const value: unknown = await answer(database.transaction('ItemTable').objectStore('ItemTable').get(key));
    if (typeof value === 'string') values.push(value);
    database.close();
  }
  return values;
}

/** Whether something succeeds, for use with {@link until}. */
export async function succeeds(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch {
    return false;
  }
}

/** Waits until a condition holds that something outside the test brings about. */
export async function until(isSo: () => Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; !(await isSo()); ) {
    if (Date.now() > deadline) throw new Error('it did not come to pass');
    await new Promise((done) => setTimeout(done, 50));
  }
}
