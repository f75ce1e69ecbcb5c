import { Emitter, type Event } from '../../core/event.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import type { Inventory } from '../../core/inventory.ts';
import type { Capability } from '../../core/provider.ts';
import type { ProviderError } from '../../core/providerError.ts';
import { same } from '../../core/same.ts';
import { isSame, type Session } from '../../core/session.ts';
import {
  type Contents,
  changedSessions,
  merge,
  noContents,
  tooManyMissing,
  withGroupsOf,
  withinBounds,
  withNew,
} from './contents.ts';
import { SessionLinks } from './sessionLinks.ts';
import {
  type AccountState,
  isTaken,
  type Leaving,
  type Life,
  lastFetched,
  type PageList,
  type SessionsView,
  type StoreChange,
  troubleOf,
} from './sessionsView.ts';

/** The outcome of a complete list. */
export interface ListOutcome {
  /** Sessions that are confirmed gone. Any other that the list leaves out stays, as {@link SessionsView.missing}. */
  readonly gone: ReadonlySet<SessionId>;
  /** Whether every row said which session it is: if not, none is known to be missing. */
  readonly complete: boolean;
  /** Whether the lists of several servers behind one address are combined. */
  readonly combined: boolean;
}

/** One refresh under way. Once another one begins for the same account, its results are dropped. */
export interface ListRun {
  arrive(page: Inventory): void;
  /**
   * @param outcome the outcome of the complete list.
   * @returns whether anything on screen changed since the list began.
   */
  complete(outcome: ListOutcome): boolean;
  fail(trouble: ProviderError): void;
}

interface Entry {
  state: AccountState;
  run: object | undefined;
  capabilities: ReadonlySet<Capability>;
  readonly lives: Map<SessionId, Life>;
  readonly firstSeen: Map<SessionId, number>;
  readonly idleSince: Map<SessionId, number>;
  readonly pages: Map<SessionId, PageList>;
  /** Sessions that were confirmed gone and haven't been listed since. */
  readonly ended: Set<SessionId>;
  /** Those confirmed gone while a list is under way, which may have read them earlier. */
  readonly endedMeanwhile: Set<SessionId>;
  missing: ReadonlySet<SessionId>;
  /** Counts the events fired about this account. */
  changes: number;
}

/** Most ended sessions that are remembered per account. */
const mostEnded = 20_000;

const running: Life = { kind: 'running' };

/** The one place that knows what is running. The refresher and the ender write; everything else reads {@link SessionsView}. */
export class SessionStore implements SessionsView {
  readonly #now: () => number;
  readonly #entries = new Map<AccountId, Entry>();
  readonly links: SessionLinks;
  readonly #changed = new Emitter<StoreChange>();
  readonly #left = new Emitter<Leaving>();

  readonly onDidChange: Event<StoreChange> = this.#changed.event;

  /** Fires for each session that leaves the list; not when its account is removed or reconnected. */
  readonly onDidLeave: Event<Leaving> = this.#left.event;

  /** @param providerOf the provider of an account, for linking sessions that are the same browser. */
  constructor(now: () => number, providerOf: (account: AccountId) => string | undefined = () => undefined) {
    this.#now = now;
    this.links = new SessionLinks(providerOf);
  }

  state(account: AccountId): AccountState | undefined {
    const state = this.#entries.get(account)?.state;
    return state && this.links.shown(account, state);
  }

  known(account: AccountId): ReadonlyMap<SessionId, Session> {
    return this.#entries.get(account)?.state.contents.sessions ?? new Map();
  }

  session(account: AccountId, session: SessionId): Session | undefined {
    return this.state(account)?.contents.sessions.get(session) ?? this.known(account).get(session);
  }

  life(account: AccountId, session: SessionId): Life {
    return this.#entries.get(account)?.lives.get(session) ?? running;
  }

  startOf(account: AccountId, session: SessionId): { readonly at: number; readonly exact: boolean } | undefined {
    const startedAt = this.session(account, session)?.startedAt;
    if (startedAt !== undefined) return { at: startedAt, exact: true };
    const seen = this.#entries.get(account)?.firstSeen.get(session);
    return seen === undefined ? undefined : { at: seen, exact: false };
  }

  idleSince(account: AccountId, session: SessionId): number | undefined {
    return this.#entries.get(account)?.idleSince.get(session);
  }

  pages(account: AccountId, session: SessionId): PageList | undefined {
    return this.#entries.get(account)?.pages.get(session);
  }

  capabilities(account: AccountId): ReadonlySet<Capability> {
    return this.#entries.get(account)?.capabilities ?? new Set();
  }

  /** Sets which accounts there are. What is known of those that stay is kept. */
  setAccounts(ids: readonly AccountId[]): void {
    const gone = new Set(this.#entries.keys());
    for (const id of ids) {
      gone.delete(id);
      if (!this.#entries.has(id)) this.#entries.set(id, newEntry());
    }
    for (const id of gone) this.#entries.delete(id);
    for (const id of gone) this.#followLinks(id);
    this.#changed.fire({ kind: 'accounts' });
  }

  /** Forgets what is known of an account whose key or address changed. */
  reset(account: AccountId): void {
    if (!this.#entries.has(account)) return;
    this.#entries.set(account, newEntry());
    this.#followLinks(account);
    this.#fire(account, true, []);
  }

  setCapabilities(account: AccountId, capabilities: ReadonlySet<Capability>): void {
    const entry = this.#entries.get(account);
    if (entry === undefined || same([...entry.capabilities], [...capabilities])) return;
    entry.capabilities = capabilities;
    this.#fire(account, true, []);
  }

  /**
   * Begins a refresh. While its pages arrive, rows are added and, as long as there has been no complete list, changed;
   * what was known otherwise stays until {@link ListRun.complete}, so that rows don't flicker or disappear while a list is still arriving.
   */
  beginList(account: AccountId): ListRun {
    const token = {};
    let arrived: Contents = noContents;
    const shownElsewhere = new Map<SessionId, number | undefined>();
    let changes = 0;
    const began = this.#now();
    const entry = this.#entries.get(account);
    if (entry !== undefined) {
      entry.run = token;
      entry.endedMeanwhile.clear();
      changes = entry.changes;
      // What went wrong stays in view until the new list is there.
      if (entry.state.kind === 'disconnected') {
        this.#transition(account, entry, { kind: 'loading', contents: entry.state.contents });
      }
    }
    const current = () => (entry?.run === token && this.#entries.get(account) === entry ? entry : undefined);
    return {
      arrive: (page) => {
        const entry = current();
        if (entry === undefined) return;
        const sessions = page.sessions.filter(({ id }) => !entry.endedMeanwhile.has(id));
        arrived = merge(arrived, { ...page, sessions });
        for (const [id, port] of page.shownElsewhere ?? []) shownElsewhere.set(id, port);
        // A session that is listed is running, even if the rest of the list fails.
        this.#setMissing(account, entry, new Set([...entry.missing].filter((id) => !arrived.sessions.has(id))));
        const { contents } = entry.state;
        this.#transition(account, entry, {
          ...entry.state,
          contents: withNew(contents, arrived, entry.state.kind !== 'ready'),
        });
      },
      complete: ({ gone, complete, combined }) => {
        const entry = current();
        if (entry === undefined) return false;
        entry.run = undefined;
        const read = [...arrived.sessions].filter(([id]) => !entry.endedMeanwhile.has(id));
        const isLeft = (id: SessionId) => !arrived.sessions.has(id) && !gone.has(id) && !shownElsewhere.has(id);
        const left = [...entry.state.contents.sessions].filter(([id]) => isLeft(id));
        const { kept, forgotten } = withinBounds(left, (id) => entry.lives.has(id));
        const unreadable = new Set(arrived.faults.map(({ subject }) => subject));
        const unread = new Set(kept.flatMap(([id]) => (complete && !unreadable.has(id) ? [] : [id])));
        const contents = {
          ...arrived,
          sessions: new Map([...read, ...kept]),
          groups: withGroupsOf(kept, arrived.groups, entry.state.contents.groups),
          faults: [...arrived.faults, ...tooManyMissing(forgotten.size)],
          unread,
          combined,
        };
        const next = { kind: 'ready', contents, asOf: this.#now(), began, trouble: undefined } as const;
        this.#transition(account, entry, next, new Set([...forgotten, ...shownElsewhere.keys()]));
        this.links.notePorts(account, shownElsewhere);
        this.#setMissing(account, entry, new Set(kept.flatMap(([id]) => (unread.has(id) ? [] : [id]))));
        return entry.changes > changes;
      },
      fail: (trouble) => {
        const entry = current();
        if (entry === undefined) return;
        entry.run = undefined;
        const { state } = entry;
        this.#transition(
          account,
          entry,
          state.kind === 'ready' ? { ...state, trouble } : { kind: 'failed', contents: state.contents, trouble },
        );
      },
    };
  }

  missing(account: AccountId): ReadonlySet<SessionId> {
    return this.#entries.get(account)?.missing ?? new Set();
  }

  hasEnded(account: AccountId, session: SessionId): boolean {
    return this.#entries.get(account)?.ended.has(session) === true;
  }

  /** Forgets that a session with this id ended: another one may have it by now. */
  forgetEnd(account: AccountId, session: SessionId): void {
    this.#entries.get(account)?.ended.delete(session);
  }

  /** Sets the life of sessions. Sessions that aren't listed are skipped. */
  setLives(account: AccountId, lives: ReadonlyMap<SessionId, Life>): void {
    const entry = this.#entries.get(account);
    if (entry === undefined) return;
    const listed = [...lives].filter(([id]) => entry.state.contents.sessions.has(id));
    for (const [id, life] of listed) {
      if (life.kind === 'running') entry.lives.delete(id);
      else entry.lives.set(id, life);
    }
    const changed = listed.map(([id]) => id);
    if (changed.length > 0) this.#fire(account, false, changed);
  }

  /** The same for sessions that all get the same life. */
  setLife(account: AccountId, sessions: readonly SessionId[], life: Life): void {
    this.setLives(account, new Map(sessions.map((id) => [id, life])));
  }

  /** Removes sessions that are confirmed gone. */
  removeGone(account: AccountId, gone: readonly SessionId[]): void {
    const entry = this.#entries.get(account);
    if (entry === undefined) return;
    for (const id of gone) entry.endedMeanwhile.add(id);
    const { contents } = entry.state;
    const listed = gone.filter((id) => contents.sessions.has(id));
    if (listed.length === 0) return;
    const sessions = new Map(contents.sessions);
    for (const id of listed) sessions.delete(id);
    entry.missing = new Set([...entry.missing].filter((id) => sessions.has(id)));
    this.#transition(account, entry, { ...entry.state, contents: { ...contents, sessions } });
  }

  setPages(account: AccountId, session: SessionId, pages: PageList): void {
    const entry = this.#entries.get(account);
    if (!entry?.state.contents.sessions.has(session)) return;
    const before = entry.pages.get(session);
    entry.pages.set(session, pages);
    if (before === undefined || !saysTheSame(before, pages)) this.#fire(account, false, [session]);
  }

  /** Replaces a state and fires what changed, if anything. @param forgotten sessions dropped but not confirmed gone. */
  #transition(
    account: AccountId,
    entry: Entry,
    next: AccountState,
    forgotten: ReadonlySet<SessionId> = new Set(),
  ): void {
    const before = entry.state;
    entry.state = next;
    const [known, sessions] = [before.contents.sessions, next.contents.sessions];
    // Most pages of most lists change nothing.
    const left = sessions === known ? [] : this.#replace(account, entry, known, sessions, forgotten);
    // First, so that what ended is in the history when everything else reads it.
    for (const one of left) this.#left.fire(one);
    const changed = sessions === known ? [] : changedSessions(known, sessions);
    if (sessions !== known) this.#followLinks(account);
    const membership =
      changed === 'membership' ||
      before.kind !== next.kind ||
      !sameTrouble(troubleOf(before), troubleOf(next)) ||
      !same(before.contents.groups, next.contents.groups) ||
      !same(before.contents.faults, next.contents.faults) ||
      before.contents.combined !== next.contents.combined ||
      !same(before.contents.account, next.contents.account);
    if (membership) this.#fire(account, true, []);
    else if (changed.length > 0) this.#fire(account, false, changed);
  }

  /** Keeps what is known of sessions besides the lists up to date. @returns those that left. */
  #replace(
    account: AccountId,
    entry: Entry,
    before: Contents['sessions'],
    sessions: Contents['sessions'],
    forgotten: ReadonlySet<SessionId>,
  ): readonly Leaving[] {
    const leaving = [...before.values()].filter(({ id }) => !sessions.has(id) && !forgotten.has(id));
    // A session that is shown under another account never had a row of its own.
    const shown = leaving.filter(({ id }) => !this.links.isHidden(account, id));
    const left = shown.map((session): Leaving => {
      const seen = entry.firstSeen.get(session.id) ?? this.#now();
      const start = { at: session.startedAt ?? seen, exact: session.startedAt !== undefined };
      const pages = session.pages ?? lastFetched(entry.pages.get(session.id))?.pages;
      const byYou = isTaken(entry.lives.get(session.id) ?? running);
      return {
        accountId: account,
        session,
        pages,
        start,
        byYou,
        usedFrom: this.links.controllersOf(account, session.id)[0]?.accountId,
      };
    });
    for (const { id } of leaving) entry.ended.add(id);
    for (const id of entry.ended) {
      if (entry.ended.size <= mostEnded) break;
      entry.ended.delete(id);
    }
    // A session that got the id of another one has nothing to do with that one's pages or its end.
    const isKept = (id: SessionId) => isSame(before.get(id) ?? { startedAt: undefined }, sessions.get(id));
    for (const known of [entry.lives, entry.firstSeen, entry.idleSince, entry.pages]) {
      for (const id of known.keys()) if (!isKept(id)) known.delete(id);
    }
    for (const [id, { phase }] of sessions) {
      entry.ended.delete(id);
      if (!entry.firstSeen.has(id)) entry.firstSeen.set(id, this.#now());
      if (phase !== 'idle') entry.idleSince.delete(id);
      else if (!entry.idleSince.has(id)) entry.idleSince.set(id, this.#now());
    }
    return left;
  }

  #setMissing(account: AccountId, entry: Entry, missing: ReadonlySet<SessionId>): void {
    const before = entry.missing;
    entry.missing = missing;
    const changed = [...before, ...missing].filter((id) => before.has(id) !== missing.has(id));
    const listed = changed.filter((id) => entry.state.contents.sessions.has(id));
    if (listed.length > 0) this.#fire(account, false, listed);
  }

  /** Fires for the accounts that are shown differently because links between their sessions have changed. */
  #followLinks(account: AccountId): void {
    const all = new Map([...this.#entries].map(([id, { state }]) => [id, state.contents.sessions]));
    for (const id of this.links.follow(account, all)) if (this.#entries.has(id)) this.#fire(id, true, []);
  }

  #fire(accountId: AccountId, membership: boolean, sessions: readonly SessionId[]): void {
    const entry = this.#entries.get(accountId);
    if (entry !== undefined) entry.changes += 1;
    this.#changed.fire({ kind: 'account', accountId, membership, sessions });
  }
}

/** Whether two lists of pages look the same, whenever they were fetched. */
function saysTheSame(a: PageList, b: PageList): boolean {
  if (a.kind !== b.kind || !same(lastFetched(a)?.pages, lastFetched(b)?.pages)) return false;
  return a.kind !== 'failed' || b.kind !== 'failed' || sameTrouble(a.trouble, b.trouble);
}

function sameTrouble(a: ProviderError | undefined, b: ProviderError | undefined): boolean {
  return a?.detail === b?.detail && same(a?.trouble, b?.trouble);
}

function newEntry(): Entry {
  return {
    state: { kind: 'disconnected', contents: noContents },
    run: undefined,
    capabilities: new Set(),
    lives: new Map(),
    firstSeen: new Map(),
    idleSince: new Map(),
    pages: new Map(),
    ended: new Set(),
    endedMeanwhile: new Set(),
    missing: new Set(),
    changes: 0,
  };
}
