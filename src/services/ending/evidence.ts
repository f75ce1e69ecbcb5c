import type { AccountId, SessionId } from '../../core/ids.ts';
import type { ListTerms, Liveness } from '../../core/provider.ts';
import { isSame, type Session } from '../../core/session.ts';
import {
  type Evidence,
  needsProbe,
  needsSecondAnswer,
  noObservations,
  type Observations,
  observe,
  type Reliance,
  type Verdict,
  verdictOn,
  wholeRound,
} from './verification.ts';

/** One complete answer to a request for an account's list. Times are milliseconds of the monotonic clock. */
export interface ListAnswer {
  readonly began: number;
  readonly ended: number;
  readonly sessions: ReadonlyMap<SessionId, Session>;
  /** Ids of sessions whose rows can't be read, or which another account shows. They count as listed, too. */
  readonly unreadable: ReadonlySet<string>;
  /** Whether every row says which session it is about. If not, any session may still be in the list. */
  readonly complete: boolean;
}

/** Lists that were requested at the same time. */
export interface Round {
  readonly answers: readonly ListAnswer[];
  /** Whether other requests failed, in this round or right after it: any worker may have failed to answer them. */
  readonly someFailed: boolean;
}

/** What is known about one session, and the last list that had it. */
interface Seen {
  readonly session: Session;
  observations: Observations;
  /** When the first list that had it was completely read: it was running by then. Undefined if no list had it. */
  listedSince: number | undefined;
  /** When the last list that had it was requested, and what else that list had. */
  lastListed: { readonly began: number; readonly sessions: ReadonlyMap<SessionId, Session> } | undefined;
  /** When the last list was read that left it out although it was known to run. */
  missedUntil: number | undefined;
}

interface AccountEvidence {
  readonly seen: Map<SessionId, Seen>;
  /** Sessions whose evidence is needed, whether or not they were ever listed, and by how many callers. */
  readonly wanted: Map<SessionId, number>;
  combined: boolean;
  terms: Reliance;
}

/** Collects evidence about each account's sessions and asks `verification.ts` for a verdict. */
export class EvidenceLog {
  readonly #accounts = new Map<AccountId, AccountEvidence>();

  /** Call it when an account's key or address changed, or when it was removed. */
  reset(account: AccountId): void {
    this.#accounts.delete(account);
  }

  /** Whether lists from several workers were seen at this account's address. */
  isCombined(account: AccountId): boolean {
    return this.#accounts.get(account)?.combined === true;
  }

  /**
   * Adds lists.
   * @param terms how far this provider's lists can be relied on.
   * @param shown all sessions that are thought to be running, including those from a list that broke off.
   */
  addLists(account: AccountId, terms: Reliance, round: Round, shown: Iterable<Session>): void {
    const { answers } = round;
    const evidence = this.#of(account);
    evidence.terms = terms;
    for (const session of shown) {
      if (!evidence.seen.has(session.id)) evidence.seen.set(session.id, neverListed(session));
    }
    // Each answer is compared with what was known before all of them: they may have been read in any order.
    const known = [...evidence.seen.values()];
    for (const one of known) this.#compare(evidence, one, round);
    for (const answer of answers) {
      for (const session of answer.sessions.values()) {
        const one = evidence.seen.get(session.id);
        if (one === undefined || !isSame(one.session, session)) {
          evidence.seen.set(session.id, firstSeen(session, answers));
        }
      }
    }
  }

  /**
   * Adds what the provider said about sessions when it was asked about each one.
   * @param askedAt when the first question was sent, and `answeredAt` when the last answer arrived, in monotonic
   * milliseconds.
   */
  addAnswers(account: AccountId, answers: ReadonlyMap<SessionId, Liveness>, askedAt: number, answeredAt: number): void {
    for (const [id, liveness] of answers) this.#add(account, id, { kind: 'answer', liveness, askedAt, answeredAt });
  }

  /**
   * Adds that an end was accepted.
   * @param byItsWorker whether the worker that accepted it had the session and says it ended it.
   * @param whileListed whether the latest list had it when the end was sent.
   */
  addAcceptedEnd(account: AccountId, session: SessionId, byItsWorker: boolean, whileListed: boolean): void {
    this.#add(account, session, { kind: 'endAccepted', byItsWorker, whileListed });
  }

  /** Collects evidence about these sessions, even if no list ever had them, until the returned function is called. */
  want(account: AccountId, sessions: readonly Session[]): () => void {
    const { seen, wanted } = this.#of(account);
    for (const session of sessions) {
      wanted.set(session.id, (wanted.get(session.id) ?? 0) + 1);
      if (!seen.has(session.id)) seen.set(session.id, neverListed(session));
    }
    return () => {
      for (const { id } of sessions) {
        const left = (wanted.get(id) ?? 1) - 1;
        if (left > 0) wanted.set(id, left);
        else wanted.delete(id);
      }
      // What lists said before counts on for those that may still be running; see keepOnly for when they are dropped.
      const isOver = (id: SessionId) => {
        const verdict = this.verdict(account, id);
        return verdict === 'confirmedGone' || (verdict === 'unknown' && seen.get(id)?.listedSince === undefined);
      };
      this.forget(account, sessions.map(({ id }) => id).filter(isOver));
    };
  }

  /** Drops all sessions except these and those that {@link want} still needs. */
  keepOnly(account: AccountId, shown: ReadonlyMap<SessionId, Session>): void {
    const { seen, wanted } = this.#of(account);
    for (const id of seen.keys()) if (!shown.has(id) && !wanted.has(id)) seen.delete(id);
  }

  /** Drops sessions that are confirmed gone, unless {@link want} still needs them. */
  forget(account: AccountId, sessions: readonly SessionId[]): void {
    const evidence = this.#of(account);
    for (const id of sessions) if (!evidence.wanted.has(id)) evidence.seen.delete(id);
  }

  /** Whether a session is gone; `unknown` if there is no evidence about it. */
  verdict(account: AccountId, session: SessionId): Verdict {
    const evidence = this.#accounts.get(account);
    const one = evidence?.seen.get(session);
    if (evidence === undefined || one === undefined) return 'unknown';
    const terms = { ...evidence.terms, lists: termsOf(evidence) };
    return verdictOn(one.observations, terms, evidence.combined);
  }

  /** Whether the provider must be asked about the session itself. */
  needsProbe(account: AccountId, session: SessionId): boolean {
    const evidence = this.#accounts.get(account);
    const one = evidence?.seen.get(session);
    return evidence !== undefined && one !== undefined && needsProbe(one.observations, termsOf(evidence));
  }

  /** Whether a second check right away can confirm what the provider said about a session. */
  needsSecondAnswer(account: AccountId, session: SessionId): boolean {
    const one = this.#accounts.get(account)?.seen.get(session);
    return one !== undefined && needsSecondAnswer(one.observations);
  }

  /** Whether a session may be on another worker than the one that answers, so that an end may have to be sent again. */
  mayHaveOtherWorkers(account: AccountId, session: SessionId): boolean {
    const evidence = this.#accounts.get(account);
    if (evidence === undefined || termsOf(evidence) !== 'partial') return false;
    return evidence.combined || (evidence.seen.get(session)?.observations.hits ?? 0) < wholeRound;
  }

  /** The sessions among these that are confirmed gone. */
  confirmedGone(account: AccountId, sessions: Iterable<SessionId>): Set<SessionId> {
    return new Set([...sessions].filter((id) => this.verdict(account, id) === 'confirmedGone'));
  }

  #of(account: AccountId): AccountEvidence {
    const known = this.#accounts.get(account);
    if (known !== undefined) return known;
    const made: AccountEvidence = {
      seen: new Map(),
      wanted: new Map(),
      combined: false,
      terms: { lists: 'unreliable' },
    };
    this.#accounts.set(account, made);
    return made;
  }

  #add(account: AccountId, id: SessionId, evidence: Evidence): void {
    const one = this.#accounts.get(account)?.seen.get(id);
    if (one !== undefined) one.observations = observe(one.observations, evidence);
  }

  #compare(evidence: AccountEvidence, one: Seen, { answers, someFailed }: Round): void {
    const { id } = one.session;
    const { lists } = evidence.terms;
    const having = answers.filter(({ sessions, unreadable }) => sessions.has(id) || unreadable.has(id));
    const missing = answers.filter((answer) => answer.complete && !having.includes(answer));
    if (having.length > 0) {
      if (one.missedUntil !== undefined && having.some(({ began }) => began >= (one.missedUntil ?? 0))) {
        // It was running, a list left it out, and a later one has it again. Lists that are merely late do that, too.
        if (lists === 'partial' || lists === 'complete') evidence.combined = true;
      }
      const largest = having.reduce((a, b) => (b.sessions.size > a.sessions.size ? b : a));
      const crowd = Math.max(1, largest.sessions.size);
      one.observations = observe(one.observations, {
        kind: 'listedBy',
        by: having.length,
        missing: missing.length,
        crowd,
      });
      one.lastListed = largest;
    }
    for (const answer of missing) {
      if (having.length === 0) {
        const { began, ended } = answer;
        const its = workerOf(evidence, one, answer);
        const worker = its === 'unknown' && someFailed ? 'another' : its;
        one.observations = observe(one.observations, { kind: 'missingFrom', began, ended, worker });
      }
      if (one.listedSince !== undefined && answer.began >= one.listedSince) {
        one.missedUntil = Math.max(one.missedUntil ?? 0, answer.ended);
      }
    }
    if (having.length > 0) one.listedSince ??= Math.min(...having.map(({ ended }) => ended));
  }
}

/** How far lists can be relied on, given what was seen: with several workers, no list has every session. */
function termsOf({ terms: { lists }, combined }: AccountEvidence): ListTerms {
  return lists === 'complete' && combined ? 'partial' : lists;
}

/**
 * Whether a list that leaves a session out came from the session's own worker. A worker puts all of its sessions in
 * each list. So sessions that were listed together share a worker, and a session that was listed before but not with
 * them has another.
 */
function workerOf(
  { seen }: AccountEvidence,
  { lastListed }: Seen,
  answer: ListAnswer,
): 'its own' | 'another' | 'unknown' {
  if (lastListed === undefined) return 'unknown';
  for (const id of answer.sessions.keys()) {
    if (lastListed.sessions.has(id)) return 'its own';
    const since = seen.get(id)?.listedSince;
    if (since !== undefined && since <= lastListed.began) return 'another';
  }
  return 'unknown';
}

function firstSeen(session: Session, answers: readonly ListAnswer[]): Seen {
  const having = answers.filter(({ sessions }) => sessions.has(session.id));
  const largest = having.reduce((a, b) => (b.sessions.size > a.sessions.size ? b : a));
  const evidence: Evidence = {
    kind: 'listedBy',
    by: having.length,
    missing: answers.length - having.length,
    crowd: largest.sessions.size,
  };
  return {
    session,
    observations: observe(noObservations, evidence),
    listedSince: Math.min(...having.map(({ ended }) => ended)),
    lastListed: largest,
    missedUntil: undefined,
  };
}

function neverListed(session: Session): Seen {
  return {
    session,
    observations: noObservations,
    listedSince: undefined,
    lastListed: undefined,
    missedUntil: undefined,
  };
}
