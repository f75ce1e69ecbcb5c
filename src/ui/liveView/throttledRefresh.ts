import type { Disposable } from '../../core/event.ts';
import type { AccountId } from '../../core/ids.ts';
import { Throttle } from '../../core/throttle.ts';
import type { Refresher } from '../../services/sessions/refresher.ts';

/** Least time between two lists of an account, in milliseconds: a script may open and close tabs all the time. */
const leastMs = 2_000;

/** Refreshes accounts whose lists are behind what live views see. */
export class ThrottledRefresh implements Disposable {
  readonly #refresher: Refresher;
  readonly #lists = new Map<AccountId, Throttle>();

  constructor(refresher: Refresher) {
    this.#refresher = refresher;
  }

  dispose(): void {
    for (const list of this.#lists.values()) list.dispose();
  }

  /** Lists an account at once, or, if it was just listed, once for all requests until it may be listed again. */
  list(account: AccountId): void {
    const list = this.#lists.get(account) ?? new Throttle(() => void this.#refresher.refresh(account), leastMs);
    this.#lists.set(account, list);
    list.ask();
  }
}
