import { type Clock, isRecent } from '../../core/clock.ts';
import type { Disposable } from '../../core/event.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { boundedPages } from '../../core/page.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Connections } from '../accounts/connections.ts';
import type { SessionStore } from './sessionStore.ts';
import { lastFetched } from './sessionsView.ts';

/** How long a list of pages is shown, in milliseconds, before expanding the row requests it again. */
const lifetimeMs = 5_000;
const timeoutMs = 15_000;
/** Requests are counted for this long, in milliseconds. */
const countedMs = 600_000;
/**
 * Most requests for pages of an account in that time, besides those for rows that are expanded for the first time. Lists
 * take 25 in the same time; together they stay below 60.
 */
export const mostRequests = 30;

/**
 * Fetches the pages of sessions whose list doesn't include them: when their row is expanded, and for {@link PageLookups}.
 */
export class PageLists implements Disposable {
  readonly #store: SessionStore;
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #subscription: Disposable;
  /** The requests that haven't been answered yet, by account, session and connection. */
  readonly #pending = new Map<string, Promise<void>>();
  /** When the requests of the last ten minutes were sent, in monotonic milliseconds. */
  readonly #sent = new Map<AccountId, readonly number[]>();

  constructor(store: SessionStore, connections: Connections, clock: Clock) {
    this.#store = store;
    this.#connections = connections;
    this.#clock = clock;
    this.#subscription = connections.onDidClose((account) => this.#sent.delete(account));
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  /**
   * Refreshes a session's pages in the store. The known ones stay until the new ones arrive. Called each time an expanded
   * row is redrawn, so it asks again only as often as {@link mostRequests} allows.
   */
  async load(account: AccountId, session: SessionId): Promise<void> {
    const key = `${account}/${session}/${this.#connections.generation(account)}`;
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    const known = this.#store.pages(account, session);
    if (known?.kind === 'loading') return;
    if (known !== undefined && isRecent(known.asOf, this.#clock.now(), lifetimeMs)) return;
    if (known !== undefined && this.room(account, mostRequests) > 0) return;
    if (known === undefined) this.#store.setPages(account, session, { kind: 'loading' });
    const request = this.#request(account, session).finally(() => this.#pending.delete(key));
    this.#pending.set(key, request);
    await request;
  }

  async #request(account: AccountId, session: SessionId): Promise<void> {
    const trouble = await this.fetch(account, session);
    if (trouble === undefined) return;
    const last = lastFetched(this.#store.pages(account, session));
    this.#store.setPages(account, session, { kind: 'failed', trouble, asOf: this.#clock.now(), last });
  }

  /**
   * Fetches a session's pages into the store. @returns what went wrong; the store then stays as it is. Neither counts if the
   * account got another key in the meantime.
   */
  async fetch(account: AccountId, session: SessionId): Promise<ProviderError | undefined> {
    this.#count(account);
    const generation = this.#connections.generation(account);
    try {
      const provider = await this.#connections.open(account);
      const pages = (await provider.pages?.(session, AbortSignal.timeout(timeoutMs))) ?? [];
      // With another key, the same ID may be another session.
      if (this.#connections.generation(account) !== generation) return undefined;
      this.#store.setPages(account, session, {
        kind: 'ready',
        pages: boundedPages(pages),
        asOf: this.#clock.now(),
      });
      return undefined;
    } catch (error) {
      return this.#connections.generation(account) === generation ? ProviderError.from(error) : undefined;
    }
  }

  /** Milliseconds until another request may be sent where `most` are allowed in ten minutes; 0 for now. */
  room(account: AccountId, most: number): number {
    const now = this.#clock.monotonic();
    const recent = this.#recent(account, now);
    const first = recent.at(-most);
    return first === undefined ? 0 : first + countedMs - now;
  }

  #count(account: AccountId): void {
    const now = this.#clock.monotonic();
    this.#sent.set(account, [...this.#recent(account, now), now]);
  }

  #recent(account: AccountId, now: number): readonly number[] {
    return (this.#sent.get(account) ?? []).filter((at) => at > now - countedMs);
  }
}
