import type { Clock } from '../../core/clock.ts';

/** How many look-ups of an account are made at most within {@link withinMs}. Other extensions can ask for them, too. */
const most = 100;
const withinMs = 20_000;

/** Spreads the look-ups of one account over time. */
export class LookUpPace {
  readonly #clock: Clock;
  /** When the latest ones are made, in monotonic milliseconds. */
  #at: readonly number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one can be made now. */
  get isFree(): boolean {
    return this.#wait === 0;
  }

  /** Reserves the next one. @returns how long to wait before it's made, in milliseconds. */
  reserve(): number {
    const wait = this.#wait;
    this.#at = [...this.#at, this.#clock.monotonic() + wait].slice(-most);
    return wait;
  }

  get #wait(): number {
    const [first = 0] = this.#at;
    return this.#at.length < most ? 0 : Math.max(0, first + withinMs - this.#clock.monotonic());
  }
}
