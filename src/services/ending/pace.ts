import type { Clock } from '../../core/clock.ts';
import type { ProviderError } from '../../core/providerError.ts';
import type { RateWindow } from '../../core/rateWindow.ts';

/** Requests at first: each needs a connection of its own … */
const firstInFlight = 4;
/** … or one connection carries them all. To 400 ends at 50 ms, the two rounds that this saves are a fifth of their time. */
const firstOnOneConnection = 16;
/** An answer that takes this many times as long as the quickest is one of a server that has enough to do. */
const slowFactor = 4;
/** Milliseconds below which answers are all quick: what they differ by is this machine's own doing. */
const quickMs = 25;
const firstPauseMs = 500;
const longestPauseMs = 8_000;
/** Refusals that come within this time are about the same burst: it is answered once. */
const sameBurstMs = 250;

/**
 * How many requests may be under way to one account: few at first, more while answers are quick and clean, half as many
 * after a statusError, none while the provider wants none.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #most: () => number;
  readonly #window: () => RateWindow | undefined;
  #limit: number;
  /** Grows by one with each clean answer until the first statusError, and by one with each round after it. */
  #fast = true;
  #quickest = Number.POSITIVE_INFINITY;
  /** Monotonic milliseconds, as {@link #refusedAt}. */
  #notBefore = 0;
  #refusedAt = Number.NEGATIVE_INFINITY;
  #pauses = 0;
  #statusError: ProviderError | undefined;

  /**
   * @param most how many at most, which may change with the connection.
   * @param window what the provider last said of its rate limit.
   * @param hasOneConnection whether one connection carries all requests (HTTP/2).
   */
  constructor(clock: Clock, most: () => number, window: () => RateWindow | undefined, hasOneConnection = false) {
    this.#clock = clock;
    this.#most = most;
    this.#window = window;
    this.#limit = hasOneConnection ? firstOnOneConnection : firstInFlight;
  }

  /** The last statusError, if there was any. */
  get statusError(): ProviderError | undefined {
    return this.#statusError;
  }

  /** Milliseconds until one more request may be sent; `busy` while it has to wait for an answer. */
  wait(inFlight: number): number | 'busy' {
    const now = this.#clock.monotonic();
    if (now < this.#notBefore) return this.#notBefore - now;
    if (inFlight >= Math.floor(Math.min(this.#limit, this.#most()))) return 'busy';
    const window = this.#window();
    if (window === undefined || now >= window.resetAt || window.remaining - inFlight > 0) return 0;
    // Those under way may have been counted already: the next answer tells.
    return inFlight > 0 ? 'busy' : window.resetAt - now;
  }

  /** Takes notice of an answer without a statusError, which took `ms`. */
  clean(ms: number): void {
    this.#pauses = 0;
    this.#quickest = Math.min(this.#quickest, Math.max(ms, quickMs));
    if (ms > this.#quickest * slowFactor) return;
    this.#limit = Math.min(this.#most(), this.#limit + (this.#fast ? 1 : 1 / this.#limit));
  }

  /** Takes notice of a statusError (429, 503), and waits as long as the provider says, or longer with each that does not. */
  refused(statusError: ProviderError): void {
    const { trouble } = statusError;
    this.#statusError = statusError;
    const now = this.#clock.monotonic();
    const retryAt = trouble.kind === 'rateLimited' ? trouble.retryAt : undefined;
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
