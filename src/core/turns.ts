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

  /** Maps rows, and passes the turn on whenever it's over. */
  async map<Row, Result>(rows: Iterable<Row>, make: (row: Row) => Result): Promise<Result[]> {
    const made: Result[] = [];
    for (const row of rows) {
      if (this.isOver) await this.pass();
      made.push(make(row));
    }
    return made;
  }
}
