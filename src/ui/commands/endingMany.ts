import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import { isMineBy } from '../../core/ownership.ts';
import type { Session } from '../../core/session.ts';
import type { EndTarget } from '../../services/ending/report.ts';
import { endButton, questionForMany } from '../words/confirmations.ts';
import { type CommandContext, listFresh, nameOf, unknownAccounts } from './context.ts';
import {
  accountsOf,
  confirmMany,
  endAndTell,
  endChosen,
  endConfirmed,
  filteredPart,
  kindOfAccount,
  nothingToEnd,
  ofPart,
  partOf,
  providerName,
  subjectsOf,
  unfiltered,
} from './ending.ts';
import { cancelled, concludedAsked, type PublicEndReport, publicReport, whileWorking } from './endReports.ts';
import { accountChoices, choiceOf, pickOne, sessionsOf, targetsOf, wholeAccount } from './targets.ts';

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
  await listFresh(context, [accountId]);
  const target = { ...wholeAccount(accountId), shownOnly: named?.shownOnly ?? false };
  const all = sessionsOf(context, [target]);
  const part = filteredPart(context, [target]);
  const { ends, leftOut } = partOf(context, all);
  const loss = kindOfAccount(context, accountId)?.wording.endEverything;
  // The vendor's one call leaves nothing alone, so it is not offered beside what is protected.
  const everyone = sessionsOf(context, [wholeAccount(accountId)]);
  const guarded = everyone.some(({ session }) => context.protections.has(accountId, session.id));
  const isOffered = context.store.capabilities(accountId).has('endEverything');
  // Nor is it beside a filter: it would end what the person does not even see.
  const canEndEverything = loss !== undefined && isOffered && !guarded && everyone.length === all.length;
  const name = nameOf(context, accountId);
  if (ends.length === 0 && !canEndEverything) {
    void context.prompts.tell('info', nothingToEnd(context, leftOut, [accountId], [target]), []);
    return publicReport(context, []);
  }
  const isCombined = context.store.state(accountId)?.contents.combined === true;
  const everything = canEndEverything
    ? {
        button: l10n.t('End Everything in Account'),
        explanation: [
          l10n.t('“End Everything in Account” goes further. {0}', loss),
          ...(isCombined ? [l10n.t('It reaches only one of the servers that share this address.')] : []),
        ].join('\n'),
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
            : part === undefined
              ? l10n.t('End all {0} sessions in {1}?', ends.length, name)
              : l10n.t('End {0} sessions in {1}?', ends.length, name),
      ),
      subjects: subjectsOf(context, ends),
      leftOut: subjectsOf(context, leftOut),
      unknown: [...unknownAccounts(context, [accountId]), ...unfiltered(context, ends)],
      everything,
    }),
  );
  if (chosen !== undefined && chosen === everything?.button) {
    if (!(await countTyped(context, ends.length))) return cancelled(context, ends);
    const { error, ...report } = await whileWorking(
      context,
      l10n.t('Ending everything in {0}', name),
      l10n.t('{0} is still ending sessions…', providerName(context, accountId)),
      () => context.ender.endEverything(accountId),
    );
    return concludedAsked(context, accountId, report, error, (failed) => endChosen(context, failed));
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
  const isMine = isMineBy(context.setting('mine'));
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
  const { ids, all } = await everySession(context);
  const { ends, leftOut } = partOf(
    context,
    all.filter(({ session }) => isMeant(session)),
  );
  if (ends.length === 0) {
    void context.prompts.tell('info', nothingToEnd(context, leftOut, ids, []), []);
    return publicReport(context, []);
  }
  const asked = message(ends.length, accountsOf(ends));
  const confirmed =
    (await confirmMany(context, asked, ends, leftOut, unknownAccounts(context, ids))) &&
    (await countTyped(context, ends.length));
  return confirmed ? endAndTell(context, ends) : cancelled(context, ends);
}

/** All that is listed in any account, as it is now. */
async function everySession(
  context: CommandContext,
): Promise<{ readonly ids: readonly AccountId[]; readonly all: readonly EndTarget[] }> {
  const ids = context.accounts.all.map(({ id }) => id);
  await listFresh(context, ids);
  return { ids, all: sessionsOf(context, ids.map(wholeAccount)) };
}

/** Ends what could not be ended before. */
export async function retryFailedEnds(context: CommandContext): Promise<PublicEndReport> {
  const { all } = await everySession(context);
  const stuck = all.filter(({ accountId, session }) => context.store.life(accountId, session.id).kind === 'stuck');
  if (stuck.length > 0) return endConfirmed(context, stuck, {});
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
  const start = ({ accountId, session }: EndTarget) => store.startOf(accountId, session.id)?.at ?? now();
  const { ids, all } = await everySession(context);
  const { ends, leftOut } = partOf(
    context,
    all.filter((target) => now() - start(target) >= minutes * 60_000),
  );
  const unknown = unknownAccounts(context, ids);
  if (ends.length === 0) {
    const sentence =
      leftOut.length > 0
        ? nothingToEnd(context, leftOut, ids, [])
        : [l10n.t('No session has run for that long.'), ...unknown].join(' ');
    void prompts.tell('info', sentence, []);
    return publicReport(context, []);
  }
  const answer = await prompts.pickMany({
    title: l10n.t('End Old Sessions'),
    placeholder: l10n.t('These end; untick what is to go on'),
    choices: ends
      .toSorted((a, b) => start(a) - start(b))
      .map((target) => {
        const { heading = '', ...choice } = choiceOf(context, target);
        return { ...choice, heading: undefined, detail: heading, picked: true };
      }),
    step: undefined,
  });
  return endConfirmed(context, answer.kind === 'answer' ? answer.value : [], { leftOut, unknown });
}

/** Whether the person has typed how many end, where they want to be asked that before everything ends. */
async function countTyped({ prompts, setting }: CommandContext, count: number): Promise<boolean> {
  if (setting('confirm.endAll') !== 'typeCount') return true;
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
