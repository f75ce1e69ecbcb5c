/** Something to be ended once; what VS Code calls by the same name. */
export interface Disposable {
  dispose(): void;
}

/** Adds a listener; disposing the result removes it. */
export type Event<T> = (listener: (event: T) => void) => Disposable;

/** The writing half of an {@link Event}. Listeners are called in order, at once, on the caller's stack. */
export class Emitter<T> {
  readonly #listeners = new Set<{ readonly call: (event: T) => void }>();

  /** The reading half, to be handed out. */
  readonly event: Event<T> = (call) => {
    const listener = { call };
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  };

  /** Calls each listener that was there when it began. */
  fire(event: T): void {
    for (const { call } of [...this.#listeners]) call(event);
  }
}
