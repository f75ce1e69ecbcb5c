import type { Clock } from '../core/clock.ts';
import type { Disposable } from '../core/event.ts';

/** How long a question must have been readable until an answer counts, in milliseconds. */
const readingMs = 500;
const askEveryMs = 50;
/** If the window answers later than usual by this much, in milliseconds, it or the connection to it was held up. */
const heldUpMs = 200;
/** How many times a window may be held up until it counts as having shown the question. An answer arrives after the first time. */
const mostHeldUps = 4;

/**
 * Measures how long a dialog has been readable, by asking its window something again and again. If the window or the connection to it
 * is held up, an answer arrives late that may have been given before the dialog could be read.
 */
export class ReadingTime implements Disposable {
  readonly #clock: Clock;
  readonly #askWindow: () => PromiseLike<unknown>;
  #isDisposed = false;
  #readMs = 0;
  #heldUps = 0;
  /** When the window answered last, in monotonic milliseconds. */
  #answeredAt: number | undefined;
  /** The shortest time that the window took for an answer. */
  #usualMs = Number.POSITIVE_INFINITY;

  /** @param askWindow asks the window anything. It answers only once it has received the question that was asked before. */
  constructor(clock: Clock, askWindow: () => PromiseLike<unknown>) {
    this.#clock = clock;
    this.#askWindow = askWindow;
    this.#ask();
  }

  /** Whether the question has been readable for long enough. */
  get isEnough(): boolean {
    return this.#readMs >= readingMs || this.#heldUps >= mostHeldUps;
  }

  /** Begins again: the question may only have been shown now. */
  restart(): void {
    const wasEnough = this.isEnough;
    this.#readMs = 0;
    this.#heldUps = 0;
    this.#answeredAt = undefined;
    if (wasEnough) this.#ask();
  }

  dispose(): void {
    this.#isDisposed = true;
  }

  #ask(): void {
    const askedAt = this.#clock.monotonic();
    const hear = () => this.#hear(askedAt);
    this.#askWindow().then(hear, hear);
  }

  #hear(askedAt: number): void {
    if (this.#isDisposed) return;
    const now = this.#clock.monotonic();
    this.#usualMs = Math.min(this.#usualMs, now - askedAt);
    const sinceMs = now - (this.#answeredAt ?? now);
    if (sinceMs <= askEveryMs + 2 * this.#usualMs + heldUpMs) this.#readMs += sinceMs;
    else this.#heldUps++;
    this.#answeredAt = now;
    if (!this.isEnough) this.#clock.after(askEveryMs, () => this.#ask());
  }
}
