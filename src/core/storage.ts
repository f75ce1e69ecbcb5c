import type { Event } from './event.ts';

/** Where keys are stored: the part of VS Code's SecretStorage that is used. */
export interface SecretStore {
  get(key: string): PromiseLike<string | undefined>;
  store(key: string, value: string): PromiseLike<void>;
  delete(key: string): PromiseLike<void>;
  /** The keys of all that is stored. Newer editors have it. */
  keys?(): PromiseLike<string[]>;
  /** Fires for changes of any window, this one's too. */
  readonly onDidChange: Event<{ readonly key: string }>;
}

/** Where anything that isn't secret is stored between runs: the part of VS Code's Memento that is used. */
export interface Memory {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}
