import * as v from 'valibot';
import type { Memory } from '../../core/storage.ts';

const memoryKey = 'providerConsents';
const Consents = v.record(v.string(), v.string());

/** An extension that a provider was registered for. It is what the caller says: VS Code has no way to check it. */
export interface ClaimedExtension {
  /** In the form `publisher.name`. */
  readonly id: string;
  readonly name: string;
}

/** Which extension may receive the keys saved for each provider that isn't built in, as the user has said. */
export class ProviderConsent {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Whether the user has said that the keys for a provider go to this extension. */
  has(provider: string, by: ClaimedExtension): boolean {
    const consents = this.#read();
    return Object.hasOwn(consents, provider) && consents[provider] === keyOf(by);
  }

  /** Writes down that they do, and no longer to any other extension. */
  async give(provider: string, by: ClaimedExtension): Promise<void> {
    await this.#memory.update(memoryKey, { ...this.#read(), [provider]: keyOf(by) });
  }

  #read(): Readonly<Record<string, string>> {
    const kept = v.safeParse(Consents, this.#memory.get(memoryKey));
    return kept.success ? kept.output : {};
  }
}

/** VS Code takes ids of extensions in any case. */
function keyOf(by: ClaimedExtension): string {
  return by.id.toLowerCase();
}
