import { Emitter, type Event } from '../../core/event.ts';
import type { AccountId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { Session } from '../../core/session.ts';
import type { Memory } from '../../core/storage.ts';
import type { Accounts } from '../../services/accounts/accounts.ts';
import type { ProviderKinds } from '../../services/providers/providerKinds.ts';
import { knownPages, type SessionsView } from '../../services/sessions/sessionsView.ts';
import { accountName, groupName, sessionName } from '../text/names.ts';

const memoryKey = 'filter';
const longestText = 200;

/** What a {@link TreeFilter} searches. */
export interface TreeFilterParts {
  readonly accounts: Accounts;
  readonly kinds: ProviderKinds;
  readonly store: SessionsView;
  /** The workspace's stored state. */
  readonly memory: Memory;
}

/**
 * Which sessions the list shows: those with every word of a text somewhere in their name, id, hosts, tags, metadata, or in
 * the name of their account or group. Stored per workspace.
 */
export class TreeFilter {
  readonly #parts: TreeFilterParts;
  readonly #changed = new Emitter<void>();
  #text: string;
  #words: readonly string[];

  readonly onDidChange: Event<void> = this.#changed.event;

  constructor(parts: TreeFilterParts) {
    this.#parts = parts;
    const kept = parts.memory.get(memoryKey);
    this.#text = typeof kept === 'string' ? plainText(kept, longestText) : '';
    this.#words = wordsOf(this.#text);
  }

  /** The text as typed, cleaned; empty while all sessions are shown. */
  get text(): string {
    return this.#text;
  }

  /** Shows only the sessions that match; all of them for an empty text. */
  async set(text: string): Promise<void> {
    this.#text = plainText(text, longestText);
    this.#words = wordsOf(this.#text);
    this.#changed.fire();
    await this.#parts.memory.update(memoryKey, this.#text === '' ? undefined : this.#text);
  }

  /** Whether a session matches. */
  shows(account: AccountId, session: Session): boolean {
    return this.#words.length === 0 || this.#has(account, session, this.#words);
  }

  /** How many listed sessions a text would match. */
  count(text: string): { readonly shown: number; readonly of: number } {
    const words = wordsOf(plainText(text, longestText));
    const { accounts, store } = this.#parts;
    const all = accounts.all.flatMap(({ id }) =>
      [...(store.state(id)?.contents.sessions.values() ?? [])].map((session) => this.#has(id, session, words)),
    );
    return { shown: all.filter(Boolean).length, of: all.length };
  }

  #has(accountId: AccountId, session: Session, words: readonly string[]): boolean {
    const { accounts, kinds, store } = this.#parts;
    const account = accounts.get(accountId);
    const group = session.groupId && store.state(accountId)?.contents.groups.get(session.groupId);
    const pages = knownPages(store, accountId, session.id) ?? [];
    const text = [
      sessionName(session, pages),
      session.id,
      session.status,
      session.region,
      ...session.tags,
      ...session.traits,
      ...[...session.metadata].map(([key, value]) => `${key}=${value}`),
      // A page's query may hold secrets.
      ...pages.flatMap(({ title, url }) => [title, URL.parse(url)?.host]),
      account && accountName(account, kinds.get(account.provider)),
      group && groupName(group),
    ]
      .join('\n')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  }
}

function wordsOf(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(' ')
    .filter((word) => word !== '');
}
