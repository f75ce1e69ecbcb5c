import type { AccountId, SessionId } from '../../core/ids.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { SessionsView } from '../../services/sessions/sessionsView.ts';

/**
 * Lists an account again when the pages of one of its sessions can't be fetched: often the session has just ended, and the
 * new list removes its row. Does so once per session, because a list doesn't help with other errors.
 */
export class LostPages {
  readonly #store: SessionsView;
  readonly #relist: (account: AccountId) => Promise<unknown>;
  readonly #relisted = new Set<string>();

  constructor(store: SessionsView, relist: (account: AccountId) => Promise<unknown>) {
    this.#store = store;
    this.#relist = relist;
  }

  /** Call it after a session's pages were fetched. Resolves when the account was listed again, if that was needed. */
  async follow(account: AccountId, session: SessionId): Promise<void> {
    const pages = this.#store.pages(account, session);
    const key = JSON.stringify([account, session]);
    if (pages?.kind === 'ready') this.#relisted.delete(key);
    if (pages?.kind !== 'failed' || this.#relisted.has(key) || !isAboutSession(pages.trouble)) return;
    this.#relisted.add(key);
    await this.#relist(account);
    if (this.#store.session(account, session) === undefined) this.#relisted.delete(key);
  }
}

/** Whether an error is about the session itself, not about the key or the server: those make a list fail, too. */
function isAboutSession(error: ProviderError): boolean {
  return ProviderError.isOf(error, 'notFound', 'conflict', 'otherSession', 'unexpectedAnswer', 'serverFault');
}
