// Takes the keyboard back from a framed page that is only watched. Chromium lets any frame take the focus from any other,
// without a click: `inert` and `sandbox` change nothing about that (measured in Chromium 156). The permissions policy
// `focus-without-user-activation` prevents it where the browser knows it; in 2026 that is behind a flag.

/**
 * How often it is checked who has the focus. While the focus is elsewhere in the editor, nothing tells this page that its
 * frame took it: no event is sent to a page between the two.
 */
const checkEveryMs = 4;
/** A page may be told that it lost the focus before it can see that its frame took it. */
const toldBeforeMs = 100;

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
  #lostFocusAt = Number.NEGATIVE_INFINITY;
  /** @type {(hadFocus: boolean) => void} */
  #onTaken;

  /**
   * @param {(hadFocus: boolean) => void} onTaken called at once when the frame has taken the focus, from this page itself
   * or from elsewhere. It has to move the focus: until then, keys go to the frame.
   */
  constructor(onTaken) {
    this.#onTaken = onTaken;
    addEventListener('focus', () => {
      this.#hasFocus = true;
    });
    addEventListener('blur', () => {
      this.#hasFocus = false;
      this.#lostFocusAt = performance.now();
      soon.port2.postMessage(undefined);
    });
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
    } else this.#checks ??= setInterval(() => this.#check(), checkEveryMs);
  }

  #check() {
    if (this.#frame === undefined || document.activeElement !== this.#frame) return;
    this.#onTaken(this.#hasFocus || performance.now() - this.#lostFocusAt < toldBeforeMs);
  }
}
