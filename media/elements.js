// The elements of the panel's page, and what several of its parts do with them.

import { say } from './editor.js';

/** @import { ButtonWords, PanelButton } from '../src/ui/liveView/messages.ts' */

/** @param {string} id */
export const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {HTMLElement} target @param {string} text */
export function write(target, text) {
  // Screen readers would read it again.
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Reports that a button was pressed, and whether certainly with a pointer: a click by key counts no clicks.
 * @param {PanelButton} button
 * @param {MouseEvent} event
 * @param {boolean} isCertain whether the button had been there long enough for the user to see it.
 */
export function sayPressed(button, { detail }, isCertain = true) {
  say({ type: 'button', button, byPointer: detail > 0 && isCertain });
}

/** @param {readonly ButtonWords[]} words */
function buttonsFor(words) {
  return words.map(({ button, label }) => {
    const made = document.createElement('button');
    made.type = 'button';
    made.dataset['button'] = button;
    made.textContent = label;
    made.addEventListener('click', (event) => sayPressed(button, event));
    return made;
  });
}

/**
 * Adds buttons, unless the same ones are already there: a user who is about to press one must not lose it.
 * @param {HTMLElement} place
 * @param {readonly ButtonWords[]} words
 */
export function placeButtons(place, words) {
  const there = [...place.querySelectorAll('button')].map(
    ({ dataset, textContent }) => `${dataset['button']} ${textContent}`,
  );
  if (there.join('\n') === words.map(({ button, label }) => `${button} ${label}`).join('\n')) return;
  for (const old of place.querySelectorAll('button')) old.remove();
  place.append(...buttonsFor(words));
}
