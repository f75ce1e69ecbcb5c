import type { Clock } from '../../core/clock.ts';
import type { Disposable } from '../../core/event.ts';

/** Within this many milliseconds after a key, the user can't have moved elsewhere by keyboard and typed there. */
const stillThereMs = 300;
const checkEveryMs = 50;
/** If a check is later than this, in milliseconds, the extension host was blocked, and events may be late too. */
const heldUpMs = 150;
/** How long after a key these checks continue, in milliseconds. */
const checkForMs = 2_000;

/**
 * Knows in which text editor the user typed a moment ago. VS Code doesn't tell extensions what has the keyboard: half a
 * second after typing in an editor, the user may be in a terminal or an input box, and no event says so.
 */
export class RecentTyping<Editor> implements Disposable {
  readonly #clock: Clock;
  #typed: { readonly editor: Editor; readonly at: number } | undefined;
  #heardAt = Number.NEGATIVE_INFINITY;
  /** While it's undefined, it isn't known whether the extension host was blocked. */
  #checkedAt: number | undefined;
  #nextCheck: Disposable | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  dispose(): void {
    this.#nextCheck?.dispose();
  }

  /** The editor that has the keyboard; undefined if that isn't certain. */
  get editor(): Editor | undefined {
    const typed = this.#typed;
    return typed !== undefined && this.#clock.monotonic() - typed.at <= stillThereMs ? typed.editor : undefined;
  }

  /** Notes that a key had an effect in an editor. */
  note(editor: Editor): void {
    const now = this.#clock.monotonic();
    this.#heardAt = now;
    if (this.#checkedAt === undefined) {
      // The key may have been pressed long ago, if the extension host was busy until now. The next key decides.
      this.#typed = undefined;
      this.#check();
    } else this.#typed = { editor, at: now - this.#checkedAt > heldUpMs ? this.#checkedAt : now };
  }

  /** Notes that the user moved elsewhere. */
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
