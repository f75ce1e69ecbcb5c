import type { Clock } from '../core/clock.ts';
import type { Disposable } from '../core/event.ts';

/** When it's checked after a write that no other window has undone it, in milliseconds. */
const checksMs = [1_000, 3_000, 10_000] as const;

/**
 * Writes again what another window has undone. VS Code stores all that a window knows of an extension at once, so a window
 * that hadn't seen a write yet may replace it with what was there before.
 */
export class UndoneWrites implements Disposable {
  readonly #clock: Clock;
  readonly #isStored: () => boolean;
  readonly #write: () => Promise<void>;
  #checks: readonly Disposable[] = [];

  /** @param write stores what this window knows once more. If it rejects, later checks and writes make up for it. */
  constructor(clock: Clock, isStored: () => boolean, write: () => Promise<void>) {
    this.#clock = clock;
    this.#isStored = isStored;
    this.#write = write;
  }

  dispose(): void {
    for (const check of this.#checks) check.dispose();
    this.#checks = [];
  }

  /** Checks some times from now on whether what was just written is still stored. */
  watch(): void {
    this.dispose();
    this.#checks = checksMs.map((ms) => this.#clock.after(ms, () => this.#check()));
  }

  #check(): void {
    if (!this.#isStored()) this.#write().catch(() => {});
  }
}
