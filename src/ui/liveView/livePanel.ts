import { randomBytes } from 'node:crypto';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { PictureSize } from '../../cdp/attachedPage.ts';
import type { Frame } from '../../cdp/frameQueue.ts';
import type { Screencast } from '../../cdp/screencast.ts';
import type { Clock } from '../../core/clock.ts';
import type { Disposable } from '../../core/event.ts';
import type { PageId } from '../../core/ids.ts';
import type { ViewMode } from '../../core/liveView.ts';
import type { Logger } from '../../core/logger.ts';
import type { Page } from '../../core/page.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Session } from '../../core/session.ts';
import type { Memory } from '../../core/vault.ts';
import type { Accounts } from '../../services/accounts.ts';
import type { History } from '../../services/history.ts';
import type { PageLoader } from '../../services/pageLists.ts';
import type { ProviderKinds } from '../../services/providerKinds.ts';
import type { Refresher } from '../../services/refresher.ts';
import { type SessionsView, troubleOf } from '../../services/sessionsView.ts';
import type { ReadSetting } from '../settings.ts';
import { pageName } from '../words/names.ts';
import {
  effectCard,
  notAskedCard,
  oneTimeCard,
  pausedCard,
  refusedCard,
  troubleCard,
  waitingCard,
} from '../words/watching.ts';
import type { CatchUp } from './catchUp.ts';
import { acceptEffect, unknownEffect } from './effects.ts';
import { panelHtml } from './html.ts';
import type { KeyboardReturn } from './keyboardReturn.ts';
import { KnownSession, type KnownSessionParts } from './knownSession.ts';
import { type FromPanel, fromPanel, type PanelButton, type ToPanel } from './messages.ts';
import { isWatching, panelState, type Shown, type Stage, sendsPictures, usesClipboard } from './panelState.ts';
import { type Consent, closeLink, findSight, type Sight, type SightParts, type Subject } from './sights.ts';

/** The setting that keeps panels connected while nobody sees them. */
export const keepAlive = 'liveView.keepAliveWhenHidden';
const openTimeoutMs = 20_000;
/** Before each new try after a connection was lost. */
const retriesMs = [500, 1_000, 2_000, 4_000];
/** After this long a frame that may be blank is said to be one. */
const hintMs = 8_000;
/** How many times a viewer that was resumed may take the keyboard while it loads. */
const forgivenTimes = 3;
const steeringKey = 'steeringUnderstood';
const clipboardKey = 'clipboardUnderstood';
const noConsent: Consent = { once: undefined, anyway: false };

/** What a panel works with. */
export interface LivePanelParts extends SightParts {
  readonly accounts: Accounts;
  readonly kinds: ProviderKinds;
  readonly store: SessionsView;
  readonly history: History;
  readonly review: KnownSessionParts['review'];
  readonly refresher: Refresher;
  readonly catchUp: CatchUp;
  readonly pageLists: PageLoader;
  readonly keyboardReturn: KeyboardReturn;
  readonly memory: Memory;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The extension's folder `media`. */
  readonly media: vscode.Uri;
  readonly setting: ReadSetting;
  /** Shows a page of the session in another panel, where one shows it already. @returns whether one does. */
  readonly onChoose: (panel: LivePanel, page: PageId | undefined) => boolean;
  /** Does what a button stands for that is not about the panel alone. */
  readonly onButton: (panel: LivePanel, button: PanelButton) => void;
  /** Has every panel follow that the person now knows what watching does at a vendor. */
  readonly onAccept: () => void;
}

/** One panel: what it shows, and the connection behind it, which lasts for as long as somebody sees it. */
export class LivePanel implements vscode.Disposable {
  readonly panel: vscode.WebviewPanel;
  /** What it was to show when it was opened. */
  readonly openedFor: Subject;
  readonly #parts: LivePanelParts;
  readonly #subscriptions: vscode.Disposable[] = [];
  readonly #known: KnownSession;
  #subject: Subject;
  #mode: ViewMode = 'watch';
  #stage: Stage = { kind: 'idle' };
  #disposed = false;
  #ready = false;
  #size: PictureSize;
  #lastFrame: Frame | undefined;
  /** The origin that the page may frame. */
  #frames: string | undefined;
  #frameNumber = 0;
  #farewellOf = 0;
  #hint = false;
  #retries = 0;
  /** How many times the next frame may take the keyboard while it loads. */
  #forgives = 0;
  /** Stands for one way to see the session; aborted when another takes its place. */
  #connection = new AbortController();
  #timer: Disposable | undefined;
  #watching: Disposable | undefined;

  constructor(panel: vscode.WebviewPanel, subject: Subject, parts: LivePanelParts) {
    this.panel = panel;
    this.openedFor = subject;
    this.#known = new KnownSession(parts, subject);
    this.#subject = subject;
    this.#parts = parts;
    panel.iconPath = vscode.Uri.joinPath(parts.media, 'liveView.svg');
    this.#subscriptions.push(
      panel.webview.onDidReceiveMessage((message: unknown) => this.#hear(message)),
      panel.onDidChangeViewState(() => this.followVisibility()),
    );
    this.#learn();
    this.#writeHtml(undefined);
  }

  /** Ends the connection, and leaves the session alone. */
  dispose(): void {
    this.#disposed = true;
    this.#ready = false;
    this.#disconnect();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  get subject(): Subject {
    return this.#subject;
  }

  /** Another session to look at; see {@link KnownSession.next}. */
  get next(): Session | undefined {
    return this.#known.next;
  }

  /** Whether the panel is connected to the session. */
  get isWatching(): boolean {
    return isWatching(this.#stage);
  }

  /** Whether the panel has just said that the session's link works only once. */
  get showsOneTimeLink(): boolean {
    return this.#stage.kind === 'card' && this.#stage.once !== undefined;
  }

  /** Connects to the session and shows it, or says why it cannot. Never rejects. */
  async connect(consent: Consent = noConsent): Promise<void> {
    if (this.#disposed) return;
    const again = this.#stage.kind === 'lost';
    this.#disconnect();
    const connection = this.#connection;
    const isLate = () => connection.signal.aborted;
    if (!this.panel.visible && !this.#staysConnected) return;
    this.#watching = this.#parts.refresher.watch(this.#subject.accountId);
    this.#set(again ? { kind: 'lost' } : { kind: 'card', card: waitingCard() });
    try {
      const obstacle = await this.#obstacle();
      if (isLate()) return;
      if (obstacle !== undefined) {
        this.#set(obstacle);
        return;
      }
      const sight = await this.#find(consent, connection.signal);
      if (!isLate()) await this.#see(sight);
      else if (sight.kind === 'devtools') sight.devtools.connection.dispose();
      else if ('view' in sight) void closeLink(sight.view);
    } catch (error) {
      if (!isLate()) this.#fail(ProviderError.from(error));
    }
  }

  async #find(consent: Consent, stop: AbortSignal): Promise<Sight> {
    const limit = AbortSignal.timeout(openTimeoutMs);
    try {
      return await findSight(this.#parts, this.#subject, this.#mode, consent, AbortSignal.any([stop, limit]));
    } catch (error) {
      if (!limit.aborted) throw error;
      throw new ProviderError({ kind: 'timedOut', afterMs: openTimeoutMs }, 'a live view took too long to be found');
    }
  }

  /** Shows that a session is over, or its account gone. What was last seen of it stays behind the words. */
  conclude(): void {
    if (this.#stage.kind === 'over') return;
    const over = this.#over();
    this.#learn();
    this.#disconnect();
    this.#set(over);
  }

  /** Follows what is known of the session: its name, its state, and that it is there or not. */
  follow(): void {
    const { store } = this.#parts;
    const { accountId, sessionId: id } = this.#subject;
    const state = store.state(accountId);
    const listed = state?.contents.sessions.get(id);
    if (state === undefined) this.conclude();
    else if (listed !== undefined && this.#stage.kind === 'over') void this.connect();
    else if (this.#stage.kind === 'over') this.#set(this.#over());
    else {
      this.#learn();
      // With another key the account lists other sessions.
      if (this.#known.isGone && this.isWatching) this.followOut(false);
      else this.#tell();
    }
  }

  /** Follows that its account has another key, or another address. */
  followKey(): void {
    this.#known.noteOtherKey();
    if (this.isWatching) void this.connect();
  }

  /** Shows the session after all, where the person was told what watching does and wants it at this vendor. */
  followConsent(): void {
    if (this.#stage.kind === 'card' && this.#stage.effect === true) void this.connect();
  }

  /** Follows a session out of its list. A browser that still sends pictures is not over, whatever a list leaves out. */
  followOut(byYou: boolean): void {
    if (byYou || !sendsPictures(this.#stage)) this.conclude();
  }

  /** Draws anew what passes with time. */
  redraw(): void {
    this.#tell();
  }

  /** Shows another page of the session; without one whatever it shows. */
  #choose(page: PageId | undefined): void {
    if (this.#parts.onChoose(this, page)) {
      this.#tell();
      return;
    }
    this.#subject = { ...this.#subject, pageId: page };
    if (this.#stage.kind === 'cast') {
      this.#stage.screencast.choose(page);
      this.#tell();
    } else void this.connect();
  }

  #setMode(mode: ViewMode): void {
    this.#mode = mode;
    const stage = this.#stage;
    if (stage.kind === 'cast') stage.screencast.setSteering(mode === 'interact');
    if (stage.kind === 'frame' && stage.view.fixedMode) void this.connect();
    else this.#tell();
  }

  /** What keeps the session from being seen, before anybody is asked for a way; undefined where nothing does. */
  async #obstacle(): Promise<Stage | undefined> {
    const { accounts, store, refresher } = this.#parts;
    const { accountId } = this.#subject;
    const account = accounts.get(accountId);
    if (account === undefined) return this.#over();
    if (store.state(accountId)?.kind !== 'ready' || !(await this.#mayOfferViews())) {
      await refresher.refresh(accountId);
      const state = store.state(accountId);
      const trouble = state && troubleOf(state);
      // What could not be asked what it is has not said that it shows nothing.
      if (trouble !== undefined && !(await this.#mayOfferViews())) throw trouble;
    }
    this.#learn();
    if (this.#known.isGone && (await this.#known.look()) !== 'stillRunning') return this.#over();
    const effect = await unknownEffect(this.#parts, accountId);
    return effect === undefined
      ? undefined
      : { kind: 'card', card: effectCard(effect, this.#staysConnected), effect: true };
  }

  /** Whether the vendor can show sessions, as far as it is known; some are to be asked first what they are. */
  async #mayOfferViews(): Promise<boolean> {
    try {
      const { liveView, devtools } = await this.#parts.connections.open(this.#subject.accountId);
      return liveView !== undefined || devtools !== undefined;
    } catch {
      // Told when it is connected to.
      return true;
    }
  }

  async #see(sight: Sight): Promise<void> {
    switch (sight.kind) {
      case 'oneTime':
        this.#set({ kind: 'card', card: oneTimeCard(), once: sight.view });
        return;
      case 'refused':
        this.#set({ kind: 'card', card: refusedCard(sight.framing, sight.host) });
        return;
      case 'notAsked':
        this.#set({ kind: 'card', card: notAskedCard(sight.error, sight.host) });
        return;
      case 'frame': {
        const { view, url, uncertain } = sight;
        this.#set({ kind: 'frame', view, url, number: ++this.#frameNumber, forgives: this.#forgives });
        this.#forgives = 0;
        void this.#parts.pageLists.load(this.#subject.accountId, this.#subject.sessionId);
        if (uncertain) {
          this.#timer = this.#parts.clock.after(hintMs, () => {
            this.#hint = true;
            this.#tell();
          });
        }
        return;
      }
      case 'devtools':
        await this.#cast(sight);
    }
  }

  async #cast({ devtools }: Extract<Sight, { readonly kind: 'devtools' }>): Promise<void> {
    const { clock, logger } = this.#parts;
    const { signal } = this.#connection;
    const { Screencast: Casting } = await import('../../cdp/screencast.ts');
    const options = {
      clock,
      page: this.#subject.pageId,
      size: this.#size,
      onTrouble: (error: ProviderError) => logger.debug(`live view: ${error.message}`),
    };
    const screencast = new Casting(devtools, options);
    if (signal.aborted) {
      screencast.dispose();
      return;
    }
    screencast.onFrame((frame) => {
      this.#retries = 0;
      this.#lastFrame = frame;
      this.#post({ type: 'frame', ...frame });
    });
    let known = 0;
    screencast.onDidChange(({ condition, pages }) => {
      // Left out of the list before, when it still sent pictures.
      if (condition === 'noPage' && this.#known.isGone) {
        this.conclude();
        return;
      }
      this.#tell();
      // The list is behind what is seen here.
      if (known > 0 && pages.length !== known) this.#parts.catchUp.list(this.#subject.accountId);
      known = pages.length;
    });
    screencast.onLost((error) => this.#lose(error));
    screencast.setSteering(this.#mode === 'interact');
    this.#set({ kind: 'cast', screencast });
    await screencast.start();
  }

  /** Tries again after a connection was lost, and finds out meanwhile whether the session is over. */
  #lose(error: ProviderError): void {
    this.#disconnect();
    const wait = retriesMs[this.#retries++];
    this.#parts.logger.info(`live view of ${this.#subject.sessionId}: ${error.message}`);
    if (wait === undefined) {
      this.#fail(error);
      return;
    }
    this.#set({ kind: 'lost' });
    this.#timer = this.#parts.clock.after(wait, () => void this.#reconnect());
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#connection;
    await this.#parts.refresher.refresh(this.#subject.accountId);
    if (!signal.aborted && this.#stage.kind === 'lost') await this.connect();
  }

  #fail(error: ProviderError): void {
    const { accountId, sessionId: id } = this.#subject;
    // What can be tried again in a moment is, once there was a picture.
    if (this.#stage.kind === 'lost' && this.#retries < retriesMs.length) {
      this.#lose(error);
      return;
    }
    const { logger, store, refresher } = this.#parts;
    logger.info(`live view of ${id}: ${error.message}`);
    if (
      ProviderError.isOf(error, 'notFound') &&
      this.#subject.pageId !== undefined &&
      this.openedFor.pageId === undefined
    ) {
      // The page that it was turned to is gone, and the panel is about the session.
      this.#subject = { ...this.#subject, pageId: undefined };
      void this.connect();
      return;
    }
    this.#disconnect();
    const link = store.capabilities(accountId).has('liveView');
    this.#set({ kind: 'card', card: troubleCard(error, this.#known.host, link) });
    // What is not found may be over: the list tells.
    if (ProviderError.isOf(error, 'notFound')) void refresher.refresh(accountId);
  }

  #disconnect(): void {
    this.#connection.abort();
    this.#connection = new AbortController();
    this.#timer?.dispose();
    this.#timer = undefined;
    this.#hint = false;
    this.#watching?.dispose();
    this.#watching = undefined;
    if (this.#stage.kind === 'cast') this.#stage.screencast.dispose();
    if (this.#stage.kind === 'frame') void closeLink(this.#stage.view);
    if (this.#stage.kind === 'card' && this.#stage.once !== undefined) void closeLink(this.#stage.once);
    // An address is forgotten with the frame that it was for.
    this.#stage = { kind: 'idle' };
  }

  /** Gives the keyboard back that a watched viewer took, and shows nothing of it until the person wants that again. */
  #takeKeyboardBack({ number, hadFocus, paused }: Extract<FromPanel, { type: 'keyboardTaken' }>): void {
    if (!hadFocus) this.#inBackground(this.#parts.keyboardReturn.giveBack());
    if (!paused || this.#stage.kind !== 'frame' || number !== this.#frameNumber) return;
    this.#parts.logger.info(`live view of ${this.#subject.sessionId}: paused, it took the keyboard`);
    this.#disconnect();
    this.#set({ kind: 'card', card: pausedCard(), paused: true });
  }

  /**
   * Follows whether somebody sees the panel, and what the settings say of those that nobody sees: they are not connected,
   * unless the person wants them to be.
   */
  followVisibility(): void {
    if (this.panel.visible) {
      if (this.#stage.kind === 'idle') void this.connect();
      else this.#tell();
    } else if (!this.#staysConnected) {
      if (this.#stage.kind !== 'over' && !this.#isPaused) this.#disconnect();
      // A page that is kept would go on showing what it frames.
      this.#tell();
      this.#ready &&= this.#isKept;
    }
  }

  get #isPaused(): boolean {
    return this.#stage.kind === 'card' && this.#stage.paused === true;
  }

  /** Whether the panel's page is kept while it is hidden, which is settled when the panel is made. */
  get #isKept(): boolean {
    return this.panel.options.retainContextWhenHidden === true;
  }

  get #staysConnected(): boolean {
    return this.#isKept && this.#parts.setting(keepAlive);
  }

  #over(): Stage {
    return this.#known.over(this.#stage.kind === 'over' ? this.#stage.proof : undefined);
  }

  /** Takes over what is known of the session, and calls the panel by it. */
  #learn(): void {
    this.#known.learn();
    const { name } = this.#known;
    const page = this.#pages.find(({ id: its }) => its === this.#subject.pageId);
    const title = l10n.t('Live: {0}', page === undefined ? name : `${name} · ${pageName(page)}`);
    if (this.panel.title !== title) this.panel.title = title;
  }

  get #pages(): readonly Page[] {
    if (this.#stage.kind === 'cast') return this.#stage.screencast.state.pages;
    return this.#known.pages;
  }

  #hear(raw: unknown): void {
    const message = fromPanel(raw);
    if (message !== undefined) this.#obey(message);
  }

  #obey(message: FromPanel): void {
    const screencast = this.#stage.kind === 'cast' ? this.#stage.screencast : undefined;
    switch (message.type) {
      case 'ready':
        this.#ready = true;
        this.#resize(message.size);
        if (this.#stage.kind === 'idle') void this.connect();
        else this.#tell();
        if (this.#lastFrame !== undefined) this.#post({ type: 'frame', ...this.#lastFrame });
        return;
      case 'resized':
        this.#resize(message.size);
        return;
      case 'drawn':
        screencast?.drawn(message.number);
        return;
      case 'page':
        this.#choose(message.id === '' ? undefined : (message.id as PageId));
        return;
      case 'input':
        if (this.#mode === 'interact') screencast?.input(message.input);
        return;
      case 'paste':
        if (this.#mode === 'interact' && screencast !== undefined) this.#inBackground(this.#paste(screencast));
        return;
      case 'keyboardTaken':
        this.#takeKeyboardBack(message);
        return;
      case 'stray':
        this.#inBackground(this.#parts.keyboardReturn.type(message.text));
        return;
      case 'farewell':
        // Said once for each frame: a page that goes on saying it is not to have the account listed again and again.
        if (this.#farewellOf === this.#frameNumber) return;
        this.#farewellOf = this.#frameNumber;
        void this.#parts.refresher.refresh(this.#subject.accountId);
        return;
      case 'button':
        this.#press(message.button);
    }
  }

  async #paste(screencast: Screencast): Promise<void> {
    const { shown } = screencast.state;
    const text = await vscode.env.clipboard.readText();
    if (text !== '' && screencast.state.shown === shown) screencast.input({ kind: 'text', text });
  }

  #resize(size: { readonly width: number; readonly height: number } | null): void {
    this.#size = size ?? undefined;
    if (this.#stage.kind === 'cast') this.#stage.screencast.resize(this.#size);
  }

  #press(button: PanelButton): void {
    const stage = this.#stage;
    switch (button) {
      case 'reload':
        this.#retries = 0;
        void (stage.kind === 'over' ? this.#lookAgain() : this.connect());
        return;
      case 'mode':
        this.#setMode(this.#mode === 'watch' ? 'interact' : 'watch');
        return;
      case 'watch':
        this.#inBackground(this.#accept());
        return;
      case 'resume':
        this.#forgives = forgivenTimes;
        void this.connect();
        return;
      case 'openOnce':
        if (stage.kind !== 'card' || stage.once === undefined) return;
        // The link is used now, and not closed with the card that told of it.
        this.#stage = { kind: 'idle' };
        void this.connect({ ...noConsent, once: stage.once });
        return;
      case 'frameAnyway':
        void this.connect({ ...noConsent, anyway: true });
        return;
      case 'understood':
        this.#inBackground(this.#understand());
        return;
      case 'hideHint':
        this.#hint = false;
        this.#tell();
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
        this.#parts.onButton(this, button);
    }
  }

  /** Lists the account anew, and sees what has become of a session that was not in its list. */
  async #lookAgain(): Promise<void> {
    await this.#parts.refresher.refresh(this.#subject.accountId);
    this.#known.forget();
    if (this.#stage.kind === 'over') await this.connect();
  }

  /** Remembers that the person knows what watching does at this vendor. */
  async #accept(): Promise<void> {
    await acceptEffect(this.#parts, this.#subject.accountId);
    this.#parts.onAccept();
  }

  /** Lets something go on by itself whose failure harms nothing, such as a clipboard that cannot be read. */
  #inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#parts.logger.warn(`live view: ${ProviderError.from(error).message}`));
  }

  /** Remembers that the person knows what steering does, and what else they were just told. */
  async #understand(): Promise<void> {
    const { memory } = this.#parts;
    if (this.#stage.kind === 'frame' && usesClipboard(this.#stage.view, this.#mode)) {
      await memory.update(clipboardKey, true);
    }
    await memory.update(steeringKey, true);
    this.#tell();
  }

  #writeHtml(frames: string | undefined): void {
    const { webview } = this.panel;
    const resource = (file: string) => webview.asWebviewUri(vscode.Uri.joinPath(this.#parts.media, file)).toString();
    this.#frames = frames;
    this.#ready = false;
    webview.html = panelHtml({
      name: this.#known.name,
      frames,
      styleUri: resource('liveView.css'),
      scriptUri: resource('liveView.js'),
      cspSource: webview.cspSource,
      nonce: randomBytes(16).toString('base64url'),
    });
  }

  #set(stage: Stage): void {
    this.#stage = stage;
    this.#tell();
  }

  #tell(): void {
    if (!this.#ready) return;
    // Never before the page that is there has loaded: in its place VS Code may show none (read off 1.139).
    if (this.#stage.kind === 'frame' && this.#frames !== this.#stage.url.origin) {
      this.#writeHtml(this.#stage.url.origin);
      return;
    }
    const { accounts, kinds, store, clock } = this.#parts;
    const account = accounts.get(this.#subject.accountId);
    const shown: Shown = {
      subject: this.#subject,
      mode: this.#mode,
      stage: this.#stage,
      name: this.#known.name,
      account,
      kind: account && kinds.get(account.provider),
      session: this.#known.session,
      pages: this.#pages,
      knowsSteering: this.#parts.memory.get(steeringKey) === true,
      knowsClipboard: this.#parts.memory.get(clipboardKey) === true,
      hint: this.#hint,
      lasts: this.panel.visible || this.#staysConnected,
    };
    this.#post(panelState(shown, store, clock.now()));
  }

  #post(message: ToPanel): void {
    if (!this.#ready) return;
    // It resolves to whether the page was there to take it, which it may just not be.
    void this.panel.webview.postMessage(message);
  }
}
