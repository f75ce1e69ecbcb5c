import { type Clock, sleep } from '../../core/clock.ts';
import type { Disposable } from '../../core/event.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { Provider } from '../../core/provider.ts';
import { canceled, needsUser, retryAtOf } from '../../core/providerError.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Connections } from '../accounts/connections.ts';
import type { EvidenceLog } from '../ending/evidence.ts';
import type { ListResult } from './listing.ts';
import { type RefreshHistory, refreshPause, spread, unfocused } from './refreshPace.ts';
import type { SessionStore } from './sessionStore.ts';

/**
 * Whether the view is visible and the window focused. While the view is hidden, requests are sent only in the background,
 * and only from a focused window.
 */
export interface Attention {
  readonly visible: boolean;
  readonly focused: boolean;
}

/** How long an account that was never listed waits for its first list in the background: starting VS Code comes first. */
const firstInBackgroundMs = 15_000;
/** Most sessions missing from a list that are probed after it. The others are probed after the next ones. */
const mostProbes = 16;
/** How long to wait before probing a session again that a probe didn't confirm gone; doubles with each such probe, … */
const firstProbePauseMs = 5_000;
/** … up to this, which is also the wait after the provider couldn't be asked and didn't say for how long. */
const longestProbePauseMs = 60_000;
/**
 * Most refreshes of an account that commands and other extensions get within `requestedWithinMs`. Other extensions can run
 * commands too, and may do so in a loop.
 */
const mostRequested = 10;
const requestedWithinMs = 20_000;
/** How often a session was probed, and when it may be probed again, in monotonic milliseconds. */
interface Probed {
  readonly times: number;
  readonly notBefore: number;
}

const neverProbed: Probed = { times: 0, notBefore: 0 };

interface Poll extends RefreshHistory {
  readonly account: AccountId;
  readonly controller: AbortController;
  running: Promise<ListResult> | undefined;
  /** The last requested refreshes, in monotonic milliseconds, and who waits for the next. */
  requestedAt: readonly number[];
  nextRequested: Promise<ListResult> | undefined;
  queued: Promise<ListResult> | undefined;
  /** Whether the list that is queued is to be thorough. */
  thorough: boolean;
  /** Whether sessions missing from the list are being probed. */
  checking: boolean;
  probed: ReadonlyMap<SessionId, Probed>;
  /** Monotonic milliseconds before which none of them is probed. */
  noProbeBefore: number;
  timer: Disposable | undefined;
  /** When it was set up, in monotonic milliseconds. */
  readonly began: number;
  /** Monotonic milliseconds. */
  finishedAt: number | undefined;
  /** How many requests a list takes. */
  requests: number;
  /** How many requests were sent while the last list was under way. */
  sent: number | undefined;
  /** Refreshes in a row that changed nothing. */
  quiet: number;
  /** Refreshes in a row that failed. */
  failures: number;
  /** Epoch milliseconds before which the provider wants no request. */
  notBefore: number;
  /** After a rejected key: no automatic refresh until the key changes or the user asks for one. */
  stopped: boolean;
}

/** What a {@link Refresher} needs. */
export interface RefresherOptions {
  readonly store: SessionStore;
  /** Loaded with the first list: activation doesn't need it. */
  readonly evidence: () => Promise<EvidenceLog>;
  readonly accounts: Accounts;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds between refreshes while the view is visible; 0 for manual refreshes only. */
  readonly interval: () => number;
  /** Milliseconds between refreshes while the view is hidden and the window focused; 0 for none. */
  readonly background: () => number;
}

/**
 * Keeps the store up to date with the providers: one list per account at a time, often while the sessions are visible, and
 * seldom or never while they aren't.
 */
export class Refresher implements Disposable {
  readonly #options: RefresherOptions;
  readonly #polls = new Map<AccountId, Poll>();
  readonly #subscriptions: readonly Disposable[];
  /** How many live views of an account's sessions are visible. */
  readonly #watched = new Map<AccountId, number>();
  #attention: Attention = { visible: false, focused: true };

  constructor(options: RefresherOptions) {
    this.#options = options;
    const { accounts, connections, store } = options;
    this.#subscriptions = [
      accounts.onDidChange(({ kind }) => {
        if (kind === 'added' || kind === 'removed') this.#follow();
      }),
      connections.onDidClose((id) => this.#restart(id)),
      // The session on this machine that used it may have ended with it.
      store.onDidLeave(({ usedFrom }) => usedFrom !== undefined && void this.refresh(usedFrom)),
    ];
    this.#follow();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    for (const poll of this.#polls.values()) stop(poll);
    this.#polls.clear();
  }

  /** Sets whether the view is visible. When it becomes visible again, what has become old is refreshed. */
  setAttention(attention: Attention): void {
    this.#attention = attention;
    for (const poll of this.#polls.values()) {
      poll.quiet = 0;
      this.#schedule(poll);
    }
  }

  /**
   * Keeps an account up to date until the result is disposed, even while the view is hidden: one of its sessions is shown
   * live.
   */
  watch(account: AccountId): Disposable {
    const count = (by: number) => {
      this.#watched.set(account, (this.#watched.get(account) ?? 0) + by);
      this.#scheduleById(account);
    };
    count(1);
    let watching = true;
    return {
      dispose: () => {
        if (watching) count(-1);
        watching = false;
      },
    };
  }

  /** Schedules again after the interval changed. */
  reschedule(): void {
    for (const poll of this.#polls.values()) this.#schedule(poll);
  }

  /**
   * Lists an account with a list that begins after this call. Calls that come while a list is under way share the one that
   * follows it. Never rejects.
   * @param thorough whether to ask a whole round of lists where one may come from one of several workers.
   */
  refresh(account: AccountId, { thorough = false } = {}): Promise<ListResult> {
    const poll = this.#polls.get(account);
    if (poll === undefined) return Promise.resolve(givenUp());
    if (poll.running === undefined) return this.#run(poll, thorough);
    poll.thorough ||= thorough;
    poll.queued ??= poll.running.then(() => {
      poll.queued = undefined;
      return this.#run(poll, poll.thorough);
    });
    return poll.queued;
  }

  /** {@link refresh} for callers that may ask in a loop: ten times within 20 seconds. Never rejects. */
  refreshOnRequest(account: AccountId): Promise<ListResult> {
    const { clock } = this.#options;
    const poll = this.#polls.get(account);
    if (poll === undefined) return Promise.resolve(givenUp());
    if (poll.nextRequested !== undefined) return poll.nextRequested;
    const begin = () => {
      poll.nextRequested = undefined;
      poll.requestedAt = [...poll.requestedAt, clock.monotonic()].slice(-mostRequested);
      return this.refresh(account);
    };
    const [first = 0] = poll.requestedAt;
    const wait = poll.requestedAt.length < mostRequested ? 0 : first + requestedWithinMs - clock.monotonic();
    if (wait <= 0) return begin();
    poll.nextRequested = sleep(clock, wait, poll.controller.signal).then(begin, givenUp);
    return poll.nextRequested;
  }

  /** Resolves when every account has answered or failed; see {@link refreshOnRequest}. */
  async refreshAll(): Promise<void> {
    await Promise.all([...this.#polls.keys()].map((account) => this.refreshOnRequest(account)));
  }

  #follow(): void {
    const { accounts, store } = this.#options;
    const ids = accounts.all.map(({ id }) => id);
    for (const [id, poll] of this.#polls) {
      if (ids.includes(id)) continue;
      stop(poll);
      this.#polls.delete(id);
      this.#forget(id);
    }
    const added = ids.filter((id) => !this.#polls.has(id));
    for (const id of added) this.#polls.set(id, this.#newPoll(id));
    store.setAccounts(ids);
    for (const id of added) this.#scheduleById(id);
  }

  #restart(id: AccountId): void {
    const poll = this.#polls.get(id);
    if (poll === undefined) return;
    stop(poll);
    this.#polls.set(id, this.#newPoll(id));
    this.#forget(id);
    this.#options.store.reset(id);
    this.#scheduleById(id);
  }

  #newPoll(id: AccountId): Poll {
    return newPoll(id, this.#options.clock.monotonic());
  }

  #forget(id: AccountId): void {
    void this.#options.evidence().then((evidence) => evidence.reset(id));
  }

  #scheduleById(id: AccountId): void {
    const poll = this.#polls.get(id);
    if (poll !== undefined) this.#schedule(poll);
  }

  #run(poll: Poll, thorough: boolean): Promise<ListResult> {
    poll.timer?.dispose();
    poll.thorough = false;
    poll.running = this.#list(poll, thorough).finally(() => {
      poll.running = undefined;
      poll.finishedAt = this.#options.clock.monotonic();
      if (poll.queued === undefined) this.#schedule(poll);
    });
    return poll.running;
  }

  async #list(poll: Poll, thorough: boolean): Promise<ListResult> {
    const { logger, connections } = this.#options;
    const { account, controller } = poll;
    const sentBefore = connections.sent(account);
    // A list that waited while its account was removed or reconnected must not block the next one.
    if (controller.signal.aborted) return givenUp();
    let result: ListResult;
    try {
      const evidence = await this.#options.evidence();
      const { listAccount } = await import('./listing.ts');
      result = await listAccount({ ...this.#options, evidence }, account, thorough, controller.signal);
    } catch {
      return givenUp();
    }
    const sent = connections.sent(account) - sentBefore;
    // Of two lists, because it includes what others asked of the account during one.
    poll.requests = Math.max(1, Math.min(sent, poll.sent ?? sent));
    poll.sent = sent;
    if (result.kind === 'listed') {
      poll.quiet = result.changed ? 0 : poll.quiet + 1;
      poll.failures = 0;
      poll.notBefore = 0;
      poll.stopped = false;
      void this.#check(poll, result.provider);
      return result;
    }
    const { trouble: error } = result;
    logger.warn(`${this.#options.accounts.get(account)?.label ?? account}: list failed: ${error.message}`);
    poll.quiet++;
    poll.failures++;
    poll.stopped = needsUser(error);
    poll.notBefore = retryAtOf(error.trouble) ?? 0;
    return result;
  }

  /** Probes sessions that are missing from the list, within limits, and removes those confirmed gone. */
  async #check(poll: Poll, provider: Provider): Promise<void> {
    const { store, clock } = this.#options;
    const { account, controller } = poll;
    const stop = controller.signal;
    const evidence = await this.#options.evidence();
    const { checkMissing } = await import('../ending/checkMissing.ts');
    // The ender probes those that are ending.
    const left = [...store.missing(account)].filter((id) => store.life(account, id).kind !== 'ending');
    const asking = left.filter((id) => evidence.needsProbe(account, id));
    poll.probed = new Map(asking.map((id) => [id, poll.probed.get(id) ?? neverProbed] as const));
    if (poll.checking || asking.length === 0) return;
    poll.checking = true;
    const began = clock.monotonic();
    const due = began < poll.noProbeBefore ? [] : dueFor(poll.probed, began);
    const sessions = due.flatMap((id) => store.session(account, id) ?? []);
    const known = new Set(due.filter((id) => evidence.needsSecondAnswer(account, id)));
    const { askedAbout, error } = await checkMissing(
      { ...this.#options, evidence },
      account,
      provider,
      sessions,
      stop,
      mostProbes,
    );
    poll.checking = false;
    if (stop.aborted) return;
    const now = clock.monotonic();
    const notFound = new Set(due.filter((id) => !known.has(id) && evidence.needsSecondAnswer(account, id)));
    const pauses = (id: SessionId) => askedAbout.has(id) && !notFound.has(id);
    poll.probed = new Map([...poll.probed].map(([id, one]) => [id, pauses(id) ? askedAt(now, one) : one]));
    const retryAt = retryAtOf(error?.trouble);
    const pause = retryAt === undefined ? longestProbePauseMs : retryAt - clock.now();
    if (error !== undefined) poll.noProbeBefore = now + pause;
    // A list, and the check after it, confirm that they are gone.
    if (notFound.size > 0) void this.refresh(account);
  }

  #schedule(poll: Poll): void {
    poll.timer?.dispose();
    if (poll.running !== undefined || poll.controller.signal.aborted) return;
    const wait = this.#wait(poll);
    if (wait === undefined) return;
    poll.timer = this.#options.clock.after(wait, () => void this.#run(poll, false));
  }

  /** Milliseconds until the next automatic refresh, or undefined where there is none. */
  #wait(poll: Poll): number | undefined {
    const { clock, interval, background } = this.#options;
    if (poll.stopped) return undefined;
    const { visible, focused } = this.#attention;
    const isLookedAt = visible || (this.#watched.get(poll.account) ?? 0) > 0;
    if (isLookedAt && poll.finishedAt === undefined) return 0;
    const usual = interval();
    // Who refreshes manually doesn't want requests in the background either.
    const base = usual <= 0 ? 0 : isLookedAt ? usual : focused ? background() : 0;
    if (base <= 0) return undefined;
    const since = poll.finishedAt ?? poll.began;
    const every =
      poll.finishedAt === undefined ? firstInBackgroundMs : refreshPause(poll, focused ? base : unfocused(base));
    return Math.max(0, since + spread(every) - clock.monotonic(), poll.notBefore - clock.now());
  }
}

/** Those that may be probed now, the least probed first. */
function dueFor(probed: ReadonlyMap<SessionId, Probed>, now: number): readonly SessionId[] {
  const due = [...probed].filter(([, { notBefore }]) => notBefore <= now);
  return due.sort(([, a], [, b]) => a.times - b.times).map(([id]) => id);
}

function askedAt(now: number, { times }: Probed): Probed {
  return { times: times + 1, notBefore: now + Math.min(firstProbePauseMs * 2 ** times, longestProbePauseMs) };
}

function newPoll(account: AccountId, began: number): Poll {
  return {
    account,
    controller: new AbortController(),
    running: undefined,
    requestedAt: [],
    nextRequested: undefined,
    queued: undefined,
    thorough: false,
    checking: false,
    probed: new Map(),
    noProbeBefore: 0,
    timer: undefined,
    began,
    finishedAt: undefined,
    requests: 1,
    sent: undefined,
    quiet: 0,
    failures: 0,
    notBefore: 0,
    stopped: false,
  };
}

function stop(poll: Poll): void {
  poll.controller.abort();
  poll.timer?.dispose();
}

/** The result of listing an account that was removed or got another key. */
function givenUp(): ListResult {
  return { kind: 'failed', trouble: canceled('listing') };
}
