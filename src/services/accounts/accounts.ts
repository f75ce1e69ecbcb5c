import { isDeepStrictEqual } from 'node:util';
import type { Account, Credentials } from '../../core/account.ts';
import { type Disposable, Emitter, type Event } from '../../core/event.ts';
import { type AccountId, accountId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { NoKeyReason } from '../../core/providerError.ts';
import type { Memory, SecretStore } from '../../core/storage.ts';
import { AccountIndex, accountOfEntry, entryOf, type IndexEntry, noSuchAccount } from './accountIndex.ts';
import {
  AccountSecrets,
  accountOf,
  enteredOn,
  hasCredentials,
  KeychainError,
  keyOf,
  merged,
  type OpenedKey,
  type Secret,
  type Stored,
  sameConnection,
  timeAfter,
} from './secrets.ts';

/** What changed about an account: `connection` when connections opened with its key or address must be reopened. */
export interface AccountChange {
  readonly id: AccountId;
  readonly kind: 'added' | 'renamed' | 'connection' | 'removed';
  /** What the account was, if the user removed it. */
  readonly removed?: Account;
}

/** What the user entered for a new account. */
export interface NewAccount {
  readonly provider: string;
  readonly label: string;
  readonly origin: string;
  readonly credentials: Credentials;
  /** Where else its key may be sent, as the prompt said: the provider's further addresses when it was saved. */
  readonly further?: string[];
}

/** Where a key is kept: in the system's keychain, or in this window's memory alone and written nowhere. */
export type KeyPlace = 'keychain' | 'window';

/** When it is checked for the last time whether an account whose secret has vanished was removed, in milliseconds. */
const lateRemovalMs = 5_000;

/**
 * The user's accounts on this machine. Each has one entry in SecretStorage that holds its address and key
 * together; other windows follow through its change events. Keys are read when first needed and kept in memory.
 * An account stays until a user removes it, whatever happens to its key.
 */
export class Accounts implements Disposable {
  readonly #secrets: AccountSecrets;
  readonly #index: AccountIndex;
  readonly #now: () => number;
  readonly #logger: Logger;
  readonly #entries = new Map<AccountId, IndexEntry>();
  /** Accounts that appear by themselves. Nothing of them is stored. */
  readonly #automatic = new Map<AccountId, Account>();
  readonly #read = new Map<AccountId, Promise<Stored>>();
  /** Those whose key is in this window's memory alone. */
  readonly #inWindow = new Set<AccountId>();
  /** The last change of each account: changes of one are made one after the other. */
  readonly #turns = new Map<AccountId, Promise<unknown>>();
  readonly #changed = new Emitter<AccountChange>();
  readonly #subscription: Disposable;
  #isDisposed = false;

  readonly onDidChange: Event<AccountChange> = this.#changed.event;
  /** The machine that this runs on; undefined for the one that the user's windows are on. */
  readonly machine: string | undefined;

  constructor(secrets: SecretStore, globalState: Memory, now: () => number, logger: Logger, machine?: string) {
    this.machine = machine;
    this.#secrets = new AccountSecrets(secrets);
    this.#index = new AccountIndex(globalState, this.#entries);
    this.#now = now;
    this.#logger = logger;
    for (const [id, entry] of this.#index.read()) this.#entries.set(id, entry);
    this.#subscription = secrets.onDidChange(({ key }) => {
      const id = accountOf(key);
      if (id !== undefined) void this.#followLater(id);
    });
    // Not otherwise, because some systems ask the user to unlock their keyring for it.
    if (this.#index.isDamaged) void this.#recover();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#subscription.dispose();
    this.#index.dispose();
  }

  /** In the order they were added, followed by those that appear by themselves. */
  get all(): readonly Account[] {
    const added = [...this.#entries]
      .sort(([, a], [, b]) => a.addedAt - b.addedAt || (a.id < b.id ? -1 : 1))
      .map(([, entry]) => accountOfEntry(entry));
    return [...added, ...this.#automatic.values()];
  }

  /** Shows an account without a key until the result is disposed. Nothing of it is stored. */
  offer(account: Account): Disposable {
    const { id } = account;
    this.#automatic.set(id, account);
    this.#changed.fire({ id, kind: 'added' });
    return { dispose: () => void (this.#automatic.delete(id) && this.#changed.fire({ id, kind: 'removed' })) };
  }

  get(id: AccountId): Account | undefined {
    const entry = this.#entries.get(id);
    return entry === undefined ? this.#automatic.get(id) : accountOfEntry(entry);
  }

  /** Whether its key is kept for this window only, because the keychain couldn't keep it. */
  isForThisWindow(id: AccountId): boolean {
    return this.#inWindow.has(id);
  }

  /**
   * The key and the addresses it was saved with; undefined where this machine has none that can be read, for the reason
   * that {@link whyNoKey} gives.
   */
  async open(id: AccountId): Promise<OpenedKey | undefined> {
    const stored = await this.#readSecret(id).catch(() => 'missing' as const);
    if (typeof stored !== 'string') return keyOf(stored);
    const entry = this.#entries.get(id);
    return entry?.withoutKey === true ? { origin: entry.origin, credentials: {} } : undefined;
  }

  /** When an account's key was entered, in epoch milliseconds; undefined without a key, or if it can't be read. */
  async keyAt(id: AccountId): Promise<number | undefined> {
    const stored = await this.#readSecret(id).catch(() => 'missing' as const);
    return typeof stored === 'string' ? undefined : stored.keyAt;
  }

  /** Why {@link open} finds no key; undefined where it finds one. */
  async whyNoKey(id: AccountId): Promise<NoKeyReason | undefined> {
    if ((await this.open(id)) !== undefined) return undefined;
    const stored = await this.#readSecret(id).catch(() => 'keychain' as const);
    return typeof stored === 'string' ? stored : undefined;
  }

  /** @throws KeychainError if the keychain can't keep the key; then nothing was stored. */
  async add(account: NewAccount, place: KeyPlace = 'keychain'): Promise<AccountId> {
    const id = accountId(crypto.randomUUID());
    const now = this.#now();
    const secret: Secret = { v: 1, addedAt: now, labelAt: now, keyAt: now, ...account };
    await this.#inTurn(id, () => this.#keep(id, 'missing', enteredOn(this.machine, secret), place));
    return id;
  }

  /**
   * Saves another key for an account's address, or the key that isn't found on this machine. Without `further`, the further
   * addresses stay as they are.
   * @throws KeychainError if the keychain can't keep the key; then the key is the same as before.
   */
  async replaceCredentials(
    id: AccountId,
    credentials: Credentials,
    further?: string[],
    place: KeyPlace = 'keychain',
  ): Promise<void> {
    await this.#inTurn(id, async () => {
      const before = await this.#latest(id).catch(() => 'missing' as const);
      const secret = typeof before === 'string' ? this.#withoutKey(id) : before;
      const after = { ...secret, credentials, ...(further && { further }), keyAt: timeAfter(secret.keyAt, this.#now) };
      await this.#keep(id, before, enteredOn(this.machine, after), place);
    });
  }

  /** Saves the further addresses of a key that was saved without them. Fires no event: open connections stay open. */
  async keepFurther(id: AccountId, further: string[]): Promise<void> {
    await this.#inTurn(id, async () => {
      const before = await this.#latest(id);
      if (typeof before !== 'string') await this.#keep(id, before, { further, ...before }, this.#placeOf(id));
    });
  }

  /** @throws KeychainError if the keychain can't be used; then the name is the same as before. */
  async rename(id: AccountId, label: string): Promise<void> {
    await this.#inTurn(id, async () => {
      const entry = this.#entries.get(id);
      if (entry === undefined) throw noSuchAccount();
      const reading = this.#latest(id);
      const before = await (entry.withoutKey === true ? reading.catch(() => 'missing' as const) : reading);
      if (typeof before !== 'string') {
        const after = { ...before, label, labelAt: timeAfter(before.labelAt, this.#now) };
        return this.#keep(id, before, after, this.#placeOf(id));
      }
      // Without a key that can be read, only the index has the name. What another version has stored stays as it is.
      this.#entries.set(id, { ...entry, label, labelAt: timeAfter(entry.labelAt, this.#now) });
      if (entry.label !== label) this.#changed.fire({ id, kind: 'renamed' });
      await this.#index.write();
    });
  }

  /**
   * Removes an account and its key. Its sessions keep running. @param key `leaveKey` removes it even if the keychain can't
   * delete its key.
   * @throws KeychainError if the key can't be deleted; then the account stays.
   */
  async remove(id: AccountId, key: 'deleteKey' | 'leaveKey' = 'deleteKey'): Promise<void> {
    await this.#inTurn(id, async () => {
      const entry = this.#entries.get(id);
      if (entry === undefined) return;
      // Other windows must know that it was removed before they hear that its secret is gone.
      await this.#index.remove(id);
      try {
        await this.#secrets.delete(id);
      } catch (error) {
        const hasKey = !this.#inWindow.has(id) && entry.withoutKey !== true;
        if (hasKey && key === 'deleteKey') {
          await this.#index.restore(id);
          throw error;
        }
      }
      this.#forget(id);
    });
  }

  /**
   * Checks whether another window has replaced an account's key, or removed the account: where VS Code runs in a browser, it
   * only tells the window that did it. Never rejects.
   */
  async checkStored(id: AccountId): Promise<void> {
    if (!this.#read.has(id) || this.#inWindow.has(id)) return;
    await this.#followLater(id);
  }

  /** What is known of an account whose key isn't found. */
  #withoutKey(id: AccountId): Secret {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw noSuchAccount();
    const { provider, label, labelAt, origin, addedAt } = entry;
    return { v: 1, provider, label, origin, addedAt, credentials: {}, ...(labelAt !== undefined && { labelAt }) };
  }

  #placeOf(id: AccountId): KeyPlace {
    return this.#inWindow.has(id) ? 'window' : 'keychain';
  }

  /** Keeps a secret in the keychain or in memory, and fires what changed. */
  async #keep(id: AccountId, before: Stored, after: Secret, place: KeyPlace): Promise<void> {
    // Set before it is stored, so that our own change can be told from another window's.
    this.#read.set(id, Promise.resolve(after));
    if (place === 'window') this.#inWindow.add(id);
    else {
      try {
        await this.#secrets.write(id, after);
        this.#inWindow.delete(id);
      } catch (error) {
        // Nothing of an account without credentials is secret: the index is enough.
        if (hasCredentials(after)) {
          this.#read.set(id, Promise.resolve(before));
          throw error;
        }
      }
    }
    await this.#take(id, before, after);
  }

  /** Takes over what is stored now, and fires the changes synchronously. */
  async #take(id: AccountId, before: Stored, after: Secret): Promise<void> {
    const known = this.#entries.get(id);
    this.#entries.set(id, entryOf(id, after));
    if (known === undefined) this.#changed.fire({ id, kind: 'added' });
    else {
      if (known.label !== after.label) this.#changed.fire({ id, kind: 'renamed' });
      if (typeof before === 'string' || !sameConnection(before, after)) this.#changed.fire({ id, kind: 'connection' });
    }
    await this.#index.write();
  }

  #forget(id: AccountId): boolean {
    this.#read.delete(id);
    this.#inWindow.delete(id);
    const known = this.#entries.get(id);
    this.#entries.delete(id);
    if (known !== undefined) this.#changed.fire({ id, kind: 'removed', removed: accountOfEntry(known) });
    return known !== undefined;
  }

  #readSecret(id: AccountId): Promise<Stored> {
    const known = this.#read.get(id);
    if (known !== undefined) return known;
    const reading = this.#secrets.read(id);
    this.#read.set(id, reading);
    void reading.then((stored) => this.#renameAs(id, stored)).catch(() => {});
    reading.catch(() => {
      if (this.#read.get(id) === reading) this.#read.delete(id);
    });
    return reading;
  }

  /** The index may have lost a name that another window gave it. */
  #renameAs(id: AccountId, stored: Stored): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || typeof stored === 'string' || stored.label === entry.label) return;
    if ((stored.labelAt ?? 0) < (entry.labelAt ?? 0)) return;
    this.#entries.set(id, { ...entry, label: stored.label, ...(stored.labelAt && { labelAt: stored.labelAt }) });
    this.#changed.fire({ id, kind: 'renamed' });
  }

  /** What the keychain has now: another window may just have changed it. */
  #latest(id: AccountId): Promise<Stored> {
    return this.#inWindow.has(id) ? this.#readSecret(id) : this.#secrets.read(id);
  }

  /** Runs one change of an account after the other. */
  #inTurn<T>(id: AccountId, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(work, work);
    this.#turns.set(id, turn);
    return turn;
  }

  /** Never rejects. */
  async #followLater(id: AccountId, recovers = false): Promise<void> {
    if (!recovers && !this.#entries.has(id) && !(await this.#index.hearsOf(id))) return;
    return this.#inTurn(id, () => this.#follow(id)).catch((error: unknown) => {
      this.#logger.warn(`An account that another window changed could not be read: ${String(error)}`);
    });
  }

  /** Takes over what any window, including this one, has written. */
  async #follow(id: AccountId): Promise<void> {
    const before = await this.#readSecretOr(id, 'missing');
    let after = await this.#secrets.read(id);
    if (after === 'missing' && this.#entries.has(id)) await this.#index.waitForRemoval(id);
    if (this.#index.isRemoved(id)) {
      // A window that hadn't heard of the removal may have written it again.
      if (after !== 'missing') await this.#secrets.delete(id);
      if (this.#forget(id)) await this.#index.remove(id);
      return;
    }
    if (typeof after === 'string') {
      if (after === 'missing') this.#missing(id, before);
      return;
    }
    // A key that the user wanted in memory alone isn't written back.
    if (typeof before !== 'string' && !this.#inWindow.has(id)) {
      const stored = after;
      after = merged(before, stored);
      if (!isDeepStrictEqual(after, stored)) await this.#secrets.write(id, after);
    }
    if (isDeepStrictEqual(before, after)) return;
    this.#inWindow.delete(id);
    this.#read.set(id, Promise.resolve(after));
    await this.#take(id, before, after);
  }

  async #readSecretOr(id: AccountId, otherwise: Stored): Promise<Stored> {
    try {
      return (await this.#read.get(id)) ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  /**
   * The secret is gone though the account wasn't removed: VS Code deletes secrets that it can no longer decrypt, for
   * example after the keyring was replaced.
   */
  #missing(id: AccountId, before: Stored): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.withoutKey === true || this.#inWindow.has(id)) return;
    this.#read.set(id, Promise.resolve('missing'));
    if (before !== 'missing') this.#changed.fire({ id, kind: 'connection' });
    const timer = setTimeout(() => {
      if (!this.#isDisposed && this.#index.isRemoved(id)) this.#forget(id);
    }, lateRemovalMs);
    timer.unref();
  }

  /** Finds the accounts again whose index was damaged, by their secrets. */
  async #recover(): Promise<void> {
    try {
      for (const id of await this.#secrets.all()) void this.#followLater(id, true);
    } catch (error) {
      this.#logger.warn(`The list of accounts is damaged: ${KeychainError.from(error).message}`);
    }
  }
}
