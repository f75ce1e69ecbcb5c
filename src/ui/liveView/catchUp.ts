import type { Clock } from '../../core/clock.ts';
import type { Disposable } from '../../core/event.ts';
import type { AccountId } from '../../core/ids.ts';
import type { Refresher } from '../../services/refresher.ts';

/** A script may open and close tabs without pause; an account is listed no oftener than this because of them. */
const leastMs = 2_000;

/** Lists accounts anew whose lists are behind what live views see. */
export class CatchUp implements Disposable {
  readonly #refresher: Refresher;
  readonly #clock: Clock;
  /** The accounts that were listed just now, and whether more was seen of them since. */
  readonly #listed = new Map<AccountId, { more: boolean; readonly timer: Disposable }>();

  constructor(refresher: Refresher, clock: Clock) {
    this.#refresher = refresher;
    this.#clock = clock;
  }

  dispose(): void {
    for (const { timer } of this.#listed.values()) timer.dispose();
    this.#listed.clear();
  }

  /** Has an account listed: at once, or, where it just was, once for all that is seen until it may be again. */
  list(account: AccountId): void {
    const listed = this.#listed.get(account);
    if (listed !== undefined) {
      listed.more = true;
      return;
    }
    void this.#refresher.refresh(account);
    const timer = this.#clock.after(leastMs, () => {
      const more = this.#listed.get(account)?.more === true;
      this.#listed.delete(account);
      if (more) this.list(account);
    });
    this.#listed.set(account, { more: false, timer });
  }
}
