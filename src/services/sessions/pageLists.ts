import type { Clock } from '../../core/clock.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { boundedPages } from '../../core/page.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Connections } from '../accounts/connections.ts';
import type { SessionStore } from './sessionStore.ts';

/** How long a list of pages is shown, in milliseconds, before expanding the row requests it again. */
const lifetimeMs = 5_000;
const timeoutMs = 15_000;

/** The part of {@link PageLists} that the tree needs. */
export type PageLoader = Pick<PageLists, 'load'>;

/** Fetches the pages of sessions whose list doesn't include them, when their row is expanded. */
export class PageLists {
  readonly #store: SessionStore;
  readonly #connections: Connections;
  readonly #clock: Clock;

  constructor(store: SessionStore, connections: Connections, clock: Clock) {
    this.#store = store;
    this.#connections = connections;
    this.#clock = clock;
  }

  /** Refreshes a session's pages in the store. The known ones stay until the new ones arrive. */
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
