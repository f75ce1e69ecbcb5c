import type { Clock } from '../core/clock.ts';
import type { Disposable } from '../core/event.ts';

/** Milliseconds between two screenshots of a background tab. */
const pollEveryMs = 1_000;
/** Events within this many milliseconds after a screenshot count as caused by it. */
const afterShotMs = 400;

/** What polling a page needs. */
export interface PolledPage {
  /** Takes a screenshot of the page, using {@link BackgroundPolling.during}. */
  readonly shoot: () => Promise<void>;
  /** Whether this is still the page that is shown. */
  readonly isShown: () => boolean;
  /** Called when the browser draws the page again. Polling has stopped. */
  readonly onDrawn: () => void;
  /** Called when a screenshot couldn't be taken. Polling continues. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Takes screenshots of a page in a background tab, for which the browser sends no frames, until it draws the page
 * again. A screenshot makes the browser draw the page for a moment and report that, which mustn't be mistaken for a tab
 * that came to the front.
 */
export class BackgroundPolling implements Disposable {
  readonly #clock: Clock;
  #timer: Disposable | undefined;
  #shotEndedAt = Number.NEGATIVE_INFINITY;
  #isShooting = false;
  /** Whether the browser last reported that the page is drawn, even if a screenshot caused that. */
  #isVisible = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  dispose(): void {
    this.stop();
  }

  get isPolling(): boolean {
    return this.#timer !== undefined;
  }

  /** Whether what the browser reports now about drawing the page may be caused by a screenshot. */
  get isOwnDoing(): boolean {
    return this.#isShooting || this.#clock.monotonic() - this.#shotEndedAt < afterShotMs;
  }

  /** Notes whether the browser says that it draws the page. */
  noteVisible(visible: boolean): void {
    this.#isVisible = visible;
  }

  /** Takes a screenshot. What the browser reports during it and shortly after counts as caused by it. */
  async during(shoot: () => Promise<void>): Promise<void> {
    this.#isShooting = true;
    try {
      await shoot();
    } finally {
      this.#isShooting = false;
      this.#shotEndedAt = this.#clock.monotonic();
    }
  }

  /** Starts polling a page that the browser doesn't draw, unless it's already being polled. */
  start(page: PolledPage): void {
    if (this.#timer === undefined) this.#next(page);
  }

  stop(): void {
    this.#timer?.dispose();
    this.#timer = undefined;
  }

  #next(page: PolledPage): void {
    this.#timer = this.#clock.after(pollEveryMs, () => void this.#poll(page));
  }

  /** Never rejects. */
  async #poll(page: PolledPage): Promise<void> {
    // The effects of the last screenshot are over by now, so a page that is visible has come to the front since.
    const wasVisible = this.#isVisible;
    try {
      await page.shoot();
    } catch (error) {
      page.onTrouble(error);
    }
    if (this.#timer === undefined || !page.isShown()) return;
    if (wasVisible && this.#isVisible) {
      this.stop();
      page.onDrawn();
    } else this.#next(page);
  }
}
