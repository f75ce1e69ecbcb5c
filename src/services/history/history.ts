import * as v from 'valibot';
import { systemClock } from '../../core/clock.ts';
import { type Disposable, Emitter, type Event } from '../../core/event.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { same } from '../../core/same.ts';
import { type EndCause, isSame, isSameStart, type Session } from '../../core/session.ts';
import { bestName } from '../../core/sessionName.ts';
import type { Memory } from '../../core/storage.ts';
import { Throttle } from '../../core/throttle.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { storedRows } from '../storedRows.ts';
import { UndoneWrites } from '../undoneWrites.ts';

const memoryKey = 'endedSessions';
/** When the history was last cleared, in epoch milliseconds. */
const clearedKey = 'endedSessionsCleared';
const mostKept = 100;
/** Sessions often end together: the first is saved at once, and those that follow this soon are saved together. */
const throttleMs = 500;

/** A time that a date can have, in epoch milliseconds. */
const Time = v.pipe(v.number(), v.minValue(-8.64e15), v.maxValue(8.64e15));

const EndedSession = v.object({
  accountId: v.string(),
  /** The account's name at the time. */
  account: v.string(),
  sessionId: v.string(),
  /** The provider's name for it; clean it before showing. */
  name: v.optional(v.string()),
  /** When it started, or was first seen, in epoch milliseconds. */
  startedAt: Time,
  startIsExact: v.boolean(),
  /** When it was confirmed gone, in epoch milliseconds. */
  endedAt: Time,
  /**
   * `you` where it was ended from here; `timedOut` and `failed` where the provider says so; `elsewhere` for any other end,
   * by itself or by someone else.
   */
  by: v.picklist(['you', 'elsewhere', 'timedOut', 'failed']),
  /** The folder of its temporary profile, if it was a browser on this machine whose tool doesn't delete it. */
  profile: v.optional(v.string()),
  /** The machine that the profile is on, if it's a remote one. All windows share the history. */
  machine: v.optional(v.string()),
});
/** A session that was listed and has ended. Holds no secret and no web address; commands accept it as a target. */
export type EndedSession = v.InferOutput<typeof EndedSession>;

/**
 * The sessions that ended most recently, newest first, kept across restarts. All windows share it: what other windows saw
 * is read with the next end, and what one window cleared no other writes again.
 *
 * Turned off, it writes nothing and deletes what was written. It still remembers what ended in this window, because live
 * views and commands need it.
 */
export class History implements Disposable {
  readonly #memory: Memory;
  readonly #store: SessionStore;
  readonly #now: () => number;
  readonly #machine: string | undefined;
  readonly #subscriptions: readonly Disposable[];
  readonly #changed = new Emitter<void>();
  readonly #writing = new Throttle(() => {
    this.#write();
    this.#undone.watch();
  }, throttleMs);
  readonly #undone = new UndoneWrites(
    systemClock,
    () => this.#isStored(),
    async () => (this.#mayKeep() ? this.#write() : this.#delete()),
  );
  #ended: readonly EndedSession[] = [];
  /** The sessions whose end wasn't written yet. */
  readonly #unwritten = new Set<string>();
  #cleared = 0;
  /** What was stored when this window cleared it: a clock that was ahead may have written it, so times don't tell. */
  #clearedRows: ReadonlySet<string> = new Set();
  /** When it was cleared, by any window, as far as this one has noticed. */
  readonly #knownClears = new Set<number>();
  readonly #mayKeep: () => boolean;
  /** Undefined until what is stored was read. */
  #keeps: boolean | undefined;

  #isToTell = false;

  /** Fires once per change, however many sessions it is about: thousands may leave one list. */
  readonly onDidChange: Event<void> = this.#changed.event;

  /**
   * @param mayKeep whether ended sessions may be saved; see {@link followSetting}.
   * @param machine the machine of a remote window; see `Accounts.machine`.
   */
  constructor(
    memory: Memory,
    store: SessionStore,
    accounts: Accounts,
    now: () => number,
    mayKeep: () => boolean = () => true,
    machine?: string,
  ) {
    this.#machine = machine;
    this.#memory = memory;
    this.#store = store;
    this.#now = now;
    this.#mayKeep = mayKeep;
    this.#subscriptions = [
      store.onDidLeave(({ accountId: account, session, pages, start, byYou }) => {
        this.#put({
          accountId: account,
          account: accounts.get(account)?.label ?? '',
          sessionId: session.id,
          name: bestName(session, pages).text || undefined,
          startedAt: start.at,
          startIsExact: start.exact,
          endedAt: now(),
          by: byYou ? 'you' : 'elsewhere',
          ...(session.local?.profile?.afterEnd === 'left'
            ? { profile: session.local.profile.folder, ...(machine !== undefined && { machine }) }
            : {}),
        });
      }),
      // A list had left out a running session by mistake.
      store.onDidChange((change) => {
        if (change.kind !== 'account' || !change.membership) return;
        this.#open();
        const remaining = this.#ended.filter((ended) => !this.#isListed(ended));
        if (remaining.length < this.#ended.length) this.#set(remaining);
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#writing.dispose();
    if (this.#writing.isAsked) this.#write();
    this.#undone.dispose();
  }

  /** Reads what is stored, unless that was done before: VS Code starts sooner if it isn't done on startup. */
  #open(): void {
    if (this.#keeps !== undefined) return;
    this.#keeps = this.#mayKeep();
    if (this.#keeps) {
      this.#cleared = this.#readCleared();
      this.#knownClears.add(this.#cleared);
      // Another window may have cleared it, and be about to write that. A time in the future is from a clock set back since.
      const cleared = this.#cleared <= this.#now() ? this.#cleared : 0;
      this.#ended = this.#read().filter((row) => this.#isAfterClear(row, cleared));
      // It may have been turned off while this extension wasn't running.
    } else if ([memoryKey, clearedKey].some((key) => this.#memory.get(key) !== undefined)) this.#delete();
  }

  get all(): readonly EndedSession[] {
    this.#open();
    return this.#ended.map((ended) => this.#asHere(ended));
  }

  /**
   * An ended session, if it is among the most recent.
   * @param meant what is known of the session, if anything is: an earlier one that had its ID is then not found.
   */
  find(
    account: AccountId,
    session: SessionId,
    meant?: Pick<Session, 'startedAt' | 'hasUniqueId'>,
  ): EndedSession | undefined {
    const known = this.#find(account, session);
    if (known === undefined) return undefined;
    if (meant !== undefined && known.startIsExact && !isSame(known, meant)) return undefined;
    return this.#asHere(known);
  }

  #find(account: AccountId, session: SessionId): EndedSession | undefined {
    this.#open();
    return this.#ended.find(({ accountId: its, sessionId: id }) => its === account && id === session);
  }

  /** Without a profile of another machine: the same folder may be something else here. */
  #asHere(ended: EndedSession): EndedSession {
    return ended.profile === undefined || ended.machine === this.#machine ? ended : withoutProfile(ended);
  }

  /** Adds what the provider says about an end that was seen here. */
  learn(account: AccountId, session: SessionId, { how, endedAt }: EndCause): void {
    const known = this.#find(account, session);
    if (known === undefined) return;
    const learned = {
      ...known,
      by: known.by === 'elsewhere' && how !== 'completed' ? how : known.by,
      // It can't have been seen gone before it ended.
      endedAt: endedAt !== undefined && endedAt >= known.startedAt ? Math.min(endedAt, known.endedAt) : known.endedAt,
    };
    if (!same(known, learned)) this.#set(this.#ended.map((ended) => (ended === known ? learned : ended)));
  }

  /** Removes a profile from the ended sessions that left it, because it was deleted. */
  forgetProfile(folder: string): void {
    this.#open();
    const isIt = ({ profile, machine }: EndedSession) => profile === folder && machine === this.#machine;
    if (this.#ended.some(isIt)) this.#set(this.#ended.map((ended) => (isIt(ended) ? withoutProfile(ended) : ended)));
  }

  clear(): void {
    this.#open();
    this.#cleared = this.#now();
    this.#knownClears.add(this.#cleared);
    this.#clearedRows = new Set([...this.#ended, ...this.#read()].map(rowOf));
    if (this.#mayKeep()) {
      // Together: otherwise, a window whose clock is ahead takes the rows for those of later ends.
      void this.#memory.update(memoryKey, []);
      void this.#memory.update(clearedKey, this.#cleared);
    }
    this.#set([]);
  }

  /**
   * Call it soon after startup, and whenever the setting may have changed. When it is off, everything that ended before is
   * forgotten.
   */
  followSetting(): void {
    this.#open();
    const keeps = this.#mayKeep();
    if (keeps === this.#keeps) return;
    this.#keeps = keeps;
    this.#cleared = this.#now();
    if (!keeps) this.#delete();
    this.#set([]);
  }

  #delete(): void {
    for (const key of [memoryKey, clearedKey]) void this.#memory.update(key, undefined);
  }

  /** Whether what this window has cleared, deleted or added is stored so. */
  #isStored(): boolean {
    const stored = this.#memory.get(memoryKey);
    if (!this.#mayKeep()) return stored === undefined;
    const rows = this.#read();
    const keys = new Set(rows.map(keyOf));
    return (
      this.#readCleared() >= this.#cleared &&
      rows.every((row) => this.#isAfterClear(row, this.#cleared)) &&
      this.#ended.every((ended) => keys.has(keyOf(ended)))
    );
  }

  #put(ended: EndedSession): void {
    this.#open();
    const others = this.#ended.filter(
      ({ accountId: account, sessionId: id }) => account !== ended.accountId || id !== ended.sessionId,
    );
    this.#unwritten.add(keyOf(ended));
    this.#set([ended, ...others].slice(0, mostKept));
  }

  #tell(): void {
    if (this.#isToTell) return;
    this.#isToTell = true;
    queueMicrotask(() => {
      this.#isToTell = false;
      this.#changed.fire();
    });
  }

  #set(ended: readonly EndedSession[]): void {
    this.#ended = ended;
    this.#tell();
    this.#writing.ask();
  }

  /** Merges what other windows have written with what is known here, and writes both. */
  #write(): void {
    const unwritten = new Set(this.#unwritten);
    this.#unwritten.clear();
    if (!this.#mayKeep()) return;
    const stored = this.#readCleared();
    // Another window has cleared it since, whatever its clock said: only what is new stays.
    const isCleared = !this.#knownClears.has(stored);
    this.#knownClears.add(stored);
    const left = isCleared ? this.#ended.filter((ended) => unwritten.has(keyOf(ended))) : this.#ended;
    // A time in the future comes from a clock that was set back since.
    const cleared = Math.max(...[this.#cleared, stored].filter((at) => at <= this.#now()), 0);
    const own = cleared === this.#cleared ? left : left.filter(({ endedAt }) => endedAt > cleared);
    this.#cleared = cleared;
    const others = this.#read().filter((row) => this.#isAfterClear(row, cleared) && !this.#isBack(row));
    const known = new Map<string, EndedSession>();
    for (const ended of [...own, ...others]) {
      const key = keyOf(ended);
      known.set(key, better(known.get(key) ?? ended, ended));
    }
    const all = [...known.values()].sort((a, b) => b.endedAt - a.endedAt).slice(0, mostKept);
    const shown = all.filter((ended) => !this.#isListed(ended));
    void this.#memory.update(memoryKey, all);
    if (stored < cleared) void this.#memory.update(clearedKey, cleared);
    if (same(shown, this.#ended)) return;
    this.#ended = shown;
    this.#tell();
  }

  #isAfterClear(row: EndedSession, cleared: number): boolean {
    return row.endedAt > cleared && !this.#clearedRows.has(rowOf(row));
  }

  #read(): readonly EndedSession[] {
    return storedRows(EndedSession, this.#memory.get(memoryKey));
  }

  #readCleared(): number {
    const at = this.#memory.get(clearedKey);
    return typeof at === 'number' ? at : 0;
  }

  #isListed({ accountId: account, sessionId: id, startedAt, startIsExact }: EndedSession): boolean {
    const listed = this.#store.session(account as AccountId, id as SessionId);
    return listed !== undefined && (!startIsExact || isSame({ startedAt }, listed));
  }

  /** Whether a list that began after its end has it, and not only an earlier one. */
  #isBack(ended: EndedSession): boolean {
    const state = this.#store.state(ended.accountId as AccountId);
    const isKept = this.#store.missing(ended.accountId as AccountId).has(ended.sessionId as SessionId);
    return this.#isListed(ended) && state?.kind === 'ready' && state.asOf >= ended.endedAt && !isKept;
  }
}

function keyOf({ accountId, sessionId }: EndedSession): string {
  return `${accountId}/${sessionId}`;
}

/** Tells a row from those of other ends of the same session. */
function rowOf(ended: EndedSession): string {
  return `${keyOf(ended)}/${ended.endedAt}`;
}

/** The later of two ends. Where two windows saw the same end, the one that knows more. */
function better(a: EndedSession, b: EndedSession): EndedSession {
  const isLater = !isSameStart(a.startedAt, b.startedAt) || !isSameStart(b.startedAt, a.startedAt);
  const areTwo = a.startIsExact && b.startIsExact && isLater;
  if (areTwo) return a.endedAt >= b.endedAt ? a : b;
  const more = knowledge(a) - knowledge(b);
  return more > 0 || (more === 0 && a.endedAt <= b.endedAt) ? a : b;
}

function knowledge({ by }: EndedSession): number {
  return by === 'you' ? 2 : by === 'elsewhere' ? 0 : 1;
}

function withoutProfile({ profile: _profile, machine: _machine, ...ended }: EndedSession): EndedSession {
  return ended;
}
