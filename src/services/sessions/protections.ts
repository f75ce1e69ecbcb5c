import * as v from 'valibot';
import type { Clock } from '../../core/clock.ts';
import { Emitter, type Event } from '../../core/event.ts';
import { type AccountId, accountId, type SessionId } from '../../core/ids.ts';
import type { Memory } from '../../core/storage.ts';
import { storedEntries, storedRows } from '../storedRows.ts';
import { UndoneWrites } from '../undoneWrites.ts';
import { isListed, type SessionsView } from './sessionsView.ts';

const memoryKey = 'protectedSessions';
/**
 * Grows with each change. VS Code's memory can fall back to an older value, briefly or for good, when another window writes
 * before it has seen a change: older versions than the one known here are ignored.
 */
const countKey = 'protectedSessionsCount';
/** Tells apart changes that two windows made with the same count, before either had seen the other's. */
const changeKey = 'protectedSessionsChange';
/** Most ids of an account that are kept after their sessions ended; the oldest go first. */
const mostGone = 500;
const none: ReadonlySet<string> = new Set();

/**
 * The sessions that the user protected, by account, kept across restarts. They are skipped when several are ended at once.
 * What any window writes counts in all of them at once.
 */
export class Protections {
  readonly #memory: Memory;
  readonly #store: SessionsView;
  readonly #undone: UndoneWrites;
  /** What {@link #kept} was read from: memory returns another value after a window has written. */
  #read: unknown;
  #count = 0;
  #change: unknown;
  #kept: ReadonlyMap<AccountId, ReadonlySet<string>> = new Map();
  /** See {@link noteGone}. */
  readonly #gone = new Map<AccountId, Set<SessionId>>();
  /** What {@link onDidChange} has told of. */
  #told = this.#kept;
  readonly #changed = new Emitter<AccountId>();

  /** Fires with the account when this window protects or unprotects sessions, or {@link follow} finds that another one did. */
  readonly onDidChange: Event<AccountId> = this.#changed.event;

  constructor(memory: Memory, store: SessionsView, clock: Clock) {
    this.#memory = memory;
    this.#store = store;
    this.#undone = new UndoneWrites(
      clock,
      () => {
        // Takes over what another window has changed since.
        this.#current();
        return this.#storedCount >= this.#count;
      },
      () => this.#write(),
    );
  }

  /** Called for each row, so it only checks whether another window has written. */
  has(account: AccountId, session: SessionId): boolean {
    return this.#current().get(account)?.has(session) === true;
  }

  /** The protected sessions of an account that aren't listed and haven't ended as far as this window knows. */
  unlisted(account: AccountId): readonly SessionId[] {
    const known = this.#store.known(account);
    const gone = this.#gone.get(account);
    return this.#idsIn(account).filter(
      (id) => !known.has(id) && !this.#store.hasEnded(account, id) && gone?.has(id) !== true,
    );
  }

  /**
   * Takes note of the unlisted sessions that the provider says are gone, in place of those noted before. They stay protected: its
   * answer may be wrong.
   */
  noteGone(account: AccountId, sessions: readonly SessionId[]): void {
    this.#gone.set(account, new Set(sessions));
  }

  async set(account: AccountId, sessions: readonly SessionId[], isProtected: boolean): Promise<void> {
    const ids = new Set(this.#current().get(account));
    for (const id of sessions) {
      ids.delete(id);
      this.#gone.get(account)?.delete(id);
      if (isProtected) ids.add(id);
    }
    const state = this.#store.state(account);
    // A row that can't be read may be any session.
    if (isListed(state) && state.contents.faults.length === 0) {
      const gone = [...ids].filter((id) => !this.#store.known(account).has(id as SessionId));
      for (const id of gone.slice(0, -mostGone)) ids.delete(id);
    }
    this.#kept = new Map(this.#kept).set(account, ids);
    this.#change = crypto.randomUUID();
    this.#count += 1;
    this.#told = new Map(this.#told).set(account, ids);
    this.#changed.fire(account);
    await this.#write();
    this.#undone.watch();
  }

  /** Unprotects all sessions of an account that was removed. Never rejects: nothing depends on it. */
  async forget(account: AccountId): Promise<void> {
    const ids = this.#idsIn(account);
    if (ids.length > 0) await this.set(account, ids, false).catch(() => {});
  }

  async #write(): Promise<void> {
    const entries = [...this.#kept].filter(([, its]) => its.size > 0).map(([id, its]) => [id, [...its]] as const);
    await Promise.all([
      this.#memory.update(memoryKey, Object.fromEntries(entries)),
      this.#memory.update(countKey, this.#count),
      this.#memory.update(changeKey, this.#change),
    ]);
  }

  /** Checks whether another window has protected or unprotected sessions: VS Code doesn't tell when its memory changes. */
  follow(): void {
    const [told, now] = [this.#told, this.#current()];
    if (told === now) return;
    this.#told = now;
    for (const account of new Set([...told.keys(), ...now.keys()])) {
      const [before, after] = [told.get(account) ?? none, now.get(account) ?? none];
      if (before.size !== after.size || lacksAny(before, after)) this.#changed.fire(account);
    }
  }

  #idsIn(account: AccountId): readonly SessionId[] {
    return [...(this.#current().get(account) ?? none)].map((id) => id as SessionId);
  }

  get #storedCount(): number {
    return Number(this.#memory.get(countKey)) || 0;
  }

  #current(): ReadonlyMap<AccountId, ReadonlySet<string>> {
    const read = this.#memory.get(memoryKey);
    const count = this.#storedCount;
    if (read === this.#read || count < this.#count) return this.#kept;
    const change = this.#memory.get(changeKey);
    const stored = new Map(
      [...storedEntries(v.array(v.unknown()), read)].map(([id, ids]) => {
        return [accountId(id), new Set(storedRows(v.string(), ids))] as const;
      }),
    );
    const own = this.#kept;
    const isConflict = count === this.#count && count > 0 && change !== this.#change;
    this.#read = read;
    this.#kept = stored;
    this.#change = change;
    this.#count = count;
    if (isConflict && [...own].some(([account, ids]) => lacksAny(stored.get(account) ?? none, ids))) {
      this.#kept = union(own, stored);
      this.#change = crypto.randomUUID();
      this.#count += 1;
      // It's checked again with the next change, and whenever this window is asked.
      this.#write().catch(() => {});
    }
    return this.#kept;
  }
}

type Protected = ReadonlyMap<AccountId, ReadonlySet<string>>;

/** What either has: a session that either window protects stays protected. */
function union(one: Protected, other: Protected): Protected {
  const accounts = new Set([...one.keys(), ...other.keys()]);
  return new Map([...accounts].map((id) => [id, new Set([...(one.get(id) ?? []), ...(other.get(id) ?? [])])]));
}

function lacksAny(ids: ReadonlySet<string>, wanted: ReadonlySet<string>): boolean {
  return [...wanted].some((id) => !ids.has(id));
}
