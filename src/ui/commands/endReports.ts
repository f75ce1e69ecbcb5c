import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { plainText } from '../../core/plainText.ts';
import { ProviderError } from '../../core/providerError.ts';
import type {
  AccountSession,
  EndOutcomeKind,
  EndReport,
  EndResult,
  GroupReport,
} from '../../services/ending/report.ts';
import type { BatchVerdict } from '../../services/sessions/finishedBatches.ts';
import type { SessionStore } from '../../services/sessions/sessionStore.ts';
import type { Prompts } from '../prompts.ts';
import { shownName } from '../sessionNames.ts';
import { accountRemovedSentence } from '../text/missing.ts';
import { accountHost, nameAndId, shortId } from '../text/names.ts';
import { deletionSentence, namesInBrief, oneOfSeveralSentence, outcomeSentence } from '../text/outcomes.ts';
import { stuckSentence, troubleSentence } from '../text/troubles.ts';
import { type AccountParts, nameOfAccount } from './accountNames.ts';

/** What a destructive command returns to its caller. The counts add up to `requested`. */
export interface PublicEndReport {
  readonly requested: number;
  readonly ended: number;
  readonly alreadyGone: number;
  readonly failed: number;
  readonly stuck: number;
  readonly canceled: number;
  readonly results: readonly {
    readonly accountId: string;
    readonly sessionId: string;
    readonly outcome: EndOutcomeKind;
    /** Why it didn't end, or how it did if the provider has several ways, in a sentence. */
    readonly detail?: string;
  }[];
}

/** What `deleteBatch` returns: what the provider says it deleted, and the outcome for each session that was running. */
export interface PublicGroupDeletion extends PublicEndReport {
  readonly deleted: number;
  readonly failedDeletions: number;
  readonly errors: readonly { readonly sessionId: string; readonly error: string }[];
  /** Whether a list shows that the batch is gone; only for finished batches. */
  readonly batch?: BatchVerdict['kind'];
}

/** What reporting on ends needs. */
export interface ReportParts extends AccountParts {
  readonly store: SessionStore;
  readonly prompts: Prompts;
  readonly logger: Logger;
  readonly showLog: () => void;
}

/** How a session ended is shown in the status bar up to this length, in characters. More would be cut off there. */
const longestNote = 40;

/** Makes a report that uses the sessions' names from the dialog. */
export function asShown(report: EndReport, confirmed: readonly AccountSession[]): EndReport {
  const shown = new Map(confirmed.map(({ accountId, session, shownAs }) => [`${accountId}/${session.id}`, shownAs]));
  const results = report.results.map((result) => {
    return { ...result, shownAs: shown.get(`${result.accountId}/${result.session.id}`) ?? result.shownAs };
  });
  return { results };
}

/** The name of a result's session in messages. */
function nameOf({ store }: Pick<ReportParts, 'store'>, { accountId, session, shownAs }: EndResult): string {
  return nameAndId(shownAs ?? shownName(store, accountId, session));
}

function endedSentence(parts: ReportParts, ended: EndResult): string {
  const name = nameOf(parts, ended);
  return ended.session.ends === 'connection' ? l10n.t('Detached {0}.', name) : l10n.t('Session {0} ended.', name);
}

/** Shows the outcome of an end in at most one message, and returns it for the caller. */
export function concluded(
  parts: ReportParts,
  { results }: EndReport,
  retry: (failed: readonly AccountSession[]) => Promise<unknown>,
): PublicEndReport {
  const report = publicReport(parts, results);
  const failed = results.filter(({ why }) => why !== undefined);
  const unconfirmed = failed.filter(({ why }) => why?.kind === 'unconfirmed').length;
  const sentence = outcomeSentence({ ...report, unconfirmed, failures: failureLines(parts, failed) });
  if (sentence?.level === 'info') void parts.prompts.tell('info', sentence.message, []);
  else if (sentence !== undefined) tellFailures(parts, sentence.message, l10n.t('Retry Failed'), () => retry(failed));
  else if (report.ended + report.alreadyGone > 0) {
    const [ended] = results;
    const sentence = ended === undefined ? '' : endedSentence(parts, ended);
    const how = spoken(ended?.how);
    if (how === undefined || how.length <= longestNote) parts.prompts.note([sentence, how ?? ''].join(' ').trim());
    else void parts.prompts.tell('info', `${sentence} ${how}`, []);
  }
  return report;
}

/**
 * Shows the outcome of one request that ends several sessions. It may fail even if no session is listed that could show
 * the failure.
 */
export function concludedAsked(
  parts: ReportParts,
  accountId: AccountId,
  report: EndReport,
  error: ProviderError | undefined,
  retry: (failed: readonly AccountSession[]) => Promise<unknown>,
): PublicEndReport {
  if (report.results.length > 0) return concluded(parts, report, retry);
  const host = accountHost(parts.accounts.get(accountId));
  if (error !== undefined) tellFailures(parts, troubleSentence(error, host), undefined, async () => {});
  else if (parts.store.state(accountId)?.contents.combined === true) {
    void parts.prompts.tell('warning', oneOfSeveralSentence(host), []);
  } else parts.prompts.note(l10n.t('{0} accepted the request.', host));
  return publicReport(parts, []);
}

/** Shows the outcome of deleting a batch, and offers to end the remaining sessions one by one. */
export function tellDeletion(
  parts: ReportParts,
  accountId: AccountId,
  batch: string,
  { answer, results }: GroupReport,
  endOneByOne: (left: readonly AccountSession[]) => Promise<unknown>,
): void {
  const host = accountHost(parts.accounts.get(accountId));
  const left = results.filter(({ why }) => why !== undefined);
  const button = l10n.t('End One by One…');
  if (ProviderError.is(answer)) {
    const trouble = troubleSentence(answer, host);
    // Without an answer, it isn't known whether the batch was deleted.
    const isLost = ProviderError.isOf(answer, 'timedOut', 'serverFault', 'unexpectedAnswer', 'unreachable');
    const sentence = isLost
      ? l10n.t("Couldn't confirm whether {0} was deleted. {1}", batch, trouble)
      : l10n.t("Couldn't delete {0}. {1}", batch, trouble);
    tellFailures(parts, sentence, left.length === 0 ? undefined : button, () => endOneByOne(left));
    return;
  }
  // The provider explains failures by id; the message uses the names on the rows, if there are any.
  const named = new Map(results.map((result) => [result.session.id as string, nameOf(parts, result)]));
  const failures = answer.failures.map(({ sessionId, reason }) => {
    const said = plainText(reason, 200);
    return sessionId === '' ? said : `${named.get(sessionId) ?? shortId(sessionId)}: ${said}`;
  });
  const unexplained = left.filter(({ session }) => !answer.failures.some(({ sessionId }) => sessionId === session.id));
  const failed = Math.max(answer.failed, left.length);
  const { level, message } = deletionSentence(batch, {
    // Some that the provider calls deleted may still be running.
    deleted: Math.max(0, answer.deleted - (failed - answer.failed)),
    failed,
    failures: [...failures, ...failureLines(parts, unexplained)],
  });
  if (level === 'info') void parts.prompts.tell(level, message, []);
  else tellFailures(parts, message, left.length === 0 ? undefined : button, () => endOneByOne(left));
}

/** Shows the outcome of deleting a finished batch. */
export function tellFinishedDeletion(
  parts: ReportParts,
  accountId: AccountId,
  { name, provider }: { readonly name: string; readonly provider: string },
  report: GroupReport,
  verdict: BatchVerdict,
): void {
  const { answer } = report;
  const isTaken = !ProviderError.is(answer) && answer.failed === 0;
  if (verdict.kind === 'gone' && ProviderError.is(answer)) {
    const sentence = ProviderError.isOf(answer, 'notFound')
      ? l10n.t('{0} was already deleted.', name)
      : l10n.t('{0} was deleted. {1} no longer lists it.', name, provider);
    void parts.prompts.tell('info', sentence, []);
  } else if (verdict.kind === 'gone' || !isTaken) {
    tellDeletion(parts, accountId, name, report, async () => {});
  } else {
    const sentence =
      verdict.kind === 'listed'
        ? l10n.t('{0} accepted the request but still lists {1}. Its data may not be deleted.', provider, name)
        : l10n.t("{0} accepted the request, but the deletion of {1} couldn't be confirmed.", provider, name);
    const host = accountHost(parts.accounts.get(accountId));
    const error = verdict.kind === 'unknown' ? verdict.error : undefined;
    const trouble = error === undefined ? [] : [troubleSentence(error, host)];
    tellFailures(parts, [sentence, ...trouble].join(' '), undefined, async () => {});
  }
}

/** Shows a warning with a button for the log, and optionally one that runs `otherwise`. */
function tellFailures(
  parts: ReportParts,
  message: string,
  button: string | undefined,
  otherwise: () => Promise<unknown>,
): void {
  const log = l10n.t('Show Log');
  const buttons = button === undefined ? [log] : [button, log];
  void parts.prompts.tell('warning', message, buttons).then(async (chosen) => {
    if (chosen === log) parts.showLog();
    else if (chosen !== undefined && chosen === button) await otherwise();
  });
}

/** One line per reason, with the names of the sessions that didn't end because of it. */
function failureLines(parts: ReportParts, failed: readonly EndResult[]): string[] {
  const named = failed.map((result) => {
    const { accountId } = result;
    const { name, shortId: id } = result.shownAs ?? shownName(parts.store, accountId, result.session);
    // A removed account has no name, only an id.
    const account = parts.accounts.get(accountId) === undefined ? undefined : nameOfAccount(parts, accountId);
    const isNamed = name !== id;
    return {
      reason: reasonOf(parts, result) ?? '',
      name:
        account === undefined
          ? nameAndId({ name, shortId: id })
          : isNamed
            ? l10n.t('{0} ({1}, {2})', name, id, account)
            : l10n.t('{0} ({1})', name, account),
    };
  });
  return [...Map.groupBy(named, ({ reason }) => reason)].map(([reason, its]) =>
    l10n.t('{0}: {1}', namesInBrief(its.map(({ name }) => name)), reason),
  );
}

/** Why a session hasn't ended or isn't confirmed gone, in a sentence. */
function reasonOf({ accounts }: Pick<ReportParts, 'accounts'>, { accountId, why }: EndResult): string | undefined {
  if (why === undefined) return undefined;
  const account = accounts.get(accountId);
  return account === undefined ? accountRemovedSentence() : stuckSentence(why, accountHost(account));
}

/** The report of an end that the user didn't confirm. */
export function canceled(parts: Pick<ReportParts, 'accounts'>, targets: readonly AccountSession[]): PublicEndReport {
  return publicReport(
    parts,
    targets.map((target) => ({ ...target, outcome: 'canceled', why: undefined, how: undefined, attempts: 0, ms: 0 })),
  );
}

/** The report that callers of commands get. */
export function publicReport(parts: Pick<ReportParts, 'accounts'>, results: readonly EndResult[]): PublicEndReport {
  const count = (outcome: EndOutcomeKind) => results.filter((result) => result.outcome === outcome).length;
  return {
    requested: results.length,
    ended: count('ended'),
    alreadyGone: count('alreadyGone'),
    failed: count('failed'),
    stuck: count('stuck'),
    canceled: count('canceled'),
    results: results.map((result) => {
      const { accountId, session, outcome, how } = result;
      const detail = reasonOf(parts, result) ?? spoken(how);
      return { accountId, sessionId: session.id, outcome, ...(detail ? { detail } : {}) };
    }),
  };
}

/** A provider's own sentence, translated if there is a translation. */
function spoken(sentence: string | undefined): string | undefined {
  return sentence === undefined ? undefined : plainText(l10n.t(sentence), 200);
}
