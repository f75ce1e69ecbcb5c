import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { makeCertificate, writeCertificate } from '../host/certificates.ts';
import { temporaryFolder } from '../host/processes.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { TunnelProxy } from '../servers/tunnelProxy.ts';
import { until, WorkbenchUser } from './user.ts';

const api = 'api.anchorbrowser.io';
const viewer = 'live.anchorbrowser.io';
const session = 'sess_shop';
/** The pace of a fast typist: 15 keys a second. */
const betweenKeysMs = 65;
const mostTyped = 150;

/** How the session's pages are answered, with the link to what the panel frames. */
export const pagesAnswer = {
  status: 200,
  json: [{ id: 'p', title: '', url: 'https://shop.example/', frontend_url: `https://${viewer}/live/${session}/p` }],
};

/**
 * A page that tells its server every key that reaches it, and then does what takes the keyboard.
 * @param steal a script; `when` is how many milliseconds after its start it is to take the keyboard, and `tell` tells the
 * server.
 */
export const viewerPage = (body: string, steal: string) => `<p id="clock">live</p>${body}<script>
const tell = (what) => fetch(location.href, { method: 'POST', body: what, keepalive: true });
addEventListener('keydown', ({ key }) => tell(key));
addEventListener('message', ({ data }) => { if (typeof data === 'string' && data.startsWith('key ')) tell(data.slice(4)); });
const when = 400 + Math.random() * 250;
${steal}</script>`;

/** The same, with a script that starts when {@link ViewerBesideEditor.begin} is called, and not when the page has loaded. */
export const waitingViewerPage = (body: string, steal: string) =>
  viewerPage(body, `addEventListener('begin', () => {\n${steal}\n});`);

/** A text editor, and beside it the live view of a session, whose viewer is whatever page a test wants. */
export class ViewerBesideEditor {
  readonly user: WorkbenchUser;
  readonly anchor: AnchorServer;
  readonly #proxy: TunnelProxy;

  private constructor(user: WorkbenchUser, anchor: AnchorServer, proxy: TunnelProxy) {
    this.user = user;
    this.anchor = anchor;
    this.#proxy = proxy;
  }

  /** Only on Linux can a process be given a system store of its own. */
  static readonly runsHere = process.platform === 'linux';

  static async open(): Promise<ViewerBesideEditor> {
    const certificate = await makeCertificate(api, viewer);
    const certificates = temporaryFolder('certificates');
    await writeCertificate(certificates, certificate);
    const anchor = await startAnchor(certificate);
    const hosts = new Map([api, viewer].map((host) => [host, anchor.port] as const));
    const proxy = await new TunnelProxy(hosts).start();
    // Without a window of its own, so that its page's link is used.
    anchor.add({ id: session, headless: true, domains: ['shop.example'] });
    anchor.misbehave('GET', /pages$/, { kind: 'answer', answer: pagesAnswer });
    const user = await WorkbenchUser.open({
      hosts,
      env: { https_proxy: proxy.url, no_proxy: '127.0.0.1', SSL_CERT_FILE: join(certificates, 'authority.pem') },
      settings: {
        'editor.wordWrap': 'on',
        'diffEditor.useInlineViewWhenSpaceIsLimited': false,
        'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
        'editor.wordBasedSuggestions': 'off',
      },
    });
    const scene = new ViewerBesideEditor(user, anchor, proxy);
    await user.run('Add Account…');
    await user.pick('Anchor Browser');
    await user.type('Anchor Browser API key', anchor.key);
    await user.type('Enter a name to show in the Sessions view', 'shop');
    await user.row('Session shop.example').waitFor();
    await user.runTitled('File: New Untitled Text File');
    await user.page.keyboard.press('Control+\\');
    await user.choose(user.row('Session shop.example'), 'Open Live View');
    const panel = await user.live('shop.example');
    await panel.getByRole('button', { name: 'Show Live View' }).click();
    await user.framed('shop.example');
    return scene;
  }

  async close(): Promise<void> {
    await this.user.standUp();
    for (const server of [this.anchor, this.#proxy]) await server.stop();
  }

  /** The text editor on the left. */
  get editor(): Locator {
    return this.user.page.locator('.editor-group-container .monaco-editor').first();
  }

  /** What the text editor on the left shows, on one line. */
  async text(): Promise<string> {
    const lines = await this.editor.locator('.view-line').allInnerTexts();
    return lines.join('').replaceAll('\u00a0', ' ').trim();
  }

  /** Clears the text editor, and leaves the keyboard focus there. */
  async clear(): Promise<void> {
    await this.editor.click();
    await this.user.page.keyboard.press('Control+A');
    await this.user.page.keyboard.press('Delete');
  }

  /** What the viewer has reported to its server: one character for each key it received. */
  get told(): readonly string[] {
    return this.anchor.sent.get(session) ?? [];
  }

  /** How many keys the viewer has received. */
  get reached(): number {
    return this.told.filter((what) => what.length === 1).length;
  }

  /** The page of the live view panel. */
  panel(): Promise<Frame> {
    return this.user.live('shop.example');
  }

  /** Loads a viewer, and waits until it was requested. */
  async show(body: string): Promise<Frame> {
    this.anchor.livePage = { body };
    const loaded = () => this.anchor.requests.filter(({ path }) => path.startsWith('/live/')).length;
    const before = loaded();
    const panel = await this.panel();
    await panel.getByRole('button', { name: 'Reload', exact: true }).click();
    // It is requested once to check whether it may be framed.
    await until(async () => loaded() > before + 1);
    return panel;
  }

  /** Starts the script of a {@link waitingViewerPage}. */
  async begin(panel: Frame): Promise<void> {
    const running = await this.running(panel);
    await running.evaluate(() => dispatchEvent(new Event('begin')));
  }

  /** The viewer's page, once it runs in the panel. The panel replaces the frame when the mode changes. */
  async running(panel: Frame): Promise<Frame> {
    let running: Frame | undefined;
    const find = async () => {
      const element = await panel.locator('iframe').elementHandle();
      const frame = await element?.contentFrame();
      if (await frame?.locator('#clock').isVisible()) running = frame ?? undefined;
      return running?.isDetached() === false;
    };
    // Playwright throws if the frame goes while it is looked at.
    await until(() => find().catch(() => false));
    return running ?? assert.fail('the panel has no frame');
  }

  /** Turns Interact on and off again, so that it's the button used last, and waits for the viewer. */
  async tryInteract(panel: Frame): Promise<void> {
    await panel.locator('#mode').click();
    await panel.locator('#mode[aria-pressed=true]').click();
    await panel.locator('#mode[aria-pressed=false]').waitFor();
    await this.running(panel);
  }

  /** Whether the panel says that it paused the viewer because it took the keyboard. */
  isPaused(panel: Frame): Promise<boolean> {
    return panel.getByRole('heading', { name: 'This viewer tried to take keyboard focus' }).isVisible();
  }

  /** Types indented lines of code, as fast as one does. */
  async typeCode(lines: number): Promise<void> {
    for (let line = 0; line < lines; line++) await this.typeKeys(['Tab', 'f', 'o', 'o', ';', 'Enter']);
  }

  /** Presses keys as fast as one types. */
  async typeKeys(keys: readonly string[]): Promise<void> {
    const { page } = this.user;
    for (const key of keys) {
      await page.keyboard.press(key);
      await page.waitForTimeout(betweenKeysMs);
    }
  }

  /**
   * Types letters until shortly after the viewer was paused, or for a long time if it isn't.
   * @returns what was typed.
   */
  async typeUntilPaused(panel: Frame): Promise<string> {
    const { page } = this.user;
    let typed = '';
    for (let left = 8; left > 0 && typed.length < mostTyped; ) {
      const letter = String.fromCharCode(97 + (typed.length % 26));
      await Promise.race([page.keyboard.press(letter), page.waitForTimeout(500)]);
      typed += letter;
      await page.waitForTimeout(betweenKeysMs);
      if (await this.isPaused(panel)) left--;
    }
    return typed;
  }
  /** Composes a text with an input method, again and again until the viewer is paused. It's left uncommitted. */
  async composeUntilPaused(panel: Frame, text: string): Promise<void> {
    const { page } = this.user;
    const devtools = await page.context().newCDPSession(page);
    const compose = (soFar: string) =>
      devtools.send('Input.imeSetComposition', {
        text: soFar,
        selectionStart: soFar.length,
        selectionEnd: soFar.length,
      });
    for (let step = 0; step < mostTyped && !(await this.isPaused(panel)); step++) {
      await compose(text.slice(0, 1 + (step % text.length)));
      await page.waitForTimeout(betweenKeysMs);
    }
    await compose(text);
    await devtools.detach();
  }
}
