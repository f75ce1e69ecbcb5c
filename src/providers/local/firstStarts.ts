import type { SessionId } from '../../core/ids.ts';

/** The most sessions that are remembered. The ones listed longest ago are forgotten first. */
const mostKnown = 10_000;

/**
 * Remembers when each session started, as it was first read. Linux counts starts from a boot time that moves whenever the
 * machine's clock is set (`btime`, proc(5)). A start that moves forward would make a running browser look like another one that
 * got its ID, which these IDs rule out.
 */
export class FirstStarts {
  readonly #known = new Map<SessionId, number>();

  /** When a session started, in epoch milliseconds. @param startedAt as it was just read. */
  of(id: SessionId, startedAt: number): number {
    const first = this.#known.get(id) ?? startedAt;
    this.#known.delete(id);
    this.#known.set(id, first);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= mostKnown) break;
      this.#known.delete(oldest);
    }
    return first;
  }
}
