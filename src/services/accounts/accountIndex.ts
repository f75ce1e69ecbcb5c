import * as v from 'valibot';
import type { Account } from '../../core/account.ts';
import { systemClock } from '../../core/clock.ts';
import type { Disposable } from '../../core/event.ts';
import { type AccountId, accountId } from '../../core/ids.ts';
import type { Memory } from '../../core/storage.ts';
import { storedRows } from '../storedRows.ts';
import { UndoneWrites } from '../undoneWrites.ts';
import { hasCredentials, type Secret } from './secrets.ts';

/** What the editor's global state holds of an account, so that the tree can be drawn before any key is read. */
const IndexEntry = v.object({
  id: v.string(),
  provider: v.string(),
  label: v.string(),
  origin: v.string(),
  addedAt: v.number(),
  /** When its name was last changed, in epoch milliseconds. */
  labelAt: v.optional(v.number()),
  /** Whether it has no key or other credentials at all; then it needs no keychain. */
  withoutKey: v.optional(v.boolean()),
});
export type IndexEntry = v.InferOutput<typeof IndexEntry>;

const indexKey = 'accounts';
/** Accounts that were removed: another window that hasn't heard of it may write them back. */
const removedKey = 'removedAccounts';
/**
 * When it's checked whether this window has heard of an account, in milliseconds after the previous check: usually it has within
 * 100 ms, but another window may undo the write, which is then repeated.
 */
const hearingMs = [1, 2, 4, 8, 16, 32, 64, 128, 256, ...Array<number>(12).fill(1_000)];
/** How long an account whose secret has vanished may turn out to have been removed, in the same way. */
const removalMs = Array<number>(10).fill(30);
/** Most removed accounts that are kept in mind. Windows learn of a removal within seconds. */
const mostRemoved = 100;

/** The list of accounts in the editor's global state, which several windows write. */
export class AccountIndex implements Disposable {
  readonly #memory: Memory;
  readonly #own: ReadonlyMap<AccountId, IndexEntry>;
  readonly #removed = new Set<string>();
  #isDisposed = false;
  readonly #undone = new UndoneWrites(
    systemClock,
    () => this.#isWritten(),
    () => this.#write(),
  );

  /** @param own all accounts that this window knows, at any time. */
  constructor(memory: Memory, own: ReadonlyMap<AccountId, IndexEntry>) {
    this.#memory = memory;
    this.#own = own;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#undone.dispose();
  }

  /** Whether there is something in place of the list that isn't one. */
  get isDamaged(): boolean {
    const stored = this.#memory.get(indexKey);
    return stored !== undefined && !Array.isArray(stored);
  }

  /** The accounts by id. Entries that can't be read are skipped. */
  read(): Map<AccountId, IndexEntry> {
    const removed = this.#allRemoved();
    const entries = this.#stored().flatMap((raw) => {
      const entry = v.safeParse(IndexEntry, raw);
      return entry.success && !removed.has(entry.output.id) ? [entry.output] : [];
    });
    return new Map(entries.map((entry) => [accountId(entry.id), entry]));
  }

  /**
   * Whether any window has added or removed the account, as far as this one hears within some seconds. If none has, it's another
   * profile's: VS Code keeps this list for each profile, but secrets for all of them, and tells every window when one changes.
   */
  async hearsOf(id: AccountId): Promise<boolean> {
    const isKnown = () => this.isRemoved(id) || this.read().has(id);
    await this.#waitUntil(isKnown, hearingMs);
    return isKnown();
  }

  /** Waits a moment for another window's removal of an account, which VS Code may tell of after the loss of its secret. */
  async waitForRemoval(id: AccountId): Promise<void> {
    await this.#waitUntil(() => this.isRemoved(id), removalMs);
  }

  /** VS Code doesn't tell when another window has changed what is stored. */
  async #waitUntil(isSo: () => boolean, pauses: readonly number[]): Promise<void> {
    for (const ms of pauses) {
      if (this.#isDisposed || isSo()) return;
      await new Promise((resolve) => setTimeout(resolve, ms).unref());
    }
  }

  /** Whether any window has removed the account, as far as this one has heard. */
  isRemoved(id: AccountId): boolean {
    return this.#allRemoved().has(id);
  }

  /**
   * Writes the accounts that this window knows. Of one that another window has renamed since, the newer name stays; accounts
   * that only others know stay, and so do entries that can't be read.
   */
  async write(): Promise<void> {
    await this.#write();
    this.#undone.watch();
  }

  /** Takes an account out for good. */
  async remove(id: AccountId): Promise<void> {
    this.#removed.add(id);
    await this.write();
  }

  /** Takes back {@link remove}. */
  async restore(id: AccountId): Promise<void> {
    this.#removed.delete(id);
    await this.#memory.update(
      removedKey,
      this.#storedRemoved().filter((one) => one !== id),
    );
    await this.write();
  }

  async #write(): Promise<void> {
    const removed = this.#allRemoved();
    const stored = this.#stored().filter((raw) => !removed.has(idIn(raw) ?? ''));
    const others = stored.filter((raw) => !this.#own.has(accountId(idIn(raw) ?? '')));
    const written = this.read();
    const known = [...this.#own].flatMap(([id, entry]) => (removed.has(id) ? [] : [newerName(entry, written.get(id))]));
    await Promise.all([
      this.#memory.update(indexKey, [...others, ...known]),
      ...(this.#removed.size > 0 ? [this.#memory.update(removedKey, [...removed].slice(-mostRemoved))] : []),
    ]);
  }

  /** Whether what this window knows is stored. */
  #isWritten(): boolean {
    const storedRemoved = this.#storedRemoved();
    const removed = this.#allRemoved();
    const written = this.read();
    return (
      [...this.#removed].every((id) => storedRemoved.includes(id)) &&
      !this.#stored().some((raw) => this.#removed.has(idIn(raw) ?? '')) &&
      [...this.#own].every(([id, entry]) => {
        const its = written.get(id);
        return removed.has(id) || (its !== undefined && newerName(entry, its).label === its.label);
      })
    );
  }

  #allRemoved(): ReadonlySet<string> {
    return new Set([...this.#storedRemoved(), ...this.#removed]);
  }

  #storedRemoved(): readonly string[] {
    return storedRows(v.string(), this.#memory.get(removedKey));
  }

  #stored(): readonly unknown[] {
    const stored = this.#memory.get(indexKey);
    return Array.isArray(stored) ? stored : [];
  }
}

/** An account with the name that was given last. */
function newerName(own: IndexEntry, stored: IndexEntry | undefined): IndexEntry {
  if (stored === undefined || (stored.labelAt ?? 0) <= (own.labelAt ?? 0)) return own;
  return { ...own, label: stored.label, labelAt: stored.labelAt };
}

function idIn(raw: unknown): string | undefined {
  const id: unknown = typeof raw === 'object' && raw !== null ? Reflect.get(raw, 'id') : undefined;
  return typeof id === 'string' ? id : undefined;
}

/** What the index has of an account: nothing that is secret. */
export function entryOf(id: AccountId, secret: Secret): IndexEntry {
  const { provider, label, labelAt, origin, addedAt } = secret;
  const keyless = !hasCredentials(secret);
  return {
    id,
    provider,
    label,
    origin,
    addedAt,
    ...(labelAt !== undefined && { labelAt }),
    ...(keyless && { withoutKey: true }),
  };
}

/** What others see of an account. */
export function accountOfEntry({ id, provider, label, origin }: IndexEntry): Account {
  return { id: accountId(id), provider, label, origin };
}

/** The error about an account that was removed, or never was. */
export function noSuchAccount(): Error {
  return new Error('There is no such account.');
}
