import type { Disposable } from './event.ts';

/**
 * Runs something at most once every `ms` milliseconds: the first request runs at once, and all that follow within `ms`
 * run as one when the time is up.
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

  /** Whether a run is pending. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** Cancels the pending run. */
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
