import type { AccountId, SessionId } from '../../core/ids.ts';
import type { ControlledSessions, Pair } from './controlledSessions.ts';
import type { SessionsView } from './sessionsView.ts';

export type { Pair };

/** {@link ControlledSessions}, loaded after startup: nothing can be noted before the first list. Changes apply in their order. */
export class ControlledLater {
  readonly #store: SessionsView;
  #loading: Promise<ControlledSessions> | undefined;
  #loaded: ControlledSessions | undefined;

  constructor(store: SessionsView) {
    this.#store = store;
  }

  async load(): Promise<ControlledSessions> {
    this.#loading ??= import('./controlledSessions.ts').then((file) => new file.ControlledSessions(this.#store));
    this.#loaded = await this.#loading;
    return this.#loaded;
  }

  note(pairs: readonly Pair[]): void {
    if (pairs.length > 0) void this.load();
    this.#change((controlled) => controlled.note(pairs));
  }

  forget(account: AccountId, sessions: readonly SessionId[]): void {
    this.#change((controlled) => controlled.forget(account, sessions));
  }

  forgetAll(): void {
    this.#change((controlled) => controlled.forgetAll());
  }

  #change(work: (controlled: ControlledSessions) => void): void {
    if (this.#loaded !== undefined) work(this.#loaded);
    else void this.#loading?.then(work);
  }
}
