// Takes the keyboard back from a framed page in view-only mode. Chromium lets any frame take the focus from any other,
// without a click; `inert` and `sandbox` don't change that (measured in Chromium 156). The permissions policy
// `focus-without-user-activation` prevents it in browsers that support it; in 2026 that is behind a flag.

/**
 * How often to check what has the focus, in milliseconds. While the focus is elsewhere in the editor, this page isn't
 * notified when its frame takes it: a page between the two gets no event.
 */
const checkEveryMs = 4;
/** A page may be notified this many milliseconds before it can see that its frame took the focus. */
const toldBeforeMs = 100;
/** A click moves the focus within this many milliseconds. */
const clickMs = 100;

/** The policy that keeps a frame from taking the focus; empty if the browser doesn't support it. */
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
  #hasFocus = document.hasFocus();
  #gotFocusAt = Number.NEGATIVE_INFINITY;
  #lostFocusAt = Number.NEGATIVE_INFINITY;
  #clickedAt = Number.NEGATIVE_INFINITY;
  /** @type {(hadFocus: boolean) => void} */
  #onTaken;
  /** Checks as soon as the focus has moved: while a page is told about that, it can't take the focus back. */
  #soon = new MessageChannel();

  /**
   * @param {(hadFocus: boolean) => void} onTaken called at once when the frame has taken the focus, from this page itself
   * or from elsewhere. It has to move the focus: until then, keys go to the frame.
   */
  constructor(onTaken) {
    this.#onTaken = onTaken;
    addEventListener('focus', () => {
      this.#hasFocus = true;
      this.#gotFocusAt = performance.now();
      this.#checkSoon();
    });
    addEventListener('blur', () => {
      this.#hasFocus = false;
      this.#lostFocusAt = performance.now();
      this.#checkSoon();
    });
    const noteClick = () => {
      this.#clickedAt = performance.now();
    };
    addEventListener('pointerdown', noteClick, true);
    this.#soon.port1.onmessage = () => this.#check();
  }

  /** @param {HTMLIFrameElement | undefined} frame the frame that must not have the keyboard; undefined for none */
  guard(frame) {
    this.#frame = frame;
    if (frame === undefined) {
      clearInterval(this.#checks);
      this.#checks = undefined;
    } else this.#checks ??= setInterval(() => this.#check(), checkEveryMs);
  }

  #checkSoon() {
    this.#soon.port2.postMessage(undefined);
  }

  #check() {
    if (this.#frame === undefined || document.activeElement !== this.#frame) return;
    const now = performance.now();
    const had = this.#hasFocus ? now - this.#gotFocusAt > toldBeforeMs : now - this.#lostFocusAt < toldBeforeMs;
    this.#onTaken(had || now - this.#clickedAt < clickMs);
  }
}
