import type { Memory } from '../core/storage.ts';

interface Waiting {
  value: unknown;
  readonly written: PromiseWithResolvers<void>;
}

/**
 * A memory that writes one update at a time. VS Code's own sends everything an extension stores with each update and
 * takes over what comes back before the update resolves (VS Code 1.139, `ExtensionMemento`): updates made in between
 * would be lost. Pending values are read as if they were written.
 */
export class OrderedMemory implements Memory {
  readonly #memory: Memory;
  #waiting = new Map<string, Waiting>();
  #underWay: ReadonlyMap<string, Waiting> | undefined;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  get(key: string): unknown {
    const unwritten = this.#waiting.get(key) ?? this.#underWay?.get(key);
    return unwritten === undefined ? this.#memory.get(key) : unwritten.value;
  }

  /** Resolves when the value, or a newer one for the same key, is written. Updates made at once are written together. */
  update(key: string, value: unknown): Promise<void> {
    const known = this.#waiting.get(key);
    const written = known?.written ?? Promise.withResolvers<void>();
    this.#waiting.set(key, { value, written });
    if (this.#underWay === undefined) void this.#write();
    return written.promise;
  }

  async #write(): Promise<void> {
    this.#underWay = new Map();
    // Updates made in the same tick are included.
    await Promise.resolve();
    while (this.#waiting.size > 0) {
      const batch = this.#waiting;
      this.#underWay = batch;
      this.#waiting = new Map();
      await Promise.all(
        [...batch].map(async ([key, { value, written }]) => {
          try {
            await this.#memory.update(key, value);
            written.resolve();
          } catch (error) {
            written.reject(error);
          }
        }),
      );
    }
    this.#underWay = undefined;
  }
}
