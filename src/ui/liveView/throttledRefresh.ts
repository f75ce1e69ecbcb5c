import type { Disposable } from '../../core/event.ts';
import type { AccountId } from '../../core/ids.ts';
import { Throttle } from '../../core/throttle.ts';
import type { Refresher } from '../../services/sessions/refresher.ts';

/** A script may open and close tabs without pause; an account is listed no oftener than this because of them. */
const leastMs = 2_000;

/** Lists accounts anew whose lists are behind what live views see. */
export class ThrottledRefresh implements Disposable {
  readonly #refresher: Refresher;
  readonly #lists = new Map<AccountId, Throttle>();

  constructor(refresher: Refresher) {
    this.#refresher = refresher;
  }

  dispose(): void {
    for (const list of this.#lists.values()) list.dispose();
  }

  /** Has an account listed: at once, or, where it just was, once for all that is seen until it may be again. */
  list(account: AccountId): void {
    const list = this.#lists.get(account) ?? new Throttle(() => void this.#refresher.refresh(account), leastMs);
    this.#lists.set(account, list);
    list.ask();
  }
}
