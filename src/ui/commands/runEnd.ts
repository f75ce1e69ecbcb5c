import * as l10n from '@vscode/l10n';
import type { Clock } from '../../core/clock.ts';
import { neverAborted } from '../../core/neverAborted.ts';
import type { Ender } from '../../services/ending/ender.ts';
import type { AccountSession, EndProgress } from '../../services/ending/report.ts';
import { progressSentence } from '../text/outcomes.ts';
import type { ConfirmedPlan } from './confirmEnd.ts';
import { asShown, concluded, type PublicEndReport, type ReportParts } from './endReports.ts';

/** What running an end and reporting on it needs. */
export interface RunParts extends ReportParts {
  readonly ender: Ender;
  readonly clock: Clock;
}

/**
 * Ends exactly what a confirmed plan lists, shows progress if there are several sessions, and shows the outcome once.
 * @param retry runs when the user chooses to retry.
 */
export async function runEnd(
  parts: RunParts,
  { ends, generations }: ConfirmedPlan,
  retry: (failed: readonly AccountSession[]) => Promise<unknown>,
): Promise<PublicEndReport> {
  const { ender, prompts, clock } = parts;
  if (ends.length === 1) {
    const unwatched = { stop: neverAborted, onProgress: () => {}, generations };
    return concluded(parts, asShown(await ender.end(ends, unwatched), ends), retry);
  }
  const began = clock.monotonic();
  const report = await prompts.progress(l10n.t('Ending sessions'), (show, stop) => {
    const onProgress = (progress: EndProgress) =>
      show(
        progressSentence(progress, clock.monotonic() - began),
        (50 * (progress.sent + progress.settled)) / progress.total,
      );
    return ender.end(ends, { stop, onProgress, generations });
  });
  return concluded(parts, asShown(report, ends), retry);
}

/** Milliseconds after which a request for several sessions says that the provider is still working on it. */
const stillWorkingMs = 10_000;

/**
 * Shows a notification while a provider works on one request for several sessions, which may take minutes.
 * @param stillWorking the notification's text once it takes long.
 */
export function whileWorking<T>(
  { prompts, clock }: Pick<RunParts, 'prompts' | 'clock'>,
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
