import { type Clock, deadline, sleep } from '../../core/clock.ts';
import { Emitter, type Event } from '../../core/event.ts';
import type { Group } from '../../core/group.ts';
import type { AccountId, GroupId } from '../../core/ids.ts';
import type { Inventory } from '../../core/inventory.ts';
import { neverAborted } from '../../core/neverAborted.ts';
import type { Provider } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Memory } from '../../core/storage.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Connections } from '../accounts/connections.ts';
import type { SessionStore } from './sessionStore.ts';
import { isListed, type StoreChange } from './sessionsView.ts';

/** There may be ten pages of them. */
const timeoutMs = 60_000;
/** Age, in milliseconds, at which a list is refreshed when something in its account changed. */
const oldMs = 60_000;
/** Lists of an account begin this many milliseconds apart: a command can be run in a loop. */
const leastApartMs = 2_000;
/** Milliseconds before each check whether a batch is gone: a list may be a few seconds old. */
const looks = [0, 1_000, 2_000, 4_000];
/** The same if the provider didn't say that it deleted the batch: one list that leaves it out may be wrong. */
const looksUnlessTaken = [0, 2_000];

/** An account's finished and failed batches, as they were listed last. */
export interface FinishedList {
  readonly groups: ReadonlyMap<GroupId, Group>;
  /** How many rows can't be shown. */
  readonly unreadable: number;
  /** Whether it's being listed. */
  readonly isLoading: boolean;
  /** Why the last list failed. What was known before stays. */
  readonly trouble: ProviderError | undefined;
}

/** Whether a list shows that a batch is gone; `unknown` without a complete list, with the reason if there is one. */
export type BatchVerdict =
  | { readonly kind: 'gone' | 'listed' }
  | { readonly kind: 'unknown'; readonly error: ProviderError | undefined };

/** What listing finished batches works with. */
export interface FinishedBatchesParts {
  readonly accounts: Accounts;
  readonly connections: Connections;
  readonly store: SessionStore;
  /** The workspace's stored state, which holds whether they are shown. */
  readonly memory: Memory;
  readonly memoryKey: string;
  readonly clock: Clock;
}

interface Entry {
  list: FinishedList;
  /** The list that is under way. */
  loading: Promise<void> | undefined;
  /** When the last list began, in milliseconds of the monotonic clock. */
  began: number | undefined;
  /** The batches that were running when it began: one that no longer is has finished. */
  running: ReadonlySet<GroupId>;
}

/**
 * Lists batches that have finished, while the user wants to see them: a provider keeps them, and their data, long after
 * their sessions have ended. Nothing is requested while they aren't shown.
 */
export class FinishedBatches {
  readonly #parts: FinishedBatchesParts;
  readonly #entries = new Map<AccountId, Entry>();
  readonly #changed = new Emitter<AccountId | undefined>();
  readonly #subscriptions: { dispose(): void }[];
  #isShown: boolean;

  /** Fires with the account whose list changed, or without one when they are shown or hidden. */
  readonly onDidChange: Event<AccountId | undefined> = this.#changed.event;

  constructor(parts: FinishedBatchesParts) {
    this.#parts = parts;
    this.#isShown = parts.memory.get(parts.memoryKey) === true;
    this.#subscriptions = [
      parts.store.onDidChange((change) => this.#follow(change)),
      parts.connections.onDidClose((account) => this.#entries.delete(account)),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Whether they are shown in this workspace. */
  get isShown(): boolean {
    return this.#isShown;
  }

  /** Shows or hides them. Resolves when they are listed for all accounts. */
  async show(isShown: boolean): Promise<void> {
    this.#isShown = isShown;
    // When they were listed last still counts when they are shown again.
    if (!isShown) {
      for (const entry of this.#entries.values()) {
        entry.list = { ...nothingListed, isLoading: entry.loading !== undefined };
      }
    }
    this.#changed.fire(undefined);
    const { memory, memoryKey } = this.#parts;
    const kept = memory.update(memoryKey, isShown ? true : undefined);
    await this.reloadAll();
    await kept;
  }

  /** Those of an account; undefined while they aren't shown, or where its provider doesn't list them. */
  of(account: AccountId): FinishedList | undefined {
    return this.#isShown ? this.#entries.get(account)?.list : undefined;
  }

  /** Refreshes those of all accounts, if they are shown. Never rejects. */
  async reloadAll(): Promise<void> {
    await Promise.all(this.#parts.accounts.all.map(({ id }) => this.reload(id)));
  }

  /** Refreshes those of an account, if they are shown. Never rejects. */
  async reload(account: AccountId): Promise<void> {
    if (!this.#isShown) return;
    const { connections } = this.#parts;
    const known = this.#entries.get(account);
    if (known?.loading !== undefined) return known.loading;
    const provider = await connections.open(account).catch(() => undefined);
    // The account's row says why it can't be reached.
    if (provider?.finishedGroups === undefined || !this.#isShown) return undefined;
    const current = this.#entries.get(account);
    if (current?.loading !== undefined) return current.loading;
    const entry = current ?? { list: nothingListed, loading: undefined, began: undefined, running: new Set() };
    this.#entries.set(account, entry);
    entry.loading = this.#load(account, provider, entry);
    return entry.loading;
  }

  /**
   * Checks whether a batch is gone, even while finished batches aren't shown. Never rejects.
   * @param isTaken whether the provider said that it deleted the batch. Then it's looked for again while it's still listed;
   * otherwise, two lists must leave it out.
   * @param generation of the connection that the deletion was sent with: what another key doesn't list isn't gone.
   */
  async look(account: AccountId, group: GroupId, isTaken: boolean, generation: number): Promise<BatchVerdict> {
    const { connections, clock } = this.#parts;
    let verdict: BatchVerdict = { kind: 'unknown', error: undefined };
    for (const wait of isTaken ? looks : looksUnlessTaken) {
      await sleep(clock, wait, neverAborted);
      try {
        const provider = await connections.open(account);
        if (connections.generation(account) !== generation) return { kind: 'unknown', error: undefined };
        const { groups, faults } = await this.#list(provider);
        const isListed = groups.some(({ id }) => id === group);
        // A row that can't be read may be the batch.
        if (!isListed && faults.length > 0) return { kind: 'unknown', error: undefined };
        verdict = { kind: isListed ? 'listed' : 'gone' };
        if (isListed !== isTaken) return verdict;
      } catch (error) {
        return { kind: 'unknown', error: ProviderError.from(error) };
      }
    }
    return verdict;
  }

  /** Removes a batch that a list showed to be gone. */
  remove(account: AccountId, group: GroupId): void {
    const entry = this.#entries.get(account);
    if (entry === undefined || !entry.list.groups.has(group)) return;
    const groups = new Map([...entry.list.groups].filter(([id]) => id !== group));
    this.#set(account, entry, { ...entry.list, groups });
  }

  async #load(account: AccountId, provider: Provider, entry: Entry): Promise<void> {
    const { clock, store } = this.#parts;
    const now = clock.monotonic();
    const wait = entry.began === undefined ? 0 : entry.began + leastApartMs - now;
    if (wait > 0) await sleep(clock, wait, neverAborted);
    entry.began = clock.monotonic();
    entry.running = new Set(store.state(account)?.contents.groups.keys());
    this.#set(account, entry, { ...entry.list, isLoading: true });
    try {
      const { groups, faults } = await this.#list(provider);
      const found = new Map(groups.map((group) => [group.id, group]));
      const list = { groups: found, unreadable: faults.length, isLoading: false, trouble: undefined };
      entry.loading = undefined;
      this.#set(account, entry, list);
    } catch (error) {
      entry.loading = undefined;
      this.#set(account, entry, { ...entry.list, isLoading: false, trouble: ProviderError.from(error) });
    }
  }

  async #list({ finishedGroups }: Provider): Promise<Pick<Inventory, 'groups' | 'faults'>> {
    if (finishedGroups === undefined) {
      throw new ProviderError({ kind: 'unsupported', reason: { kind: 'noRequest' } }, 'it lists no finished batches');
    }
    const { ListBounds } = await import('./listBounds.ts');
    const bounds = new ListBounds();
    const limit = deadline(this.#parts.clock, timeoutMs);
    const groups: Group[] = [];
    const faults: Inventory['faults'][number][] = [];
    try {
      for await (const page of finishedGroups(limit.signal)) {
        const kept = bounds.take({ ...page, sessions: [], account: undefined });
        groups.push(...kept.groups);
        faults.push(...kept.faults);
      }
    } catch (error) {
      if (!limit.signal.aborted) throw error;
      throw new ProviderError({ kind: 'timedOut', afterMs: timeoutMs }, 'listing finished batches took too long');
    } finally {
      limit.dispose();
    }
    return { groups, faults: [...faults, ...bounds.leftOut] };
  }

  #set(account: AccountId, entry: Entry, list: FinishedList): void {
    entry.list = list;
    // The account may have another key now, or they may be hidden.
    if (this.#entries.get(account) === entry) this.#changed.fire(account);
  }

  /** Lists them after their account's first list, and again when a batch has finished or the list is old. */
  #follow(change: StoreChange): void {
    if (!this.#isShown || change.kind === 'accounts' || !change.membership) return;
    const { store, clock } = this.#parts;
    const { accountId } = change;
    const state = store.state(accountId);
    const entry = this.#entries.get(accountId);
    if (!isListed(state) || entry?.loading !== undefined) return;
    const { groups } = state.contents;
    const hasFinished = [...(entry?.running ?? [])].some((id) => !groups.has(id));
    const isOld = entry?.began === undefined || clock.monotonic() - entry.began >= oldMs;
    if (hasFinished || isOld) void this.reload(accountId);
  }
}

const nothingListed: FinishedList = { groups: new Map(), unreadable: 0, isLoading: false, trouble: undefined };
