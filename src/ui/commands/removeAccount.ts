import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import { isListed, troubleOf } from '../../services/sessions/sessionsView.ts';
import { questionForRemoval } from '../text/confirmations.ts';
import { sessionName } from '../text/names.ts';
import { namesInBrief } from '../text/outcomes.ts';
import { kindOf, nameOfAccount } from './accountNames.ts';
import { accountTarget, type KnownAccountParts } from './accounts.ts';
import { confirmEnd } from './confirmEnd.ts';
import { type EndParts, runPlan } from './ending.ts';
import { planEnd, planFor } from './endPlan.ts';
import { leavesOutSessions, listFresh } from './lists.ts';
import { removeWithKey } from './saveKey.ts';
import { sessionsOf, wholeAccount } from './targets.ts';

/** What removing an account needs, including what ending its sessions needs. */
export type RemoveParts = KnownAccountParts & EndParts;

/** Removes an account after a confirmation that says how many of its sessions keep running. They can be ended first. */
export async function removeAccount(parts: RemoveParts, args: readonly unknown[]): Promise<void> {
  const account = await accountTarget(parts, args, l10n.t('Remove Account'));
  if (account === undefined) return;
  const { id } = account;
  if (kindOf(parts, account)?.isAutomatic === true) {
    await parts.changeSetting('thisMachine.enabled', false);
    return;
  }
  const before = parts.store.state(id);
  // A list that has just failed isn't waited for again: an account whose server is gone must be easy to remove.
  if (before !== undefined && troubleOf(before) === undefined) await listFresh(parts, [id]);
  const now = parts.store.state(id);
  const running = now?.contents.sessions.size ?? 0;
  const unknown = isListed(now) && !leavesOutSessions(now) ? [] : [unlistedSentence(parts, id)];
  const canEnd = planFor(parts, sessionsOf(parts, [wholeAccount(id)])).ends.length > 0;
  const question = questionForRemoval(nameOfAccount(parts, id), { running, unknown, canEnd });
  const [removes, endsFirst] = question.choices;
  const chosen = await parts.prompts.confirm(question);
  if (chosen === undefined) return;
  if (chosen === removes) await removeWithKey(parts, id, nameOfAccount(parts, id));
  else if (chosen === endsFirst) await endAndRemove(parts, id);
}

function unlistedSentence(parts: RemoveParts, id: AccountId): string {
  return l10n.t(
    "Couldn't list all the sessions in {0}. Sessions that aren't listed also keep running.",
    nameOfAccount(parts, id),
  );
}

/** Ends all sessions of an account, and removes it only if all of them were confirmed gone and no others are left. */
async function endAndRemove(parts: RemoveParts, id: AccountId): Promise<void> {
  const name = nameOfAccount(parts, id);
  const plan = await planEnd(parts, [wholeAccount(id)]);
  if (plan.ends.length > 0) {
    const message =
      plan.ends.length === 1
        ? l10n.t('End the session in {0} and remove the account?', name)
        : l10n.t('End all {0} sessions in {1} and remove the account?', plan.ends.length, name);
    const confirmed = await confirmEnd(parts, plan, { message, typesCount: true });
    if (confirmed === undefined) return;
    const { requested, ended, alreadyGone } = await runPlan(parts, confirmed);
    if (ended + alreadyGone < requested) return tellKept(parts, id, name);
  }
  // One may have started in the meantime.
  await parts.refresher.refresh(id);
  const isEmpty = sessionsOf(parts, [wholeAccount(id)]).length === 0;
  const state = parts.store.state(id);
  if (isEmpty && isListed(state) && !leavesOutSessions(state)) await removeWithKey(parts, id, name);
  else tellKept(parts, id, name);
}

/** Says that an account was kept, and which of its sessions are left. */
function tellKept(parts: RemoveParts, id: AccountId, name: string): void {
  const left = sessionsOf(parts, [wholeAccount(id)]).map(({ session }) => sessionName(session));
  const reason =
    left.length === 0
      ? l10n.t("Couldn't list its sessions afterwards, so some may still be running.")
      : left.length === 1
        ? l10n.t('1 session is still running or not confirmed gone: {0}.', namesInBrief(left))
        : l10n.t('{0} sessions are still running or not confirmed gone: {1}.', left.length, namesInBrief(left));
  void parts.prompts.tell('warning', [l10n.t('The account "{0}" wasn\'t removed.', name), reason].join(' '), []);
}
