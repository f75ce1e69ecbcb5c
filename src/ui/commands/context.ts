import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import type { Clock } from '../../core/clock.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { ProviderKind } from '../../core/provider.ts';
import type { Memory } from '../../core/vault.ts';
import type { Accounts } from '../../services/accounts.ts';
import type { Connections } from '../../services/connections.ts';
import type { Ender } from '../../services/ending/ender.ts';
import type { EvidenceLog } from '../../services/ending/evidence.ts';
import type { EndJournal } from '../../services/ending/journal.ts';
import type { FinishedBatches } from '../../services/finishedBatches.ts';
import type { History } from '../../services/history.ts';
import type { Protections } from '../../services/protections.ts';
import type { ProviderKinds } from '../../services/providerKinds.ts';
import type { Refresher } from '../../services/refresher.ts';
import type { SessionStore } from '../../services/sessionStore.ts';
import { type AccountState, isListed, troubleOf } from '../../services/sessionsView.ts';
import type { Documents } from '../documents.ts';
import type { EndWithoutAsking } from '../endWithoutAsking.ts';
import type { LiveViews } from '../liveView/liveViews.ts';
import type { Prompts } from '../prompts.ts';
import type { ReadSetting } from '../settings.ts';
import type { TreeFilter } from '../tree/filter.ts';
import type { TreeNode } from '../tree/nodes.ts';
import type { SessionsTree } from '../tree/sessionsTree.ts';
import { spokenAge, timeOfDay } from '../words/ages.ts';
import { accountName } from '../words/names.ts';

/** What commands work with. */
export interface CommandContext {
  readonly accounts: Accounts;
  readonly kinds: ProviderKinds;
  readonly connections: Connections;
  readonly store: SessionStore;
  readonly evidence: EvidenceLog;
  readonly refresher: Refresher;
  readonly ender: Ender;
  readonly protections: Protections;
  readonly journal: EndJournal;
  readonly history: History;
  readonly documents: Documents;
  /** Opens a text that nobody has saved yet. */
  readonly openText: (text: string, language: string) => Promise<void>;
  /** What is kept between runs. */
  readonly memory: Memory;
  readonly setting: ReadSetting;
  readonly endWithoutAsking: EndWithoutAsking;
  /** Sets one for all of the person's workspaces. */
  readonly changeSetting: (key: string, value: string) => Promise<void>;
  readonly tree: SessionsTree;
  readonly filter: TreeFilter;
  readonly finished: FinishedBatches;
  readonly liveViews: LiveViews;
  readonly logger: Logger;
  readonly prompts: Prompts;
  readonly clock: Clock;
  readonly now: () => number;
  /** The rows that are selected in the tree. */
  readonly selection: () => readonly TreeNode[];
  readonly showLog: () => void;
  readonly copyText: (text: string) => Promise<void>;
  /** Opens an address in the browser that the person uses. */
  readonly openUrl: (url: URL) => Promise<void>;
}

/**
 * Sees to it that these accounts were listed at least once, which none is while the view was never open, as far as they
 * answer within a few seconds. Commands that ask which session, or are about all of them, begin with it; what could not be
 * listed is for them to say.
 */
export async function listOnce({ store, refresher }: CommandContext, accounts: readonly AccountId[]): Promise<void> {
  const never = accounts.filter((id) => {
    const kind = store.state(id)?.kind;
    return kind === 'disconnected' || kind === 'loading';
  });
  await waitForLists(never.map((id) => refresher.refresh(id)));
}

/** Waits for lists, but for none longer than a question waits: one account must not keep the user from the others. */
async function waitForLists(lists: readonly Promise<unknown>[]): Promise<void> {
  const enough = Promise.withResolvers<void>();
  const timer = setTimeout(enough.resolve, longestWaitMs);
  await Promise.race([Promise.all(lists), enough.promise]);
  clearTimeout(timer);
}

/** Milliseconds until a list is too old for a question about all that an account has, and is made anew. */
const freshMs = 5_000;
/** How old it is at most when the question is asked, where it could be. */
const staleMs = 8_000;
/** How long such a question waits for lists. */
const longestWaitMs = 5_000;

/**
 * Sees to it that these accounts are known as they are now, as far as they answer within a few seconds. Questions about
 * all that an account has begin with it; what could not be listed is for them to say.
 */
export async function listFresh(
  { store, refresher, prompts, now }: CommandContext,
  accounts: readonly AccountId[],
): Promise<void> {
  const old = accounts.filter((id) => {
    const state = store.state(id);
    const trouble = state && troubleOf(state)?.trouble;
    const refuses =
      trouble?.kind === 'unauthorized' ||
      trouble?.kind === 'forbidden' ||
      trouble?.kind === 'noKey' ||
      trouble?.kind === 'badAddress' ||
      (trouble?.kind === 'rateLimited' && (trouble.retryAt ?? 0) > now());
    const isFresh = isListed(state) && now() - state.asOf < freshMs;
    return state !== undefined && !refuses && !isFresh;
  });
  if (old.length === 0) return;
  prompts.note(l10n.t('Listing what runs…'));
  await waitForLists(old.map((id) => refresher.refresh(id)));
}

/** A sentence for each account whose list is missing or old, so that nobody takes "all" for more than it is. */
export function unknownAccounts(context: CommandContext, ids: readonly AccountId[]): readonly string[] {
  return ids.flatMap((id) => {
    const state = context.store.state(id);
    if (state === undefined) return [];
    const name = nameOf(context, id);
    const combined = l10n.t(
      'Several servers share {0}. Only the sessions listed here are ended, server by server.',
      name,
    );
    return [unknownSentence(state, name, context.now()) ?? [], state.contents.combined ? combined : []].flat();
  });
}

function unknownSentence(state: AccountState, name: string, now: number): string | undefined {
  switch (state.kind) {
    case 'ready':
      if (isListed(state) && now - state.asOf <= staleMs) return undefined;
      return l10n.t(
        'The list of {0} is from {1}: sessions started since are NOT included.',
        name,
        timeOfDay(state.asOf),
      );
    case 'loading':
      return l10n.t('{0} is still being listed: sessions that have not arrived yet are NOT included.', name);
    case 'failed':
    case 'disconnected':
      return state.contents.sessions.size === 0
        ? l10n.t('{0} could not be listed: its sessions are NOT included.', name)
        : l10n.t('{0} could not be listed to the end: the rest of its sessions is NOT included.', name);
  }
}

/** The same for the accounts that could not be listed, or not yet. */
export function unlistedAccounts(context: CommandContext): readonly string[] {
  const ids = context.accounts.all.map(({ id }) => id);
  return unknownAccounts(
    context,
    ids.filter((id) => !isListed(context.store.state(id))),
  );
}

/** What to say of a session that is not there: that it has ended only where that was seen. */
export function missingSentence(context: CommandContext, account: AccountId, session: SessionId): string {
  const { history, store } = context;
  const state = store.state(account);
  const name = nameOf(context, account);
  if (history.find(account, session) !== undefined) return l10n.t('That session has already ended.');
  if (state === undefined) return l10n.t('The account of that session is not here any longer.');
  if (isListed(state)) return l10n.t('{0} lists no such session.', name);
  return l10n.t('{0} could not be listed: whether that session still runs is not known.', name);
}

/** The vendor of an account, where it is known. */
export function kindOf({ kinds }: CommandContext, account: Account): ProviderKind | undefined {
  return kinds.get(account.provider);
}

/** What an account is called in dialogs. */
export function nameOf(context: CommandContext, id: AccountId): string {
  const account = context.accounts.get(id);
  return account === undefined ? id : accountName(account, kindOf(context, account));
}

/** How long a session has run, in words; undefined where nobody knows. */
export function ageOf({ store, now }: CommandContext, account: AccountId, session: SessionId): string | undefined {
  const start = store.startOf(account, session);
  return start && spokenAge(start, now());
}
