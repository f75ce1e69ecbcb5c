// The user's input on the image, while they interact.

import { say } from './editor.js';
import { element } from './elements.js';
import { isPaste, keyInput, mouseInput, pointOf, wheelInput } from './input.js';
import { viewport } from './picture.js';

/**
 * @import { PanelState } from '../src/ui/liveView/messages.ts'
 * @import { PageInput } from '../src/cdp/pageInput.ts'
 */

const picture = element('picture');
const keys = /** @type {HTMLTextAreaElement} */ (element('keys'));

/** @param {PanelState} state */
export function followInteraction({ stage, mode }) {
  keys.hidden = !(stage.kind === 'cast' && mode === 'interact');
}

const isInteractive = () => !keys.hidden && viewport().width > 0;
/** @param {{ clientX: number, clientY: number }} event */
const point = (event) => pointOf(event, picture.getBoundingClientRect(), viewport());
/** @param {PageInput} input */
const send = (input) => say({ type: 'input', input });

picture.addEventListener('pointerdown', (event) => {
  if (!isInteractive()) return;
  picture.setPointerCapture(event.pointerId);
  keys.focus({ preventScroll: true });
});
// Mouse events rather than pointer events, because only these count clicks.
picture.addEventListener('mousedown', (event) => {
  if (!isInteractive()) return;
  event.preventDefault();
  flushMove();
  send(mouseInput('mousePressed', event, point(event)));
});
picture.addEventListener('mouseup', (event) => {
  if (!isInteractive()) return;
  flushMove();
  send(mouseInput('mouseReleased', event, point(event)));
});
picture.addEventListener('contextmenu', (event) => {
  if (isInteractive()) event.preventDefault();
});
picture.addEventListener(
  'wheel',
  (event) => {
    if (!isInteractive()) return;
    event.preventDefault();
    send(wheelInput(event, point(event), viewport()));
  },
  { passive: false },
);

/** The last move, sent once for each animation frame. @type {PageInput | undefined} */
let move;
function flushMove() {
  if (move !== undefined) send(move);
  move = undefined;
}
picture.addEventListener('mousemove', (event) => {
  if (!isInteractive()) return;
  if (move === undefined) requestAnimationFrame(flushMove);
  move = mouseInput('mouseMoved', event, point(event));
});

/** What releases the keys that are held, by their codes. @type {Map<string, PageInput>} */
const held = new Map();

// Keys go to an invisible field, which supports text composed from several keys. They aren't propagated, because the
// editor would handle them.
keys.addEventListener('keydown', (event) => {
  event.stopPropagation();
  if (event.key === 'F6') {
    event.preventDefault();
    element('mode').focus();
    return;
  }
  // While text is composed, nothing is sent: the field gets the text when it's done.
  if (event.isComposing || event.key === 'Process' || event.key === 'Dead') return;
  event.preventDefault();
  if (isPaste(event)) {
    say({ type: 'paste' });
    return;
  }
  send(keyInput('down', event));
  held.set(event.code, keyInput('up', event));
});
keys.addEventListener('keyup', (event) => {
  event.stopPropagation();
  if (event.key === 'F6' || event.isComposing || isPaste(event)) return;
  send(keyInput('up', event));
  held.delete(event.code);
});
// They are released somewhere else then.
keys.addEventListener('blur', () => {
  for (const release of held.values()) send(release);
  held.clear();
});
keys.addEventListener('compositionend', ({ data }) => {
  if (data !== '') send({ kind: 'text', text: data });
  keys.value = '';
});
// Emoji pickers, dictation, and the like insert text without a key.
keys.addEventListener('input', (event) => {
  const { isComposing, inputType } = /** @type {InputEvent} */ (event);
  if (isComposing) return;
  // Undo and Redo bring back what was sent before.
  if (keys.value !== '' && !inputType.startsWith('history')) send({ kind: 'text', text: keys.value });
  keys.value = '';
});
keys.addEventListener('paste', (event) => {
  event.preventDefault();
  say({ type: 'paste' });
});
