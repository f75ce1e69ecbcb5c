import { type Clock, sleep } from '../../core/clock.ts';
import { isRandomId, type SessionId } from '../../core/ids.ts';
import { neverAborted } from '../../core/neverAborted.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { RateWindow } from '../../core/rateWindow.ts';
import { isSame, type Session } from '../../core/session.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import type { AccountEnd, EndCounts, PendingEnd } from './accountEnd.ts';
import type { EvidenceLog } from './evidence.ts';
import { Pace } from './pace.ts';
import {
  answerOf,
  attemptsFor,
  errorOf,
  isByItsWorker,
  mayPass,
  mayRepeat,
  type Sent,
  sentBy,
  startedLater,
  usedUp,
  wantsLess,
  wasGoneBefore,
  wasNotThere,
} from './request.ts';

/** Milliseconds before an end that didn't reach the provider is sent again; twice as long each time. */
const firstPauseMs = 250;
/** How long the provider may reject all requests before those that aren't sent yet are given up, in milliseconds. */
const longestWaitMs = 60_000;
/** How many times an end is sent to reach the worker that has the session; see `EvidenceLog.mayHaveOtherWorkers`. */
const mostAtOnce = 8;
/** How many times an end waits because the list that comes first is rate limited, … */
const mostDelays = 8;
/** … and because it failed in a way that may pass. */
export const mostFailedLists = 3;

/** The reason why it isn't known whether a session still has its ID; undefined if it's known. Never rejects. */
export type WhyUnsure = (session: Session) => Promise<ProviderError | undefined>;

/** What {@link AccountQueue} needs. */
export interface QueueParts {
  readonly store: SessionStore;
  readonly evidence: EvidenceLog;
  readonly clock: Clock;
}

/** All ends of one account that are in progress. Together they stay within what the provider allows at once. */
export class AccountQueue {
  readonly counts: EndCounts = new Map();
  readonly #parts: QueueParts;
  readonly #pace: Pace;
  #inFlight = 0;
  /** Resolves when one of the requests in flight finishes. */
  #next = Promise.withResolvers<void>();
  /** Who sends a session's end, and its result: other operations that end the same session wait for it. */
  readonly #senders = new Map<SessionId, PromiseWithResolvers<Sent> & { readonly by: AccountEnd }>();

  /** Resolves when no end is being sent to several workers at once. */
  #spreading: Promise<void> = Promise.resolve();

  /**
   * @param mostInFlight how many ends may be in flight, which may change with the connection.
   * @param window the provider's last reported rate limit.
   * @param first how many may be in flight at first; see {@link Pace}.
   */
  constructor(parts: QueueParts, mostInFlight: () => number, window: () => RateWindow | undefined, first?: number) {
    this.#parts = parts;
    this.#pace = new Pace(parts.clock, mostInFlight, window, first);
  }

  /** Lets other operations send their own ends for the same sessions. */
  leave(by: AccountEnd): void {
    for (const [id, sender] of this.#senders) if (sender.by === by) this.#senders.delete(id);
  }

  /**
   * Sends ends, as many at once as the pace allows. An end that the provider has certainly not acted on is sent again,
   * up to the most attempts. If it may have acted on it, a later check decides.
   * @param stop aborting it keeps what isn't sent yet from being sent.
   * @param onSent called once for each session, when no more is sent for it here.
   * @param whyUnsure checks, right before each request, whether the session still has its ID: why that isn't known, or undefined.
   */
  async send(
    end: AccountEnd,
    pending: readonly PendingEnd[],
    stop: AbortSignal,
    onSent: () => void,
    whyUnsure?: WhyUnsure,
  ): Promise<void> {
    const { clock } = this.#parts;
    const queue = [...pending];
    let inFlight = 0;
    let fault: { readonly error: unknown } | undefined;
    const done = ({ session, sent }: PendingEnd) => {
      const sender = this.#senders.get(session.id);
      if (sender?.by === end) sender.resolve(sent);
      onSent();
    };
    const giveUp = (error: ProviderError) => {
      for (const one of queue.splice(0)) {
        if (one.sent.kind === 'notSent') one.sent = { kind: 'refused', why: { kind: 'failed', error } };
        done(one);
      }
    };
    while (!stop.aborted && fault === undefined && (queue.length > 0 || inFlight > 0)) {
      const wait = queue.length === 0 ? 'busy' : this.#pace.wait(this.#inFlight);
      const next = wait === 0 ? queue.shift() : undefined;
      if (wait !== 'busy' && wait > longestWaitMs) giveUp(this.#pace.lastError ?? usedUp(clock.now() + wait));
      else if (next !== undefined) {
        const another = this.#senders.get(next.session.id);
        const isJoined = another !== undefined && another.by !== end;
        const work = isJoined ? this.#join(next, another.promise, stop) : this.#sendOne(end, next, stop, whyUnsure);
        const places = isJoined ? 0 : 1;
        inFlight++;
        this.#inFlight += places;
        void work
          .then((outcome) => {
            if (outcome === 'again') queue.push(next);
            else done(next);
          })
          .catch((error: unknown) => {
            fault ??= { error };
          })
          .finally(() => {
            inFlight--;
            this.#inFlight -= places;
            this.#next.resolve();
            this.#next = Promise.withResolvers();
          });
      } else if (wait === 'busy') await this.#next.promise;
      else if (wait !== 0) await Promise.race([pause(clock, wait, stop), this.#next.promise]);
    }
    while (inFlight > 0) await this.#next.promise;
    if (fault !== undefined) throw fault.error;
    // Stopped: what wasn't sent never will be, and what was refused stays refused.
    for (const one of queue) done(one);
  }

  /** Sends a session's end, and returns whether it should be sent again. */
  async #sendOne(
    end: AccountEnd,
    pending: PendingEnd,
    stop: AbortSignal,
    whyUnsure: WhyUnsure | undefined,
  ): Promise<'again' | 'done'> {
    const { clock, store, evidence } = this.#parts;
    const { session } = pending;
    const { accountId } = end;
    if (this.#senders.get(session.id)?.by !== end) {
      this.#senders.set(session.id, { by: end, ...Promise.withResolvers<Sent>() });
    }
    const unsure = whyUnsure && (await unlessStopped(whyUnsure(session), stop));
    if (stop.aborted) return 'done';
    if (unsure !== undefined) {
      const most = wantsLess(unsure) ? mostDelays : mayPass(unsure) ? mostFailedLists : 0;
      if (++pending.delays < most) {
        if (wantsLess(unsure)) this.#pace.refused(unsure);
        else await pause(clock, firstPauseMs * 2 ** pending.delays, stop);
        return 'again';
      }
      if (pending.sent.kind !== 'unclear') pending.sent = { kind: 'refused', why: { kind: 'failed', error: unsure } };
      return 'done';
    }
    const listed = store.session(accountId, session.id);
    if (pending.unlisted ? listed !== undefined && !isSame(session, listed) : !isSame(session, listed)) {
      if (listed !== undefined && isRandomId(session.id)) {
        pending.sent = { kind: 'refused', why: { kind: 'failed', error: startedLater() } };
        return 'done';
      }
      // It's gone, or another session has its id, or its account was removed: then there is no connection.
      pending.sent = await sentBy(end.connection, async () => wasNotThere);
      return 'done';
    }
    const ask = async (): Promise<Sent> => {
      const began = clock.monotonic();
      pending.attempts++;
      const sent = await sentBy(end.connection, (provider) => answerOf(provider.end(session, neverAborted)));
      const error = errorOf(sent);
      if (error === undefined) this.#pace.clean(clock.monotonic() - began);
      else if (wantsLess(error)) this.#pace.refused(error);
      return sent;
    };
    const before = pending.sent;
    const whileListed = !store.missing(accountId).has(session.id);
    pending.sent = await ask();
    const error = errorOf(pending.sent);
    // The first one may have ended it, and another session may have its ID at once.
    const mayBeReused = whyUnsure !== undefined && !isRandomId(session.id);
    const mayBeElsewhere = evidence.mayHaveOtherWorkers(accountId, session.id) && !mayBeReused;
    if (error === undefined && mayBeElsewhere && !isByItsWorker(pending.sent) && !stop.aborted) {
      pending.sent = await this.#atEveryWorker(ask, pending.sent);
    }
    // It isn't found now because the earlier request ended it.
    if (isByItsWorker(before) && wasGoneBefore(pending.sent)) pending.sent = before;
    if (error === undefined && !wasGoneBefore(pending.sent)) {
      evidence.addAcceptedEnd(accountId, session.id, isByItsWorker(pending.sent), whileListed);
    }
    const isRepeated = error !== undefined && mayRepeat(error, session) && pending.attempts < attemptsFor(error);
    if (!isRepeated || stop.aborted) return 'done';
    if (!wantsLess(error)) await pause(clock, firstPauseMs * 2 ** (pending.attempts - 1), stop);
    return 'again';
  }

  /**
   * Sends an end several times at once, so that a load balancer spreads it over its workers. Sent one after another,
   * ends of several sessions that take turns may each reach the same worker every time. Only one session's end is
   * spread at a time.
   * @returns the answer of the worker that had the session, if one of them says so, else one that may be.
   */
  async #atEveryWorker(ask: () => Promise<Sent>, first: Sent): Promise<Sent> {
    const before = this.#spreading;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#spreading = promise;
    await before;
    try {
      const answers = await Promise.all(Array.from({ length: mostAtOnce - 1 }, ask));
      return answers.find(isByItsWorker) ?? [first, ...answers].find((sent) => !wasGoneBefore(sent)) ?? first;
    } finally {
      resolve();
    }
  }

  /** Waits for another operation that ends the same session. If that one sent nothing or was refused, this one sends its own end. */
  async #join(pending: PendingEnd, another: Promise<Sent>, stop: AbortSignal): Promise<'again' | 'done'> {
    const sent = await unlessStopped(another, stop);
    if (sent === undefined) return 'done';
    if (sent.kind === 'refused' || sent.kind === 'notSent') {
      const { id } = pending.session;
      if (this.#senders.get(id)?.promise === another) this.#senders.delete(id);
      return 'again';
    }
    pending.sent = sent;
    return 'done';
  }
}

/** The result, or undefined as soon as it's stopped. */
function unlessStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const leave = () => resolve(undefined);
    if (stop.aborted) leave();
    stop.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => stop.removeEventListener('abort', leave));
  });
}

/** Waits until the time is up or it's stopped. */
async function pause(clock: Clock, ms: number, stop: AbortSignal): Promise<void> {
  try {
    await sleep(clock, ms, stop);
  } catch (error) {
    if (!ProviderError.isOf(error, 'canceled')) throw error;
  }
}
