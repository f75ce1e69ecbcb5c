import type { Memory } from '../core/storage.ts';

/** Where the user's choice is stored; no other extension can write there. */
const memoryKey = 'endWithoutAsking';

/**
 * Whether End Session in a live view ends a session at once. The setting alone doesn't decide: other extensions, and agents
 * that edit settings.json, can write it. It counts from when the user has pressed "End and Don't Ask Again" in our own dialog,
 * on this machine, until the setting says something else.
 */
export class EndWithoutAsking {
  readonly #memory: Memory;
  readonly #setting: () => string;

  /** @param setting the value of `browserSessions.confirm.endSession`. */
  constructor(memory: Memory, setting: () => string) {
    this.#memory = memory;
    this.#setting = setting;
  }

  get isAllowed(): boolean {
    this.follow();
    return this.#setting() === 'never' && this.#memory.get(memoryKey) === true;
  }

  /** Saves the user's choice. The setting is already `never` by then. */
  async allow(): Promise<void> {
    await this.#memory.update(memoryKey, true);
  }

  /** Forgets the choice when the setting says something else, so that only the user can turn it on again. */
  follow(): void {
    if (this.#memory.get(memoryKey) === undefined || this.#setting() === 'never') return;
    void this.#memory.update(memoryKey, undefined);
  }
}
