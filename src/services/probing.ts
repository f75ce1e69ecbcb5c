import { type Clock, deadline } from '../core/clock.ts';
import type { SessionId } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { Liveness, Provider } from '../core/provider.ts';
import { ProviderError } from '../core/providerError.ts';
import type { Session } from '../core/session.ts';

const timeoutMs = 10_000;
const mostInFlight = 8;
/** Troubles that the next probe of the same account would have, too. */
const troublesOfAll = ['unreachable', 'rateLimited', 'timedOut'] as const;

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
  /** Sessions that the vendor says run. */
  readonly running: ReadonlySet<SessionId>;
  /** Sessions that were asked for, also where nothing was told of them. */
  readonly asked: ReadonlySet<SessionId>;
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
      failure = limit.signal.aborted
        ? new ProviderError({ kind: 'timedOut', afterMs: timeoutMs }, 'the vendor did not answer a probe in time')
        : ProviderError.from(caught);
      logger.debug(`a probe failed: ${failure.message}`);
      if (ProviderError.isOf(failure, ...troublesOfAll)) error ??= failure;
      return undefined;
    } finally {
      limit.dispose();
    }
  }
  const together = sessions.length < 2 ? undefined : await timed((signal) => provider.probeMany?.(sessions, signal));
  const told = new Map(together);
  const asked = new Set(told.keys());
  const queue = sessions
    .filter(({ id }) => !told.has(id))
    .slice(0, most)
    .values();
  const worker = async () => {
    for (const session of queue) {
      if (error !== undefined || stop.aborted) return;
      asked.add(session.id);
      const liveness = await timed((signal) => provider.probe(session, signal));
      if (liveness !== undefined) told.set(session.id, liveness);
    }
  };
  await Promise.all(Array.from({ length: Math.min(mostInFlight, most) }, worker));
  const those = (liveness: Liveness) => new Set(sessions.map(({ id }) => id).filter((id) => told.get(id) === liveness));
  return { gone: those('gone'), running: those('running'), asked, error, failure };
}
