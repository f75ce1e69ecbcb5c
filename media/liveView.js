// The page of a live view panel. It draws what the extension sends, and reports what the user does. Each part has its
// own file.

import { drawCard, drawNotice } from './card.js';
import { keep, say } from './editor.js';
import { element, write } from './elements.js';
import { returnFocus, standBeside } from './focus.js';
import { followInteraction } from './interact.js';
import { drawPicture, fitsPanel, room, takeFrame, toggleFit } from './picture.js';
import { drawToolbar, listenToToolbar, noteMoves } from './toolbar.js';
import { drawViewer, hearViewer } from './viewer.js';

/** @import { PanelState, ToPanel } from '../src/ui/liveView/messages.ts' */

/** @type {PanelState | undefined} */
let state;

/** @param {PanelState} next */
function draw(next) {
  const held = document.activeElement;
  state = next;
  keep({ ...next.identity, fits: fitsPanel() });
  write(element('name'), next.name);
  document.title = next.name;
  write(element('account'), next.account);
  write(element('status'), next.status);
  element('dot').dataset['dot'] = next.dot;
  element('dot').setAttribute('aria-label', next.dotWord);
  drawToolbar(next, fitsPanel());
  drawNotice(next.notice);
  drawViewer(next);
  followInteraction(next);
  drawCard(next.stage.kind === 'card' ? next.stage.card : undefined);
  drawPicture(next);
  noteMoves();
  if (held instanceof HTMLElement && held !== document.body && !held.checkVisibility()) standBeside();
}

listenToToolbar(() => {
  toggleFit();
  if (state !== undefined) draw(state);
});

addEventListener('message', (event) => {
  if (hearViewer(event)) return;
  // The extension's messages come from the editor's own page around this one; others are ignored.
  if (event.origin !== window.origin) return;
  const message = /** @type {ToPanel} */ (event.data);
  if (message.type === 'state') draw(message);
  else if (message.type === 'frame') takeFrame(message);
  else returnFocus();
});

const ready = () => say({ type: 'ready', size: room() });
// From then on, the extension may replace this page with another.
if (document.readyState === 'complete') ready();
else addEventListener('load', ready);
