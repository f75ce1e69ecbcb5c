// Turns the user's input on the image into input for the page. Nothing here touches the document, so that it can be
// tested anywhere.

/** @import { PageInput } from '../src/cdp/pageInput.ts' */

/** @type {readonly ('left' | 'middle' | 'right' | 'none')[]} */
const buttonNames = ['left', 'middle', 'right'];
const lineHeight = 16;

/**
 * The modifiers that are held, as DevTools encodes them.
 * @param {{ altKey: boolean, ctrlKey: boolean, metaKey: boolean, shiftKey: boolean }} event
 */
export function modifiersOf({ altKey, ctrlKey, metaKey, shiftKey }) {
  return (altKey ? 1 : 0) + (ctrlKey ? 2 : 0) + (metaKey ? 4 : 0) + (shiftKey ? 8 : 0);
}

/**
 * The point of the page under a point of the image, in the page's own pixels, whatever size the image is drawn at.
 * @param {{ clientX: number, clientY: number }} event
 * @param {{ left: number, top: number, width: number, height: number }} drawn where the image is on the screen
 * @param {{ width: number, height: number }} page the viewport that it shows
 */
export function pointOf({ clientX, clientY }, drawn, page) {
  const within = (/** @type {number} */ value, /** @type {number} */ most) => Math.min(Math.max(value, 0), most);
  return {
    x: within(((clientX - drawn.left) * page.width) / drawn.width, page.width),
    y: within(((clientY - drawn.top) * page.height) / drawn.height, page.height),
  };
}

/**
 * @param {'mousePressed' | 'mouseReleased' | 'mouseMoved'} type
 * @param {Pick<MouseEvent, 'button' | 'buttons' | 'detail' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey'>} event
 * @param {{ x: number, y: number }} point
 * @returns {PageInput}
 */
export function mouseInput(type, event, { x, y }) {
  const moved = type === 'mouseMoved';
  const held = buttonNames.find((_, index) => event.buttons & ([1, 4, 2][index] ?? 0)) ?? 'none';
  return {
    kind: 'mouse',
    type,
    x,
    y,
    button: moved ? held : (buttonNames[event.button] ?? 'none'),
    buttons: event.buttons,
    clickCount: moved ? 0 : Math.max(event.detail, 1),
    modifiers: modifiersOf(event),
  };
}

/**
 * @param {Pick<WheelEvent, 'deltaX' | 'deltaY' | 'deltaMode' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey'>} event
 * @param {{ x: number, y: number }} point
 * @param {{ width: number, height: number }} page
 * @returns {PageInput}
 */
export function wheelInput(event, { x, y }, page) {
  // `deltaMode` counts pixels, lines or pages.
  const unit = [1, lineHeight, page.height][event.deltaMode] ?? 1;
  return {
    kind: 'wheel',
    x,
    y,
    deltaX: event.deltaX * unit,
    deltaY: event.deltaY * unit,
    modifiers: modifiersOf(event),
  };
}

/**
 * @param {'down' | 'up'} direction
 * @param {Pick<KeyboardEvent, 'key' | 'code' | 'keyCode' | 'location' | 'repeat' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey'> & { getModifierState?: KeyboardEvent['getModifierState'] }} event
 * @returns {PageInput}
 */
export function keyInput(direction, event) {
  // AltGr is reported as Ctrl and Alt together, but still types.
  const types = (!event.ctrlKey && !event.altKey && !event.metaKey) || event.getModifierState?.('AltGraph') === true;
  const text =
    direction === 'up' || !types ? '' : event.key === 'Enter' ? '\r' : [...event.key].length === 1 ? event.key : '';
  return {
    kind: 'key',
    type: direction === 'up' ? 'keyUp' : text === '' ? 'rawKeyDown' : 'keyDown',
    key: event.key,
    code: event.code,
    windowsVirtualKeyCode: event.keyCode,
    text,
    modifiers: modifiersOf(event),
    location: event.location,
    autoRepeat: event.repeat,
  };
}

/**
 * Whether a key press means to paste.
 * @param {Pick<KeyboardEvent, 'key' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey'>} event
 */
export function isPaste({ key, altKey, ctrlKey, metaKey, shiftKey }) {
  if (key === 'Insert') return shiftKey && !ctrlKey && !altKey && !metaKey;
  return key.toLowerCase() === 'v' && (ctrlKey || metaKey) && !altKey;
}
