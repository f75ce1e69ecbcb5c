import type { AccountFacts } from '../core/account.ts';
import { Emitter, type Event } from '../core/event.ts';
import type { Group } from '../core/group.ts';
import type { AccountId, GroupId, SessionId } from '../core/ids.ts';
import type { Inventory, ListFault } from '../core/inventory.ts';
import type { Page } from '../core/page.ts';
import type { Capability, Liveness } from '../core/provider.ts';
import type { ProviderError } from '../core/providerError.ts';
import { same } from '../core/same.ts';
import type { Session } from '../core/session.ts';
import { groupByMetadata } from './grouping.ts';

/** What an account has, by id, in the order in which the vendor tells it. */
export interface Contents {
  readonly sessions: ReadonlyMap<SessionId, Session>;
  readonly groups: ReadonlyMap<GroupId, Group>;
  readonly faults: readonly ListFault[];
  /** What the vendor tells of the account itself; undefined where it tells nothing, or has not yet. */
  readonly account: AccountFacts | undefined;
}

/**
 * What is known of an account. `asOf` is the time of its last complete list, in epoch milliseconds. A failed refresh
 * keeps that list: `ready` with trouble is old but shown; `failed` never had one, though some rows may have arrived.
 */
export type AccountState =
  | { readonly kind: 'disconnected'; readonly contents: Contents }
  | { readonly kind: 'loading'; readonly contents: Contents }
  | {
      readonly kind: 'ready';
      readonly contents: Contents;
      readonly asOf: number;
      readonly trouble: ProviderError | undefined;
    }
  | { readonly kind: 'failed'; readonly contents: Contents; readonly trouble: ProviderError };

/** Why a session that was to end has not. */
export type StuckReason =
  /**
   * The vendor has answered, and still says that the session runs. `found` is false where it answered that it knows no
   * such session; `said` is its own text: clean it before showing.
   */
  | { readonly kind: 'stillRuns'; readonly found: boolean; readonly said: string | undefined }
  /** Nothing tells whether it is gone; `error` is why, where something went wrong and the vendor does not only not know. */
  | { readonly kind: 'unproven'; readonly error: ProviderError | undefined }
  /** The request failed. */
  | { readonly kind: 'failed'; readonly error: ProviderError }
  /** The vendor named it among those that it could not delete. Its own text: clean it before showing. */
  | { readonly kind: 'notDeleted'; readonly said: string };

/** Where a listed session is in its life. Times are epoch milliseconds. An ended one is listed no longer. */
export type Life =
  | { readonly kind: 'running' }
  | { readonly kind: 'ending'; readonly since: number }
  | { readonly kind: 'stuck'; readonly since: number; readonly why: StuckReason };

/** A session that is shown though the last complete list left it out. */
export interface Absence {
  /** Since when lists that leave it out count, in epoch milliseconds: mostly since the first was complete that did. */
  readonly since: number;
  /** Whether the vendor, asked for this one, said last that it runs: lists that leave it out prove nothing then. */
  readonly runs: boolean;
}

/** The pages of a session whose list does not tell them. */
export type PageList =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly pages: readonly Page[]; readonly asOf: number }
  | { readonly kind: 'failed'; readonly trouble: ProviderError; readonly asOf: number };

/** What changed: which accounts there are, or something of one account. */
export type StoreChange =
  | { readonly kind: 'accounts' }
  | {
      readonly kind: 'account';
      readonly accountId: AccountId;
      /** Whether rows came, went or moved, or the account's own row changed. */
      readonly membership: boolean;
      /** Sessions that look different, where nothing came, went or moved. */
      readonly sessions: readonly SessionId[];
    };

/** A session that was listed and is not any longer, as it was. */
export interface Leaving {
  readonly accountId: AccountId;
  readonly session: Session;
  readonly start: { readonly at: number; readonly exact: boolean };
  /** Whether its end was asked for here, and not refused. */
  readonly byYou: boolean;
}

/** The reading half: what the tree, commands and the exported API see. Everything is answered from memory. */
export interface SessionsView {
  readonly onDidChange: Event<StoreChange>;
  /** Undefined for an account that the store does not have. */
  state(account: AccountId): AccountState | undefined;
  session(account: AccountId, session: SessionId): Session | undefined;
  life(account: AccountId, session: SessionId): Life;
  /** When it started, or else when it was first listed, which is later. */
  startOf(account: AccountId, session: SessionId): { readonly at: number; readonly exact: boolean } | undefined;
  pages(account: AccountId, session: SessionId): PageList | undefined;
  /** Sessions that are shown though the last complete list left them out, because that proves nothing. */
  unproven(account: AccountId): ReadonlyMap<SessionId, Absence>;
  capabilities(account: AccountId): ReadonlySet<Capability>;
}

/** One refresh under way. What it brings after another one was begun for the same account is dropped. */
export interface ListRun {
  arrive(page: Inventory): void;
  /**
   * @param proves whether one list is proof at this vendor that a session has ended. Else what it leaves out stays, as
   * {@link SessionsView.unproven}, until somebody has proof: {@link SessionStore.removeProven}.
   */
  complete(proves: boolean): void;
  fail(trouble: ProviderError): void;
}

interface Entry {
  state: AccountState;
  run: object | undefined;
  capabilities: ReadonlySet<Capability>;
  readonly lives: Map<SessionId, Life>;
  readonly firstSeen: Map<SessionId, number>;
  readonly pages: Map<SessionId, PageList>;
  /** Sessions that have left, proven to have ended, and that no list has told of since. */
  readonly ended: Set<SessionId>;
  /** Those of them that did while a list is under way, which may have read them before. */
  readonly endedMeanwhile: Set<SessionId>;
  /** Sessions that the last complete list left out, kept because that proves nothing. */
  unproven: ReadonlyMap<SessionId, Absence>;
}

/**
 * Milliseconds between two lists that together are proof: a list that is behind the times is no witness of itself. A little
 * less than the second after which whoever ends looks again, because timers are early now and then.
 */
const listsApartMs = 950;

/** Most sessions that lists leave out and that stay all the same, and most that are known to have ended; by account. */
const mostKept = 5_000;
const mostKeptPages = 20_000;
const mostEnded = 20_000;

const empty: Contents = { sessions: new Map(), groups: new Map(), faults: [], account: undefined };
const running: Life = { kind: 'running' };

/** The one place that knows what runs. The refresher and the ender write; everybody else reads {@link SessionsView}. */
export class SessionStore implements SessionsView {
  readonly #now: () => number;
  readonly #groupKey: () => string;
  readonly #entries = new Map<AccountId, Entry>();
  readonly #changed = new Emitter<StoreChange>();
  readonly #left = new Emitter<Leaving>();

  readonly onDidChange: Event<StoreChange> = this.#changed.event;

  /** Fires for each session that leaves a list; not when its account is removed or connected anew. */
  readonly onDidLeave: Event<Leaving> = this.#left.event;

  /** @param groupKey the key of sessions' metadata by which they are grouped; empty for none. */
  constructor(now: () => number, groupKey: () => string = () => '') {
    this.#now = now;
    this.#groupKey = groupKey;
  }

  state(account: AccountId): AccountState | undefined {
    return this.#entries.get(account)?.state;
  }

  session(account: AccountId, session: SessionId): Session | undefined {
    return this.#entries.get(account)?.state.contents.sessions.get(session);
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

  pages(account: AccountId, session: SessionId): PageList | undefined {
    return this.#entries.get(account)?.pages.get(session);
  }

  capabilities(account: AccountId): ReadonlySet<Capability> {
    return this.#entries.get(account)?.capabilities ?? new Set();
  }

  /** Takes over which accounts there are. What is known of those that stay is kept. */
  setAccounts(ids: readonly AccountId[]): void {
    const gone = new Set(this.#entries.keys());
    for (const id of ids) {
      gone.delete(id);
      if (!this.#entries.has(id)) this.#entries.set(id, newEntry());
    }
    for (const id of gone) this.#entries.delete(id);
    this.#changed.fire({ kind: 'accounts' });
  }

  /** Forgets what is known of an account whose key or address has become another. */
  reset(account: AccountId): void {
    if (!this.#entries.has(account)) return;
    this.#entries.set(account, newEntry());
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
   * what was known otherwise stays until {@link ListRun.complete}, so that rows neither flicker nor vanish half-way.
   */
  beginList(account: AccountId): ListRun {
    const token = {};
    let arrived: Contents = empty;
    const entry = this.#entries.get(account);
    if (entry !== undefined) {
      entry.run = token;
      entry.endedMeanwhile.clear();
      if (entry.state.kind === 'disconnected' || entry.state.kind === 'failed') {
        this.#transition(account, entry, { kind: 'loading', contents: entry.state.contents });
      }
    }
    const current = () => (entry?.run === token && this.#entries.get(account) === entry ? entry : undefined);
    return {
      arrive: (page) => {
        const entry = current();
        if (entry === undefined) return;
        const sessions = page.sessions.filter(({ id }) => !entry.endedMeanwhile.has(id));
        arrived = merge(arrived, groupByMetadata({ ...page, sessions }, this.#groupKey()));
        // What a list tells of runs, whatever becomes of the rest of the list.
        this.#setUnproven(account, entry, new Map([...entry.unproven].filter(([id]) => !arrived.sessions.has(id))));
        const { contents } = entry.state;
        this.#transition(account, entry, {
          ...entry.state,
          contents: withNew(contents, arrived, entry.state.kind !== 'ready'),
        });
      },
      complete: (proves) => {
        const entry = current();
        if (entry === undefined) return;
        entry.run = undefined;
        const missing = leftOut(entry, arrived, proves, this.#now());
        const { kept, forgotten } = withinBounds(missing.kept, entry.lives);
        const unproven = new Map([...missing.unproven].filter(([id]) => !forgotten.has(id)));
        const read = [...arrived.sessions].filter(([id]) => !entry.endedMeanwhile.has(id));
        const sessions = new Map([...read, ...kept.map((session) => [session.id, session] as const)]);
        const contents = {
          ...arrived,
          sessions,
          groups: withGroupsOf(kept, arrived.groups, entry.state.contents.groups),
          faults: [...arrived.faults, ...tooManyMissing(forgotten.size)],
        };
        const next = { kind: 'ready', contents, asOf: this.#now(), trouble: undefined } as const;
        this.#transition(account, entry, next, forgotten);
        this.#setUnproven(account, entry, unproven);
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

  unproven(account: AccountId): ReadonlyMap<SessionId, Absence> {
    return this.#entries.get(account)?.unproven ?? new Map();
  }

  /**
   * Takes over what the vendor has told of sessions that its list leaves out. That one runs counts until it cannot tell any
   * longer; lists that leave it out count from then.
   */
  learn(account: AccountId, told: ReadonlyMap<SessionId, Liveness>): void {
    const entry = this.#entries.get(account);
    if (entry === undefined) return;
    const now = this.#now();
    const learnt = (id: SessionId, absence: Absence): Absence => {
      const liveness = told.get(id);
      if (liveness === 'running') return { since: now, runs: true };
      return liveness === 'unknown' && absence.runs ? { since: now, runs: false } : absence;
    };
    entry.unproven = new Map([...entry.unproven].map(([id, absence]) => [id, learnt(id, absence)]));
  }

  /** Whether a session has left, proven to have ended, and no list has told of it since. */
  hasEnded(account: AccountId, session: SessionId): boolean {
    return this.#entries.get(account)?.ended.has(session) === true;
  }

  /** Says where sessions are in their life. Sessions that are not listed are passed over. */
  setLives(account: AccountId, lives: ReadonlyMap<SessionId, Life>): void {
    const entry = this.#entries.get(account);
    if (entry === undefined) return;
    const listed = [...lives].filter(([id]) => entry.state.contents.sessions.has(id));
    for (const [id, life] of listed) {
      if (life.kind === 'running') entry.lives.delete(id);
      else entry.lives.set(id, life);
    }
    if (listed.length === 0) return;
    this.#fire(
      account,
      false,
      listed.map(([id]) => id),
    );
  }

  /** The same of sessions that are all at the same point. */
  setLife(account: AccountId, sessions: readonly SessionId[], life: Life): void {
    this.setLives(account, new Map(sessions.map((id) => [id, life])));
  }

  /** Takes rows out that were proven gone by asking for each, where no list could be had or the list proves nothing. */
  removeProven(account: AccountId, gone: readonly SessionId[]): void {
    const entry = this.#entries.get(account);
    if (entry === undefined) return;
    const sessions = new Map(entry.state.contents.sessions);
    for (const id of gone) {
      sessions.delete(id);
      entry.endedMeanwhile.add(id);
    }
    entry.unproven = new Map([...entry.unproven].filter(([id]) => sessions.has(id)));
    this.#transition(account, entry, { ...entry.state, contents: { ...entry.state.contents, sessions } });
  }

  setPages(account: AccountId, session: SessionId, pages: PageList): void {
    const entry = this.#entries.get(account);
    if (!entry?.state.contents.sessions.has(session)) return;
    entry.pages.set(session, pages);
    this.#fire(account, false, [session]);
  }

  /**
   * Puts a state in place and tells what changed with it, and nothing where nothing did. @param forgotten sessions that it
   * does not have any longer though nothing is known of their end.
   */
  #transition(
    account: AccountId,
    entry: Entry,
    next: AccountState,
    forgotten: ReadonlySet<SessionId> = new Set(),
  ): void {
    const before = entry.state;
    entry.state = next;
    const { sessions } = next.contents;
    const leaving = [...before.contents.sessions.values()].filter(({ id }) => !sessions.has(id) && !forgotten.has(id));
    const left = leaving.map((session): Leaving => {
      const seen = entry.firstSeen.get(session.id) ?? this.#now();
      const start = { at: session.startedAt ?? seen, exact: session.startedAt !== undefined };
      return { accountId: account, session, start, byYou: isTaken(entry.lives.get(session.id) ?? running) };
    });
    for (const { id } of leaving) entry.ended.add(id);
    for (const id of entry.ended) {
      if (entry.ended.size <= mostEnded) break;
      entry.ended.delete(id);
    }
    for (const id of sessions.keys()) {
      entry.ended.delete(id);
      if (!entry.firstSeen.has(id)) entry.firstSeen.set(id, this.#now());
    }
    for (const known of [entry.lives, entry.firstSeen, entry.pages]) {
      for (const id of known.keys()) if (!sessions.has(id)) known.delete(id);
    }
    const changed = changedSessions(before.contents.sessions, sessions);
    const membership =
      changed === 'membership' ||
      before.kind !== next.kind ||
      !sameTrouble(troubleOf(before), troubleOf(next)) ||
      !same(before.contents.groups, next.contents.groups) ||
      !same(before.contents.faults, next.contents.faults) ||
      !same(before.contents.account, next.contents.account);
    if (membership) this.#fire(account, true, []);
    else if (changed.length > 0) this.#fire(account, false, changed);
    for (const one of left) this.#left.fire(one);
  }

  #setUnproven(account: AccountId, entry: Entry, unproven: ReadonlyMap<SessionId, Absence>): void {
    const before = entry.unproven;
    entry.unproven = unproven;
    const changed = [...before.keys(), ...unproven.keys()].filter((id) => before.has(id) !== unproven.has(id));
    const listed = changed.filter((id) => entry.state.contents.sessions.has(id));
    if (listed.length > 0) this.#fire(account, false, listed);
  }

  #fire(accountId: AccountId, membership: boolean, sessions: readonly SessionId[]): void {
    this.#changed.fire({ kind: 'account', accountId, membership, sessions });
  }
}

/** Whether a session's end was asked for, and the vendor has not said that it will not end it. */
function isTaken(life: Life): boolean {
  if (life.kind !== 'stuck') return life.kind === 'ending';
  return life.why.kind === 'unproven' || (life.why.kind === 'stillRuns' && life.why.found);
}

/** What went wrong at an account's last refresh, if anything. */
export function troubleOf(state: AccountState): ProviderError | undefined {
  return state.kind === 'ready' || state.kind === 'failed' ? state.trouble : undefined;
}

/** Whether an account's last refresh brought a complete list. */
export function isListed(state: AccountState | undefined): state is Extract<AccountState, { readonly kind: 'ready' }> {
  return state?.kind === 'ready' && state.trouble === undefined;
}

function sameTrouble(a: ProviderError | undefined, b: ProviderError | undefined): boolean {
  return a?.detail === b?.detail && same(a?.trouble, b?.trouble);
}

function newEntry(): Entry {
  return {
    state: { kind: 'disconnected', contents: empty },
    run: undefined,
    capabilities: new Set(),
    lives: new Map(),
    firstSeen: new Map(),
    pages: new Map(),
    ended: new Set(),
    endedMeanwhile: new Set(),
    unproven: new Map(),
  };
}

/**
 * The sessions that a list leaves out, and that stay all the same: those that it names among the rows that cannot be
 * read, or may mean by one that has no name, and, unless it is proof, all others. `now` is epoch milliseconds.
 */
function leftOut(
  { state, unproven: before }: Entry,
  arrived: Contents,
  proves: boolean,
  now: number,
): { readonly kept: readonly Session[]; readonly unproven: ReadonlyMap<SessionId, Absence> } {
  const named = new Set(arrived.faults.map(({ subject }) => subject));
  const isMeant = ({ id }: Session) => named.has(id);
  const missing = [...state.contents.sessions.values()].filter(({ id }) => !arrived.sessions.has(id));
  // A row that nobody can read may be any of them: nothing is known of any.
  if (arrived.faults.some(({ unnamed }) => unnamed === true)) return { kept: missing, unproven: new Map() };
  const kept = proves ? missing.filter(isMeant) : missing;
  const absences = kept
    .filter((session) => !isMeant(session))
    .map(({ id }) => [id, absenceAt(now, before.get(id))] as const);
  return { kept, unproven: new Map(absences) };
}

/** Those of the sessions that lists leave out for which there is room: all that are about to end, and the last listed. */
function withinBounds(missing: readonly Session[], lives: ReadonlyMap<SessionId, Life>) {
  const ending = missing.filter(({ id }) => lives.has(id));
  const others = missing.filter(({ id }) => !lives.has(id));
  let room = 0;
  for (let pages = 0; room < Math.min(others.length, mostKept - ending.length); room++) {
    pages += others[room]?.pages?.length ?? 0;
    if (pages > mostKeptPages) break;
  }
  return {
    kept: [...ending, ...others.slice(0, room)],
    forgotten: new Set(others.slice(room).map(({ id }) => id)),
  };
}

function tooManyMissing(count: number): ListFault[] {
  if (count === 0) return [];
  return [{ subject: `${count} more sessions`, unnamed: true, what: 'too many are missing from the latest lists' }];
}

/** Whether a list that began at `began` and leaves a session out once more is a second witness, and not the first again. */
export function isSecond({ since }: Absence, began: number): boolean {
  return began >= since + listsApartMs;
}

function absenceAt(now: number, before: Absence | undefined): Absence {
  if (before === undefined) return { since: now, runs: false };
  // A clock that was set back must not make it wait until it has caught up.
  return before.since <= now ? before : { ...before, since: now };
}

/** The groups that were listed, and those that only kept sessions still belong to. */
function withGroupsOf(
  kept: readonly Session[],
  listed: Contents['groups'],
  before: Contents['groups'],
): Contents['groups'] {
  const missing = kept.flatMap(({ groupId }) => {
    const group = groupId === undefined || listed.has(groupId) ? undefined : before.get(groupId);
    return group === undefined ? [] : [[group.id, group] as const];
  });
  return missing.length === 0 ? listed : new Map([...listed, ...missing]);
}

function merge(into: Contents, page: Inventory): Contents {
  const sessions = new Map(into.sessions);
  for (const session of page.sessions) sessions.set(session.id, session);
  const groups = new Map(into.groups);
  for (const group of page.groups) groups.set(group.id, group);
  return { sessions, groups, faults: [...into.faults, ...page.faults], account: page.account ?? into.account };
}

/** The pages of a session, as its list tells them or else as they were fetched; undefined while neither has. */
export function knownPages(store: SessionsView, account: AccountId, session: SessionId): readonly Page[] | undefined {
  const listed = store.session(account, session)?.pages;
  if (listed !== undefined) return listed;
  const fetched = store.pages(account, session);
  return fetched?.kind === 'ready' ? fetched.pages : undefined;
}

/** What was known, with what has arrived that was not, or with all that has arrived. */
function withNew(known: Contents, arrived: Contents, all: boolean): Contents {
  if (all) return { ...arrived, sessions: new Map([...known.sessions, ...arrived.sessions]) };
  return {
    sessions: new Map([...known.sessions, ...[...arrived.sessions].filter(([id]) => !known.sessions.has(id))]),
    groups: new Map([...arrived.groups, ...known.groups]),
    faults: known.faults,
    account: known.account,
  };
}

/** Which sessions differ; `membership` when a row came, went or moved to another group or place. */
function changedSessions(
  before: ReadonlyMap<SessionId, Session>,
  after: ReadonlyMap<SessionId, Session>,
): readonly SessionId[] | 'membership' {
  if (before.size !== after.size) return 'membership';
  const changed: SessionId[] = [];
  for (const [id, session] of after) {
    const known = before.get(id);
    if (known === undefined || known.groupId !== session.groupId || known.startedAt !== session.startedAt) {
      return 'membership';
    }
    if (!same(known, session)) changed.push(id);
  }
  return changed;
}
