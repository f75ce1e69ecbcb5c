import * as l10n from '@vscode/l10n';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import { type ThisMachineAccount, thisMachineAccount } from '../../services/accounts/thisMachineAccount.ts';
import type { AccountSession } from '../../services/ending/report.ts';
import type { Protections } from '../../services/sessions/protections.ts';
import { withNames } from '../sessionNames.ts';
import type { TreeFilter } from '../tree/filter.ts';
import { nameOfAccount } from './accountNames.ts';
import { findOwnMachine, isListedNow, type ListParts, listFresh, unknownAccounts } from './lists.ts';
import { sessionsOf, type Target, whole, wholeAccount } from './targets.ts';

/** What deciding which sessions end needs. */
export interface EndPlanParts extends ListParts {
  readonly filter: TreeFilter;
  readonly protections: Protections;
  /** Looks for browsers on this machine. Their account exists only while there are any. */
  readonly ownMachine: Pick<ThisMachineAccount, 'findNow' | 'show' | 'leaveIfEmpty'>;
}

/**
 * What a command would end. The user confirms the plan in a dialog that lists it (`confirmEnd.ts`), and then exactly
 * its `ends` are ended (`runEnd.ts`). A session that starts while the dialog is open isn't included.
 */
export interface EndPlan {
  readonly ends: readonly AccountSession[];
  /** Protected sessions, and sessions that their provider excludes when several are ended at once. */
  readonly leftOut: readonly AccountSession[];
  /** Sentences about accounts whose sessions aren't known for certain. */
  readonly unknown: readonly string[];
  /** Those of them about protections that aren't known. */
  readonly unknownProtection: readonly string[];
  /** Set if the filter hides sessions that would otherwise end. */
  readonly partial: PartialEnd | undefined;
  /** How many sessions the filter hides, including protected ones. */
  readonly hidden: number;
  /** Whether exactly one session was chosen: the only way to end a protected session. */
  readonly isSingle: boolean;
}

/** How many of the sessions to end the filter shows, and how many there are without it. */
export interface PartialEnd {
  readonly shown: number;
  readonly of: number;
}

/**
 * Plans to end the sessions of targets. Their accounts are listed again first, if they answer in time.
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
  const protecting = protectingAccounts(parts);
  const single = singleOf(targets);
  const doubtful = targets.flatMap(({ accountId, sessionId }) => {
    if (sessionId === undefined) return [];
    const known = parts.store.session(accountId, sessionId);
    if (known === undefined) return single === undefined ? [] : [accountId];
    // The dialog names the pages that close: they may show something else by now.
    return known.ends === 'pages' ? [accountId] : [];
  });
  await listFresh(parts, [...new Set([...accounts, ...protecting, ...doubtful])]);
  const sessions = sessionsOf(parts, targets).filter(isMeant);
  const plan = planFor(parts, sessions, single !== undefined);
  const all = targets.some(({ shownOnly }) => shownOnly) ? sessionsOf(parts, whole(targets)).filter(isMeant) : sessions;
  const of = planFor(parts, all, plan.isSingle).ends.length;
  const ofProtection = unknownProtection(parts, protecting, single !== undefined);
  parts.ownMachine.leaveIfEmpty();
  return {
    ...plan,
    unknown: [...unknownAccounts(parts, accounts, plan.ends), ...ofProtection],
    unknownProtection: ofProtection,
    partial: of === plan.ends.length ? undefined : { shown: plan.ends.length, of },
    hidden: all.length - sessions.length,
  };
}

/**
 * Accounts for browsers on this machine that have to be listed first. A browser that is protected there may be shown as a session of
 * another account, and only a list of now says which.
 */
function protectingAccounts({ accounts, protections, ownMachine }: EndPlanParts): readonly AccountId[] {
  const { id: own, provider: its } = thisMachineAccount;
  // It isn't there while other accounts show all of its browsers.
  if (protections.hasAny(own)) ownMachine.show();
  return accounts.all.flatMap(({ id, provider }) => (provider === its && protections.hasAny(id) ? [id] : []));
}

/** A sentence for each of {@link protectingAccounts} that couldn't be listed. */
function unknownProtection(
  parts: EndPlanParts,
  protecting: readonly AccountId[],
  isSingle: boolean,
): readonly string[] {
  return protecting
    .filter((id) => !isListedNow(parts, id))
    .map((id) => {
      const name = nameOfAccount(parts, id);
      return isSingle
        ? l10n.t("Couldn't list the sessions in {0}. This session may be protected there.", name)
        : l10n.t("Couldn't list the sessions in {0}. A browser that is protected there may be among these.", name);
    });
}

/** Plans to end the sessions of all accounts, or only those that `isMeant` selects. */
export async function planEndOfAll(
  parts: EndPlanParts,
  isMeant?: (target: AccountSession) => boolean,
): Promise<EndPlan> {
  await findOwnMachine(parts);
  return planEnd(
    parts,
    parts.accounts.all.map(({ id }) => wholeAccount(id)),
    isMeant,
  );
}

/**
 * Plans to end sessions that the user picked.
 * @param isOneChosen whether exactly one session was chosen; see {@link EndPlan.isSingle}.
 */
export function planFor(
  { protections, store }: Pick<EndPlanParts, 'protections' | 'store'>,
  sessions: readonly AccountSession[],
  isOneChosen = false,
): EndPlan {
  const isSingle = isOneChosen && sessions.length <= 1;
  const isLeftOut = (target: AccountSession) => !isSingle && isKeptFromMany({ protections }, target);
  const named = withNames(store, sessions);
  return {
    ends: named.filter((target) => !isLeftOut(target)),
    leftOut: named.filter(isLeftOut),
    unknown: [],
    unknownProtection: [],
    partial: undefined,
    hidden: 0,
    isSingle,
  };
}

/** The session, if it's the only target; undefined for several targets, a group or an account. */
export function singleOf(
  targets: readonly Target[],
): { readonly accountId: AccountId; readonly sessionId: SessionId } | undefined {
  const [first] = targets;
  if (targets.length !== 1 || first?.sessionId === undefined) return undefined;
  return { accountId: first.accountId, sessionId: first.sessionId };
}

/** Whether a session is skipped when several are ended at once. */
export function isKeptFromMany(parts: Pick<EndPlanParts, 'protections'>, target: AccountSession): boolean {
  return reasonLeftOut(parts, target) !== undefined;
}

/** Why a session is skipped when several are ended at once; undefined if it isn't. */
export function reasonLeftOut(
  { protections }: Pick<EndPlanParts, 'protections'>,
  { accountId, session }: AccountSession,
): string | undefined {
  if (protections.has(accountId, session.id)) return l10n.t("It's protected.");
  return session.bulkEndExclusion === undefined ? undefined : plainText(l10n.t(session.bulkEndExclusion), 200);
}

/** Says why a plan has nothing to end. */
export function nothingToEnd(parts: EndPlanParts, { leftOut, hidden, unknown }: EndPlan): string {
  const reasons = [...new Set(leftOut.map((target) => reasonLeftOut(parts, target) ?? ''))];
  return [
    l10n.t('There are no sessions to end.'),
    ...(hidden > 0 ? [l10n.t('The filter "{0}" hides the sessions that are running.', parts.filter.name)] : []),
    ...reasons,
    ...unknown,
  ].join(' ');
}
