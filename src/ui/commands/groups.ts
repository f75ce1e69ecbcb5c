import * as l10n from '@vscode/l10n';
import type { Group } from '../../core/group.ts';
import type { AccountId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { EndTarget, GroupReport } from '../../services/ending/report.ts';
import { isListed } from '../../services/sessionsView.ts';
import { finishedCount } from '../words/batches.ts';
import { questionForBatch, questionForCancel, questionForFinishedBatch } from '../words/confirmations.ts';
import { groupName, sessionName } from '../words/names.ts';
import { type CommandContext, listFresh, nameOf, unknownAccounts } from './context.ts';
import { endChosen, endTargets, kindOfAccount, providerName, subjectsOf, unfiltered } from './ending.ts';
import {
  cancelled,
  concludedAsked,
  type PublicEndReport,
  type PublicGroupDeletion,
  publicReport,
  tellDeletion,
  tellFinishedDeletion,
  whileWorking,
} from './endReports.ts';
import { type GroupTarget, groupChoices, pickOne, sessionsOf, targetsOf, whole } from './targets.ts';

/** Ends the sessions of a group one by one, and keeps its data. */
export async function endGroup(context: CommandContext, args: readonly unknown[]): Promise<PublicEndReport> {
  const none = l10n.t('There is no group.');
  const target = await groupTarget(context, args, l10n.t('End Group'), none, () => true);
  if (target === undefined) return publicReport(context, []);
  return endTargets(context, [target]);
}

/** Has the vendor stop a batch that it is still making, and keeps its data. */
export async function cancelBatch(context: CommandContext, args: readonly unknown[]): Promise<PublicEndReport> {
  const isMaking = (group: Group) => isBatch(group) && group.canCancel === true;
  const none = l10n.t('No batch is being made.');
  const target = await groupTarget(context, args, l10n.t('Cancel Batch'), none, isMaking);
  if (target === undefined) return publicReport(context, []);
  await listFresh(context, [target.accountId]);
  const group = context.store.state(target.accountId)?.contents.groups.get(target.groupId);
  if (group === undefined || !isMaking(group)) {
    void context.prompts.tell('info', none, []);
    return publicReport(context, []);
  }
  const members = sessionsOf(context, whole([target]));
  if (holdsProtected(context, group, members)) return cancelled(context, members);
  const question = questionForCancel(
    groupName(group),
    factsOf(context, target.accountId, members),
    subjectsOf(context, members),
  );
  if ((await context.prompts.confirm(question)) !== question.choices[0]) return cancelled(context, members);
  const name = groupName(group);
  const { error, ...report } = await whileWorking(
    context,
    l10n.t('Canceling batch “{0}”', name),
    l10n.t('{0} is still canceling the batch…', providerName(context, target.accountId)),
    () => context.ender.cancelGroup(target.accountId, target.groupId),
  );
  return concludedAsked(context, target.accountId, report, error, (failed) => endChosen(context, failed));
}

/** Has the vendor delete a batch with its data, and says what became of each session. */
export async function deleteBatch(
  context: CommandContext,
  args: readonly unknown[],
): Promise<PublicGroupDeletion | undefined> {
  const target = await groupTarget(context, args, l10n.t('Delete Batch'), l10n.t('There is no batch.'), isBatch);
  if (target === undefined) return undefined;
  const { accountId, groupId } = target;
  await listFresh(context, [accountId]);
  const running = context.store.state(accountId)?.contents.groups.get(groupId);
  const group = running ?? context.finished.of(accountId)?.groups.get(groupId);
  const loss = kindOfAccount(context, accountId)?.wording.deleteGroup;
  const canDelete = group?.kind === 'batch' && context.store.capabilities(accountId).has('deleteGroup');
  if (group === undefined || loss === undefined || !canDelete) {
    void context.prompts.tell('info', l10n.t('That batch is not there any longer.'), []);
    return undefined;
  }
  if (running === undefined) return deleteFinished(context, accountId, group, loss);
  const members = sessionsOf(context, whole([target]));
  if (holdsProtected(context, group, members)) return undefined;
  const subjects = subjectsOf(context, members);
  const question = questionForBatch(groupName(group), factsOf(context, accountId, members), subjects, loss);
  if ((await context.prompts.confirm(question)) !== question.choices[0]) return undefined;
  const report = await whileWorking(
    context,
    l10n.t('Deleting batch “{0}”', groupName(group)),
    l10n.t('{0} is still deleting the batch…', providerName(context, accountId)),
    () => context.ender.deleteGroup(accountId, groupId),
  );
  tellDeletion(context, accountId, groupName(group), report, (left) => endChosen(context, left));
  return publicDeletion(context, report);
}

/** Has the provider delete a batch that has finished, and looks whether it's gone. */
async function deleteFinished(
  context: CommandContext,
  accountId: AccountId,
  group: Group,
  loss: string,
): Promise<PublicGroupDeletion | undefined> {
  const { ender, finished, prompts, store } = context;
  const name = groupName(group);
  const facts = [...factsOf(context, accountId, []), ...(group.counts ? [finishedCount(group.counts)] : [])];
  const question = isListed(store.state(accountId))
    ? questionForFinishedBatch(name, facts, loss)
    : questionForBatch(name, facts, [], loss);
  if ((await prompts.confirm(question)) !== question.choices[0]) return undefined;
  const provider = providerName(context, accountId);
  const { report, verdict } = await whileWorking(
    context,
    l10n.t('Deleting batch “{0}”', name),
    l10n.t('{0} is still deleting the batch…', provider),
    async () => {
      const report = await ender.deleteGroup(accountId, group.id);
      const isTaken = !ProviderError.is(report.answer) && report.answer.failed === 0;
      return { report, verdict: await finished.look(accountId, group.id, isTaken) };
    },
  );
  if (verdict.kind === 'gone') finished.remove(accountId, group.id);
  tellFinishedDeletion(context, accountId, { name, provider }, report, verdict);
  return { ...publicDeletion(context, report), batch: verdict.kind };
}

function publicDeletion(context: CommandContext, { answer, results }: GroupReport): PublicGroupDeletion {
  return {
    ...publicReport(context, results),
    deleted: ProviderError.is(answer) ? 0 : answer.deleted,
    failedDeletions: ProviderError.is(answer) ? 0 : answer.failed,
    errors: ProviderError.is(answer)
      ? []
      : answer.failures.map(({ sessionId, reason }) => ({ sessionId, error: plainText(reason, 200) })),
  };
}

/** Which account a batch is in, and what is not known or hidden of what goes with it. */
function factsOf(context: CommandContext, account: AccountId, members: readonly EndTarget[]): readonly string[] {
  return [nameOf(context, account), ...unknownAccounts(context, [account]), ...unfiltered(context, members)];
}

/** Says so where a group has sessions that the vendor's one call for all of it would not leave alone. */
function holdsProtected(context: CommandContext, group: Group, members: readonly EndTarget[]): boolean {
  const guarded = members.filter(({ accountId, session }) => context.protections.has(accountId, session.id));
  if (guarded.length === 0) return false;
  const names = guarded.map(({ session }) => sessionName(session)).join(', ');
  const sentence = l10n.t('{0} has protected sessions ({1}): nothing was sent.', groupName(group), names);
  void context.prompts.tell('info', sentence, []);
  return true;
}

async function groupTarget(
  context: CommandContext,
  args: readonly unknown[],
  title: string,
  none: string,
  fits: (group: Group) => boolean,
): Promise<GroupTarget | undefined> {
  const named = targetsOf(context, args)[0];
  if (named?.groupId !== undefined) return { ...named, groupId: named.groupId };
  return pickOne(context, title, l10n.t('Choose a group'), none, await groupChoices(context, fits));
}

const isBatch = ({ kind }: Group): boolean => kind === 'batch';
