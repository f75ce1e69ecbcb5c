import type { Event } from '../../core/event.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import type { Page } from '../../core/page.ts';
import type { Capability } from '../../core/provider.ts';
import type { ProviderError } from '../../core/providerError.ts';
import type { Session } from '../../core/session.ts';
import type { Contents } from './contents.ts';

/**
 * What is known of an account. `asOf` is the time of its last complete list, and `began` the time when that was requested, in
 * epoch milliseconds: what it read first may have changed before it was complete. A failed refresh keeps that list: `ready` with
 * trouble is old but shown; `failed` never had one, though some rows may have arrived.
 */
export type AccountState =
  | { readonly kind: 'disconnected'; readonly contents: Contents }
  | { readonly kind: 'loading'; readonly contents: Contents }
  | {
      readonly kind: 'ready';
      readonly contents: Contents;
      readonly asOf: number;
      readonly began: number;
      readonly trouble: ProviderError | undefined;
    }
  | { readonly kind: 'failed'; readonly contents: Contents; readonly trouble: ProviderError };

/** Why a session couldn't be ended, or its end couldn't be confirmed. */
export type StuckReason =
  /**
   * The provider answered, and still says that the session is running. `found` is false where it also said that it doesn't
   * know the session; `said` is its own text: clean it before showing.
   */
  | { readonly kind: 'stillRuns'; readonly found: boolean; readonly said: string | undefined }
  /**
   * Nothing says whether it's gone. `error` is what went wrong, if anything did; `isCombined` says that several servers
   * share the address, and that it may still run on one that didn't answer.
   */
  | { readonly kind: 'unconfirmed'; readonly error: ProviderError | undefined; readonly isCombined: boolean }
  /** The request failed. */
  | { readonly kind: 'failed'; readonly error: ProviderError }
  /** The provider named it among those that it couldn't delete. Its own text: clean it before showing. */
  | { readonly kind: 'notDeleted'; readonly said: string };

/** The life of a listed session. Times are epoch milliseconds. An ended session is no longer listed. */
export type Life =
  | { readonly kind: 'running' }
  | { readonly kind: 'ending'; readonly since: number }
  | { readonly kind: 'stuck'; readonly since: number; readonly why: StuckReason };

/** Pages that were fetched. @property asOf when, in epoch milliseconds. */
export interface FetchedPages {
  readonly kind: 'ready';
  readonly pages: readonly Page[];
  readonly asOf: number;
}

/** The pages of a session whose list doesn't include them. One that couldn't be fetched again keeps the last ones. */
export type PageList =
  | { readonly kind: 'loading' }
  | FetchedPages
  | {
      readonly kind: 'failed';
      readonly trouble: ProviderError;
      readonly asOf: number;
      readonly last: FetchedPages | undefined;
    };

/** What changed: the accounts themselves, or something in one account. */
export type StoreChange =
  | { readonly kind: 'accounts' }
  | {
      readonly kind: 'account';
      readonly accountId: AccountId;
      /** Whether rows came, went or moved, or the account's own row changed. */
      readonly membership: boolean;
      /** Sessions that look different, where no row was added, removed or moved. */
      readonly sessions: readonly SessionId[];
    };

/** A session that left the list, as it was. */
export interface Leaving {
  readonly accountId: AccountId;
  readonly session: Session;
  /** Its pages, as listed or fetched last. */
  readonly pages: readonly Page[] | undefined;
  readonly start: { readonly at: number; readonly exact: boolean };
  /** Whether its end was requested here, and not refused. */
  readonly byYou: boolean;
  /** The account of the session on this machine that controls it; undefined if none does. */
  readonly usedFrom: AccountId | undefined;
}

/** A session on this machine that only controls another account's session. */
export interface Controller {
  readonly accountId: AccountId;
  readonly session: Session;
}

/** Which sessions of several accounts are the same browser. */
export interface LinkedSessions {
  /** The sessions of an account that others control. */
  controlledIn(account: AccountId): Iterable<SessionId>;
  /** The sessions that control this one. */
  controllersOf(account: AccountId, session: SessionId): readonly Controller[];
  /** The browsers that listen at a port of this machine and that the account with this address shows instead. */
  atPort(port: string): readonly (readonly [AccountId, SessionId])[];
}

/** The read-only half: what the tree, commands and the exported API see. Everything is answered from memory. */
export interface SessionsView {
  readonly onDidChange: Event<StoreChange>;
  /** As it's shown; see {@link known}. Undefined for an account that the store doesn't have. */
  state(account: AccountId): AccountState | undefined;
  /** All sessions of an account, including those that are shown under another account as the same browser. */
  known(account: AccountId): ReadonlyMap<SessionId, Session>;
  session(account: AccountId, session: SessionId): Session | undefined;
  life(account: AccountId, session: SessionId): Life;
  /** When it started, or else when it was first listed. */
  startOf(account: AccountId, session: SessionId): { readonly at: number; readonly exact: boolean } | undefined;
  /** Since when every list has called it idle, in epoch milliseconds; undefined while it isn't idle. No provider says. */
  idleSince(account: AccountId, session: SessionId): number | undefined;
  pages(account: AccountId, session: SessionId): PageList | undefined;
  /** Sessions that are missing from the latest complete list but not confirmed gone, so they are still shown. */
  missing(account: AccountId): ReadonlySet<SessionId>;
  /** Whether a session was confirmed gone, and no list has had it since. */
  hasEnded(account: AccountId, session: SessionId): boolean;
  /** Which sessions of several accounts are the same browser. */
  readonly links: LinkedSessions;
  capabilities(account: AccountId): ReadonlySet<Capability>;
}

/** What went wrong at an account's last refresh, if anything. */
export function troubleOf(state: AccountState): ProviderError | undefined {
  return state.kind === 'ready' || state.kind === 'failed' ? state.trouble : undefined;
}

/** Whether an account shows no session although it was listed, or listing it failed. False until the first list. */
export function listsNothing(state: AccountState | undefined): boolean {
  return (state?.kind === 'ready' || state?.kind === 'failed') && state.contents.sessions.size === 0;
}

/** Whether an account's last refresh brought a complete list. */
export function isListed(state: AccountState | undefined): state is Extract<AccountState, { readonly kind: 'ready' }> {
  return state?.kind === 'ready' && state.trouble === undefined;
}

/** The pages of a session, as listed or else as fetched; undefined while neither is known. */
export function knownPages(store: SessionsView, account: AccountId, session: SessionId): readonly Page[] | undefined {
  const listed = store.session(account, session)?.pages;
  if (listed !== undefined) return listed;
  return lastFetched(store.pages(account, session))?.pages;
}

/** The pages that were fetched last; undefined if none were. */
export function lastFetched(list: PageList | undefined): FetchedPages | undefined {
  return list?.kind === 'failed' ? list.last : list?.kind === 'ready' ? list : undefined;
}

/** Whether a session's end was requested, and the provider hasn't refused it. */
export function isTaken(life: Life): boolean {
  if (life.kind !== 'stuck') return life.kind === 'ending';
  return life.why.kind === 'unconfirmed' || (life.why.kind === 'stillRuns' && life.why.found);
}
