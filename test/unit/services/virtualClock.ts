import type { Clock } from '../../../src/core/clock.ts';

/** Milliseconds of real time in which nothing is due: modules are loaded during that time, and files read. */
const mostIdleMs = 5_000;
/** Milliseconds of real time that requests may take. */
const mostBusyMs = 20_000;

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/**
 * How many turns of the event loop may pass between two requests that follow one another: the next is only sent once
 * modules, keys and routes were looked up.
 */
const mostTurnsBetween = 20;

/** Time that stands still while anything can be done, and then jumps to what is due next. */
export class VirtualClock implements Clock {
  /** Whether real requests are on their way: no time passes until they are answered. */
  isBusy: (() => boolean) | undefined;
  #now = 1_000_000;
  /** How far the time of day was moved. */
  #jumped = 0;
  #timers = new Set<Timer>();

  now = (): number => this.#now;

  monotonic = (): number => this.#now - this.#jumped;

  after = (ms: number, run: () => void): { dispose: () => void } => {
    const timer = { at: this.#now + Math.max(0, ms), run };
    this.#timers.add(timer);
    return { dispose: () => this.#timers.delete(timer) };
  };

  /** Sets the time of day; timers still fire as long from now as before. */
  jump(ms: number): void {
    this.#now += ms;
    this.#jumped += ms;
    this.#timers = new Set([...this.#timers].map(({ at, run }) => ({ at: at + ms, run })));
  }

  /** Lets time pass in which no timer can fire. */
  block(ms: number): void {
    this.#now += ms;
  }

  /** Waits, in this time. */
  wait = (ms: number): Promise<void> => new Promise((resolve) => this.after(ms, resolve));

  /**
   * Lets time pass until a promise settles.
   * @throws when that takes more than `mostMs` of this time, or when nothing is due and it still doesn't settle.
   */
  async until<T>(promise: Promise<T>, mostMs: number): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    const end = this.#now + mostMs;
    for (let busyAt = Date.now(); ; ) {
      await this.#idle(() => settled);
      if (settled) return promise;
      let next: Timer | undefined;
      for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer;
      if (next === undefined) {
        if (Date.now() - busyAt > mostIdleMs) throw new Error('nothing is due, and it did not end');
        continue;
      }
      busyAt = Date.now();
      if (next.at > end) throw new Error(`it did not end within ${mostMs} ms`);
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
  }

  /** Does everything that can be done without time passing. */
  async #idle(isOver: () => boolean): Promise<void> {
    const turns = this.isBusy === undefined ? 1 : mostTurnsBetween;
    const busyAt = Date.now();
    for (let idle = 0; idle < turns && !isOver(); idle++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.isBusy?.() !== true) continue;
      idle = -1;
      if (Date.now() - busyAt > mostBusyMs) throw new Error('requests were on their way for too long');
      // Leaves the processor to what answers them.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}
