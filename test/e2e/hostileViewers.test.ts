import { strict as assert } from 'node:assert';
import { availableParallelism } from 'node:os';
import { type Owned, start } from '../host/processes.ts';
import { until } from './user.ts';
import { waitingViewerPage as page, ViewerBesideEditor, viewerPage } from './viewerBesideEditor.ts';

/** A viewer has the focus for a few milliseconds before it is paused, and a key may be pressed just then. */
const mostReached = 3;

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

describe('a user who watches a viewer that wants their keyboard', function () {
  this.timeout(180_000);
  this.bail(true);
  let scene: ViewerBesideEditor;
  let load: Owned[] = [];
  let typedInAll = 0;
  let reachedInAll = 0;

  before(async function () {
    if (!ViewerBesideEditor.runsHere) this.skip();
    scene = await ViewerBesideEditor.open();
  });
  afterEach(async () => {
    await Promise.all(load.map((one) => one.stop()));
    load = [];
  });
  after(async () => {
    console.log(`      ${typedInAll} keys were typed, ${reachedInAll} of them reached a viewer`);
    await scene?.user.picture('hostile-end');
    await scene?.close();
  });

  it('lets the viewer use the clipboard and gamepads only while they interact, and is told so about the clipboard', async () => {
    const panel = await scene.panel();
    const asks = `const may = (what) => document.featurePolicy.allowsFeature('clipboard-' + what);
tell('clipboard ' + may('read') + ' ' + may('write'));
try { navigator.getGamepads(); tell('gamepads'); } catch { tell('no gamepads'); }
navigator.clipboard.readText().then((text) => tell('read ' + text), () => tell('not read'));`;
    const last = () => scene.told.findLast((what) => what.startsWith('clipboard'));
    await scene.show(viewerPage('', asks));
    await until(async () => scene.told.includes('not read'));
    assert.equal(await panel.locator('iframe').getAttribute('allow'), "gamepad 'none'");
    assert.equal(last(), 'clipboard false false');
    assert.ok(scene.told.includes('no gamepads') && !scene.told.includes('gamepads'));
    await panel.getByRole('button', { name: 'Interact' }).click();
    await until(async () => last() === 'clipboard true true');
    await until(async () => scene.told.includes('gamepads'));
    await panel.getByText('can also read and change your clipboard').waitFor();
    await scene.user.picture('hostile-clipboard');
    await panel.getByRole('button', { name: 'Got It' }).click();
    await panel.getByRole('button', { name: 'Interact' }).click();
    await until(async () => last() === 'clipboard false false');
    assert.ok(!scene.told.some((what) => what.startsWith('read ')), 'the clipboard was read');
  });

  it('doesn’t let the viewer change the clipboard when they drag over its image', async () => {
    const { page: workbench } = scene.user;
    const steals = `addEventListener('copy', (event) => { event.clipboardData.setData('text/plain', 'stolen'); event.preventDefault(); });
let waits = false;
setInterval(() => {
  const isActivated = navigator.userActivation.isActive;
  if (!waits && !isActivated) tell('waits');
  waits ||= !isActivated;
  if (!waits || !isActivated) return;
  tell('activated');
  window.focus();
  field.select();
  document.execCommand('copy');
}, 5);`;
    const panel = await scene.show(page('<textarea id="field">x</textarea>', steals));
    await scene.begin(panel);
    // A test that evaluates something in a page activates it for some seconds, as a user's click would.
    await until(async () => scene.told.includes('waits'));
    const before = scene.told.length;
    await workbench.evaluate(() => navigator.clipboard.writeText('mine'));
    const box = (await panel.locator('#stage').boundingBox()) ?? assert.fail('it isn’t visible');
    // Playwright's own mouse would evaluate something in each frame before a drag.
    const devtools = await workbench.context().newCDPSession(workbench);
    const mouse = (type: 'mousePressed' | 'mouseMoved' | 'mouseReleased', x: number, y: number) =>
      devtools.send('Input.dispatchMouseEvent', {
        ...{ type, x: box.x + x, y: box.y + y, clickCount: type === 'mouseMoved' ? 0 : 1 },
        button: 'left',
        buttons: type === 'mouseReleased' ? 0 : 1,
      });
    for (let drags = 0; drags < 8; drags++) {
      await mouse('mousePressed', 200, 300);
      for (let at = 0; at <= 60; at += 6) await mouse('mouseMoved', 200 + at, 300 + at);
      await mouse('mouseReleased', 260, 360);
    }
    assert.deepEqual(scene.told.slice(before), []);
    assert.equal(await workbench.evaluate(() => navigator.clipboard.readText()), 'mine');
    assert.equal(await scene.isPaused(panel), false);
  });

  for (const heavy of [false, true]) {
    const under = heavy ? ' while the machine is busy' : '';
    for (const [what, body] of Object.entries(hostile)) {
      it(`goes on typing in a text editor beside a viewer that ${what}${under}`, async () => {
        if (heavy)
          load = Array.from({ length: availableParallelism() }, () => start(process.execPath, ['-e', 'for (;;);']));
        const panel = await scene.show(body);
        await scene.clear();
        const before = scene.reached;
        await scene.begin(panel);
        const typed = await scene.typeUntilPaused(panel);
        const leaked = scene.reached - before;
        await until(async () => (await scene.text()).length >= typed.length - 1).catch(() => {});
        const kept = await scene.text();
        typedInAll += typed.length;
        reachedInAll += leaked;
        console.log(
          `      typed ${typed.length}, kept ${kept.length}, reached ${leaked}${kept === typed ? '' : `: ${kept}`}`,
        );
        assert.ok(leaked <= 1, 'keys reached the viewer');
        assert.ok(kept.length >= typed.length - 1, 'characters were lost');
        assert.ok(isIn(kept, typed), 'characters changed places');
        assert.ok(await scene.isPaused(panel), 'the viewer was not paused');
        assert.equal(await panel.locator('iframe').count(), 0);
      });
    }
    for (const [what, body] of Object.entries(hostile)) {
      it(`keeps the keyboard in the panel of a viewer that ${what}${under}`, async () => {
        if (heavy)
          load = Array.from({ length: availableParallelism() }, () => start(process.execPath, ['-e', 'for (;;);']));
        const panel = await scene.show(body);
        await panel.evaluate(() => {
          const keys: string[] = [];
          Object.assign(window, { keys });
          addEventListener('keydown', ({ key }) => keys.push(key), true);
        });
        await until(async () => {
          // On a busy machine, VS Code may still be giving the focus back to the editor after the previous viewer.
          await panel.locator('#name').click();
          return panel.evaluate(() => {
            document.getElementById('reload')?.focus();
            return document.hasFocus() && document.activeElement?.id === 'reload';
          });
        });
        const before = scene.reached;
        await scene.begin(panel);
        const typed = await scene.typeUntilPaused(panel);
        const kept = await panel.evaluate(() => (window as unknown as { keys: string[] }).keys.join(''));
        const leaked = scene.reached - before;
        typedInAll += typed.length;
        reachedInAll += leaked;
        console.log(
          `      typed ${typed.length}, kept ${kept.length}, reached ${leaked}${kept === typed ? '' : `: ${kept}`}`,
        );
        assert.ok(leaked <= 1, 'keys reached the viewer');
        assert.ok(kept.length >= typed.length - 1, 'characters were lost');
        assert.ok(await scene.isPaused(panel), 'the viewer was not paused');
      });
    }
  }

  it('has hardly ever typed into a viewer', () => {
    assert.ok(reachedInAll <= mostReached, `${reachedInAll} keys reached viewers`);
  });

  it('presses no button in the panel with what they type when a viewer moves focus there', async () => {
    const { user } = scene;
    const panel = await scene.show(page('', 'setTimeout(() => parent.focus(), 700);'));
    await scene.running(panel);
    await panel.locator('#endSession').click();
    await user.press('Cancel');
    await until(() => panel.evaluate(() => document.activeElement?.id === 'endSession'));
    await scene.clear();
    await scene.begin(panel);
    await until(async () => {
      for (const key of ['a', 'Enter']) await user.page.keyboard.press(key);
      return panel.evaluate(() => document.hasFocus());
    });
    for (let typed = 0; typed < 20; typed++) await user.page.keyboard.press('Enter');
    assert.equal(await panel.evaluate(() => document.activeElement?.id), 'name');
    assert.equal(await user.page.locator('[role=dialog][aria-modal=true]').count(), 0);
    assert.deepEqual(
      scene.anchor.log().filter((line) => line.startsWith('DELETE')),
      [],
    );
  });

  it('presses no button with code that they type when a viewer moves focus to the panel, whichever button was used last', async () => {
    const { user } = scene;
    const panel = await scene.show(page('', 'setTimeout(() => parent.focus(), 700);'));
    for (const button of ['endSession', 'mode']) {
      await scene.running(panel);
      if (button === 'mode') await scene.tryInteract(panel);
      else {
        await panel.locator(`#${button}`).click();
        await user.press('Cancel');
      }
      await until(() => panel.evaluate((id) => document.activeElement?.id === id, button));
      for (const key of ['ArrowLeft', 'ArrowRight']) await user.page.keyboard.press(key);
      await scene.running(panel);
      await scene.clear();
      await scene.begin(panel);
      const before = scene.reached;
      await scene.typeCode(6);
      assert.ok(await panel.evaluate(() => document.hasFocus()), 'the viewer didn’t move focus');
      assert.equal(await panel.evaluate(() => document.activeElement?.id), 'name');
      assert.equal(await user.page.locator('[role=dialog][aria-modal=true]').count(), 0);
      assert.equal(await panel.locator('#mode').getAttribute('aria-pressed'), 'false');
      assert.equal(scene.reached, before);
    }
  });

  it('presses no button with shortcuts and code that they type while a viewer moves focus again and again', async () => {
    const moves =
      "setTimeout(() => { top.focus(); parent.focus(); tell('moved'); setInterval(() => { top.focus(); parent.focus(); }, 700); }, 700);";
    const panel = await scene.show(page('', moves));
    await scene.running(panel);
    await scene.tryInteract(panel);
    await scene.clear();
    await scene.begin(panel);
    await until(async () => {
      await scene.user.page.keyboard.press('a');
      return scene.told.includes('moved');
    });
    const before = scene.reached;
    for (const shortcut of ['Control+Space', 'Control+s', 'Control+v', 'Alt+ArrowDown'])
      await scene.typeKeys(['f', 'o', shortcut, 'Tab', 'Enter', 'p', shortcut, 'Tab', 'Space']);
    assert.equal(await panel.locator('#mode').getAttribute('aria-pressed'), 'false');
    assert.equal(scene.reached, before);
  });

  it('doesn’t resume a paused viewer with code that they type', async () => {
    const takes = "setTimeout(() => { remote.focus(); tell('took it'); }, 1_500);";
    const panel = await scene.show(page('<canvas id="remote" tabindex="0"></canvas>', takes));
    await scene.running(panel);
    await scene.clear();
    await scene.begin(panel);
    await until(() => scene.isPaused(panel));
    await scene.typeCode(6);
    assert.ok(await scene.isPaused(panel));
    assert.ok(await panel.evaluate(() => document.hasFocus()));
  });

  it('resumes a viewer that takes keyboard focus while it loads, and keeps focus', async () => {
    const takes = "setTimeout(() => { remote.focus(); tell('took it'); }, when);";
    const panel = await scene.show(viewerPage('<canvas id="remote" tabindex="0"></canvas>', takes));
    const paused = panel.getByRole('heading', { name: 'This viewer tried to take keyboard focus' });
    await paused.waitFor();
    await scene.user.picture('hostile-paused-dark');
    await scene.user.runTitled('Preferences: Toggle between Light/Dark Themes');
    await scene.user.page.waitForFunction(() => document.querySelector('.monaco-workbench.vs') !== null);
    await scene.user.picture('hostile-paused-light');
    const took = () => scene.told.filter((what) => what === 'took it').length;
    const before = took();
    await panel.getByRole('button', { name: 'Resume' }).click();
    await until(async () => took() > before);
    await until(async () => panel.evaluate(() => document.activeElement?.tagName !== 'IFRAME'));
    const reachedBefore = scene.reached;
    await scene.user.page.keyboard.type('abc');
    assert.equal(scene.reached, reachedBefore);
    assert.equal(await panel.locator('iframe').count(), 1);
    assert.ok(await paused.isHidden());
  });
});
