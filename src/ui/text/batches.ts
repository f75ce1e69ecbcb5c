import * as l10n from '@vscode/l10n';

/** `2 of 10 failed`, or how many sessions there were if none failed. */
export function finishedCount({ total, failed }: { readonly total: number; readonly failed: number }): string {
  if (failed > 0) return l10n.t('{0} of {1} failed', failed, total);
  return total === 1 ? l10n.t('1 session') : l10n.t('{0} sessions', total);
}
