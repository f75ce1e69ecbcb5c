import * as l10n from '@vscode/l10n';
import type { EndProgress } from '../../services/ending/report.ts';
import { decimal } from './numbers.ts';

/** The outcome of ending sessions: the counts, and lines that name the ones that didn't end. All text is plain. */
export interface EndOutcomes {
  readonly ended: number;
  readonly alreadyGone: number;
  readonly failed: number;
  readonly stuck: number;
  /** How many of the stuck ones may have ended, because that couldn't be checked. */
  readonly unconfirmed: number;
  readonly canceled: number;
  /** One line per reason: the names of the sessions that didn't end, and the reason. */
  readonly failures: readonly string[];
}

/** Most failures that a message names; the others are in the log and on their rows. */
const mostNamed = 3;

/** The message after an end; undefined if the rows already show the outcome. */
export function outcomeSentence(outcomes: EndOutcomes): { level: 'info' | 'warning'; message: string } | undefined {
  const { ended, alreadyGone, failed, stuck, unconfirmed, canceled, failures } = outcomes;
  const total = ended + alreadyGone + failed + stuck + canceled;
  const gone = ended + alreadyGone;
  if (failed + stuck > 0) {
    const counts = [
      ...(gone > 0 ? [endedCount(gone)] : []),
      ...(failed > 0 ? [failedCount(failed)] : []),
      ...(stuck > unconfirmed ? [runningCount(stuck - unconfirmed)] : []),
      ...(unconfirmed > 0 ? [unconfirmedCount(unconfirmed)] : []),
      ...(canceled > 0 ? [unsentCount(canceled)] : []),
    ];
    return { level: 'warning', message: [...counts, named(failures)].join(' ') };
  }
  if (canceled > 0) {
    if (gone === 0) return undefined;
    return { level: 'info', message: [l10n.t('Canceled.'), endedCount(gone), unsentCount(canceled)].join(' ') };
  }
  if (total === 1) return undefined;
  const message = [
    l10n.t('Ended {0} of {1} sessions.', ended, total),
    ...(alreadyGone === 0 ? [] : [alreadyGoneCount(alreadyGone)]),
  ].join(' ');
  return { level: 'info', message };
}

function endedCount(count: number): string {
  return count === 1 ? l10n.t('1 session ended.') : l10n.t('{0} sessions ended.', count);
}

function alreadyGoneCount(count: number): string {
  return count === 1 ? l10n.t('1 session had already ended.') : l10n.t('{0} sessions had already ended.', count);
}

function failedCount(count: number): string {
  return count === 1 ? l10n.t("Couldn't end 1 session.") : l10n.t("Couldn't end {0} sessions.", count);
}

/** `1 session is still running.` */
export function runningCount(count: number): string {
  return count === 1 ? l10n.t('1 session is still running.') : l10n.t('{0} sessions are still running.', count);
}

function unconfirmedCount(count: number): string {
  return count === 1
    ? l10n.t("Couldn't confirm that 1 session ended.")
    : l10n.t("Couldn't confirm that {0} sessions ended.", count);
}

function unsentCount(count: number): string {
  return count === 1 ? l10n.t("1 request wasn't sent.") : l10n.t("{0} requests weren't sent.", count);
}

/**
 * The message after a batch was deleted. `deleted` may be more than were running, because the provider also counts
 * ended sessions.
 */
export function deletionSentence(
  batch: string,
  { deleted, failed, failures }: { deleted: number; failed: number; failures: readonly string[] },
): { level: 'info' | 'warning'; message: string } {
  const done =
    deleted === 1 ? l10n.t('{0}: 1 session deleted.', batch) : l10n.t('{0}: {1} sessions deleted.', batch, deleted);
  if (failed === 0) return { level: 'info', message: done };
  const left = failed === 1 ? l10n.t("Couldn't delete 1 session.") : l10n.t("Couldn't delete {0} sessions.", failed);
  const reasons = failures.length === 0 ? l10n.t("The provider didn't give a reason.") : failures.join('; ');
  return { level: 'warning', message: [done, left, reasons].join(' ') };
}

/** The message after a request that only one of the servers behind an account's address received. */
export function oneOfSeveralSentence(host: string): string {
  return l10n.t(
    'Several servers share {0}, and only one of them got the request. Sessions on the others are still running.',
    host,
  );
}

/**
 * The progress of ending several sessions: how many ends were requested, which moves with each session, how many outcomes are
 * known, and, once it can be told, how fast and how much longer.
 */
export function progressSentence({ settled, sent, total }: EndProgress, elapsedMs: number): string {
  const counts =
    settled === 0
      ? l10n.t('{0} of {1} requested', sent, total)
      : l10n.t('{0} of {1} requested, {2} done', sent, total, settled);
  const seconds = elapsedMs / 1_000;
  if (seconds < 2 || sent === 0 || sent === total) return counts;
  const rate = sent / seconds;
  const left = Math.ceil((total - sent) / rate);
  const pace =
    rate >= 1
      ? l10n.t('{0} per second', decimal(rate, rate < 10 ? 1 : 0))
      : l10n.t('{0} per minute', decimal(rate * 60, 0));
  const rest = left <= 90 ? l10n.t('{0} s left', left) : l10n.t('{0} min left', Math.ceil(left / 60));
  return l10n.t('{0}, {1}, {2}', counts, pace, rest);
}

/** The first few names, and how many more there are. */
export function namesInBrief(names: readonly string[]): string {
  const rest = names.length - mostNamed;
  const shown = names.slice(0, mostNamed).join(', ');
  return rest > 0 ? l10n.t('{0} and {1} more', shown, rest) : shown;
}

function named(failures: readonly string[]): string {
  const rest = failures.length - mostNamed;
  const shown = failures.slice(0, mostNamed).join('; ');
  return rest > 0 ? l10n.t('{0}; and {1} more', shown, rest) : shown;
}
