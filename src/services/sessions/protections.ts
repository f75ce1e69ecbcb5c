import * as v from 'valibot';
import type { Account } from '../../core/account.ts';
import type { Clock } from '../../core/clock.ts';
import { Emitter, type Event } from '../../core/event.ts';
import { type AccountId, accountId, isRandomId, type SessionId } from '../../core/ids.ts';
import { oncePer } from '../../core/oncePer.ts';
import { loopbackPort } from '../../core/origin.ts';
import type { Memory } from '../../core/storage.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { storedEntries, storedRows } from '../storedRows.ts';
import { UndoneWrites } from '../undoneWrites.ts';
import { ControlledLater, type Pair } from './controlledLater.ts';
import { browserWithDevtools, isSameAddress, isSameSession, mayShareSessions } from './sameSession.ts';
import { isListed, type SessionsView } from './sessionsView.ts';

const memoryKey = 'protectedSessions';
/**
 * Grows with each change. VS Code's memory can fall back to an older value, briefly or for good, when another window writes
 * before it has seen a change: older versions than the one known here are ignored.
 */
const countKey = 'protectedSessionsCount';
/** IDs of the latest changes. A window finds its own missing there if another one wrote before it had seen them. */
const changesKey = 'protectedSessionsChanges';
/** Enough for several windows that each make the most changes. */
const mostChanges = 500;
const mostOwnChanges = 100;
/** How long after a change another window may write that hasn't seen it, in milliseconds. */
const unseenMs = 15_000;
/** Changes that follow each other this fast count as one, in milliseconds: of separate ones, only some are remembered. */
const togetherMs = 1_000;
/** Most ids of an account that are kept after their sessions ended; the oldest go first. */
const mostGone = 500;
const none: ReadonlySet<string> = new Set();

/** The protected sessions of each account. */
type Kept = ReadonlyMap<AccountId, ReadonlySet<string>>;

/** Sessions of an account. */
export interface Place {
  readonly account: AccountId;
  readonly sessions: readonly SessionId[];
}

/** What this window has protected or unprotected at once. */
interface Change extends Place {
  readonly id: string;
  /** By the monotonic clock. */
  readonly at: number;
  readonly isProtected: boolean;
}

/**
 * The sessions that the user protected, by account, kept across restarts. They are skipped when several are ended at once.
 * What any window writes counts in all of them at once.
 */
export class Protections {
  readonly #memory: Memory;
  readonly #store: SessionsView;
  readonly #accounts: Pick<Accounts, 'all' | 'get'>;
  readonly #clock: Clock;
  readonly #undone: UndoneWrites;
  /** What {@link #kept} was read from: memory returns another value after a window has written. */
  #read: unknown;
  #count = 0;
  #changes: readonly string[] = [];
  #own: readonly Change[] = [];
  #kept: Kept = new Map();
  /** See {@link noteGone}. */
  readonly #gone = new Map<AccountId, Set<SessionId>>();
  readonly #controlled: ControlledLater;
  /** What {@link onDidChange} has told of. */
  #told = this.#kept;
  readonly #changed = new Emitter<AccountId>();

  /**
   * Fires for each account whose sessions may be protected or unprotected now: when this window does that, or {@link follow} finds
   * that another one did.
   */
  readonly onDidChange: Event<AccountId> = this.#changed.event;

  constructor(memory: Memory, store: SessionsView, accounts: Pick<Accounts, 'all' | 'get'>, clock: Clock) {
    this.#memory = memory;
    this.#store = store;
    this.#accounts = accounts;
    this.#clock = clock;
    this.#controlled = new ControlledLater(store);
    this.#undone = new UndoneWrites(
      clock,
      () => {
        // Takes over what another window has changed since.
        this.#current();
        return this.#storedCount >= this.#count;
      },
      () => this.#write(),
    );
    store.onDidChange((change) => {
      // It applies in this window even if it can't be stored, and the next change stores it.
      if (change.kind === 'account') void this.#followControlled(change.accountId).catch(() => {});
    });
  }

  /**
   * Whether a session is protected, also in another account that lists the same one. Called for each row, so it only checks
   * whether another window has written.
   */
  has(account: AccountId, session: SessionId): boolean {
    for (const _ of this.#protectedAs(account, session)) return true;
    return false;
  }

  /** Whether any session of an account is protected, listed or not. */
  hasAny(account: AccountId): boolean {
    return this.#idsIn(account).length > 0;
  }

  /**
   * Where a session is protected: in its account, in another one that lists it, as a tool's session that controls it, as the browser
   * on this machine that it's in or that it is, or as a session in this browser.
   */
  *#protectedAs(account: AccountId, session: SessionId): Iterable<readonly [AccountId, SessionId]> {
    const kept = this.#current();
    if (kept.size === 0) return;
    const one = this.#accounts.get(account);
    const { drives, local } = this.#store.session(account, session) ?? {};
    const placesOf = accountsById(kept);
    for (const other of placesOf.get(session) ?? [])
      if (other === account || isSameSession(this.#store, session, one, this.#accounts.get(other)))
        yield [other, session];
    if (drives !== undefined)
      for (const other of placesOf.get(drives.id) ?? [])
        if (this.#accounts.get(other)?.provider === drives.provider) yield [other, drives.id];
    for (const { accountId: its, session: tool } of this.#store.links.controllersOf(account, session))
      if (kept.get(its)?.has(tool.id) === true) yield [its, tool.id];
    const port = loopbackPort(one?.origin ?? '');
    for (const [other, browser] of port === undefined ? [] : this.#store.links.atPort(port))
      if (other !== account && kept.get(other)?.has(browser) === true) yield [other, browser];
    if (local?.port !== undefined) yield* this.#protectedAt(local.port, kept);
    // A server on this machine lists its browsers by the IDs that they have in DevTools.
    const served = local?.devtoolsId as SessionId | undefined;
    if (served !== undefined) for (const other of placesOf.get(served) ?? []) yield [other, served];
    for (const [other, ids] of isRandomId(session) ? kept : []) {
      const browser = browserWithDevtools(this.#store.state(other), session);
      if (browser !== undefined && ids.has(browser)) yield [other, browser];
    }
  }

  /** Protects the cloud sessions that protected tools on this machine control, for as long as they do. */
  async #followControlled(changed: AccountId): Promise<void> {
    const controlled = await this.#controlled.load();
    const kept = this.#current();
    const isKept = ({ account, session }: Pair['cloud']) => kept.get(account)?.has(session) === true;
    const begun = controlled.begun(changed).filter(({ tool, cloud }) => isKept(tool) && !isKept(cloud));
    controlled.note(begun);
    const left = controlled.left(changed, isKept).filter(({ cloud }) => isKept(cloud));
    const changes = [...begun, ...left].map(({ cloud: { account, session } }, index) => {
      return { account, sessions: [session], isProtected: index < begun.length };
    });
    if (changes.length === 0) return;
    await this.#change(changes);
    this.#undone.watch();
  }

  /** The protected sessions of accounts for a port of this machine that aren't listed: any of them may be in the browser there. */
  *#protectedAt(port: number, kept: Kept): Iterable<readonly [AccountId, SessionId]> {
    for (const { id, origin } of this.#accounts.all) {
      if (loopbackPort(origin) !== String(port) || isListed(this.#store.state(id))) continue;
      for (const session of kept.get(id) ?? none) yield [id, session as SessionId];
    }
  }

  /**
   * The protected sessions of an account that aren't listed and haven't ended as far as this window knows.
   * @param asked an account that {@link sharing} names along with it, and that doesn't list them. This one may.
   */
  unlisted(account: AccountId, asked = account): readonly SessionId[] {
    const gone = this.#gone.get(account);
    const known = this.#store.known(asked);
    const [one, other] = [account, asked].map((id) => this.#accounts.get(id)?.provider);
    return this.#idsIn(account).filter((id) => {
      const isGone = known.has(id) || this.#store.hasEnded(account, id) || gone?.has(id) === true;
      return !isGone && (one === other || isRandomId(id));
    });
  }

  /** An account, and the others that may have the same sessions. */
  sharing(account: AccountId): readonly AccountId[] {
    const one = this.#accounts.get(account);
    const others = this.#accounts.all.filter((other) => other.id !== account && mayShareSessions(one, other));
    return [account, ...others.map(({ id }) => id)];
  }

  /**
   * Takes note of the unlisted sessions that the provider says are gone, in place of those noted before. They stay protected: its
   * answer may be wrong.
   */
  noteGone(account: AccountId, sessions: readonly SessionId[]): void {
    this.#gone.set(account, new Set(sessions));
  }

  /**
   * Protects or unprotects sessions of an account. Unprotecting counts wherever the same ones are protected.
   * @returns where sessions were protected or unprotected by this.
   */
  async set(account: AccountId, sessions: readonly SessionId[], isProtected: boolean): Promise<readonly Place[]> {
    this.#controlled.forget(account, sessions);
    const places = isProtected ? this.#placesToProtect(account, sessions) : this.#placesOf(account, sessions);
    await this.#change(places.map((place) => ({ ...place, isProtected })));
    this.#undone.watch();
    return places;
  }

  /** Sessions, and the cloud sessions that they control as tools on this machine. */
  #placesToProtect(account: AccountId, sessions: readonly SessionId[]): readonly Place[] {
    const kept = this.#current();
    const pairs = sessions.flatMap((session): Pair[] => {
      const drives = this.#store.known(account).get(session)?.drives;
      if (drives === undefined) return [];
      return this.#accounts.all.flatMap(({ id, provider }) => {
        const isListed = provider === drives.provider && this.#store.session(id, drives.id) !== undefined;
        const cloud = { account: id, session: drives.id };
        return isListed && kept.get(id)?.has(drives.id) !== true ? [{ tool: { account, session }, cloud }] : [];
      });
    });
    this.#controlled.note(pairs);
    return [
      { account, sessions },
      ...pairs.map(({ cloud }) => ({ account: cloud.account, sessions: [cloud.session] })),
    ];
  }

  /** Where any of these sessions are protected. */
  #placesOf(account: AccountId, sessions: readonly SessionId[]): readonly Place[] {
    const found = sessions.flatMap((id) => [...this.#protectedAs(account, id)]);
    return [...Map.groupBy(found, ([its]) => its)].map(([its, all]) => {
      return { account: its, sessions: [...new Set(all.map(([, id]) => id))] };
    });
  }

  async #change(all: readonly (Place & Pick<Change, 'isProtected'>)[]): Promise<void> {
    // What another window has changed since comes first.
    this.#current();
    const at = this.#clock.monotonic();
    const changes = all.map((one): Change => ({ ...one, id: crypto.randomUUID().slice(0, 8), at }));
    const own = [...this.#recent()];
    for (const change of changes) {
      const last = own.at(-1);
      const { account, isProtected } = change;
      const isLatest = this.#changes.at(-1) === last?.id;
      const isSameKind = last?.account === account && last.isProtected === isProtected;
      const isNext = isLatest && isSameKind && at - last.at < togetherMs;
      if (isNext) own.pop();
      own.push(isNext ? { ...change, sessions: [...last.sessions, ...change.sessions] } : change);
    }
    this.#own = own.slice(-mostOwnChanges);
    this.#apply(changes);
    for (const { account } of changes) {
      this.#forgetGone(account);
      this.#told = new Map(this.#told).set(account, this.#kept.get(account) ?? none);
    }
    this.#fire(changes.map(({ account }) => account));
    await this.#write();
  }

  #apply(changes: readonly Change[]): void {
    const kept = new Map(this.#kept);
    for (const { account, sessions, isProtected } of changes) {
      const ids = new Set(kept.get(account));
      for (const id of sessions) {
        ids.delete(id);
        if (isProtected) ids.add(id);
        this.#gone.get(account)?.delete(id);
      }
      kept.set(account, ids);
    }
    this.#kept = kept;
    this.#changes = [...new Set([...this.#changes, ...changes.map(({ id }) => id)])].slice(-mostChanges);
    this.#count += 1;
  }

  /** Limits how many ids are kept after their sessions ended. */
  #forgetGone(account: AccountId): void {
    const state = this.#store.state(account);
    // A row that can't be read may be any session.
    if (!isListed(state) || state.contents.faults.length > 0) return;
    const ids = new Set(this.#kept.get(account));
    const gone = [...ids].filter((id) => !this.#store.known(account).has(id as SessionId));
    for (const id of gone.slice(0, -mostGone)) ids.delete(id);
    this.#kept = new Map(this.#kept).set(account, ids);
  }

  /** The changes of this window that others may not have seen yet. */
  #recent(): readonly Change[] {
    return this.#own.filter(({ at }) => this.#clock.monotonic() - at < unseenMs);
  }

  /**
   * Unprotects all sessions of an account that was removed, before the store forgets it. They stay protected in accounts that list the same ones, or may do so
   * once they're listed, and as the browser on this machine that they're in. Never rejects: nothing depends on it.
   */
  async forget(removed: Account): Promise<void> {
    const ids = this.#idsIn(removed.id);
    if (ids.length === 0) return;
    const others = this.#accounts.all.filter(({ id }) => id !== removed.id);
    const kept = others.map((other) => {
      const isThere = (id: SessionId) => this.#store.session(other.id, id) !== undefined;
      const mayList = isSameAddress(other.origin, removed.origin) && !isListed(this.#store.state(other.id));
      const sessions = ids.filter((id) => isSameSession(this.#store, id, other, removed) && (isThere(id) || mayList));
      return { account: other.id, sessions, isProtected: true };
    });
    const port = loopbackPort(removed.origin);
    const isAnyThere = ids.some((id) => this.#store.session(removed.id, id) !== undefined);
    const browsers = port === undefined || !isAnyThere ? [] : this.#store.links.atPort(port);
    const around = browsers.map(([account, browser]) => ({ account, sessions: [browser], isProtected: true }));
    const served = others.map(({ id: account }) => {
      const state = this.#store.state(account);
      return { account, sessions: ids.flatMap((id) => browserWithDevtools(state, id) ?? []), isProtected: true };
    });
    const changes = [{ account: removed.id, sessions: ids, isProtected: false }, ...kept, ...around, ...served];
    await this.#change(changes.filter(({ sessions }) => sessions.length > 0)).catch(() => {});
    this.#undone.watch();
  }

  async #write(): Promise<void> {
    const entries = [...this.#kept].filter(([, its]) => its.size > 0).map(([id, its]) => [id, [...its]] as const);
    await Promise.all([
      this.#memory.update(memoryKey, Object.fromEntries(entries)),
      this.#memory.update(countKey, this.#count),
      this.#memory.update(changesKey, this.#changes),
    ]);
  }

  /** Checks whether another window has protected or unprotected sessions: VS Code doesn't tell when its memory changes. */
  follow(): void {
    const [told, now] = [this.#told, this.#current()];
    if (told === now) return;
    this.#told = now;
    const changed = [...new Set([...told.keys(), ...now.keys()])].filter((account) => {
      const [before, after] = [told.get(account) ?? none, now.get(account) ?? none];
      return before.size !== after.size || lacksAny(before, after);
    });
    this.#fire(changed);
  }

  /** Fires for accounts, and for all others: they may list the same sessions. */
  #fire(changed: readonly AccountId[]): void {
    if (changed.length === 0) return;
    for (const account of new Set([...changed, ...this.#accounts.all.map(({ id }) => id)])) this.#changed.fire(account);
  }

  #idsIn(account: AccountId): readonly SessionId[] {
    return [...(this.#current().get(account) ?? none)].map((id) => id as SessionId);
  }

  get #storedCount(): number {
    const count = this.#memory.get(countKey);
    return typeof count === 'number' && Number.isFinite(count) ? count : 0;
  }

  #current(): Kept {
    const read = this.#memory.get(memoryKey);
    const count = this.#storedCount;
    if (read === this.#read || count < this.#count) return this.#kept;
    this.#read = read;
    this.#count = count;
    const known = new Set(this.#changes);
    this.#changes = storedRows(v.string(), this.#memory.get(changesKey));
    // Another window's user may have protected sessions that were only protected because of their tools. Then they stay so.
    if (this.#changes.some((id) => !known.has(id))) this.#controlled.forgetAll();
    this.#kept = new Map(
      [...storedEntries(v.array(v.unknown()), read)].map(([id, ids]) => {
        return [accountId(id), new Set(storedRows(v.string(), ids))] as const;
      }),
    );
    const recent = this.#recent();
    const unseen = recent.findIndex(({ id }) => !this.#changes.includes(id));
    if (unseen >= 0) {
      this.#apply(recent.slice(unseen));
      // It's checked again with the next change, and whenever this window is asked.
      this.#write().catch(() => {});
    }
    return this.#kept;
  }
}

/** The accounts in which each session is protected. */
const accountsById = oncePer((kept: Kept): ReadonlyMap<string, readonly AccountId[]> => {
  const accounts = new Map<string, AccountId[]>();
  for (const [account, ids] of kept) {
    for (const id of ids) {
      const its = accounts.get(id);
      if (its === undefined) accounts.set(id, [account]);
      else its.push(account);
    }
  }
  return accounts;
});

function lacksAny(ids: ReadonlySet<string>, wanted: ReadonlySet<string>): boolean {
  return [...wanted].some((id) => !ids.has(id));
}
