import * as l10n from '@vscode/l10n';

/** For a session that is missing from the latest list and isn't confirmed gone. */
export function notListedSentence(host: string): string {
  return l10n.t(
    "It's missing from the latest list from {0}, but that isn't confirmation that it ended. It may still be running.",
    host,
  );
}

/** For a session that was ending when its account was removed, so that it can't be checked anymore. */
export function accountRemovedSentence(): string {
  return l10n.t('The account was removed while this session was ending. It may still be running.');
}
