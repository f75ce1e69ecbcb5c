import type { PictureSize } from '../../cdp/attachedPage.ts';
import type { SessionDevtools } from '../../core/cdp.ts';
import type { Clock } from '../../core/clock.ts';
import type { Disposable } from '../../core/event.ts';
import type { PageId } from '../../core/ids.ts';
import type { ViewMode } from '../../core/liveView.ts';
import type { Page } from '../../core/page.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { PageLoader } from '../../services/sessions/pageLookups.ts';
import { effectCard, pausedCard, troubleCard, waitingCard } from '../text/watching.ts';
import type { ConnectionOwner } from './connectionOwner.ts';
import { type FirstSession, KnownSession } from './knownSession.ts';
import { findObstacle, type ObstacleParts } from './obstacles.ts';
import { cardStage, isPaused, isWatching, needsNewFrame, type Stage, sendsPictures, usesKey } from './panelState.ts';
import type { ThrottledRefresh } from './throttledRefresh.ts';
import { checkUnlisted } from './unlistedCheck.ts';
import {
  type Consent,
  closeLink,
  findViewSource,
  type LiveViewTarget,
  noConsent,
  type ViewSource,
  type ViewSourceParts,
} from './viewSource.ts';

/** Milliseconds before each attempt to reconnect. */
const retriesMs = [500, 1_000, 2_000, 4_000];
/** Milliseconds after which a hint says that the frame may be blank. */
const hintMs = 8_000;
/** How many times a resumed viewer may take the keyboard while it loads. */
const forgivenTimes = 3;

/** What {@link LiveConnection} needs. */
export interface LiveConnectionParts extends ViewSourceParts, ObstacleParts {
  readonly throttledRefresh: ThrottledRefresh;
  readonly pageLists: PageLoader;
  readonly clock: Clock;
}

/** A panel's connection to its session, or the reason why there is none. It's restored when it's lost. */
export class LiveConnection implements Disposable {
  /** What the panel was opened for, whichever page was chosen since. */
  readonly openedFor: LiveViewTarget;
  readonly #parts: LiveConnectionParts;
  readonly #owner: ConnectionOwner;
  readonly known: KnownSession;
  #target: LiveViewTarget;
  #mode: ViewMode = 'watch';
  #stage: Stage = { kind: 'idle' };
  #disposed = false;
  #size: PictureSize;
  #frameNumber = 0;
  #farewellOf = 0;
  #hint = false;
  #retries = 0;
  /** How many times the next frame may take the keyboard while it loads. */
  #forgives = 0;
  /** Aborted when this connection ends or another one replaces it. */
  #connection = new AbortController();
  /** Whether it's finding out what to show. */
  #isConnecting = false;
  /** The page that was shown when the connection ended. */
  #shownBefore: PageId | undefined;
  #timer: Disposable | undefined;
  #watching: Disposable | undefined;

  /** @param restored see {@link KnownSession}. */
  constructor(target: LiveViewTarget, parts: LiveConnectionParts, owner: ConnectionOwner, restored?: FirstSession) {
    this.openedFor = target;
    this.#target = target;
    this.#parts = parts;
    this.#owner = owner;
    this.known = new KnownSession(parts, target, restored);
    this.known.learn();
  }

  /** Disconnects. The session keeps running. */
  dispose(): void {
    this.#disposed = true;
    this.disconnect();
  }

  get target(): LiveViewTarget {
    return this.#target;
  }

  get stage(): Stage {
    return this.#stage;
  }

  get mode(): ViewMode {
    return this.#mode;
  }

  /** Whether to hint that the frame may be blank. */
  get hint(): boolean {
    return this.#hint;
  }

  get pages(): readonly Page[] {
    return this.#stage.kind === 'cast' ? this.#stage.screencast.state.pages : this.known.pages;
  }

  /** Whether it's connected to the session. */
  get isWatching(): boolean {
    return isWatching(this.#stage);
  }

  /** Connects to the session and shows it, or shows why it can't. Never rejects. */
  async connect(consent: Consent = noConsent): Promise<void> {
    if (this.#disposed) return;
    const again = this.#stage.kind === 'lost';
    this.disconnect();
    const connection = this.#connection;
    const isLate = () => connection.signal.aborted;
    if (!this.#owner.isSeen() && !this.#owner.staysConnected()) return;
    this.#watching = this.#parts.refresher.watch(this.#target.accountId);
    this.#set(again ? { kind: 'lost' } : { kind: 'card', card: waitingCard() });
    this.#isConnecting = true;
    try {
      const obstacle = await this.#obstacle();
      if (isLate()) return;
      if (obstacle !== undefined) {
        this.#set(obstacle);
        return;
      }
      const viewSource = await findViewSource(this.#parts, this.#target, this.#mode, consent, connection.signal);
      if (!isLate()) {
        void checkUnlisted(this.known, this.#parts.clock, connection.signal, () => this.onSessionUnlisted(false));
        await this.#see(viewSource);
      } else if (viewSource.kind === 'devtools') viewSource.devtools.connection.dispose();
      else if ('view' in viewSource) void closeLink(viewSource.view);
    } catch (error) {
      if (!isLate()) this.#fail(ProviderError.from(error));
    }
  }

  /** Shows that the session is over, or its account removed. The last image stays behind the card. */
  conclude(): void {
    if (this.#stage.kind === 'over') return;
    const over = this.#over();
    this.#mode = 'watch';
    this.#learn();
    this.disconnect();
    this.#set(over);
  }

  /** Updates what is shown after the store has changed: the session's name, its state, and whether it's listed. */
  follow(): void {
    const state = this.#parts.store.state(this.#target.accountId);
    const listed = state?.contents.sessions.get(this.#target.sessionId);
    const isAnother = this.known.isReplaced;
    // What was typed for the previous session must not go to the one that got its ID.
    if (isAnother) this.#mode = 'watch';
    if (state === undefined) this.conclude();
    else if (listed !== undefined && (isAnother || this.#stage.kind === 'over')) void this.connect();
    else if (this.#stage.kind === 'over') this.#set(this.#over());
    else {
      this.#learn();
      // With another key, the account lists other sessions.
      if (this.known.isGone && this.isWatching) this.onSessionUnlisted(false);
      else this.#owner.onChange();
    }
  }

  /** Updates after the account's key or address has changed. */
  followKey(): void {
    this.known.noteOtherKey();
    // What was typed for a session of the previous key must not go to one that the new key finds under the same ID.
    this.#mode = 'watch';
    if (usesKey(this.#stage) || this.#isConnecting) void this.connect();
  }

  /** Shows the session if it was waiting until the user accepts how watching affects sessions of this provider. */
  followConsent(): void {
    if (this.#stage.kind === 'card' && this.#stage.effect === true) void this.connect();
  }

  /** Updates after the session left the list. A browser that still sends frames is running, whatever the list says. */
  onSessionUnlisted(byYou: boolean): void {
    if (byYou || !sendsPictures(this.#stage)) this.conclude();
  }

  /** Turns Interact off because the panel was hidden, and disconnects unless the session is over or the viewer is paused. */
  hide(): void {
    this.#mode = 'watch';
    if (this.#stage.kind !== 'over' && !isPaused(this.#stage)) this.disconnect();
  }

  /** Lists the account again after the framed page said that its session is over. */
  hearFarewell(): void {
    // Once per frame: a page that keeps saying it must not have the account listed again and again.
    if (this.#farewellOf === this.#frameNumber) return;
    this.#farewellOf = this.#frameNumber;
    void this.#parts.refresher.refresh(this.#target.accountId);
  }

  /** Shows another page of the session; without one, whichever page the session shows. */
  choose(page: PageId | undefined): void {
    this.#target = { ...this.#target, pageId: page };
    if (this.#stage.kind === 'cast') {
      this.#stage.screencast.choose(page);
      this.#owner.onChange();
    } else void this.connect();
  }

  setMode(mode: ViewMode): void {
    this.#mode = mode;
    const stage = this.#stage;
    if (stage.kind === 'cast') stage.screencast.setInteractive(mode === 'interact');
    if (stage.kind === 'frame' && needsNewFrame(stage.view, mode)) void this.connect();
    else this.#owner.onChange();
  }

  /** Asks for frames of another size. */
  resize(size: PictureSize): void {
    this.#size = size;
    if (this.#stage.kind === 'cast') this.#stage.screencast.resize(size);
  }

  /** Reconnects because the user asked for it. If the session is over, checks that again. */
  reload(): void {
    this.#retries = 0;
    void (this.#stage.kind === 'over' ? this.#lookAgain() : this.connect());
  }

  /** Shows nothing of a frame that took the keyboard, until the user wants that again. */
  pause(frameNumber: number, isElsewhere: boolean): void {
    if (this.#stage.kind !== 'frame' || frameNumber !== this.#frameNumber) return;
    this.#parts.logger.info(`live view of ${this.#target.sessionId}: paused, it took the keyboard`);
    this.disconnect();
    this.#set({ kind: 'card', card: pausedCard(isElsewhere), paused: true });
  }

  /** Shows the paused viewer again. */
  resume(): void {
    this.#forgives = forgivenTimes;
    void this.connect();
  }

  /** Opens the link that works only once. */
  openOnce(): void {
    const stage = this.#stage;
    if (stage.kind !== 'card' || stage.once === undefined) return;
    // The link is being used, so it must not be closed together with the card.
    this.#stage = { kind: 'idle' };
    void this.connect({ ...noConsent, once: stage.once });
  }

  hideHint(): void {
    this.#hint = false;
    this.#owner.onChange();
  }

  async #obstacle(): Promise<Stage | undefined> {
    const obstacle = await findObstacle(this.#parts, this.#target, this.known, () => this.#learn());
    if (obstacle === undefined) return undefined;
    if (obstacle.kind === 'over') return this.#over();
    return { kind: 'card', card: effectCard(obstacle.effect, this.#owner.staysConnected()), effect: true };
  }

  async #see(viewSource: ViewSource): Promise<void> {
    if (viewSource.kind === 'devtools') {
      await this.#cast(viewSource.devtools);
      return;
    }
    if (viewSource.kind !== 'frame') {
      this.#set(cardStage(viewSource));
      return;
    }
    const { view, url, uncertain } = viewSource;
    this.#set({ kind: 'frame', view, url, number: ++this.#frameNumber, forgives: this.#forgives });
    this.#forgives = 0;
    void this.#parts.pageLists.load(this.#target.accountId, this.#target.sessionId);
    if (!uncertain) return;
    this.#timer = this.#parts.clock.after(hintMs, () => {
      this.#hint = true;
      this.#owner.onChange();
    });
  }

  async #cast(devtools: SessionDevtools): Promise<void> {
    const { clock, logger } = this.#parts;
    const { signal } = this.#connection;
    const { Screencast: Casting } = await import('../../cdp/screencast.ts');
    const onTrouble = (error: ProviderError) => logger.debug(`live view: ${error.message}`);
    const begin = { page: this.#target.pageId, first: this.#shownBefore };
    const screencast = new Casting(devtools, { clock, ...begin, size: this.#size, onTrouble });
    if (signal.aborted) {
      screencast.dispose();
      return;
    }
    screencast.onFrame((frame) => {
      this.#retries = 0;
      this.#owner.onFrame(frame);
    });
    let known = 0;
    screencast.onDidChange(({ condition, pages }) => {
      // It left the list earlier, while it still sent frames.
      if (condition === 'noPage' && this.known.isGone) {
        this.conclude();
        return;
      }
      this.#owner.onChange();
      // The listed pages are out of date.
      if (known > 0 && pages.length !== known) this.#parts.throttledRefresh.list(this.#target.accountId);
      known = pages.length;
    });
    screencast.onLost((error) => this.#lose(error));
    screencast.setInteractive(this.#mode === 'interact');
    this.#set({ kind: 'cast', screencast });
    await screencast.start();
    // What the user types for the previous page mustn't go to another one.
    if (this.#shownBefore !== undefined && screencast.state.shown !== this.#shownBefore) this.setMode('watch');
    this.#shownBefore = undefined;
  }

  /** Reconnects after a while, a few times. Lists the account first, to see whether the session is over. */
  #lose(error: ProviderError): void {
    this.disconnect();
    const wait = retriesMs[this.#retries++];
    this.#parts.logger.info(`live view of ${this.#target.sessionId}: ${error.message}`);
    if (wait === undefined) {
      this.#fail(error);
      return;
    }
    this.#set({ kind: 'lost' });
    this.#timer = this.#parts.clock.after(wait, () => void this.#reconnect());
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#connection;
    await this.#parts.refresher.refresh(this.#target.accountId);
    if (!signal.aborted && this.#stage.kind === 'lost') await this.connect();
  }

  #fail(error: ProviderError): void {
    const { accountId, sessionId: id, pageId } = this.#target;
    // A failure while reconnecting counts as another lost connection.
    if (this.#stage.kind === 'lost' && this.#retries < retriesMs.length) {
      this.#lose(error);
      return;
    }
    const { logger, store, refresher } = this.#parts;
    logger.info(`live view of ${id}: ${error.message}`);
    if (ProviderError.isOf(error, 'notFound') && pageId !== undefined && this.openedFor.pageId === undefined) {
      // The page that was chosen later is gone, but the panel is about the whole session.
      this.#target = { ...this.#target, pageId: undefined };
      void this.connect();
      return;
    }
    this.disconnect();
    const link = store.capabilities(accountId).has('liveView');
    this.#set({ kind: 'card', card: troubleCard(error, this.known.host, link) });
    // A session that isn't found may be over; listing the account shows whether it is.
    if (ProviderError.isOf(error, 'notFound')) void refresher.refresh(accountId);
  }

  disconnect(): void {
    this.#connection.abort();
    this.#connection = new AbortController();
    this.#timer?.dispose();
    this.#timer = undefined;
    this.#hint = false;
    this.#watching?.dispose();
    this.#watching = undefined;
    if (this.#stage.kind === 'cast') {
      const { screencast } = this.#stage;
      this.#shownBefore = screencast.state.shown ?? this.#shownBefore;
      screencast.dispose();
    }
    if (this.#stage.kind === 'frame') void closeLink(this.#stage.view);
    if (this.#stage.kind === 'card' && this.#stage.once !== undefined) void closeLink(this.#stage.once);
    // The link is forgotten together with its frame.
    this.#stage = { kind: 'idle' };
  }

  #over(): Stage {
    return this.known.over(this.#stage.kind === 'over' ? this.#stage.knownEnd : undefined);
  }

  #learn(): void {
    this.known.learn();
    this.#owner.onLearn();
  }

  /** Lists the account again, and checks again whether an unlisted session has ended. */
  async #lookAgain(): Promise<void> {
    await this.#parts.refresher.refresh(this.#target.accountId);
    this.known.forget();
    if (this.#stage.kind === 'over') await this.connect();
  }

  #set(stage: Stage): void {
    this.#isConnecting = false;
    this.#stage = stage;
    this.#owner.onChange();
  }
}
