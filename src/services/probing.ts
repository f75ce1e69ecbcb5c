import { type Clock, deadline } from '../core/clock.ts';
import type { SessionId } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { Provider } from '../core/provider.ts';
import { ProviderError } from '../core/providerError.ts';
import type { Session } from '../core/session.ts';

const timeoutMs = 10_000;
const mostInFlight = 8;
/** Troubles that the next probe of the same account would have, too. */
const troublesOfAll = ['unreachable', 'rateLimited'] as const;

/** What probing works with. */
export interface ProbingOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborting it keeps what was not asked from being asked. */
  readonly stop: AbortSignal;
  /** Sessions that are asked for one by one at most, after those that one call has told of. */
  readonly most: number;
}

/** What probes have told. */
export interface Probed {
  /** Sessions that are proven gone. Any other may run: also those of which the vendor could not be asked. */
  readonly gone: ReadonlySet<SessionId>;
  /** Why the vendor was not asked about the rest, where it was not. */
  readonly error: ProviderError | undefined;
  /** What went wrong with a probe, the last where several did. */
  readonly failure: ProviderError | undefined;
}

/** Asks the vendor about each of some sessions, by one call for many where it has one. Never rejects. */
export async function probe(
  provider: Provider,
  sessions: readonly Session[],
  { clock, logger, stop, most }: ProbingOptions,
): Promise<Probed> {
  let error: ProviderError | undefined;
  let failure: ProviderError | undefined;
  /** What the vendor tells, or undefined where it fails or takes too long: then nothing is proven. */
  async function timed<T>(ask: (signal: AbortSignal) => Promise<T> | undefined): Promise<T | undefined> {
    const limit = deadline(clock, timeoutMs);
    try {
      return await ask(AbortSignal.any([limit.signal, stop]));
    } catch (caught) {
      failure = ProviderError.from(caught);
      logger.debug(`a probe failed: ${failure.message}`);
      if (ProviderError.isOf(failure, ...troublesOfAll)) error ??= failure;
      return undefined;
    } finally {
      limit.dispose();
    }
  }
  const together = sessions.length < 2 ? undefined : await timed((signal) => provider.probeMany?.(sessions, signal));
  const gone = new Set(sessions.filter(({ id }) => together?.get(id) === 'gone').map(({ id }) => id));
  const rest = sessions.filter(({ id }) => together?.has(id) !== true).slice(0, most);
  const queue = rest.values();
  const worker = async () => {
    for (const session of queue) {
      if (error !== undefined || stop.aborted) return;
      if ((await timed((signal) => provider.probe(session, signal))) === 'gone') gone.add(session.id);
    }
  };
  await Promise.all(Array.from({ length: Math.min(mostInFlight, rest.length) }, worker));
  return { gone, error, failure };
}
