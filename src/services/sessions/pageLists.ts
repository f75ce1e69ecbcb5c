import type { Clock } from '../../core/clock.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { boundedPages } from '../../core/page.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Connections } from '../accounts/connections.ts';
import type { SessionStore } from './sessionStore.ts';

/** How long a list of pages is shown before opening the session again asks anew. */
const lifetimeMs = 5_000;
const timeoutMs = 15_000;

/** What shows pages needs no more than this of {@link PageLists}. */
export type PageLoader = Pick<PageLists, 'load'>;

/** Fetches the pages of sessions whose list does not tell them, when somebody opens the row. */
export class PageLists {
  readonly #store: SessionStore;
  readonly #connections: Connections;
  readonly #clock: Clock;

  constructor(store: SessionStore, connections: Connections, clock: Clock) {
    this.#store = store;
    this.#connections = connections;
    this.#clock = clock;
  }

  /** Brings the store's list of a session's pages up to date. What is known stays while new pages are awaited. */
  async load(account: AccountId, session: SessionId): Promise<void> {
    const known = this.#store.pages(account, session);
    if (known?.kind === 'loading') return;
    if (known !== undefined && this.#clock.now() < known.asOf + lifetimeMs) return;
    if (known === undefined) this.#store.setPages(account, session, { kind: 'loading' });
    try {
      const provider = await this.#connections.open(account);
      const pages = (await provider.pages?.(session, AbortSignal.timeout(timeoutMs))) ?? [];
      this.#store.setPages(account, session, {
        kind: 'ready',
        pages: boundedPages(pages),
        asOf: this.#clock.now(),
      });
    } catch (error) {
      this.#store.setPages(account, session, {
        kind: 'failed',
        trouble: ProviderError.from(error),
        asOf: this.#clock.now(),
      });
    }
  }
}
