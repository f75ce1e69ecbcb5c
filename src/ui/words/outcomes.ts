import * as l10n from '@vscode/l10n';
import type { EndProgress } from '../../services/ending/report.ts';
import { decimal } from './locale.ts';

/** How a batch of ends came out, by number, and the lines that name what did not end. All text is plain. */
export interface EndOutcomes {
  readonly ended: number;
  readonly alreadyGone: number;
  readonly failed: number;
  readonly stuck: number;
  /** How many of those that are stuck may have ended: nothing could be asked. */
  readonly unconfirmed: number;
  readonly cancelled: number;
  /** One line for each reason: the names of the sessions that did not end, and what it is. */
  readonly failures: readonly string[];
}

/** Failures that a message names; the others are in the log and on their rows. */
const mostNamed = 3;

/** The one message after an end, or undefined where the rows have said it all. */
export function outcomeSentence(outcomes: EndOutcomes): { level: 'info' | 'warning'; message: string } | undefined {
  const { ended, alreadyGone, failed, stuck, unconfirmed, cancelled, failures } = outcomes;
  const total = ended + alreadyGone + failed + stuck + cancelled;
  const gone = ended + alreadyGone;
  if (failed + stuck > 0) {
    const count = [
      ...(gone > 0 ? [l10n.t('{0} ended', gone)] : []),
      ...(failed > 0 ? [l10n.t('{0} failed', failed)] : []),
      ...(stuck > unconfirmed ? [l10n.t('{0} still running', stuck - unconfirmed)] : []),
      ...(unconfirmed > 0 ? [l10n.t("{0} couldn't be confirmed", unconfirmed)] : []),
      ...(cancelled > 0 ? [l10n.t('{0} not sent', cancelled)] : []),
    ].join(', ');
    return { level: 'warning', message: l10n.t('{0}: {1}', count, named(failures)) };
  }
  if (cancelled > 0) {
    if (gone === 0) return undefined;
    return { level: 'info', message: l10n.t('Canceled. {0} ended, {1} not sent.', gone, cancelled) };
  }
  if (total === 1) return undefined;
  const message =
    alreadyGone === 0
      ? l10n.t('Ended {0} of {1} sessions.', ended, total)
      : l10n.t('Ended {0} of {1} sessions. {2} had already ended.', ended, total, alreadyGone);
  return { level: 'info', message };
}

/** The message after a batch was deleted. `sessions` may be fewer than the vendor deleted, who counts ended ones too. */
export function deletionSentence(
  batch: string,
  { deleted, failed, failures }: { deleted: number; failed: number; failures: readonly string[] },
): { level: 'info' | 'warning'; message: string } {
  if (failed === 0) return { level: 'info', message: l10n.t('{0}: {1} sessions deleted.', batch, deleted) };
  const reasons = failures.length === 0 ? l10n.t("the provider didn't give a reason") : failures.join('; ');
  return {
    level: 'warning',
    message: l10n.t('{0}: {1} sessions deleted, {2} failed: {3}', batch, deleted, failed, reasons),
  };
}

/** What to say after a request that only one of the servers behind an account's address has got. */
export function oneOfSeveralSentence(host: string): string {
  return l10n.t(
    'Several servers share {0}, and only one of them got the request. Sessions on the others are still running.',
    host,
  );
}

/** How far an end of many is: what is settled, and, once it can be told, how fast and how much longer. */
export function progressSentence({ settled, sent, total }: EndProgress, elapsedMs: number): string {
  const seconds = elapsedMs / 1_000;
  if (seconds < 2 || sent === 0 || sent === total) return l10n.t('{0} of {1}', settled, total);
  const rate = sent / seconds;
  const left = Math.ceil((total - sent) / rate);
  const pace =
    rate >= 1
      ? l10n.t('{0} per second', decimal(rate, rate < 10 ? 1 : 0))
      : l10n.t('{0} per minute', decimal(rate * 60, 0));
  const rest = left <= 90 ? l10n.t('{0} s left', left) : l10n.t('{0} min left', Math.ceil(left / 60));
  return l10n.t('{0} of {1}, {2}, {3}', settled, total, pace, rest);
}

/** The first few of some names, and how many more there are. */
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
