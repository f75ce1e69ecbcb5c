import type { Clock } from '../../core/clock.ts';

/** How many look-ups of an account are made at most within {@link withinMs}. Other extensions can ask for them, too. */
const most = 100;
const withinMs = 20_000;

/** Limits the look-ups of one account. */
export class LookUpPace {
  readonly #clock: Clock;
  /** When the latest ones were made, in monotonic milliseconds. */
  #at: readonly number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts look-ups. @returns whether they may be made now. */
  take(count: number): boolean {
    const now = this.#clock.monotonic();
    const recent = this.#at.filter((at) => now - at < withinMs);
    if (recent.length + count > most) return false;
    this.#at = [...recent, ...Array.from({ length: count }, () => now)];
    return true;
  }
}
