// The card over the stage, and the notice above it: text with buttons.

import { element, placeButtons, write } from './elements.js';

/** @import { PanelCard, PanelState } from '../src/ui/liveView/messages.ts' */

const card = element('card');
const notice = element('notice');

/** @param {PanelCard | undefined} shown */
export function drawCard(shown) {
  card.hidden = shown === undefined;
  if (shown === undefined) return;
  write(element('heading'), shown.heading);
  const lines = element('lines');
  if ([...lines.children].map(({ textContent }) => textContent).join('\n') !== shown.lines.join('\n')) {
    lines.replaceChildren(
      ...shown.lines.map((line) => {
        const made = document.createElement('p');
        made.textContent = line;
        return made;
      }),
    );
  }
  placeButtons(element('choices'), shown.buttons);
}

/** @param {PanelState['notice']} told */
export function drawNotice(told) {
  notice.hidden = told === undefined;
  if (told === undefined) {
    notice.replaceChildren();
    return;
  }
  let words = notice.querySelector('p');
  if (words === null) {
    words = document.createElement('p');
    notice.prepend(words);
  }
  write(words, told.text);
  placeButtons(notice, told.buttons);
}
