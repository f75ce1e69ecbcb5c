import type { Clock } from './clock.ts';
import type { Disposable } from './event.ts';
import { canceled, ProviderError } from './providerError.ts';

/** How long a call may wait for its answer, in milliseconds. */
const answerTimeoutMs = 10_000;

interface Call<Result> {
  readonly method: string;
  readonly timer: Disposable;
  resolve(result: Result): void;
  reject(error: ProviderError): void;
}

/** Calls that wait for an answer, on a connection where each answer has the number of its call. */
export class PendingCalls<Result> {
  readonly #clock: Clock;
  readonly #calls = new Map<number, Call<Result>>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits for the answer to a call.
   * @param send sends it with the number that its answer will have.
   * @throws ProviderError `canceled`, `timedOut` after ten seconds, and what it's rejected with.
   */
  add(method: string, signal: AbortSignal, send: (id: number) => void): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(canceled(method));
        return;
      }
      const id = ++this.#lastId;
      const settle = () => {
        this.#calls.delete(id);
        timer.dispose();
        signal.removeEventListener('abort', stop);
      };
      const stop = () => {
        settle();
        reject(canceled(method));
      };
      const timer = this.#clock.after(answerTimeoutMs, () => {
        settle();
        reject(new ProviderError({ kind: 'timedOut', afterMs: answerTimeoutMs }, `${method} got no answer`));
      });
      signal.addEventListener('abort', stop, { once: true });
      this.#calls.set(id, {
        method,
        timer,
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      send(id);
    });
  }

  /** Answers a call. A number that no call has is ignored. */
  resolve(id: unknown, result: Result): void {
    if (typeof id === 'number') this.#calls.get(id)?.resolve(result);
  }

  /** Fails a call. @param error made from the call's method. */
  reject(id: unknown, error: (method: string) => ProviderError): void {
    const call = typeof id === 'number' ? this.#calls.get(id) : undefined;
    call?.reject(error(call.method));
  }

  /** Fails all calls. */
  rejectAll(error: (method: string) => ProviderError): void {
    for (const call of [...this.#calls.values()]) call.reject(error(call.method));
  }
}
