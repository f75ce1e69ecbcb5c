import type { Clock } from '../core/clock.ts';
import type { Disposable } from '../core/event.ts';
import type { AccountId, SessionId } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import { capabilitiesOf, type Provider } from '../core/provider.ts';
import { ProviderError } from '../core/providerError.ts';
import type { Accounts } from './accounts.ts';
import type { Connections } from './connections.ts';
import { probe } from './ending/probe.ts';
import { ListBounds } from './listBounds.ts';
import { type Absence, isSecond, type SessionStore } from './sessionStore.ts';

/** Whether somebody looks: nothing is asked for while nobody does, and seldom while the window is not focused. */
export interface Attention {
  readonly visible: boolean;
  readonly focused: boolean;
}

/** Each refresh that changes nothing makes the next wait this much longer … */
const slowdown = 1.5;
/** … up to this, which is also how often a window is refreshed that is not focused. */
const slowestMs = 60_000;
const longestBackoffMs = 300_000;
/** Most sessions that a list has left out and that are asked for one by one after it. */
const mostProbes = 16;
/** How long a session that a probe has not proven gone is not asked for again; doubles with each such probe, … */
const firstProbePauseMs = 5_000;
/** … up to this, which is also how long none is asked for after the vendor could not be asked, where it did not say for how long. */
const longestProbePauseMs = 60_000;
/** Spreads the requests of many windows and accounts over time. */
const jitter = 0.2;

/** How often a session has been asked for that lists leave out, and from when it may be again, in epoch milliseconds. */
interface Probed {
  readonly times: number;
  readonly notBefore: number;
}

const neverProbed: Probed = { times: 0, notBefore: 0 };

interface Poll {
  readonly account: AccountId;
  readonly controller: AbortController;
  running: Promise<void> | undefined;
  queued: Promise<void> | undefined;
  /** Whether sessions are being asked for that a list has left out. */
  proving: boolean;
  probed: ReadonlyMap<SessionId, Probed>;
  /** Epoch milliseconds before which none of them is asked for. */
  noProbeBefore: number;
  timer: Disposable | undefined;
  finishedAt: number | undefined;
  /** Refreshes in a row that changed nothing. */
  quiet: number;
  /** Refreshes in a row that failed. */
  failures: number;
  /** Epoch milliseconds before which the vendor wants no list. */
  notBefore: number;
  /** After a rejected key: no refresh by itself until the key changes or somebody asks. */
  stopped: boolean;
}

/** What a refresher works with. */
export interface RefresherOptions {
  readonly store: SessionStore;
  readonly accounts: Accounts;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds between refreshes while somebody looks; 0 for none but those that are asked for. */
  readonly interval: () => number;
}

/** Keeps the store in step with the vendors: one list per account at a time, no oftener than somebody looks. */
export class Refresher implements Disposable {
  readonly #options: RefresherOptions;
  readonly #polls = new Map<AccountId, Poll>();
  readonly #subscriptions: readonly Disposable[];
  /** How many live views of an account's sessions are on the screen. */
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
      store.onDidChange((change) => {
        const poll = change.kind === 'account' ? this.#polls.get(change.accountId) : undefined;
        if (poll !== undefined) poll.quiet = 0;
      }),
    ];
    this.#follow();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    for (const poll of this.#polls.values()) stop(poll);
    this.#polls.clear();
  }

  /** Tells whether somebody looks. Coming back refreshes what has become old meanwhile. */
  setAttention(attention: Attention): void {
    this.#attention = attention;
    for (const poll of this.#polls.values()) {
      poll.quiet = 0;
      this.#schedule(poll);
    }
  }

  /**
   * Keeps an account up to date until the result is disposed, though nobody may look at the list: one of its sessions is
   * shown live.
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

  /** Plans anew, after the interval became another. */
  reschedule(): void {
    for (const poll of this.#polls.values()) this.#schedule(poll);
  }

  /**
   * Lists an account with a list that begins after this call, which makes it good for proof; the store has the outcome.
   * Calls that come while a list is under way share the one that follows it. Never rejects.
   */
  refresh(account: AccountId): Promise<void> {
    const poll = this.#polls.get(account);
    if (poll === undefined) return Promise.resolve();
    if (poll.running === undefined) return this.#run(poll);
    poll.queued ??= poll.running.then(() => {
      poll.queued = undefined;
      return this.#run(poll);
    });
    return poll.queued;
  }

  /** Resolves when every account has answered or failed. */
  async refreshAll(): Promise<void> {
    await Promise.all([...this.#polls.keys()].map((account) => this.refresh(account)));
  }

  #follow(): void {
    const { accounts, store } = this.#options;
    const ids = accounts.all.map(({ id }) => id);
    for (const [id, poll] of this.#polls) {
      if (ids.includes(id)) continue;
      stop(poll);
      this.#polls.delete(id);
    }
    const added = ids.filter((id) => !this.#polls.has(id));
    for (const id of added) this.#polls.set(id, newPoll(id));
    store.setAccounts(ids);
    for (const id of added) this.#scheduleById(id);
  }

  #restart(id: AccountId): void {
    const poll = this.#polls.get(id);
    if (poll === undefined) return;
    stop(poll);
    this.#polls.set(id, newPoll(id));
    this.#options.store.reset(id);
    this.#scheduleById(id);
  }

  #scheduleById(id: AccountId): void {
    const poll = this.#polls.get(id);
    if (poll !== undefined) this.#schedule(poll);
  }

  #run(poll: Poll): Promise<void> {
    poll.timer?.dispose();
    poll.running = this.#list(poll).finally(() => {
      poll.running = undefined;
      poll.finishedAt = this.#options.clock.now();
      if (poll.queued === undefined) this.#schedule(poll);
    });
    return poll.running;
  }

  async #list(poll: Poll): Promise<void> {
    const { store, connections, clock, logger } = this.#options;
    const { account, controller } = poll;
    // One that waited while its account went or was connected anew must not stand in the way of its successor.
    if (controller.signal.aborted) return;
    const began = clock.now();
    const run = store.beginList(account);
    // Before the list, so that what it changes sets it back to none.
    poll.quiet++;
    const bounds = new ListBounds();
    try {
      const provider = await connections.open(account);
      const learn = () => store.setCapabilities(account, capabilitiesOf(provider));
      learn();
      for await (const page of provider.list(controller.signal)) {
        // Before its sessions are shown, so that they are offered with all that can be done with them.
        learn();
        run.arrive(bounds.take(page));
      }
      const { leftOut } = bounds;
      if (leftOut.length > 0) run.arrive({ sessions: [], groups: [], faults: leftOut, account: undefined });
      controller.signal.throwIfAborted();
      learn();
      run.complete(provider.ending.proof === 'list');
      poll.failures = 0;
      poll.notBefore = 0;
      poll.stopped = false;
      void this.#prove(poll, provider, began);
    } catch (caught) {
      if (controller.signal.aborted) return;
      const error = ProviderError.from(caught);
      logger.warn(`${this.#options.accounts.get(account)?.label ?? account}: list failed: ${error.message}`);
      poll.failures++;
      poll.stopped = ProviderError.isOf(error, 'unauthorized', 'forbidden', 'noKey', 'badAddress');
      poll.notBefore = error.trouble.kind === 'rateLimited' ? (error.trouble.retryAt ?? 0) : 0;
      run.fail(error);
    }
  }

  /**
   * Takes out what has ended of the sessions that a list has left out without being proof: what the vendor says to be gone,
   * asked for as many as is polite, and, where two lists are proof, what this one is the second to leave out, unless the
   * vendor says that it runs. @param began when that list began, in epoch milliseconds.
   */
  async #prove(poll: Poll, provider: Provider, began: number): Promise<void> {
    const { store, connections, clock, logger } = this.#options;
    const { account, controller } = poll;
    const stop = controller.signal;
    const window = () => connections.rateWindow(account);
    // What is ending is the ender's to prove.
    const left = () => [...store.unproven(account)].filter(([id]) => store.life(account, id).kind !== 'ending');
    poll.probed = new Map(left().flatMap(([id]) => [[id, poll.probed.get(id) ?? neverProbed] as const]));
    if (poll.proving || poll.probed.size === 0) return;
    poll.proving = true;
    const due = clock.now() < poll.noProbeBefore ? [] : dueFor(poll.probed, clock.now());
    const sessions = due.flatMap((id) => store.session(account, id) ?? []);
    const { gone, told, asked, error } = await probe(provider, sessions, {
      clock,
      logger,
      stop,
      most: mostProbes,
      window,
    });
    poll.proving = false;
    if (stop.aborted) return;
    const now = clock.now();
    poll.probed = new Map([...poll.probed].map(([id, one]) => [id, asked.has(id) ? askedAt(now, one) : one]));
    const retryAt = error?.trouble.kind === 'rateLimited' ? error.trouble.retryAt : undefined;
    if (error !== undefined) poll.noProbeBefore = retryAt ?? now + longestProbePauseMs;
    store.learn(account, told);
    const twice = (absence: Absence) =>
      provider.ending.proof === 'twoLists' && !absence.runs && isSecond(absence, began);
    // What a list has told of meanwhile runs, or runs again: it is not left any longer.
    const proven = left().filter(([id, absence]) => gone.has(id) || twice(absence));
    store.removeProven(
      account,
      proven.map(([id]) => id),
    );
  }

  #schedule(poll: Poll): void {
    poll.timer?.dispose();
    if (poll.running !== undefined || poll.controller.signal.aborted) return;
    const wait = this.#wait(poll);
    if (wait === undefined) return;
    poll.timer = this.#options.clock.after(wait, () => void this.#run(poll));
  }

  /** Milliseconds until the next refresh, or undefined where none is due by itself. */
  #wait(poll: Poll): number | undefined {
    const { clock, interval } = this.#options;
    const isLookedAt = this.#attention.visible || (this.#watched.get(poll.account) ?? 0) > 0;
    if (!isLookedAt || poll.stopped) return undefined;
    if (poll.finishedAt === undefined) return 0;
    const visible = interval();
    if (visible <= 0) return undefined;
    const base = this.#attention.focused ? visible : Math.max(visible, slowestMs);
    const every =
      poll.failures > 0
        ? Math.min(base * 2 ** poll.failures, longestBackoffMs)
        : Math.min(base * slowdown ** poll.quiet, Math.max(base, slowestMs));
    const due = poll.finishedAt + every * (1 - jitter + Math.random() * 2 * jitter);
    return Math.max(0, Math.max(due, poll.notBefore) - clock.now());
  }
}

/** Those that may be asked for now, the least often asked ones first. */
function dueFor(probed: ReadonlyMap<SessionId, Probed>, now: number): readonly SessionId[] {
  const due = [...probed].filter(([, { notBefore }]) => notBefore <= now);
  return due.sort(([, a], [, b]) => a.times - b.times).map(([id]) => id);
}

function askedAt(now: number, { times }: Probed): Probed {
  return { times: times + 1, notBefore: now + Math.min(firstProbePauseMs * 2 ** times, longestProbePauseMs) };
}

function newPoll(account: AccountId): Poll {
  return {
    account,
    controller: new AbortController(),
    running: undefined,
    queued: undefined,
    proving: false,
    probed: new Map(),
    noProbeBefore: 0,
    timer: undefined,
    finishedAt: undefined,
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
