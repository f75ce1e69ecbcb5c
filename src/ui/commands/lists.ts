import * as l10n from '@vscode/l10n';
import { type Clock, isRecent } from '../../core/clock.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { loopbackPort } from '../../core/origin.ts';
import { needsUser, retryAtOf } from '../../core/providerError.ts';
import type { Session } from '../../core/session.ts';
import { type ThisMachineAccount, thisMachineAccount } from '../../services/accounts/thisMachineAccount.ts';
import type { AccountSession } from '../../services/ending/report.ts';
import type { History } from '../../services/history/history.ts';
import type { Refresher } from '../../services/sessions/refresher.ts';
import type { SessionStore } from '../../services/sessions/sessionStore.ts';
import { type AccountState, isListed, troubleOf } from '../../services/sessions/sessionsView.ts';
import type { Prompts } from '../prompts.ts';
import { spokenAge } from '../text/ages.ts';
import { timeOfDay } from '../text/locale.ts';
import { type AccountParts, nameOfAccount } from './accountNames.ts';
import { busyIfSlow } from './busyIfSlow.ts';

/** The accounts' lists, and what refreshes them. */
export interface ListParts extends AccountParts {
  readonly store: SessionStore;
  readonly refresher: Refresher;
  readonly history: History;
  readonly prompts: Prompts;
  readonly clock: Clock;
}

/**
 * Lists accounts that were never listed, which is the case until the view is first opened, and waits a few seconds at
 * most. Commands that ask for a session, or act on all of them, start with this. They report on their own what
 * couldn't be listed.
 */
export async function listOnce({ store, refresher }: ListParts, accounts: readonly AccountId[]): Promise<void> {
  const never = accounts.filter((id) => {
    const kind = store.state(id)?.kind;
    return kind === 'disconnected' || kind === 'loading';
  });
  await waitForLists(never.map((id) => refresher.refreshOnRequest(id)));
}

/** Looks for browsers on this machine, whose account exists only while there are any, and waits a few seconds at most. */
export async function findOwnMachine({
  ownMachine,
  prompts,
  clock,
}: Pick<ListParts, 'prompts' | 'clock'> & { readonly ownMachine: Pick<ThisMachineAccount, 'findNow'> }): Promise<void> {
  await busyIfSlow(prompts, clock, l10n.t('Listing sessions…'), waitForLists([ownMachine.findNow()]));
}

/** Waits for lists, but only {@link longestWaitMs}: one slow account must not block the others. */
async function waitForLists(lists: readonly Promise<unknown>[]): Promise<void> {
  const enough = Promise.withResolvers<void>();
  const timer = setTimeout(enough.resolve, longestWaitMs);
  await Promise.race([Promise.all(lists), enough.promise]);
  clearTimeout(timer);
}

/** Age in milliseconds at which a list is refreshed before a question about everything in an account. */
const freshMs = 5_000;
/** Maximum age of such a list when the question is asked, in milliseconds, unless it couldn't be refreshed. */
const staleMs = 8_000;
/** How long such a question waits for lists, in milliseconds. */
const longestWaitMs = 5_000;

/**
 * Refreshes accounts whose lists are out of date, and waits a few seconds at most. Questions about everything in an
 * account start with this. They report on their own what couldn't be listed.
 */
export async function listFresh(
  { store, refresher, prompts, clock }: ListParts,
  accounts: readonly AccountId[],
): Promise<void> {
  const old = accounts.filter((id) => {
    const state = store.state(id);
    const error = state && troubleOf(state);
    const refuses = needsUser(error) || (retryAtOf(error?.trouble) ?? 0) > clock.now();
    const isFresh = isListed(state) && isRecent(state.asOf, clock.now(), freshMs);
    return state !== undefined && !refuses && !isFresh;
  });
  if (old.length === 0) return;
  const listing = l10n.t('Listing sessions…');
  prompts.note(listing);
  // Without a notification, a question that comes late would surprise a user who has gone on typing somewhere else.
  await busyIfSlow(prompts, clock, listing, waitForLists(old.map((id) => refreshFor(refresher, id))));
}

/** Other extensions can cause these, too. A list of this machine sends no key to anyone. */
function refreshFor(refresher: Refresher, account: AccountId): Promise<unknown> {
  return account === thisMachineAccount.id ? refresher.refresh(account) : refresher.refreshOnRequest(account);
}

/** Whether an account's list is complete, and new enough for a question about everything in it. */
export function isListedNow({ store, clock }: ListParts, account: AccountId): boolean {
  const state = store.state(account);
  return isListed(state) && isRecent(state.asOf, clock.now(), staleMs);
}

/**
 * A sentence for each account whose list is missing, old or combined, so that "all" doesn't promise too much.
 * @param ends what is going to end: if it's the browser that an account is for, that account's sessions end with it.
 */
export function unknownAccounts(
  parts: ListParts,
  ids: readonly AccountId[],
  ends: readonly AccountSession[] = [],
): readonly string[] {
  const ports = new Set(ends.map(({ session: { local } }) => `${local?.port}`));
  return ids.flatMap((id) => {
    const state = parts.store.state(id);
    if (state === undefined) return [];
    const name = nameOfAccount(parts, id);
    const combined = l10n.t('Several servers share {0}. Only the sessions listed here will be ended.', name);
    const said = isListedNow(parts, id) ? undefined : unknownSentence(state, name);
    if (said !== undefined && ports.has(loopbackPort(parts.accounts.get(id)?.origin ?? '') ?? ''))
      return [
        l10n.t(
          "Couldn't list the sessions in {0}. They run in a browser that is listed here, and will end with it.",
          name,
        ),
      ];
    const isPart = state.kind === 'ready' && leavesOutSessions(state);
    return [said ?? [], isPart ? partSentence(parts, id) : [], state.contents.combined ? combined : []].flat();
  });
}

/** Says that sessions of an account may be missing from a dialog. */
export function partSentence(parts: AccountParts, account: AccountId): string {
  const name = nameOfAccount(parts, account);
  return l10n.t('Not all sessions in {0} can be listed, so some may be missing here.', name);
}

/** Whether a list has sessions that can't be shown. */
export function leavesOutSessions({ contents }: AccountState): boolean {
  return contents.faults.some(({ hidesSession }) => hidesSession !== false);
}

function unknownSentence(state: AccountState, name: string): string {
  switch (state.kind) {
    case 'ready':
      return l10n.t(
        'The list for {0} is from {1}. Sessions started since then are NOT included.',
        name,
        timeOfDay(state.asOf),
      );
    case 'loading':
      return l10n.t("{0} is still loading. Sessions that haven't loaded yet are NOT included.", name);
    case 'failed':
    case 'disconnected':
      return state.contents.sessions.size === 0
        ? l10n.t("Couldn't list the sessions in {0}. They are NOT included.", name)
        : l10n.t("Couldn't list all the sessions in {0}. The missing ones are NOT included.", name);
  }
}

/** {@link unknownAccounts} for the accounts that couldn't be listed, or haven't been yet. */
export function unlistedAccounts(parts: ListParts): readonly string[] {
  const ids = parts.accounts.all.map(({ id }) => id);
  return unknownAccounts(
    parts,
    ids.filter((id) => !isListed(parts.store.state(id))),
  );
}

/**
 * The message for a session that isn't listed. It says that the session ended only if that was confirmed.
 * @param meant the session as it was last listed, if it was: see {@link History.find}.
 */
export function missingSentence(parts: ListParts, account: AccountId, session: SessionId, meant?: Session): string {
  const { history, store } = parts;
  const state = store.state(account);
  const name = nameOfAccount(parts, account);
  if (history.find(account, session, meant) !== undefined) return l10n.t('This session has already ended.');
  if (state === undefined) return l10n.t('The account of this session was removed.');
  if (isListed(state)) return l10n.t("{0} doesn't list this session.", name);
  return l10n.t("Couldn't list the sessions in {0}, so this session may still be running.", name);
}

/** How long a session has been running, in words; undefined if that isn't known. */
export function ageOf({ store, clock }: ListParts, account: AccountId, session: SessionId): string | undefined {
  const start = store.startOf(account, session);
  return start && spokenAge(start, clock.now());
}
