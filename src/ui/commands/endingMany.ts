import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import type { Memory } from '../../core/storage.ts';
import type { AccountSession } from '../../services/ending/report.ts';
import { withNames } from '../sessionNames.ts';
import { kindOfAccount, nameOfAccount, providerName } from './accountNames.ts';
import { confirmEndOrEverything, type EndEverything } from './confirmEnd.ts';
import { type EndParts, endAgain, endNothing, endPlanned, pickToEnd, runPlan } from './ending.ts';
import { type EndPlan, nothingToEnd, planEnd, planEndOfAll } from './endPlan.ts';
import { asShown, canceled, concludedAsked, type PublicEndReport, publicReport } from './endReports.ts';
import {
  checkUnlistedProtected,
  protectedAmong,
  unlistedProtected,
  unlistedProtectedSentences,
} from './protectedSessions.ts';
import { whileWorking } from './runEnd.ts';
import { accountChoices, choiceOf, pickOne, sessionsOf, targetOfOne, wholeAccount } from './targets.ts';

/** Ends all listed sessions of an account, or everything in it if the user chooses that. */
export async function endAccountSessions(parts: EndParts, args: readonly unknown[]): Promise<PublicEndReport> {
  const named = targetOfOne(args);
  const accountId = named?.accountId ?? (await pickAccount(parts));
  if (accountId === undefined) return publicReport(parts, []);
  const target = { ...wholeAccount(accountId), shownOnly: named?.shownOnly ?? false };
  await checkUnlistedProtected(parts, accountId);
  const plan = await planEnd(parts, [target]);
  const everything = everythingIn(parts, accountId, plan);
  if (plan.ends.length === 0 && everything === undefined) return endNothing(parts, nothingToEnd(parts, plan));
  const asking = { message: accountMessage(plan, nameOfAccount(parts, accountId)), typesCount: true };
  const confirmed = await confirmEndOrEverything(parts, plan, asking, everything);
  if (confirmed === undefined) return canceled(parts, plan.ends);
  return confirmed === 'everything'
    ? endEverything(parts, accountId, everything?.generation)
    : runPlan(parts, confirmed);
}

function pickAccount(parts: EndParts): Promise<AccountId | undefined> {
  const title = l10n.t('End All Sessions in Account');
  const none = l10n.t('No accounts yet. Add an account first.');
  return pickOne(parts, title, l10n.t('Select an account'), none, accountChoices(parts));
}

function accountMessage({ ends, partial }: EndPlan, account: string): string {
  const count = ends.length;
  if (count === 0) return l10n.t('No sessions are listed in {0}. End everything in it anyway?', account);
  if (count === 1) return l10n.t('End the session in {0}?', account);
  return partial === undefined
    ? l10n.t('End all {0} sessions in {1}?', count, account)
    : l10n.t('End {0} sessions in {1}?', count, account);
}

/**
 * The button for the provider's "end everything" call, if there is one. The call ends every session, so the button isn't
 * offered if a session is protected, or if the filter hides sessions that would end unseen.
 */
function everythingIn(parts: EndParts, accountId: AccountId, { hidden }: EndPlan): EndEverything | undefined {
  const loss = kindOfAccount(parts, accountId)?.wording.endEverything;
  const isOffered = parts.store.capabilities(accountId).has('endEverything');
  const hasProtected = protectedAmong(parts, sessionsOf(parts, [wholeAccount(accountId)])).length > 0;
  if (loss === undefined || !isOffered || hasProtected || hidden > 0) return undefined;
  const isCombined = parts.store.state(accountId)?.contents.combined === true;
  return {
    accountId,
    generation: parts.connections.generation(accountId),
    button: l10n.t('End Everything in Account'),
    explanation: [
      l10n.t('"End Everything in Account" goes further. {0}', loss),
      ...unlistedProtectedSentences(unlistedProtected(parts, accountId), 'account'),
      ...(isCombined ? [l10n.t('It reaches only one of the servers that share this address.')] : []),
    ].join('\n'),
  };
}

async function endEverything(
  parts: EndParts,
  accountId: AccountId,
  generation: number | undefined,
): Promise<PublicEndReport> {
  const members = withNames(parts.store, sessionsOf(parts, [wholeAccount(accountId)]));
  const { error, ...report } = await whileWorking(
    parts,
    l10n.t('Ending everything in {0}', nameOfAccount(parts, accountId)),
    l10n.t('{0} is still ending sessions…', providerName(parts, accountId)),
    () => parts.ender.endEverything(accountId, generation),
  );
  return concludedAsked(parts, accountId, asShown(report, members), error, (failed) => endAgain(parts, failed));
}

/** Ends all listed sessions of all accounts. */
export async function endAllSessions(parts: EndParts): Promise<PublicEndReport> {
  const plan = await planEndOfAll(parts);
  const count = plan.ends.length;
  const accounts = new Set(plan.ends.map(({ accountId }) => accountId)).size;
  const message =
    count === 1
      ? l10n.t('End the only running session?')
      : accounts === 1
        ? l10n.t('End all {0} sessions?', count)
        : l10n.t('End all {0} sessions in {1} accounts?', count, accounts);
  return endPlanned(parts, plan, { message, typesCount: true });
}

/** Ends all of the user's own sessions, by the rule in the settings and by where browsers on this machine were started. */
export async function endMySessions(parts: EndParts): Promise<PublicEndReport> {
  const isMine = parts.isMine();
  if (isMine === undefined) {
    return endNothing(
      parts,
      l10n.t(
        'To tell which sessions are yours, set browserSessions.mine in your settings, or open the folder that browsers on this machine were started in.',
      ),
    );
  }
  const plan = await planEndOfAll(parts, ({ session }) => isMine(session) === true);
  const count = plan.ends.length;
  const message = count === 1 ? l10n.t('End your session?') : l10n.t('End your {0} sessions?', count);
  return endPlanned(parts, plan, { message, typesCount: true });
}

/** Retries the ends that failed. */
export async function retryFailedEnds(parts: EndParts): Promise<PublicEndReport> {
  const { store } = parts;
  const isStuck = ({ accountId, session }: AccountSession) => store.life(accountId, session.id).kind === 'stuck';
  const plan = await planEndOfAll(parts, isStuck);
  const [first, ...others] = [...plan.ends, ...plan.leftOut];
  if (first === undefined) return endNothing(parts, l10n.t("There's nothing to retry. No sessions failed to end."));
  if (others.length === 0) return endAgain(parts, [first]);
  // A session that isn't listed can't have failed before, so missing lists don't matter.
  return endPlanned(parts, { ...plan, unknown: plan.unknownProtection });
}

const oldestKey = 'oldSessionMinutes';
const usualOldMinutes = 60;

/** Lists sessions that have been running for long, oldest first, lets the user deselect some, and ends the rest. */
export async function endOldSessions(parts: EndParts & { readonly memory: Memory }): Promise<PublicEndReport> {
  const { store, clock } = parts;
  const minutes = await askMinutes(parts);
  if (minutes === undefined) return publicReport(parts, []);
  const start = ({ accountId, session }: AccountSession) => store.startOf(accountId, session.id)?.at ?? clock.now();
  const plan = await planEndOfAll(parts, (target) => clock.now() - start(target) >= minutes * 60_000);
  const { ends, leftOut, unknown } = plan;
  if (ends.length + leftOut.length === 0) {
    return endNothing(parts, [l10n.t('No session has been running that long.'), ...unknown].join(' '));
  }
  if (ends.length === 0) return endNothing(parts, nothingToEnd(parts, plan));
  const picked = await pickToEnd(parts, {
    title: l10n.t('End Old Sessions'),
    placeholder: l10n.t('Deselect the sessions you want to keep running'),
    choices: ends
      .toSorted((a, b) => start(a) - start(b))
      .map((target) => {
        const { heading = '', ...choice } = choiceOf(parts, target);
        return { ...choice, heading: undefined, detail: heading, picked: true };
      }),
    step: undefined,
  });
  return picked.length === 0 ? publicReport(parts, []) : endPlanned(parts, { ...plan, ends: picked });
}

/** Asks how many minutes a session must have been running to count as old; undefined when the user canceled. */
async function askMinutes({
  prompts,
  memory,
}: Pick<EndParts, 'prompts'> & { readonly memory: Memory }): Promise<number | undefined> {
  const remembered = memory.get(oldestKey);
  let minutes = 0;
  const answer = await prompts.ask({
    title: l10n.t('End Old Sessions'),
    prompt: l10n.t('Enter the minimum age of the sessions to end, in minutes'),
    placeholder: '',
    value: String(typeof remembered === 'number' ? remembered : usualOldMinutes),
    secret: false,
    step: undefined,
    button: undefined,
    refuse: async (typed) => {
      minutes = Number(typed.trim());
      return typed.trim() !== '' && minutes >= 0 ? undefined : l10n.t('Enter a number of minutes.');
    },
  });
  if (answer.kind !== 'answer') return undefined;
  await memory.update(oldestKey, minutes);
  return minutes;
}
