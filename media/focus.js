// Keyboard focus: it returns to what had it last, and text typed on its way to the editor isn't lost.

import { say } from './editor.js';
import { element } from './elements.js';
import { ignoreTyping } from './typing.js';

/** If the editor hasn't taken the focus back after this many milliseconds, it goes to the heading that says why. */
const strayMs = 1_000;
/** How long after the answer to a dialog the editor may give the focus back to this page, in milliseconds. */
const returnsWithinMs = 2_000;

const card = element('card');
/** Receives what is typed for the image while the user interacts with it. */
const keys = element('keys');
/** Receives what is typed after a frame took the focus and before the editor gets it back. */
const stray = /** @type {HTMLTextAreaElement} */ (element('stray'));

/** The element that had the focus last. @type {HTMLElement | undefined} */
let focused;
/** The same, but a heading if the focus went there because the user wasn't known to be here. @type {HTMLElement | undefined} */
let held;
/** Until when the focus returns to the element that had it last. */
let returnsUntil = Number.NEGATIVE_INFINITY;
/** Whether what is typed here belongs to the editor, which is about to get the focus back. */
let givingBack = false;

/** The element that had the focus last, if it's still visible. */
export const focusedBefore = () => (focused?.checkVisibility() ? focused : undefined);

/**
 * Focuses a heading, because the element that had the focus is gone: keyboard navigation goes on from there, and a
 * second Enter presses nothing.
 */
export function standBeside() {
  (card.hidden ? element('name') : element('heading')).focus({ preventScroll: true });
}

/** Returns the focus to the element of this page that had it last. */
export function focusAgain() {
  const before = focusedBefore();
  if (before === undefined) standBeside();
  else before.focus({ preventScroll: true });
}

/** Returns the focus after the user has answered what a button opened: now, or when the editor gives it back. */
export function returnFocus() {
  if (document.hasFocus()) focusAgain();
  else returnsUntil = performance.now() + returnsWithinMs;
}

/** Takes the focus back at once after the frame took it from within this page. */
export function takeFocusBack() {
  givingBack = false;
  ignoreTyping();
  if (held?.checkVisibility()) held.focus({ preventScroll: true });
  else standBeside();
}

/**
 * Takes the focus from the frame at once after the frame took it from the editor, and holds it until the editor takes
 * it back.
 */
export function keepFocusForEditor() {
  givingBack = true;
  ignoreTyping();
  stray.focus({ preventScroll: true });
  setTimeout(() => {
    givingBack = false;
    if (document.activeElement !== stray || !document.hasFocus()) return;
    ignoreTyping();
    standBeside();
  }, strayMs);
}

stray.addEventListener('input', (event) => {
  if (!(/** @type {InputEvent} */ (event).isComposing)) passOn();
});
// An input method's text isn't followed by another input event when it's finished because the field loses the focus.
stray.addEventListener('compositionend', passOn);
stray.addEventListener('blur', passOn);

/** Passes what was typed here on to the editor, which drops it unless a text editor is getting the focus back. */
function passOn() {
  if (stray.value !== '') say({ type: 'stray', text: stray.value.slice(0, 100) });
  stray.value = '';
}

// Anything that opens in front of a panel takes the focus from what was pressed.
addEventListener('focusin', ({ target }) => {
  if (!(target instanceof HTMLElement) || target === stray || target instanceof HTMLIFrameElement) return;
  focused = target;
  held = target;
});
addEventListener('focus', () => {
  const active = document.activeElement;
  if (active === stray && givingBack) return;
  const isReturning = performance.now() < returnsUntil;
  returnsUntil = Number.NEGATIVE_INFINITY;
  // A viewer may have moved the focus here while the user is typing somewhere else, or the user may already have gone on after
  // a question: keys must press nothing.
  if (active !== keys) ignoreTyping();
  if (active !== document.body && active !== stray) return;
  if (isReturning) focusAgain();
  else if (focused !== undefined) {
    const before = focused;
    standBeside();
    focused = before;
  }
});
addEventListener('blur', () => {
  const active = document.activeElement;
  if (active instanceof HTMLButtonElement || active instanceof HTMLAnchorElement) active.blur();
});
