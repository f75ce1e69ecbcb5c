import { strict as assert } from 'node:assert';
import type { PictureSize } from '../../../src/cdp/attachedPage.ts';
import type { Frame } from '../../../src/cdp/frameQueue.ts';
import { Screencast } from '../../../src/cdp/screencast.ts';
import type { ScreencastState } from '../../../src/cdp/screencastState.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { type PageId, sessionId } from '../../../src/core/ids.ts';
import type { ProviderError } from '../../../src/core/providerError.ts';
import { localChrome } from '../../../src/providers/localChrome.ts';
import { connect } from '../../../src/services/accounts/connect.ts';
import { useChromium } from '../../host/useChromium.ts';
import { type CdpRelay, startCdpRelay } from '../../servers/cdpRelay.ts';
import { Devtools } from '../../servers/devtools.ts';
import { startPages } from '../../servers/pages.ts';
import type { ProviderServer } from '../../servers/providerServer.ts';
import { fastClock } from '../services/testServices.ts';
import { RecordingLog, realNetwork, unaborted } from '../testNetwork.ts';
import { until } from '../until.ts';

/** Width and height of a JPEG picture, out of its frame header. */
function sizeOf(jpeg: Uint8Array): { width: number; height: number } {
  const view = Buffer.from(jpeg);
  assert.equal(view.readUInt16BE(0), 0xffd8, 'not a JPEG');
  for (let at = 2; at < view.length; ) {
    const marker = view.readUInt16BE(at);
    if (marker >= 0xffc0 && marker <= 0xffc3) {
      return { height: view.readUInt16BE(at + 5), width: view.readUInt16BE(at + 7) };
    }
    at += 2 + view.readUInt16BE(at + 2);
  }
  throw new Error('a JPEG without a size');
}

describe('screencast', function () {
  this.timeout(60_000);
  const used = useChromium();
  let pages: ProviderServer;
  let relay: CdpRelay;
  let watched: Watched | undefined;

  before(async () => {
    pages = await startPages();
  });
  after(async () => {
    await pages.stop();
  });
  beforeEach(async () => {
    relay = await startCdpRelay(used.chromium.endpoint);
  });
  afterEach(async () => {
    watched?.screencast.dispose();
    watched = undefined;
    await relay.stop();
    for (const browserContextId of await used.devtools.contexts()) {
      await used.devtools.send('Target.disposeBrowserContext', { browserContextId });
    }
  });

  /** A screencast, and its output. Each frame is drawn at once, unless `drawing` is off. */
  interface Watched {
    readonly screencast: Screencast;
    readonly frames: Frame[];
    readonly states: ScreencastState[];
    readonly lost: ProviderError[];
    readonly troubles: ProviderError[];
    drawing: boolean;
  }

  async function watch(
    context: string,
    {
      page,
      first,
      size,
      clock = systemClock,
      drawing = true,
    }: { page?: string; first?: string; size?: PictureSize; clock?: Clock; drawing?: boolean } = {},
  ): Promise<Watched> {
    const provider = connect(localChrome, relay.url, {}, realNetwork(new RecordingLog(), clock));
    const devtools = await provider.devtools?.(sessionId(context), unaborted);
    assert.ok(devtools);
    const troubles: ProviderError[] = [];
    const onTrouble = (error: ProviderError) => void troubles.push(error);
    const shown = { page: page as PageId | undefined, first: first as PageId | undefined };
    const screencast = new Screencast(devtools, { clock, ...shown, size, onTrouble });
    const one: Watched = { screencast, frames: [], states: [], lost: [], troubles, drawing };
    watched = one;
    screencast.onFrame((frame) => {
      one.frames.push(frame);
      if (one.drawing) setImmediate(() => screencast.drawn(frame.number));
    });
    screencast.onDidChange((state) => one.states.push(state));
    screencast.onLost((error) => one.lost.push(error));
    await screencast.start();
    return one;
  }

  /** Opens a tab in a context. @returns its id. */
  async function openTab(browserContextId: string, path: string): Promise<string> {
    const url = `${pages.url}/${path}`;
    return (await used.devtools.send<{ targetId: string }>('Target.createTarget', { url, browserContextId })).targetId;
  }

  const context = async (path: string) => used.devtools.openContext(`${pages.url}/${path}`);
  const titles = ({ screencast }: Watched) => screencast.state.pages.map(({ title }) => title);
  const shownTitle = ({ screencast: { state } }: Watched) => state.pages.find(({ id }) => id === state.shown)?.title;

  /** Runs a script in a page, as its owner would. */
  async function inPage<T>(targetId: string, expression: string): Promise<T> {
    const page = await Devtools.connect(`${used.chromium.endpoint.replace('http', 'ws')}/devtools/page/${targetId}`);
    try {
      const { result } = await page.send<{ result: { value: T } }>('Runtime.evaluate', { expression });
      return result.value;
    } finally {
      page.close();
    }
  }

  it('shows a static page at once, and a moving page as it moves', async () => {
    const still = await watch(await context('form'));
    await until(() => still.frames.length > 0);
    assert.equal(still.screencast.state.condition, 'live');
    const [first] = still.frames;
    assert.ok(first);
    const { width, height } = sizeOf(first.jpeg);
    assert.ok(Math.abs(width / height - first.width / first.height) < 0.05);
    still.screencast.dispose();

    const moving = await watch(await context('counter'));
    await until(() => moving.frames.length > 10);
    const distinct = new Set(moving.frames.map(({ jpeg }) => Buffer.from(jpeg).toString('base64')));
    assert.ok(distinct.size > 5);
    assert.deepEqual(moving.troubles, []);
  });

  it('queues at most one frame while another is drawn', async () => {
    const one = await watch(await context('counter'), { drawing: false });
    await until(() => one.frames.length === 2);
    const acknowledged = () => relay.commands.filter(({ method }) => method === 'Page.screencastFrameAck').length;
    const before = acknowledged();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.equal(one.frames.length, 2, 'a third frame came before one was drawn');
    const settled = acknowledged();
    assert.ok(settled - before <= 1);
    const [first, second] = one.frames;
    assert.ok(first && second && first.number < second.number);
    one.screencast.drawn(second.number + 7);
    assert.equal(acknowledged(), settled, 'a frame that was never sent was taken for drawn');
    // Each frame that is drawn lets the next one through.
    one.screencast.drawn(first.number);
    await until(() => one.frames.length === 3);
    // A lost frame blocks nothing once a later one is drawn.
    one.drawing = true;
    one.screencast.drawn(one.frames.at(-1)?.number ?? 0);
    await until(() => one.frames.length > 8);
  });

  it('asks for no more pixels than requested, even after the request changes', async () => {
    const one = await watch(await context('counter'), { size: { width: 300, height: 300 } });
    const newest = () => sizeOf(one.frames.at(-1)?.jpeg ?? new Uint8Array());
    await until(() => one.frames.length > 3 && newest().width <= 300 && newest().height <= 300);
    one.screencast.resize({ width: 120, height: 300 });
    await until(() => newest().width <= 120);
    const { width, height } = one.frames.at(-1) ?? assert.fail();
    assert.ok(width > 300 && height > 300, 'the page itself was made smaller');
  });

  it('follows a page through navigations to other sites', async () => {
    const id = await context('counter');
    const one = await watch(id, { clock: fastClock(5) });
    await until(() => one.frames.length > 2);
    const { shown } = one.screencast.state;
    assert.ok(shown);
    await inPage(shown, `void (location.href = '${pages.url.replace('127.0.0.1', 'localhost')}/clock')`);
    await until(() => shownTitle(one) === 'Clock');
    const before = one.frames.length;
    await until(() => one.frames.length > before + 5);
    assert.equal(one.screencast.state.shown, shown);
    assert.deepEqual(titles(one), ['Clock']);
  });

  it('follows the session to new tabs and back, unless a page was chosen', async () => {
    const id = await context('counter');
    const one = await watch(id, { clock: fastClock(5) });
    await until(() => shownTitle(one) === 'Counter' && one.frames.length > 0);
    const second = await openTab(id, 'clock');
    await until(() => shownTitle(one) === 'Clock' && one.screencast.state.condition === 'live');
    assert.deepEqual(titles(one), ['Counter', 'Clock']);
    await used.devtools.send('Target.closeTarget', { targetId: second });
    await until(() => shownTitle(one) === 'Counter' && one.screencast.state.condition === 'live');
    const frames = one.frames.length;
    await until(() => one.frames.length > frames + 3);

    const { shown } = one.screencast.state;
    one.screencast.choose(shown);
    await openTab(id, 'form');
    await until(() => titles(one).includes('Sign-up form'));
    assert.equal(shownTitle(one), 'Counter');
    await used.devtools.send('Target.closeTarget', { targetId: shown });
    await until(() => shownTitle(one) === 'Sign-up form');
    // Pages of other sessions don't belong to it.
    await context('clock');
    assert.deepEqual(titles(one), ['Sign-up form']);
  });

  it('starts even when the page it was about to show is replaced by another and closes', async () => {
    const id = await context('counter');
    const said = (method: string) => until(() => relay.commands.some((command) => command.method === method));
    relay.lagMs = 300;
    const watching = watch(id);
    watching.catch(() => {});
    await said('Target.attachToTarget');
    await openTab(id, 'clock');
    await said('Target.detachFromTarget');
    const { targetInfos } = await used.devtools.send<{ targetInfos: { targetId: string; url: string }[] }>(
      'Target.getTargets',
    );
    const first = targetInfos.find(({ url }) => url.endsWith('/counter'));
    await used.devtools.send('Target.closeTarget', { targetId: first?.targetId });
    const one = await watching;
    await until(() => one.screencast.state.condition === 'live' && shownTitle(one) === 'Clock');
  });

  it('says when a session has no page, and shows the first one that opens', async () => {
    const id = await used.devtools.openContext();
    const one = await watch(id);
    assert.equal(one.screencast.state.condition, 'noPage');
    await openTab(id, 'counter');
    await until(() => one.screencast.state.condition === 'live');
  });

  it('checks a page in a background tab once a second', async () => {
    const id = await context('form');
    const one = await watch(id);
    await until(() => one.screencast.state.condition === 'live');
    const { shown } = one.screencast.state;
    assert.ok(shown);
    one.screencast.choose(shown);
    const front = await openTab(id, 'clock');
    await until(() => one.screencast.state.condition === 'background');
    const before = one.frames.length;
    await inPage(shown, `void (document.body.textContent = 'Changed behind the other tab')`);
    await until(() => one.frames.length > before);
    const quiet = one.frames.length;
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.ok(one.frames.length - quiet <= 2, 'pictures that are the same were shown');
    assert.equal(one.screencast.state.condition, 'background');
    await used.devtools.send('Target.closeTarget', { targetId: front });
    await until(() => one.screencast.state.condition === 'live');
  });

  it('notices that a static page has come to the front, even right after it was checked', async () => {
    const id = await context('form');
    const one = await watch(id);
    await until(() => one.screencast.state.condition === 'live');
    one.screencast.choose(one.screencast.state.shown);
    const front = await openTab(id, 'clock');
    await until(() => one.screencast.state.condition === 'background');
    const hidden = new Promise<void>((resolve) => {
      let isLookedAt = false;
      relay.onEvent = (message) => {
        isLookedAt ||= message.params?.['visible'] === true;
        if (isLookedAt && message.params?.['visible'] === false) resolve();
        return message;
      };
    });
    await hidden;
    await used.devtools.send('Target.closeTarget', { targetId: front });
    await until(() => one.screencast.state.condition === 'live');
  });

  /** Navigates a page again and again until a condition holds: a page that is busy or crashing may ignore it. */
  async function navigate(page: Devtools, url: string, isSo: () => boolean): Promise<void> {
    let sentAt = 0;
    await until(() => {
      if (Date.now() - sentAt > 3_000) {
        sentAt = Date.now();
        // A page that crashes never responds.
        void page.send('Page.navigate', { url });
      }
      return isSo();
    });
  }
  const crash = (page: Devtools, one: Watched) =>
    navigate(page, 'chrome://crash', () => one.screencast.state.condition === 'crashed');
  const goToClock = (page: Devtools, one: Watched) =>
    navigate(
      page,
      `${pages.url}/clock`,
      () => one.screencast.state.condition === 'live' && shownTitle(one) === 'Clock',
    );

  it('says that a page has crashed, and shows it again once it is reloaded', async () => {
    const one = await watch(await context('counter'), { clock: fastClock(5) });
    await until(() => one.frames.length > 0);
    const { shown } = one.screencast.state;
    assert.ok(shown);
    const page = await Devtools.connect(`${used.chromium.endpoint.replace('http', 'ws')}/devtools/page/${shown}`);
    await crash(page, one);
    assert.deepEqual(one.lost, []);
    await goToClock(page, one);
    const before = one.frames.length;
    await until(() => one.frames.length > before + 3);
    page.close();
  });

  for (const how of ['navigates', 'crashes'] as const) {
    it(`sends nothing to what a page shows after it ${how}, until that has been on the screen for a moment`, async () => {
      const one = await watch(await context('form'));
      one.screencast.setInteractive(true);
      await until(() => one.screencast.takesInput);
      const shown = one.screencast.state.shown ?? '';
      const page = await Devtools.connect(`${used.chromium.endpoint.replace('http', 'ws')}/devtools/page/${shown}`);
      // Its images are on their way from now on.
      one.drawing = false;
      if (how === 'crashes') await crash(page, one);
      await goToClock(page, one);
      one.screencast.input({ kind: 'text', text: 'meant for the form' });
      const inserted = () => relay.commands.filter(({ method }) => method === 'Input.insertText').length;
      assert.equal(inserted(), 0);
      one.drawing = true;
      one.screencast.drawn(one.frames.at(-1)?.number ?? 0);
      await until(() => one.screencast.takesInput);
      one.screencast.input({ kind: 'text', text: 'meant for the clock' });
      await until(() => inserted() === 1);
      page.close();
    });
  }

  it('sends nothing to a page that is view only', async () => {
    const one = await watch(await context('form'));
    await until(() => one.frames.length > 0);
    one.screencast.input({ kind: 'text', text: 'unwanted' });
    one.screencast.answerDialog(true);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const sent = new Set(relay.commands.map(({ method }) => method));
    assert.deepEqual(
      [...sent].filter((method) => /^(Input|Runtime|DOM|Emulation)\.|^Page\.(enable|bring)/.test(method ?? '')),
      [],
    );
    assert.equal(await inPage(one.screencast.state.shown ?? '', 'user.value'), '');
  });

  it('forwards input: clicks where the picture shows it, types, presses keys, pastes and scrolls', async () => {
    const one = await watch(await context('form'), { size: { width: 200, height: 200 } });
    await until(() => one.frames.length > 0);
    const page = one.screencast.state.shown ?? '';
    one.screencast.setInteractive(true);
    await until(() => one.screencast.takesInput);
    const at = async (id: string) =>
      inPage<string>(
        page,
        `JSON.stringify((({ x, y, width, height }) => ({ x: x + width / 2, y: y + height / 2 }))(${id}.getBoundingClientRect()))`,
      ).then((text) => JSON.parse(text) as { x: number; y: number });
    const click = async (id: string) => {
      const point = await at(id);
      const mouse = { kind: 'mouse', button: 'left', modifiers: 0, ...point } as const;
      one.screencast.input({ ...mouse, type: 'mouseMoved', button: 'none', buttons: 0, clickCount: 0 });
      one.screencast.input({ ...mouse, type: 'mousePressed', buttons: 1, clickCount: 1 });
      one.screencast.input({ ...mouse, type: 'mouseReleased', buttons: 0, clickCount: 1 });
    };
    await click('user');
    const key = { kind: 'key', modifiers: 0, location: 0, autoRepeat: false } as const;
    for (const letter of 'Ada') {
      const code = `Key${letter.toUpperCase()}`;
      const windowsVirtualKeyCode = letter.toUpperCase().charCodeAt(0);
      one.screencast.input({ ...key, type: 'keyDown', key: letter, code, windowsVirtualKeyCode, text: letter });
      one.screencast.input({ ...key, type: 'keyUp', key: letter, code, windowsVirtualKeyCode, text: '' });
    }
    one.screencast.input({ kind: 'text', text: ' Lovelace 🌙' });
    await until(async () => (await inPage(page, 'user.value')) === 'Ada Lovelace 🌙');
    await click('send');
    await until(async () => (await inPage(page, 'said.textContent')) === 'Hello Ada Lovelace 🌙');
    await inPage(page, `void (document.body.style.height = '5000px')`);
    one.screencast.input({ kind: 'wheel', x: 50, y: 50, deltaX: 0, deltaY: 400, modifiers: 0 });
    await until(async () => (await inPage<number>(page, 'scrollY')) > 0);
    one.screencast.setInteractive(false);
    await click('user');
    one.screencast.input({ kind: 'text', text: 'no more' });
    one.screencast.setInteractive(true);
    one.screencast.input({ kind: 'text', text: '!' });
    await until(async () => (await inPage<string>(page, 'user.value')).includes('!'));
    assert.doesNotMatch(await inPage(page, 'user.value'), /no more/);
  });

  it('reports a dialog while interacting, and answers it', async () => {
    const one = await watch(await context('form'));
    await until(() => one.frames.length > 0);
    const page = one.screencast.state.shown ?? '';
    one.screencast.setInteractive(true);
    await until(() => relay.commands.some(({ method }) => method === 'Page.enable'));
    const opened = performance.now();
    const asked = inPage<boolean>(page, `confirm('Really [x](command:y)?')`);
    await until(() => one.screencast.state.dialog !== undefined);
    assert.deepEqual(one.screencast.state.dialog, { type: 'confirm', message: 'Really [x](command:y)?' });
    const answers = () => relay.commands.filter(({ method }) => method === 'Page.handleJavaScriptDialog').length;
    const before = answers();
    // An answer that is already on its way is meant for the previous dialog.
    one.screencast.answerDialog(true);
    assert.equal(answers(), before);
    await until(() => {
      one.screencast.answerDialog(true);
      return answers() > before;
    });
    assert.ok(performance.now() - opened >= 500);
    assert.equal(await asked, true);
    await until(() => one.screencast.state.dialog === undefined);
  });

  it('cancels an open dialog when interacting stops, and the page continues', async () => {
    for (const leave of ['stop', 'choose', 'close'] as const) {
      const id = await context('counter');
      const one = await watch(id);
      await until(() => one.frames.length > 0);
      const page = one.screencast.state.shown ?? '';
      one.screencast.setInteractive(true);
      await until(() => relay.commands.some(({ method }) => method === 'Page.enable'));
      const asked = inPage<boolean>(page, `confirm('Still there?')`);
      await until(() => one.screencast.state.dialog !== undefined);
      if (leave === 'close') one.screencast.dispose();
      else if (leave === 'choose') one.screencast.choose((await openTab(id, 'clock')) as PageId);
      else one.screencast.setInteractive(false);
      assert.equal(await asked, false, leave);
      if (leave === 'close') continue;
      const before = one.frames.length;
      await until(() => one.frames.length > before + 3);
      assert.equal(one.screencast.state.dialog, undefined);
      one.screencast.dispose();
    }
  });

  it('leaves no page waiting for a dialog that opened just before interacting stopped', async () => {
    for (const leave of ['stop', 'choose', 'close'] as const) {
      const id = await context('counter');
      const one = await watch(id);
      await until(() => one.frames.length > 0);
      const page = one.screencast.state.shown ?? '';
      one.screencast.choose(page as PageId);
      const other = await openTab(id, 'clock');
      await until(() => titles(one).includes('Clock'));
      one.screencast.setInteractive(true);
      await until(() => relay.commands.some(({ method }) => method === 'Page.enable'));
      await inPage(page, '1');
      relay.lagMs = 400;
      const asked = inPage<boolean>(page, `confirm('Still there?')`);
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (leave === 'close') one.screencast.dispose();
      else if (leave === 'choose') one.screencast.choose(other as PageId);
      else one.screencast.setInteractive(false);
      const silence = new Promise((resolve) => setTimeout(resolve, 5_000, 'no answer'));
      assert.equal(await Promise.race([asked, silence]), false, leave);
      relay.lagMs = 0;
      assert.deepEqual(one.troubles, []);
      const dialogs = one.states.filter(({ dialog }) => dialog !== undefined);
      assert.deepEqual(dialogs, [], leave);
      one.screencast.dispose();
    }
  });

  it('begins with the page that was shown before, if it’s still there, and follows those that open later', async () => {
    const id = await context('form');
    const tabs = [await openTab(id, 'clock'), await openTab(id, 'counter')];
    for (const first of [tabs[0], tabs[1], 'gone'] as const) {
      const one = await watch(id, { first: first ?? assert.fail() });
      if (first === 'gone') assert.notEqual(one.screencast.state.shown, undefined);
      else assert.equal(one.screencast.state.shown, first);
      one.screencast.dispose();
    }
    const one = await watch(id, { first: tabs[0] ?? assert.fail() });
    const opened = await openTab(id, 'form');
    await until(() => one.screencast.state.shown === opened);
  });

  it('sends no input to a page that hasn’t been shown yet', async () => {
    const id = await context('form');
    const one = await watch(id);
    await until(() => one.screencast.state.condition === 'live');
    one.screencast.setInteractive(true);
    relay.lagMs = 300;
    await openTab(id, 'clock');
    await until(() => one.screencast.state.condition === 'opening');
    one.screencast.input({ kind: 'text', text: 'meant for the form' });
    await until(() => shownTitle(one) === 'Clock' && one.screencast.state.condition === 'live');
    assert.ok(!relay.commands.some(({ method }) => method?.startsWith('Input.')));
    await until(() => one.screencast.takesInput);
    one.screencast.input({ kind: 'text', text: 'meant for the clock' });
    await until(() => relay.commands.some(({ method }) => method === 'Input.insertText'));
  });

  it('sends no input to a page before its image has been on the screen for a moment, and releases what was pressed', async () => {
    const id = await context('form');
    const one = await watch(id);
    one.screencast.setInteractive(true);
    await until(() => one.screencast.takesInput);
    const mouse = { kind: 'mouse', button: 'left', modifiers: 0, x: 5, y: 5, clickCount: 1 } as const;
    one.screencast.input({ ...mouse, type: 'mousePressed', buttons: 1 });
    const sent = () => relay.commands.filter(({ method }) => method === 'Input.dispatchMouseEvent');
    await until(() => sent().length === 1);
    one.drawing = false;
    await openTab(id, 'clock');
    await until(() => shownTitle(one) === 'Clock' && one.screencast.state.condition === 'live');
    const types = () => sent().map(({ params, sessionId: to }) => [params?.['type'], to]);
    const form = types()[0]?.[1];
    await until(() => sent().length === 2);
    assert.deepEqual(types(), [
      ['mousePressed', form],
      ['mouseReleased', form],
    ]);
    const first = one.frames.at(-1)?.number ?? 0;
    // The panel still shows the form: this one couldn't be drawn.
    one.screencast.drawn(first, false);
    await until(() => (one.frames.at(-1)?.number ?? 0) > first);
    const [took, began] = [one.screencast.takesInput, performance.now()];
    assert.equal(took, false);
    one.screencast.drawn(one.frames.at(-1)?.number ?? 0);
    await until(() => one.screencast.takesInput);
    assert.ok(performance.now() - began >= 500);
    one.screencast.input({ ...mouse, type: 'mouseReleased', buttons: 0 });
    one.screencast.input({ kind: 'text', text: 'meant for the clock' });
    await until(() => relay.commands.some(({ method }) => method === 'Input.insertText'));
    assert.equal(sent().length, 2);
  });

  it('releases what is pressed when it’s closed', async () => {
    const one = await watch(await context('form'));
    one.screencast.setInteractive(true);
    await until(() => one.screencast.takesInput);
    const page = one.screencast.state.shown ?? '';
    await inPage(
      page,
      `heard = []; for (const type of ['keydown', 'keyup', 'mousedown', 'mouseup'])
        addEventListener(type, ({ type }) => heard.push(type), true);`,
    );
    const mouse = { kind: 'mouse', button: 'left', modifiers: 0, x: 5, y: 5, clickCount: 1 } as const;
    const key = {
      kind: 'key',
      key: 'w',
      code: 'KeyW',
      text: 'w',
      modifiers: 0,
      location: 0,
      autoRepeat: false,
    } as const;
    one.screencast.input({ ...mouse, type: 'mousePressed', buttons: 1 });
    one.screencast.input({ ...key, windowsVirtualKeyCode: 87, type: 'keyDown' });
    await until(async () => (await inPage(page, 'heard.join()')) === 'mousedown,keydown');
    one.screencast.dispose();
    await until(async () => (await inPage(page, 'heard.sort().join()')) === 'keydown,keyup,mousedown,mouseup');
  });

  it('retries a page that couldn’t be attached to, but not one that takes long', async () => {
    const id = await context('form');
    const one = await watch(id);
    const [form] = one.screencast.state.pages;
    await until(() => one.screencast.state.condition === 'live');
    const attached = () => relay.commands.filter(({ method }) => method === 'Target.attachToTarget').length;

    relay.next.set('Target.attachToTarget', 'refused');
    await openTab(id, 'clock');
    await until(() => one.troubles.length === 1);
    assert.equal(one.screencast.state.shown, undefined);
    await until(() => shownTitle(one) === 'Clock' && one.screencast.state.condition === 'live');
    assert.equal(attached(), 3);

    // The browser is asked in the meantime whether it is still there.
    relay.next.set('Target.attachToTarget', 3_000);
    one.screencast.choose(form?.id);
    // It is in a tab behind the other.
    await until(() => shownTitle(one) === 'Sign-up form' && one.screencast.state.condition !== 'opening');
    assert.equal(attached(), 4);
    assert.deepEqual([one.troubles.length, one.lost.length], [1, 0]);
  });

  it('labels a page without a title with the part of its address that is safe to show', async () => {
    const one = await watch(await context('nothing?code=canary'));
    await until(
      () => titles(one)[0]?.endsWith('/nothing?code=•••') === true,
      () => 'its query is shown',
    );
  });

  it('brings no page to the front after interacting has stopped', async () => {
    const id = await context('form');
    const one = await watch(id);
    await until(() => one.screencast.state.condition === 'live');
    one.screencast.choose(one.screencast.state.shown);
    await openTab(id, 'clock');
    await until(() => one.screencast.state.condition === 'background');
    const brought = () => relay.commands.filter(({ method }) => method === 'Page.bringToFront').length;
    one.screencast.setInteractive(true);
    one.screencast.setInteractive(false);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(brought(), 0);
    // On a busy machine, the screencast that was started again may take longer to say so.
    await until(() => one.screencast.state.condition === 'background');
    one.screencast.setInteractive(true);
    await until(() => brought() === 1);
  });

  it('receives no dialogs while viewing only, even after interacting', async () => {
    const one = await watch(await context('counter'));
    await until(() => one.frames.length > 0);
    const shown = one.screencast.state.shown ?? '';
    one.screencast.setInteractive(true);
    one.screencast.setInteractive(false);
    const page = await Devtools.connect(`${used.chromium.endpoint.replace('http', 'ws')}/devtools/page/${shown}`);
    await page.send('Page.enable');
    const asked = inPage<boolean>(shown, `confirm('Is it the script that is asked?')`);
    // As a script does: it is attached to separately.
    await until(() =>
      page.send('Page.handleJavaScriptDialog', { accept: true }).then(
        () => true,
        () => false,
      ),
    );
    assert.equal(await asked, true);
    assert.deepEqual(
      one.states.filter(({ dialog }) => dialog !== undefined),
      [],
    );
    page.close();
  });

  it('shows a page with content first when several are already open', async () => {
    const id = await context('clock');
    for (let times = 0; times < 4; times++) {
      await used.devtools.send('Target.createTarget', { url: 'about:blank', browserContextId: id });
    }
    const one = await watch(id);
    await until(() => one.frames.length > 0);
    const { shown, pages: all } = one.screencast.state;
    assert.equal(all.find(({ id: its }) => its === shown)?.url, `${pages.url}/clock`);
  });

  it('notices a socket that stalls without closing', async () => {
    const one = await watch(await context('form'), { clock: fastClock(5) });
    await until(() => one.frames.length > 0);
    relay.stalled = true;
    await until(() => one.lost.length > 0);
    assert.deepEqual(
      one.lost.map(({ trouble }) => trouble.kind),
      ['timedOut'],
    );
    await until(() => relay.sockets === 0);
  });

  it('stays with a page that doesn’t change for a long time', async () => {
    const one = await watch(await context('form'), { clock: fastClock(5) });
    await until(() => one.frames.length > 0);
    await until(() => relay.commands.filter(({ method }) => method === 'Target.getTargetInfo').length > 5);
    assert.deepEqual(one.lost, []);
  });

  it('stays connected if it’s refused what it asks about a page, as when that page has just closed', async () => {
    const one = await watch(await context('form'), { clock: fastClock(5) });
    await until(() => one.frames.length > 0);
    const asked = () => relay.commands.filter(({ method }) => method === 'Target.getTargetInfo').length;
    for (let refused = 0; refused < 3; refused++) {
      relay.next.set('Target.getTargetInfo', 'refused');
      await until(() => !relay.next.has('Target.getTargetInfo'));
    }
    const before = asked();
    await until(() => asked() > before + 1);
    assert.deepEqual(one.lost, []);
  });

  it('notices a socket that closes, and leaves none open itself', async () => {
    const one = await watch(await context('counter'));
    await until(() => one.frames.length > 0);
    relay.cut();
    await until(() => one.lost.length > 0);
    assert.deepEqual(
      one.lost.map(({ trouble }) => trouble.kind),
      ['unreachable'],
    );
    const again = await watch(await context('counter'));
    await until(() => again.frames.length > 0);
    again.screencast.dispose();
    await until(() => relay.sockets === 0);
    assert.deepEqual(again.lost, [], 'an end of one’s own was taken for a loss');
  });

  it('handles frames of ten megabytes, and events that make no sense', async () => {
    let count = 0;
    const huge = () => Buffer.alloc(10 * 2 ** 20, ++count).toString('base64');
    relay.onEvent = (message) =>
      message.method === 'Page.screencastFrame' ? { ...message, params: { ...message.params, data: huge() } } : message;
    const one = await watch(await context('counter'));
    await until(() => one.frames.filter(({ jpeg }) => jpeg.length === 10 * 2 ** 20).length > 2);
    let passed = 0;
    relay.onEvent = (message) => {
      passed++;
      return { ...message, params: { nonsense: true } };
    };
    await until(() => passed > 2);
    relay.onEvent = undefined;
    const before = one.frames.length;
    await until(() => one.frames.length > before + 3);
    assert.deepEqual(one.lost, []);
  });

  it('continues after frames that can’t be decoded', async () => {
    let corrupted = 0;
    relay.onEvent = (message) => {
      if (message.method !== 'Page.screencastFrame' || corrupted >= 5) return message;
      corrupted++;
      return { ...message, params: { ...message.params, metadata: corrupted % 2 === 0 ? {} : undefined } };
    };
    const one = await watch(await context('counter'));
    await until(() => corrupted === 5 && one.frames.length > 5);
  });

  it('reports page titles unchanged: cleaning them is up to the code that shows them', async () => {
    const evil = `data:text/html,<title>${encodeURIComponent('<img src=x> \u202e$(trash)')}</title>`;
    const one = await watch(await used.devtools.openContext(evil));
    await until(() => titles(one)[0]?.startsWith('<img') === true);
  });
});
