import type { Event } from './event.ts';

/** Where keys are kept: VS Code's SecretStorage, of which this is the part that is used. */
export interface SecretStore {
  get(key: string): PromiseLike<string | undefined>;
  store(key: string, value: string): PromiseLike<void>;
  delete(key: string): PromiseLike<void>;
  /** Fires for changes of any window, this one's too. */
  readonly onDidChange: Event<{ readonly key: string }>;
}

/** Where what is no secret is kept between runs: VS Code's global state, of which this is the part that is used. */
export interface Memory {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}
