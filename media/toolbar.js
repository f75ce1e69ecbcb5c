// The toolbar: one tab stop, within which arrow keys move.

import { say } from './editor.js';
import { element, sayPressed } from './elements.js';

/** @import { PanelButton, PanelState } from '../src/ui/liveView/messages.ts' */

/** For how long a button must have been where it is, in milliseconds, until a click on it is certainly meant for it. */
const settledMs = 500;

const toolbar = element('toolbar');
const pages = /** @type {HTMLSelectElement} */ (element('pages'));

/** Where the buttons are, and since when. */
let places = '';
let movedAt = 0;
/** Whether the buttons had been in their places for long enough when the pointer was last pressed. */
let wasSettled = false;

/** Call it when anything in the panel may have moved: what is shown, or how large it is. */
export function noteMoves() {
  const placeOf = (/** @type {HTMLElement} */ control) => {
    const { x, y, width } = control.getBoundingClientRect();
    return [control.id, ...[x, y, width].map(Math.round)].join(' ');
  };
  const now = controls().map(placeOf).join();
  if (now === places) return;
  places = now;
  movedAt = performance.now();
}
addEventListener('resize', () => {
  // What is in the page may have moved on the screen with it.
  places = '';
  noteMoves();
});

function isSettled() {
  noteMoves();
  return performance.now() - movedAt >= settledMs;
}
toolbar.addEventListener('pointerdown', () => {
  wasSettled = isSettled();
});

/** @param {PanelState} state @param {boolean} fits whether the image is scaled to fit the panel */
export function drawToolbar({ can, mode, pages: all, shownPage }, fits) {
  for (const name of /** @type {const} */ (['mode', 'fit', 'reload', 'copyLink', 'openIn', 'endSession'])) {
    element(name).hidden = !can[name];
  }
  element('mode').setAttribute('aria-pressed', String(mode === 'interact'));
  element('fit').setAttribute('aria-pressed', String(!fits));
  document.body.dataset['mode'] = mode;
  pages.hidden = all.length < 2;
  const there = [...pages.options].map(({ value, text }) => `${value} ${text}`).join('\n');
  if (there !== all.map(({ id, label }) => `${id} ${label}`).join('\n')) {
    pages.replaceChildren(...all.map(({ id, label }) => new Option(label, id)));
  }
  pages.value = shownPage;
  keepOneStop();
}

/** @param {() => void} onFit called for the button that only concerns the image */
export function listenToToolbar(onFit) {
  for (const button of toolbar.querySelectorAll('button')) {
    button.addEventListener('click', (event) => {
      if (button.id === 'fit') onFit();
      else sayPressed(/** @type {PanelButton} */ (button.id), event, wasSettled && isSettled());
    });
  }
  pages.addEventListener('change', () => say({ type: 'page', id: pages.value }));
}

function controls() {
  return /** @type {HTMLElement[]} */ ([...toolbar.querySelectorAll('button, select')]).filter(({ hidden }) => !hidden);
}

function keepOneStop() {
  const all = controls();
  const stop = all.find((control) => control === document.activeElement) ?? all.find(({ tabIndex }) => tabIndex === 0);
  for (const control of all) control.tabIndex = control === (stop ?? all[0]) ? 0 : -1;
}

toolbar.addEventListener('keydown', (event) => {
  const all = controls();
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const isSelect = document.activeElement === pages;
  const steps = { ArrowRight: 1, ArrowLeft: -1 };
  const step = steps[/** @type {keyof typeof steps} */ (event.key)];
  const to =
    event.key === 'Home' && !isSelect
      ? all[0]
      : event.key === 'End' && !isSelect
        ? all.at(-1)
        : step === undefined
          ? undefined
          : all[(at + step + all.length) % all.length];
  if (to === undefined) return;
  event.preventDefault();
  to.focus();
  keepOneStop();
});
