import type { SessionId } from '../../core/ids.ts';

/** The operating system counts in hundredths of a second, so figures for shorter times mean little. */
const shortestMs = 1_000;
/** In percent of one core. Rows aren't redrawn for changes within a step. */
const steps = [0, 5, 10, 25, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1_200, 1_600];

interface Measured {
  readonly cpuMs: number;
  readonly at: number;
  readonly percent: number | undefined;
}

/** Measures how much processor time browsers use between two lists. */
export class CpuMeter {
  #last: ReadonlyMap<SessionId, Measured> = new Map();

  /**
   * Takes the figures of one list, and forgets those of browsers that aren't in it.
   * @param cpuMs the processor time that each browser has used since it started.
   * @param at monotonic milliseconds.
   * @returns percent of one core, in coarse steps; nothing for a browser that is listed for the first time.
   */
  measure(cpuMs: ReadonlyMap<SessionId, number>, at: number): ReadonlyMap<SessionId, number> {
    this.#last = new Map(
      [...cpuMs].map(([id, its]) => {
        const last = this.#last.get(id);
        if (last === undefined) return [id, { cpuMs: its, at, percent: undefined }];
        if (at - last.at < shortestMs) return [id, last];
        // The time of child processes that have ended is missing from the sum.
        const exact = (100 * Math.max(0, its - last.cpuMs)) / (at - last.at);
        return [id, { cpuMs: its, at, percent: stepAt(exact, last.percent) }];
      }),
    );
    return new Map([...this.#last].flatMap(([id, { percent }]) => (percent === undefined ? [] : [[id, percent]])));
  }
}

/** The nearest step, or the previous one while the figure is barely nearer to another. */
function stepAt(exact: number, before: number | undefined): number {
  const nearest = steps.reduce((best, step) => (Math.abs(step - exact) < Math.abs(best - exact) ? step : best), 0);
  if (before === undefined || nearest === before) return nearest;
  return Math.abs(exact - before) < 1.5 * Math.abs(exact - nearest) + 1 ? before : nearest;
}
