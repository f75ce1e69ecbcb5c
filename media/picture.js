// The image of the session's page, and the note over it.

import { kept, say } from './editor.js';
import { element, write } from './elements.js';
import { imageSize } from './imageSize.js';

/** @import { PanelFrame, PanelStage, PanelState } from '../src/ui/liveView/messages.ts' */

/** After this many seconds without a new frame, a note says so, so that nothing looks frozen. */
const quietSeconds = 12;
const resizeSettlesMs = 150;
/** After this many unreadable frames in a row, a note says so. */
const mostUnreadable = 3;
/** Most pixels of a frame, those of an 8K screen. Decoding a larger one could take seconds, and gigabytes. */
const mostPixels = 7_680 * 4_320;

const stage = element('stage');
const picture = /** @type {HTMLCanvasElement} */ (element('picture'));
const note = element('note');
/** Takes over frames as they were decoded, without drawing them again. */
const screen = picture.getContext('bitmaprenderer', { alpha: false });

/** @type {PanelStage | undefined} */
let shown;
/** The viewport that the image shows, in the page's own pixels. */
let page = { width: 0, height: 0 };
let drawnAt = performance.now();
/** Number of unreadable frames in a row. */
let unreadable = 0;
/** The last state that was drawn; another one resets the count of unreadable frames. */
let lastNews = '';
/** Whether the image is scaled to fit the panel, or has the page's own size. */
let fits = kept()?.fits !== false;

/** The viewport that the image shows, in the page's own pixels; 0 by 0 until there is an image. */
export const viewport = () => page;

/** Whether the image is scaled to fit the panel, or has the page's own size. */
export const fitsPanel = () => fits;

export function toggleFit() {
  fits = !fits;
  if (page.width > 0) sizePicture();
  say({ type: 'resized', size: room() });
}

/** @param {PanelState} state */
export function drawPicture({ name, stage: next, shownPage }) {
  // The note about unreadable frames applies to one page, and gives way to other notes.
  const news = JSON.stringify([next.kind, next.kind === 'cast' ? next.note : '', shownPage]);
  if (news !== lastNews) unreadable = 0;
  lastNews = news;
  picture.setAttribute('aria-label', (stage.dataset['picture'] ?? '').replace('{0}', name));
  drawStage(next);
}

/** @param {PanelStage} next */
function drawStage(next) {
  shown = next;
  const seen = page.width > 0;
  picture.hidden = next.kind === 'frame' || !seen || (next.kind === 'card' && !next.overLast);
  picture.classList.toggle('past', next.kind === 'card' || (next.kind === 'cast' && next.stale));
  drawNote();
}

/** @param {string} quiet the note for when there was no new frame for long */
function noteOf(quiet) {
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
  // The note that counts seconds isn't read out every second.
  note.setAttribute('aria-live', text === quiet ? 'off' : 'polite');
  write(note, text);
}
setInterval(drawNote, 1_000);

/** Frames are decoded in parallel, and drawn in order. */
let turn = Promise.resolve();

/** @param {PanelFrame} frame */
export function takeFrame({ number, width, height, jpeg }) {
  const decoded = decode(jpeg).catch(() => undefined);
  turn = turn.then(async () => {
    let bitmap = await decoded;
    try {
      drawFrame(bitmap, { width, height });
    } catch (error) {
      reportError(error);
      bitmap = undefined;
      drawFrame(bitmap, { width, height });
    }
    say({ type: 'drawn', number, isOnScreen: bitmap !== undefined });
  });
}

/** @param {PanelFrame['jpeg']} jpeg */
async function decode(jpeg) {
  const size = imageSize(new Uint8Array(jpeg));
  if (size === undefined || size.width * size.height > mostPixels) return undefined;
  return createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' }));
}

/**
 * @param {ImageBitmap | undefined} bitmap undefined for an unreadable frame
 * @param {{ width: number, height: number }} viewport
 */
function drawFrame(bitmap, { width, height }) {
  if (bitmap === undefined) {
    // The next one may be readable again.
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
  // Most frames change nothing else, and laying out the page again for each of them is expensive.
  if ((picture.hidden || !note.hidden) && shown !== undefined) drawStage(shown);
}

function sizePicture() {
  const scale = fits ? Math.min(stage.clientWidth / page.width, stage.clientHeight / page.height) : 1;
  picture.style.width = `${page.width * scale}px`;
  picture.style.height = `${page.height * scale}px`;
  stage.classList.toggle('actual', !fits);
}

/** The size of the image that there is room for, in device pixels; null for the page's own size. */
export function room() {
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
