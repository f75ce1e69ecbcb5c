import { strict as assert } from 'node:assert';
import { heldRequest } from '../servers/providerServer.ts';
import { succeeds, until } from './user.ts';
import { pagesAnswer, ViewerBesideEditor, viewerPage, waitingViewerPage } from './viewerBesideEditor.ts';

/** Long enough after typing that the text editor doesn't take the keyboard back. */
const takesAfterMs = 500;
/** A viewer that takes the keyboard when it's told to, but not at once. */
const taking = waitingViewerPage(
  '<canvas id="remote" tabindex="0"></canvas>',
  `setTimeout(() => remote.focus(), ${takesAfterMs});`,
);

/** A viewer that takes it while the user is typing. */
const atOnce = waitingViewerPage(
  '<canvas id="remote" tabindex="0"></canvas>',
  'setTimeout(() => remote.focus(), when);',
);

describe('a user who has just left a text editor when a viewer takes keyboard focus', function () {
  this.timeout(180_000);
  let scene: ViewerBesideEditor;

  before(async function () {
    if (!ViewerBesideEditor.runsHere) this.skip();
    scene = await ViewerBesideEditor.open();
    // The first terminal takes a while.
    await scene.user.runTitled('Terminal: Focus Terminal');
    await scene.user.page.locator('.xterm').first().click();
  });
  after(async () => {
    await scene?.user.picture('keyboard-elsewhere-end');
    await scene?.close();
  });

  const ways: Readonly<Record<string, () => Promise<void>>> = {
    'a terminal': () => scene.user.page.locator('.xterm').first().click(),
    'the command palette': () => scene.user.page.keyboard.press('F1'),
    'the find box of the editor': () => scene.user.page.keyboard.press('Control+F'),
  };
  for (const [place, go] of Object.entries(ways)) {
    it(`finds the text unchanged after typing in ${place}`, async () => {
      const panel = await scene.show(taking);
      await scene.clear();
      await scene.user.page.keyboard.type('draft');
      await go();
      const before = scene.reached;
      await scene.begin(panel);
      await scene.typeUntilPaused(panel);
      assert.equal(await scene.text(), 'draft');
      assert.ok(scene.reached - before <= 1, 'keys reached the viewer');
      await scene.user.page.keyboard.type('more');
      assert.equal(await scene.text(), 'draft');
      await scene.user.picture(`keyboard-elsewhere-${place.replaceAll(' ', '-')}`);
    });
  }

  it('finds nothing in a file later that they composed in the find box with an input method', async () => {
    const { page } = scene.user;
    const panel = await scene.show(taking);
    await scene.clear();
    await page.keyboard.type('draft');
    await page.keyboard.press('Control+F');
    await scene.begin(panel);
    await scene.composeUntilPaused(panel, 'ひみつ');
    await until(() => panel.evaluate(() => document.activeElement?.id === 'heading'));
    assert.equal(await scene.text(), 'draft');
    await page.keyboard.press('Escape');
    const again = await scene.show(atOnce);
    await scene.clear();
    await scene.begin(again);
    await scene.typeUntilPaused(again);
    await until(() => again.evaluate(() => document.activeElement?.id !== 'stray'));
    assert.doesNotMatch(await scene.text(), /[ひみつ]/);
  });

  it('finds in the file what they were composing for it with an input method', async () => {
    const panel = await scene.show(atOnce);
    await scene.clear();
    await scene.begin(panel);
    await scene.composeUntilPaused(panel, 'かな');
    await until(async () => (await scene.text()).includes('かな'));
    await until(async () => (await panel.locator('#stray').inputValue()) === '');
  });

  it('is told that the panel has keyboard focus, and continues typing after a click', async () => {
    const panel = await scene.show(taking);
    await scene.clear();
    await scene.begin(panel);
    await panel.getByText('Click where you were typing to continue.').waitFor();
    await until(() => panel.evaluate(() => document.activeElement?.id === 'heading'));
    await scene.user.picture('keyboard-elsewhere-told');
    await scene.editor.click();
    await scene.user.page.keyboard.type('more');
    await until(async () => (await scene.text()) === 'more');
  });

  it('goes on typing in an input box when the link that they copied from the panel arrives', async () => {
    const { page } = scene.user;
    const panel = await scene.show(viewerPage('', ''));
    await scene.running(panel);
    const request = heldRequest();
    scene.anchor.misbehave('GET', /pages$/, { kind: 'answer', answer: pagesAnswer, after: request.here }, 1);
    await panel.locator('#copyLink').click();
    await request.arrived;
    await page.keyboard.press('F1');
    const box = page.locator('.quick-input-widget input').first();
    await box.fill('');
    await page.keyboard.type('before ');
    request.release();
    await until(() => page.evaluate(async () => (await navigator.clipboard.readText()).includes('/live/')));
    for (const letter of 'and after') await page.keyboard.press(letter === ' ' ? 'Space' : letter, { delay: 60 });
    assert.equal(await box.inputValue(), 'before and after');
    assert.ok(!(await panel.evaluate(() => document.hasFocus())));
    await page.keyboard.press('Escape');
  });

  it('presses nothing in the panel with keys for the command palette that they opened instead of answering', async () => {
    const { page } = scene.user;
    const panel = await scene.show(viewerPage('', ''));
    await scene.running(panel);
    const asked = () => scene.anchor.requests.filter(({ path }) => path.endsWith('/pages')).length;
    const before = asked();
    await panel.locator('#openIn').click();
    const title = page.locator('.quick-input-widget').getByText('Open Live View In');
    await title.waitFor();
    await page.keyboard.press('F1');
    await title.waitFor({ state: 'hidden' });
    for (let pressed = 0; pressed < 6; pressed++) await page.keyboard.press('Enter', { delay: 60 });
    assert.equal(await title.count(), 0);
    assert.equal(asked(), before);
    await page.keyboard.press('Escape');
  });

  it('only views a session that is listed again, even where they interacted before it was over', async () => {
    const panel = await scene.show(viewerPage('', ''));
    await panel.getByRole('button', { name: 'Interact' }).click();
    await panel.getByRole('button', { name: 'Interact', pressed: true }).waitFor();
    const { sessions } = scene.anchor;
    const all = [...sessions];
    sessions.clear();
    await scene.user.run('Refresh');
    await panel.locator('#card').getByText('No longer running').waitFor();
    for (const [id, session] of all) sessions.set(id, session);
    await scene.user.run('Refresh');
    await scene.running(panel);
    await panel.getByRole('button', { name: 'Interact', pressed: false }).waitFor();
  });

  const waysToPanel: Readonly<Record<string, () => Promise<void>>> = {
    'by keyboard': () => scene.user.page.keyboard.press('Control+2'),
    'by its tab': () => scene.user.page.getByRole('tab', { name: /Live: shop\.example/ }).click(),
    'by a click in it': async () => (await scene.panel()).locator('#name').click(),
  };
  for (const [way, go] of Object.entries(waysToPanel)) {
    it(`goes to the panel ${way} a moment after typing, and finds the viewer running`, async () => {
      const panel = await scene.show(viewerPage('', ''));
      const viewer = await scene.running(panel);
      await scene.clear();
      await scene.user.page.keyboard.type('draft');
      // On a busy machine, VS Code can miss that it was to focus a panel.
      await until(async () => {
        await go();
        return succeeds(panel.waitForFunction(() => document.hasFocus(), undefined, { timeout: 4_000 }));
      });
      // No space: the focus is on the button that was pressed last.
      await scene.user.page.keyboard.type('nowhere');
      assert.equal(await scene.text(), 'draft');
      assert.ok(await panel.evaluate(() => document.hasFocus()));
      assert.ok(!viewer.isDetached());
    });
  }

  it('finds nothing in the other side of a diff editor that they typed in one side', async () => {
    const { page, runTitled } = { page: scene.user.page, runTitled: scene.user.runTitled.bind(scene.user) };
    await scene.editor.click();
    await runTitled('File: Compare New Untitled Text Files');
    const side = (name: string) => page.locator(`.monaco-diff-editor .editor.${name} .monaco-editor`).first();
    const textIn = async (name: string) => (await side(name).locator('.view-line').allInnerTexts()).join('').trim();
    for (const [own, other] of [
      ['original', 'modified'],
      ['modified', 'original'],
    ] as const) {
      const panel = await scene.show(atOnce);
      await scene.running(panel);
      await side(own).click();
      const before = await textIn(other);
      const reached = scene.reached;
      await scene.begin(panel);
      await scene.typeUntilPaused(panel);
      assert.equal(await textIn(other), before);
      assert.ok(scene.reached - reached <= 1, 'keys reached the viewer');
      await panel.getByText('Click where you were typing to continue.').waitFor();
    }
  });
});
