import { readdirSync, readFileSync } from 'node:fs';
import WebSocket from 'ws';
import { WorkbenchUser } from '../e2e/user.ts';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { type CdpRelay, startCdpRelay } from '../servers/cdpRelay.ts';
import { Devtools } from '../servers/devtools.ts';
import { ProviderServer } from '../servers/providerServer.ts';
import { animatedPage } from './animatedPage.ts';
import { median, table } from './figures.ts';

const rounds = 6;
const roundMs = 5_000;
const [width, height] = [1280, 720];
const memoryMinutes = Number(process.env['BENCH_MINUTES'] ?? 5);
/** Cores that Linux counts time in hundredths of. */
export const ticksPerSecond = 100;

const ms = (value: number) => `${Math.round(value)} ms`;
const pause = (time: number) => new Promise((resolve) => setTimeout(resolve, time));

/** Compares the frame rate on screen with that of a client that draws nothing, and measures the cost of watching. */
export async function liveView(): Promise<void> {
  const pages = await new ProviderServer({
    routes: {},
    notFound: ({ path }) => ({ status: 200, html: animatedPage(path.slice(1)) }),
  }).start();
  const chromium = await startChromium();
  const devtools = await Devtools.open(chromium.endpoint);
  const relay = await startCdpRelay(chromium.endpoint);
  const targets: string[] = [];
  for (let index = 0; index < 4; index++) {
    const { browserContextId } = await devtools.send<{ browserContextId: string }>('Target.createBrowserContext');
    const page = { url: `${pages.url}/${index}`, browserContextId, width, height, newWindow: true };
    targets.push((await devtools.send<{ targetId: string }>('Target.createTarget', page)).targetId);
  }
  const user = await WorkbenchUser.open({ viewport: { width: 1345, height: 870 } });
  try {
    await user.page.getByRole('button', { name: 'Add Account' }).first().click();
    await user.pick('Local Chrome');
    await user.type('started with --remote-debugging-port', relay.url);
    await user.type('Enter a name to show in the Sessions view', 'Local Chrome');
    await user.row('Session Animated 0').waitFor();
    // Only the measured panel draws.
    for (const targetId of targets.slice(1)) await freeze(chromium, targetId, true);
    await frames(user, relay, targets[0] ?? '');
    await firstPicture(user, relay, targets[0] ?? '');
    await hidden(user, relay);
    for (const targetId of targets.slice(1)) await freeze(chromium, targetId, false);
    await four(user, relay);
  } finally {
    await user.standUp();
    devtools.close();
    await relay.stop();
    await chromium.stop();
    await pages.stop();
  }
}

/** Stops the page from moving, or makes it move again. */
async function freeze(chromium: RunningChromium, targetId: string, frozen: boolean): Promise<void> {
  const page = await Devtools.connect(`${chromium.endpoint.replace('http', 'ws')}/devtools/page/${targetId}`);
  const expression = frozen
    ? 'window.draws = requestAnimationFrame; window.requestAnimationFrame = (next) => { window.held = next; };'
    : 'window.requestAnimationFrame = window.draws; requestAnimationFrame(window.held);';
  await page.send('Runtime.evaluate', { expression });
  page.close();
}

/** A minimal client over the same relay: it receives frames, acknowledges them, and discards them. */
async function bareFrames(address: string, targetId: string, forMs: number): Promise<number> {
  const socket = new WebSocket(`${address.replace('http', 'ws')}/devtools/page/${targetId}`);
  await new Promise((resolve) => socket.once('open', resolve));
  let [id, count] = [0, 0];
  const send = (method: string, params: object) => socket.send(JSON.stringify({ id: ++id, method, params }));
  socket.on('message', (data: Buffer) => {
    const { method, params } = JSON.parse(data.toString('utf8'));
    if (method !== 'Page.screencastFrame') return;
    count++;
    send('Page.screencastFrameAck', { sessionId: params.sessionId });
  });
  send('Page.startScreencast', { format: 'jpeg', quality: 80, maxWidth: width, maxHeight: height });
  await pause(500);
  count = 0;
  await pause(forMs);
  socket.terminate();
  return count;
}

/** Runs in the panel's page: records each picture's size in bytes, and when it was drawn. */
function noteDrawings(): void {
  const bytes = new WeakMap<ImageBitmap, number>();
  const drawings: [bytes: number, at: number][] = [];
  Object.assign(globalThis, { drawings });
  const decode = globalThis.createImageBitmap.bind(globalThis);
  globalThis.createImageBitmap = async (source: ImageBitmapSource) => {
    const bitmap = await decode(source);
    bytes.set(bitmap, (source as Blob).size);
    return bitmap;
  };
  const { prototype } = ImageBitmapRenderingContext;
  const show = prototype.transferFromImageBitmap;
  prototype.transferFromImageBitmap = function (bitmap) {
    show.call(this, bitmap);
    if (bitmap !== null) drawings.push([bytes.get(bitmap) ?? 0, performance.timeOrigin + performance.now()]);
  };
}

/** Shows the first session's panel, or hides it. */
async function look(user: WorkbenchUser, at: 'session' | 'nothing'): Promise<void> {
  if (at === 'session') await user.page.getByRole('tab', { name: 'Live: Animated 0' }).click();
  else await user.page.getByRole('tab', { name: 'Untitled' }).click();
}

async function openFirst(user: WorkbenchUser): Promise<void> {
  await user.row('Session Animated 0').click();
  await (await user.live('Animated 0')).locator('#picture').waitFor({ state: 'visible', timeout: 30_000 });
}

async function frames(user: WorkbenchUser, relay: CdpRelay, targetId: string): Promise<void> {
  await user.page.keyboard.press('Control+N');
  await openFirst(user);
  await user.page.keyboard.press('Control+B');
  const delays: number[] = [];
  /** When the browser sent each picture, and its size in bytes. */
  const sent: (readonly [bytes: number, at: number])[] = [];
  relay.onPass = (command, text) => {
    if (command === undefined && text.includes('"Page.screencastFrame"')) {
      const { data } = JSON.parse(text).params;
      sent.push([Buffer.byteLength(data, 'base64'), performance.timeOrigin + performance.now()]);
    }
  };
  const [mine, bare]: number[][] = [[], []];
  for (let round = 0; round < rounds; round++) {
    await look(user, 'nothing');
    await pause(500);
    bare?.push((await bareFrames(relay.url, targetId, roundMs)) / (roundMs / 1_000));
    await look(user, 'session');
    const panel = await user.live('Animated 0');
    await panel.locator('#picture').waitFor({ state: 'visible' });
    await panel.evaluate(noteDrawings);
    await pause(1_000);
    const from = performance.timeOrigin + performance.now();
    await pause(roundMs);
    const drawings = await panel.evaluate<[number, number][]>('drawings');
    const counted = drawings.filter(([, at]) => at >= from && at < from + roundMs);
    for (const [bytes, at] of counted) {
      const picture = sent.findLast(([its, sentAt]) => its === bytes && sentAt <= at);
      if (picture !== undefined) delays.push(at - picture[1]);
    }
    mine?.push(counted.length / (roundMs / 1_000));
  }
  relay.onPass = () => {};
  console.log(
    `A page of ${width}x${height} that is redrawn all the time, ${rounds} rounds of ${roundMs / 1_000} s, in turn`,
  );
  table(
    ['', 'frames a second', 'lowest', 'highest'],
    [
      ['drawn in the panel', mine ?? []],
      ['bare client', bare ?? []],
    ].map(([name, figures]) => [
      String(name),
      median(figures as number[]).toFixed(1),
      Math.min(...(figures as number[])).toFixed(1),
      Math.max(...(figures as number[])).toFixed(1),
    ]),
  );
  console.log(
    `ratio ${(median(mine ?? []) / median(bare ?? [])).toFixed(2)} (goal: at least 0.8); from the browser's frame to the ` +
      `canvas, median ${ms(median(delays))} (goal: below 60 ms)\n`,
  );
}

async function firstPicture(user: WorkbenchUser, relay: CdpRelay, targetId: string): Promise<void> {
  const [arrived, drawn, bare]: number[][] = [[], [], []];
  for (let round = 0; round < rounds; round++) {
    await look(user, 'nothing');
    await pause(700);
    const began = performance.now();
    const { webSocketDebuggerUrl } = await (await fetch(`${relay.url}/json/version`)).json();
    const browser = await Devtools.connect(relay.url.replace('http', 'ws') + new URL(webSocketDebuggerUrl).pathname);
    const { sessionId } = await browser.send<{ sessionId: string }>('Target.attachToTarget', {
      targetId,
      flatten: true,
    });
    await browser.send('Page.captureScreenshot', { format: 'jpeg', quality: 80 }, sessionId);
    bare?.push(performance.now() - began);
    browser.close();
    await pause(300);
    const asked = relay.server.requests.length;
    const commands = relay.commands.length;
    let arrivedAt: number | undefined;
    relay.onPass = (_, text) => {
      if (arrivedAt === undefined && /"Page.screencastFrame"|"result":{"data":"/.test(text.slice(0, 200))) {
        arrivedAt = performance.now();
      }
    };
    await look(user, 'session');
    const isDrawn = () => relay.commands.slice(commands).find(({ method }) => method === 'Page.screencastFrameAck');
    while (isDrawn() === undefined) await pause(5);
    const first = relay.server.requests.slice(asked).find(({ path }) => path === '/json/version');
    const offset = performance.timeOrigin;
    if (first === undefined) continue;
    arrived?.push((arrivedAt ?? 0) + offset - first.at);
    drawn?.push((isDrawn()?.at ?? 0) + offset - first.at);
  }
  relay.onPass = () => {};
  console.log('Showing a panel again, from the first request on');
  console.log(
    `the extension has the first picture after ${ms(median(arrived ?? []))}, compared with ${ms(median(bare ?? []))} of a bare ` +
      `client’s screenshot: ratio ${(median(arrived ?? []) / median(bare ?? [])).toFixed(2)} (goal: below 1.5); the ` +
      `browser knows it to be drawn after ${ms(median(drawn ?? []))}, in which VS Code loads the panel's page\n`,
  );
}

async function hidden(user: WorkbenchUser, relay: CdpRelay): Promise<void> {
  await look(user, 'nothing');
  await pause(2_000);
  const [requests, commands] = [relay.server.requests.length, relay.commands.length];
  await pause(20_000);
  console.log(
    `A panel that is hidden, the list too, for 20 s: ${relay.sockets} sockets, ` +
      `${relay.server.requests.length - requests} requests, ${relay.commands.length - commands} commands (goal: none)\n`,
  );
}

async function four(user: WorkbenchUser, relay: CdpRelay): Promise<void> {
  await user.page.keyboard.press('Control+B');
  await user.page.keyboard.press('Control+K');
  await user.page.keyboard.press('Control+W');
  for (let index = 0; index < 4; index++) {
    await user.choose(user.row(`Session Animated ${index}`), 'Open Live View to the Side');
    await pause(1_500);
  }
  await pause(3_000);
  const host = extensionHost();
  const before = { ticks: ticksOf(host), at: performance.now(), frames: acknowledged(relay) };
  await pause(20_000);
  const seconds = (performance.now() - before.at) / 1_000;
  const share = (ticksOf(host) - before.ticks) / ticksPerSecond / seconds;
  const rate = (acknowledged(relay) - before.frames) / seconds;
  console.log(`Four panels at once, ${relay.sockets} sockets, ${rate.toFixed(1)} frames a second together`);
  console.log(`the extension host takes ${(share * 100).toFixed(0)}% of one core (goal: below 60%)`);
  const samples: (readonly [minutes: number, megabytes: number])[] = [];
  const began = performance.now();
  for (let at = 0; at <= memoryMinutes * 6; at++) {
    samples.push([(performance.now() - began) / 60_000, residentOf(host)]);
    await pause(10_000);
  }
  const [first, last] = [samples[0]?.[1] ?? 0, samples.at(-1)?.[1] ?? 0];
  console.log(
    `its memory over ${memoryMinutes} minutes: ${first.toFixed(0)} to ${last.toFixed(0)} MB, ` +
      `slope ${slope(samples).toFixed(2)} MB a minute (goal: below 1)\n`,
  );
}

const acknowledged = (relay: CdpRelay) =>
  relay.commands.filter(({ method }) => method === 'Page.screencastFrameAck').length;

/** Our process in which extensions run: there may be others on this machine. */
export function extensionHost(): number {
  const processes = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  const found = processes.find((entry) => {
    try {
      return readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes('--type=extensionHost') && isOurs(Number(entry));
    } catch {
      // It has ended since it was listed.
      return false;
    }
  });
  if (found === undefined) throw new Error('There is no extension host.');
  return Number(found);
}

function isOurs(pid: number): boolean {
  for (let at = pid; at > 1; at = Number(statOf(at)[1])) if (at === process.pid) return true;
  return false;
}

/** The fields of `/proc/<pid>/stat` after the name: state, parent and so on. */
function statOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
}

/** The processor time that a process has used, in clock ticks; see {@link ticksPerSecond}. */
export function ticksOf(pid: number): number {
  const fields = statOf(pid);
  return Number(fields[11]) + Number(fields[12]);
}

function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
}

/** By least squares. */
function slope(samples: readonly (readonly [number, number])[]): number {
  const mean = (index: 0 | 1) => samples.reduce((sum, sample) => sum + sample[index], 0) / samples.length;
  const [x, y] = [mean(0), mean(1)];
  const [above, below] = samples.reduce(
    ([over, under], [a, b]) => [over + (a - x) * (b - y), under + (a - x) ** 2],
    [0, 0],
  );
  return above / below;
}
