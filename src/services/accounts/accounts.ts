import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import type { Account, Credentials } from '../../core/account.ts';
import { type Disposable, Emitter, type Event } from '../../core/event.ts';
import { type AccountId, accountId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { Memory, SecretStore } from '../../core/storage.ts';

/** What SecretStorage holds of an account: everything, so that a key is never separated from its address. */
const Secret = v.object({
  v: v.literal(1),
  provider: v.string(),
  label: v.string(),
  origin: v.string(),
  addedAt: v.number(),
  credentials: v.record(v.string(), v.string()),
  further: v.optional(v.array(v.string())),
});
type Secret = v.InferOutput<typeof Secret>;
/** `unreadable` is an entry written by another version of this extension. */
type Stored = Secret | 'missing' | 'unreadable';

/** What the editor's global state holds, so that the tree can be drawn before any key is read. */
const IndexEntry = v.object({
  id: v.string(),
  provider: v.string(),
  label: v.string(),
  origin: v.string(),
  addedAt: v.number(),
});
type IndexEntry = v.InferOutput<typeof IndexEntry>;

const indexKey = 'accounts';
const secretPrefix = 'browserSessions.account.';

/** What changed about an account: `connection` when connections opened with its key or address must be reopened. */
export interface AccountChange {
  readonly id: AccountId;
  readonly kind: 'added' | 'renamed' | 'connection' | 'removed';
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

/**
 * The user's accounts on this machine. Each has one entry in SecretStorage that holds its address and key
 * together; other windows follow through its change events. Keys are read when first needed and kept in memory.
 */
export class Accounts implements Disposable {
  readonly #secrets: SecretStore;
  readonly #globalState: Memory;
  readonly #now: () => number;
  readonly #logger: Logger;
  readonly #entries: Map<AccountId, IndexEntry>;
  readonly #read = new Map<AccountId, Promise<Stored>>();
  readonly #changed = new Emitter<AccountChange>();
  readonly #subscription: Disposable;

  readonly onDidChange: Event<AccountChange> = this.#changed.event;

  constructor(secrets: SecretStore, globalState: Memory, now: () => number, logger: Logger) {
    this.#secrets = secrets;
    this.#globalState = globalState;
    this.#now = now;
    this.#logger = logger;
    const index = v.safeParse(v.array(IndexEntry), globalState.get(indexKey) ?? []);
    this.#entries = new Map((index.success ? index.output : []).map((entry) => [accountId(entry.id), entry]));
    this.#subscription = secrets.onDidChange(({ key }) => {
      if (!key.startsWith(secretPrefix)) return;
      this.#follow(accountId(key.slice(secretPrefix.length))).catch((error: unknown) => {
        this.#logger.warn(`An account that another window changed could not be read: ${String(error)}`);
      });
    });
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  /** In the order they were added. */
  get all(): readonly Account[] {
    return [...this.#entries]
      .sort(([, a], [, b]) => a.addedAt - b.addedAt || (a.id < b.id ? -1 : 1))
      .map(([id, { provider, label, origin }]) => ({ id, provider, label, origin }));
  }

  get(id: AccountId): Account | undefined {
    const entry = this.#entries.get(id);
    return entry === undefined ? undefined : { id, provider: entry.provider, label: entry.label, origin: entry.origin };
  }

  /** The key and the addresses it was saved with, or undefined when no readable secret is found on this machine. */
  async open(id: AccountId): Promise<Pick<Secret, 'origin' | 'credentials' | 'further'> | undefined> {
    const secret = await this.#readSecret(id);
    return typeof secret === 'string' ? undefined : secret;
  }

  /**
   * The account that already has this key at this address, if any. Keys are compared as they are stored: nothing from
   * which one could be found is kept for that.
   * @param isKey whether a field is a secret. Other fields may differ. Accounts without a key are the same if the address is.
   * @param except an account that isn't compared, because its key is being replaced.
   */
  async findSame(
    account: Omit<NewAccount, 'label'>,
    isKey: (field: string) => boolean,
    except?: AccountId,
  ): Promise<Account | undefined> {
    const keysOf = (credentials: Credentials) =>
      Object.fromEntries(Object.entries(credentials).filter(([field]) => isKey(field)));
    for (const known of this.all) {
      if (known.provider !== account.provider || known.origin !== account.origin || known.id === except) continue;
      // An account whose key can't be read must not keep another one from being added.
      const saved = await this.open(known.id).catch(() => undefined);
      if (saved !== undefined && isDeepStrictEqual(keysOf(saved.credentials), keysOf(account.credentials)))
        return known;
    }
    return undefined;
  }

  /** @throws what SecretStorage throws, e.g. without a keyring; then nothing was stored. */
  async add(account: NewAccount): Promise<AccountId> {
    const id = accountId(crypto.randomUUID());
    await this.#write(id, 'missing', { v: 1, addedAt: this.#now(), ...account });
    return id;
  }

  /**
   * Saves another key for an account's address, or the key that isn't found on this machine. Without `further`, the further
   * addresses stay as they are.
   * @throws what SecretStorage throws; then the key is the same as before.
   */
  async replaceCredentials(id: AccountId, credentials: Credentials, further?: string[]): Promise<void> {
    const before = await this.#readSecret(id);
    const secret = typeof before === 'string' ? this.#withoutKey(id) : before;
    await this.#write(id, before, { ...secret, credentials, ...(further && { further }) });
  }

  /** Saves the further addresses of a key that was saved without them. Fires no event: open connections stay open. */
  async keepFurther(id: AccountId, further: string[]): Promise<void> {
    const secret = await this.#readable(id);
    await this.#write(id, secret, { further, ...secret });
  }

  async rename(id: AccountId, label: string): Promise<void> {
    const secret = await this.#readable(id);
    await this.#write(id, secret, { ...secret, label });
  }

  /** Removes an account and its key. Its sessions keep running. */
  async remove(id: AccountId): Promise<void> {
    await this.#secrets.delete(secretPrefix + id);
    await this.#forget(id);
  }

  async #readable(id: AccountId): Promise<Secret> {
    const secret = await this.#readSecret(id);
    if (typeof secret === 'string') throw new Error('There is no key for this account on this machine.');
    return secret;
  }

  /** What is known of an account whose key isn't found. */
  #withoutKey(id: AccountId): Secret {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new Error('There is no such account.');
    const { provider, label, origin, addedAt } = entry;
    return { v: 1, provider, label, origin, addedAt, credentials: {} };
  }

  async #write(id: AccountId, before: Stored, after: Secret): Promise<void> {
    // Set before it is stored, so that our own change can be told from another window's.
    this.#read.set(id, Promise.resolve(after));
    try {
      await this.#secrets.store(secretPrefix + id, JSON.stringify(after));
    } catch (error) {
      this.#read.set(id, Promise.resolve(before));
      throw error;
    }
    await this.#take(id, before, after);
  }

  /** Takes over what is stored now, and fires the changes synchronously. */
  async #take(id: AccountId, before: Stored, after: Secret): Promise<void> {
    const known = this.#entries.get(id);
    const { provider, label, origin, addedAt } = after;
    this.#entries.set(id, { id, provider, label, origin, addedAt });
    if (known === undefined) this.#changed.fire({ id, kind: 'added' });
    else {
      if (known.label !== label) this.#changed.fire({ id, kind: 'renamed' });
      if (typeof before === 'string' || !sameConnection(before, after)) this.#changed.fire({ id, kind: 'connection' });
    }
    await this.#keepIndex();
  }

  async #forget(id: AccountId): Promise<void> {
    this.#read.delete(id);
    if (!this.#entries.delete(id)) return;
    this.#changed.fire({ id, kind: 'removed' });
    await this.#keepIndex();
  }

  async #keepIndex(): Promise<void> {
    await this.#globalState.update(indexKey, [...this.#entries.values()]);
  }

  #readSecret(id: AccountId): Promise<Stored> {
    const known = this.#read.get(id);
    if (known !== undefined) return known;
    const reading = this.#fetchSecret(id);
    this.#read.set(id, reading);
    reading.catch(() => this.#read.delete(id));
    return reading;
  }

  async #fetchSecret(id: AccountId): Promise<Stored> {
    const stored = await this.#secrets.get(secretPrefix + id);
    if (stored === undefined) return 'missing';
    const result = v.safeParse(v.pipe(v.string(), v.parseJson(), Secret), stored);
    return result.success ? result.output : 'unreadable';
  }

  /** Takes over what any window, including this one, has written. */
  async #follow(id: AccountId): Promise<void> {
    const before = (await this.#read.get(id)) ?? 'missing';
    const after = await this.#fetchSecret(id);
    if (after === 'missing') await this.#forget(id);
    else if (after !== 'unreadable' && !isDeepStrictEqual(before, after)) {
      this.#read.set(id, Promise.resolve(after));
      await this.#take(id, before, after);
    }
  }
}

function sameConnection(a: Secret, b: Secret): boolean {
  const { further = b.further } = a;
  return (
    a.origin === b.origin && isDeepStrictEqual(a.credentials, b.credentials) && isDeepStrictEqual(further, b.further)
  );
}
