import type { Clock } from '../../core/clock.ts';
import { type ProviderError, retryAtOf } from '../../core/providerError.ts';
import type { RateWindow } from '../../core/rateWindow.ts';

/** Concurrent requests at first, if each needs its own connection … */
const firstInFlight = 4;
/** … or if one connection carries them all. With 400 ends at 50 ms, this saves two rounds, a fifth of the time. */
export const firstOnOneConnection = 16;
/** A response that takes this many times as long as the quickest one comes from a server that is busy enough. */
const slowFactor = 4;
/** Responses faster than this, in milliseconds, count as equally fast: the difference comes from this machine. */
const quickMs = 25;
const firstPauseMs = 500;
const longestPauseMs = 8_000;
/** Error responses within this many milliseconds belong to the same burst, and slow requests down only once. */
const sameBurstMs = 250;

/**
 * How many requests may be in flight for one account: few at first, more while responses are fast and succeed, half as
 * many after an error response, none while the provider asks to wait.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #most: () => number;
  readonly #window: () => RateWindow | undefined;
  #limit: number;
  /** The limit grows by one with each success until the first error response, and after that by one with each round. */
  #fast = true;
  #quickest = Number.POSITIVE_INFINITY;
  /** Monotonic milliseconds, as is {@link #refusedAt}. */
  #notBefore = 0;
  #refusedAt = Number.NEGATIVE_INFINITY;
  #pauses = 0;
  #lastError: ProviderError | undefined;

  /**
   * @param most the upper limit, which may change with the connection.
   * @param window the provider's last reported rate limit.
   * @param first how many requests may be in flight at first.
   */
  constructor(clock: Clock, most: () => number, window: () => RateWindow | undefined, first = firstInFlight) {
    this.#clock = clock;
    this.#most = most;
    this.#window = window;
    this.#limit = first;
  }

  /** The last error response (429, 503), if any. */
  get lastError(): ProviderError | undefined {
    return this.#lastError;
  }

  /** Milliseconds until another request may be sent; `busy` if it has to wait for a response. */
  wait(inFlight: number): number | 'busy' {
    const now = this.#clock.monotonic();
    if (now < this.#notBefore) return this.#notBefore - now;
    if (inFlight >= Math.floor(Math.min(this.#limit, this.#most()))) return 'busy';
    const window = this.#window();
    if (window === undefined || now >= window.resetAt || window.remaining - inFlight > 0) return 0;
    // The provider may have counted those in flight already: the next response tells.
    return inFlight > 0 ? 'busy' : window.resetAt - now;
  }

  /** Call it after a response without such an error, which took `ms` milliseconds. */
  clean(ms: number): void {
    this.#pauses = 0;
    this.#quickest = Math.min(this.#quickest, Math.max(ms, quickMs));
    if (ms > this.#quickest * slowFactor) return;
    this.#limit = Math.min(this.#most(), this.#limit + (this.#fast ? 1 : 1 / this.#limit));
  }

  /** Call it after an error response (429, 503). Waits as long as the provider asks, else longer each time. */
  refused(error: ProviderError): void {
    this.#lastError = error;
    const now = this.#clock.monotonic();
    const retryAt = retryAtOf(error.trouble);
    if (now - this.#refusedAt > sameBurstMs) {
      this.#limit = Math.max(1, Math.min(this.#limit, this.#most()) / 2);
      this.#fast = false;
      this.#refusedAt = now;
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** this.#pauses++);
      this.#notBefore = Math.max(this.#notBefore, now + pause * (0.5 + Math.random() / 2));
    }
    if (retryAt !== undefined) this.#notBefore = Math.max(this.#notBefore, now + retryAt - this.#clock.now());
  }
}
