import type { Clock } from '../../core/clock.ts';
import type { Disposable } from '../../core/event.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { ProviderError, retryAtOf } from '../../core/providerError.ts';
import type { Connections } from '../accounts/connections.ts';
import { mostRequests, PageLists } from './pageLists.ts';
import type { Attention } from './refresher.ts';
import type { SessionStore } from './sessionStore.ts';
import { isListed } from './sessionsView.ts';

/** Most rows below one parent that are looked up: the first ones, which a side bar can show at once. */
const mostRows = 30;
/** How many lookups of an account may be under way at once. */
const mostInFlight = 3;
/**
 * Milliseconds after which a session is looked up again. Longer than the five minutes after which Anchor ends a session that
 * nobody is connected to: even if a lookup counted as a connection there, lookups alone couldn't keep a session running.
 */
const staleMs = 360_000;
/** Lookups of sessions that were looked up before leave this many requests to those that weren't. */
const keptForNew = 10;
/** How long an account isn't asked after it failed, in milliseconds; doubles with each failure in a row, … */
const firstPauseMs = 60_000;
/** … up to this. */
const longestPauseMs = 600_000;
/** Requests that a provider's rate limit must leave for lists and ends. */
const leftForOthers = 5;
/** After this many failures in a row that are about single sessions, their account pauses too. */
const mostFailures = 3;

/** What {@link PageLookups} needs. */
export interface PageLookupParts {
  readonly store: SessionStore;
  readonly connections: Connections;
  readonly clock: Clock;
}

/** The part of {@link PageLookups} that the tree needs. */
export interface PageLoader extends Pick<PageLookups, 'load' | 'setAttention'> {
  draw(...drawn: Parameters<PageLookups['draw']>): unknown;
}

interface Lookups {
  /** Whether the provider lets pages be looked up; undefined until it was opened. */
  isAllowed: boolean | undefined;
  /** The sessions whose rows are drawn, by their parent. */
  readonly drawn: Map<string, readonly SessionId[]>;
  /** When each was looked up last, in monotonic milliseconds. */
  readonly asked: Map<SessionId, number>;
  readonly inFlight: Set<SessionId>;
  /** Failures in a row. */
  failures: number;
  /** How often the account paused since the last success. */
  pauses: number;
  /** Monotonic milliseconds. */
  notBefore: number;
  timer: Disposable | undefined;
}

/**
 * Looks up the pages of sessions whose list doesn't include them, for the rows that are drawn: they name the row. Only where
 * the provider says that asking has no effect (`Provider.mayLookUpPages`), only while the view is visible and the window
 * focused, a few at a time, and never more than {@link mostRequests} in ten minutes.
 */
export class PageLookups implements Disposable {
  readonly #parts: PageLookupParts;
  readonly #lists: PageLists;
  readonly #accounts = new Map<AccountId, Lookups>();
  readonly #subscriptions: readonly Disposable[];
  #isSeen = false;

  constructor(parts: PageLookupParts) {
    this.#parts = parts;
    const { store, connections, clock } = parts;
    this.#lists = new PageLists(store, connections, clock);
    this.#subscriptions = [
      store.onDidChange((change) => {
        if (change.kind === 'account' && change.membership) this.#next(change.accountId);
      }),
      connections.onDidClose((account) => this.#forget(account)),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#lists.dispose();
    for (const account of [...this.#accounts.keys()]) this.#forget(account);
  }

  /** See {@link PageLists.load}. */
  load(account: AccountId, session: SessionId): Promise<void> {
    return this.#lists.load(account, session);
  }

  /** Sets whether the rows can be seen: nothing is asked while they can't. */
  setAttention({ visible, focused }: Attention): void {
    this.#isSeen = visible && focused;
    for (const account of this.#accounts.keys()) this.#next(account);
  }

  /**
   * Sets which sessions are drawn below a row, in the order of their rows; none after it was collapsed.
   * @param parent the row's id.
   */
  draw(account: AccountId, parent: string, sessions: readonly SessionId[]): void {
    const lookups = this.#accounts.get(account) ?? newLookups();
    this.#accounts.set(account, lookups);
    if (sessions.length > 0) lookups.drawn.set(parent, sessions.slice(0, mostRows));
    else lookups.drawn.delete(parent);
    this.#next(account);
  }

  #forget(account: AccountId): void {
    this.#accounts.get(account)?.timer?.dispose();
    this.#accounts.delete(account);
  }

  /** Sends what may be sent now, and comes back when more may be. */
  #next(account: AccountId): void {
    const lookups = this.#accounts.get(account);
    if (lookups === undefined) return;
    lookups.timer?.dispose();
    const { store, clock } = this.#parts;
    const canAsk = store.capabilities(account).has('pages') && isListed(store.state(account));
    if (!this.#isSeen || !canAsk || lookups.drawn.size === 0) return;
    if (lookups.isAllowed === undefined) void this.#learn(account, lookups);
    if (lookups.isAllowed !== true) return;
    // After a failure one at a time, until it works again.
    while (lookups.inFlight.size < (lookups.failures > 0 ? 1 : mostInFlight)) {
      const next = this.#choose(account, lookups);
      if (next === undefined) return;
      if (next.inMs > 0) {
        lookups.timer = clock.after(next.inMs, () => this.#next(account));
        return;
      }
      void this.#look(account, lookups, next.session);
    }
  }

  /** The session to look up next, and in how many milliseconds; undefined if there is none. */
  #choose(account: AccountId, lookups: Lookups): { readonly session: SessionId; readonly inMs: number } | undefined {
    const { store, connections, clock } = this.#parts;
    const now = clock.monotonic();
    const { asked, inFlight, notBefore } = lookups;
    for (const id of asked.keys()) if (store.session(account, id) === undefined) asked.delete(id);
    const rows = [...new Set([...lookups.drawn.values()].flat())].filter((id) => {
      const session = store.session(account, id);
      const isRunning = session !== undefined && store.life(account, id).kind === 'running';
      return isRunning && session.pages === undefined && !inFlight.has(id);
    });
    // The user may have expanded some.
    for (const id of rows) if (!asked.has(id) && store.pages(account, id) !== undefined) asked.set(id, now);
    const first = rows.find((id) => !asked.has(id));
    const [oldest] = rows.toSorted((a, b) => (asked.get(a) ?? 0) - (asked.get(b) ?? 0));
    const session = first ?? oldest;
    if (session === undefined) return undefined;
    const window = connections.rateWindow(account);
    const isUsedUp = window !== undefined && window.remaining - inFlight.size <= leftForOthers;
    const dueIn = first === undefined ? (asked.get(session) ?? now) + staleMs - now : 0;
    const most = first === undefined ? mostRequests - keptForNew : mostRequests;
    const inMs = Math.max(dueIn, notBefore - now, this.#lists.room(account, most), isUsedUp ? window.resetAt - now : 0);
    return { session, inMs };
  }

  /** Learns whether the provider lets pages be looked up. */
  async #learn(account: AccountId, lookups: Lookups): Promise<void> {
    lookups.isAllowed = false;
    const provider = await this.#parts.connections.open(account).catch(() => undefined);
    lookups.isAllowed = provider?.mayLookUpPages === true;
    if (this.#accounts.get(account) === lookups && lookups.isAllowed) this.#next(account);
  }

  async #look(account: AccountId, lookups: Lookups, session: SessionId): Promise<void> {
    lookups.inFlight.add(session);
    lookups.asked.set(session, this.#parts.clock.monotonic());
    const trouble = await this.#lists.fetch(account, session);
    lookups.inFlight.delete(session);
    if (trouble === undefined) {
      lookups.failures = 0;
      lookups.pauses = 0;
    } else this.#pauseFor(lookups, trouble);
    if (this.#accounts.get(account) === lookups) this.#next(account);
  }

  #pauseFor(lookups: Lookups, error: ProviderError): void {
    const { clock } = this.#parts;
    lookups.failures++;
    const isAboutOne = ProviderError.isOf(error, 'notFound', 'unauthorized', 'forbidden', 'unexpectedAnswer');
    if (isAboutOne && lookups.failures < mostFailures) return;
    // Those that were under way together pause the account once.
    if (clock.monotonic() < lookups.notBefore) return;
    const retryAt = retryAtOf(error.trouble);
    const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** lookups.pauses++);
    const wait = Math.max(pause, retryAt === undefined ? 0 : retryAt - clock.now());
    lookups.notBefore = clock.monotonic() + wait;
  }
}

function newLookups(): Lookups {
  return {
    isAllowed: undefined,
    drawn: new Map(),
    asked: new Map(),
    inFlight: new Set(),
    failures: 0,
    pauses: 0,
    notBefore: 0,
    timer: undefined,
  };
}
