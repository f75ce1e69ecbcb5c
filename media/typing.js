// Keys that are meant for something else in the editor: a viewer can move the focus to this page while the user types.
// Until the user pauses or clicks here, such keys press nothing and move nothing.

import { element } from './elements.js';

/** Without a key for this many milliseconds, the user has noticed where the focus is. */
const pauseMs = 1_000;
/** A click moves the focus within this many milliseconds. */
const clickMs = 100;
/** Keys whose release shows that the user came here by keyboard: a shortcut is still held when the focus moves. */
const shortcutKeys = new Set(['Control', 'Meta', 'Alt', 'F6']);

const stray = element('stray');
let ignoredUntil = Number.NEGATIVE_INFINITY;
let clickedAt = Number.NEGATIVE_INFINITY;
/** Whether no key was pressed since the focus moved here. */
let hasJustCome = false;

/** Call it when the focus moved without the user's doing, as far as this page knows. */
export function ignoreTyping() {
  if (performance.now() - clickedAt < clickMs) return;
  hasJustCome = true;
  ignoreLonger();
}

function ignoreLonger() {
  ignoredUntil = performance.now() + pauseMs;
}

/** @param {KeyboardEvent} event */
function isShortcut({ ctrlKey, metaKey, altKey, key }) {
  return ctrlKey || metaKey || altKey || key === 'Escape' || /^F\d+$/.test(key);
}

/** Whether a key is text that no control of this page takes. @param {KeyboardEvent} event */
function isText({ key, target }) {
  const takesText = target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
  return key.length === 1 && key !== ' ' && !takesText;
}

addEventListener(
  'keydown',
  (event) => {
    if (isShortcut(event) || event.key === 'Shift') return;
    hasJustCome = false;
    if (performance.now() < ignoredUntil) {
      ignoreLonger();
      // What is on its way to the text editor gets there from this field.
      if (event.target === stray && event.key !== 'Tab') return;
      event.preventDefault();
      event.stopPropagation();
    } else if (isText(event)) ignoreLonger();
  },
  true,
);
addEventListener(
  'keyup',
  ({ key }) => {
    if (hasJustCome && shortcutKeys.has(key)) ignoredUntil = Number.NEGATIVE_INFINITY;
  },
  true,
);
addEventListener(
  'pointerdown',
  () => {
    clickedAt = performance.now();
    ignoredUntil = Number.NEGATIVE_INFINITY;
  },
  true,
);
