// Takes the keyboard back from a framed page that is only watched. Chromium lets any frame take the focus from any other,
// without a click: `inert` and `sandbox` change nothing about that (measured in Chromium 156). The permissions policy
// `focus-without-user-activation` prevents it where the browser knows it; in 2026 that is behind a flag.

/**
 * How often it is checked who has the focus. While the focus is elsewhere in the editor, nothing tells this page that its
 * frame took it: no event is sent to a page between the two.
 */
const checkEveryMs = 4;
/** A page may be told that it got or lost the focus before it can see that its frame took it. */
const toldBeforeMs = 100;
/** A click moves the focus within this time. */
const clickMs = 100;

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
  #hasFocus = document.hasFocus();
  #gotFocusAt = Number.NEGATIVE_INFINITY;
  #lostFocusAt = Number.NEGATIVE_INFINITY;
  #clickedAt = Number.NEGATIVE_INFINITY;
  /** Whether this page had the focus, a frame in it, or the page that VS Code puts around it. */
  #hadFocusWithin = false;
  /** @type {(hadFocus: boolean) => void} */
  #onTaken;
  /** @type {() => void} */
  #onMoved;
  /**
   * The page that VS Code puts around this one, of the same origin; undefined until it is known.
   * @type {Window | undefined}
   */
  around;

  /**
   * @param {(hadFocus: boolean) => void} onTaken called at once when the frame has taken the focus, from this page itself
   * or from elsewhere. It has to move the focus: until then, keys go to the frame.
   * @param {() => void} onMoved called when the focus has come to this page or the one around it, and not by a click here.
   * The user may have moved it, or the frame, which can call `focus()` of the windows around it.
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
    // As soon as the focus has moved: while this page is told about that, it can't take the focus back.
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
