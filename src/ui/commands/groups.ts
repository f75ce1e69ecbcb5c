import * as l10n from '@vscode/l10n';
import { deadline } from '../../core/clock.ts';
import type { Group } from '../../core/group.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import { ProviderError } from '../../core/providerError.ts';
import { unlessAborted } from '../../core/unlessAborted.ts';
import { limitRequests } from '../../services/accounts/requestPace.ts';
import { findGone } from '../../services/ending/lookUp.ts';
import type { AccountSession, GroupReport } from '../../services/ending/report.ts';
import type { ListGroup } from '../../services/sessions/grouping.ts';
import { isListed } from '../../services/sessions/sessionsView.ts';
import type { Choice, Question } from '../prompts.ts';
import { withNames } from '../sessionNames.ts';
import { finishedCount } from '../text/batches.ts';
import { questionForBatch, questionForCancel, questionForFinishedBatch } from '../text/confirmations.ts';
import { groupName } from '../text/groupNames.ts';
import { kindOfAccount, nameOfAccount, providerName } from './accountNames.ts';
import { busyIfSlow } from './busyIfSlow.ts';
import { describeSessions, unfiltered } from './descriptions.ts';
import { type EndParts, endAgain, endTargets } from './ending.ts';
import {
  asShown,
  canceled,
  concludedAsked,
  type PublicEndReport,
  type PublicGroupDeletion,
  publicReport,
  tellDeletion,
  tellFinishedDeletion,
} from './endReports.ts';
import { listFresh, partSentence, unknownAccounts } from './lists.ts';
import {
  checkUnlistedProtected,
  listOfSessions,
  protectedAmong,
  protectedFromNowOn,
  unlistedProtected,
  unlistedProtectedSentences,
  wereProtected,
} from './protectedSessions.ts';
import { whileWorking } from './runEnd.ts';
import { whileConnected } from './sameConnection.ts';
import {
  batchChoices,
  type GroupTarget,
  groupChoices,
  pickOne,
  sessionsOf,
  targetOfOne,
  whole,
  wholeAccount,
} from './targets.ts';

/** How long the user waits for the sessions of a batch at most, in milliseconds. */
const longestLookUpMs = 8_000;

/** Ends the sessions of a group one by one. Its data stays. */
export async function endGroup(parts: EndParts, args: readonly unknown[]): Promise<PublicEndReport> {
  const none = l10n.t('There are no groups.');
  const target = await groupTarget(parts, args, l10n.t('End Group'), none, () => groupChoices(parts));
  if (target === undefined) return publicReport(parts, []);
  return endTargets(parts, [target]);
}

/** Asks the provider to cancel a batch that it's still creating. Its data stays. */
export async function cancelBatch(parts: EndParts, args: readonly unknown[]): Promise<PublicEndReport> {
  const isMaking = (group: ListGroup) => isBatch(group) && group.canCancel === true;
  const none = l10n.t('No batches are being created.');
  const target = await groupTarget(parts, args, l10n.t('Cancel Batch'), none, () => batchChoices(parts, isMaking));
  if (target === undefined) return publicReport(parts, []);
  const isKnown = await lookUpMembers(parts, target);
  await listFresh(parts, [target.accountId]);
  await checkUnlistedProtected(parts, target.accountId);
  const group = parts.store.state(target.accountId)?.contents.groups.get(target.groupId);
  if (group === undefined || !isMaking(group)) {
    void parts.prompts.tell('info', none, []);
    return publicReport(parts, []);
  }
  const members = withNames(parts.store, membersOf(parts, target));
  if (holdsProtected(parts, group, members)) return canceled(parts, members);
  const question = questionForCancel(
    groupName(group),
    eachOnce(factsOf(parts, target.accountId, members, group), partSentences(parts, target, isKnown)),
    describeSessions(parts, members),
  );
  const generation = parts.connections.generation(target.accountId);
  if (!(await confirmRunning(parts, target, group, question))) return canceled(parts, members);
  const name = groupName(group);
  const { error, ...report } = await whileWorking(
    parts,
    l10n.t('Canceling batch "{0}"', name),
    l10n.t('{0} is still canceling the batch…', providerName(parts, target.accountId)),
    () => parts.ender.cancelGroup(target.accountId, target.groupId, generation),
  );
  return concludedAsked(parts, target.accountId, asShown(report, members), error, (failed) => endAgain(parts, failed));
}

/** Asks the provider to delete a batch with its data, and reports the outcome for each session. */
export async function deleteBatch(parts: EndParts, args: readonly unknown[]): Promise<PublicGroupDeletion | undefined> {
  const target = await groupTarget(parts, args, l10n.t('Delete Batch'), l10n.t('There are no batches.'), () =>
    batchChoices(parts, isBatch),
  );
  if (target === undefined) return undefined;
  const { accountId, groupId } = target;
  // A list may leave out an old batch although it has running sessions, and sessions that a batch has only just made.
  const isKnown = await lookUpMembers(parts, target);
  await listFresh(parts, [accountId]);
  await checkUnlistedProtected(parts, accountId);
  const running = parts.store.state(accountId)?.contents.groups.get(groupId);
  const group = running ?? parts.finished.of(accountId)?.groups.get(groupId);
  const loss = kindOfAccount(parts, accountId)?.wording.deleteGroup;
  const canDelete = group?.kind === 'batch' && parts.store.capabilities(accountId).has('deleteGroup');
  if (group === undefined || loss === undefined || !canDelete) {
    void parts.prompts.tell('info', l10n.t('This batch is no longer listed.'), []);
    return undefined;
  }
  const members = withNames(parts.store, membersOf(parts, target));
  // A list may leave out a batch whose sessions it has.
  if (running === undefined && members.length === 0) return deleteFinished(parts, target, group, loss, isKnown);
  if (holdsProtected(parts, group, members)) return undefined;
  const subjects = describeSessions(parts, members);
  const facts = eachOnce(factsOf(parts, accountId, members, group), partSentences(parts, target, isKnown));
  const question = questionForBatch(groupName(group), facts, subjects, loss);
  const generation = parts.connections.generation(accountId);
  if (!(await confirmRunning(parts, target, group, question))) return undefined;
  if (group.canCancel !== true && (await hasMoreThan(parts, target, members, isKnown)))
    return deleteBatch(parts, [{ accountId, groupId }]);
  if (holdsProtected(parts, group, membersOf(parts, target))) return undefined;
  const answer = await whileWorking(
    parts,
    l10n.t('Deleting batch "{0}"', groupName(group)),
    l10n.t('{0} is still deleting the batch…', providerName(parts, accountId)),
    () => parts.ender.deleteGroup(accountId, groupId, generation),
  );
  const report = { ...answer, ...asShown(answer, members) };
  tellDeletion(parts, accountId, groupName(group), report, (left) => endAgain(parts, left));
  return publicDeletion(parts, report);
}

/**
 * Looks up the sessions of a batch, and lists its account again. Waits a few seconds at most.
 * @param asksAboutUnlisted whether the provider is asked about those that the list leaves out.
 * @returns whether that list shows which of them are running.
 */
async function lookUpMembers(
  parts: EndParts,
  { accountId, groupId }: GroupTarget,
  asksAboutUnlisted = true,
): Promise<boolean> {
  const { connections, refresher, store, logger, prompts, clock } = parts;
  const limit = deadline(clock, longestLookUpMs);
  const lookUp = async (): Promise<boolean> => {
    const provider = await connections.open(accountId);
    if (provider.lookUpGroup === undefined) return true;
    limitRequests(parts, accountId, 'lookUp');
    let made: readonly SessionId[];
    let isListed = false;
    try {
      made = await provider.lookUpGroup(groupId, limit.signal);
    } finally {
      isListed = (await refresher.refreshOnRequest(accountId)).kind === 'listed';
    }
    if (!isListed || !asksAboutUnlisted) return isListed;
    const listed = store.known(accountId);
    const unlisted = made.filter((id) => !listed.has(id) && !store.hasEnded(accountId, id));
    return (await findGone(parts, accountId, unlisted)).length === unlisted.length;
  };
  try {
    return await busyIfSlow(prompts, clock, l10n.t('Listing sessions…'), unlessAborted(lookUp(), limit.signal));
  } catch (error) {
    logger.debug(`the sessions of batch ${groupId} weren't looked up: ${ProviderError.from(error).message}`);
    return false;
  } finally {
    limit.dispose();
  }
}

/**
 * Whether more of a batch's sessions are running now, after its dialog, than the dialog said, or may be.
 * @param wasKnown whether it was known then which are running.
 */
async function hasMoreThan(
  parts: EndParts,
  target: GroupTarget,
  confirmed: readonly AccountSession[],
  wasKnown: boolean,
): Promise<boolean> {
  const isKnown = await lookUpMembers(parts, target, false);
  if (wasKnown && !isKnown) return true;
  const ids = new Set(confirmed.map(({ session }) => session.id));
  return membersOf(parts, target).some(({ session }) => !ids.has(session.id));
}

/**
 * Asks the provider to delete a finished batch, and checks whether it's gone.
 * @param isKnown whether it's known that none of its sessions are running, as far as they're listed.
 */
async function deleteFinished(
  parts: EndParts,
  target: GroupTarget,
  group: Group,
  loss: string,
  isKnown: boolean,
): Promise<PublicGroupDeletion | undefined> {
  const { ender, finished, store } = parts;
  const { accountId } = target;
  const name = groupName(group);
  const made = group.counts ? [finishedCount(group.counts)] : [];
  const facts = eachOnce(factsOf(parts, accountId, []), made, partSentences(parts, target, isKnown));
  const state = store.state(accountId);
  // What couldn't be listed may be running sessions of this batch.
  const question =
    isKnown && isListed(state) && state.contents.faults.length === 0
      ? questionForFinishedBatch(name, facts, loss)
      : questionForBatch(name, facts, [], loss);
  const generation = parts.connections.generation(accountId);
  if (!(await confirmGroup(parts, accountId, question))) return undefined;
  // A list that arrived while the dialog was open may show that its sessions are running.
  if (store.state(accountId)?.contents.groups.has(group.id) || (await hasMoreThan(parts, target, [], isKnown)))
    return deleteBatch(parts, [{ accountId, groupId: group.id }]);
  const provider = providerName(parts, accountId);
  const { report, verdict } = await whileWorking(
    parts,
    l10n.t('Deleting batch "{0}"', name),
    l10n.t('{0} is still deleting the batch…', provider),
    async () => {
      const report = await ender.deleteGroup(accountId, group.id, generation);
      const isTaken = !ProviderError.is(report.answer) && report.answer.failed === 0;
      return { report, verdict: await finished.look(accountId, group.id, isTaken, generation) };
    },
  );
  if (verdict.kind === 'gone') finished.remove(accountId, group.id);
  tellFinishedDeletion(parts, accountId, { name, provider }, report, verdict);
  return { ...publicDeletion(parts, report), batch: verdict.kind };
}

function publicDeletion(parts: EndParts, { answer, results }: GroupReport): PublicGroupDeletion {
  return {
    ...publicReport(parts, results),
    deleted: ProviderError.is(answer) ? 0 : answer.deleted,
    failedDeletions: ProviderError.is(answer) ? 0 : answer.failed,
    errors: ProviderError.is(answer)
      ? []
      : answer.failures.map(({ sessionId, reason }) => ({ sessionId, error: plainText(reason, 200) })),
  };
}

/**
 * Lines for the dialog: the batch's account, and that sessions may be missing from the list, hidden by the filter, protected
 * without being listed, or not started yet.
 */
function factsOf(
  parts: EndParts,
  account: AccountId,
  members: readonly AccountSession[],
  group?: Group,
): readonly string[] {
  return [
    nameOfAccount(parts, account),
    ...unknownAccounts(parts, [account]),
    ...unfiltered(parts, members),
    ...unlistedProtectedSentences(unlistedProtected(parts, account), 'batch'),
    ...(group?.canCancel === true
      ? [l10n.t('More of its sessions may start while this dialog is open. They will end too.')]
      : []),
  ];
}

/** Lines for a dialog, which may have the same reason to say that sessions may be missing. */
function eachOnce(...lines: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lines.flat())];
}

/** What a dialog about a batch says if it isn't known which sessions the batch has. */
function partSentences(parts: EndParts, { accountId }: GroupTarget, isKnown: boolean): readonly string[] {
  if (isKnown) return [];
  const outside = sessionsOf(parts, [wholeAccount(accountId)]).filter(({ session }) => session.groupId === undefined);
  const [first, ...others] = protectedAmong(parts, outside);
  if (first === undefined) return [partSentence(parts, accountId)];
  return [
    partSentence(parts, accountId),
    others.length === 0
      ? l10n.t("{0} is protected. If it's in this batch, it will end too.", listOfSessions(parts, [first]))
      : l10n.t('{0} protected sessions may be in this batch. Those that are will end too.', others.length + 1),
  ];
}

/** A group's sessions, including those that the filter hides. */
function membersOf(parts: EndParts, target: GroupTarget): readonly AccountSession[] {
  return sessionsOf(parts, whole([target]));
}

/** Whether a group has protected sessions, which the provider's call for the whole group would end. Tells the user if so. */
function holdsProtected(parts: EndParts, group: Group, members: readonly AccountSession[]): boolean {
  const guarded = protectedAmong(parts, members);
  if (guarded.length === 0) return false;
  const sentence = l10n.t(
    '{0} has protected sessions: {1}. Unprotect them first. No request was sent.',
    groupName(group),
    listOfSessions(parts, guarded),
  );
  void parts.prompts.tell('info', sentence, []);
  return true;
}

/**
 * Whether the user picked the question's first choice, and in the meantime, the account wasn't reconnected and no session that
 * isn't listed was protected.
 */
async function confirmGroup(parts: EndParts, accountId: AccountId, question: Question): Promise<boolean> {
  const added = protectedFromNowOn(parts, accountId);
  const chosen = await whileConnected(
    parts,
    () => [accountId],
    async () => ((await parts.prompts.confirm(question)) === question.choices[0] ? accountId : undefined),
  );
  return chosen !== undefined && !wereProtected(parts, added());
}

/** The same for a group whose sessions are running. Another window may have protected one while the dialog was open. */
async function confirmRunning(
  parts: EndParts,
  target: GroupTarget,
  group: Group,
  question: Question,
): Promise<boolean> {
  if (!(await confirmGroup(parts, target.accountId, question))) return false;
  return !holdsProtected(parts, group, membersOf(parts, target));
}

async function groupTarget(
  parts: EndParts,
  args: readonly unknown[],
  title: string,
  none: string,
  choices: () => Promise<Choice<GroupTarget>[]>,
): Promise<GroupTarget | undefined> {
  const named = targetOfOne(args);
  if (named?.groupId !== undefined) {
    const { accountId, groupId, shownOnly } = named;
    // Not a session that a caller names besides: the dialog would list that one, and the group's own would end unseen.
    return { ...wholeAccount(accountId), groupId, shownOnly };
  }
  return pickOne(parts, title, l10n.t('Select a group'), none, await choices());
}

const isBatch = ({ kind }: ListGroup): boolean => kind === 'batch';
