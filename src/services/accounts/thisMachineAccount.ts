import type { Account } from '../../core/account.ts';
import type { Clock } from '../../core/clock.ts';
import type { Disposable } from '../../core/event.ts';
import { accountId } from '../../core/ids.ts';
import { neverAborted } from '../../core/neverAborted.ts';
import { refreshPause } from '../sessions/refreshPace.ts';
import { isListed, type SessionsView } from '../sessions/sessionsView.ts';
import type { Accounts } from './accounts.ts';

/** The account of this machine's own browsers. */
export const thisMachineAccount: Account = {
  id: accountId('this-machine'),
  provider: 'thisMachine',
  label: 'This Machine',
  origin: 'http://localhost',
};

/** How long nothing must have been listed until the account leaves the list, in milliseconds. */
const emptyForMs = 60_000;

/** After how many failures in a row the account is shown. */
const failuresShown = 2;

/** What a {@link ThisMachineAccount} needs. */
export interface ThisMachineAccountParts {
  readonly accounts: Accounts;
  readonly store: SessionsView;
  readonly clock: Clock;
  /** Whether the user wants to see this machine's browsers. */
  readonly isEnabled: () => boolean;
  /** What to call the machine in a remote window; undefined in a local one. */
  readonly place: string | undefined;
  /** Milliseconds between two looks; 0 for none but the first. */
  readonly interval: () => number;
  /** Whether there is any session on this machine that another account doesn't show. */
  readonly find: (signal: AbortSignal) => Promise<boolean>;
}

/**
 * Shows this machine's account while sessions are found on it. It looks for them only while the list is visible, as often as
 * an account is refreshed in which nothing changes.
 */
export class ThisMachineAccount implements Disposable {
  readonly #parts: ThisMachineAccountParts;
  #isVisible = false;
  #offered: Disposable | undefined;
  #timer: Disposable | undefined;
  #looking: AbortController | undefined;
  #misses = 0;
  /** How many times in a row the processes couldn't be read. */
  #failures = 0;
  /** Since when nothing has been listed, in monotonic milliseconds. */
  #emptySince: number | undefined;

  constructor(parts: ThisMachineAccountParts) {
    this.#parts = parts;
  }

  dispose(): void {
    this.#stop();
    this.#withdraw();
  }

  /** Follows whether the list is visible. */
  setVisible(isVisible: boolean): void {
    if (this.#isVisible === isVisible) return;
    this.#isVisible = isVisible;
    this.follow();
  }

  /** Looks again, after the setting has changed. */
  follow(): void {
    this.#stop();
    this.#misses = 0;
    if (!this.#parts.isEnabled()) this.#withdraw();
    else if (this.#isVisible) void this.#look();
  }

  /** Looks now, even while the list isn't visible. Resolves when the account is there, if anything was found. */
  async findNow(): Promise<void> {
    if (this.#offered !== undefined || !this.#parts.isEnabled()) return;
    await this.#find(neverAborted, false);
  }

  /** Shows the account at once, because there is something to tell about its sessions, unless the user turned it off. */
  show(): void {
    if (!this.#parts.isEnabled()) return;
    this.#emptySince = undefined;
    this.#offer();
  }

  /** Hides the account again at once if it was listed and has no session, and the list isn't visible. */
  leaveIfEmpty(): void {
    if (!this.#isVisible && this.#isEmpty) this.#withdraw();
  }

  #stop(): void {
    this.#timer?.dispose();
    this.#looking?.abort();
    this.#looking = undefined;
  }

  async #look(): Promise<void> {
    const looking = new AbortController();
    this.#looking = looking;
    if (this.#offered === undefined) {
      const isFound = await this.#find(looking.signal, true);
      if (looking.signal.aborted) return;
      this.#misses = isFound ? 0 : this.#misses + 1;
    } else this.#leaveWhenEmpty();
    const every = this.#parts.interval();
    if (every <= 0) return;
    const wait = refreshPause({ quiet: this.#misses, failures: 0, requests: 1 }, every);
    this.#timer = this.#parts.clock.after(wait, () => void this.#look());
  }

  /**
   * Offers the account if anything is found, and says whether it was. Also if the processes can't be read, as its row says why, but
   * not at the first failure, which a busy machine can cause.
   */
  async #find(signal: AbortSignal, isScheduled: boolean): Promise<boolean> {
    let isFound = false;
    try {
      isFound = await this.#parts.find(signal);
      this.#failures = 0;
    } catch {
      if (isScheduled && !signal.aborted) this.#failures++;
      isFound = this.#failures >= failuresShown;
    }
    if (isFound && !signal.aborted) this.#offer();
    return isFound;
  }

  #offer(): void {
    const { accounts, place } = this.#parts;
    this.#offered ??= accounts.offer(
      place === undefined ? thisMachineAccount : { ...thisMachineAccount, label: place },
    );
  }

  #leaveWhenEmpty(): void {
    const now = this.#parts.clock.monotonic();
    if (!this.#isEmpty) this.#emptySince = undefined;
    else if (this.#emptySince === undefined) this.#emptySince = now;
    else if (now - this.#emptySince >= emptyForMs) this.#withdraw();
  }

  get #isEmpty(): boolean {
    const { store } = this.#parts;
    return isListed(store.state(thisMachineAccount.id)) && store.known(thisMachineAccount.id).size === 0;
  }

  #withdraw(): void {
    this.#emptySince = undefined;
    this.#offered?.dispose();
    this.#offered = undefined;
  }
}
