import * as v from 'valibot';
import { type Clock, sleep } from '../../core/clock.ts';
import { type AccountId, accountId, type SessionId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { neverAborted } from '../../core/neverAborted.ts';
import type { Session } from '../../core/session.ts';
import type { Memory } from '../../core/storage.ts';
import { UndoneWrites } from '../undoneWrites.ts';
import { hasUnfinishedEnds, unfinishedKey } from './unfinished.ts';

/** How long an entry of another machine is kept for a window on that machine, in milliseconds: it may never be used again. */
const otherMachineMs = 30 * 86_400_000;
/** An entry that hasn't been updated for this long belongs to a window that is gone. */
const abandonedMs = 20_000;
const writeEveryMs = 1_000;
/**
 * How long an entry is watched before it's taken over, in milliseconds. When the computer has just woken up, or its clock was set
 * forward, entries look abandoned that another window goes on with.
 */
const watchedMs = 3 * writeEveryMs;

const Left = v.object({
  accountId: v.string(),
  sessionId: v.string(),
  startedAt: v.optional(v.number()),
  browserId: v.optional(v.string()),
  /** When the account's key was entered; missing without a key. */
  keyAt: v.optional(v.number()),
});
const Run = v.object({
  /** When it was last written, in epoch milliseconds. */
  at: v.number(),
  total: v.number(),
  /** The machine it was written on, if any of its sessions can only be found from there; empty for the user's own. */
  machine: v.optional(v.string()),
  left: v.array(Left),
});
type Run = v.InferOutput<typeof Run>;
type Runs = Readonly<Record<string, Run>>;

/** An end operation of this window. */
interface OwnRun extends Omit<Run, 'at' | 'left'> {
  readonly left: ReadonlyMap<string, v.InferOutput<typeof Left>>;
}

/** An end of several sessions that a window didn't live to finish. */
export interface UnfinishedEnd {
  readonly id: string;
  readonly total: number;
  readonly left: readonly {
    readonly accountId: AccountId;
    readonly sessionId: string;
    readonly startedAt: number | undefined;
    readonly browserId: string | undefined;
    /** When the account's key was entered, in epoch milliseconds; undefined without a key. */
    readonly keyAt: number | undefined;
  }[];
}

/** What tells apart the machines that windows run on, and the keys of an account: all of them share what is stored. */
export interface JournalPlace {
  /** See `Accounts.machine`. */
  readonly machine: string | undefined;
  /** Whether the sessions of an account can only be found from this machine, because that's where its address leads to. */
  readonly isHereOnly: (account: AccountId) => boolean;
  /** See `Accounts.keyAt`. */
  readonly keyAt: (account: AccountId) => Promise<number | undefined>;
}

const anyPlace: JournalPlace = { machine: undefined, isHereOnly: () => false, keyAt: async () => undefined };

/** One end operation in progress. */
export interface JournalEntry {
  settle(account: AccountId, session: SessionId): void;
  /** Resolves when nothing more is written. */
  finish(): Promise<void>;
}

/**
 * Stores which sessions are being ended, only by their ids, so that a window that closes halfway leaves a trace. If
 * nothing can be stored, ending continues without it: the user is there to see the outcome.
 */
export class EndJournal {
  readonly #memory: Memory;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #place: JournalPlace;
  /** When entries with a time in the future were first seen, keyed by id and time. */
  readonly #ahead = new Map<string, number>();
  readonly #own = new Map<string, OwnRun>();
  /** The last write, and the one that begins after it. */
  #writing: Promise<void> = Promise.resolve();
  #nextWrite: Promise<void> | undefined;
  #beats = false;
  /** The entries that this window has removed: another one may write them again. */
  readonly #removed = new Set<string>();
  readonly #undone: UndoneWrites;

  constructor(memory: Memory, clock: Clock, logger: Logger, place = anyPlace) {
    this.#place = place;
    this.#memory = memory;
    this.#clock = clock;
    this.#logger = logger;
    this.#undone = new UndoneWrites(
      clock,
      () => !this.#entries().some(([id]) => this.#removed.has(id)),
      () => this.#save(),
    );
  }

  /** Starts an entry, and resolves when it is stored: before the first end is sent. */
  async begin(targets: readonly { readonly accountId: AccountId; readonly session: Session }[]): Promise<JournalEntry> {
    const id = crypto.randomUUID();
    const accounts = [...new Set(targets.map((target) => target.accountId))];
    const keys = new Map(await Promise.all(accounts.map(async (one) => [one, await this.#place.keyAt(one)] as const)));
    const rows = targets.map(({ accountId: account, session: { id: sessionId, startedAt, browserId } }) => {
      const keyAt = keys.get(account);
      return {
        accountId: account,
        sessionId,
        ...(startedAt !== undefined && { startedAt }),
        ...(browserId !== undefined && { browserId }),
        ...(keyAt !== undefined && { keyAt }),
      };
    });
    const left = new Map(rows.map((row) => [`${row.accountId}/${row.sessionId}`, row]));
    const isHereOnly = accounts.some((account) => this.#place.isHereOnly(account));
    const machine = isHereOnly ? { machine: this.#place.machine ?? '' } : {};
    this.#own.set(id, { total: left.size, ...machine, left });
    await this.#save();
    this.#beat();
    return {
      settle: (account, session) => void left.delete(`${account}/${session}`),
      finish: () => this.forget(id),
    };
  }

  /** Writes the entries of this window again and again, so that no other window takes them for abandoned. */
  #beat(): void {
    if (this.#beats || this.#own.size === 0) return;
    this.#beats = true;
    this.#clock.after(writeEveryMs, () => {
      this.#beats = false;
      if (this.#own.size === 0) return;
      void this.#save();
      this.#beat();
    });
  }

  /** Stores the entries of this window beside the others. What is asked for during a write is written at once after it. */
  #save(): Promise<void> {
    this.#nextWrite ??= this.#writing.then(() => {
      this.#nextWrite = undefined;
      const others = this.#entries().filter(([id]) => !this.#own.has(id) && !this.#removed.has(id));
      const at = this.#clock.now();
      const own = [...this.#own].map(([id, run]) => [id, { ...run, at, left: [...run.left.values()] }] as const);
      this.#writing = this.#write(Object.fromEntries([...others, ...own]));
      return this.#writing;
    });
    return this.#nextWrite;
  }

  /** How long until every current entry is either removed or known to be abandoned: at most 20,000 milliseconds. */
  get settlesAfter(): number {
    const silent = Object.entries(this.#read()).map(([id, { at }]) => this.#silence(id, at));
    return Math.max(0, ...silent.map((ms) => abandonedMs - ms));
  }

  /**
   * Takes over abandoned entries, so that no other window does. Entries that another window still works on aren't
   * touched, nor are entries about another machine: from here, its sessions would seem to be gone. An entry stays stored
   * until {@link forget}, and can be claimed again if {@link settlesAfter} passes without that. Takes three seconds if there are any.
   */
  async claimAbandoned(): Promise<readonly UnfinishedEnd[]> {
    const silent = new Map(this.#silent().map(([id, { at }]) => [id, at]));
    if (silent.size > 0) await sleep(this.#clock, watchedMs, neverAborted);
    const runs = this.#read();
    const now = this.#clock.now();
    const abandoned = this.#silent().filter(([id, { at }]) => silent.get(id) === at);
    if (abandoned.length === 0) {
      // What can't be read would otherwise be looked at again whenever VS Code starts.
      const readable = Object.keys(runs).length;
      if (hasUnfinishedEnds(this.#memory) && (readable === 0 || readable < this.#entries().length)) {
        await this.#write(runs);
      }
      return [];
    }
    await this.#write({ ...runs, ...Object.fromEntries(abandoned.map(([id, run]) => [id, { ...run, at: now }])) });
    return abandoned.map(([id, { total, left }]) => ({
      id,
      total,
      left: left.map((row) => ({
        accountId: accountId(row.accountId),
        sessionId: row.sessionId,
        startedAt: row.startedAt,
        browserId: row.browserId,
        keyAt: row.keyAt,
      })),
    }));
  }

  /** The entries about this machine that haven't been updated for a while. */
  #silent(): readonly (readonly [id: string, run: Run])[] {
    const runs = Object.entries(this.#read());
    return runs.filter(([id, run]) => !this.#isElsewhere(run) && this.#silence(id, run.at) >= abandonedMs);
  }

  /** Removes an entry whose outcomes are all known. */
  async forget(id: string): Promise<void> {
    this.#own.delete(id);
    this.#removed.add(id);
    await this.#save();
    this.#undone.watch();
  }

  /** Milliseconds since an entry was written; if the clock was set back, since this window noticed that. */
  #silence(id: string, at: number): number {
    const now = this.#clock.now();
    if (at <= now) return now - at;
    const seen = Math.min(now, this.#ahead.get(id + at) ?? now);
    this.#ahead.set(id + at, seen);
    return now - seen;
  }

  /** Whether it's about sessions that can only be found from another machine. */
  #isElsewhere({ machine }: Runs[string]): boolean {
    return machine !== undefined && machine !== (this.#place.machine ?? '');
  }

  #read(): Runs {
    const read = this.#entries().flatMap(([id, run]) => (v.is(Run, run) ? [[id, run] as const] : []));
    const kept = read.filter(([id, run]) => {
      const isTooOld = this.#isElsewhere(run) && this.#clock.now() - run.at >= otherMachineMs;
      return !isTooOld && !this.#removed.has(id);
    });
    return Object.fromEntries(kept);
  }

  #entries(): readonly (readonly [id: string, run: unknown])[] {
    const stored: unknown = this.#memory.get(unfinishedKey);
    return typeof stored === 'object' && stored !== null ? Object.entries(stored) : [];
  }

  async #write(runs: Readonly<Record<string, unknown>>): Promise<void> {
    try {
      await this.#memory.update(unfinishedKey, Object.keys(runs).length === 0 ? undefined : runs);
    } catch (error) {
      this.#logger.warn(`the journal of ends cannot be written: ${String(error)}`);
    }
  }
}
