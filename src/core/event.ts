/** Like `vscode.Disposable`. */
export interface Disposable {
  dispose(): void;
}

/** Adds a listener; disposing the result removes it. */
export type Event<T> = (listener: (event: T) => void) => Disposable;

/** Without a handler, an error is thrown later and on its own, so that it isn't lost and interrupts nothing. */
const throwLater = (error: unknown): void => {
  queueMicrotask(() => {
    throw error;
  });
};

let handleError: (error: unknown) => void = throwLater;

/**
 * Has errors of listeners handled, those of every {@link Emitter}, until the result is disposed. Some listeners belong to
 * other extensions.
 */
export function onListenerError(handle: (error: unknown) => void): Disposable {
  handleError = handle;
  return {
    dispose: () => {
      if (handleError === handle) handleError = throwLater;
    },
  };
}

/**
 * Fires an {@link Event}. Listeners are called in order, at once, on the caller's stack. One that throws,
 * or returns a promise that is rejected, keeps neither the others nor the caller from going on.
 */
export class Emitter<T> {
  readonly #listeners = new Set<{ readonly call: (event: T) => unknown }>();

  /** What listeners subscribe to. */
  readonly event: Event<T> = (call) => {
    const listener = { call };
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  };

  /** Calls each listener that was there when it began. */
  fire(event: T): void {
    for (const { call } of [...this.#listeners]) {
      try {
        const result = call(event);
        // Reading `then` of another extension's value may throw, which `resolve` turns into a rejection.
        if (typeof result === 'object' && result !== null) Promise.resolve(result).catch(report);
      } catch (error) {
        report(error);
      }
    }
  }
}

function report(error: unknown): void {
  try {
    handleError(error);
  } catch {
    // An error about an error must not stop anything.
  }
}
