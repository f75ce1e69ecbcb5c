import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { EndOutcomeKind, EndReport, EndResult, EndTarget, GroupReport } from '../../services/ender.ts';
import { troubleOf } from '../../services/sessionStore.ts';
import { timeOfDay } from '../words/ages.ts';
import {
  type EndSubject,
  endButton,
  questionForBatch,
  questionForMany,
  questionForOne,
} from '../words/confirmations.ts';
import { accountHost, groupName, pageName, sessionName, shortId } from '../words/names.ts';
import { deletionSentence, outcomeSentence } from '../words/outcomes.ts';
import { stuckSentence, troubleSentence } from '../words/troubles.ts';
import { ageOf, type CommandContext, kindOf, listOnce, nameOf } from './context.ts';
import {
  accountChoices,
  type GroupTarget,
  groupChoices,
  isNamed,
  pickOne,
  sessionChoices,
  sessionsOf,
  targetsOf,
  wholeAccount,
} from './targets.ts';

/** A session that started so recently may be one that somebody is only just beginning to use. */
const youngMs = 60_000;

/** What a destructive command returns to its caller. The counts add up to `requested`. */
export interface PublicEndReport {
  readonly requested: number;
  readonly ended: number;
  readonly alreadyGone: number;
  readonly failed: number;
  readonly stuck: number;
  readonly cancelled: number;
  readonly results: readonly {
    readonly accountId: string;
    readonly sessionId: string;
    readonly outcome: EndOutcomeKind;
    /** Why it did not end, in a sentence. */
    readonly detail?: string;
  }[];
}

/** What `deleteBatch` returns: what the vendor says it deleted, and what was seen of the sessions that ran. */
export interface PublicGroupDeletion extends PublicEndReport {
  readonly deleted: number;
  readonly failedDeletions: number;
  readonly errors: readonly { readonly sessionId: string; readonly error: string }[];
}

/** Ends one session, or those that are selected, or, where nothing is named, those that are picked. */
export async function endSession(context: CommandContext, args: readonly unknown[]): Promise<PublicEndReport> {
  const targets = targetsOf(context, args);
  if (targets.length > 0 || isNamed(args)) {
    const sessions = sessionsOf(context, targets);
    if (sessions.length === 0) tellGone(context);
    return endConfirmed(context, sessions, targets.length === 1 && targets[0]?.sessionId !== undefined);
  }
  const choices = await sessionChoices(context);
  if (choices.length === 0) {
    void context.prompts.tell('info', l10n.t('No session is running.'), []);
    return publicReport(context, []);
  }
  const answer = await context.prompts.pickMany({
    title: l10n.t('End Sessions'),
    placeholder: l10n.t('Choose the sessions to end'),
    choices,
    step: undefined,
  });
  const picked = answer.kind === 'answer' ? answer.value : [];
  return endConfirmed(context, picked, picked.length === 1);
}

/** Ends the sessions of a group one by one, and keeps its data. */
export async function endGroup(context: CommandContext, args: readonly unknown[]): Promise<PublicEndReport> {
  const target = await groupTarget(context, args, l10n.t('End Group'));
  if (target === undefined) return publicReport(context, []);
  return endConfirmed(context, sessionsOf(context, [target]), false);
}

/** Ends all sessions that are listed in one account. */
export async function endAccountSessions(context: CommandContext, args: readonly unknown[]): Promise<PublicEndReport> {
  const accountId =
    targetsOf(context, args)[0]?.accountId ??
    (await pickOne(
      context,
      l10n.t('End All Sessions in Account'),
      l10n.t('Choose an account'),
      l10n.t('There is no account yet.'),
      accountChoices(context),
    ));
  if (accountId === undefined) return publicReport(context, []);
  await listOnce(context, [accountId]);
  const all = sessionsOf(context, [wholeAccount(accountId)]);
  const { ends, leftOut } = partOf(all);
  const loss = kindOfAccount(context, accountId)?.wording.endEverything;
  const canEndEverything = context.store.capabilities(accountId).has('endEverything') && loss !== undefined;
  const name = nameOf(context, accountId);
  if (ends.length === 0 && !canEndEverything) {
    void context.prompts.tell('info', nothingToEnd(context, leftOut, [accountId]), []);
    return publicReport(context, []);
  }
  const everything = canEndEverything
    ? {
        button: l10n.t('End Everything in Account'),
        explanation: l10n.t('“End Everything in Account” goes further. {0}', loss),
      }
    : undefined;
  const chosen = await context.prompts.confirm(
    questionForMany({
      message:
        ends.length === 0
          ? l10n.t('No session is listed in {0}. End everything in it all the same?', name)
          : ends.length === 1
            ? l10n.t('End the session in {0}?', name)
            : l10n.t('End all {0} sessions in {1}?', ends.length, name),
      subjects: subjectsOf(context, ends),
      leftOut: subjectsOf(context, leftOut),
      unknown: unknownAccounts(context, [accountId]),
      everything,
    }),
  );
  if (chosen !== undefined && chosen === everything?.button) {
    return concluded(context, await context.ender.endEverything(accountId));
  }
  return chosen === endButton(ends.length) ? endNow(context, ends) : cancelled(context, ends);
}

/** Ends all sessions that are listed in any account. */
export async function endAllSessions(context: CommandContext): Promise<PublicEndReport> {
  const ids = context.accounts.all.map(({ id }) => id);
  await listOnce(context, ids);
  const { ends, leftOut } = partOf(sessionsOf(context, ids.map(wholeAccount)));
  if (ends.length === 0) {
    void context.prompts.tell('info', nothingToEnd(context, leftOut, ids), []);
    return publicReport(context, []);
  }
  const accounts = new Set(ends.map(({ accountId }) => accountId)).size;
  const message =
    ends.length === 1
      ? l10n.t('End the only running session?')
      : accounts === 1
        ? l10n.t('End all {0} sessions?', ends.length)
        : l10n.t('End all {0} sessions in {1} accounts?', ends.length, accounts);
  return endAsked(context, message, ends, leftOut, unknownAccounts(context, ids));
}

/** Has the vendor delete a batch with its data, and says what became of each session. */
export async function deleteBatch(
  context: CommandContext,
  args: readonly unknown[],
): Promise<PublicGroupDeletion | undefined> {
  const target = await groupTarget(context, args, l10n.t('Delete Batch'));
  if (target === undefined) return undefined;
  const { accountId, groupId } = target;
  const group = context.store.state(accountId)?.contents.groups.get(groupId);
  const loss = kindOfAccount(context, accountId)?.wording.deleteGroup;
  if (group === undefined || loss === undefined || !context.store.capabilities(accountId).has('deleteGroup')) {
    void context.prompts.tell('info', l10n.t('That batch is not there any longer.'), []);
    return undefined;
  }
  const running = subjectsOf(context, sessionsOf(context, [target]));
  const question = questionForBatch(groupName(group), nameOf(context, accountId), running, loss);
  if ((await context.prompts.confirm(question)) !== question.choices[0]) return undefined;
  const report = await context.ender.deleteGroup(accountId, groupId);
  tellDeletion(context, accountId, groupName(group), report);
  const { answer } = report;
  return {
    ...publicReport(context, report.results),
    deleted: ProviderError.is(answer) ? 0 : answer.deleted,
    failedDeletions: ProviderError.is(answer) ? 0 : answer.failed,
    errors: ProviderError.is(answer)
      ? []
      : answer.failures.map(({ sessionId, reason }) => ({ sessionId, error: plainText(reason, 200) })),
  };
}

async function groupTarget(
  context: CommandContext,
  args: readonly unknown[],
  title: string,
): Promise<GroupTarget | undefined> {
  const named = targetsOf(context, args)[0];
  if (named?.groupId !== undefined) return { ...named, groupId: named.groupId };
  const none = l10n.t('There is no batch.');
  return pickOne(context, title, l10n.t('Choose a batch'), none, await groupChoices(context));
}

/** Parts what an end of many reaches from what it leaves alone. */
function partOf(sessions: readonly EndTarget[]): { ends: readonly EndTarget[]; leftOut: readonly EndTarget[] } {
  return {
    ends: sessions.filter(({ session }) => session.heldBack === undefined),
    leftOut: sessions.filter(({ session }) => session.heldBack !== undefined),
  };
}

/** @param byItself whether one session was named by itself, which is the one way to one that is held back. */
async function endConfirmed(
  context: CommandContext,
  sessions: readonly EndTarget[],
  byItself: boolean,
): Promise<PublicEndReport> {
  const [only] = sessions;
  if (only === undefined) return publicReport(context, []);
  if (byItself && sessions.length === 1) {
    const question = questionForOne(subjectOf(context, only));
    const chosen = await context.prompts.confirm(question);
    return chosen === question.choices[0] ? endNow(context, sessions) : cancelled(context, sessions);
  }
  const { ends, leftOut } = partOf(sessions);
  if (ends.length === 0) {
    void context.prompts.tell('info', nothingToEnd(context, leftOut, []), []);
    return publicReport(context, []);
  }
  const accounts = new Set(ends.map(({ accountId }) => accountId)).size;
  const message =
    ends.length === 1
      ? l10n.t('End 1 session?')
      : accounts === 1
        ? l10n.t('End {0} sessions?', ends.length)
        : l10n.t('End {0} sessions in {1} accounts?', ends.length, accounts);
  return endAsked(context, message, ends, leftOut, []);
}

async function endAsked(
  context: CommandContext,
  message: string,
  ends: readonly EndTarget[],
  leftOut: readonly EndTarget[],
  unknown: readonly string[],
): Promise<PublicEndReport> {
  const question = questionForMany({
    message,
    subjects: subjectsOf(context, ends),
    leftOut: subjectsOf(context, leftOut),
    unknown,
    everything: undefined,
  });
  const chosen = await context.prompts.confirm(question);
  return chosen === question.choices[0] ? endNow(context, ends) : cancelled(context, ends);
}

async function endNow(context: CommandContext, ends: readonly EndTarget[]): Promise<PublicEndReport> {
  const { ender, prompts } = context;
  if (ends.length === 1) {
    return concluded(context, await ender.end(ends, { stop: new AbortController().signal, onProgress: () => {} }));
  }
  const report = await prompts.progress(l10n.t('Ending sessions'), (show, stop) =>
    ender.end(ends, {
      stop,
      onProgress: (settled, total) => show(l10n.t('{0} of {1}', settled, total), (100 * settled) / total),
    }),
  );
  return concluded(context, report);
}

function concluded(context: CommandContext, { results }: EndReport): PublicEndReport {
  const report = publicReport(context, results);
  const failures = results.flatMap((result) => (result.why === undefined ? [] : [failureLine(context, result)]));
  const sentence = outcomeSentence({ ...report, failures });
  if (sentence !== undefined) tellWithLog(context, sentence.level, sentence.message);
  else if (report.ended + report.alreadyGone > 0) context.prompts.note(l10n.t('Session ended.'));
  return report;
}

function tellDeletion(context: CommandContext, accountId: AccountId, batch: string, report: GroupReport): void {
  const { answer, results } = report;
  const account = context.accounts.get(accountId);
  const host = account === undefined ? '' : accountHost(account);
  const left = results.filter(({ why }) => why !== undefined);
  if (ProviderError.is(answer)) {
    const sentence = troubleSentence(answer, host);
    tellWithLog(context, 'warning', l10n.t('{0} was not deleted: {1}', batch, sentence));
    return;
  }
  // What the vendor explained by id is told by the name on the row, where there is one.
  const named = new Map(results.map(({ session }) => [session.id as string, sessionName(session)]));
  const failures = answer.failures.map(
    ({ sessionId, reason }) => `${named.get(sessionId) ?? shortId(sessionId)}: ${plainText(reason, 200)}`,
  );
  const unexplained = left.filter(({ session }) => !answer.failures.some(({ sessionId }) => sessionId === session.id));
  const { level, message } = deletionSentence(batch, {
    deleted: answer.deleted,
    failed: Math.max(answer.failed, left.length),
    failures: [...failures, ...unexplained.map((result) => failureLine(context, result))],
  });
  tellWithLog(context, level, message);
}

function tellWithLog(context: CommandContext, level: 'info' | 'warning', message: string): void {
  if (level === 'info') {
    void context.prompts.tell(level, message, []);
    return;
  }
  context.logger.warn(message);
  const button = l10n.t('Show Log');
  void context.prompts.tell(level, message, [button]).then((chosen) => {
    if (chosen === button) context.showLog();
  });
}

function tellGone({ prompts }: CommandContext): void {
  void prompts.tell('info', l10n.t('That session has already ended.'), []);
}

function nothingToEnd(context: CommandContext, leftOut: readonly EndTarget[], accounts: readonly AccountId[]): string {
  const unknown = unknownAccounts(context, accounts);
  const reasons = [...new Set(leftOut.map(({ session }) => plainText(session.heldBack ?? '', 200)))];
  return [l10n.t('There is no session to end.'), ...reasons, ...unknown].join(' ');
}

/** A sentence for each account whose list is missing or old, so that nobody takes "all" for more than it is. */
function unknownAccounts(context: CommandContext, ids: readonly AccountId[]): readonly string[] {
  return ids.flatMap((id) => {
    const state = context.store.state(id);
    const name = nameOf(context, id);
    if (state === undefined) return [];
    if (state.kind !== 'ready') return [l10n.t('{0} could not be listed: its sessions are NOT included.', name)];
    if (troubleOf(state) === undefined) return [];
    return [
      l10n.t('The list of {0} is from {1}: sessions started since are NOT included.', name, timeOfDay(state.asOf)),
    ];
  });
}

function kindOfAccount(context: CommandContext, accountId: AccountId) {
  const account = context.accounts.get(accountId);
  return account === undefined ? undefined : kindOf(context, account);
}

function subjectsOf(context: CommandContext, targets: readonly EndTarget[]): EndSubject[] {
  return targets.map((target) => subjectOf(context, target));
}

function subjectOf(context: CommandContext, { accountId, session }: EndTarget): EndSubject {
  const start = context.store.startOf(accountId, session.id);
  const group = session.groupId && context.store.state(accountId)?.contents.groups.get(session.groupId);
  return {
    account: nameOf(context, accountId),
    name: sessionName(session),
    age: ageOf(context, accountId, session.id),
    young: start?.exact === true && context.now() - start.at < youngMs,
    group: group ? groupName(group) : undefined,
    loss: kindOfAccount(context, accountId)?.wording.ending ?? '',
    closes: session.ends === 'pages' ? (session.pages ?? []).map(pageName) : undefined,
    heldBack: session.heldBack === undefined ? undefined : plainText(session.heldBack, 200),
    watched: context.liveViews.isOpen(accountId, session.id),
  };
}

function failureLine(context: CommandContext, { accountId, session, why }: EndResult): string {
  const account = context.accounts.get(accountId);
  const reason = why === undefined || account === undefined ? '' : stuckSentence(why, accountHost(account));
  return l10n.t('{0} ({1}): {2}', sessionName(session), nameOf(context, accountId), reason);
}

function cancelled(context: CommandContext, targets: readonly EndTarget[]): PublicEndReport {
  return publicReport(
    context,
    targets.map((target) => ({ ...target, outcome: 'cancelled', why: undefined })),
  );
}

function publicReport(context: CommandContext, results: readonly EndResult[]): PublicEndReport {
  const count = (outcome: EndOutcomeKind) => results.filter((result) => result.outcome === outcome).length;
  return {
    requested: results.length,
    ended: count('ended'),
    alreadyGone: count('alreadyGone'),
    failed: count('failed'),
    stuck: count('stuck'),
    cancelled: count('cancelled'),
    results: results.map(({ accountId, session, outcome, why }) => {
      const account = context.accounts.get(accountId);
      const detail = why && account && stuckSentence(why, accountHost(account));
      return { accountId, sessionId: session.id, outcome, ...(detail ? { detail } : {}) };
    }),
  };
}
