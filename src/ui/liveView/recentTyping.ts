import type { Clock } from '../../core/clock.ts';
import type { Disposable } from '../../core/event.ts';

/** Within this time of a key, nobody has pressed the keys that lead elsewhere and typed there. */
const stillThereMs = 300;
const checkEveryMs = 50;
/** A check that is later than this was held up, and so was everything else. */
const heldUpMs = 150;
/** For how long after a key it is checked whether anything is held up. */
const checkForMs = 2_000;

/**
 * Knows in which text editor somebody typed a moment ago. VS Code doesn't tell extensions what has the keyboard: whoever
 * typed in an editor may be in a terminal or an input box half a second later, and nothing is said about that.
 */
export class RecentTyping<Editor> implements Disposable {
  readonly #clock: Clock;
  #typed: { readonly editor: Editor; readonly at: number } | undefined;
  #heardAt = Number.NEGATIVE_INFINITY;
  /** While it is undefined, nothing is known about what is held up. */
  #checkedAt: number | undefined;
  #nextCheck: Disposable | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  dispose(): void {
    this.#nextCheck?.dispose();
  }

  /** The editor that has the keyboard, where that is certain; undefined otherwise. */
  get editor(): Editor | undefined {
    const typed = this.#typed;
    return typed !== undefined && this.#clock.monotonic() - typed.at <= stillThereMs ? typed.editor : undefined;
  }

  /** Notes that a key did something in an editor. */
  note(editor: Editor): void {
    const now = this.#clock.monotonic();
    this.#heardAt = now;
    if (this.#checkedAt === undefined) {
      // It may have happened long ago, if the extension host was busy until now. The next key tells.
      this.#typed = undefined;
      this.#check();
    } else this.#typed = { editor, at: now - this.#checkedAt > heldUpMs ? this.#checkedAt : now };
  }

  /** Notes that the user went elsewhere. */
  forget(): void {
    this.#typed = undefined;
  }

  #check(): void {
    const now = this.#clock.monotonic();
    const goesOn = now - this.#heardAt < checkForMs;
    this.#checkedAt = goesOn ? now : undefined;
    this.#nextCheck = goesOn ? this.#clock.after(checkEveryMs, () => this.#check()) : undefined;
  }
}
