// Keys that are meant for something else in the editor: a viewer can move the focus to this page while the user types.
// Until the user pauses or clicks here, such keys press nothing and move nothing.

import { element } from './elements.js';

/** Without typing for this many milliseconds, the user has noticed where the focus is. */
const pauseMs = 1_000;
/** A click moves the focus within this many milliseconds. */
const clickMs = 100;

const stray = element('stray');
let ignoredUntil = Number.NEGATIVE_INFINITY;
let clickedAt = Number.NEGATIVE_INFINITY;

/**
 * Call it when the focus moved here. Unless the user has just clicked in this page, a viewer may have moved it. A user who comes
 * by keyboard looks the same: a shortcut that is still held may also be meant for the editor.
 */
export function ignoreTyping() {
  if (performance.now() - clickedAt >= clickMs) ignoreLonger();
}

function ignoreLonger() {
  ignoredUntil = performance.now() + pauseMs;
}

/** Keys that do nothing by themselves. */
const modifiers = new Set(['Shift', 'Control', 'Alt', 'AltGraph', 'Meta']);

/** @param {KeyboardEvent} event */
function isShortcut({ ctrlKey, metaKey, altKey, key }) {
  // These may press a button, with any modifier.
  if (key === 'Enter' || key === ' ') return false;
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
    if (modifiers.has(event.key)) return;
    if (performance.now() < ignoredUntil) {
      // Tab alone doesn't extend it for someone who came here by keyboard. Whoever types code also presses other keys.
      if (event.key !== 'Tab' || event.repeat) ignoreLonger();
      if (isShortcut(event)) return;
      // What is on its way to the text editor gets there from this field.
      if (event.target === stray && event.key !== 'Tab') return;
      event.preventDefault();
      event.stopPropagation();
    } else if (isText(event) && !isShortcut(event)) ignoreLonger();
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
