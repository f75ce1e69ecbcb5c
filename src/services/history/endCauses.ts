import type { Disposable } from '../../core/event.ts';
import type { AccountId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Connections } from '../accounts/connections.ts';
import type { Leaving } from '../sessions/sessionsView.ts';
import type { History } from './history.ts';

/** Most ends of an account that wait to be looked up, one after another. Those that arrive beyond them aren't looked up. */
const mostWaiting = 10;
const timeoutMs = 10_000;

/** Asks providers how sessions ended that weren't ended here, and adds the answer to the history. */
export class EndCauses implements Disposable {
  readonly #history: History;
  readonly #connections: Connections;
  readonly #logger: Logger;
  readonly #waiting = new Map<AccountId, Leaving[]>();
  readonly #stop = new AbortController();

  constructor(history: History, connections: Connections, logger: Logger) {
    this.#history = history;
    this.#connections = connections;
    this.#logger = logger;
  }

  dispose(): void {
    this.#stop.abort();
  }

  /** Asks about a session that left the list, unless it was ended here. */
  follow(leaving: Leaving): void {
    const { accountId, byYou } = leaving;
    // An end that was requested here needs no explanation.
    if (byYou) return;
    const waiting = this.#waiting.get(accountId);
    if (waiting === undefined) {
      this.#waiting.set(accountId, [leaving]);
      void this.#ask(accountId);
    } else if (waiting.length < mostWaiting) waiting.push(leaving);
  }

  async #ask(account: AccountId): Promise<void> {
    const waiting = this.#waiting.get(account) ?? [];
    for (let next = waiting[0]; next !== undefined && !this.#stop.signal.aborted; next = waiting[0]) {
      const { id } = next.session;
      try {
        const provider = await this.#connections.open(account);
        const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)]);
        const endCause = await provider.endCause?.(id, signal);
        if (endCause !== undefined) this.#history.learn(account, id, endCause);
      } catch (error) {
        this.#logger.debug(`how ${id} ended could not be asked: ${ProviderError.from(error).message}`);
      }
      waiting.shift();
    }
    this.#waiting.delete(account);
  }
}
