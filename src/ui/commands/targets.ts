import * as l10n from '@vscode/l10n';
import type { Group } from '../../core/group.ts';
import { type AccountId, accountId, type GroupId, idFault, type PageId, type SessionId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { AccountSession } from '../../services/ending/report.ts';
import type { FinishedBatches } from '../../services/sessions/finishedBatches.ts';
import type { Choice } from '../prompts.ts';
import { accountHost, groupName, sessionName } from '../text/names.ts';
import type { TreeFilter } from '../tree/filter.ts';
import type { TreeNode } from '../tree/nodes.ts';
import { kindOf, nameOfAccount } from './accountNames.ts';
import { ageOf, type ListParts, listOnce, unlistedAccounts } from './lists.ts';

/** What a command is chosen for: what is listed, what the list shows of it, and the rows that are selected there. */
export interface TargetParts extends ListParts {
  readonly filter: TreeFilter;
  readonly finished: FinishedBatches;
  readonly selection: () => readonly TreeNode[];
}

/** What a command is to act on, as a row of the tree or a caller names it. */
export interface Target {
  readonly accountId: AccountId;
  readonly groupId: GroupId | undefined;
  readonly sessionId: SessionId | undefined;
  readonly pageId: PageId | undefined;
  /** Whether it stands only for those of its sessions that the list shows: it is a row that was acted on there. */
  readonly shownOnly: boolean;
}

/** The argument that our keybindings pass, because no row comes with a key. */
function isFromKeyboard(argument: unknown): boolean {
  return typeof argument === 'object' && argument !== null && 'keyboard' in argument;
}

/** Whether something is a row of the list, and not what a caller wrote. */
function isRow(raw: object): boolean {
  return 'kind' in raw;
}

/** Reads one target. One with an id that no id may be names nothing, rather than the whole account around it. */
function targetOf(raw: unknown): Target | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const field = (name: keyof Target): unknown => Reflect.get(raw, name);
  const account = field('accountId');
  const parts = [field('groupId'), field('sessionId'), field('pageId')];
  if (typeof account !== 'string' || account === '') return undefined;
  if (parts.some((id) => id !== undefined && idFault(id) !== undefined)) return undefined;
  const [groupId, sessionId, pageId] = parts;
  return {
    accountId: accountId(account),
    groupId: groupId as GroupId | undefined,
    sessionId: sessionId as SessionId | undefined,
    pageId: pageId as PageId | undefined,
    shownOnly: sessionId === undefined && isRow(raw),
  };
}

/**
 * What a command was called for: the selection when the clicked row is in it (VS Code then passes it as the second
 * argument), else the row or targets that were passed, else, for a key, what is selected. An empty list means that
 * nothing was named and the user is to be asked. It never means everything.
 */
export function targetsOf(
  parts: Pick<TargetParts, 'selection'>,
  [first, second]: readonly unknown[],
): readonly Target[] {
  const named = isFromKeyboard(first)
    ? parts.selection()
    : Array.isArray(second) && second.includes(first)
      ? second
      : Array.isArray(first)
        ? first
        : [first];
  return named.flatMap((raw: unknown) => targetOf(raw) ?? []);
}

/** An account as a target, which stands for all of its sessions. */
export function wholeAccount(accountId: AccountId): Target {
  return { accountId, groupId: undefined, sessionId: undefined, pageId: undefined, shownOnly: false };
}

/** Whether a caller named anything at all, even if it is not there (any longer). */
export function isNamed([first]: readonly unknown[]): boolean {
  return typeof first === 'object' && first !== null;
}

/**
 * The sessions that targets stand for, without doubles: groups and accounts stand for all of theirs, or, as rows of a list
 * that is filtered, for those that it shows.
 */
export function sessionsOf(
  { store, filter }: Pick<TargetParts, 'store' | 'filter'>,
  targets: readonly Target[],
): readonly AccountSession[] {
  const found = new Map<string, AccountSession>();
  for (const { accountId: account, groupId, sessionId, shownOnly } of targets) {
    const named = sessionId && store.session(account, sessionId);
    const all = sessionId === undefined ? store.state(account)?.contents.sessions.values() : named && [named];
    for (const session of all ?? []) {
      const meant = sessionId !== undefined || groupId === undefined || session.groupId === groupId;
      if (meant && (!shownOnly || filter.shows(account, session)))
        found.set(`${account}/${session.id}`, { accountId: account, session });
    }
  }
  return [...found.values()];
}

/** The same targets, for all that they stand for: also what the list hides of it. */
export function whole(targets: readonly Target[]): readonly Target[] {
  return targets.map((target) => ({ ...target, shownOnly: false }));
}

/** Every running session as a line of a pick list, under its account. */
export async function sessionChoices(parts: TargetParts): Promise<Choice<AccountSession>[]> {
  const ids = parts.accounts.all.map(({ id }) => id);
  await listOnce(parts, ids);
  return ids.flatMap((accountId) =>
    sessionsOf(parts, [wholeAccount(accountId)]).map((target) => choiceOf(parts, target)),
  );
}

/** A session as a line of a pick list, under its account. */
export function choiceOf(parts: ListParts, target: AccountSession): Choice<AccountSession> {
  const { accountId, session } = target;
  return {
    label: sessionName(session),
    description: ageOf(parts, accountId, session.id) ?? '',
    detail: plainText(session.id),
    icon: undefined,
    heading: nameOfAccount(parts, accountId),
    value: target,
  };
}

/** Every account as a line of a pick list. */
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

/** Every group that fits as a line of a pick list, under its account. */
export async function groupChoices(
  parts: TargetParts,
  fits: (group: Group) => boolean,
): Promise<Choice<GroupTarget>[]> {
  const ids = parts.accounts.all.map(({ id }) => id);
  await listOnce(parts, ids);
  return ids.flatMap((accountId) =>
    groupsOf(parts, accountId)
      .filter(fits)
      .map((group) => {
        const value = { ...wholeAccount(accountId), groupId: group.id };
        return {
          label: groupName(group),
          description: countSessions(sessionsOf(parts, [value]).length),
          detail: plainText(group.id),
          icon: 'layers',
          heading: nameOfAccount(parts, accountId),
          value,
        };
      }),
  );
}

/** The groups of an account, and batches that have finished where they are shown. */
function groupsOf({ store, finished }: TargetParts, accountId: AccountId): readonly Group[] {
  const running = store.state(accountId)?.contents.groups ?? new Map<GroupId, Group>();
  return [...new Map([...(finished.of(accountId)?.groups ?? []), ...running]).values()];
}

function countSessions(count: number): string {
  return count === 1 ? l10n.t('1 session') : l10n.t('{0} sessions', count);
}

/** The session that a caller names, also one that has ended, or else the one that the user picks of those that fit. */
export async function sessionTarget(
  parts: TargetParts,
  args: readonly unknown[],
  title: string,
  none: string,
  fits: (target: AccountSession) => boolean,
): Promise<{ readonly accountId: AccountId; readonly sessionId: SessionId } | undefined> {
  for (const { accountId: account, sessionId } of targetsOf(parts, args)) {
    if (sessionId !== undefined) return { accountId: account, sessionId };
  }
  const choices = (await sessionChoices(parts)).filter(({ value }) => fits(value));
  const sentence = [none, ...unlistedAccounts(parts)].join(' ');
  const picked = await pickOne(parts, title, l10n.t('Select a session'), sentence, choices);
  return picked && { accountId: picked.accountId, sessionId: picked.session.id };
}

/** Asks for one of the choices, or tells why there is none to choose. */
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
