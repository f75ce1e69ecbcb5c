import type { CdpConnection, CdpEvent, SessionDevtools } from '../core/cdp.ts';
import { sleep } from '../core/clock.ts';
import { type Disposable, Emitter, type Event } from '../core/event.ts';
import type { PageId } from '../core/ids.ts';
import { ProviderError } from '../core/providerError.ts';
import { Throttle } from '../core/throttle.ts';
import { AttachedPage, type PictureSize } from './attachedPage.ts';
import { BackgroundPolling } from './backgroundPolling.ts';
import { type Delivery, type Frame, FrameQueue } from './frameQueue.ts';
import { type PageDialog, type PageEvent, pageEvent } from './pageEvents.ts';
import type { PageInput } from './pageInput.ts';
import { PageTargets } from './pageTargets.ts';
import type { ScreencastOptions, ScreencastState } from './screencastState.ts';

// In Chromium 156, frames come while the page is drawn, at most two of them unacknowledged. A background tab isn't
// drawn, which `screencastVisibilityChanged` reports. A screenshot of it works anyway, and makes the browser draw it
// for that moment.

/** The least time, in milliseconds, for which a page is shown while others open and close. */
const followedEveryMs = 100;
/** How long a screencast may take to report whether its page is drawn, in milliseconds. */
const settleMs = 500;
/** How long a page may be between one browser process and the next, in milliseconds. */
const swapMs = 200;
/**
 * For how long an image of a page must be on the screen before input is sent to it, in milliseconds. A page can open another
 * one between the two clicks of a double click.
 */
const recognizedMs = 500;
/** How often, in milliseconds, the browser is asked for what it doesn't report, and so whether it's still there. */
const askMs = 2_000;

/**
 * Shows a session's page as it changes, over the Chrome DevTools Protocol, and sends input to it. It follows the page
 * through navigations and crashes, and the session to other pages. At most one delivered frame waits while another is
 * drawn.
 */
export class Screencast implements Disposable {
  readonly #connection: CdpConnection;
  readonly #targets: PageTargets;
  readonly #options: ScreencastOptions;
  readonly #frames: FrameQueue;
  readonly #changed = new Emitter<ScreencastState>();
  readonly #lost = new Emitter<ProviderError>();
  readonly #subscriptions: Disposable[];
  readonly #stop = new AbortController();

  #wanted: PageId | undefined;
  #size: PictureSize;
  #isInteractive = false;
  #shown: AttachedPage | undefined;
  #condition: ScreencastState['condition'] = 'opening';
  #dialog: PageDialog | undefined;
  #dialogAt = 0;
  readonly #background: BackgroundPolling;
  /** Shows another page when pages open and close. Hundreds may do so at once. */
  readonly #following = new Throttle(() => this.#inBackground(this.#showWanted()), followedEveryMs);
  #pulse: Disposable | undefined;
  #swap: Disposable | undefined;
  /** Whether the stream may have stopped, for example because a frame couldn't be acknowledged. */
  #isStuck = false;
  /** How many attempts to attach to a page are under way. */
  #attaching = 0;
  /** Counts changes of the page that is shown: answers to requests about an earlier one are dropped. */
  #turn = 0;

  /** Fires with each frame to draw, in order. After two of the same page, the next one waits for {@link drawn}. */
  readonly onFrame: Event<Frame>;
  readonly onDidChange: Event<ScreencastState> = this.#changed.event;
  /** Fires once, when the connection is lost or the browser no longer answers. */
  readonly onLost: Event<ProviderError> = this.#lost.event;

  constructor(devtools: SessionDevtools, options: ScreencastOptions) {
    this.#connection = devtools.connection;
    this.#options = options;
    this.#frames = new FrameQueue(options.clock);
    this.onFrame = this.#frames.onFrame;
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
    if (this.#isInteractive && this.#shown !== undefined) this.#letGo(this.#shown);
    this.#stop.abort();
    this.#following.dispose();
    this.#pulse?.dispose();
    this.#swap?.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#connection.dispose();
  }

  get state(): ScreencastState {
    return { pages: this.#targets.all, shown: this.#shown?.id, condition: this.#condition, dialog: this.#dialog };
  }

  /** Starts. @throws ProviderError as `CdpConnection.send` does; the caller then disposes it. */
  async start(): Promise<void> {
    await this.#targets.discover(this.#stop.signal);
    this.#askAgain();
    await this.#showWanted();
  }

  /** Reports that a frame and those before it are drawn, or can't be; see {@link FrameQueue.drawn}. */
  drawn(number: number, isOnScreen = true): void {
    this.#frames.drawn(number, isOnScreen);
  }

  /** Shows another page. Undefined means the same as for {@link ScreencastOptions.page}. */
  choose(page: PageId | undefined): void {
    this.#wanted = page;
    this.#inBackground(this.#showWanted());
  }

  /** Asks for frames of another size. */
  resize(size: PictureSize): void {
    if (size?.width === this.#size?.width && size?.height === this.#size?.height) return;
    this.#size = size;
    if (this.#shown !== undefined) this.#restartCast(this.#shown);
  }

  /**
   * Sets whether the user interacts. Only then does the browser report dialogs: some browsers answer them by themselves
   * as long as no client listens for them.
   */
  setInteractive(isInteractive: boolean): void {
    if (isInteractive === this.#isInteractive) return;
    this.#isInteractive = isInteractive;
    if (this.#shown === undefined) return;
    this.#inBackground(isInteractive ? this.#takeOver(this.#shown) : this.#handBack(this.#shown));
  }

  /**
   * Whether input is sent to the page: only while the user interacts, and once they have seen an image of the page for a
   * moment. Input on the image of the previous page, or of what was there before it, isn't meant for it.
   */
  get takesInput(): boolean {
    const isSeen = (this.#frames.seenForMs ?? 0) >= recognizedMs;
    const isCurrent = this.#condition === 'live' || this.#condition === 'background';
    return this.#isInteractive && this.#shown !== undefined && isSeen && isCurrent;
  }

  /** Sends the user's input to the page, if it {@link takesInput}. */
  input(input: PageInput): void {
    if (this.takesInput && this.#shown !== undefined) this.#inBackground(this.#shown.input(input));
  }

  /** Answers the open dialog, unless it has only just opened: the answer is meant for the previous one. */
  answerDialog(accept: boolean): void {
    const isRead = this.#dialog !== undefined && this.#options.clock.monotonic() - this.#dialogAt >= recognizedMs;
    if (this.#isInteractive && isRead && this.#shown !== undefined)
      this.#inBackground(this.#shown.answerDialog(accept));
  }

  async #showWanted(): Promise<void> {
    const pages = this.#targets.all;
    const wanted = pages.find(({ id }) => id === this.#wanted);
    // A closed page isn't wanted any longer, so that the one that opens in its place is shown.
    if (wanted === undefined) this.#wanted = undefined;
    const first = this.#turn === 0 ? pages.find(({ id }) => id === this.#options.first) : undefined;
    const page = wanted ?? first ?? pages.at(-1);
    if (page !== undefined && page.id === this.#shown?.id) return;
    await this.#show(page?.id);
  }

  async #show(page: PageId | undefined): Promise<void> {
    const turn = ++this.#turn;
    const before = this.#shown;
    // What is pressed there is released first: the user releases it on the image of another page.
    if (this.#isInteractive && before !== undefined) this.#letGo(before);
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
      // If the page has gone, the browser reported that before it refused, and showing another one has begun.
      if (turn === this.#turn) throw error;
    }
  }

  async #attach(page: PageId, turn: number): Promise<void> {
    this.#attaching++;
    const attached = this.#targets.attach(page, this.#stop.signal).finally(() => this.#attaching--);
    const shown = new AttachedPage(page, await attached, this.#connection, this.#stop.signal);
    if (turn !== this.#turn) return shown.leave();
    this.#shown = shown;
    if (this.#isInteractive) this.#inBackground(this.#takeOver(shown));
    // Not awaited: there may be no screenshot of a window that the system doesn't draw.
    this.#inBackground(this.#shoot(shown));
    await shown.startCast(this.#size);
    this.#tell();
    return undefined;
  }

  /** Tries again with the next pulse if Chrome refuses, as it does while the page goes to another site. */
  #restartCast(shown: AttachedPage): void {
    shown.restartCast(this.#size).catch((error: unknown) => {
      if (this.#shown === shown) this.#isStuck = true;
      this.#report(error);
    });
  }

  async #takeOver(shown: AttachedPage): Promise<void> {
    await shown.takeDialogs();
    // The user may have stopped interacting in the meantime, or gone to another page.
    const isMeant = () => this.#isInteractive && this.#shown === shown;
    // A screencast that has just started hasn't reported yet whether its page is drawn.
    if (isMeant() && this.#condition !== 'background') await sleep(this.#options.clock, settleMs, this.#stop.signal);
    if (isMeant() && this.#condition === 'background') await shown.bringToFront();
  }

  /** Leaves dialogs to the browser and its other clients again. That ends the screencast, so it's started again. */
  async #handBack(shown: AttachedPage): Promise<void> {
    this.#letGo(shown);
    this.#tell();
    const left = shown.leaveDialogs();
    // Sent right after it: a busy page may take long to answer, and no frame must be missed until then.
    await Promise.all([left, shown.startCast(this.#size)]);
  }

  /**
   * Cancels the open dialog, and releases what is pressed, before the client that could do so leaves: Chrome forgets a dialog
   * together with the client that it reported it to, and the page then waits forever. Sent even if no dialog is known, because a
   * report of one may not have arrived yet. If there is none, Chrome refuses, which does no harm.
   */
  #letGo(shown: AttachedPage): void {
    this.#dialog = undefined;
    shown.answerDialog(false).catch(() => {});
    this.#inBackground(shown.releaseAll());
  }

  #shoot(shown: AttachedPage): Promise<void> {
    return this.#background.during(async () => {
      const picture = await shown.shoot();
      // A page that is drawn has sent newer frames by itself in the meantime.
      if (this.#shown !== shown || (this.#condition === 'live' && !this.#background.isPolling)) return;
      this.#receive({ picture, acknowledge: () => {} });
    });
  }

  #hear(event: CdpEvent): void {
    const shown = this.#shown;
    if (shown === undefined) return;
    const { method, params, target } = event;
    if (method === 'Target.detachedFromTarget' && params['sessionId'] === shown.target) this.#hearDetached();
    const parsed = target === shown.target ? pageEvent(event) : undefined;
    switch (parsed?.kind) {
      case 'frame':
        this.#hearFrame(shown, parsed);
        return;
      case 'visibility':
        this.#hearVisibility(shown, parsed.visible);
        return;
      case 'navigated':
        this.#frames.beginDocument();
        // The only image of the new document may have come before this.
        this.#isStuck = true;
        return;
      case 'reloadedAfterCrash':
        this.#frames.beginDocument();
        this.#restartCast(shown);
        return;
      case 'dialog':
        // It was canceled when interacting stopped, while its report was on the way.
        if (!this.#isInteractive) return;
        this.#dialog = parsed.dialog;
        this.#dialogAt = this.#options.clock.monotonic();
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
    // A page that closed is reported as such right after this; one that moved to another process is shown again.
    this.#swap = this.#options.clock.after(swapMs, () => {
      if (this.#shown === undefined) this.#inBackground(this.#showWanted());
    });
  }

  #hearFrame(shown: AttachedPage, { ackId, picture }: Extract<PageEvent, { readonly kind: 'frame' }>): void {
    // It can't be acknowledged, and may hold back others until the screencast is restarted.
    if (ackId === undefined) {
      this.#isStuck = true;
      return;
    }
    const acknowledge = () => this.#inBackground(shown.acknowledge(ackId));
    // The screenshot itself has the same image.
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
      if (isShown || (this.#shown === undefined && this.#turn > 0)) this.#following.ask();
    } else if (kind === 'opened' && this.#turn > 0 && this.#wanted === undefined) {
      this.#following.ask();
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

  /** A socket may stall without being closed: only if the browser answers is what it shows still current. */
  #askAgain(): void {
    this.#pulse = this.#options.clock.after(askMs, () => {
      this.#targets.update(this.#stop.signal).then(
        () => {
          if (this.#isStuck && this.#shown !== undefined) this.#restartCast(this.#shown);
          this.#isStuck = false;
          // A page that couldn't be attached to is tried again.
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

  /** Runs something in the background. It may fail because a page has just gone. */
  #inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#report(error));
  }

  #report(error: unknown): void {
    if (!this.#stop.signal.aborted) this.#options.onTrouble(ProviderError.from(error));
  }
}
