// Where the keyboard is: it comes back to what had it last, and what is typed on its way to the editor is not lost.

import { say } from './editor.js';
import { element } from './elements.js';

/** After this long nobody has taken the focus back, and it belongs to what says why. */
const strayMs = 1_000;
/** For this long after the focus has moved here, the extension may yet find that a frame moved it. */
const movedMs = 300;

const card = element('card');
/** Takes what is typed between a frame's taking the focus and the editor's getting it back. */
const stray = /** @type {HTMLTextAreaElement} */ (element('stray'));

/** What had the focus last. @type {HTMLElement | undefined} */
let focused;
/** Whether what is typed here belongs to the editor, which is about to get the focus back. */
let givingBack = false;
let movedAt = Number.NEGATIVE_INFINITY;
/** What was typed since. */
let typedSince = '';

/** What had the focus last, where it can still be seen. */
export const focusedBefore = () => (focused?.checkVisibility() ? focused : undefined);

/** What had the focus is there no longer: the next key goes on from where it was, and a second Enter presses nothing. */
export function standBeside() {
  (card.hidden ? element('name') : element('heading')).focus({ preventScroll: true });
}

/** Gives the focus back to what had it last in this page. */
export function focusAgain() {
  const before = focusedBefore();
  if (before === undefined) standBeside();
  else before.focus({ preventScroll: true });
}

/** The frame took the focus from within this page: it comes back at once. */
export function takeFocusBack() {
  givingBack = false;
  focusAgain();
}

/** The frame took the focus from the editor: it is taken from the frame at once, until the editor has taken it back. */
export function keepFocusForEditor() {
  givingBack = true;
  stray.focus({ preventScroll: true });
  setTimeout(() => {
    givingBack = false;
    if (document.activeElement === stray && document.hasFocus()) standBeside();
  }, strayMs);
}

/** The focus has come to this page or the one around it. The user may have moved it, or the frame. */
export function noteFocusMoved() {
  if (performance.now() - movedAt > movedMs) typedSince = '';
  movedAt = performance.now();
  // The page around this one does nothing with keys.
  if (!document.hasFocus()) window.focus();
  say({ type: 'focusMoved' });
}

/** Whether the focus has moved so recently that its frame may have been paused for that. */
export const hasJustMoved = () => performance.now() - movedAt < strayMs;

/** Sends the editor what was typed since the focus has moved, because the frame moved it. */
export function sendTypedSince() {
  say({ type: 'stray', text: typedSince.slice(0, 100) });
  typedSince = '';
}

// A key that was meant for the editor must not press a button here.
addEventListener(
  'keydown',
  (event) => {
    const text = event.key === 'Enter' ? '\n' : event.key;
    const isText = text.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;
    if (!isText || performance.now() - movedAt > movedMs || document.activeElement === stray) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    typedSince += text;
  },
  true,
);

stray.addEventListener('input', (event) => {
  if (/** @type {InputEvent} */ (event).isComposing) return;
  say({ type: 'stray', text: stray.value.slice(0, 100) });
  stray.value = '';
});

// Whatever opens in front of a panel takes the focus from what was pressed.
addEventListener('focusin', ({ target }) => {
  if (target instanceof HTMLElement && target !== stray) focused = target;
});
addEventListener('focus', () => {
  const held = document.activeElement;
  if (focused === undefined || (held !== document.body && (held !== stray || givingBack))) return;
  focusAgain();
});
