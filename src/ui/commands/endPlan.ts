import * as l10n from '@vscode/l10n';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { AccountSession } from '../../services/ending/report.ts';
import type { Protections } from '../../services/sessions/protections.ts';
import type { TreeFilter } from '../tree/filter.ts';
import { type ListParts, listFresh, unknownAccounts } from './lists.ts';
import { sessionsOf, type Target, whole, wholeAccount } from './targets.ts';

/** What decides which sessions an end reaches. */
export interface EndPlanParts extends ListParts {
  readonly filter: TreeFilter;
  readonly protections: Protections;
}

/**
 * What a command would end. The user confirms a plan by a dialog that lists it (`confirmEnd.ts`), and exactly its `ends` are
 * ended then (`runEnd.ts`): a session that starts while the dialog is open is not among them.
 */
export interface EndPlan {
  readonly ends: readonly AccountSession[];
  /** Protected sessions, and those that their provider keeps from ends of several. */
  readonly leftOut: readonly AccountSession[];
  /** Sentences about accounts whose sessions aren't known for sure. */
  readonly unknown: readonly string[];
  /** Set where the list's filter keeps sessions from the plan that would end without it. */
  readonly partial: PartialEnd | undefined;
  /** How many sessions the list's filter keeps from the plan, protected ones too. */
  readonly hidden: number;
  /** Whether it's one session that was named by itself: the one way to end a protected session. */
  readonly isSingle: boolean;
}

/** How many sessions a filter leaves to end, and of how many. */
export interface PartialEnd {
  readonly shown: number;
  readonly of: number;
}

/**
 * Plans to end the sessions that targets stand for. Their accounts are listed again first, where they answer in time.
 * @param isMeant narrows accounts and groups to some of their sessions.
 */
export async function planEnd(
  parts: EndPlanParts,
  targets: readonly Target[],
  isMeant: (target: AccountSession) => boolean = () => true,
): Promise<EndPlan> {
  const accounts = [
    ...new Set(targets.flatMap(({ accountId, sessionId }) => (sessionId === undefined ? [accountId] : []))),
  ];
  await listFresh(parts, accounts);
  const single = singleOf(targets);
  const isMissing = single !== undefined && parts.store.session(single.accountId, single.sessionId) === undefined;
  if (isMissing && parts.accounts.get(single.accountId) !== undefined) await listFresh(parts, [single.accountId]);
  const sessions = sessionsOf(parts, targets).filter(isMeant);
  const plan = planFor(parts, sessions, single !== undefined);
  const all = targets.some(({ shownOnly }) => shownOnly) ? sessionsOf(parts, whole(targets)).filter(isMeant) : sessions;
  const of = planFor(parts, all, plan.isSingle).ends.length;
  return {
    ...plan,
    unknown: unknownAccounts(parts, accounts),
    partial: of === plan.ends.length ? undefined : { shown: plan.ends.length, of },
    hidden: all.length - sessions.length,
  };
}

/** Plans to end all sessions of all accounts, or those of them that are meant. */
export function planEndOfAll(parts: EndPlanParts, isMeant?: (target: AccountSession) => boolean): Promise<EndPlan> {
  return planEnd(
    parts,
    parts.accounts.all.map(({ id }) => wholeAccount(id)),
    isMeant,
  );
}

/** Plans to end sessions that the user has picked. @param isSingle whether one was named by itself. */
export function planFor(
  { protections }: Pick<EndPlanParts, 'protections'>,
  sessions: readonly AccountSession[],
  isSingle = false,
): EndPlan {
  const isLeftOut = (target: AccountSession) => !isSingle && isKeptFromMany({ protections }, target);
  return {
    ends: sessions.filter((target) => !isLeftOut(target)),
    leftOut: sessions.filter(isLeftOut),
    unknown: [],
    partial: undefined,
    hidden: 0,
    isSingle,
  };
}

/** The session that was named, and nothing else; undefined where several were, or a group or an account. */
export function singleOf(
  targets: readonly Target[],
): { readonly accountId: AccountId; readonly sessionId: SessionId } | undefined {
  const [first] = targets;
  if (targets.length !== 1 || first?.sessionId === undefined) return undefined;
  return { accountId: first.accountId, sessionId: first.sessionId };
}

/** Whether ends of several skip a session. */
export function isKeptFromMany(parts: Pick<EndPlanParts, 'protections'>, target: AccountSession): boolean {
  return reasonLeftOut(parts, target) !== undefined;
}

/** Why ends of several skip a session, if they do. */
export function reasonLeftOut(
  { protections }: Pick<EndPlanParts, 'protections'>,
  { accountId, session }: AccountSession,
): string | undefined {
  if (protections.has(accountId, session.id)) return l10n.t("It's protected.");
  return session.bulkEndExclusion === undefined ? undefined : plainText(session.bulkEndExclusion, 200);
}

/** Why a plan has nothing to end. */
export function nothingToEnd(parts: EndPlanParts, { leftOut, hidden, unknown }: EndPlan): string {
  const reasons = [...new Set(leftOut.map((target) => reasonLeftOut(parts, target) ?? ''))];
  return [
    l10n.t('There are no sessions to end.'),
    ...(hidden > 0 ? [l10n.t('The filter "{0}" hides the sessions that are running.', parts.filter.text)] : []),
    ...reasons,
    ...unknown,
  ].join(' ');
}
