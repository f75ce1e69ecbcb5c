import { strict as assert } from 'node:assert';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { makeCertificate, writeCertificate } from '../host/certificates.ts';
import { type Owned, start, temporaryFolder } from '../host/processes.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { TunnelProxy } from '../servers/tunnelProxy.ts';
import { until, WorkbenchPerson } from './person.ts';

const api = 'api.anchorbrowser.io';
const viewer = 'live.anchorbrowser.io';
/** A fast typist's: 15 keys a second. */
const betweenKeysMs = 65;
/** A viewer has the focus for a few milliseconds before it is paused, and a key may be pressed just then. */
const mostReached = 3;

/** Sends every key that reaches the page, and then does what takes the keyboard. */
const page = (body: string, steal: string) => `<p id="clock">live</p>${body}<script>
const tell = (what) => fetch(location.href, { method: 'POST', body: what, keepalive: true });
addEventListener('keydown', ({ key }) => tell(key));
addEventListener('message', ({ data }) => { if (typeof data === 'string' && data.startsWith('key ')) tell(data.slice(4)); });
const when = 400 + Math.random() * 250;
${steal}</script>`;
const inner = `<iframe id="inner" srcdoc="<input id=field><script>
onmessage = () => setInterval(() => field.focus(), 5);
addEventListener('keydown', ({ key }) => parent.postMessage('key ' + key, '*'));</script>"></iframe>`.replace(
  '</script>',
  '&lt;/script>',
);

/** Five ways to take the keyboard. */
const hostile: Readonly<Record<string, string>> = {
  'focuses its canvas once': page(
    '<canvas id="remote" tabindex="0"></canvas>',
    "setTimeout(() => { remote.focus(); tell('took it'); }, when);",
  ),
  'focuses its window and a field on every frame': page(
    '<input id="field" autofocus>',
    'const take = () => { window.focus(); field.focus(); requestAnimationFrame(take); }; setTimeout(take, when);',
  ),
  'focuses a field in a frame of its own': page(
    inner,
    "setTimeout(() => inner.contentWindow.postMessage('', '*'), when);",
  ),
  'opens a modal dialog with a field that takes the focus': page(
    '<dialog id="dialog"><input autofocus></dialog>',
    `setTimeout(() => { dialog.showModal(); dialog.querySelector('input').select(); }, when);
addEventListener('blur', () => { window.focus(); dialog.querySelector('input').focus(); });`,
  ),
  'loads itself again, selects its text, and asks for a window and the pointer': page(
    '<div id="text" contenteditable>text</div>',
    `setTimeout(() => {
  if (!location.hash) { location.hash = 'text'; history.back(); }
  open('/popup'); text.requestPointerLock?.(); text.focus(); getSelection().selectAllChildren(text);
  setInterval(() => text.focus(), 1);
}, when);`,
  ),
};

/** Whether a text is another one with some of its characters left out. */
function isIn(text: string, whole: string): boolean {
  let at = 0;
  for (const character of whole) if (character === text[at]) at++;
  return at === text.length;
}

describe('a person who watches a viewer that wants their keyboard', function () {
  this.timeout(180_000);
  this.bail(true);
  let anchor: AnchorServer;
  let proxy: TunnelProxy;
  let person: WorkbenchPerson;
  let load: Owned[] = [];
  let typedInAll = 0;
  let reachedInAll = 0;

  before(async function () {
    // Only on Linux can a process be given a system store of its own.
    if (process.platform !== 'linux') this.skip();
    const certificate = await makeCertificate(api, viewer);
    const certificates = temporaryFolder('certificates');
    await writeCertificate(certificates, certificate);
    anchor = await startAnchor(certificate);
    const hosts = new Map([api, viewer].map((host) => [host, anchor.port] as const));
    proxy = await new TunnelProxy(hosts).start();
    // Without a window of its own, so that the link of its page is used.
    anchor.add({ id: 'sess_shop', headless: true, domains: ['shop.example'] });
    const pages = [
      { id: 'p', title: 'Shop', url: 'https://shop.example/', frontend_url: `https://${viewer}/live/sess_shop/p` },
    ];
    anchor.misbehave('GET', /pages$/, { kind: 'answer', answer: { status: 200, json: pages } });
    person = await WorkbenchPerson.sitDown({
      hosts,
      env: { https_proxy: proxy.url, no_proxy: '127.0.0.1', SSL_CERT_FILE: join(certificates, 'authority.pem') },
      settings: {
        'editor.wordWrap': 'on',
        'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
        'editor.wordBasedSuggestions': 'off',
      },
    });
    await person.run('Add Account…');
    await person.pick('Anchor Browser');
    await person.type('Anchor Browser API key', anchor.key);
    await person.type('A name for the tree', 'shop');
    await person.row('Session shop.example').waitFor();
    await command('File: New Untitled Text File');
    await person.page.keyboard.press('Control+\\');
    await person.choose(person.row('Session shop.example'), 'Open Live View');
    const panel = await person.live('shop.example');
    await panel.getByRole('button', { name: 'Show Live View' }).click();
    await person.framed('shop.example');
  });
  afterEach(async () => {
    await Promise.all(load.map((one) => one.stop()));
    load = [];
  });
  after(async () => {
    console.log(`      ${typedInAll} keys were typed, ${reachedInAll} of them reached a viewer`);
    await person?.picture('hostile-end');
    await person?.standUp();
    for (const server of [anchor, proxy]) await server?.stop();
  });

  async function command(title: string): Promise<void> {
    await person.page.keyboard.press('F1');
    await person.page.locator('.quick-input-box input').first().fill(`>${title}`);
    await person.page.getByRole('option', { name: title }).first().click();
  }

  const editor = (): Locator => person.page.locator('.editor-group-container .monaco-editor').first();
  const told = () => anchor.sent.get('sess_shop') ?? [];
  /** How many keys reached a viewer. */
  const reached = () => told().filter((what) => what.length === 1).length;

  /** Loads a viewer, and waits until it runs. */
  async function show(body: string): Promise<Frame> {
    anchor.livePage = { body };
    const before = anchor.requests.filter(({ path }) => path.startsWith('/live/')).length;
    const panel = await person.live('shop.example');
    await panel.getByRole('button', { name: 'Reload', exact: true }).click();
    await until(async () => anchor.requests.filter(({ path }) => path.startsWith('/live/')).length > before + 1);
    return panel;
  }

  /** Types letters until a while after the viewer was paused. */
  async function typeUntilPaused(panel: Frame): Promise<string> {
    const paused = panel.getByRole('heading', { name: 'This viewer tried to take your keyboard' });
    let typed = '';
    for (let left = 8; left > 0; ) {
      const letter = String.fromCharCode(97 + (typed.length % 26));
      await Promise.race([person.page.keyboard.press(letter), person.page.waitForTimeout(500)]);
      typed += letter;
      await person.page.waitForTimeout(betweenKeysMs);
      if (await paused.isVisible()) left--;
      assert.ok(typed.length < 300, 'the viewer was not paused');
    }
    return typed;
  }

  it('lets the viewer use the clipboard only while they interact, and is told so', async () => {
    const panel = await person.live('shop.example');
    const asks = `const may = (what) => document.featurePolicy.allowsFeature('clipboard-' + what);
tell('clipboard ' + may('read') + ' ' + may('write'));
navigator.clipboard.readText().then((text) => tell('read ' + text), () => tell('not read'));`;
    const last = () => told().findLast((what) => what.startsWith('clipboard'));
    await show(page('', asks));
    await until(async () => told().includes('not read'));
    assert.equal(await panel.locator('iframe').getAttribute('allow'), '');
    assert.equal(last(), 'clipboard false false');
    await panel.getByRole('button', { name: 'Interact' }).click();
    await until(async () => last() === 'clipboard true true');
    await panel.getByText('can also read and change your clipboard').waitFor();
    await person.picture('hostile-clipboard');
    await panel.getByRole('button', { name: 'Got It' }).click();
    await panel.getByRole('button', { name: 'Interact' }).click();
    await until(async () => last() === 'clipboard false false');
    assert.ok(!told().some((what) => what.startsWith('read ')), 'the clipboard was read');
  });

  for (const heavy of [false, true]) {
    for (const [what, body] of Object.entries(hostile)) {
      const under = heavy ? ' while the machine is busy' : '';

      it(`goes on typing in a text editor beside a viewer that ${what}${under}`, async () => {
        if (heavy)
          load = Array.from({ length: availableParallelism() }, () => start(process.execPath, ['-e', 'for (;;);']));
        const panel = await show(body);
        await editor().click();
        await person.page.keyboard.press('Control+A');
        await person.page.keyboard.press('Delete');
        const before = reached();
        const typed = await typeUntilPaused(panel);
        const lines = editor().locator('.view-line');
        const text = async () => (await lines.allInnerTexts()).join('').replaceAll('\u00a0', ' ').trim();
        const leaked = reached() - before;
        await until(async () => (await text()).length >= typed.length - 1).catch(() => {});
        const kept = await text();
        typedInAll += typed.length;
        reachedInAll += leaked;
        console.log(
          `      typed ${typed.length}, kept ${kept.length}, reached ${leaked}${kept === typed ? '' : `: ${kept}`}`,
        );
        assert.ok(kept.length >= typed.length - 1, 'characters were lost');
        assert.ok(isIn(kept, typed), 'characters changed places');
        assert.ok(leaked <= 1 && reachedInAll <= mostReached, 'keys reached the viewer');
        assert.equal(await panel.locator('iframe').count(), 0);
      });

      it(`keeps the keyboard in the panel of a viewer that ${what}${under}`, async () => {
        if (heavy)
          load = Array.from({ length: availableParallelism() }, () => start(process.execPath, ['-e', 'for (;;);']));
        const panel = await show(body);
        await panel.evaluate(() => {
          const keys: string[] = [];
          Object.assign(window, { keys });
          addEventListener('keydown', ({ key }) => keys.push(key));
          document.getElementById('reload')?.focus();
        });
        const before = reached();
        const typed = await typeUntilPaused(panel);
        const kept = await panel.evaluate(() => (window as unknown as { keys: string[] }).keys.join(''));
        const leaked = reached() - before;
        typedInAll += typed.length;
        reachedInAll += leaked;
        console.log(`      typed ${typed.length}, kept ${kept.length}, reached ${leaked}`);
        assert.ok(kept.length >= typed.length - 1, 'characters were lost');
        assert.ok(leaked <= 1 && reachedInAll <= mostReached, 'keys reached the viewer');
      });
    }
  }

  it('resumes a viewer that takes the keyboard while it loads, and still keeps the keyboard', async () => {
    const [body = ''] = Object.values(hostile);
    const panel = await show(body);
    const paused = panel.getByRole('heading', { name: 'This viewer tried to take your keyboard' });
    await paused.waitFor();
    await person.picture('hostile-paused-dark');
    await command('Preferences: Toggle between Light/Dark Themes');
    await person.page.waitForFunction(() => document.querySelector('.monaco-workbench.vs') !== null);
    await person.picture('hostile-paused-light');
    const took = () => told().filter((what) => what === 'took it').length;
    const before = took();
    await panel.getByRole('button', { name: 'Resume' }).click();
    await until(async () => took() > before);
    await until(async () => panel.evaluate(() => document.activeElement?.tagName !== 'IFRAME'));
    const reachedBefore = reached();
    await person.page.keyboard.type('abc');
    assert.equal(reached(), reachedBefore);
    assert.equal(await panel.locator('iframe').count(), 1);
    assert.ok(await paused.isHidden());
  });
});
