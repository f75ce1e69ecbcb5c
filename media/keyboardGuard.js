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
  /** Whether this page, a frame in it, or the page that VS Code puts around it had the focus at the last check. */
  #hadFocusWithin = false;
  /** @type {(hadFocus: boolean) => void} */
  #onTaken;
  /** @type {() => void} */
  #onMoved;
  /**
   * The window of the page that VS Code puts around this one. Both have the same origin. Undefined until it's known.
   * @type {Window | undefined}
   */
  around;

  /**
   * @param {(hadFocus: boolean) => void} onTaken called at once when the frame has taken the focus, from this page or
   * from elsewhere. It must move the focus: until then, keys go to the frame.
   * @param {() => void} onMoved called when the focus came to this page or the one around it, and not by a click here.
   * The user or the frame may have moved it: the frame can call `focus()` of the windows around it.
   */
  constructor(onTaken, onMoved) {
    this.#onTaken = onTaken;
    this.#onMoved = onMoved;
    addEventListener('focus', () => {
      this.#hasFocus = true;
      this.#gotFocusAt = performance.now();
      soon.port2.postMessage(undefined);
    });
    addEventListener('blur', () => {
      this.#hasFocus = false;
      this.#lostFocusAt = performance.now();
      soon.port2.postMessage(undefined);
    });
    const noteClick = () => {
      this.#clickedAt = performance.now();
    };
    addEventListener('pointerdown', noteClick, true);
    // Checks after the event rather than during it, when this page can't take the focus back.
    const soon = new MessageChannel();
    soon.port1.onmessage = () => this.#check();
  }

  /** @param {HTMLIFrameElement | undefined} frame the frame that must not have the keyboard; undefined for none */
  guard(frame) {
    this.#frame = frame;
    if (frame === undefined) {
      clearInterval(this.#checks);
      this.#checks = undefined;
    } else if (this.#checks === undefined) {
      this.#hadFocusWithin = this.#hasFocusWithin;
      this.#checks = setInterval(() => this.#check(), checkEveryMs);
    }
  }

  get #hasFocusWithin() {
    return (this.around?.document ?? document).hasFocus();
  }

  #check() {
    if (this.#frame === undefined) return;
    const now = performance.now();
    const clicked = now - this.#clickedAt < clickMs;
    const hadFocusWithin = this.#hadFocusWithin;
    this.#hadFocusWithin = this.#hasFocusWithin;
    if (document.activeElement === this.#frame) {
      const had = this.#hasFocus ? now - this.#gotFocusAt > toldBeforeMs : now - this.#lostFocusAt < toldBeforeMs;
      this.#onTaken(had || clicked);
    } else if (this.#hadFocusWithin && !hadFocusWithin && !clicked) this.#onMoved();
  }
}
