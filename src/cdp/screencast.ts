import type { CdpConnection, CdpEvent, SessionDevtools } from '../core/cdp.ts';
import { type Clock, sleep } from '../core/clock.ts';
import { type Disposable, Emitter, type Event } from '../core/event.ts';
import type { PageId } from '../core/ids.ts';
import type { Page } from '../core/page.ts';
import { ProviderError } from '../core/providerError.ts';
import { AttachedPage, type PictureSize } from './attachedPage.ts';
import { BackgroundPolling } from './backgroundPolling.ts';
import { type Delivery, type Frame, FrameQueue } from './frameQueue.ts';
import { type PageDialog, type PageEvent, pageEvent } from './pageEvents.ts';
import type { PageInput } from './pageInput.ts';
import { PageTargets } from './pageTargets.ts';

// How the picture is had was read off Chromium 156: frames come while the page is drawn, at most two that are not
// acknowledged; a tab in the background is not drawn, which `screencastVisibilityChanged` tells; a screenshot can be had
// of it all the same, and makes the browser draw it for that moment.

/** How long a screencast may take to tell whether its page is drawn. */
const settleMs = 500;
/** How long a page may be between one browser process and the next. */
const swapMs = 200;
/** How often the browser is asked for what it does not tell by itself, and so whether it is still there. */
const askMs = 2_000;

/** What is to be seen of a session besides its pictures. */
export interface ScreencastState {
  readonly pages: readonly Page[];
  readonly shown: PageId | undefined;
  /**
   * `opening` until the page's first picture; `background` where it is in a tab behind others, so that one picture a second
   * is all there is; `crashed` until there is a picture of it loaded anew; `noPage` where the session has none.
   */
  readonly condition: 'opening' | 'live' | 'background' | 'crashed' | 'noPage';
  /** Only told while the user steers; see {@link Screencast.setSteering}. */
  readonly dialog: PageDialog | undefined;
}

/** What a screencast is made with. */
export interface ScreencastOptions {
  readonly clock: Clock;
  /**
   * The page to be shown; without one, or where it is not there (any longer), the last of `PageTargets.all`, and each that
   * is opened after it.
   */
  readonly page: PageId | undefined;
  readonly size: PictureSize;
  /** Called with what went wrong and harms nothing, such as input that the page did not take. */
  readonly onTrouble: (error: ProviderError) => void;
}

/**
 * Shows a session's page as it changes, by the Chrome DevTools Protocol, and takes input to it. It follows the page
 * through navigations and crashes, and the session to other pages. Of the frames that were handed over at most one waits
 * while another is drawn.
 */
export class Screencast implements Disposable {
  readonly #connection: CdpConnection;
  readonly #targets: PageTargets;
  readonly #options: ScreencastOptions;
  readonly #frames = new FrameQueue();
  readonly #changed = new Emitter<ScreencastState>();
  readonly #lost = new Emitter<ProviderError>();
  readonly #subscriptions: Disposable[];
  readonly #stop = new AbortController();

  #wanted: PageId | undefined;
  #size: PictureSize;
  #steering = false;
  #shown: AttachedPage | undefined;
  #condition: ScreencastState['condition'] = 'opening';
  #dialog: PageDialog | undefined;
  readonly #background: BackgroundPolling;
  #pulse: Disposable | undefined;
  #swap: Disposable | undefined;
  /** Whether a frame came that could not be acknowledged, so that the stream may not go on. */
  #isStuck = false;
  /** How many pages are being attached to. */
  #attaching = 0;
  /** Counts the changes of the page that is shown: what was asked about one before is of no use. */
  #turn = 0;

  /** Fires with each frame to be drawn, in order. After two of the same page the next one comes after {@link drawn}. */
  readonly onFrame: Event<Frame> = this.#frames.onFrame;
  readonly onDidChange: Event<ScreencastState> = this.#changed.event;
  /** Fires once, when the connection is lost or does not answer any longer. */
  readonly onLost: Event<ProviderError> = this.#lost.event;

  constructor(devtools: SessionDevtools, options: ScreencastOptions) {
    this.#connection = devtools.connection;
    this.#options = options;
    this.#background = new BackgroundPolling(options.clock);
    this.#wanted = options.page;
    this.#size = options.size;
    this.#targets = new PageTargets(devtools);
    this.#subscriptions = [
      this.#targets,
      this.#background,
      this.#connection.onEvent((event) => this.#hear(event)),
      this.#connection.onClose(() =>
        this.#lose(new ProviderError({ kind: 'unreachable', why: 'cut' }, 'the connection to DevTools was closed')),
      ),
      this.#targets.onDidChange(({ kind, page }) => this.#followPages(kind, page)),
    ];
  }

  dispose(): void {
    if (this.#steering && this.#shown !== undefined) this.#cancelDialog(this.#shown);
    this.#stop.abort();
    this.#pulse?.dispose();
    this.#swap?.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#connection.dispose();
  }

  get state(): ScreencastState {
    return {
      pages: this.#targets.all,
      shown: this.#shown?.id,
      condition: this.#condition,
      dialog: this.#dialog,
    };
  }

  /** Begins. @throws ProviderError as `CdpConnection.send` does; it is then to be disposed. */
  async start(): Promise<void> {
    await this.#targets.discover(this.#stop.signal);
    this.#askAgain();
    await this.#showWanted();
  }

  /** Says that a frame is on the screen, or cannot be drawn, and with it those before it; one that waits then comes. */
  drawn(number: number): void {
    this.#frames.drawn(number);
  }

  /** Shows another page, or, without one, what a screencast without a page shows. */
  choose(page: PageId | undefined): void {
    this.#wanted = page;
    this.#inBackground(this.#showWanted());
  }

  /** Asks for pictures of another size. */
  resize(size: PictureSize): void {
    if (size?.width === this.#size?.width && size?.height === this.#size?.height) return;
    this.#size = size;
    if (this.#shown !== undefined) this.#restartCast(this.#shown);
  }

  /**
   * Says whether the user steers. Only then does the browser tell of dialogs: some browsers answer them by themselves as
   * long as nobody wants to hear of them.
   */
  setSteering(steering: boolean): void {
    if (steering === this.#steering) return;
    this.#steering = steering;
    if (this.#shown === undefined) return;
    this.#inBackground(steering ? this.#takeOver(this.#shown) : this.#handBack(this.#shown));
  }

  /**
   * Does to the page what a user did to its picture. Dropped while nobody steers, and until there is a picture of the
   * page: what is done to that of the one before is not meant for it.
   */
  input(input: PageInput): void {
    const shown = this.#shown;
    const isSeen = this.#condition === 'live' || this.#condition === 'background';
    if (!this.#steering || shown === undefined || !isSeen) return;
    this.#inBackground(shown.input(input));
  }

  /** Answers the dialog that is open. */
  answerDialog(accept: boolean): void {
    const shown = this.#shown;
    if (!this.#steering || shown === undefined || this.#dialog === undefined) return;
    this.#inBackground(shown.answerDialog(accept));
  }

  async #showWanted(): Promise<void> {
    const pages = this.#targets.all;
    const wanted = pages.find(({ id }) => id === this.#wanted);
    // One that has closed is wanted no longer, so that what opens in its place is shown.
    if (wanted === undefined) this.#wanted = undefined;
    const page = wanted ?? pages.at(-1);
    if (page !== undefined && page.id === this.#shown?.id) return;
    await this.#show(page?.id);
  }

  async #show(page: PageId | undefined): Promise<void> {
    const turn = ++this.#turn;
    const before = this.#shown;
    if (this.#steering && before !== undefined) this.#cancelDialog(before);
    this.#shown = undefined;
    this.#dialog = undefined;
    this.#stopPolling();
    this.#frames.forget();
    this.#set(page === undefined ? 'noPage' : 'opening');
    if (before !== undefined) this.#inBackground(before.leave());
    if (page === undefined) return;
    try {
      await this.#attach(page, turn);
    } catch (error) {
      // One that went meanwhile makes way for another, of which the browser has told before it refused.
      if (turn === this.#turn) throw error;
    }
  }

  async #attach(page: PageId, turn: number): Promise<void> {
    this.#attaching++;
    const attached = this.#targets.attach(page, this.#stop.signal).finally(() => this.#attaching--);
    const shown = new AttachedPage(page, await attached, this.#connection, this.#stop.signal);
    if (turn !== this.#turn) return shown.leave();
    this.#shown = shown;
    if (this.#steering) this.#inBackground(this.#takeOver(shown));
    // Not waited for: of a window that the system does not draw there may be no picture.
    this.#inBackground(this.#shoot(shown));
    await shown.startCast(this.#size);
    this.#tell();
    return undefined;
  }

  /** Chrome changes nothing about a screencast that is under way. */
  #restartCast(shown: AttachedPage): void {
    this.#inBackground(shown.stopCast());
    this.#inBackground(shown.startCast(this.#size));
  }

  async #takeOver(shown: AttachedPage): Promise<void> {
    await shown.takeDialogs();
    // The user may have stopped meanwhile, or gone to another page.
    const isMeant = () => this.#steering && this.#shown === shown;
    // A screencast that has only just begun has not told yet whether its page is drawn.
    if (isMeant() && this.#condition !== 'background') await sleep(this.#options.clock, settleMs, this.#stop.signal);
    if (isMeant() && this.#condition === 'background') await shown.bringToFront();
  }

  /** Leaves dialogs to the browser and its other clients again. The screencast ends with that, and so begins anew. */
  async #handBack(shown: AttachedPage): Promise<void> {
    this.#cancelDialog(shown);
    this.#tell();
    const left = shown.leaveDialogs();
    // Sent right behind it, because a page that is busy may take long to answer, and no picture is missed meanwhile.
    await Promise.all([left, shown.startCast(this.#size)]);
  }

  /**
   * Cancels the dialog that is open, before whoever could answer it leaves: Chrome forgets a dialog together with the
   * client that it told of it, and the page then waits for ever. Said also where none is known to be open, because one may
   * have been told of that was not heard yet; Chrome then refuses, and nothing comes of it.
   */
  #cancelDialog(shown: AttachedPage): void {
    this.#dialog = undefined;
    shown.answerDialog(false).catch(() => {});
  }

  #shoot(shown: AttachedPage): Promise<void> {
    return this.#background.during(async () => {
      const picture = await shown.shoot();
      // A page that is drawn has sent newer pictures by itself meanwhile.
      if (this.#shown !== shown || (this.#condition === 'live' && !this.#background.isPolling)) return;
      this.#receive({ picture, acknowledge: () => {} });
    });
  }

  #hear(event: CdpEvent): void {
    const shown = this.#shown;
    if (shown === undefined) return;
    const { method, params, target } = event;
    if (method === 'Target.detachedFromTarget' && params['sessionId'] === shown.target) this.#hearDetached();
    const told = target === shown.target ? pageEvent(event) : undefined;
    switch (told?.kind) {
      case 'frame':
        this.#hearFrame(shown, told);
        return;
      case 'visibility':
        this.#hearVisibility(shown, told.visible);
        return;
      case 'reloadedAfterCrash':
        this.#restartCast(shown);
        return;
      case 'dialog':
        // It was cancelled together with the steering while word of it was on its way.
        if (!this.#steering) return;
        this.#dialog = told.dialog;
        this.#tell();
        return;
      default:
    }
  }

  #hearDetached(): void {
    this.#turn++;
    this.#shown = undefined;
    this.#dialog = undefined;
    this.#frames.forget();
    this.#set('opening');
    // A page that closes is told of right behind it; one that was swapped for another is shown again.
    this.#swap = this.#options.clock.after(swapMs, () => {
      if (this.#shown === undefined) this.#inBackground(this.#showWanted());
    });
  }

  #hearFrame(shown: AttachedPage, { ackId, picture }: Extract<PageEvent, { readonly kind: 'frame' }>): void {
    // It cannot be acknowledged, and may keep others from coming until the screencast begins anew.
    if (ackId === undefined) {
      this.#isStuck = true;
      return;
    }
    const acknowledge = () => this.#inBackground(shown.acknowledge(ackId));
    // The screenshot itself has the same picture.
    if (picture === undefined || (this.#background.isPolling && this.#background.isOwnDoing)) {
      acknowledge();
      return;
    }
    this.#stopPolling();
    this.#receive({ picture, acknowledge });
  }

  #hearVisibility(shown: AttachedPage, visible: boolean): void {
    this.#background.noteVisible(visible);
    if (!visible) this.#startPolling(shown);
    else if (!this.#background.isOwnDoing) this.#stopPolling();
  }

  #startPolling(shown: AttachedPage): void {
    this.#background.start({
      shoot: () => this.#shoot(shown),
      isShown: () => this.#shown === shown && !this.#stop.signal.aborted,
      onDrawn: () => this.#stopPolling(),
      onTrouble: (error) => this.#report(error),
    });
    if (this.#condition === 'live') this.#set('background');
  }

  #stopPolling(): void {
    this.#background.stop();
    if (this.#condition === 'background') this.#set('live');
  }

  #receive(delivery: Delivery): void {
    if (this.#condition === 'opening' || this.#condition === 'crashed') {
      this.#set(this.#background.isPolling ? 'background' : 'live');
    }
    this.#frames.add(delivery);
  }

  #followPages(kind: 'opened' | 'changed' | 'closed' | 'crashed', page: PageId): void {
    const isShown = this.#shown?.id === page;
    if (kind === 'crashed' && isShown) this.#set('crashed');
    else if (kind === 'closed') {
      if (this.#wanted === page) this.#wanted = undefined;
      if (isShown || (this.#shown === undefined && this.#turn > 0)) this.#inBackground(this.#showWanted());
    } else if (kind === 'opened' && this.#turn > 0 && this.#wanted === undefined) {
      this.#inBackground(this.#showWanted());
    }
    this.#tell();
  }

  #set(condition: ScreencastState['condition']): void {
    if (this.#condition === condition) return;
    this.#condition = condition;
    this.#tell();
  }

  #tell(): void {
    this.#changed.fire(this.state);
  }

  /** A socket may stall without being closed: only a browser that answers is one that still shows what is so. */
  #askAgain(): void {
    this.#pulse = this.#options.clock.after(askMs, () => {
      this.#targets.update(this.#stop.signal).then(
        () => {
          if (this.#isStuck && this.#shown !== undefined) this.#restartCast(this.#shown);
          this.#isStuck = false;
          // One that could not be attached to is tried again.
          if (this.#shown === undefined && this.#attaching === 0) this.#inBackground(this.#showWanted());
          this.#askAgain();
        },
        (error: unknown) => this.#lose(ProviderError.from(error)),
      );
    });
  }

  #lose(error: ProviderError): void {
    if (this.#stop.signal.aborted) return;
    this.dispose();
    this.#lost.fire(error);
  }

  /** Lets something go on by itself. What it may trip over is a page that has just gone. */
  #inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#report(error));
  }

  #report(error: unknown): void {
    if (!this.#stop.signal.aborted) this.#options.onTrouble(ProviderError.from(error));
  }
}
