import * as l10n from '@vscode/l10n';

/** Of a session that the latest list leaves out and that isn't confirmed gone. */
export function notListedSentence(host: string): string {
  return l10n.t(
    "It's missing from the latest list from {0}, but that isn't confirmation that it ended. It may still be running.",
    host,
  );
}

/** Of a session that was ending when its account was removed, so that nothing can be asked about it. */
export function accountRemovedSentence(): string {
  return l10n.t('The account was removed while this session was ending. It may still be running.');
}
