import type { AccountId, SessionId } from '../../core/ids.ts';
import type { ListTerms, Liveness } from '../../core/provider.ts';
import { isSame, type Session } from '../../core/session.ts';
import {
  type Evidence,
  needsProbe,
  needsSecondLook,
  noObservations,
  type Observations,
  observe,
  type Verdict,
  verdictOn,
  wholeRound,
} from './verification.ts';

/** One answer to the request for an account's list, read whole. Times are milliseconds of the monotonic clock. */
export interface ListAnswer {
  readonly began: number;
  readonly ended: number;
  readonly sessions: ReadonlyMap<SessionId, Session>;
  /** Ids of sessions whose rows can't be read: they are listed, too. */
  readonly unreadable: ReadonlySet<string>;
  /** Whether every row says which session it is about. If not, the list leaves nothing out for certain. */
  readonly complete: boolean;
}

/** Lists that were asked for at the same time. */
export interface Round {
  readonly answers: readonly ListAnswer[];
  /** Whether others failed, then or right after: those may have been any worker's. */
  readonly someFailed: boolean;
}

/** What is known about one session, and the list that last had it. */
interface Seen {
  readonly session: Session;
  observations: Observations;
  /** When the first list that had it was whole: it ran by then. Undefined for one that no list has had. */
  listedSince: number | undefined;
  /** When the last list that had it began, and what else it had. */
  lastListed: { readonly began: number; readonly sessions: ReadonlyMap<SessionId, Session> } | undefined;
  /** When the last list was whole that left it out though it was known to run. */
  missedUntil: number | undefined;
}

interface AccountEvidence {
  readonly seen: Map<SessionId, Seen>;
  /** Sessions that somebody wants to know about, whether or not they were ever listed, and by how many. */
  readonly wanted: Map<SessionId, number>;
  combined: boolean;
  lists: ListTerms;
}

/** Collects the evidence about each account's sessions and asks `verification.ts` what it amounts to. */
export class EvidenceLog {
  readonly #accounts = new Map<AccountId, AccountEvidence>();

  /** Forgets an account whose key or address changed, or that was removed. */
  reset(account: AccountId): void {
    this.#accounts.delete(account);
  }

  /** Whether lists from several workers were seen at this account's address. */
  isCombined(account: AccountId): boolean {
    return this.#accounts.get(account)?.combined === true;
  }

  /**
   * Adds lists.
   * @param lists what this provider's lists are worth.
   * @param shown all sessions that are thought to run, also those that came with a list that broke off.
   */
  addLists(account: AccountId, lists: ListTerms, round: Round, shown: Iterable<Session>): void {
    const { answers } = round;
    const evidence = this.#of(account);
    evidence.lists = lists;
    for (const session of shown) {
      if (!evidence.seen.has(session.id)) evidence.seen.set(session.id, neverListed(session));
    }
    // Each answer is judged by what was known before all of them: they may have been read in any order.
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
   * Adds what the provider said about sessions when it was asked about each.
   * @param asked when the first question was sent, and `answered` when the last answer was there, in monotonic milliseconds.
   */
  addAnswers(account: AccountId, told: ReadonlyMap<SessionId, Liveness>, asked: number, answered: number): void {
    for (const [id, liveness] of told) this.#add(account, id, { kind: 'told', liveness, asked, answered });
  }

  /** Adds that an end was accepted, and whether by a worker that had the session and says it ended it. */
  addAcceptedEnd(account: AccountId, session: SessionId, byItsWorker: boolean): void {
    this.#add(account, session, { kind: 'endAccepted', byItsWorker });
  }

  /** Collects evidence about these sessions even if no list ever had them, until the result is called. */
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
      // Those that are still shown come back with the next list.
      const gone = sessions.filter(({ id }) => this.verdict(account, id) !== 'stillRunning');
      this.forget(
        account,
        gone.map(({ id }) => id),
      );
    };
  }

  /** Forgets all sessions but these and those that somebody wants to know about. */
  keepOnly(account: AccountId, shown: ReadonlyMap<SessionId, Session>): void {
    const { seen, wanted } = this.#of(account);
    for (const id of seen.keys()) if (!shown.has(id) && !wanted.has(id)) seen.delete(id);
  }

  /** Forgets sessions that are confirmed gone and that nobody wants to know about. */
  forget(account: AccountId, sessions: readonly SessionId[]): void {
    const evidence = this.#of(account);
    for (const id of sessions) if (!evidence.wanted.has(id)) evidence.seen.delete(id);
  }

  /** Whether a session is gone; `unknown` for one about which nothing is known. */
  verdict(account: AccountId, session: SessionId): Verdict {
    const evidence = this.#accounts.get(account);
    const one = evidence?.seen.get(session);
    if (evidence === undefined || one === undefined) return 'unknown';
    return verdictOn(one.observations, termsOf(evidence), evidence.combined);
  }

  /** Whether the provider has to be asked about a session itself. */
  needsProbe(account: AccountId, session: SessionId): boolean {
    const evidence = this.#accounts.get(account);
    const one = evidence?.seen.get(session);
    return evidence !== undefined && one !== undefined && needsProbe(one.observations, termsOf(evidence));
  }

  /** Whether a second look confirms at once what the provider said about a session. */
  needsSecondLook(account: AccountId, session: SessionId): boolean {
    const one = this.#accounts.get(account)?.seen.get(session);
    return one !== undefined && needsSecondLook(one.observations);
  }

  /** Whether a session may be on another worker than the one that answers: an end may have to be sent again. */
  mayHaveOtherWorkers(account: AccountId, session: SessionId): boolean {
    const evidence = this.#accounts.get(account);
    if (evidence === undefined || termsOf(evidence) !== 'partial') return false;
    return evidence.combined || (evidence.seen.get(session)?.observations.hits ?? 0) < wholeRound;
  }

  /** Of these sessions, those that are confirmed gone. */
  confirmedGone(account: AccountId, sessions: Iterable<SessionId>): Set<SessionId> {
    return new Set([...sessions].filter((id) => this.verdict(account, id) === 'confirmedGone'));
  }

  #of(account: AccountId): AccountEvidence {
    const known = this.#accounts.get(account);
    if (known !== undefined) return known;
    const made: AccountEvidence = { seen: new Map(), wanted: new Map(), combined: false, lists: 'unreliable' };
    this.#accounts.set(account, made);
    return made;
  }

  #add(account: AccountId, id: SessionId, evidence: Evidence): void {
    const one = this.#accounts.get(account)?.seen.get(id);
    if (one !== undefined) one.observations = observe(one.observations, evidence);
  }

  #compare(evidence: AccountEvidence, one: Seen, { answers, someFailed }: Round): void {
    const { id } = one.session;
    const having = answers.filter(({ sessions, unreadable }) => sessions.has(id) || unreadable.has(id));
    const missing = answers.filter((answer) => answer.complete && !having.includes(answer));
    if (having.length > 0) {
      if (one.missedUntil !== undefined && having.some(({ began }) => began >= (one.missedUntil ?? 0))) {
        // It ran, a list left it out, and a later one has it again. Lists that are only late do that as well.
        if (evidence.lists === 'partial' || evidence.lists === 'complete') evidence.combined = true;
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

/** What lists are worth, going by what was seen: with several workers, none has every session. */
function termsOf({ lists, combined }: AccountEvidence): ListTerms {
  return lists === 'complete' && combined ? 'partial' : lists;
}

/**
 * Whether a list that leaves a session out came from that session's own worker: a worker has all of its sessions in each
 * list, so sessions that were listed together share one, and a session that was listed before and wasn't among them has
 * another.
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
