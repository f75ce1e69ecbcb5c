import type { Clock } from './clock.ts';
import type { Disposable } from './event.ts';

/** How long a list waits for a side reading, in milliseconds, counted from when the list began. */
const patienceMs = 1_000;

/**
 * Extra information about an account, such as its limits. It's requested rarely, and neither delays its list nor makes it fail.
 */
export class SideReading<T> {
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #read: (signal: AbortSignal) => Promise<T>;
  #value: T | undefined;
  #running: Promise<unknown> | undefined;
  /** When it was last tried, in monotonic milliseconds. */
  #triedAt: number | undefined;

  /** @param lifetimeMs how long it isn't read again, in milliseconds, whether or not that succeeded. */
  constructor(clock: Clock, lifetimeMs: number, read: (signal: AbortSignal) => Promise<T>) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
    this.#read = read;
  }

  /**
   * The last value, after reading it again where that is due. One that takes long is left to finish, for the next call. Call
   * it when a list begins, and await the result at its end. Never rejects.
   */
  async last(signal: AbortSignal): Promise<T | undefined> {
    const now = this.#clock.monotonic();
    const isDue = this.#triedAt === undefined || now - this.#triedAt > this.#lifetimeMs;
    if (isDue && this.#running === undefined) {
      this.#triedAt = now;
      this.#running = this.#readOnce(signal).finally(() => {
        this.#running = undefined;
      });
    }
    if (this.#running === undefined) return this.#value;
    let timer: Disposable | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = this.#clock.after(patienceMs, resolve);
    });
    await Promise.race([this.#running, patience]);
    timer?.dispose();
    return this.#value;
  }

  /** Reads it now. Undefined where that fails. */
  async fresh(signal: AbortSignal): Promise<T | undefined> {
    this.#triedAt = this.#clock.monotonic();
    return (await this.#readOnce(signal)) ? this.#value : undefined;
  }

  async #readOnce(signal: AbortSignal): Promise<boolean> {
    try {
      this.#value = await this.#read(signal);
      return true;
    } catch {
      // Only that it was stopped says nothing about the next time.
      if (signal.aborted) this.#triedAt = undefined;
      return false;
    }
  }
}
