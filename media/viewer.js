// The provider's own page in a frame. It's another site, so its messages are ignored, except the one that says that its
// session is over.

import { say } from './editor.js';
import { element } from './elements.js';
import { focusedBefore, keepFocusForEditor, takeFocusBack } from './focus.js';
import { focusPolicy, KeyboardGuard } from './keyboardGuard.js';

/** @import { PanelStage, PanelState } from '../src/ui/liveView/messages.ts' */

/**
 * How long after a resumed frame was added, in milliseconds, it may take the keyboard a few times without being paused
 * again.
 */
const loadingMs = 10_000;

/** What a frame may not do while it's only viewed, although Chromium allows it without asking. */
const viewPolicies = [focusPolicy, "gamepad 'none'"];

/** @type {PanelStage | undefined} */
let shown;
/** @type {HTMLIFrameElement | undefined} */
let frame;
let frameNumber = 0;
let frameAllow = '';
let frameAddedAt = 0;
/** How many more times the frame may take the keyboard without being paused. */
let forgiven = 0;
/** The number of the frame that was paused because it took the keyboard. */
let pausedNumber = 0;

const guard = new KeyboardGuard(takeBack);

/** @param {boolean} hadFocus */
function takeBack(hadFocus) {
  // Moves the focus first: from then on, no key goes to the frame.
  if (hadFocus) takeFocusBack();
  else keepFocusForEditor();
  const pauses = forgiven <= 0 || performance.now() - frameAddedAt > loadingMs;
  if (pauses) {
    pausedNumber = frameNumber;
    removeFrame();
  } else forgiven--;
  say({ type: 'keyboardTaken', number: frameNumber, hadFocus, paused: pauses });
}

/** @param {PanelState} state */
export function drawViewer({ stage, mode }) {
  shown = stage;
  if (stage.kind === 'frame') showFrame(stage, mode);
  else if (stage.kind === 'cast' || !stage.overLast) removeFrame();
  if (frame === undefined) return;
  const isInteractive = stage.kind === 'frame' && mode === 'interact';
  frame.inert = !isInteractive;
  frame.classList.toggle('past', stage.kind === 'card');
  // The frame was allowed to have the keyboard until now.
  if (!isInteractive && document.activeElement === frame) (focusedBefore() ?? element('name')).focus();
  guard.guard(isInteractive ? undefined : frame);
}

/** @param {Extract<PanelStage, { kind: 'frame' }>} stage @param {PanelState['mode']} mode */
function showFrame({ number, url, sandbox, allow, title, forgives }, mode) {
  if (number === pausedNumber) return;
  // A frame's permissions are fixed when it loads.
  if (frame !== undefined && frameNumber === number && frameAllow === allow) return;
  removeFrame();
  if (frameNumber !== number) forgiven = forgives;
  frameNumber = number;
  frameAllow = allow;
  frameAddedAt = performance.now();
  frame = document.createElement('iframe');
  frame.setAttribute('sandbox', sandbox);
  frame.allow = mode === 'interact' ? allow : [allow, ...viewPolicies].filter((part) => part !== '').join('; ');
  frame.referrerPolicy = 'no-referrer';
  frame.title = title;
  frame.src = url;
  element('stage').prepend(frame);
}

function removeFrame() {
  guard.guard(undefined);
  frame?.remove();
  frame = undefined;
}

/** Hears a message that may be the frame's. @param {MessageEvent} event @returns whether it is */
export function hearViewer({ source, origin, data }) {
  if (frame === undefined || source !== frame.contentWindow) return false;
  if (shown?.kind === 'frame' && shown.disconnectMessage !== undefined) {
    if (data === shown.disconnectMessage && origin === new URL(shown.url).origin) say({ type: 'disconnectMessage' });
  }
  return true;
}
