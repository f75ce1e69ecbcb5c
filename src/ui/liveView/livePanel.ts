import { randomBytes } from 'node:crypto';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { Frame } from '../../cdp/frameQueue.ts';
import type { Screencast } from '../../cdp/screencast.ts';
import type { PageId } from '../../core/ids.ts';
import { ProviderError } from '../../core/providerError.ts';
import { same } from '../../core/same.ts';
import { Throttle } from '../../core/throttle.ts';
import type { ReadSetting } from '../settings.ts';
import { nameAndId, pageName } from '../text/names.ts';
import { acceptEffect } from './effects.ts';
import { panelHtml } from './html.ts';
import type { KeyboardReturn } from './keyboardReturn.ts';
import type { FirstSession } from './knownSession.ts';
import { LiveConnection, type LiveConnectionParts } from './liveConnection.ts';
import { type FromPanel, fromPanel, type PanelButton, type PanelState, type ToPanel } from './messages.ts';
import { type ClipboardUse, clipboardUse, panelState, type Shown } from './panelState.ts';
import { type LiveViewTarget, noConsent } from './viewSource.ts';

/** The setting that keeps hidden panels connected. */
export const keepAlive = 'liveView.keepAliveWhenHidden';
/** For how long the panel must have been where it is, in milliseconds, until a click in it is certainly meant for it. */
const settledMs = 500;
/** The least time between two messages about changes, in milliseconds. */
const toldEveryMs = 50;
const interactNoticeKey = 'steeringUnderstood';
const clipboardNoticeKey = 'clipboardUnderstood';

/** What {@link LivePanel} needs. */
export interface LivePanelParts extends LiveConnectionParts {
  readonly keyboardReturn: KeyboardReturn;
  /** The extension's `media` folder. */
  readonly media: vscode.Uri;
  readonly setting: ReadSetting;
  /** Reveals another panel that already shows a page of the session. @returns whether there is one. */
  readonly onChoose: (panel: LivePanel, page: PageId | undefined) => boolean;
  /**
   * Handles the buttons that aren't only about the panel.
   * @param byPointer whether it was certainly clicked: not pressed by key, and not just moved under the pointer.
   */
  readonly onButton: (panel: LivePanel, button: PanelButton, byPointer: boolean) => void;
  /** Tells every panel that the user has accepted how watching affects the sessions of a provider. */
  readonly onAccept: () => void;
}

/** One panel: its page, what the user does there, and its connection, which lasts while the panel is visible. */
export class LivePanel implements vscode.Disposable {
  readonly panel: vscode.WebviewPanel;
  readonly connection: LiveConnection;
  readonly #parts: LivePanelParts;
  readonly #subscriptions: vscode.Disposable[] = [];
  #ready = false;
  #lastFrame: Frame | undefined;
  /** A browser may report thousands of changes per second, and each message contains all pages. */
  readonly #telling = new Throttle(() => this.#tellNow(), toldEveryMs);
  /** The state that the page has. */
  #told: PanelState | undefined;
  /** The origin that the page may frame. */
  #frames: string | undefined;
  /** Where the panel is, and since when, in monotonic milliseconds. Its page can't see that it moves as a whole. */
  #place = '';
  #placedAt = 0;

  /** @param restored see {@link KnownSession}. */
  constructor(panel: vscode.WebviewPanel, target: LiveViewTarget, parts: LivePanelParts, restored?: FirstSession) {
    this.panel = panel;
    this.#parts = parts;
    this.connection = new LiveConnection(
      target,
      parts,
      {
        isSeen: () => panel.visible,
        staysConnected: () => this.#staysConnected,
        onLearn: () => this.#writeTitle(),
        onChange: () => this.#tell(),
        onFrame: (frame) => {
          this.#lastFrame = frame;
          this.#post({ type: 'frame', ...frame });
        },
      },
      restored,
    );
    panel.iconPath = {
      light: vscode.Uri.joinPath(parts.media, 'liveViewLight.svg'),
      dark: vscode.Uri.joinPath(parts.media, 'liveViewDark.svg'),
    };
    this.#subscriptions.push(
      panel.webview.onDidReceiveMessage((message: unknown) => this.#hear(message)),
      panel.onDidChangeViewState(() => {
        this.#notePlace();
        this.followVisibility();
      }),
    );
    this.#notePlace();
    this.#writeTitle();
    this.#writeHtml(undefined);
  }

  /** Disconnects. The session keeps running. */
  dispose(): void {
    this.#ready = false;
    this.#telling.dispose();
    this.connection.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  get target(): LiveViewTarget {
    return this.connection.target;
  }

  /** Whether the panel currently says that the session's link works only once. */
  get showsSingleUseLink(): boolean {
    const { stage } = this.connection;
    return stage.kind === 'card' && stage.once !== undefined;
  }

  /**
   * Returns the focus that a dialog took to the button that opened it: VS Code gives it to what surrounds the panel's page, and
   * sometimes not to the page itself (1.139).
   */
  returnFocus(): void {
    if (!this.panel.active) return;
    this.#post({ type: 'answered' });
    this.panel.reveal(undefined, false);
  }

  /** Redraws what changes with time. */
  redraw(): void {
    this.#tell();
  }

  #notePlace(): void {
    const { visible, viewColumn } = this.panel;
    const place = `${visible} ${viewColumn}`;
    if (place === this.#place) return;
    this.#place = place;
    this.#placedAt = this.#parts.clock.monotonic();
  }

  #choose(page: PageId | undefined): void {
    // The page's own list shows what the user chose, whether or not this panel does.
    this.#told = undefined;
    if (this.#parts.onChoose(this, page)) this.#tell();
    else this.connection.choose(page);
  }

  /** Gives back the keyboard that a viewer took in view-only mode, and pauses the viewer until the user resumes it. */
  #takeKeyboardBack({ number, hadFocus, paused }: Extract<FromPanel, { type: 'keyboardTaken' }>): void {
    const { keyboardReturn } = this.#parts;
    const isElsewhere = !hadFocus && !keyboardReturn.canGiveBack;
    if (!hadFocus) this.#inBackground(keyboardReturn.giveBack());
    if (paused) this.connection.pause(number, isElsewhere);
  }

  /**
   * Updates after the panel's visibility or the settings have changed. Hidden panels are disconnected unless the
   * settings keep them connected.
   */
  followVisibility(): void {
    if (this.panel.visible) {
      if (this.connection.stage.kind === 'idle') void this.connection.connect();
      else this.#tell();
    } else if (!this.#staysConnected) {
      this.connection.hide();
      // A retained page would keep showing its frame.
      this.#tell();
      this.#ready &&= this.#isKept;
    }
  }

  /** Whether the panel's page is retained while it's hidden, which is decided when the panel is created. */
  get #isKept(): boolean {
    return this.panel.options.retainContextWhenHidden === true;
  }

  get #staysConnected(): boolean {
    return this.#isKept && this.#parts.setting(keepAlive);
  }

  /** Sets the panel's title to the session's name and short id, and to the page's name if it shows one page. */
  #writeTitle(): void {
    const { known, pages, target } = this.connection;
    const page = pages.find(({ id: its }) => its === target.pageId);
    const { name, shortId } = known.shownAs;
    const shown = page === undefined ? name : `${name} · ${pageName(page)}`;
    const title = l10n.t('Live: {0}', nameAndId({ name: shown, shortId }));
    if (this.panel.title !== title) this.panel.title = title;
  }

  #hear(raw: unknown): void {
    const message = fromPanel(raw);
    if (message !== undefined) this.#obey(message);
  }

  #obey(message: FromPanel): void {
    const { stage, mode } = this.connection;
    const screencast = stage.kind === 'cast' ? stage.screencast : undefined;
    switch (message.type) {
      case 'ready':
        this.#ready = true;
        this.#told = undefined;
        this.connection.resize(message.size ?? undefined);
        if (stage.kind === 'idle') void this.connection.connect();
        else this.#tell();
        if (this.#lastFrame !== undefined) this.#post({ type: 'frame', ...this.#lastFrame });
        return;
      case 'resized':
        this.connection.resize(message.size ?? undefined);
        return;
      case 'drawn':
        screencast?.drawn(message.number, message.isOnScreen);
        return;
      case 'page':
        this.#choose(message.id === '' ? undefined : (message.id as PageId));
        return;
      case 'input':
        if (mode === 'interact') screencast?.input(message.input);
        return;
      case 'paste':
        if (mode === 'interact' && screencast !== undefined) this.#inBackground(this.#paste(screencast));
        return;
      case 'keyboardTaken':
        this.#takeKeyboardBack(message);
        return;
      case 'stray':
        this.#inBackground(this.#parts.keyboardReturn.type(message.text));
        return;
      case 'disconnectMessage':
        this.connection.hearFarewell();
        return;
      case 'button':
        this.#press(message.button, message.byPointer && this.#parts.clock.monotonic() - this.#placedAt >= settledMs);
    }
  }

  async #paste(screencast: Screencast): Promise<void> {
    const { shown } = screencast.state;
    const text = await vscode.env.clipboard.readText();
    if (text !== '' && screencast.state.shown === shown) screencast.input({ kind: 'text', text });
  }

  #press(button: PanelButton, byPointer: boolean): void {
    const { stage, mode } = this.connection;
    switch (button) {
      case 'reload':
        this.connection.reload();
        return;
      case 'mode':
        this.connection.setMode(mode === 'watch' ? 'interact' : 'watch');
        return;
      case 'watch':
        this.#inBackground(this.#accept());
        return;
      case 'resume':
        this.connection.resume();
        return;
      case 'openOnce':
        this.connection.openOnce();
        return;
      case 'frameAnyway':
        void this.connection.connect({ ...noConsent, anyway: true });
        return;
      case 'understood':
        this.#inBackground(this.#acceptNotice());
        return;
      case 'hideHint':
        this.connection.hideHint();
        return;
      case 'acceptDialog':
      case 'dismissDialog':
        if (stage.kind === 'cast') stage.screencast.answerDialog(button === 'acceptDialog');
        return;
      case 'close':
        this.panel.dispose();
        return;
      case 'copyLink':
      case 'openIn':
      case 'openExternal':
      case 'endSession':
      case 'openRecording':
      case 'openDashboard':
      case 'showNext':
        this.#parts.onButton(this, button, byPointer);
    }
  }

  /** Remembers that the user has accepted how watching affects the sessions of this provider. */
  async #accept(): Promise<void> {
    await acceptEffect(this.#parts, this.connection.target.accountId);
    this.#parts.onAccept();
  }

  /** Runs something in the background that may fail without harm, such as reading the clipboard. */
  #inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#parts.logger.warn(`live view: ${ProviderError.from(error).message}`));
  }

  /** Remembers that the user has read what interacting does, and what else the notice said. */
  async #acceptNotice(): Promise<void> {
    const { memory } = this.#parts;
    const { stage, mode } = this.connection;
    const use = clipboardUse(stage, mode);
    if (use !== undefined && this.#seenClipboardUse !== 'readAndChange') await memory.update(clipboardNoticeKey, use);
    await memory.update(interactNoticeKey, true);
    this.#tell();
  }

  get #seenClipboardUse(): ClipboardUse | undefined {
    const seen = this.#parts.memory.get(clipboardNoticeKey);
    return seen === 'change' || seen === 'readAndChange' ? seen : undefined;
  }

  #writeHtml(frames: string | undefined): void {
    const { webview } = this.panel;
    const resource = (file: string) => webview.asWebviewUri(vscode.Uri.joinPath(this.#parts.media, file)).toString();
    this.#frames = frames;
    this.#ready = false;
    webview.html = panelHtml({
      name: this.connection.known.name,
      frames,
      styleUri: resource('liveView.css'),
      scriptUri: resource('liveView.js'),
      cspSource: webview.cspSource,
      nonce: randomBytes(16).toString('base64url'),
    });
  }

  #tell(): void {
    this.#telling.ask();
  }

  #tellNow(): void {
    if (!this.#ready) return;
    // Not before the current page has loaded: VS Code might show no page at all if it's replaced earlier (VS Code
    // 1.139).
    const { known, target, stage, mode, pages, hint } = this.connection;
    if (stage.kind === 'frame' && this.#frames !== stage.url.origin) {
      this.#writeHtml(stage.url.origin);
      return;
    }
    const { accounts, kinds, store, clock } = this.#parts;
    const account = accounts.get(target.accountId);
    const shown: Shown = {
      target,
      mode,
      stage,
      name: known.name,
      account,
      kind: account && kinds.get(account.provider),
      session: known.session,
      firstStart: known.firstStart,
      keyAt: known.keyAt,
      pages,
      hasSeenInteractNotice: this.#parts.memory.get(interactNoticeKey) === true,
      seenClipboardUse: this.#seenClipboardUse,
      hint,
      lasts: this.panel.visible || this.#staysConnected,
    };
    const state = panelState(shown, store, clock.now());
    if (same(state, this.#told)) return;
    this.#told = state;
    this.#post(state);
  }

  #post(message: ToPanel): void {
    if (!this.#ready) return;
    // The result says whether the page received it. It doesn't matter: the page may be gone at the moment.
    void this.panel.webview.postMessage(message);
  }
}
