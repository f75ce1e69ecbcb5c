import type { Clock } from '../../core/clock.ts';

/** How many requests of one kind are sent for an account at most within {@link withinMs}. Other extensions can cause them, too. */
const most = 100;
const withinMs = 20_000;

/** Limits requests of one kind for one account. */
export class RequestPace {
  readonly #clock: Clock;
  /** When the latest ones were made, in monotonic milliseconds. */
  #at: readonly number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts requests. @returns whether they may be sent now. */
  take(count: number): boolean {
    const now = this.#clock.monotonic();
    const recent = this.#at.filter((at) => now - at < withinMs);
    if (recent.length + count > most) return false;
    this.#at = [...recent, ...Array.from({ length: count }, () => now)];
    return true;
  }
}
