import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import { ProviderError } from '../../core/providerError.ts';
import type {
  EndOutcomeKind,
  EndProgress,
  EndReport,
  EndResult,
  EndTarget,
  GroupReport,
} from '../../services/ending/report.ts';
import type { BatchVerdict } from '../../services/finishedBatches.ts';
import { accountHost, sessionName, shortId } from '../words/names.ts';
import {
  deletionSentence,
  namesInBrief,
  oneOfSeveralSentence,
  outcomeSentence,
  progressSentence,
} from '../words/outcomes.ts';
import { accountRemovedSentence, stuckSentence, troubleSentence } from '../words/troubles.ts';
import { type CommandContext, nameOf } from './context.ts';

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
    /** Why it did not end, or in which of several ways it did, in a sentence. */
    readonly detail?: string;
  }[];
}

/** What `deleteBatch` returns: what the vendor says it deleted, and what was seen of the sessions that ran. */
export interface PublicGroupDeletion extends PublicEndReport {
  readonly deleted: number;
  readonly failedDeletions: number;
  readonly errors: readonly { readonly sessionId: string; readonly error: string }[];
  /** Whether a list shows that the batch is gone; only of a batch that had finished. */
  readonly batch?: BatchVerdict['kind'];
}

/** Ends these sessions, shows how far it is where there are several, and tells once what came of it. */
export async function endNow(
  context: CommandContext,
  ends: readonly EndTarget[],
  retry: (failed: readonly EndTarget[]) => Promise<unknown>,
): Promise<PublicEndReport> {
  const { ender, prompts } = context;
  if (ends.length === 1) {
    const unwatched = { stop: new AbortController().signal, onProgress: () => {} };
    return concluded(context, await ender.end(ends, unwatched), retry);
  }
  const began = context.now();
  const report = await prompts.progress(l10n.t('Ending sessions'), (show, stop) => {
    const onProgress = (progress: EndProgress) =>
      show(
        progressSentence(progress, context.now() - began),
        (50 * (progress.sent + progress.settled)) / progress.total,
      );
    return ender.end(ends, { stop, onProgress });
  });
  return concluded(context, report, retry);
}

/** Milliseconds after which a request that ends many says that the provider is still working on it. */
const stillWorkingMs = 10_000;

/**
 * Shows a notification while a provider works on one request for many sessions, which may take it minutes.
 * @param stillWorking what it says once that has taken long.
 */
export function whileWorking<T>(
  { prompts, clock }: CommandContext,
  title: string,
  stillWorking: string,
  work: () => Promise<T>,
): Promise<T> {
  return prompts.busy(title, async (report) => {
    const timer = clock.after(stillWorkingMs, () => report(stillWorking));
    try {
      return await work();
    } finally {
      timer.dispose();
    }
  });
}

/** Tells what came of an end, at most once, and returns it for the caller. */
export function concluded(
  context: CommandContext,
  { results }: EndReport,
  retry: (failed: readonly EndTarget[]) => Promise<unknown>,
): PublicEndReport {
  const report = publicReport(context, results);
  const failed = results.filter(({ why }) => why !== undefined);
  const unconfirmed = failed.filter(({ why }) => why?.kind === 'unconfirmed').length;
  const sentence = outcomeSentence({ ...report, unconfirmed, failures: failureLines(context, failed) });
  if (sentence?.level === 'info') void context.prompts.tell('info', sentence.message, []);
  else if (sentence !== undefined) tellFailures(context, sentence.message, l10n.t('Retry Failed'), () => retry(failed));
  else if (report.ended + report.alreadyGone > 0) {
    context.prompts.note([l10n.t('Session ended.'), spoken(results[0]?.how) ?? ''].join(' ').trim());
  }
  return report;
}

/** The same of one request for many, which may have failed though there was nothing listed that it could show on. */
export function concludedAsked(
  context: CommandContext,
  accountId: AccountId,
  report: EndReport,
  error: ProviderError | undefined,
  retry: (failed: readonly EndTarget[]) => Promise<unknown>,
): PublicEndReport {
  if (report.results.length > 0) return concluded(context, report, retry);
  const host = accountHost(context.accounts.get(accountId));
  if (error !== undefined) tellFailures(context, troubleSentence(error, host), undefined, async () => {});
  else if (context.store.state(accountId)?.contents.combined === true) {
    void context.prompts.tell('warning', oneOfSeveralSentence(host), []);
  } else context.prompts.note(l10n.t('{0} took the request.', host));
  return publicReport(context, []);
}

/** Tells what became of a batch that was to be deleted, and offers to end by itself what was not. */
export function tellDeletion(
  context: CommandContext,
  accountId: AccountId,
  batch: string,
  { answer, results }: GroupReport,
  endOneByOne: (left: readonly EndTarget[]) => Promise<unknown>,
): void {
  const host = accountHost(context.accounts.get(accountId));
  const left = results.filter(({ why }) => why !== undefined);
  const button = l10n.t('End One by One…');
  if (ProviderError.is(answer)) {
    const trouble = troubleSentence(answer, host);
    // An answer that was lost says nothing of what was done.
    const isLost = ProviderError.isOf(answer, 'timedOut', 'serverFault', 'unexpectedAnswer', 'unreachable');
    const sentence = isLost
      ? l10n.t('Whether {0} was deleted is not known: {1}', batch, trouble)
      : l10n.t('{0} was not deleted: {1}', batch, trouble);
    tellFailures(context, sentence, left.length === 0 ? undefined : button, () => endOneByOne(left));
    return;
  }
  // What the vendor explained by id is told by the name on the row, where there is one.
  const named = new Map(results.map(({ session }) => [session.id as string, sessionName(session)]));
  const failures = answer.failures.map(({ sessionId, reason }) => {
    const said = plainText(reason, 200);
    return sessionId === '' ? said : `${named.get(sessionId) ?? shortId(sessionId)}: ${said}`;
  });
  const unexplained = left.filter(({ session }) => !answer.failures.some(({ sessionId }) => sessionId === session.id));
  const { level, message } = deletionSentence(batch, {
    deleted: answer.deleted,
    failed: Math.max(answer.failed, left.length),
    failures: [...failures, ...failureLines(context, unexplained)],
  });
  if (level === 'info') void context.prompts.tell(level, message, []);
  else tellFailures(context, message, left.length === 0 ? undefined : button, () => endOneByOne(left));
}

/** Tells what became of a batch that had finished and was to be deleted. */
export function tellFinishedDeletion(
  context: CommandContext,
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
      : l10n.t('{0} was deleted: {1} no longer lists it.', name, provider);
    void context.prompts.tell('info', sentence, []);
  } else if (verdict.kind === 'gone' || !isTaken) {
    tellDeletion(context, accountId, name, report, async () => {});
  } else {
    const sentence =
      verdict.kind === 'listed'
        ? l10n.t('{0} took the request, but still lists {1}. Its data may not be deleted.', provider, name)
        : l10n.t("{0} took the request, but it couldn't be confirmed that {1} was deleted.", provider, name);
    const host = accountHost(context.accounts.get(accountId));
    const error = verdict.kind === 'unknown' ? verdict.error : undefined;
    const trouble = error === undefined ? [] : [troubleSentence(error, host)];
    tellFailures(context, [sentence, ...trouble].join(' '), undefined, async () => {});
  }
}

/** Tells what did not work, with a button for trying something else, and one for the log. */
function tellFailures(
  context: CommandContext,
  message: string,
  button: string | undefined,
  otherwise: () => Promise<unknown>,
): void {
  context.logger.warn(message);
  const log = l10n.t('Show Log');
  const buttons = button === undefined ? [log] : [button, log];
  void context.prompts.tell('warning', message, buttons).then(async (chosen) => {
    if (chosen === log) context.showLog();
    else if (chosen !== undefined && chosen === button) await otherwise();
  });
}

/** A line for each reason, with the names of those that it kept from ending. */
function failureLines(context: CommandContext, failed: readonly EndResult[]): string[] {
  const named = failed.map((result) => {
    const { accountId, session } = result;
    const name = sessionName(session);
    // An account that is there no longer has no name but an id.
    const isThere = context.accounts.get(accountId) !== undefined;
    return {
      reason: reasonOf(context, result) ?? '',
      name: isThere ? l10n.t('{0} ({1})', name, nameOf(context, accountId)) : name,
    };
  });
  return [...Map.groupBy(named, ({ reason }) => reason)].map(([reason, its]) =>
    l10n.t('{0}: {1}', namesInBrief(its.map(({ name }) => name)), reason),
  );
}

/** Why a session has not ended, or is not proven to have, in a sentence. */
function reasonOf({ accounts }: CommandContext, { accountId, why }: EndResult): string | undefined {
  if (why === undefined) return undefined;
  const account = accounts.get(accountId);
  return account === undefined ? accountRemovedSentence() : stuckSentence(why, accountHost(account));
}

/** The report of an end that the person did not confirm. */
export function cancelled(context: CommandContext, targets: readonly EndTarget[]): PublicEndReport {
  return publicReport(
    context,
    targets.map((target) => ({ ...target, outcome: 'cancelled', why: undefined, how: undefined, attempts: 0, ms: 0 })),
  );
}

/** A report as callers of commands get it. */
export function publicReport(context: CommandContext, results: readonly EndResult[]): PublicEndReport {
  const count = (outcome: EndOutcomeKind) => results.filter((result) => result.outcome === outcome).length;
  return {
    requested: results.length,
    ended: count('ended'),
    alreadyGone: count('alreadyGone'),
    failed: count('failed'),
    stuck: count('stuck'),
    cancelled: count('cancelled'),
    results: results.map((result) => {
      const { accountId, session, outcome, how } = result;
      const detail = reasonOf(context, result) ?? spoken(how);
      return { accountId, sessionId: session.id, outcome, ...(detail ? { detail } : {}) };
    }),
  };
}

/** A provider's own sentence, in the person's language where there is a translation. */
function spoken(sentence: string | undefined): string | undefined {
  return sentence === undefined ? undefined : plainText(l10n.t(sentence), 200);
}
