import * as l10n from '@vscode/l10n';
import type { AccountId, GroupId } from '../../core/ids.ts';
import { type IsMine, isMineBy } from '../../core/ownership.ts';
import { plainText } from '../../core/plainText.ts';
import { unlistedSession } from '../../core/unlistedSession.ts';
import type { EndTarget } from '../../services/ending/report.ts';
import { type EndSubject, questionForMany, questionForOne } from '../words/confirmations.ts';
import { groupName, pageName, sessionName } from '../words/names.ts';
import {
  ageOf,
  type CommandContext,
  kindOf,
  listFresh,
  missingSentence,
  nameOf,
  unknownAccounts,
  unlistedAccounts,
} from './context.ts';
import { cancelled, endNow, type PublicEndReport, publicReport } from './endReports.ts';
import { endUnlisted } from './endUnlisted.ts';
import { isNamed, sessionChoices, sessionsOf, type Target, targetsOf, whole } from './targets.ts';

/** A session that started so recently may be one that somebody is only just beginning to use. */
const youngMs = 60_000;

/** Ends one session, or those that are selected, or, where nothing is named, those that are picked. */
export async function endSession(context: CommandContext, args: readonly unknown[]): Promise<PublicEndReport> {
  const targets = targetsOf(context, args);
  if (targets.length > 0 || isNamed(args)) return endTargets(context, targets);
  const choices = await sessionChoices(context);
  if (choices.length === 0) {
    const sentences = [l10n.t('No session is running.'), ...unlistedAccounts(context)];
    void context.prompts.tell('info', sentences.join(' '), []);
    return publicReport(context, []);
  }
  const answer = await context.prompts.pickMany({
    title: l10n.t('End Sessions'),
    placeholder: l10n.t('Choose the sessions to end'),
    choices,
    step: undefined,
  });
  const picked = answer.kind === 'answer' ? answer.value : [];
  return endConfirmed(context, picked, picked.length === 1 ? { byItself: true } : {});
}

/** Ends what rows or a caller name; accounts and groups stand for what is listed of them. */
export async function endTargets(
  context: CommandContext,
  targets: readonly Target[],
  asked: Pick<Asked, 'fromLiveView'> = {},
): Promise<PublicEndReport> {
  const [first] = targets;
  const wide = [
    ...new Set(targets.flatMap(({ accountId, sessionId }) => (sessionId === undefined ? [accountId] : []))),
  ];
  await listFresh(context, wide);
  const alone = targets.length === 1 ? first : undefined;
  let sessions = sessionsOf(context, targets);
  if (sessions.length === 0 && alone?.sessionId !== undefined && context.accounts.get(alone.accountId)) {
    await listFresh(context, [alone.accountId]);
    sessions = sessionsOf(context, targets);
    if (sessions.length === 0) {
      const target = { accountId: alone.accountId, session: unlistedSession(alone.sessionId), unlisted: true };
      const [subject] = subjectsOf(context, [target]);
      const again = () => endTargets(context, targets);
      if (subject !== undefined) return endUnlisted(context, target, subject, again);
    }
  }
  if (sessions.length === 0) {
    const sentence =
      first?.sessionId === undefined || sessionsOf(context, whole(targets)).length > 0
        ? nothingToEnd(context, [], wide, targets)
        : missingSentence(context, first.accountId, first.sessionId);
    void context.prompts.tell('info', sentence, []);
    return publicReport(context, []);
  }
  const byItself = targets.length === 1 && first?.sessionId !== undefined;
  const part = filteredPart(context, targets);
  const unknown = unknownAccounts(context, wide);
  const group =
    targets.length === 1 && first?.groupId !== undefined ? groupOf(context, first.accountId, first.groupId) : undefined;
  return endConfirmed(context, sessions, { ...asked, byItself, part, unknown, group });
}

/** How much of what is to end a filter leaves, where it hides some of it. */
export interface FilteredPart {
  readonly shown: number;
  readonly of: number;
}

/** How much of what rows stand for the list's filter leaves to end; undefined where it hides nothing of it. */
export function filteredPart(context: CommandContext, targets: readonly Target[]): FilteredPart | undefined {
  const shown = partOf(context, sessionsOf(context, targets)).ends.length;
  const of = partOf(context, sessionsOf(context, whole(targets))).ends.length;
  return shown === of ? undefined : { shown, of };
}

/** The first line of a dialog, with how much a filter leaves. */
export function ofPart(part: FilteredPart | undefined, message: string): string {
  return part === undefined ? message : l10n.t('{0} (filtered: {1} of {2})', message, part.shown, part.of);
}

/** A sentence for what a filter hides and that is reached all the same, where there is any. */
export function unfiltered({ filter }: CommandContext, reached: readonly EndTarget[]): readonly string[] {
  if (reached.every(({ accountId, session }) => filter.shows(accountId, session))) return [];
  return [l10n.t('The filter “{0}” is NOT applied: what it hides in the list is included.', filter.text)];
}

/** In how many accounts these sessions are. */
export function accountsOf(targets: readonly EndTarget[]): number {
  return new Set(targets.map(({ accountId }) => accountId)).size;
}

/** Whether ends of many leave a session alone. */
function isLeftOut({ protections }: CommandContext, { accountId, session }: EndTarget): boolean {
  return session.heldBack !== undefined || protections.has(accountId, session.id);
}

/** Parts what an end of many reaches from what it leaves alone. */
export function partOf(
  context: CommandContext,
  sessions: readonly EndTarget[],
): { ends: readonly EndTarget[]; leftOut: readonly EndTarget[] } {
  return {
    ends: sessions.filter((target) => !isLeftOut(context, target)),
    leftOut: sessions.filter((target) => isLeftOut(context, target)),
  };
}

/** Ends these after a confirmation that lists them, whatever they were chosen by. */
export async function endChosen(context: CommandContext, chosen: readonly EndTarget[]): Promise<PublicEndReport> {
  // As they are now: what has ended since is not asked about.
  const there = chosen.flatMap(({ accountId, session }) => {
    const listed = context.store.session(accountId, session.id);
    return listed === undefined ? [] : [{ accountId, session: listed }];
  });
  const [first] = chosen;
  if (there.length === 0 && first !== undefined) {
    void context.prompts.tell('info', missingSentence(context, first.accountId, first.session.id), []);
  }
  return endConfirmed(context, there, {});
}

/** Ends what was confirmed, and offers to try again what could not be ended. */
export function endAndTell(context: CommandContext, ends: readonly EndTarget[]): Promise<PublicEndReport> {
  return endNow(context, ends, (failed) => endChosen(context, failed));
}

/** How an end came to be asked for. */
export interface Asked {
  /** Whether one session was named by itself, which is the one way to one that is held back. */
  readonly byItself?: boolean;
  /**
   * Whether the button of one of our live views was pressed: the one place that can do without a question. What VS Code
   * passes for a row or a key, any extension can have passed too (`runCommands` with the focused row).
   */
  readonly fromLiveView?: boolean;
  /** What the group is called that they were named by. */
  readonly group?: string | undefined;
  /** How much of what was named these are, where the list hides the rest. */
  readonly part?: FilteredPart | undefined;
  /** What is left out beside what {@link partOf} leaves out of these. */
  readonly leftOut?: readonly EndTarget[];
  /** Sentences about accounts whose sessions are not known for sure. */
  readonly unknown?: readonly string[];
}

/** Asks, and ends what the answer allows. */
export async function endConfirmed(
  context: CommandContext,
  sessions: readonly EndTarget[],
  { byItself = false, fromLiveView = false, group, part, leftOut: also = [], unknown = [] }: Asked,
): Promise<PublicEndReport> {
  const [only] = sessions;
  if (only === undefined) return publicReport(context, []);
  if (byItself && sessions.length === 1) return endOne(context, only, fromLiveView);
  const { ends, leftOut } = partOf(context, sessions);
  if (ends.length === 0) {
    void context.prompts.tell('info', nothingToEnd(context, leftOut, [], []), []);
    return publicReport(context, []);
  }
  const confirmed = await confirmMany(
    context,
    ofPart(part, messageFor(ends, group)),
    ends,
    [...leftOut, ...also],
    unknown,
  );
  return confirmed ? endAndTell(context, ends) : cancelled(context, ends);
}

function messageFor(ends: readonly EndTarget[], group: string | undefined): string {
  const count = ends.length;
  if (group !== undefined) {
    return count === 1 ? l10n.t('End 1 session of “{0}”?', group) : l10n.t('End {0} sessions of “{1}”?', count, group);
  }
  if (count === 1) return l10n.t('End 1 session?');
  const accounts = accountsOf(ends);
  return accounts === 1
    ? l10n.t('End {0} sessions?', count)
    : l10n.t('End {0} sessions in {1} accounts?', count, accounts);
}

/** Protected sessions, and those that ends of many leave alone, are always asked about. */
async function endOne(context: CommandContext, target: EndTarget, fromLiveView: boolean): Promise<PublicEndReport> {
  const mayGoUnasked = fromLiveView && !isLeftOut(context, target);
  if (mayGoUnasked && context.endWithoutAsking.isAllowed) return endAndTell(context, [target]);
  const [subject] = subjectsOf(context, [target]);
  const question = subject && questionForOne(subject, mayGoUnasked);
  const chosen = question && (await context.prompts.confirm(question));
  if (chosen === undefined) return cancelled(context, [target]);
  if (chosen === question?.choices[1]) {
    await context.changeSetting('confirm.endSession', 'never');
    await context.endWithoutAsking.allow();
  }
  return endAndTell(context, [target]);
}

/** Asks whether these are to end. @returns whether the person pressed the button that says so. */
export async function confirmMany(
  context: CommandContext,
  message: string,
  ends: readonly EndTarget[],
  leftOut: readonly EndTarget[],
  unknown: readonly string[],
): Promise<boolean> {
  const question = questionForMany({
    message,
    subjects: subjectsOf(context, ends),
    leftOut: subjectsOf(context, leftOut),
    unknown: [...unknown, ...unfiltered(context, ends)],
    everything: undefined,
  });
  return (await context.prompts.confirm(question)) === question.choices[0];
}

/**
 * Why there is nothing to end.
 * @param accounts those that were to be reached.
 * @param targets the rows that stood for them, which a filter may have emptied.
 */
export function nothingToEnd(
  context: CommandContext,
  leftOut: readonly EndTarget[],
  accounts: readonly AccountId[],
  targets: readonly Target[],
): string {
  const reasons = [...new Set(leftOut.map((target) => reasonLeftOut(context, target) ?? ''))];
  const hidden = sessionsOf(context, whole(targets)).length > sessionsOf(context, targets).length;
  return [
    l10n.t('There is no session to end.'),
    ...(hidden ? [l10n.t('The filter “{0}” hides what runs there.', context.filter.text)] : []),
    ...reasons,
    ...unknownAccounts(context, accounts),
  ].join(' ');
}

/** Why ends of many leave a session alone, if they do. */
function reasonLeftOut({ protections }: CommandContext, { accountId, session }: EndTarget): string | undefined {
  if (protections.has(accountId, session.id)) return l10n.t('It is protected.');
  return session.heldBack === undefined ? undefined : plainText(session.heldBack, 200);
}

/** The vendor of an account. */
export function kindOfAccount(context: CommandContext, accountId: AccountId) {
  const account = context.accounts.get(accountId);
  return account === undefined ? undefined : kindOf(context, account);
}

/** What an account's provider is called, or the account where that isn't known. */
export function providerName(context: CommandContext, accountId: AccountId): string {
  return plainText(kindOfAccount(context, accountId)?.label ?? '') || nameOf(context, accountId);
}

/** What a dialog says of sessions. */
export function subjectsOf(context: CommandContext, targets: readonly EndTarget[]): EndSubject[] {
  // The rule is read once, not for each of thousands.
  const isMine = isMineBy(context.setting('mine'));
  return targets.map((target) => subjectOf(context, target, isMine));
}

function groupOf({ store }: CommandContext, accountId: AccountId, groupId: GroupId): string | undefined {
  const group = store.state(accountId)?.contents.groups.get(groupId);
  return group && groupName(group);
}

function subjectOf(context: CommandContext, { accountId, session }: EndTarget, isMine: IsMine | undefined): EndSubject {
  const start = context.store.startOf(accountId, session.id);
  return {
    account: nameOf(context, accountId),
    vendor: plainText(kindOfAccount(context, accountId)?.label ?? ''),
    name: sessionName(session),
    age: ageOf(context, accountId, session.id),
    young: start?.exact === true && context.now() - start.at < youngMs,
    group: session.groupId && groupOf(context, accountId, session.groupId),
    loss: kindOfAccount(context, accountId)?.wording.ending ?? '',
    closes: session.ends === 'pages' ? (session.pages ?? []).map(pageName) : undefined,
    heldBack: reasonLeftOut(context, { accountId, session }),
    watched: context.liveViews.isOpen(accountId, session.id),
    mine: isMine?.(session),
  };
}
