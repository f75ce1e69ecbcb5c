import type { Clock } from '../core/clock.ts';
import type { Disposable } from '../core/event.ts';

/** How often a tab in the background is looked at. */
const pollEveryMs = 1_000;
/** Events this soon after a screenshot are taken for its doing. */
const afterShotMs = 400;

/** What a polling of one page works with. */
export interface PolledPage {
  /** Takes a screenshot of the page, by {@link BackgroundPolling.during}. */
  readonly shoot: () => Promise<void>;
  /** Whether the page is still the one that is shown. */
  readonly isShown: () => boolean;
  /** The browser draws the page again. The polling has ended. */
  readonly onDrawn: () => void;
  /** The last screenshot could not be taken. The polling goes on. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Takes pictures of a page in a tab behind others, of which the browser sends none by itself, until it does. A screenshot
 * makes the browser draw the page for a moment, and say so: that is told apart from a tab that has come to the front.
 */
export class BackgroundPolling implements Disposable {
  readonly #clock: Clock;
  #timer: Disposable | undefined;
  #shotEndedAt = Number.NEGATIVE_INFINITY;
  #isShooting = false;
  /** What the browser told last of whether the page is drawn, be it a screenshot's doing or not. */
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

  /** Whether what the browser tells now of drawing the page may be the doing of a screenshot. */
  get isOwnDoing(): boolean {
    return this.#isShooting || this.#clock.now() - this.#shotEndedAt < afterShotMs;
  }

  /** Follows what the browser tells of whether it draws the page. */
  noteVisible(visible: boolean): void {
    this.#isVisible = visible;
  }

  /** Takes a screenshot, and takes what the browser tells meanwhile and shortly after for its doing. */
  async during(shoot: () => Promise<void>): Promise<void> {
    this.#isShooting = true;
    try {
      await shoot();
    } finally {
      this.#isShooting = false;
      this.#shotEndedAt = this.#clock.now();
    }
  }

  /** Begins to look at a page that the browser does not draw, unless it does so already. */
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
    // What the last screenshot did is over by now: one that is visible came to the front while it was looked at.
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
