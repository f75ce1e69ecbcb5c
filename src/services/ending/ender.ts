import { type Clock, sleep } from '../../core/clock.ts';
import type { GroupDeletion } from '../../core/group.ts';
import type { AccountId, GroupId, SessionId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { type Provider, usualEnding } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { isSame, type Session } from '../../core/session.ts';
import type { Accounts } from '../accounts.ts';
import type { Connections } from '../connections.ts';
import type { Refresher } from '../refresher.ts';
import type { Life, SessionStore, StuckReason } from '../sessionStore.ts';
import type { EndJournal } from './journal.ts';
import { Pace } from './pace.ts';
import type { Probed } from './probe.ts';
import {
  accountRemoved,
  answerOf,
  attemptsFor,
  errorOf,
  keyReplaced,
  mayRepeat,
  mostAttempts,
  neverAborted,
  type Sent,
  sentBy,
  stillRunning,
  unsupported,
  usedUp,
  wantsLess,
  wasGoneBefore,
  wasNotThere,
} from './request.ts';
import { type LookedAt, look, type Sought } from './verifier.ts';

/** A session to be ended, as the person saw it when they confirmed. */
export interface EndTarget {
  readonly accountId: AccountId;
  readonly session: Session;
}

/**
 * What became of one session. `ended` and `alreadyGone` are proven: it is absent from a complete list that began after
 * the request, or a probe found it gone. `stuck` was taken by the vendor and is not gone; `failed` was not taken;
 * `cancelled` was never sent.
 */
export type EndOutcomeKind = 'ended' | 'alreadyGone' | 'failed' | 'stuck' | 'cancelled';

/** One session's line in an {@link EndReport}. */
export interface EndResult {
  readonly accountId: AccountId;
  readonly session: Session;
  readonly outcome: EndOutcomeKind;
  /** Set for `failed` and `stuck`. */
  readonly why: StuckReason | undefined;
  /** In which of several ways it ended, in the provider's sentence. */
  readonly how: string | undefined;
  /** How often its end was sent; 0 where the request was for many. */
  readonly attempts: number;
  /** From the beginning until its outcome was known. */
  readonly ms: number;
}

/** One result for each session that was asked for, in no particular order. */
export interface EndReport {
  readonly results: readonly EndResult[];
}

/** What became of the sessions that one request was to end. */
export interface AskedReport extends EndReport {
  /** What went wrong with the request; it may have had its effect all the same. */
  readonly error: ProviderError | undefined;
}

/** What became of a group that was to be deleted, and of the sessions that ran in it. */
export interface GroupReport extends EndReport {
  /** What the vendor answered, or the error in its place. */
  readonly answer: GroupDeletion | ProviderError;
}

/** How far an end has come. */
export interface EndProgress {
  readonly total: number;
  /** Sessions whose end was sent, or is not going to be. */
  readonly sent: number;
  /** Sessions whose outcome is known. */
  readonly settled: number;
}

/** How an end is watched and stopped. */
export interface EndOptions {
  /** Aborting it keeps what is not sent yet from being sent; what is under way is waited for. */
  readonly stop: AbortSignal;
  readonly onProgress: (progress: EndProgress) => void;
}

/** What the ender works with. */
export interface EnderOptions {
  readonly store: SessionStore;
  readonly accounts: Accounts;
  readonly connections: Connections;
  readonly refresher: Refresher;
  readonly journal: EndJournal;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** When to look again whether sessions are gone, in milliseconds after the look before; the last one repeats. */
const looks = [0, 1_000, 2_000, 4_000, 8_000];
/** How many looks are worth it after a request whose fate is not known and that is not sent again. */
const looksAfterFault = 3;
/** Before an end is sent again that did not reach the vendor; twice as long each time. */
const firstPauseMs = 250;
/** How long the vendor may want no request before what is not sent is given up. */
const longestWaitMs = 60_000;

/** How old a list may be before an end is sent by it to where ids may be used again. */
const freshMs = 5_000;

/** One session on its way to an outcome. */
interface Course extends Sought {
  sent: Sent;
  attempts: number;
}

/** What all ends of an account that are under way share: together they keep to what one may have under way. */
interface Lane {
  readonly pace: Pace;
  readonly inFlight: Set<Promise<void>>;
  /** Which of them sends a session's end, and what comes of it: the others send none of their own meanwhile. */
  readonly ends: Map<SessionId, PromiseWithResolvers<Sent> & { readonly by: Run }>;
  /** How many of them are about a session: its row says what the last of them tells. */
  readonly about: Map<SessionId, number>;
  runs: number;
}

/** One account's part of an end, bound to the connection that it began with. */
interface Run extends LookedAt {
  readonly began: number;
  readonly courses: readonly Course[];
  readonly results: EndResult[];
  /** Undefined for one that sends a request for all of its sessions. */
  lane: Lane | undefined;
  /** What is not on the rows yet. */
  readonly lives: Map<SessionId, Life>;
  readonly onSettled: (session: SessionId) => void;
}

/** Ends sessions and proves it. Only what it is handed is ever ended, one by one. */
export class Ender {
  readonly #options: EnderOptions;
  readonly #lanes = new Map<AccountId, Lane>();

  constructor(options: EnderOptions) {
    this.#options = options;
  }

  /** Ends exactly these sessions. Accounts do not wait for each other. Never rejects. */
  async end(targets: readonly EndTarget[], { stop, onProgress }: EndOptions): Promise<EndReport> {
    const byAccount = new Map<AccountId, Map<SessionId, Session>>();
    for (const { accountId, session } of targets) {
      const sessions = byAccount.get(accountId) ?? new Map<SessionId, Session>();
      byAccount.set(accountId, sessions.set(session.id, session));
    }
    const total = [...byAccount.values()].reduce((sum, { size }) => sum + size, 0);
    const entry = await this.#options.journal.begin(targets);
    let [sent, settled] = [0, 0];
    const progress = {
      sent: () => onProgress({ total, sent: ++sent, settled }),
      settled: (account: AccountId, session: SessionId) => {
        entry.settle(account, session);
        onProgress({ total, sent, settled: ++settled });
      },
    };
    const results = await Promise.all(
      [...byAccount].map(([id, sessions]) => this.#endInAccount(id, [...sessions.values()], stop, progress)),
    );
    await entry.finish();
    return { results: results.flat() };
  }

  /** Uses the vendor's one call, once, and then looks what became of the sessions that were listed. Never rejects. */
  async endEverything(accountId: AccountId): Promise<AskedReport> {
    const { results, sent } = await this.#ask(accountId, this.#listed(accountId), async (provider) => {
      if (provider.endEverything === undefined) throw unsupported('ending everything at once');
      await provider.endEverything(neverAborted);
    });
    return { results, error: errorOf(sent) };
  }

  /** Has the vendor delete a group, once, and then looks what became of its sessions. Never rejects. */
  async deleteGroup(accountId: AccountId, group: GroupId): Promise<GroupReport> {
    let answer: GroupDeletion | undefined;
    let refused: ReadonlyMap<string, string> = new Map();
    const { results, sent } = await this.#ask(
      accountId,
      this.#membersOf(accountId, group),
      async (provider) => {
        if (provider.deleteGroup === undefined) throw unsupported('deleting a batch');
        answer = await provider.deleteGroup(group, neverAborted);
        refused = new Map(answer.failures.map(({ sessionId, reason }) => [sessionId, reason]));
      },
      ({ id }) => refused.get(id),
    );
    return { answer: answer ?? errorOf(sent) ?? unsupported('deleting a batch'), results };
  }

  /** Has the vendor cancel a group, once, and then looks what became of its sessions. Never rejects. */
  async cancelGroup(accountId: AccountId, group: GroupId): Promise<AskedReport> {
    const { results, sent } = await this.#ask(accountId, this.#membersOf(accountId, group), async (provider) => {
      if (provider.cancelGroup === undefined) throw unsupported('cancelling a batch');
      await provider.cancelGroup(group, neverAborted);
    });
    return { results, error: errorOf(sent) };
  }

  /**
   * Sends one request for many sessions, once, and looks what became of each.
   * @param refusal what the vendor said of a session that it could not end, where it did.
   */
  async #ask(
    accountId: AccountId,
    sessions: readonly Session[],
    call: (provider: Provider) => Promise<void>,
    refusal: (session: Session) => string | undefined = () => undefined,
  ): Promise<{ readonly results: readonly EndResult[]; readonly sent: Sent }> {
    const entry = await this.#options.journal.begin(sessions.map((session) => ({ accountId, session })));
    const run = await this.#begin(accountId, sessions, (id) => entry.settle(accountId, id));
    const sent = await sentBy(run.connection, async (provider) => {
      await call(provider);
      return { kind: 'taken', alreadyGone: false, how: undefined, said: undefined };
    });
    for (const course of run.courses) {
      const said = refusal(course.session);
      course.sent = said === undefined ? sent : { kind: 'unclear', why: { kind: 'notDeleted', said } };
    }
    await this.#prove(run, undefined);
    await entry.finish();
    return { results: run.results, sent };
  }

  #membersOf(accountId: AccountId, group: GroupId): readonly Session[] {
    return this.#listed(accountId).filter(({ groupId }) => groupId === group);
  }

  #listed(accountId: AccountId): readonly Session[] {
    return [...(this.#options.store.state(accountId)?.contents.sessions.values() ?? [])];
  }

  async #endInAccount(
    accountId: AccountId,
    confirmed: readonly Session[],
    stop: AbortSignal,
    progress: { readonly sent: () => void; readonly settled: (account: AccountId, session: SessionId) => void },
  ): Promise<EndResult[]> {
    const { store } = this.#options;
    await this.#renew(accountId);
    // What has gone since, or what another session has taken the id of, is not there to be ended.
    const isThere = (session: Session) => isSame(session, store.session(accountId, session.id));
    const there = confirmed.filter(isThere);
    const missing = confirmed.filter((session) => !isThere(session));
    const run = await this.#begin(accountId, there, (id) => progress.settled(accountId, id));
    for (const session of missing) {
      const error = this.#whyMissing(accountId, session.id);
      const why: StuckReason | undefined = error && { kind: 'failed', error };
      progress.sent();
      this.#record(run, { session, sent: { kind: 'notSent' }, attempts: 0 }, why ? 'failed' : 'alreadyGone', why);
    }
    const lane = this.#enterLane(run);
    run.lane = lane;
    try {
      await this.#send(run, run.courses, lane, stop, progress.sent);
      const send = (courses: readonly Course[]) => this.#send(run, courses, lane, stop, () => {});
      await this.#prove(run, { stop, send });
    } finally {
      for (const [id, { by }] of lane.ends) if (by === run) lane.ends.delete(id);
      if (--lane.runs === 0) this.#lanes.delete(accountId);
    }
    return run.results;
  }

  /** Where one list tells all, and a server may give an id to another session, what is confirmed is looked at once more. */
  async #renew(accountId: AccountId): Promise<void> {
    const { store, connections, refresher, clock } = this.#options;
    const state = store.state(accountId);
    if (state?.kind !== 'ready' || clock.now() - state.asOf < freshMs) return;
    // What cannot be connected to is told of by each end.
    const provider = await connections.open(accountId).catch(() => undefined);
    if (provider?.ending.proof === 'list') await refresher.refresh(accountId);
  }

  /** Why a confirmed session is not there; undefined where it has ended, or another has its id. */
  #whyMissing(accountId: AccountId, id: SessionId): ProviderError | undefined {
    const { store } = this.#options;
    if (store.state(accountId) === undefined) return accountRemoved();
    return store.hasEnded(accountId, id) || store.session(accountId, id) !== undefined ? undefined : keyReplaced();
  }

  #enterLane({ accountId, terms, courses }: Run): Lane {
    const window = () => this.#options.connections.rateWindow(accountId);
    const lane = this.#lanes.get(accountId) ?? {
      pace: new Pace(this.#options.clock, terms.mostInFlight, window),
      inFlight: new Set(),
      ends: new Map(),
      about: new Map(),
      runs: 0,
    };
    lane.runs++;
    for (const { session } of courses) lane.about.set(session.id, (lane.about.get(session.id) ?? 0) + 1);
    this.#lanes.set(accountId, lane);
    return lane;
  }

  /** Marks the sessions as ending and holds on to the connection with which all of it is to be done and proven. */
  async #begin(accountId: AccountId, sessions: readonly Session[], onSettled: Run['onSettled']): Promise<Run> {
    const { accounts, store, connections, clock } = this.#options;
    const began = clock.now();
    store.setLife(accountId, sessions.map(idOf), { kind: 'ending', since: began });
    let provider: Provider | ProviderError;
    try {
      provider = await connections.open(accountId);
    } catch (error) {
      provider = ProviderError.from(error);
    }
    return {
      accountId,
      began,
      terms: provider instanceof Error ? usualEnding : provider.ending,
      courses: sessions.map((session) => ({ session, sent: { kind: 'notSent' }, attempts: 0, absent: false })),
      results: [],
      lane: undefined,
      lives: new Map(),
      onSettled,
      // Another key lists other sessions: what it does not list is proof of nothing.
      connection: async () => {
        if (accounts.get(accountId) === undefined) throw accountRemoved();
        if (provider instanceof Error) throw provider;
        if ((await connections.open(accountId)) !== provider) throw keyReplaced();
        return provider;
      },
    };
  }

  /**
   * Sends the ends, as many at once as the pace allows. What the vendor has certainly not acted on is sent again, up to
   * the most attempts; what it may have acted on is left for a look.
   */
  async #send(run: Run, courses: readonly Course[], lane: Lane, stop: AbortSignal, onSent: () => void): Promise<void> {
    const { clock, store } = this.#options;
    const { pace } = lane;
    const queue = [...courses];
    const inFlight = new Set<Promise<void>>();
    /** No more is sent of it here, whatever came of it. */
    const done = ({ session, sent }: Course) => {
      const own = lane.ends.get(session.id);
      if (own?.by === run) own.resolve(sent);
      onSent();
    };
    const giveUp = (error: ProviderError) => {
      for (const course of queue.splice(0)) {
        if (course.sent.kind === 'notSent') course.sent = { kind: 'refused', why: { kind: 'failed', error } };
        done(course);
      }
    };
    const one = async (course: Course) => {
      const { session } = course;
      if (!isSame(session, store.session(run.accountId, session.id))) {
        // Gone, or its account is: then there is no connection.
        course.sent = await sentBy(run.connection, async () => wasNotThere);
        done(course);
        return;
      }
      const began = clock.now();
      course.attempts++;
      if (lane.ends.get(session.id)?.by !== run) {
        lane.ends.set(session.id, { by: run, ...Promise.withResolvers<Sent>() });
      }
      course.sent = await sentBy(run.connection, (provider) => answerOf(provider.end(session, neverAborted)));
      const error = errorOf(course.sent);
      if (error === undefined) pace.clean(clock.now() - began);
      else if (wantsLess(error)) pace.refused(error);
      const repeat = error !== undefined && mayRepeat(error) && course.attempts < attemptsFor(error);
      if (repeat && !stop.aborted) {
        if (!wantsLess(error)) await pause(clock, firstPauseMs * 2 ** course.attempts, stop);
        queue.push(course);
      } else done(course);
    };
    /** Waits for another run that sends the same session's end; where that was refused, this one sends its own. */
    const joined = async (course: Course, another: Promise<Sent>) => {
      const sent = await unlessStopped(another, stop);
      if (sent === undefined) {
        done(course);
        return;
      }
      if (sent.kind === 'refused') {
        if (lane.ends.get(course.session.id)?.promise === another) lane.ends.delete(course.session.id);
        queue.push(course);
        return;
      }
      course.sent = sent;
      done(course);
    };
    while (!stop.aborted && (queue.length > 0 || inFlight.size > 0)) {
      const wait = queue.length === 0 ? 'busy' : pace.wait(lane.inFlight.size);
      const next = wait === 0 ? queue.shift() : undefined;
      if (wait !== 'busy' && wait > longestWaitMs) giveUp(pace.refusal ?? usedUp(clock.now() + wait));
      else if (next !== undefined) {
        const another = lane.ends.get(next.session.id);
        const isJoined = another !== undefined && another.by !== run;
        const sending: Promise<void> = (isJoined ? joined(next, another.promise) : one(next)).finally(() => {
          inFlight.delete(sending);
          lane.inFlight.delete(sending);
        });
        inFlight.add(sending);
        if (!isJoined) lane.inFlight.add(sending);
      } else if (wait === 'busy') await Promise.race(queue.length === 0 ? inFlight : lane.inFlight);
      else if (wait !== 0) await Promise.race([pause(clock, wait, stop), ...inFlight]);
    }
    await Promise.all(inFlight);
    // Stopped: what was not sent never will be, and what was refused stays refused.
    for (const course of queue) done(course);
  }

  /**
   * Looks until every session is proven gone or its time is up, and puts the outcome on each row. Where it may, it sends
   * ends again whose fate was not known, to sessions that a look has shown to run.
   */
  async #prove(
    run: Run,
    again: { readonly stop: AbortSignal; readonly send: (courses: readonly Course[]) => Promise<void> } | undefined,
  ): Promise<void> {
    const { clock } = this.#options;
    // Counted, and not read off the clock, which may jump.
    let waited = 0;
    let open = run.courses.filter((course) => {
      if (course.sent.kind === 'notSent') this.#settle(run, course, 'cancelled');
      else if (course.sent.kind === 'refused') this.#settle(run, course, 'failed', course.sent.why);
      else return true;
      return false;
    });
    this.#showLives(run);
    let blind: ProviderError | undefined;
    let failures: Probed['failures'] = new Map();
    for (let index = 0; open.length > 0; index++) {
      const wait = looks[Math.min(index, looks.length - 1)] ?? 0;
      if (index > 0 && waited + wait > run.terms.withinMs) break;
      waited += wait;
      await sleep(clock, wait, neverAborted);
      const shown = await look(this.#options, run, open);
      ({ blind, failures } = shown);
      if (shown.cutOff) break;
      const repeat: Course[] = [];
      open = open.filter((course) => {
        const { sent } = course;
        if (shown.gone.has(course)) {
          this.#settle(run, course, wasGoneBefore(sent) ? 'alreadyGone' : 'ended');
          return false;
        }
        if (sent.kind !== 'unclear' || blind !== undefined || course.absent) return true;
        const mayAgain = again !== undefined && !again.stop.aborted && 'error' in sent.why;
        if (mayAgain && course.attempts < mostAttempts) repeat.push(course);
        else if (index + 1 >= looksAfterFault) {
          this.#settle(run, course, 'failed', sent.why);
          return false;
        }
        return true;
      });
      this.#showLives(run);
      if (repeat.length > 0) {
        const before = attemptsOf(repeat);
        await again?.send(repeat);
        if (attemptsOf(repeat) > before) waited = 0;
      }
    }
    for (const course of open) {
      const { sent } = course;
      // What a complete list leaves out, and a probe could not tell of, nobody has said to run.
      const error = blind ?? (course.absent ? failures.get(course.session.id) : undefined);
      if (blind !== undefined || course.absent) this.#settle(run, course, 'stuck', { kind: 'unproven', error });
      else if (sent.kind === 'unclear' || sent.kind === 'refused') this.#settle(run, course, 'failed', sent.why);
      else this.#settle(run, course, 'stuck', stillRunning(sent));
    }
    this.#showLives(run);
  }

  /** Has {@link Ender.#showLives} put an outcome on the row, too. */
  #settle(run: Run, course: Course, outcome: EndOutcomeKind, why?: StuckReason): void {
    const { store, clock } = this.#options;
    const { session } = course;
    const about = run.lane?.about;
    const others = (about?.get(session.id) ?? 1) - 1;
    about?.set(session.id, others);
    // Another run is at it still, or another session has its id.
    const isItsOwn = others <= 0 && isSame(session, store.session(run.accountId, session.id));
    const life: Life =
      why === undefined || !isItsOwn ? { kind: 'running' } : { kind: 'stuck', since: clock.now(), why };
    if (others <= 0) run.lives.set(session.id, life);
    this.#record(run, course, outcome, why);
  }

  /** Puts what was settled on the rows, all of it at once: each change has the tree drawn. */
  #showLives({ accountId, lives }: Run): void {
    if (lives.size > 0) this.#options.store.setLives(accountId, lives);
    lives.clear();
  }

  #record(
    run: Run,
    { session, sent, attempts }: Pick<Course, 'session' | 'sent' | 'attempts'>,
    outcome: EndOutcomeKind,
    why: StuckReason | undefined,
  ): void {
    const { clock, accounts, logger } = this.#options;
    const { accountId } = run;
    const how = why === undefined && sent.kind === 'taken' ? sent.how : undefined;
    const ms = clock.now() - run.began;
    run.results.push({ accountId, session, outcome, why, how, attempts, ms });
    const reason = why !== undefined && 'error' in why ? why.error?.message : how;
    const line = `end ${accounts.get(accountId)?.label ?? accountId} ${session.id}: ${outcome}, ${attempts} sent, ${ms} ms`;
    logger.info(reason === undefined ? line : `${line}: ${reason}`);
    run.onSettled(session.id);
  }
}

const idOf = ({ id }: Session): SessionId => id;

const attemptsOf = (courses: readonly Course[]): number => courses.reduce((sum, { attempts }) => sum + attempts, 0);

/** What comes of something, or undefined as soon as somebody stops waiting for it. */
function unlessStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const leave = () => resolve(undefined);
    if (stop.aborted) leave();
    stop.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => stop.removeEventListener('abort', leave));
  });
}

/** Waits, or until somebody stops it. */
async function pause(clock: Clock, ms: number, stop: AbortSignal): Promise<void> {
  try {
    await sleep(clock, ms, stop);
  } catch (error) {
    if (!ProviderError.isOf(error, 'cancelled')) throw error;
  }
}
