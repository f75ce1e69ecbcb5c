import type { EndingTerms, ListTerms, Liveness } from '../../core/provider.ts';

// Whether a session may be called ended is decided here and nowhere else. Ending, refreshing, the review after a
// restart and the live view's end card all pass their evidence to `observe` and ask `verdictOn`.

/** Something that was learned about one session. Times are milliseconds of the monotonic clock. */
export type Evidence =
  /**
   * Lists that were requested at the same time, of which some or all have the session: `by` of them have it and
   * `missing` don't. `crowd` is the number of sessions in the largest list that has it.
   */
  | { readonly kind: 'listedBy'; readonly by: number; readonly missing: number; readonly crowd: number }
  /**
   * A complete list that was requested at `began` and read by `ended` leaves it out; `worker` says whether that list
   * came from the session's own worker.
   */
  | {
      readonly kind: 'missingFrom';
      readonly began: number;
      readonly ended: number;
      readonly worker: 'its own' | 'another' | 'unknown';
    }
  /** The provider was asked after `askedAt` and answered by `answeredAt`. Questions that weren't sent are no evidence. */
  | { readonly kind: 'answer'; readonly liveness: Liveness; readonly askedAt: number; readonly answeredAt: number }
  /**
   * The end was accepted; `byItsWorker` if the worker that answered had the session and says it ended it, `whileListed` if the
   * latest list had it when the end was sent.
   */
  | { readonly kind: 'endAccepted'; readonly byItsWorker: boolean; readonly whileListed: boolean };

type ProviderAnswer = Extract<Evidence, { readonly kind: 'answer' }>;

/** All evidence about one session since it was last known to run. */
export interface Observations {
  /** Consecutive lists that had it, at most {@link wholeRound}. 0 after lists that disagree. */
  readonly hits: number;
  /** Whether the latest list leaves it out. */
  readonly missing: boolean;
  /** Consecutive lists that leave it out and that may come from its own worker. */
  readonly misses: number;
  /** When the first and the last of those were requested. */
  readonly firstMiss: number;
  readonly lastMiss: number;
  /** Whether its own worker left it out: a list with sessions that were last listed together with it. */
  readonly missedByItsWorker: boolean;
  /** What the provider last said about it. "Not found" counts as unknown, and as gone once that is confirmed. */
  readonly lastAnswer: Exclude<Liveness, 'notFound'> | undefined;
  /** By when the provider first said it knows no such session, and when the next complete list after that was read. */
  readonly notFoundAt: number | undefined;
  readonly listedAfterNotFound: number | undefined;
  /** Whether an end was accepted that was sent while the latest list had it. Otherwise, another worker may have accepted it. */
  readonly endAccepted: boolean;
  /** Whether an end was ever accepted, including before lists that have it. */
  readonly endOnceAccepted: boolean;
  /** Whether an end was accepted before its own worker's list left it out. */
  readonly endedWhileListed: boolean;
  readonly endedByItsWorker: boolean;
  /** How many sessions were in the last list that had it. */
  readonly crowd: number;
}

/** No evidence yet. */
export const noObservations: Observations = {
  hits: 0,
  missing: false,
  misses: 0,
  firstMiss: 0,
  lastMiss: 0,
  missedByItsWorker: false,
  lastAnswer: undefined,
  notFoundAt: undefined,
  listedAfterNotFound: undefined,
  endAccepted: false,
  endOnceAccepted: false,
  endedWhileListed: false,
  endedByItsWorker: false,
  crowd: 0,
};

/** The conclusion from the evidence. `unknown` is shown as such and never as ended. */
export type Verdict = 'confirmedGone' | 'stillRunning' | 'unknown';

/** How many lists are requested in one round when a list may come from one of several workers. */
export const wholeRound = 8;
/**
 * How many lists must leave a session out before it is confirmed gone at an address with several workers, unless its
 * own worker says so. A list from another worker leaves a running session out, too. With a balancer that picks at
 * random the probability that 40 lists all come from other workers is (1 - 1/workers)^40: 9e-13 with 2 workers, 1e-5
 * with 4 and 0.5 % with 8. Round robin reaches every worker within 8. Lists that show another worker's sessions don't
 * count.
 */
const missesWithSeveralWorkers = 40;
/**
 * The same right after a whole round that always had it, at an address where no second worker was seen. The probability
 * that all 8 lists came from its worker, and none of the following 8, is (1/workers)^8 * (1 - 1/workers)^8: 1.5e-5 with
 * 2 workers, 1.5e-6 with 4, 2e-8 with 8. It also applies after a worker that had the session said it ended it. Then
 * both must fail: that end, and all 8 lists, which is (1 - 1/workers)^8: 0.4 % with 2 workers, 10 % with 4 and 34 %
 * with 8.
 */
const missesWithOneWorker = wholeRound;
/**
 * How many milliseconds must lie between the first and the last of those lists if no end was accepted: a balancer skips
 * a worker for a while when it restarts or doesn't answer its health check, and the worker comes back with its
 * sessions.
 */
const goneByItselfMs = 20_000;
const goneFromSeveralMs = 120_000;
/**
 * A balancer that picks the worker with the fewest connections doesn't reach one that has more than the others, and each
 * session has at least one. If a worker without sessions is added, all lists come from that one for a while. So several
 * sessions that disappear together, and leave no neighbor that would show which worker answers, must be missing for longer.
 */
const goneTogetherMs = 120_000;
const manyGoneTogetherMs = 600_000;
/** Where several workers were seen, only a worker's own list counts for the sessions of one that has more than this many. */
const largestCrowd = wholeRound;

/**
 * Where lists may be out of date and the provider can't tell about a single session: how many lists must leave it out,
 * and how many milliseconds must lie between the first and the last, after an end was accepted and without one.
 */
const listsAlone = 3;
const endedApartMs = 5_000;
const goneByItselfApartMs = 60_000;

/** How far a provider's lists can be relied on. */
export type Reliance = Pick<EndingTerms, 'lists' | 'omitsEmpty'>;

/** Adds a piece of evidence. A list that has the session overrides everything that was learned before. */
export function observe(known: Observations, evidence: Evidence): Observations {
  switch (evidence.kind) {
    case 'listedBy': {
      const { by, missing, crowd } = evidence;
      const before = known.missing ? 0 : known.hits;
      const hits = missing > 0 ? 0 : Math.min(wholeRound, before + by);
      return { ...noObservations, hits, crowd, endOnceAccepted: known.endOnceAccepted };
    }
    case 'missingFrom': {
      const { began, ended, worker } = evidence;
      if (worker === 'another') return { ...known, missing: true };
      const { notFoundAt, listedAfterNotFound } = known;
      const isAfterNotFound = notFoundAt !== undefined && began >= notFoundAt;
      return {
        ...known,
        listedAfterNotFound: listedAfterNotFound ?? (isAfterNotFound ? ended : undefined),
        missing: true,
        misses: known.misses + 1,
        firstMiss: known.misses === 0 ? began : known.firstMiss,
        lastMiss: began,
        missedByItsWorker: known.missedByItsWorker || worker === 'its own',
      };
    }
    case 'answer': {
      const { liveness } = evidence;
      if (liveness === 'notFound') return observeNotFound(known, evidence);
      // Lists that left it out while it was running were out of date or no evidence at all: they no longer count.
      const restart = liveness === 'running' || (liveness === 'unknown' && known.lastAnswer === 'running');
      const misses = restart ? 0 : known.misses;
      return { ...known, lastAnswer: liveness, misses, notFoundAt: undefined, listedAfterNotFound: undefined };
    }
    case 'endAccepted':
      return {
        ...known,
        endAccepted: known.endAccepted || evidence.whileListed,
        endOnceAccepted: true,
        endedWhileListed: known.endedWhileListed || !known.missedByItsWorker,
        endedByItsWorker: known.endedByItsWorker || evidence.byItsWorker,
      };
  }
}

/**
 * Adds that the provider knows no such session. It may say so about every session during an outage, and lists may be
 * right before and after that. An outage that covers two such answers also covers what was requested between them. So a
 * complete list between them shows that at least one of them wasn't part of an outage.
 */
function observeNotFound(
  known: Observations,
  { askedAt, answeredAt }: Pick<ProviderAnswer, 'askedAt' | 'answeredAt'>,
): Observations {
  const { lastAnswer, listedAfterNotFound } = known;
  if (lastAnswer === 'gone' || (listedAfterNotFound !== undefined && askedAt >= listedAfterNotFound)) {
    return { ...known, lastAnswer: 'gone' };
  }
  const misses = lastAnswer === 'running' ? 0 : known.misses;
  return { ...known, lastAnswer: 'unknown', misses, notFoundAt: known.notFoundAt ?? answeredAt };
}

/**
 * @param terms how far this provider's lists can be relied on.
 * @param combined whether several workers were seen at its address.
 */
export function verdictOn(seen: Observations, { lists, omitsEmpty = false }: Reliance, combined: boolean): Verdict {
  if (seen.lastAnswer === 'running') return 'stillRunning';
  if (!seen.missing) return seen.crowd > 0 ? 'stillRunning' : 'unknown';
  switch (lists) {
    case 'complete':
      return isNeverListed(seen) && seen.lastAnswer === undefined ? 'unknown' : 'confirmedGone';
    case 'partial':
      return isGoneFromWorkers(seen, combined) && !(omitsEmpty && mayBeEmpty(seen, combined))
        ? 'confirmedGone'
        : 'unknown';
    case 'lagging':
      return isGoneForLong(seen) ? 'confirmedGone' : 'unknown';
    case 'unreliable':
      return seen.lastAnswer === 'gone' ? 'confirmedGone' : 'unknown';
  }
}

/** Whether the provider must be asked about the session itself before it can be confirmed gone. */
export function needsProbe(seen: Observations, lists: ListTerms): boolean {
  if (!seen.missing || seen.lastAnswer === 'gone') return false;
  if (lists === 'complete' && isNeverListed(seen) && seen.lastAnswer === undefined) return true;
  return lists === 'unreliable' || lists === 'lagging' || seen.lastAnswer === 'running';
}

/** Whether no list ever had it, for example because its id was entered. Its absence from the next one then says nothing. */
function isNeverListed(seen: Observations): boolean {
  return seen.crowd === 0;
}

/** Whether the provider said once that it knows no such session, so that a second such answer can confirm it gone. */
export function needsSecondAnswer(seen: Observations): boolean {
  return seen.missing && seen.lastAnswer !== 'gone' && seen.notFoundAt !== undefined;
}

function isGoneFromWorkers(seen: Observations, combined: boolean): boolean {
  if (seen.missedByItsWorker) return true;
  const { misses, firstMiss, lastMiss } = seen;
  if (seen.endedByItsWorker) return misses >= missesWithOneWorker;
  const apartMs = lastMiss - firstMiss;
  if (!combined && seen.hits >= wholeRound) {
    return misses >= missesWithOneWorker && (seen.endAccepted || apartMs >= goneWithMs(seen.crowd));
  }
  return seen.crowd <= largestCrowd && misses >= missesWithSeveralWorkers && apartMs >= goneFromSeveralMs;
}

/** How long sessions of a single worker that disappear together must be missing, in milliseconds. */
function goneWithMs(crowd: number): number {
  return crowd <= 1 ? goneByItselfMs : crowd <= largestCrowd ? goneTogetherMs : manyGoneTogetherMs;
}

/**
 * Whether it may only have closed its last page and not opened another one yet. After an accepted end, that's unlikely. But where
 * any worker accepts an end, one that was sent while its own worker's list left it out says nothing.
 */
function mayBeEmpty(seen: Observations, combined: boolean): boolean {
  const isLongGone = seen.misses >= listsAlone && seen.lastMiss - seen.firstMiss >= goneByItselfApartMs;
  const isEnded = combined ? seen.endedByItsWorker || seen.endedWhileListed : seen.endOnceAccepted;
  return !isEnded && !isLongGone;
}

function isGoneForLong(seen: Observations): boolean {
  if (seen.lastAnswer === 'gone') return true;
  // A provider that said "not found" can tell about single sessions, so its second answer is what counts.
  const cannotTell = seen.lastAnswer === 'unknown' && seen.notFoundAt === undefined;
  const apartMs = seen.endOnceAccepted ? endedApartMs : goneByItselfApartMs;
  return cannotTell && seen.misses >= listsAlone && seen.lastMiss - seen.firstMiss >= apartMs;
}
