import * as l10n from '@vscode/l10n';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { type IsMine, isMineBy } from '../../core/ownership.ts';
import { plainText } from '../../core/plainText.ts';
import type { Session } from '../../core/session.ts';
import type { EndTarget } from '../../services/ender.ts';
import { troubleOf } from '../../services/sessionStore.ts';
import type { Choice } from '../prompts.ts';
import { timeOfDay } from '../words/ages.ts';
import { type EndSubject, endButton, questionForMany, questionForOne } from '../words/confirmations.ts';
import { groupName, pageName, sessionName } from '../words/names.ts';
import { ageOf, type CommandContext, kindOf, listOnce, nameOf } from './context.ts';
import { cancelled, concluded, endNow, type PublicEndReport, publicReport } from './endReports.ts';
import {
  accountChoices,
  isNamed,
  pickOne,
  sessionChoices,
  sessionsOf,
  type Target,
  targetsOf,
  whole,
  wholeAccount,
} from './targets.ts';

/** A session that started so recently may be one that somebody is only just beginning to use. */
const youngMs = 60_000;

/** Ends one session, or those that are selected, or, where nothing is named, those that are picked. */
export async function endSession(context: CommandContext, args: readonly unknown[]): Promise<PublicEndReport> {
  const targets = targetsOf(context, args);
  if (targets.length > 0 || isNamed(args)) {
    const sessions = sessionsOf(context, targets);
    if (sessions.length === 0) tellGone(context);
    const byItself = targets.length === 1 && targets[0]?.sessionId !== undefined;
    return endConfirmed(context, sessions, byItself, filteredPart(context, targets));
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

/** Ends all sessions that are listed in one account. */
export async function endAccountSessions(context: CommandContext, args: readonly unknown[]): Promise<PublicEndReport> {
  const [named] = targetsOf(context, args);
  const accountId =
    named?.accountId ??
    (await pickOne(
      context,
      l10n.t('End All Sessions in Account'),
      l10n.t('Choose an account'),
      l10n.t('There is no account yet.'),
      accountChoices(context),
    ));
  if (accountId === undefined) return publicReport(context, []);
  await listOnce(context, [accountId]);
  const target = { ...wholeAccount(accountId), shownOnly: named?.shownOnly ?? false };
  const all = sessionsOf(context, [target]);
  const part = filteredPart(context, [target]);
  const { ends, leftOut } = partOf(context, all);
  const loss = kindOfAccount(context, accountId)?.wording.endEverything;
  // The vendor's one call leaves nothing alone, so it is not offered beside what is protected.
  const guarded = all.some(({ session }) => context.protections.has(accountId, session.id));
  const canEndEverything =
    loss !== undefined && !guarded && part === undefined && context.store.capabilities(accountId).has('endEverything');
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
      message: ofPart(
        part,
        ends.length === 0
          ? l10n.t('No session is listed in {0}. End everything in it all the same?', name)
          : ends.length === 1
            ? l10n.t('End the session in {0}?', name)
            : l10n.t('End all {0} sessions in {1}?', ends.length, name),
      ),
      subjects: subjectsOf(context, ends),
      leftOut: subjectsOf(context, leftOut),
      unknown: [...unknownAccounts(context, [accountId]), ...(target.shownOnly ? [] : unfiltered(context))],
      everything,
    }),
  );
  if (chosen !== undefined && chosen === everything?.button) {
    if (!(await countTyped(context, ends.length))) return cancelled(context, ends);
    return concluded(context, await context.ender.endEverything(accountId), (failed) => endChosen(context, failed));
  }
  const confirmed = chosen === endButton(ends.length) && (await countTyped(context, ends.length));
  return confirmed ? endAndTell(context, ends) : cancelled(context, ends);
}

/** Ends all sessions that are listed in any account. */
export function endAllSessions(context: CommandContext): Promise<PublicEndReport> {
  return endEach(
    context,
    () => true,
    (count, accounts) =>
      count === 1
        ? l10n.t('End the only running session?')
        : accounts === 1
          ? l10n.t('End all {0} sessions?', count)
          : l10n.t('End all {0} sessions in {1} accounts?', count, accounts),
  );
}

/** Ends all sessions that are the person's own, by the rule in the settings. */
export async function endMySessions(context: CommandContext): Promise<PublicEndReport> {
  const isMine = isMineBy(context.setting('mine', ''));
  if (isMine === undefined) {
    void context.prompts.tell(
      'info',
      l10n.t('The setting browserSessions.mine does not say which sessions are yours.'),
      [],
    );
    return publicReport(context, []);
  }
  return endEach(context, isMine, (count) =>
    count === 1 ? l10n.t('End 1 session of yours?') : l10n.t('End {0} sessions of yours?', count),
  );
}

/** Ends what is meant of all that is listed in any account, after a confirmation that says what is not known. */
async function endEach(
  context: CommandContext,
  isMeant: (session: Session) => boolean,
  message: (count: number, accounts: number) => string,
): Promise<PublicEndReport> {
  const ids = context.accounts.all.map(({ id }) => id);
  await listOnce(context, ids);
  const meant = sessionsOf(context, ids.map(wholeAccount)).filter(({ session }) => isMeant(session));
  const { ends, leftOut } = partOf(context, meant);
  if (ends.length === 0) {
    void context.prompts.tell('info', nothingToEnd(context, leftOut, ids), []);
    return publicReport(context, []);
  }
  const asked = message(ends.length, accountsOf(ends));
  return endAsked(context, asked, ends, leftOut, [...unknownAccounts(context, ids), ...unfiltered(context)], true);
}

/** How much of what is to end a filter leaves, where it hides some of it. */
export interface FilteredPart {
  readonly shown: number;
  readonly of: number;
}

/** How much of what rows stand for the list's filter leaves; undefined where it hides nothing of it. */
export function filteredPart(context: CommandContext, targets: readonly Target[]): FilteredPart | undefined {
  const shown = sessionsOf(context, targets).length;
  const of = sessionsOf(context, whole(targets)).length;
  return shown === of ? undefined : { shown, of };
}

function ofPart(part: FilteredPart | undefined, message: string): string {
  return part === undefined ? message : l10n.t('{0} (filtered: {1} of {2})', message, part.shown, part.of);
}

/** A sentence for what a filter hides and that is reached all the same. */
export function unfiltered({ filter }: CommandContext): readonly string[] {
  if (filter.text === '') return [];
  return [l10n.t('The filter “{0}” is NOT applied: what it hides in the list is included.', filter.text)];
}

function accountsOf(targets: readonly EndTarget[]): number {
  return new Set(targets.map(({ accountId }) => accountId)).size;
}

/** Tells of ends that a window did not live to finish, and offers to look at what of them still runs. Ends nothing. */
export async function reviewUnfinishedEnds(context: CommandContext): Promise<void> {
  for (const { total, left } of await context.journal.takeAbandoned()) {
    const accounts = [...new Set(left.map(({ accountId }) => accountId))];
    await Promise.all(accounts.map((id) => context.refresher.refresh(id)));
    const running = left.flatMap(({ accountId, sessionId, startedAt }) => {
      const session = context.store.session(accountId, sessionId as SessionId);
      if (session === undefined || (startedAt !== undefined && session.startedAt !== startedAt)) return [];
      return [{ accountId, session }];
    });
    if (running.length === 0) continue;
    const review = l10n.t('Review');
    const sentence = l10n.t(
      'The window closed while sessions were ending: {0} of {1} still run.',
      running.length,
      total,
    );
    void context.prompts.tell('warning', sentence, [review]).then(async (chosen) => {
      if (chosen === review) await endChosen(context, running);
    });
  }
}

/** Ends what could not be ended before. */
export async function retryFailedEnds(context: CommandContext): Promise<PublicEndReport> {
  const all = sessionsOf(
    context,
    context.accounts.all.map(({ id }) => wholeAccount(id)),
  );
  const stuck = all.filter(({ accountId, session }) => context.store.life(accountId, session.id).kind === 'stuck');
  if (stuck.length > 0) return endConfirmed(context, stuck, false);
  void context.prompts.tell('info', l10n.t('No end has failed.'), []);
  return publicReport(context, []);
}

const oldestKey = 'oldSessionMinutes';
const usualOldMinutes = 60;

/** Ends those of the sessions that have run for long that the person leaves ticked, the oldest first. */
export async function endOldSessions(context: CommandContext): Promise<PublicEndReport> {
  const { prompts, memory, store, now } = context;
  const remembered = memory.get(oldestKey);
  let minutes = 0;
  const asked = await prompts.ask({
    title: l10n.t('End Old Sessions'),
    prompt: l10n.t('Sessions that have run for at least how many minutes?'),
    placeholder: '',
    value: String(typeof remembered === 'number' ? remembered : usualOldMinutes),
    secret: false,
    step: undefined,
    button: undefined,
    refuse: async (typed) => {
      minutes = Number(typed.trim());
      return typed.trim() !== '' && minutes >= 0 ? undefined : l10n.t('This is not a number of minutes.');
    },
  });
  if (asked.kind !== 'answer') return publicReport(context, []);
  await memory.update(oldestKey, minutes);
  const start = ({ value: { accountId, session } }: Choice<EndTarget>) =>
    store.startOf(accountId, session.id)?.at ?? now();
  const old = (await sessionChoices(context))
    .filter((choice) => !isLeftOut(context, choice.value) && now() - start(choice) >= minutes * 60_000)
    .sort((a, b) => start(a) - start(b));
  if (old.length === 0) {
    void prompts.tell('info', l10n.t('No session has run for that long.'), []);
    return publicReport(context, []);
  }
  const answer = await prompts.pickMany({
    title: l10n.t('End Old Sessions'),
    placeholder: l10n.t('These end; untick what is to go on'),
    choices: old.map((choice) => ({ ...choice, heading: undefined, detail: choice.heading ?? '', picked: true })),
    step: undefined,
  });
  return endConfirmed(context, answer.kind === 'answer' ? answer.value : [], false);
}

/** Whether ends of many leave a session alone. */
function isLeftOut({ protections }: CommandContext, { accountId, session }: EndTarget): boolean {
  return session.heldBack !== undefined || protections.has(accountId, session.id);
}

/** Parts what an end of many reaches from what it leaves alone. */
function partOf(
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
  if (there.length === 0) tellGone(context);
  return endConfirmed(context, there, false);
}

function endAndTell(context: CommandContext, ends: readonly EndTarget[]): Promise<PublicEndReport> {
  return endNow(context, ends, (failed) => endChosen(context, failed));
}

/** Whether the person has typed how many end, where they want to be asked that before everything ends. */
async function countTyped({ prompts, setting }: CommandContext, count: number): Promise<boolean> {
  if (setting<string>('confirm.endAll', 'button') !== 'typeCount') return true;
  const answer = await prompts.ask({
    title: l10n.t('End All Sessions'),
    prompt: l10n.t('Type {0} to end them all', count),
    placeholder: '',
    value: '',
    secret: false,
    step: undefined,
    button: undefined,
    refuse: async (typed) => (typed.trim() === String(count) ? undefined : l10n.t('That is not {0}.', count)),
  });
  return answer.kind === 'answer';
}

/**
 * @param byItself whether one session was named by itself, which is the one way to one that is held back.
 * @param part how much of what was named these are, where the list hides the rest.
 */
export async function endConfirmed(
  context: CommandContext,
  sessions: readonly EndTarget[],
  byItself: boolean,
  part?: FilteredPart,
): Promise<PublicEndReport> {
  const [only] = sessions;
  if (only === undefined) return publicReport(context, []);
  if (byItself && sessions.length === 1) {
    if (context.setting<string>('confirm.endSession', 'always') === 'never') return endAndTell(context, sessions);
    const question = questionForOne(subjectOf(context, only, undefined));
    const chosen = await context.prompts.confirm(question);
    return chosen === question.choices[0] ? endAndTell(context, sessions) : cancelled(context, sessions);
  }
  const { ends, leftOut } = partOf(context, sessions);
  if (ends.length === 0) {
    void context.prompts.tell('info', nothingToEnd(context, leftOut, []), []);
    return publicReport(context, []);
  }
  const accounts = accountsOf(ends);
  const message =
    ends.length === 1
      ? l10n.t('End 1 session?')
      : accounts === 1
        ? l10n.t('End {0} sessions?', ends.length)
        : l10n.t('End {0} sessions in {1} accounts?', ends.length, accounts);
  return endAsked(context, ofPart(part, message), ends, leftOut, [], false);
}

async function endAsked(
  context: CommandContext,
  message: string,
  ends: readonly EndTarget[],
  leftOut: readonly EndTarget[],
  unknown: readonly string[],
  everything: boolean,
): Promise<PublicEndReport> {
  const question = questionForMany({
    message,
    subjects: subjectsOf(context, ends),
    leftOut: subjectsOf(context, leftOut),
    unknown,
    everything: undefined,
  });
  const chosen = await context.prompts.confirm(question);
  const confirmed = chosen === question.choices[0] && (!everything || (await countTyped(context, ends.length)));
  return confirmed ? endAndTell(context, ends) : cancelled(context, ends);
}

function tellGone({ prompts }: CommandContext): void {
  void prompts.tell('info', l10n.t('That session has already ended.'), []);
}

function nothingToEnd(context: CommandContext, leftOut: readonly EndTarget[], accounts: readonly AccountId[]): string {
  const unknown = unknownAccounts(context, accounts);
  const reasons = [...new Set(leftOut.map((target) => reasonLeftOut(context, target) ?? ''))];
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

/** What a dialog says of sessions. */
export function subjectsOf(context: CommandContext, targets: readonly EndTarget[]): EndSubject[] {
  // The rule is read once, not for each of thousands.
  const isMine = isMineBy(context.setting('mine', ''));
  return targets.map((target) => subjectOf(context, target, isMine));
}

function subjectOf(context: CommandContext, { accountId, session }: EndTarget, isMine: IsMine | undefined): EndSubject {
  const start = context.store.startOf(accountId, session.id);
  const group = session.groupId && context.store.state(accountId)?.contents.groups.get(session.groupId);
  return {
    account: nameOf(context, accountId),
    vendor: plainText(kindOfAccount(context, accountId)?.label ?? ''),
    name: sessionName(session),
    age: ageOf(context, accountId, session.id),
    young: start?.exact === true && context.now() - start.at < youngMs,
    group: group ? groupName(group) : undefined,
    loss: kindOfAccount(context, accountId)?.wording.ending ?? '',
    closes: session.ends === 'pages' ? (session.pages ?? []).map(pageName) : undefined,
    heldBack: reasonLeftOut(context, { accountId, session }),
    watched: context.liveViews.isOpen(accountId, session.id),
    mine: isMine?.(session),
  };
}
