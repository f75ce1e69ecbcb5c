// Takes the keyboard back from a framed page that is only watched. Chromium lets any frame take the focus from any other,
// without a click: `inert` and `sandbox` change nothing about that (measured in Chromium 156). The permissions policy
// `focus-without-user-activation` prevents it where the browser knows it; in 2026 that is behind a flag.

/**
 * How often it is checked who has the focus. While the focus is elsewhere in the editor, nothing tells this page that its
 * frame took it: no event is sent to a page between the two.
 */
const checkEveryMs = 4;

/** What keeps a frame from asking for the focus where the browser knows that policy, and nothing elsewhere. */
export const focusPolicy = /** @type {{ featurePolicy?: { features(): string[] } }} */ (document).featurePolicy
  ?.features()
  .includes('focus-without-user-activation')
  ? "focus-without-user-activation 'none'"
  : '';

/** Guards one frame at a time. */
export class KeyboardGuard {
  /** @type {HTMLIFrameElement | undefined} */
  #frame;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #checks;
  /** Whether this page had the focus when that last changed. */
  #hadFocus = document.hasFocus();
  /** @type {(hadFocus: boolean) => void} */
  #onTaken;

  /**
   * @param {(hadFocus: boolean) => void} onTaken called at once when the frame has taken the focus, from this page itself
   * or from elsewhere. It has to move the focus: until then, keys go to the frame.
   */
  constructor(onTaken) {
    this.#onTaken = onTaken;
    addEventListener('focus', () => {
      this.#hadFocus = true;
    });
    addEventListener('blur', () => {
      this.#check();
      this.#hadFocus = document.hasFocus();
    });
  }

  /** @param {HTMLIFrameElement | undefined} frame the frame that must not have the keyboard; undefined for none */
  guard(frame) {
    this.#frame = frame;
    if (frame === undefined) {
      clearInterval(this.#checks);
      this.#checks = undefined;
    } else this.#checks ??= setInterval(() => this.#check(), checkEveryMs);
  }

  #check() {
    if (this.#frame === undefined || document.activeElement !== this.#frame) return;
    this.#onTaken(this.#hadFocus);
  }
}
