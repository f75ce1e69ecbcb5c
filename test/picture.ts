// `npm run picture`: makes the README's animated picture by watching one session and ending another in a real
// workbench. It shows the real interface, so run it again whenever that changes.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { type ApngFrame, encodeApng } from './host/apng.ts';
import { startChromium } from './host/chromium.ts';
import { pictureSettings } from './host/pictureSettings.ts';
import { run, temporaryFolder } from './host/processes.ts';
import { Advice, script, step } from './host/steps.ts';
import { liveViewOf, openWorkbench } from './host/workbench.ts';
import { startBrowserbase } from './servers/browserbase.ts';
import { Devtools } from './servers/devtools.ts';
import { ProviderServer } from './servers/providerServer.ts';

const file = 'media/tour.png';
const mostBytes = 2 * 1024 * 1024;
const viewport = { width: 940, height: 470 };
/** Wide enough for the text of the rows. */
const sideBarWidth = 330;
const waitMs = 60_000;

const style = `<meta name="viewport" content="width=device-width"><style>
body { display: grid; align-content: center; gap: 18px; height: 100vh; margin: 0 auto; max-width: 520px; padding: 0 40px;
  box-sizing: border-box; font: 24px system-ui, sans-serif; color: #10243f; background: #eef4fc; }
h1 { margin: 0; font-size: 34px; }
label { display: grid; gap: 6px; font-size: 18px; }
output { min-height: 1.3em; padding: 10px 14px; border: 1px solid #a9bdd9; border-radius: 8px; font-size: 24px; background: white; }
b { padding: 12px; border-radius: 8px; text-align: center; color: white; background: #1d5fbf; }
</style>`;

/** A page on which a script fills in a form, letter by letter. */
const checkout = `<!DOCTYPE html><title>Checkout</title>${style}<h1>Checkout</h1>
<label>Name <output></output></label><label>Street <output></output></label><label>City <output></output></label><b>Pay 42.00</b>
<script>
const texts = ['Ada Example', '12 Harbour Street', 'Springfield'];
const fields = [...document.querySelectorAll('output')];
const length = texts.join('').length;
let typed = 0;
setInterval(() => {
  let left = typed++ % (length + 20);
  for (const [index, text] of texts.entries()) {
    fields[index].textContent = text.slice(0, left);
    left = Math.max(0, left - text.length);
  }
}, 130);
</script>`;
const pages: Readonly<Record<string, string>> = {
  checkout,
  search: `<!DOCTYPE html><title>Flight search</title>${style}<h1>Flight search</h1>`,
};

/** Takes screenshots of the workbench, and adds a pointer, which a headless browser doesn't draw. */
class Recorder {
  readonly #page: Page;
  readonly shots: { readonly png: Buffer; readonly milliseconds: number }[] = [];
  #at = { x: viewport.width * 0.62, y: viewport.height * 0.6 };

  constructor(page: Page) {
    this.#page = page;
  }

  async showPointer(): Promise<void> {
    await this.#page.evaluate(() => {
      const pointer = document.createElement('div');
      pointer.id = 'recorded-pointer';
      const place = { position: 'fixed', zIndex: '2147483647', pointerEvents: 'none' };
      Object.assign(pointer.style, { ...place, filter: 'drop-shadow(0 0 1px black) drop-shadow(0 0 1px black)' });
      const arrow = document.createElement('div');
      const clipPath = 'polygon(0 0, 0 82%, 26% 64%, 46% 100%, 64% 92%, 46% 57%, 82% 57%)';
      Object.assign(arrow.style, { width: '16px', height: '22px', background: 'white', clipPath });
      pointer.append(arrow);
      document.body.append(pointer);
    });
    await this.#place();
  }

  async #place(): Promise<void> {
    await this.#page.mouse.move(this.#at.x, this.#at.y);
    await this.#page.evaluate(({ x, y }) => {
      const pointer = document.getElementById('recorded-pointer');
      if (pointer) Object.assign(pointer.style, { left: `${x}px`, top: `${y}px` });
    }, this.#at);
  }

  /** Takes one screenshot, which is shown for this long. */
  async shoot(milliseconds: number): Promise<void> {
    this.shots.push({ png: await this.#page.screenshot(), milliseconds });
  }

  /** Takes screenshots for this long, often enough for something that moves. */
  async watch(milliseconds: number): Promise<void> {
    const eachMs = 240;
    for (let shown = 0; shown < milliseconds; shown += eachMs) {
      const until = performance.now() + eachMs;
      await this.shoot(eachMs);
      await this.#page.waitForTimeout(Math.max(0, until - performance.now()));
    }
  }

  /** Moves the pointer to the middle of something. */
  async moveTo(target: Locator): Promise<void> {
    const box = await target.boundingBox();
    if (box === null) throw new Advice(`There is nothing on screen to point at: ${String(target)}`);
    const [from, to] = [this.#at, { x: box.x + Math.min(box.width / 2, 90), y: box.y + box.height / 2 }];
    const steps = 8;
    for (let count = 1; count <= steps; count++) {
      const part = (1 - Math.cos((Math.PI * count) / steps)) / 2;
      this.#at = { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
      await this.#place();
      await this.shoot(60);
    }
  }

  async click(): Promise<void> {
    await this.#page.mouse.click(this.#at.x, this.#at.y);
  }
}

/** Where a picture differs from the one before, and its pixels there, in base64. Unchanged pixels are transparent. */
type Changed = Pick<ApngFrame, 'left' | 'top' | 'width' | 'height'> & { readonly base64: string };

/**
 * Runs in a page, which can decode PNGs. Both are in base64.
 * @returns undefined when nothing has changed.
 */
async function changed([before, after]: [string | undefined, string]): Promise<Changed | undefined> {
  async function pixelsOf(base64: string) {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const { width, height } = bitmap;
    const brush = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (brush === null) throw new Error('There is no canvas to read the picture with.');
    brush.drawImage(bitmap, 0, 0);
    return { width, height, pixels: new Uint32Array(brush.getImageData(0, 0, width, height).data.buffer) };
  }
  const { width, height, pixels } = await pixelsOf(after);
  const past = before === undefined ? new Uint32Array(pixels.length) : (await pixelsOf(before)).pixels;
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let at = 0; at < pixels.length; at++) {
    if (past[at] === pixels[at]) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
  }
  if (right === 0) return undefined;
  const part = new Uint32Array((right - left) * (bottom - top));
  for (let to = 0, y = top; y < bottom; y++) {
    for (let x = left; x < right; x++, to++) {
      const at = y * width + x;
      part[to] = past[at] === pixels[at] ? 0 : (pixels[at] ?? 0);
    }
  }
  let binary = '';
  for (const byte of new Uint8Array(part.buffer)) binary += String.fromCharCode(byte);
  return { left, top, width: right - left, height: bottom - top, base64: btoa(binary) };
}

/** Creates frames with the changes from picture to picture. */
async function framesOf(page: Page, shots: Recorder['shots']): Promise<ApngFrame[]> {
  const frames: ApngFrame[] = [];
  let before: string | undefined;
  for (const { png, milliseconds } of shots) {
    const after = png.toString('base64');
    const difference = await page.evaluate(changed, [before, after] as [string | undefined, string]);
    before = after;
    const last = frames.at(-1);
    if (difference !== undefined) {
      const { base64, ...place } = difference;
      frames.push({ ...place, pixels: Buffer.from(base64, 'base64'), milliseconds });
    } else if (last !== undefined) {
      frames[frames.length - 1] = { ...last, milliseconds: last.milliseconds + milliseconds };
    }
  }
  return frames;
}

/**
 * Decodes the animation's last frame in a page, as a README's reader sees it, and compares it with what was on screen.
 */
async function check(page: Page, apng: Buffer, frames: readonly ApngFrame[], last: Buffer): Promise<void> {
  const shown = await page.evaluate(
    async ([base64, index]) => {
      const data = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const decoder = new ImageDecoder({ data, type: 'image/png' });
      await decoder.completed;
      const { image } = await decoder.decode({ frameIndex: index });
      const canvas = new OffscreenCanvas(image.displayWidth, image.displayHeight);
      canvas.getContext('2d')?.drawImage(image, 0, 0);
      const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
      let binary = '';
      for (const byte of bytes) binary += String.fromCharCode(byte);
      return btoa(binary);
    },
    [apng.toString('base64'), frames.length - 1] as [string, number],
  );
  const difference = await page.evaluate(changed, [shown, last.toString('base64')] as [string | undefined, string]);
  if (difference !== undefined) throw new Error('The last frame of the animation is not what was on screen.');
}

/** Starts the browsers that the picture shows: two in a Chrome, and three at a Browserbase. */
async function openSessions() {
  const site = await new ProviderServer({
    routes: Object.fromEntries(
      Object.entries(pages).map(([name, html]) => [`GET /${name}`, () => ({ status: 200, html })]),
    ),
    notFound: () => ({ status: 404, text: 'no such page' }),
  }).start();
  const chromium = await startChromium();
  const devtools = await Devtools.open(chromium.endpoint);
  for (const name of Object.keys(pages)) await devtools.openContext(`${site.url}/${name}`);
  devtools.close();
  const browserbase = await startBrowserbase();
  browserbase.releaseLagMs = 2_500;
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);
  for (const [name, minutes] of [
    ['nightly-prices', 372],
    ['login-test', 14],
    ['visual-tests', 3],
  ] as const) {
    browserbase.add({ userMetadata: { name }, createdAt: minutesAgo(minutes) });
  }
  const accounts = [
    { provider: 'browserbase', label: 'staging', origin: browserbase.url, fields: { apiKey: browserbase.key } },
    { provider: 'localChrome', label: 'Local Chrome', origin: chromium.endpoint, fields: {} },
  ];
  return { browserbase, accounts, blankPage: `${site.url}/blank` };
}

async function widenSideBar(page: Page): Promise<void> {
  const box = await page.locator('.part.sidebar').boundingBox();
  if (box === null) throw new Advice('There is no side bar on screen.');
  await page.mouse.move(box.x + box.width, viewport.height / 2);
  await page.mouse.down();
  await page.mouse.move(sideBarWidth, viewport.height / 2, { steps: 4 });
  await page.mouse.up();
  await page.mouse.move(viewport.width / 2, viewport.height / 2);
  await page.locator('.monaco-sash.hover, .monaco-sash.active').first().waitFor({ state: 'detached' });
  // Its color fades out after that.
  await page.waitForFunction(() =>
    document.getAnimations().every(({ effect }) => {
      const target = effect instanceof KeyframeEffect ? effect.target : null;
      return target?.classList.contains('monaco-sash') !== true;
    }),
  );
}

async function record(page: Page, running: () => readonly string[]): Promise<Recorder['shots']> {
  const row = (name: string) => page.getByRole('treeitem', { name: `Session ${name}` });
  for (const name of ['nightly-prices', 'login-test', 'Checkout', 'Flight search']) {
    await row(name).waitFor({ timeout: waitMs });
  }
  await widenSideBar(page);
  const recorder = new Recorder(page);
  await recorder.showPointer();
  await recorder.shoot(1_500);

  await recorder.moveTo(row('Checkout'));
  await recorder.click();
  const panel = await liveViewOf(page, 'Checkout');
  await panel.locator('#picture').waitFor({ state: 'visible', timeout: waitMs });
  await recorder.watch(4_000);

  const forgotten = row('nightly-prices');
  await recorder.moveTo(forgotten);
  await recorder.shoot(400);
  await recorder.moveTo(forgotten.locator('.codicon-debug-stop'));
  await recorder.watch(600);
  await recorder.click();
  const dialog = page.locator('[role=dialog][aria-modal=true]');
  await dialog.waitFor();
  await recorder.shoot(2_600);
  await recorder.moveTo(dialog.locator('.monaco-button:not(.secondary)').first());
  await recorder.shoot(500);
  await recorder.click();
  await dialog.waitFor({ state: 'detached' });
  for (const deadline = Date.now() + waitMs; (await forgotten.count()) > 0; ) {
    if (Date.now() > deadline) throw new Advice('The session that was ended is still listed.');
    await recorder.watch(400);
  }
  if (running().length !== 2) throw new Error('The session that left the list still runs.');
  await recorder.watch(1_000);

  await recorder.moveTo(page.locator('.part.sidebar .pane-header').last());
  await recorder.click();
  await page.getByRole('treeitem', { name: 'nightly-prices' }).waitFor({ timeout: waitMs });
  await recorder.watch(3_600);
  return recorder.shots;
}

await script(async () => {
  await step('Build the extension', () => run(process.execPath, ['esbuild.js']));
  const { browserbase, accounts, blankPage } = await step('Start the sessions that the picture shows', openSessions);
  const workbench = await step('Start VS Code', () =>
    openWorkbench({
      userDataDir: temporaryFolder('picture'),
      installed: [resolve('.'), resolve('test', 'host', 'demo')],
      settings: pictureSettings,
      env: { BROWSER_SESSIONS_DEMO: JSON.stringify(accounts) },
      viewport,
    }),
  );
  const shots = await step('Watch a session and end another', () =>
    record(workbench.page, () => browserbase.running).catch(async (error: unknown) => {
      await workbench.page.screenshot({ path: 'out/picture-failed.png' });
      throw error;
    }),
  );
  await step(`Write ${file}`, async () => {
    const page = await workbench.browser.newPage();
    // A page from this machine may decode pictures; about:blank may not.
    await page.goto(blankPage);
    const frames = await framesOf(page, shots);
    const apng = encodeApng(frames);
    const last = shots.at(-1);
    if (last !== undefined) await check(page, apng, frames, last.png);
    const seconds = frames.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1_000;
    console.log(`  ${frames.length} frames, ${seconds.toFixed(1)} s, ${Math.round(apng.length / 1024)} KB`);
    if (apng.length > mostBytes) throw new Advice(`The picture is larger than ${mostBytes} bytes.`);
    writeFileSync(file, apng);
  });
  await workbench.close();
});
process.exit();
