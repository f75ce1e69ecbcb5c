import { type Clock, deadline, sleep } from '../../core/clock.ts';
import type { SessionId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { Liveness, Provider } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { RateWindow } from '../../core/rateWindow.ts';
import type { Session } from '../../core/session.ts';
import { usedUp } from './request.ts';

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
  /** Sessions that are asked about one by one at most, after those that one call has told of. */
  readonly most: number;
  /** What the provider last said about its rate limit. */
  readonly window: () => RateWindow | undefined;
}

/** What probes have told. */
export interface ProbeReport {
  /** What the provider has told of each session of which it has told anything. */
  readonly told: ReadonlyMap<SessionId, Liveness>;
  /** Sessions that were asked for, also where nothing was told of them. */
  readonly asked: ReadonlySet<SessionId>;
  /** Why the provider was not asked about the rest, where it was not. */
  readonly error: ProviderError | undefined;
  /** What went wrong with the question about a session, where it did. */
  readonly failures: ReadonlyMap<SessionId, ProviderError>;
}

/** So many faults of the server's are no chance any longer: the next question would meet with one, too. */
const mostFaults = 3;

/** Asks the provider about each of some sessions, by one call for many where it has one. Never rejects. */
export async function probe(
  provider: Provider,
  sessions: readonly Session[],
  { clock, logger, stop, most, window }: ProbingOptions,
): Promise<ProbeReport> {
  let error: ProviderError | undefined;
  let faults = 0;
  const failures = new Map<SessionId, ProviderError>();
  /** What the provider tells, or undefined where it fails or takes too long: then nothing is proven. */
  async function timed<T>(about: readonly Session[], ask: (signal: AbortSignal) => Promise<T> | undefined) {
    const limit = deadline(clock, timeoutMs);
    try {
      return await ask(AbortSignal.any([limit.signal, stop]));
    } catch (caught) {
      const failure = limit.signal.aborted
        ? new ProviderError({ kind: 'timedOut', afterMs: timeoutMs }, 'the provider did not answer a probe in time')
        : ProviderError.from(caught);
      for (const { id } of about) failures.set(id, failure);
      logger.debug(`a probe failed: ${failure.message}`);
      if (failure.trouble.kind === 'serverFault') faults++;
      if (ProviderError.isOf(failure, ...troublesOfAll) || faults >= mostFaults) error ??= failure;
      return undefined;
    } finally {
      limit.dispose();
    }
  }
  const together =
    sessions.length < 2 ? undefined : await timed(sessions, (signal) => provider.probeMany?.(sessions, signal));
  const told = new Map(together);
  const asked = new Set(told.keys());
  const queue = sessions
    .filter(({ id }) => !told.has(id))
    .slice(0, most)
    .values();
  let inFlight = 0;
  /** Waits for a place among those that are asked for, and while the rate limit is used up. False for none to be had. */
  const enter = async () => {
    while (error === undefined && !stop.aborted) {
      const now = clock.monotonic();
      const { remaining = 0, resetAt = now } = window() ?? {};
      if (now >= resetAt || remaining > inFlight) {
        inFlight++;
        return true;
      }
      if (resetAt - now > timeoutMs) error = usedUp(clock.now() + resetAt - now);
      else await sleep(clock, resetAt - now, stop).catch(() => {});
    }
    return false;
  };
  const worker = async () => {
    for (const session of queue) {
      if (!(await enter())) return;
      asked.add(session.id);
      const liveness = await timed([session], (signal) => provider.probe(session, signal));
      inFlight--;
      if (liveness !== undefined) told.set(session.id, liveness);
    }
  };
  await Promise.all(Array.from({ length: Math.min(mostInFlight, most) }, worker));
  for (const id of told.keys()) failures.delete(id);
  return { told, asked, error, failures };
}
