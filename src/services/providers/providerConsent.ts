import * as v from 'valibot';
import type { Memory } from '../../core/storage.ts';
import { storedEntries } from '../storedRows.ts';

const memoryKey = 'providerConsents';

/** An extension that a provider was registered for, according to the caller: VS Code has no way to check that. */
export interface ClaimedExtension {
  /** In the form `publisher.name`. */
  readonly id: string;
  readonly name: string;
}

/** The extension that the user allows to receive the keys saved for each provider that isn't built in. */
export class ProviderConsent {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Whether the user allows this extension to receive the keys for a provider. */
  has(provider: string, by: ClaimedExtension): boolean {
    return this.#read().get(provider) === keyOf(by);
  }

  /** Saves that this extension may receive the keys for a provider, and no other extension. */
  async give(provider: string, by: ClaimedExtension): Promise<void> {
    await this.#memory.update(memoryKey, { ...Object.fromEntries(this.#read()), [provider]: keyOf(by) });
  }

  #read(): ReadonlyMap<string, string> {
    return storedEntries(v.string(), this.#memory.get(memoryKey));
  }
}

/** VS Code ignores the case of extension ids. */
function keyOf(by: ClaimedExtension): string {
  return by.id.toLowerCase();
}
