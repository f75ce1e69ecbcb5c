import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { Session } from '../../core/session.ts';
import { unlistedSession } from '../../core/unlistedSession.ts';
import type { AccountSession } from '../../services/ending/report.ts';
import type { PickRequest } from '../prompts.ts';
import { type Asking, type ConfirmedPlan, type ConfirmParts, confirmEnd } from './confirmEnd.ts';
import { nameOfGroup } from './descriptions.ts';
import { type EndPlan, nothingToEnd, planEnd, planFor, singleOf } from './endPlan.ts';
import { canceled, type PublicEndReport, publicReport } from './endReports.ts';
import { endUnlisted, type UnlistedParts } from './endUnlisted.ts';
import { missingSentence, unlistedAccounts } from './lists.ts';
import { type RunParts, runEnd } from './runEnd.ts';
import { whileConnected } from './sameConnection.ts';
import {
  isNamed,
  isRow,
  sessionChoices,
  sessionTargetsOf,
  type Target,
  type TargetParts,
  targetOfSession,
} from './targets.ts';

/** What planning, confirming and running an end needs. */
export interface EndParts extends TargetParts, ConfirmParts, RunParts, UnlistedParts {}

/** Ends the sessions that were named or selected, otherwise the ones the user picks. */
export async function endSession(parts: EndParts, args: readonly unknown[]): Promise<PublicEndReport> {
  const targets = sessionTargetsOf(args);
  if (targets.length === 0 && isRow(args)) {
    return endNothing(parts, l10n.t('Select a session, group, or account first.'));
  }
  if (targets.length > 0 || isNamed(args)) return endTargets(parts, targets);
  const choices = await sessionChoices(parts);
  if (choices.length === 0) {
    return endNothing(parts, [l10n.t('No sessions are running.'), ...unlistedAccounts(parts)].join(' '));
  }
  const picked = await pickToEnd(parts, {
    title: l10n.t('End Sessions'),
    placeholder: l10n.t('Select the sessions to end'),
    choices,
    step: undefined,
  });
  return endAgain(parts, picked);
}

/** Lets the user select sessions to end. Returns none if one of their accounts has changed in the meantime. */
export async function pickToEnd(
  parts: EndParts,
  request: PickRequest<AccountSession>,
): Promise<readonly AccountSession[]> {
  const accountsIn = (picked: readonly AccountSession[]) => picked.map(({ accountId }) => accountId);
  const picked = await whileConnected(parts, accountsIn, async () => {
    const answer = await parts.prompts.pickMany(request);
    return answer.kind === 'answer' ? answer.value : undefined;
  });
  return picked ?? [];
}

/** Ends the sessions of targets. Accounts and groups stand for their listed sessions. */
export async function endTargets(
  parts: EndParts,
  targets: readonly Target[],
  asking: Pick<Asking, 'fromLiveView'> = {},
): Promise<PublicEndReport> {
  const plan = await planEnd(parts, targets);
  if (plan.ends.length > 0) return endPlanned(parts, plan, { ...asking, message: groupMessage(parts, plan, targets) });
  const single = singleOf(targets);
  if (single !== undefined && parts.accounts.get(single.accountId) !== undefined) {
    const [listed, ...others] = sessionsWithOtherId(parts, single.accountId, single.sessionId);
    if (others.length > 0) {
      const name = plainText(single.sessionId, 100);
      return endNothing(
        parts,
        l10n.t('{0} sessions in the list match {1}. Select the one you mean in the list.', others.length + 1, name),
      );
    }
    if (listed !== undefined)
      return endTargets(parts, [targetOfSession({ accountId: single.accountId, session: listed })], asking);
    const target = { accountId: single.accountId, session: unlistedSession(single.sessionId), unlisted: true };
    const { unknown } = plan;
    return endUnlisted(parts, { ...planFor(parts, [target], true), unknown }, () => endTargets(parts, targets));
  }
  const [first] = targets;
  const isMissing = first?.sessionId !== undefined && plan.leftOut.length + plan.hidden === 0;
  return endNothing(
    parts,
    isMissing ? missingSentence(parts, first.accountId, first.sessionId) : nothingToEnd(parts, plan),
  );
}

/** The listed sessions that their provider would end by this text as well. */
function sessionsWithOtherId({ store }: EndParts, account: AccountId, text: string): readonly Session[] {
  const sessions = [...(store.state(account)?.contents.sessions.values() ?? [])];
  return sessions.filter(({ otherId }) => otherId === text);
}

/** Asks the user to confirm a plan, then runs it. */
export async function endPlanned(parts: EndParts, plan: EndPlan, asking?: Asking): Promise<PublicEndReport> {
  if (plan.ends.length === 0) return endNothing(parts, nothingToEnd(parts, plan));
  const confirmed = await confirmEnd(parts, plan, asking);
  return confirmed === undefined ? canceled(parts, plan.ends) : runPlan(parts, confirmed);
}

/** Runs a confirmed plan, and offers to retry the ends that failed. */
export function runPlan(parts: EndParts, plan: ConfirmedPlan): Promise<PublicEndReport> {
  return runEnd(parts, plan, (failed) => endAgain(parts, failed));
}

/**
 * Asks about sessions that were picked, or that an earlier end left running. Those that have ended since are skipped. A single one
 * is asked about by itself, because it may be one that only ends that way.
 */
export async function endAgain(parts: EndParts, left: readonly AccountSession[]): Promise<PublicEndReport> {
  const [first] = left;
  if (first === undefined) return publicReport(parts, []);
  const plan = await planEnd(parts, left.map(targetOfSession));
  if (plan.ends.length + plan.leftOut.length === 0)
    return endNothing(parts, missingSentence(parts, first.accountId, first.session.id, first.session));
  return endPlanned(parts, plan);
}

/** Tells the user why there is nothing to end, and returns an empty report. */
export function endNothing(parts: Pick<EndParts, 'accounts' | 'prompts'>, why: string): PublicEndReport {
  void parts.prompts.tell('info', why, []);
  return publicReport(parts, []);
}

/** The dialog's first line, if the only target is a group. */
function groupMessage(parts: EndParts, { ends }: EndPlan, targets: readonly Target[]): string | undefined {
  const [first] = targets;
  if (targets.length !== 1 || first?.groupId === undefined) return undefined;
  const group = nameOfGroup(parts, first.accountId, first.groupId);
  if (group === undefined) return undefined;
  return ends.length === 1
    ? l10n.t('End 1 session in "{0}"?', group)
    : l10n.t('End {0} sessions in "{1}"?', ends.length, group);
}
