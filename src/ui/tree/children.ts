import type { Account } from '../../core/account.ts';
import type { Group } from '../../core/group.ts';
import type { AccountId, GroupId, SessionId } from '../../core/ids.ts';
import { mostPages, type Page } from '../../core/page.ts';
import type { ProviderKind } from '../../core/provider.ts';
import type { Session } from '../../core/session.ts';
import { type AccountState, knownPages, type SessionsView, troubleOf } from '../../services/sessions/sessionsView.ts';
import type { SessionNames } from '../sessionNames.ts';
import type { Arrangement } from './arrangement.ts';
import type { TreeFilter } from './filter.ts';
import type { FinishedRows } from './finishedRows.ts';
import type { TreeNode, TreeNodes } from './nodes.ts';

/** What the tree is drawn from, all of it in memory. */
export interface TreeModel {
  readonly store: SessionsView;
  readonly nodes: TreeNodes;
  /** The labels of sessions' rows. */
  readonly names: SessionNames;
  /** What the rows of sessions show besides their names; see the setting `row.details`. */
  details(): readonly string[];
  accounts(): readonly Account[];
  account(id: AccountId): Account | undefined;
  kind(provider: string): ProviderKind | undefined;
  now(): number;
  /** Whether an account's key is only in this window's memory. */
  isForThisWindow(id: AccountId): boolean;
  /** The user's own rate for a provider's sessions; undefined where they set none. */
  ratePerHour(provider: string): number | undefined;
  /** The currency of the rates, as the user wrote it. */
  currency(): string;
  /** Whether a session is the user's own; undefined without a rule and workspace folders. */
  isMine(session: Session): boolean | undefined;
  /** Whether the user protected a session. */
  isProtected(account: AccountId, session: SessionId): boolean;
  /** Whether a click on a session's row opens it, as the settings say. */
  opensOnClick(): boolean;
  /** What the list is narrowed to. */
  readonly filter: Pick<TreeFilter, 'isOn' | 'name' | 'showsAccount' | 'text'>;
  /** The sessions and groups of each account that the filter shows, in order. */
  readonly arranged: Pick<Arrangement, 'of'>;
  /** Draws finished batches. Undefined until the user first shows them. */
  finished(): FinishedRows | undefined;
  /** How many sessions of an account or group are drawn before a "Show More" row. */
  limit(account: AccountId, group: GroupId | undefined): number;
}

/** How many sessions an account or group draws at first, and how many each "Show more" adds. */
export const rowsAtOnce = 200;

/** How many unreadable rows of a list are shown at most. */
export const mostFaults = 20;

/** The rows below a row, or the accounts. */
export function childrenOf(model: TreeModel, node: TreeNode | undefined): readonly TreeNode[] {
  const { nodes, store } = model;
  if (node === undefined) {
    const shown = model.accounts().filter(({ id }) => model.filter.showsAccount(id));
    return shown.map(({ id }) => nodes.get({ kind: 'account', accountId: id }));
  }
  const { accountId } = node;
  switch (node.kind) {
    case 'account': {
      const state = store.state(accountId);
      return state === undefined ? [] : accountChildren(model, accountId, state);
    }
    case 'group':
      return sessionRows(model, accountId, node.groupId);
    case 'session': {
      const { sessionId } = node;
      const { pages, note } = pagesOf(model, accountId, sessionId);
      if (pages.length === 0) return [nodes.get({ kind: 'pageNote', accountId, sessionId, note })];
      const rows: TreeNode[] = pages
        .slice(0, mostPages)
        .map(({ id }) => nodes.get({ kind: 'page', accountId, sessionId, pageId: id }));
      if (pages.length >= mostPages) rows.push(nodes.get({ kind: 'pageNote', accountId, sessionId, note: 'more' }));
      if (note === 'failed') rows.push(nodes.get({ kind: 'pageNote', accountId, sessionId, note }));
      return rows;
    }
    case 'page':
    case 'trouble':
    case 'fault':
    case 'note':
    case 'pageNote':
    case 'more':
      return [];
  }
}

/** The row above a row. */
export function parentOf({ nodes, arranged }: TreeModel, node: TreeNode): TreeNode | undefined {
  const { accountId } = node;
  const account = () => nodes.get({ kind: 'account', accountId });
  const group = (groupId: GroupId | undefined) =>
    groupId === undefined ? account() : nodes.get({ kind: 'group', accountId, groupId });
  switch (node.kind) {
    case 'account':
      return undefined;
    case 'session':
      return group(arranged.of(accountId).groupOf(node.sessionId)?.id);
    case 'more':
      return group(node.groupId);
    case 'page':
    case 'pageNote':
      return nodes.get({ kind: 'session', accountId, sessionId: node.sessionId });
    case 'group':
    case 'trouble':
    case 'fault':
    case 'note':
      return account();
  }
}

function accountChildren(model: TreeModel, accountId: AccountId, state: AccountState): TreeNode[] {
  const { nodes } = model;
  const { sessions, groups, faults } = state.contents;
  const rows: TreeNode[] = [];
  const hasTrouble = troubleOf(state) !== undefined;
  if (hasTrouble) rows.push(nodes.get({ kind: 'trouble', accountId }));
  for (const { id } of model.arranged.of(accountId).groups) {
    rows.push(nodes.get({ kind: 'group', accountId, groupId: id }));
  }
  const own = sessionRows(model, accountId, undefined);
  rows.push(...own);
  const hidesAll = sessions.size > 0 && own.length === 0 && !rows.some(({ kind }) => kind === 'group');
  if (hidesAll) rows.push(nodes.get({ kind: 'note', accountId, note: 'noMatch' }));
  for (const index of faults.slice(0, mostFaults).keys()) rows.push(nodes.get({ kind: 'fault', accountId, index }));
  if (rows.length === 0) {
    const note = state.kind === 'ready' ? 'empty' : 'loading';
    rows.push(nodes.get({ kind: 'note', accountId, note }));
  } else if (
    sessions.size === 0 &&
    !rows.some(({ kind }) => kind === 'group') &&
    state.kind === 'ready' &&
    !hasTrouble
  ) {
    rows.push(nodes.get({ kind: 'note', accountId, note: 'empty' }));
  }
  // They have no sessions that a filter could match.
  const finished = !model.filter.isOn ? model.finished()?.below(accountId, groups) : undefined;
  if (finished !== undefined) {
    const shown = [...finished.groups].sort(newestFirst);
    rows.push(...shown.map(({ id }) => nodes.get({ kind: 'group', accountId, groupId: id } as const)));
    rows.push(...finished.notes.map((note) => nodes.get({ kind: 'note', accountId, note } as const)));
  }
  if (state.contents.account?.note !== undefined)
    rows.push(nodes.get({ kind: 'note', accountId, note: 'providerNote' }));
  return rows;
}

function newestFirst(a: Group, b: Group): number {
  return (b.createdAt ?? 0) - (a.createdAt ?? 0) || (a.id < b.id ? -1 : 1);
}

function sessionRows(model: TreeModel, accountId: AccountId, groupId: GroupId | undefined): TreeNode[] {
  const { nodes } = model;
  const sessions = model.arranged.of(accountId).sessions(groupId);
  const limit = model.limit(accountId, groupId);
  const rows: TreeNode[] = sessions
    .slice(0, limit)
    .map((sessionId) => nodes.get({ kind: 'session', accountId, sessionId }));
  if (sessions.length > limit) rows.push(nodes.get({ kind: 'more', accountId, groupId }));
  return rows;
}

/** A session's known pages, and a note for where there are none, or where they couldn't be fetched again. */
export function pagesOf(
  { store }: TreeModel,
  accountId: AccountId,
  id: SessionId,
): { readonly pages: readonly Page[]; readonly note: 'loading' | 'empty' | 'failed' } {
  const known = knownPages(store, accountId, id);
  const isListed = store.session(accountId, id)?.pages !== undefined;
  const hasFailed = !isListed && store.pages(accountId, id)?.kind === 'failed';
  const otherwise = known === undefined ? 'loading' : 'empty';
  return { pages: known ?? [], note: hasFailed ? 'failed' : otherwise };
}

/** Whether a row's account, group, session or page is still known. Notes always count as known. */
export function isThere({ store, arranged, finished }: TreeModel, node: TreeNode): boolean {
  const contents = store.state(node.accountId)?.contents;
  if (contents === undefined) return false;
  if ('sessionId' in node) return contents.sessions.has(node.sessionId);
  if ('groupId' in node && node.groupId !== undefined) {
    return (
      arranged.of(node.accountId).group(node.groupId) !== undefined ||
      finished()?.has(node.accountId, node.groupId) === true
    );
  }
  return true;
}
