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
/** Errors that the next probe of the same account would get as well. */
const troublesOfAll = ['unreachable', 'rateLimited', 'timedOut'] as const;

/** What {@link probe} needs. */
export interface ProbingOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborting it stops further questions. */
  readonly stop: AbortSignal;
  /** Most sessions that are asked about one by one, after those that the request for many has answered. */
  readonly most: number;
  /** The provider's last reported rate limit. */
  readonly window: () => RateWindow | undefined;
}

/** The result of {@link probe}. */
export interface ProbeReport {
  /** What the provider said, for each session it said anything about. */
  readonly answers: ReadonlyMap<SessionId, Liveness>;
  /** Sessions that the provider was asked about, with or without an answer. */
  readonly askedAbout: ReadonlySet<SessionId>;
  /** The reason the provider wasn't asked about the rest, if it wasn't. */
  readonly error: ProviderError | undefined;
  /** What went wrong with the question about a session. */
  readonly failures: ReadonlyMap<SessionId, ProviderError>;
}

/** After this many server errors it isn't chance: the next question would get one, too. */
const mostFaults = 3;

/** Asks the provider about each of these sessions, with one request for many if it has one. Never rejects. */
export async function probe(
  provider: Provider,
  sessions: readonly Session[],
  { clock, logger, stop, most, window }: ProbingOptions,
): Promise<ProbeReport> {
  let error: ProviderError | undefined;
  let faults = 0;
  const failures = new Map<SessionId, ProviderError>();
  /** What the provider says, or undefined if it fails or takes too long: that confirms nothing. */
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
  const answers = new Map(together);
  const askedAbout = new Set(answers.keys());
  const queue = sessions
    .filter(({ id }) => !answers.has(id))
    .slice(0, most)
    .values();
  let inFlight = 0;
  /** Waits for the rate limit, then counts another question as in flight. False if none may be sent. */
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
      askedAbout.add(session.id);
      const liveness = await timed([session], (signal) => provider.probe(session, signal));
      inFlight--;
      if (liveness !== undefined) answers.set(session.id, liveness);
    }
  };
  await Promise.all(Array.from({ length: Math.min(mostInFlight, most) }, worker));
  for (const id of answers.keys()) failures.delete(id);
  return { answers, askedAbout, error, failures };
}
