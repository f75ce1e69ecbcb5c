/** How long work goes on before everything else that waits gets its turn, in milliseconds. */
const turnMs = 8;

/** Splits long work into turns, so that nothing else in the extension host waits for it. */
export class Turns {
  #began = performance.now();

  /** Whether it is time to {@link pass} the turn on. Cheap enough to be asked for every row. */
  get isOver(): boolean {
    return performance.now() - this.#began > turnMs;
  }

  /** Resolves when everything that waits has had its turn. */
  async pass(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#began = performance.now();
  }
}
