import type { PictureSize } from '../../cdp/attachedPage.ts';
import type { Frame } from '../../cdp/frameQueue.ts';
import type { SessionDevtools } from '../../core/cdp.ts';
import type { Clock } from '../../core/clock.ts';
import type { Disposable } from '../../core/event.ts';
import type { PageId } from '../../core/ids.ts';
import type { ViewMode } from '../../core/liveView.ts';
import type { Page } from '../../core/page.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { PageLoader } from '../../services/sessions/pageLists.ts';
import { effectCard, pausedCard, troubleCard, waitingCard } from '../text/watching.ts';
import { KnownSession } from './knownSession.ts';
import { findObstacle, type ObstacleParts } from './obstacles.ts';
import { cardStage, isPaused, isWatching, type Stage, sendsPictures } from './panelState.ts';
import type { ThrottledRefresh } from './throttledRefresh.ts';
import {
  type Consent,
  closeLink,
  findViewSource,
  noConsent,
  type Subject,
  type ViewSource,
  type ViewSourceParts,
} from './viewSource.ts';

/** Before each new try after a connection was lost. */
const retriesMs = [500, 1_000, 2_000, 4_000];
/** After this long a frame that may be blank is said to be one. */
const hintMs = 8_000;
/** How many times a viewer that was resumed may take the keyboard while it loads. */
const forgivenTimes = 3;
/** What a connection works with. */
export interface LiveConnectionParts extends ViewSourceParts, ObstacleParts {
  readonly throttledRefresh: ThrottledRefresh;
  readonly pageLists: PageLoader;
  readonly clock: Clock;
}

/** The panel that a connection is for. */
export interface ConnectionOwner {
  /** Whether somebody sees it. */
  readonly isSeen: () => boolean;
  /** Whether it stays connected while nobody sees it. */
  readonly staysConnected: () => boolean;
  /** More may be known of the session, such as what it is called. */
  readonly onLearn: () => void;
  /** Something else is to be drawn. */
  readonly onChange: () => void;
  readonly onFrame: (frame: Frame) => void;
}

/** One panel's way to its session: what it is connected to, or why it is to nothing. It is made again when it is lost. */
export class LiveConnection implements Disposable {
  /** What it was made for, whatever page was chosen since. */
  readonly openedFor: Subject;
  readonly #parts: LiveConnectionParts;
  readonly #owner: ConnectionOwner;
  /** What is known of the session. */
  readonly known: KnownSession;
  #subject: Subject;
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
  /** Stands for one way to see the session; aborted when another takes its place. */
  #connection = new AbortController();
  #timer: Disposable | undefined;
  #watching: Disposable | undefined;

  constructor(subject: Subject, parts: LiveConnectionParts, owner: ConnectionOwner) {
    this.openedFor = subject;
    this.#subject = subject;
    this.#parts = parts;
    this.#owner = owner;
    this.known = new KnownSession(parts, subject);
    this.known.learn();
  }

  /** Ends the connection, and leaves the session alone. */
  dispose(): void {
    this.#disposed = true;
    this.disconnect();
  }

  get subject(): Subject {
    return this.#subject;
  }

  get stage(): Stage {
    return this.#stage;
  }

  get mode(): ViewMode {
    return this.#mode;
  }

  /** Whether what is framed may turn out to be blank. */
  get hint(): boolean {
    return this.#hint;
  }

  get pages(): readonly Page[] {
    return this.#stage.kind === 'cast' ? this.#stage.screencast.state.pages : this.known.pages;
  }

  /** Whether it is connected to the session. */
  get isWatching(): boolean {
    return isWatching(this.#stage);
  }

  /** Connects to the session and shows it, or says why it cannot. Never rejects. */
  async connect(consent: Consent = noConsent): Promise<void> {
    if (this.#disposed) return;
    const again = this.#stage.kind === 'lost';
    this.disconnect();
    const connection = this.#connection;
    const isLate = () => connection.signal.aborted;
    if (!this.#owner.isSeen() && !this.#owner.staysConnected()) return;
    this.#watching = this.#parts.refresher.watch(this.#subject.accountId);
    this.#set(again ? { kind: 'lost' } : { kind: 'card', card: waitingCard() });
    try {
      const obstacle = await this.#obstacle();
      if (isLate()) return;
      if (obstacle !== undefined) {
        this.#set(obstacle);
        return;
      }
      const viewSource = await findViewSource(this.#parts, this.#subject, this.#mode, consent, connection.signal);
      if (!isLate()) await this.#see(viewSource);
      else if (viewSource.kind === 'devtools') viewSource.devtools.connection.dispose();
      else if ('view' in viewSource) void closeLink(viewSource.view);
    } catch (error) {
      if (!isLate()) this.#fail(ProviderError.from(error));
    }
  }

  /** Shows that a session is over, or its account gone. What was last seen of it stays behind the words. */
  conclude(): void {
    if (this.#stage.kind === 'over') return;
    const over = this.#over();
    this.#learn();
    this.disconnect();
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
      if (this.known.isGone && this.isWatching) this.onSessionUnlisted(false);
      else this.#owner.onChange();
    }
  }

  /** Follows that its account has another key, or another address. */
  followKey(): void {
    this.known.noteOtherKey();
    if (this.isWatching) void this.connect();
  }

  /** Shows the session after all, where the user was told what watching does and wants it at this provider. */
  followConsent(): void {
    if (this.#stage.kind === 'card' && this.#stage.effect === true) void this.connect();
  }

  /** Follows a session out of its list. A browser that still sends pictures is not over, whatever a list leaves out. */
  onSessionUnlisted(byYou: boolean): void {
    if (byYou || !sendsPictures(this.#stage)) this.conclude();
  }

  /** Follows that nobody sees the panel any longer. */
  hide(): void {
    if (this.#stage.kind !== 'over' && !isPaused(this.#stage)) this.disconnect();
  }

  /** Follows that the framed page says that its session is over. */
  hearFarewell(): void {
    // Said once for each frame: a page that goes on saying it is not to have the account listed again and again.
    if (this.#farewellOf === this.#frameNumber) return;
    this.#farewellOf = this.#frameNumber;
    void this.#parts.refresher.refresh(this.#subject.accountId);
  }

  /** Shows another page of the session; without one whatever it shows. */
  choose(page: PageId | undefined): void {
    this.#subject = { ...this.#subject, pageId: page };
    if (this.#stage.kind === 'cast') {
      this.#stage.screencast.choose(page);
      this.#owner.onChange();
    } else void this.connect();
  }

  setMode(mode: ViewMode): void {
    this.#mode = mode;
    const stage = this.#stage;
    if (stage.kind === 'cast') stage.screencast.setSteering(mode === 'interact');
    if (stage.kind === 'frame' && stage.view.fixedMode) void this.connect();
    else this.#owner.onChange();
  }

  /** Asks for pictures of another size. */
  resize(size: PictureSize): void {
    this.#size = size;
    if (this.#stage.kind === 'cast') this.#stage.screencast.resize(size);
  }

  /** Connects again because the user wants it; what is over is looked at again. */
  reload(): void {
    this.#retries = 0;
    void (this.#stage.kind === 'over' ? this.#lookAgain() : this.connect());
  }

  /** Shows nothing of a frame that took the keyboard (`undefined` for the one shown), until the user wants that again. */
  pause(frameNumber: number | undefined, isElsewhere: boolean): void {
    if (frameNumber !== undefined && frameNumber !== this.#frameNumber) return;
    if (this.#stage.kind === 'frame') {
      this.#parts.logger.info(`live view of ${this.#subject.sessionId}: paused, it took the keyboard`);
      this.disconnect();
    } else if (!isPaused(this.#stage)) return;
    this.#set({ kind: 'card', card: pausedCard(isElsewhere), paused: true });
  }

  /** Shows what was paused again. */
  resume(): void {
    this.#forgives = forgivenTimes;
    void this.connect();
  }

  /** Uses the link that works once. */
  openOnce(): void {
    const stage = this.#stage;
    if (stage.kind !== 'card' || stage.once === undefined) return;
    // The link is used now, and not closed with the card that told of it.
    this.#stage = { kind: 'idle' };
    void this.connect({ ...noConsent, once: stage.once });
  }

  hideHint(): void {
    this.#hint = false;
    this.#owner.onChange();
  }

  async #obstacle(): Promise<Stage | undefined> {
    const obstacle = await findObstacle(this.#parts, this.#subject, this.known, () => this.#learn());
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
    void this.#parts.pageLists.load(this.#subject.accountId, this.#subject.sessionId);
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
      this.#owner.onFrame(frame);
    });
    let known = 0;
    screencast.onDidChange(({ condition, pages }) => {
      // Left out of the list before, when it still sent pictures.
      if (condition === 'noPage' && this.known.isGone) {
        this.conclude();
        return;
      }
      this.#owner.onChange();
      // The list is behind what is seen here.
      if (known > 0 && pages.length !== known) this.#parts.throttledRefresh.list(this.#subject.accountId);
      known = pages.length;
    });
    screencast.onLost((error) => this.#lose(error));
    screencast.setSteering(this.#mode === 'interact');
    this.#set({ kind: 'cast', screencast });
    await screencast.start();
  }

  /** Tries again after a connection was lost, and finds out meanwhile whether the session is over. */
  #lose(error: ProviderError): void {
    this.disconnect();
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
    const { accountId, sessionId: id, pageId } = this.#subject;
    // What can be tried again in a moment is, once there was a picture.
    if (this.#stage.kind === 'lost' && this.#retries < retriesMs.length) {
      this.#lose(error);
      return;
    }
    const { logger, store, refresher } = this.#parts;
    logger.info(`live view of ${id}: ${error.message}`);
    if (ProviderError.isOf(error, 'notFound') && pageId !== undefined && this.openedFor.pageId === undefined) {
      // The page that it was turned to is gone, and the panel is about the session.
      this.#subject = { ...this.#subject, pageId: undefined };
      void this.connect();
      return;
    }
    this.disconnect();
    const link = store.capabilities(accountId).has('liveView');
    this.#set({ kind: 'card', card: troubleCard(error, this.known.host, link) });
    // What is not found may be over: the list tells.
    if (ProviderError.isOf(error, 'notFound')) void refresher.refresh(accountId);
  }

  /** Ends the connection, until there is another. */
  disconnect(): void {
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

  #over(): Stage {
    return this.known.over(this.#stage.kind === 'over' ? this.#stage.proof : undefined);
  }

  /** Takes over what is known of the session. */
  #learn(): void {
    this.known.learn();
    this.#owner.onLearn();
  }

  /** Lists the account anew, and sees what has become of a session that was not in its list. */
  async #lookAgain(): Promise<void> {
    await this.#parts.refresher.refresh(this.#subject.accountId);
    this.known.forget();
    if (this.#stage.kind === 'over') await this.connect();
  }

  #set(stage: Stage): void {
    this.#stage = stage;
    this.#owner.onChange();
  }
}
