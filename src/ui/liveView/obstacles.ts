import type { Refresher } from '../../services/sessions/refresher.ts';
import { troubleOf } from '../../services/sessions/sessionsView.ts';
import { type EffectParts, unknownEffect } from './effects.ts';
import type { KnownSession, KnownSessionParts } from './knownSession.ts';
import type { Subject } from './viewSource.ts';

/** What keeps a session from being seen before anybody is asked for a way. */
export type Obstacle =
  /** The session has ended, or may have, or its account is gone. */
  | { readonly kind: 'over' }
  /** The user does not know yet what watching does, which these are the words for. */
  | { readonly kind: 'effect'; readonly effect: string };

/** What obstacles are known from. */
export interface ObstacleParts extends KnownSessionParts, EffectParts {
  readonly refresher: Refresher;
}

/**
 * Looks for what keeps a session from being seen; undefined where nothing does.
 * @param learn takes over what was listed meanwhile.
 * @throws ProviderError where the account cannot be listed, nor asked for a way.
 */
export async function findObstacle(
  parts: ObstacleParts,
  { accountId }: Subject,
  known: KnownSession,
  learn: () => void,
): Promise<Obstacle | undefined> {
  const { accounts, store, refresher } = parts;
  if (accounts.get(accountId) === undefined) return { kind: 'over' };
  if (store.state(accountId)?.kind !== 'ready' || !(await mayOfferViews(parts, accountId))) {
    await refresher.refresh(accountId);
    const state = store.state(accountId);
    const trouble = state && troubleOf(state);
    // What could not be asked what it is has not said that it shows nothing.
    if (trouble !== undefined && !(await mayOfferViews(parts, accountId))) throw trouble;
  }
  learn();
  if (known.isGone && (await known.look()) !== 'stillRunning') return { kind: 'over' };
  const effect = await unknownEffect(parts, accountId);
  return effect === undefined ? undefined : { kind: 'effect', effect };
}

/** Whether the provider can show sessions, as far as it is known; some are to be asked first what they are. */
async function mayOfferViews({ connections }: ObstacleParts, account: Subject['accountId']): Promise<boolean> {
  try {
    const { liveView, devtools } = await connections.open(account);
    return liveView !== undefined || devtools !== undefined;
  } catch {
    // Told when it is connected to.
    return true;
  }
}
