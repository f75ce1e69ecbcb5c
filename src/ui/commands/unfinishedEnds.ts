import * as l10n from '@vscode/l10n';
import type { AccountId, SessionId } from '../../core/ids.ts';
import type { EndTarget } from '../../services/ender.ts';
import type { UnfinishedEnd } from '../../services/endJournal.ts';
import { troubleOf } from '../../services/sessionStore.ts';
import { type CommandContext, nameOf } from './context.ts';
import { endChosen } from './ending.ts';

/** Tells of ends that a window did not live to finish, and offers to look at what of them still runs. Ends nothing. */
export async function reviewUnfinishedEnds(context: CommandContext): Promise<void> {
  await Promise.all((await context.journal.claimAbandoned()).map((end) => review(context, end)));
}

/** It stays written down until each of its accounts has been listed: before, nobody knows what still runs. */
async function review(context: CommandContext, end: UnfinishedEnd): Promise<void> {
  const { journal, prompts, refresher, store } = context;
  const { total, left } = end;
  const accounts = [...new Set(left.map(({ accountId }) => accountId))].filter((id) => store.state(id) !== undefined);
  await Promise.all(accounts.map((id) => refresher.refresh(id)));
  const unlisted = accounts.filter((id) => !isListed(context, id));
  if (unlisted.length > 0) {
    const again = l10n.t('Try Again');
    const sentence = l10n.t(
      'The window closed while {0} sessions were ending. Whether {1} of them still run cannot be told: {2} could not be listed.',
      total,
      left.length,
      unlisted.map((id) => nameOf(context, id)).join(', '),
    );
    void prompts.tell('warning', sentence, [again]).then(async (chosen) => {
      if (chosen === again) await review(context, end);
    });
    return;
  }
  await journal.forget(end.id);
  const running = left.flatMap(({ accountId, sessionId, startedAt }): EndTarget[] => {
    const session = store.session(accountId, sessionId as SessionId);
    if (session === undefined || (startedAt !== undefined && session.startedAt !== startedAt)) return [];
    return [{ accountId, session }];
  });
  if (running.length === 0) return;
  const look = l10n.t('Review');
  const sentence = l10n.t('The window closed while sessions were ending: {0} of {1} still run.', running.length, total);
  void prompts.tell('warning', sentence, [look]).then(async (chosen) => {
    if (chosen === look) await endChosen(context, running);
  });
}

function isListed({ store }: CommandContext, account: AccountId): boolean {
  const state = store.state(account);
  return state?.kind === 'ready' && troubleOf(state) === undefined;
}
