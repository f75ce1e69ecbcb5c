/** How long work runs before it yields to the event loop, in milliseconds. */
const turnMs = 8;

/** Splits long work into turns, so that it doesn't block the extension host. */
export class Turns {
  #began = performance.now();

  /** Whether it is time to {@link pass} the turn on. Cheap enough to call for every row. */
  get isOver(): boolean {
    return performance.now() - this.#began > turnMs;
  }

  /** Resolves when everything else that waited has had its turn. */
  async pass(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#began = performance.now();
  }
}
