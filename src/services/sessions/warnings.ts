import * as v from 'valibot';
import { type Clock, sleep } from '../../core/clock.ts';
import type { Disposable } from '../../core/event.ts';
import type { Memory } from '../../core/storage.ts';
import type { OverLimit } from './overview.ts';

/** Minimum time between two warnings in any window, in milliseconds. */
const betweenWarningsMs = 30 * 60_000;
/** How long "Snooze" keeps warnings away, in milliseconds. */
const snoozeMs = 60 * 60_000;
/**
 * How long a window waits before it warns, in milliseconds, to see whether another one also wants to: what a window stores takes
 * a moment to reach the others.
 */
const claimMs = 2_000;
/** How many sessions that a warning has named are remembered at most. The oldest are forgotten first. */
const mostNamed = 5_000;

const memoryKey = 'warnings';

/** The warnings that were shown, as stored for all windows. Times are epoch milliseconds. */
const Shown = v.object({
  shownAt: v.fallback(v.number(), 0),
  snoozedUntil: v.fallback(v.number(), 0),
  /** A random id of the window that is about to show the next one. */
  claimedBy: v.fallback(v.string(), ''),
  /** The sessions that warnings have named, as `account/session/limit`. */
  named: v.fallback(v.array(v.string()), []),
});
type Shown = v.InferOutput<typeof Shown>;

const nothingShown: Shown = { shownAt: 0, snoozedUntil: 0, claimedBy: '', named: [] };

/** What {@link Warnings} need. */
export interface WarningsParts {
  /** Shared by all windows. */
  readonly memory: Memory;
  readonly clock: Clock;
  /** Whether the user has this window in focus and wants warnings. */
  readonly isWanted: () => boolean;
  /** The sessions that are over a limit now. */
  readonly over: () => readonly OverLimit[];
  /** Shows a warning about sessions; calls `snooze` if the user selects Snooze. Returns immediately. */
  readonly show: (over: readonly OverLimit[], snooze: () => void) => void;
}

/**
 * Decides when the user is warned about sessions over a limit: every half hour at most, in one window only, and about each
 * session once, unless the warning is snoozed.
 */
export class Warnings implements Disposable {
  readonly #parts: WarningsParts;
  readonly #stop = new AbortController();
  /** What this window last stored. Another window may overwrite it if it writes before it has seen this. */
  #own = nothingShown;
  #isClaiming = false;

  constructor(parts: WarningsParts) {
    this.#parts = parts;
  }

  dispose(): void {
    this.#stop.abort();
  }

  /** Shows a warning if one is due. Call it whenever that may have changed. Never rejects. */
  async showIfDue(): Promise<void> {
    if (this.#isClaiming || this.#due().length === 0) return;
    this.#isClaiming = true;
    try {
      const claimedBy = crypto.randomUUID();
      await this.#write({ claimedBy });
      await sleep(this.#parts.clock, claimMs, this.#stop.signal);
      // The last window to claim it shows it.
      if (this.#stored().claimedBy !== claimedBy) return;
      const due = this.#due();
      if (due.length === 0) return;
      const keys = due.map(keyOf);
      await this.#write({ shownAt: this.#parts.clock.now(), named: [...this.#shown().named, ...keys] });
      this.#parts.show(due, () => void this.#snooze(keys).catch(() => {}));
    } catch {
      // Disposed, or storing failed. Without that, every window would warn.
    } finally {
      this.#isClaiming = false;
    }
  }

  /** The sessions to warn about now. */
  #due(): readonly OverLimit[] {
    const { clock, isWanted, over } = this.#parts;
    if (!isWanted()) return [];
    const { shownAt, snoozedUntil, named } = this.#shown();
    const now = clock.now();
    if (now < snoozedUntil || now - shownAt < betweenWarningsMs) return [];
    const known = new Set(named);
    return over().filter((one) => one.isCurrent && !known.has(keyOf(one)));
  }

  async #snooze(keys: readonly string[]): Promise<void> {
    const named = this.#shown().named.filter((key) => !keys.includes(key));
    this.#own = { ...this.#own, named };
    await this.#write({ snoozedUntil: this.#parts.clock.now() + snoozeMs, named });
  }

  #shown(): Shown {
    const stored = this.#stored();
    const now = this.#parts.clock.now();
    // Ignores times in the future, which were stored before the clock was set back.
    const latest = (latestPossible: number, ...times: readonly number[]) =>
      Math.max(0, ...times.filter((time) => time <= latestPossible));
    return {
      ...stored,
      shownAt: latest(now, stored.shownAt, this.#own.shownAt),
      snoozedUntil: latest(now + snoozeMs, stored.snoozedUntil, this.#own.snoozedUntil),
      named: [...new Set([...stored.named, ...this.#own.named])],
    };
  }

  #stored(): Shown {
    const stored = v.safeParse(Shown, this.#parts.memory.get(memoryKey));
    return stored.success ? stored.output : nothingShown;
  }

  async #write(change: Partial<Shown>): Promise<void> {
    const named = (change.named ?? this.#shown().named).slice(-mostNamed);
    this.#own = { ...this.#shown(), ...change, named };
    await this.#parts.memory.update(memoryKey, this.#own);
  }
}

function keyOf({ accountId, session, limit }: OverLimit): string {
  return `${accountId}/${session.id}/${limit}`;
}
