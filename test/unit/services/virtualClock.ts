import type { Clock } from '../../../src/core/clock.ts';

/** Milliseconds of real time in which nothing is due: modules are loaded during that time, and files read. */
const mostIdleMs = 5_000;

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Time that stands still while anything can be done, and then jumps to what is due next. */
export class VirtualClock implements Clock {
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
      // Everything that can be done without time passing.
      await new Promise((resolve) => setImmediate(resolve));
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
}
