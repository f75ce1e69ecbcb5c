import * as l10n from '@vscode/l10n';
import { type AccountId, accountId, type GroupId, idFault, type PageId, type SessionId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { Session } from '../../core/session.ts';
import type { AccountSession } from '../../services/ending/report.ts';
import type { FinishedBatches } from '../../services/sessions/finishedBatches.ts';
import { isGroupId, isValueGroupId, type ListGroup, sessionsByGroup } from '../../services/sessions/grouping.ts';
import type { Choice } from '../prompts.ts';
import { shownName } from '../sessionNames.ts';
import { groupName } from '../text/groupNames.ts';
import { accountHost } from '../text/names.ts';
import type { Arrangement } from '../tree/arrangement.ts';
import type { TreeFilter } from '../tree/filter.ts';
import type { TreeNode } from '../tree/nodes.ts';
import { kindOf, nameOfAccount } from './accountNames.ts';
import { ageOf, type ListParts, listOnce, unlistedAccounts } from './lists.ts';

/** What finding a command's targets needs: the lists, what the tree shows of them, and the finished batches. */
export interface TargetParts extends ListParts {
  readonly filter: TreeFilter;
  readonly arrangement: Pick<Arrangement, 'of'>;
  readonly finished: FinishedBatches;
}

/** What a command acts on, as a row of the tree or a caller names it. */
export interface Target {
  readonly accountId: AccountId;
  readonly groupId: GroupId | undefined;
  readonly sessionId: SessionId | undefined;
  readonly pageId: PageId | undefined;
  /**
   * Whether it stands only for the sessions that the filter shows: true for accounts and groups that are rows of the
   * tree.
   */
  readonly shownOnly: boolean;
}

/** What kind of row of the tree something is; undefined for a caller's argument. */
function rowKind(raw: unknown): unknown {
  return typeof raw === 'object' && raw !== null ? Reflect.get(raw, 'kind') : undefined;
}

/** Reads one target. If it has an invalid id, it names nothing, rather than the whole account. */
function targetOf(raw: unknown): Target | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const field = (name: keyof Target): unknown => Reflect.get(raw, name);
  const account = field('accountId');
  const [groupId, ...others] = [field('groupId'), field('sessionId'), field('pageId')];
  if (typeof account !== 'string' || account === '') return undefined;
  if (groupId !== undefined && !isGroupId(groupId)) return undefined;
  if (others.some((id) => id !== undefined && idFault(id) !== undefined)) return undefined;
  const [sessionId, pageId] = others;
  return {
    accountId: accountId(account),
    groupId,
    sessionId: sessionId as SessionId | undefined,
    pageId: pageId as PageId | undefined,
    shownOnly: sessionId === undefined && 'kind' in raw,
  };
}

/**
 * What the arguments of a command name: the selection if the clicked row is in it (VS Code then passes it as the second
 * argument), else the row or targets that were passed.
 */
function namedBy([first, second]: readonly unknown[]): readonly unknown[] {
  const selected = listOf(second);
  if (selected?.includes(first)) return selected;
  return listOf(first) ?? [first];
}

/** Most targets in a list: far more than VS Code can show as rows. A longer list names nothing. */
const mostTargets = 100_000;

/**
 * A caller's list, copied; undefined if it isn't one. The list itself may have methods and an iterator of its own, which could
 * name more each time it's read, or never end.
 */
function listOf(raw: unknown): readonly unknown[] | undefined {
  if (!Array.isArray(raw)) return undefined;
  const { length } = raw;
  return length > mostTargets ? [] : Array.from({ length }, (_, at) => Reflect.get(raw, at));
}

/**
 * The targets of a command that acts on many. An empty list means that nothing was named and the user must be asked. It
 * never means everything.
 */
export function targetsOf(args: readonly unknown[]): readonly Target[] {
  return namedBy(args).flatMap((raw) => targetOf(raw) ?? []);
}

/**
 * The targets of a command about sessions, such as an end. Only rows of accounts, groups and sessions count: selecting a note
 * doesn't mean ending its whole account, and selecting a page doesn't mean ending its session.
 */
export function sessionTargetsOf(args: readonly unknown[]): readonly Target[] {
  const standForSessions: readonly unknown[] = [undefined, 'account', 'group', 'session'];
  return namedBy(args).flatMap((raw) => (standForSessions.includes(rowKind(raw)) ? (targetOf(raw) ?? []) : []));
}

/** The target of a command that acts on one: the row that was clicked, even if it is one of several selected ones. */
export function targetOfOne([first]: readonly unknown[]): Target | undefined {
  return (listOf(first) ?? [first]).map(targetOf).find((target) => target !== undefined);
}

/** Whether the arguments are rows of the tree, and not what a caller passes. */
export function isRow([first]: readonly unknown[]): boolean {
  return rowKind(first) !== undefined;
}

/** Whether the arguments name exactly one row of the tree, which is of this kind. */
export function isOneRow(args: readonly unknown[], kind: TreeNode['kind']): boolean {
  const named = namedBy(args);
  return named.length === 1 && rowKind(named[0]) === kind;
}

/** A target that stands for all sessions of an account. */
export function wholeAccount(accountId: AccountId): Target {
  return { accountId, groupId: undefined, sessionId: undefined, pageId: undefined, shownOnly: false };
}

/** A target that is one session. */
export function targetOfSession({ accountId, session }: AccountSession): Target {
  return { ...wholeAccount(accountId), sessionId: session.id };
}

/** Whether a caller named anything at all, even if it doesn't exist (anymore). */
export function isNamed([first]: readonly unknown[]): boolean {
  return typeof first === 'object' && first !== null;
}

/**
 * The sessions of targets, without duplicates. Groups and accounts stand for all of their sessions, or, as rows of a
 * filtered tree, for those that it shows.
 */
export function sessionsOf(
  { store, filter }: Pick<TargetParts, 'store' | 'filter'>,
  targets: readonly Target[],
): readonly AccountSession[] {
  const found = new Map<string, AccountSession>();
  const byAccount = Map.groupBy(targets, ({ accountId: account }) => account);
  const members = new Map(
    [...byAccount].map(([account, its]) => {
      const ids = its.flatMap(({ groupId, sessionId }) => (sessionId === undefined && groupId ? [groupId] : []));
      const contents = ids.length === 0 ? undefined : store.state(account)?.contents;
      return [account, contents && sessionsByGroup(ids, contents)] as const;
    }),
  );
  for (const { accountId: account, groupId, sessionId, shownOnly } of targets) {
    for (const session of named(account, groupId, sessionId)) {
      if (!shownOnly || filter.shows(account, session))
        found.set(`${account}/${session.id}`, { accountId: account, session });
    }
  }
  return [...found.values()];

  function named(account: AccountId, groupId: GroupId | undefined, id: SessionId | undefined): Iterable<Session> {
    if (id !== undefined) return [store.session(account, id) ?? []].flat();
    if (groupId !== undefined) return members.get(account)?.get(groupId) ?? [];
    return store.state(account)?.contents.sessions.values() ?? [];
  }
}

/** The same targets, including the sessions that the filter hides. */
export function whole(targets: readonly Target[]): readonly Target[] {
  return targets.map((target) => ({ ...target, shownOnly: false }));
}

/** Every running session as a choice, under its account. */
export async function sessionChoices(parts: TargetParts): Promise<Choice<AccountSession>[]> {
  const ids = parts.accounts.all.map(({ id }) => id);
  await listOnce(parts, ids);
  return ids.flatMap((accountId) =>
    sessionsOf(parts, [wholeAccount(accountId)]).map((target) => choiceOf(parts, target)),
  );
}

/** A session as a choice, under its account. */
export function choiceOf(parts: ListParts, target: AccountSession): Choice<AccountSession> {
  const { accountId, session } = target;
  return {
    label: shownName(parts.store, accountId, session).name,
    description: ageOf(parts, accountId, session.id) ?? '',
    detail: plainText(session.id),
    icon: undefined,
    heading: nameOfAccount(parts, accountId),
    value: target,
  };
}

/** Every account as a choice. */
export function accountChoices(parts: ListParts): Choice<AccountId>[] {
  return parts.accounts.all.map((account) => {
    const running = parts.store.state(account.id)?.contents.sessions.size ?? 0;
    return {
      label: nameOfAccount(parts, account.id),
      description: countSessions(running),
      detail: accountHost(account),
      icon: kindOf(parts, account)?.icon,
      heading: undefined,
      value: account.id,
    };
  });
}

/** A target that is a group. */
export type GroupTarget = Target & { readonly groupId: GroupId };

/** The groups that the tree shows as choices, under their accounts, and those that the filter hides. */
export async function groupChoices(parts: TargetParts): Promise<Choice<GroupTarget>[]> {
  return choicesAmong(parts, (id) => parts.arrangement.of(id).allGroups);
}

/** Every batch that fits as a choice, under its account, however the list is grouped; finished ones if they are shown. */
export async function batchChoices(
  parts: TargetParts,
  fits: (group: ListGroup) => boolean,
): Promise<Choice<GroupTarget>[]> {
  return choicesAmong(parts, (id) => {
    const running = parts.store.state(id)?.contents.groups ?? new Map<GroupId, ListGroup>();
    return [...new Map([...(parts.finished.of(id)?.groups ?? []), ...running]).values()].filter(fits);
  });
}

async function choicesAmong(
  parts: TargetParts,
  groupsOf: (account: AccountId) => readonly ListGroup[],
): Promise<Choice<GroupTarget>[]> {
  const ids = parts.accounts.all.map(({ id }) => id);
  await listOnce(parts, ids);
  return ids.flatMap((accountId) =>
    groupsOf(accountId).map((group) => {
      const value = { ...wholeAccount(accountId), groupId: group.id };
      return {
        label: groupName(group),
        description: countSessions(sessionsOf(parts, [value]).length),
        // The id of a group that the list makes says nothing to anyone.
        detail: isValueGroupId(group.id) ? '' : plainText(group.id),
        icon: 'layers',
        heading: nameOfAccount(parts, accountId),
        value,
      };
    }),
  );
}

/** How many sessions, e.g. `3 sessions`. */
export function countSessions(count: number): string {
  return count === 1 ? l10n.t('1 session') : l10n.t('{0} sessions', count);
}

/** The session that a caller names, even if it has ended, or else the one that the user picks from those that fit. */
export async function sessionTarget(
  parts: TargetParts,
  args: readonly unknown[],
  title: string,
  none: string,
  fits: (target: AccountSession) => boolean,
): Promise<{ readonly accountId: AccountId; readonly sessionId: SessionId } | undefined> {
  const named = targetOfOne(args);
  if (named?.sessionId !== undefined) return { accountId: named.accountId, sessionId: named.sessionId };
  const choices = (await sessionChoices(parts)).filter(({ value }) => fits(value));
  const sentence = [none, ...unlistedAccounts(parts)].join(' ');
  const picked = await pickOne(parts, title, l10n.t('Select a session'), sentence, choices);
  return picked && { accountId: picked.accountId, sessionId: picked.session.id };
}

/** Asks for one of the choices, or shows `none` if there are none. */
export async function pickOne<T>(
  { prompts }: Pick<TargetParts, 'prompts'>,
  title: string,
  placeholder: string,
  none: string,
  choices: readonly Choice<T>[],
): Promise<T | undefined> {
  if (choices.length === 0) {
    void prompts.tell('info', none, []);
    return undefined;
  }
  const answer = await prompts.pick({ title, placeholder, choices, step: undefined });
  return answer.kind === 'answer' ? answer.value : undefined;
}
