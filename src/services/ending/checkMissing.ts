import type { Clock } from '../../core/clock.ts';
import type { AccountId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { Provider } from '../../core/provider.ts';
import { isSame, type Session } from '../../core/session.ts';
import type { Connections } from '../accounts/connections.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import type { EvidenceLog } from './evidence.ts';
import { type ProbeReport, probe } from './probe.ts';

/** What {@link checkMissing} needs. */
export interface MissingParts {
  readonly store: SessionStore;
  readonly evidence: EvidenceLog;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Asks the provider about sessions that a complete list just left out, and removes those that this confirms gone.
 * @param most how many are asked about one by one at most.
 */
export async function checkMissing(
  { store, evidence, connections, clock, logger }: MissingParts,
  account: AccountId,
  provider: Provider,
  sessions: readonly Session[],
  stop: AbortSignal,
  most: number,
): Promise<ProbeReport> {
  const askedAt = clock.monotonic();
  const report = await probe(provider, sessions, {
    clock,
    logger,
    stop,
    most,
    window: () => connections.rateWindow(account),
  });
  if (stop.aborted) return report;
  // If a newer list has it again by now, that outweighs what was said before.
  const stillMissing = [...report.answers].filter(([id]) => {
    return store.missing(account).has(id) || store.session(account, id) === undefined;
  });
  evidence.addAnswers(account, new Map(stillMissing), askedAt, clock.monotonic());
  const gone = evidence.confirmedGone(
    account,
    sessions.map(({ id }) => id),
  );
  const itsOwn = sessions.filter(
    (session) => gone.has(session.id) && isSame(session, store.session(account, session.id)),
  );
  store.removeGone(
    account,
    itsOwn.map(({ id }) => id),
  );
  evidence.forget(account, [...gone]);
  return report;
}
