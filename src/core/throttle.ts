import type { Disposable } from './event.ts';

/**
 * Does something that is often asked for: at once, and what is asked for within `ms` milliseconds after that together,
 * when they are over.
 */
export class Throttle implements Disposable {
  readonly #run: () => void;
  readonly #ms: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsked = false;

  constructor(run: () => void, ms: number) {
    this.#run = run;
    this.#ms = ms;
  }

  ask(): void {
    this.#isAsked = true;
    if (this.#timer === undefined) this.#runAsked();
  }

  /** Whether something was asked for that is still to be done. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** What is still to be done is not. */
  dispose(): void {
    clearTimeout(this.#timer);
  }

  #runAsked(): void {
    this.#timer = undefined;
    if (!this.#isAsked) return;
    this.#isAsked = false;
    this.#timer = setTimeout(() => this.#runAsked(), this.#ms);
    this.#run();
  }
}
