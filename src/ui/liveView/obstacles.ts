import type { Refresher } from '../../services/sessions/refresher.ts';
import { troubleOf } from '../../services/sessions/sessionsView.ts';
import { type EffectParts, unknownEffect } from './effects.ts';
import type { KnownSession, KnownSessionParts } from './knownSession.ts';
import type { LiveViewTarget } from './viewSource.ts';

/** A reason not to show a session, found before looking for a way to show it. */
export type Obstacle =
  /** The session has ended, or may have, or its account was removed. */
  | { readonly kind: 'over' }
  /** The user hasn't yet accepted how watching affects the session; `effect` describes it. */
  | { readonly kind: 'effect'; readonly effect: string };

/** What {@link findObstacle} needs. */
export interface ObstacleParts extends KnownSessionParts, EffectParts {
  readonly refresher: Refresher;
}

/**
 * Checks whether something keeps a session from being shown; undefined if nothing does.
 * @param learn called after the account was listed, to read what is new.
 * @throws ProviderError if the account can't be listed and isn't known to offer live views.
 */
export async function findObstacle(
  parts: ObstacleParts,
  { accountId }: LiveViewTarget,
  known: KnownSession,
  learn: () => void,
): Promise<Obstacle | undefined> {
  const { accounts, store, refresher } = parts;
  if (accounts.get(accountId) === undefined) return { kind: 'over' };
  if (store.state(accountId)?.kind !== 'ready' || !(await mayOfferViews(parts, accountId))) {
    await refresher.refresh(accountId);
    const state = store.state(accountId);
    const trouble = state && troubleOf(state);
    // An account that couldn't be asked what it supports may still offer live views.
    if (trouble !== undefined && !(await mayOfferViews(parts, accountId))) throw trouble;
  }
  learn();
  if (known.isGone && (await known.look()) !== 'stillRunning') return { kind: 'over' };
  const effect = await unknownEffect(parts, accountId);
  return effect === undefined ? undefined : { kind: 'effect', effect };
}

/** Whether the provider offers live views, as far as is known: some must be asked first what they support. */
async function mayOfferViews({ connections }: ObstacleParts, account: LiveViewTarget['accountId']): Promise<boolean> {
  try {
    const { liveView, devtools } = await connections.open(account);
    return liveView !== undefined || devtools !== undefined;
  } catch {
    // Reported when the panel connects.
    return true;
  }
}
