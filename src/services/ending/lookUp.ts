import { type Clock, deadline } from '../../core/clock.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { neverAborted } from '../../core/neverAborted.ts';
import type { Provider } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Session } from '../../core/session.ts';
import { unlistedSession } from '../../core/unlistedSession.ts';
import type { Connections } from '../accounts/connections.ts';
import { limitRequests } from '../accounts/requestPace.ts';
import type { Refresher } from '../sessions/refresher.ts';
import { probe } from './probe.ts';

/** What a provider says about a session that isn't listed. */
export type Finding =
  /** `running`: it's running. `unknown`: it can't say. `unchecked`: it has no way to look up a session. */
  | { readonly kind: 'running' | 'unknown' | 'unchecked' }
  /** It has the session and says that it ended. */
  | { readonly kind: 'ended' }
  /** It has no such running session: it ended, or the id is wrong, or belongs to another account. */
  | { readonly kind: 'notFound' }
  | { readonly kind: 'failed'; readonly error: ProviderError };

/** What looking up a session needs. */
export interface LookUpParts {
  readonly connections: Connections;
  readonly refresher: Refresher;
  readonly clock: Clock;
  readonly logger: Logger;
}

const endCauseTimeoutMs = 10_000;
/** The user is waiting for a dialog, which doesn't depend on the answers. */
const longestAskMs = 3_000;
const mostAskedAbout = 20;

/** Asks the provider about a session that isn't listed, before anything is sent to it. Ends nothing. Never rejects. */
export async function lookUp(
  parts: LookUpParts,
  account: AccountId,
  provider: Provider,
  session: Session,
): Promise<Finding> {
  const { connections, refresher, clock, logger } = parts;
  const { id } = session;
  try {
    limitRequests(parts, account, 'lookUp');
  } catch (error) {
    return { kind: 'failed', error: ProviderError.from(error) };
  }
  const window = () => connections.rateWindow(account);
  const options = { clock, logger, stop: neverAborted, most: 1, window };
  const { answers, failures, error: notAsked } = await probe(provider, [session], options);
  const liveness = answers.get(id);
  if (liveness === 'gone') return { kind: (await isKnownToHaveEnded(parts, provider, session)) ? 'ended' : 'notFound' };
  if (liveness !== undefined) return { kind: liveness };
  const error = failures.get(id) ?? notAsked ?? new ProviderError({ kind: 'canceled' }, 'a look-up was given up');
  if (ProviderError.isOf(error, 'unsupported')) return { kind: 'unchecked' };
  if (ProviderError.isOf(error, 'notFound')) return { kind: 'notFound' };
  // Some providers answer a wrong id and a wrong key alike. A key that can list sessions is good.
  const isKeyGood = ProviderError.isOf(error, 'unauthorized', 'forbidden')
    ? (await refresher.refreshOnRequest(account)).kind === 'listed'
    : false;
  return isKeyGood ? { kind: 'notFound' } : { kind: 'failed', error };
}

/** Whether the provider has the session and says it ended. "Gone" is also the answer for an id that never existed. */
async function isKnownToHaveEnded(
  { clock, logger }: LookUpParts,
  provider: Provider,
  { id }: Session,
): Promise<boolean> {
  const limit = deadline(clock, endCauseTimeoutMs);
  try {
    return (await provider.endCause?.(id, limit.signal)) !== undefined;
  } catch (error) {
    logger.debug(`how ${id} ended could not be asked: ${ProviderError.from(error).message}`);
    return false;
  } finally {
    limit.dispose();
  }
}

/**
 * Those of some unlisted sessions that their provider says are gone, as far as it answers within three seconds. Sessions that it
 * doesn't find aren't among them: during an outage, it may not find any. Never rejects.
 * @param areOfAnother whether they're known from another account. Then those that aren't found for this one are probably only
 * that account's, and are among the result.
 */
export async function findGone(
  { connections, clock, logger }: Omit<LookUpParts, 'refresher'>,
  account: AccountId,
  ids: readonly SessionId[],
  areOfAnother = false,
): Promise<readonly SessionId[]> {
  const count = Math.min(ids.length, mostAskedAbout);
  if (count === 0) return [];
  const limit = deadline(clock, longestAskMs);
  try {
    limitRequests({ connections, clock }, account, 'lookUp', count);
    const provider = await connections.open(account);
    const window = () => connections.rateWindow(account);
    const options = { clock, logger, stop: limit.signal, most: mostAskedAbout, window };
    const sessions = ids.map((id) => unlistedSession(id));
    const { answers, failures } = await probe(provider, sessions, options);
    const isAbsent = (id: SessionId) =>
      answers.get(id) === 'notFound' || ProviderError.isOf(failures.get(id), 'notFound');
    return ids.filter((id) => answers.get(id) === 'gone' || (areOfAnother && isAbsent(id)));
  } catch (error) {
    logger.debug(`the provider wasn't asked about unlisted sessions: ${ProviderError.from(error).message}`);
    return [];
  } finally {
    limit.dispose();
  }
}
