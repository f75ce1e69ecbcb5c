import * as l10n from '@vscode/l10n';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { ProviderError } from '../../core/providerError.ts';
import { isSame, type Session } from '../../core/session.ts';
import type { EndTarget } from '../../services/ending/ender.ts';
import type { UnfinishedEnd } from '../../services/ending/journal.ts';
import { probe } from '../../services/ending/probe.ts';
import { isListed } from '../../services/sessionStore.ts';
import { type CommandContext, nameOf } from './context.ts';
import { endChosen } from './ending.ts';

/** How many sessions of an account are asked for one by one. */
const mostAsked = 16;

/** Tells of ends that a window did not live to finish, and offers to look at what of them still runs. Ends nothing. */
export async function reviewUnfinishedEnds(context: CommandContext): Promise<void> {
  await Promise.all((await context.journal.claimAbandoned()).map((end) => review(context, end)));
}

/**
 * It stays written down until each of its accounts has been listed: before, nobody knows what still runs. Where one list
 * is no proof, what it leaves out is asked for, and said to be unknown where nobody can tell.
 */
async function review(context: CommandContext, end: UnfinishedEnd): Promise<void> {
  const { journal, prompts, refresher, store } = context;
  const { total, left } = end;
  const accounts = [...new Set(left.map(({ accountId }) => accountId))].filter((id) => store.state(id) !== undefined);
  await Promise.all(accounts.map((id) => refresher.refresh(id)));
  const unlisted = accounts.filter((id) => !isListed(store.state(id)));
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
  const running = left.flatMap(({ accountId, sessionId, startedAt }): EndTarget[] => {
    const session = store.session(accountId, sessionId as SessionId);
    // Another session may have its id by now.
    if (session === undefined || !isSame({ ...session, startedAt }, session)) return [];
    return [{ accountId, session }];
  });
  const seen = new Set(running.map(({ accountId, session }) => `${accountId}/${session.id}`));
  const missing = left.filter(({ accountId, sessionId }) => !seen.has(`${accountId}/${sessionId}`));
  const asked = [...Map.groupBy(missing, ({ accountId }) => accountId)].map(([id, its]) => mayRun(context, id, its));
  const unknown = (await Promise.all(asked)).reduce((sum, count) => sum + count, 0);
  await journal.forget(end.id);
  if (running.length + unknown === 0) return;
  const look = l10n.t('Review');
  const sentences = [
    l10n.t('The window closed while sessions were ending: {0} of {1} still run.', running.length, total),
    ...(unknown === 0 ? [] : [l10n.t('Of {0} more nobody can tell: the list leaves them out.', unknown)]),
  ];
  void prompts.tell('warning', sentences.join(' '), running.length === 0 ? [] : [look]).then(async (chosen) => {
    if (chosen === look) await endChosen(context, running);
  });
}

/** How many of an account's sessions may run that its list leaves out. */
async function mayRun(
  { clock, connections, logger, store }: CommandContext,
  account: AccountId,
  missing: UnfinishedEnd['left'],
): Promise<number> {
  if (store.state(account) === undefined) return 0;
  try {
    const provider = await connections.open(account);
    if (provider.ending.proof === 'list') return 0;
    const stop = new AbortController().signal;
    const window = () => connections.rateWindow(account);
    const { gone } = await probe(provider, missing.map(unseen), { clock, logger, stop, most: mostAsked, window });
    return missing.length - gone.size;
  } catch (error) {
    logger.warn(`unfinished ends could not be asked about: ${ProviderError.from(error).message}`);
    return missing.length;
  }
}

/** All that is known of a session that was written down by its id alone. */
function unseen({ sessionId, startedAt }: UnfinishedEnd['left'][number]): Session {
  return {
    id: sessionId as SessionId,
    name: undefined,
    phase: 'unknown',
    status: undefined,
    startedAt,
    region: undefined,
    groupId: undefined,
    tags: [],
    metadata: new Map(),
    traits: [],
    pages: undefined,
    watchable: false,
    ends: 'session',
    heldBack: undefined,
    facts: [],
  };
}
