import * as l10n from '@vscode/l10n';
import { Emitter, type Event } from '../../core/event.ts';
import { type AccountId, accountId, type GroupId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { Session } from '../../core/session.ts';
import type { Memory } from '../../core/storage.ts';
import type { Accounts } from '../../services/accounts/accounts.ts';
import type { ProviderKinds } from '../../services/providers/providerKinds.ts';
import { findGroup, isGroupId, isInGroup } from '../../services/sessions/grouping.ts';
import { knownPages, type SessionsView } from '../../services/sessions/sessionsView.ts';
import { groupName } from '../text/groupNames.ts';
import { accountName, sessionName } from '../text/names.ts';

const memoryKey = 'filter';
const scopeKey = 'filterScope';
const longestText = 200;

/** What a {@link TreeFilter} searches. */
export interface TreeFilterParts {
  readonly accounts: Accounts;
  readonly kinds: ProviderKinds;
  readonly store: SessionsView;
  /** The workspace's stored state. */
  readonly memory: Memory;
}

/** The account, or the group in it, that the list is narrowed to. */
export interface FilterScope {
  readonly accountId: AccountId;
  readonly groupId: GroupId | undefined;
  /** The group's name when it was chosen, cleaned. Later, it may have no sessions to take the name from. */
  readonly groupName: string;
}

/**
 * Decides which sessions the list shows: those that have every word of a text in their name, id, hosts, tags, or metadata, or
 * in the name of their account or group. If it's narrowed to an account or group, only sessions in it. Stored per workspace.
 */
export class TreeFilter {
  readonly #parts: TreeFilterParts;
  readonly #changed = new Emitter<void>();
  #text: string;
  #words: readonly string[];
  #scope: FilterScope | undefined;

  readonly onDidChange: Event<void> = this.#changed.event;

  constructor(parts: TreeFilterParts) {
    this.#parts = parts;
    this.#text = this.storedText;
    this.#words = wordsOf(this.#text);
    this.#scope = scopeOf(parts.memory.get(scopeKey));
  }

  /** The text as typed, cleaned; empty while the list isn't searched. */
  get text(): string {
    return this.#text;
  }

  /** The text that was last accepted, which {@link restore} returns to. */
  get storedText(): string {
    const kept = this.#parts.memory.get(memoryKey);
    return typeof kept === 'string' ? plainText(kept, longestText) : '';
  }

  /** What the list is narrowed to; undefined for an account that was removed. */
  get scope(): FilterScope | undefined {
    return this.#scope && this.#parts.accounts.get(this.#scope.accountId) && this.#scope;
  }

  /** Whether the list may show fewer sessions than there are. */
  get isOn(): boolean {
    return this.#words.length > 0 || this.scope !== undefined;
  }

  /** The filter in messages: what it is narrowed to, and the text. */
  get name(): string {
    return [this.#scopeName(), this.#text].filter((part) => part !== '').join(' · ');
  }

  /** Shows only the sessions that match; all of them for an empty text. */
  async set(text: string): Promise<void> {
    this.preview(text);
    await this.#parts.memory.update(memoryKey, this.#text === '' ? undefined : this.#text);
  }

  /** The same, until {@link restore}: while the user types. */
  preview(text: string): void {
    const cleaned = plainText(text, longestText);
    if (cleaned === this.#text) return;
    this.#text = cleaned;
    this.#words = wordsOf(cleaned);
    this.#changed.fire();
  }

  /** Returns to the text that was last accepted. */
  restore(): void {
    this.preview(this.storedText);
  }

  /** Shows only the sessions of an account or group. */
  async narrowTo(accountId: AccountId, groupId: GroupId | undefined): Promise<void> {
    const contents = this.#parts.store.state(accountId)?.contents;
    const group = groupId && contents && findGroup(groupId, contents);
    this.#scope = { accountId, groupId, groupName: group ? groupName(group) : '' };
    this.#changed.fire();
    await this.#parts.memory.update(scopeKey, this.#scope);
  }

  /** Shows all sessions again. */
  async clear(): Promise<void> {
    const wasNarrowed = this.#scope !== undefined;
    this.#scope = undefined;
    this.#text = '';
    this.#words = [];
    this.#changed.fire();
    const { memory } = this.#parts;
    await Promise.all([memory.update(memoryKey, undefined), wasNarrowed && memory.update(scopeKey, undefined)]);
  }

  /** Whether an account is shown in the list. */
  showsAccount(account: AccountId): boolean {
    const { scope } = this;
    return scope === undefined || scope.accountId === account;
  }

  /** Whether a session matches. */
  shows(account: AccountId, session: Session): boolean {
    return this.#isInScope(account, session) && (this.#words.length === 0 || this.#has(account, session, this.#words));
  }

  /** How many listed sessions a text would match. */
  count(text: string): { readonly shown: number; readonly of: number } {
    const words = wordsOf(plainText(text, longestText));
    const { accounts, store } = this.#parts;
    const all = accounts.all.flatMap(({ id }) =>
      [...(store.state(id)?.contents.sessions.values() ?? [])].map(
        (session) => this.#isInScope(id, session) && (words.length === 0 || this.#has(id, session, words)),
      ),
    );
    return { shown: all.filter(Boolean).length, of: all.length };
  }

  #scopeName(): string {
    const { scope } = this;
    const account = scope && this.#parts.accounts.get(scope.accountId);
    if (scope === undefined || account === undefined) return '';
    return scope.groupName || accountName(account, this.#parts.kinds.get(account.provider));
  }

  #isInScope(account: AccountId, session: Session): boolean {
    const { scope } = this;
    if (scope === undefined) return true;
    if (scope.accountId !== account) return false;
    const groups = this.#parts.store.state(account)?.contents.groups;
    return scope.groupId === undefined || (groups !== undefined && isInGroup(scope.groupId, groups, session));
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
      ...session.traits.map((trait) => l10n.t(trait)),
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

/** Reads a stored scope, which may be anything. */
function scopeOf(kept: unknown): FilterScope | undefined {
  if (typeof kept !== 'object' || kept === null) return undefined;
  const { accountId: account, groupId, groupName: name } = kept as Readonly<Record<string, unknown>>;
  if (typeof account !== 'string') return undefined;
  if (groupId !== undefined && !isGroupId(groupId)) return undefined;
  return { accountId: accountId(account), groupId, groupName: typeof name === 'string' ? plainText(name) : '' };
}

/** The words that a session must have to match a text, in lower case. */
export function wordsOf(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(' ')
    .filter((word) => word !== '');
}
