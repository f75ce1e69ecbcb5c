import * as l10n from '@vscode/l10n';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { unlistedSession } from '../../core/unlistedSession.ts';
import { type ThisMachineAccount, thisMachineAccount } from '../../services/accounts/thisMachineAccount.ts';
import type { EvidenceLog } from '../../services/ending/evidence.ts';
import type { EndJournal, UnfinishedEnd } from '../../services/ending/journal.ts';
import type { AccountSession } from '../../services/ending/report.ts';
import { review } from '../../services/ending/verifier.ts';
import { isListed } from '../../services/sessions/sessionsView.ts';
import { listOf } from '../text/numbers.ts';
import { runningCount } from '../text/outcomes.ts';
import { nameOfAccount } from './accountNames.ts';
import { type EndParts, endAgain } from './ending.ts';

/** What reviewing unfinished ends needs. */
export interface UnfinishedParts extends EndParts {
  readonly journal: EndJournal;
  readonly evidence: EvidenceLog;
  readonly ownMachine: Pick<ThisMachineAccount, 'show' | 'findNow' | 'leaveIfEmpty'>;
}

/**
 * Reports ends that a closed window left unfinished, and offers to review the sessions that are still running. Ends
 * nothing itself.
 */
export async function reviewUnfinishedEnds(parts: UnfinishedParts): Promise<void> {
  await Promise.all((await parts.journal.claimAbandoned()).map((end) => reviewEnd(parts, end)));
}

/**
 * The end stays in the journal until each of its accounts has been listed: before that, it isn't known what is still
 * running.
 */
async function reviewEnd(parts: UnfinishedParts, end: UnfinishedEnd): Promise<void> {
  const { journal, prompts, refresher, store } = parts;
  const { total, left } = end;
  // After a start, this account doesn't exist until the list is visible.
  if (left.some(isOnThisMachine)) parts.ownMachine.show();
  const accounts = [...new Set(left.map(({ accountId }) => accountId))].filter((id) => store.state(id) !== undefined);
  await Promise.all(accounts.map((id) => refresher.refresh(id)));
  const unlisted = accounts.filter((id) => !isListed(store.state(id)));
  if (unlisted.length > 0) {
    const again = l10n.t('Try Again');
    const names = listOf(unlisted.map((id) => nameOfAccount(parts, id)));
    const sentence = [windowClosed(total), notListed(names, left.length)].join(' ');
    void prompts.tell('warning', sentence, [again]).then(async (chosen) => {
      if (chosen === again) await reviewEnd(parts, end);
    });
    return;
  }
  const reviewed = await Promise.all(
    [...Map.groupBy(left, ({ accountId }) => accountId)].map(([id, its]) => reviewAccount(parts, id, its)),
  );
  const running = reviewed.flatMap((one) => one.running);
  const unknown = reviewed.reduce((sum, one) => sum + one.unknown, 0);
  await journal.forget(end.id);
  const hidden = store.state(thisMachineAccount.id) !== undefined ? [] : left.filter(isOnThisMachine);
  if (running.length + unknown + hidden.length === 0) return;
  const look = l10n.t('Review');
  const sentences = [
    windowClosed(total),
    ...(running.length === 0 ? [] : [runningCount(running.length)]),
    ...missingSentences(unknown, running.length > 0),
    ...hiddenSentences(hidden.length),
  ];
  void prompts.tell('warning', sentences.join(' '), running.length === 0 ? [] : [look]).then(async (chosen) => {
    if (chosen === look) await endAgain(parts, running);
  });
}

function windowClosed(total: number): string {
  return total === 1
    ? l10n.t('The window closed while 1 session was ending.')
    : l10n.t('The window closed while {0} sessions were ending.', total);
}

function notListed(names: string, count: number): string {
  return count === 1
    ? l10n.t("Couldn't list the sessions in {0}, so 1 session may still be running.", names)
    : l10n.t("Couldn't list the sessions in {0}, so {1} sessions may still be running.", names, count);
}

function isOnThisMachine({ accountId }: UnfinishedEnd['left'][number]): boolean {
  return accountId === thisMachineAccount.id;
}

/** Browsers on this machine aren't listed if the user turned that off since. */
function hiddenSentences(count: number): readonly string[] {
  if (count === 0) return [];
  return [
    notListed(thisMachineAccount.label, count),
    l10n.t('Browsers on this machine are hidden. To show them, turn on browserSessions.thisMachine.enabled.'),
  ];
}

/** @param isMore whether other sessions were mentioned before. */
function missingSentences(count: number, isMore: boolean): readonly string[] {
  if (count === 0) return [];
  if (!isMore) {
    return [
      count === 1
        ? l10n.t('1 session is missing from the latest list. It may still be running.')
        : l10n.t('{0} sessions are missing from the latest list. They may still be running.', count),
    ];
  }
  return [
    count === 1
      ? l10n.t('1 more session is missing from the latest list. It may still be running.')
      : l10n.t('{0} more sessions are missing from the latest list. They may still be running.', count),
  ];
}

/** Which of an account's sessions are still running, and how many may be. */
async function reviewAccount(
  parts: UnfinishedParts,
  account: AccountId,
  left: UnfinishedEnd['left'],
): Promise<{ readonly running: readonly AccountSession[]; readonly unknown: number }> {
  const { accounts, connections, store } = parts;
  if (store.state(account) === undefined) return { running: [], unknown: 0 };
  // With another key, sessions would seem to be gone that only the earlier key finds.
  const keyAt = await accounts.keyAt(account);
  const findable = left.filter((row) => row.keyAt === keyAt);
  const written = findable.map(({ sessionId, startedAt, browserId }) =>
    unlistedSession(sessionId as SessionId, startedAt, browserId),
  );
  const { verdicts } = await review(parts, account, () => connections.open(account), written);
  const running: AccountSession[] = [];
  let unknown = left.length - findable.length;
  for (const session of written) {
    const listed = store.session(account, session.id);
    const verdict = verdicts.get(session.id) ?? 'unknown';
    if (verdict === 'stillRunning' && listed !== undefined) running.push({ accountId: account, session: listed });
    else if (verdict !== 'confirmedGone') unknown++;
  }
  return { running, unknown };
}
