// The page of a live view panel. It draws what the extension tells it, and tells what the person does. What is framed is
// another site: nothing it says is listened to but the one word by which a vendor tells that its session is over.

import { isPaste, keyInput, mouseInput, pointOf, wheelInput } from './input.js';
import { focusPolicy, KeyboardGuard } from './keyboardGuard.js';

/**
 * @import { ButtonWords, PanelButton, PanelCard, PanelFrame, PanelStage, PanelState, ToPanel } from '../src/ui/liveView/messages.ts'
 * @import { FromPanel } from '../src/ui/liveView/messages.ts'
 * @import { PageInput } from '../src/cdp/pageInput.ts'
 */

/** After this many seconds without a new picture it is said that there was none, so that nothing looks frozen. */
const quietSeconds = 12;
const resizeSettlesMs = 150;
/** After so many pictures in a row that were none it is said that they are. */
const mostUnreadable = 3;
/** For this long after a resumed frame was added, it may take the keyboard a few times without being paused again. */
const loadingMs = 10_000;
/** After this long nobody has taken the focus back, and it belongs to what says why. */
const strayMs = 1_000;

// @ts-expect-error: VS Code puts this function into every webview.
const editor = acquireVsCodeApi();

/** @param {FromPanel} message */
const say = (message) => editor.postMessage(message);

/**
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} id
 */
const element = (id) => /** @type {Kind} */ (document.getElementById(id));

const stage = element('stage');
const picture = /** @type {HTMLCanvasElement} */ (element('picture'));
const keys = /** @type {HTMLTextAreaElement} */ (element('keys'));
/** Takes what is typed between a frame's taking the focus and the editor's getting it back. */
const stray = /** @type {HTMLTextAreaElement} */ (element('stray'));
const pages = /** @type {HTMLSelectElement} */ (element('pages'));
const note = element('note');
const card = element('card');
const notice = element('notice');
/** Takes pictures over as they were decoded, without drawing them once more. */
const screen = picture.getContext('bitmaprenderer', { alpha: false });

/** @type {PanelState | undefined} */
let state;
/** @type {HTMLIFrameElement | undefined} */
let frame;
let frameNumber = 0;
let frameAllow = '';
let frameAddedAt = 0;
/** How many times more the frame may take the keyboard without being paused. */
let forgiven = 0;
/** The frame that was paused because it took the keyboard. */
let pausedNumber = 0;
/** Whether what is typed here belongs to the editor, which is about to get the focus back. */
let givingBack = false;
/** The viewport that the picture shows, in the page's own pixels. */
let page = { width: 0, height: 0 };
let drawnAt = performance.now();
/** Pictures in a row that were none. */
let unreadable = 0;
/** Whether the picture fits into the panel, or has the page's own size. */
let fits = editor.getState()?.fits !== false;

/** @param {HTMLElement} target @param {string} text */
function write(target, text) {
  // Said again, it would be read out again.
  if (target.textContent !== text) target.textContent = text;
}

/** @param {readonly ButtonWords[]} words */
function buttonsFor(words) {
  return words.map(({ button, label }) => {
    const made = document.createElement('button');
    made.type = 'button';
    made.dataset['button'] = button;
    made.textContent = label;
    made.addEventListener('click', () => say({ type: 'button', button }));
    return made;
  });
}

/**
 * Puts buttons in place, unless the same ones are there already: whoever is about to press one must not lose it.
 * @param {HTMLElement} place
 * @param {readonly ButtonWords[]} words
 */
function placeButtons(place, words) {
  const there = [...place.querySelectorAll('button')].map(
    ({ dataset, textContent }) => `${dataset['button']} ${textContent}`,
  );
  if (there.join('\n') === words.map(({ button, label }) => `${button} ${label}`).join('\n')) return;
  for (const old of place.querySelectorAll('button')) old.remove();
  place.append(...buttonsFor(words));
}

/** What of a state is not to be kept back by a note about pictures. @param {PanelState | undefined} told */
function news(told) {
  return JSON.stringify([told?.stage.kind, told?.stage.kind === 'cast' ? told.stage.note : '', told?.shownPage]);
}

/** @param {PanelState} next */
function draw(next) {
  const held = document.activeElement;
  // What is told of the pictures is told of those of one page, and makes way for other news.
  if (news(next) !== news(state)) unreadable = 0;
  state = next;
  editor.setState({ ...next.identity, fits });
  write(element('name'), next.name);
  document.title = next.name;
  picture.setAttribute('aria-label', (stage.dataset['picture'] ?? '').replace('{0}', next.name));
  write(element('account'), next.account);
  write(element('status'), next.status);
  element('dot').dataset['dot'] = next.dot;
  element('dot').setAttribute('aria-label', next.dotWord);
  drawToolbar(next);
  drawNotice(next);
  drawStage(next.stage);
  if (held instanceof HTMLElement && held !== document.body && !held.checkVisibility()) standBeside();
}

/** What had the focus is there no longer: the next key goes on from where it was, and a second Enter presses nothing. */
function standBeside() {
  (card.hidden ? element('name') : element('heading')).focus({ preventScroll: true });
}

/** @param {PanelState} next */
function drawToolbar({ can, mode, pages: all, shownPage }) {
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

/** @param {PanelState} next */
function drawNotice({ notice: told }) {
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

/** @param {PanelStage} next */
function drawStage(next) {
  if (next.kind === 'frame') showFrame(next);
  else if (next.kind === 'cast' || !next.overLast) removeFrame();
  if (frame !== undefined) {
    const steers = next.kind === 'frame' && state?.mode === 'interact';
    frame.inert = !steers;
    frame.classList.toggle('past', next.kind === 'card');
    // It had the keyboard with every right until now.
    if (!steers && document.activeElement === frame) (focused?.checkVisibility() ? focused : element('name')).focus();
    guard.guard(steers ? undefined : frame);
  }
  const seen = page.width > 0;
  picture.hidden = next.kind === 'frame' || !seen || (next.kind === 'card' && !next.overLast);
  picture.classList.toggle('past', next.kind === 'card' || (next.kind === 'cast' && next.stale));
  keys.hidden = !(next.kind === 'cast' && state?.mode === 'interact');
  drawCard(next.kind === 'card' ? next.card : undefined);
  drawNote();
}

/** @param {PanelCard | undefined} shown */
function drawCard(shown) {
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

/** @param {string} quiet what is said once there was no new picture for long */
function noteOf(quiet) {
  const { stage: shown } = state ?? {};
  if (shown?.kind !== 'cast') return '';
  if (unreadable >= mostUnreadable) return stage.dataset['unreadable'] ?? '';
  const isQuiet = performance.now() - drawnAt >= quietSeconds * 1_000 && page.width > 0;
  return shown.note ?? (isQuiet ? quiet : '');
}

function drawNote() {
  const seconds = Math.floor((performance.now() - drawnAt) / 1_000);
  const quiet = (stage.dataset['quiet'] ?? '').replace('{0}', String(seconds));
  const text = noteOf(quiet);
  note.hidden = text === '';
  // What counts seconds is not read out every second.
  note.setAttribute('aria-live', text === quiet ? 'off' : 'polite');
  write(note, text);
}

/** @param {Extract<PanelStage, { kind: 'frame' }>} shown */
function showFrame({ number, url, sandbox, allow, title, forgives }) {
  if (number === pausedNumber) return;
  // What a frame is allowed is settled when it loads.
  if (frame !== undefined && frameNumber === number && frameAllow === allow) return;
  removeFrame();
  if (frameNumber !== number) forgiven = forgives;
  frameNumber = number;
  frameAllow = allow;
  frameAddedAt = performance.now();
  frame = document.createElement('iframe');
  frame.setAttribute('sandbox', sandbox);
  frame.allow = state?.mode === 'interact' ? allow : [allow, focusPolicy].filter((part) => part !== '').join('; ');
  frame.referrerPolicy = 'no-referrer';
  frame.title = title;
  frame.src = url;
  stage.prepend(frame);
}

function removeFrame() {
  guard.guard(undefined);
  frame?.remove();
  frame = undefined;
}

const guard = new KeyboardGuard((hadFocus) => {
  givingBack = !hadFocus;
  // The focus first: from then on no key goes to the frame.
  if (!hadFocus) stray.focus({ preventScroll: true });
  else if (focused?.checkVisibility()) focused.focus({ preventScroll: true });
  else standBeside();
  const pauses = forgiven <= 0 || performance.now() - frameAddedAt > loadingMs;
  if (pauses) {
    pausedNumber = frameNumber;
    removeFrame();
  } else forgiven--;
  say({ type: 'keyboardTaken', number: frameNumber, hadFocus, paused: pauses });
  if (hadFocus) return;
  setTimeout(() => {
    givingBack = false;
    if (document.activeElement === stray && document.hasFocus()) standBeside();
  }, strayMs);
});

stray.addEventListener('input', (event) => {
  if (/** @type {InputEvent} */ (event).isComposing) return;
  say({ type: 'stray', text: stray.value.slice(0, 100) });
  stray.value = '';
});

/** Pictures are decoded side by side, and drawn one after the other. */
let turn = Promise.resolve();

/** @param {PanelFrame} shown */
function takeFrame({ number, width, height, jpeg }) {
  const decoded = createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' })).catch(() => undefined);
  turn = turn.then(async () => {
    const bitmap = await decoded;
    try {
      drawFrame(bitmap, { width, height });
    } catch (error) {
      reportError(error);
      drawFrame(undefined, { width, height });
    }
    say({ type: 'drawn', number });
  });
}

/** @param {ImageBitmap | undefined} bitmap undefined for a picture that is none @param {{ width: number, height: number }} viewport */
function drawFrame(bitmap, { width, height }) {
  if (bitmap === undefined) {
    // The next one may be a picture again.
    unreadable++;
    drawNote();
    return;
  }
  if (picture.width !== bitmap.width) picture.width = bitmap.width;
  if (picture.height !== bitmap.height) picture.height = bitmap.height;
  screen?.transferFromImageBitmap(bitmap);
  drawnAt = performance.now();
  unreadable = 0;
  if (page.width !== width || page.height !== height) {
    page = { width, height };
    sizePicture();
  }
  // Nothing else changes with most pictures, and laying out the page anew for each of them is what costs.
  if ((picture.hidden || !note.hidden) && state !== undefined) drawStage(state.stage);
}

function sizePicture() {
  const scale = fits ? Math.min(stage.clientWidth / page.width, stage.clientHeight / page.height) : 1;
  picture.style.width = `${page.width * scale}px`;
  picture.style.height = `${page.height * scale}px`;
  stage.classList.toggle('actual', !fits);
}

/** How many pixels of a picture there is room for; null for as many as the page has. */
function room() {
  if (!fits) return null;
  const pixels = (/** @type {number} */ length) => Math.max(1, Math.ceil(length * devicePixelRatio));
  return { width: pixels(stage.clientWidth), height: pixels(stage.clientHeight) };
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let settling;
new ResizeObserver(() => {
  if (page.width > 0) sizePicture();
  clearTimeout(settling);
  settling = setTimeout(() => say({ type: 'resized', size: room() }), resizeSettlesMs);
}).observe(stage);

setInterval(drawNote, 1_000);

for (const button of element('toolbar').querySelectorAll('button')) {
  button.addEventListener('click', () => {
    if (button.id === 'fit') {
      fits = !fits;
      if (page.width > 0) sizePicture();
      say({ type: 'resized', size: room() });
      if (state !== undefined) draw(state);
    } else say({ type: 'button', button: /** @type {PanelButton} */ (button.id) });
  });
}
pages.addEventListener('change', () => say({ type: 'page', id: pages.value }));

/** The toolbar is one stop of the Tab key; arrows move within it. */
function controls() {
  return /** @type {HTMLElement[]} */ ([...element('toolbar').querySelectorAll('button, select')]).filter(
    ({ hidden }) => !hidden,
  );
}

function keepOneStop() {
  const all = controls();
  const stop = all.find((control) => control === document.activeElement) ?? all.find(({ tabIndex }) => tabIndex === 0);
  for (const control of all) control.tabIndex = control === (stop ?? all[0]) ? 0 : -1;
}

element('toolbar').addEventListener('keydown', (event) => {
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

// Whatever opens in front of a panel takes the focus from what was pressed.
/** @type {HTMLElement | undefined} */
let focused;
addEventListener('focusin', ({ target }) => {
  if (target instanceof HTMLElement && target !== stray) focused = target;
});
addEventListener('focus', () => {
  const held = document.activeElement;
  if (focused === undefined || (held !== document.body && (held !== stray || givingBack))) return;
  if (focused.checkVisibility()) focused.focus({ preventScroll: true });
  else standBeside();
});

// What a person does to the picture.

const steers = () => state?.mode === 'interact' && state.stage.kind === 'cast' && page.width > 0;
/** @param {{ clientX: number, clientY: number }} event */
const point = (event) => pointOf(event, picture.getBoundingClientRect(), page);
/** @param {PageInput} input */
const send = (input) => say({ type: 'input', input });

picture.addEventListener('pointerdown', (event) => {
  if (!steers()) return;
  picture.setPointerCapture(event.pointerId);
  keys.focus({ preventScroll: true });
});
// Presses are taken from here and not from the pointer, because only these count clicks.
picture.addEventListener('mousedown', (event) => {
  if (!steers()) return;
  event.preventDefault();
  flushMove();
  send(mouseInput('mousePressed', event, point(event)));
});
picture.addEventListener('mouseup', (event) => {
  if (!steers()) return;
  flushMove();
  send(mouseInput('mouseReleased', event, point(event)));
});
picture.addEventListener('contextmenu', (event) => {
  if (steers()) event.preventDefault();
});
picture.addEventListener(
  'wheel',
  (event) => {
    if (!steers()) return;
    event.preventDefault();
    send(wheelInput(event, point(event), page));
  },
  { passive: false },
);

/** The last move, told once for each picture of the screen. @type {PageInput | undefined} */
let move;
function flushMove() {
  if (move !== undefined) send(move);
  move = undefined;
}
picture.addEventListener('mousemove', (event) => {
  if (!steers()) return;
  if (move === undefined) requestAnimationFrame(flushMove);
  move = mouseInput('mouseMoved', event, point(event));
});

// Keys go to a field that nobody sees: it takes what is composed of several keys. They go no further, because the editor
// would take them for its own.
keys.addEventListener('keydown', (event) => {
  event.stopPropagation();
  if (event.key === 'F6') {
    event.preventDefault();
    element('mode').focus();
    return;
  }
  // Being composed: the field gets the text when it is done.
  if (event.isComposing || event.key === 'Process' || event.key === 'Dead') return;
  event.preventDefault();
  if (isPaste(event)) say({ type: 'paste' });
  else send(keyInput('down', event));
});
keys.addEventListener('keyup', (event) => {
  event.stopPropagation();
  if (event.key === 'F6' || event.isComposing || isPaste(event)) return;
  send(keyInput('up', event));
});
keys.addEventListener('compositionend', ({ data }) => {
  if (data !== '') send({ kind: 'text', text: data });
  keys.value = '';
});
keys.addEventListener('paste', (event) => {
  event.preventDefault();
  say({ type: 'paste' });
});

addEventListener('message', ({ source, origin, data }) => {
  const shown = state?.stage;
  if (frame !== undefined && source === frame.contentWindow) {
    const isFarewell = shown?.kind === 'frame' && shown.farewell !== undefined && data === shown.farewell;
    if (isFarewell && origin === new URL(shown.url).origin) say({ type: 'farewell' });
    return;
  }
  // The extension's messages come from the editor's own page around this one; anything else is a stranger's.
  if (origin !== window.origin) return;
  const message = /** @type {ToPanel} */ (data);
  if (message.type === 'state') draw(message);
  else if (message.type === 'frame') takeFrame(message);
});

const ready = () => say({ type: 'ready', size: room() });
// The extension may put another page in the place of this one from then on.
if (document.readyState === 'complete') ready();
else addEventListener('load', ready);
