import { strict as assert } from 'node:assert';
import type { Frame } from 'playwright-core';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { type BrowserbaseServer, startBrowserbase } from '../servers/browserbase.ts';
import { until, WorkbenchPerson } from './person.ts';

const farewell = 'browserbase-disconnected';

/** Says to every page around it what the extension says to a panel, and a panel to the extension. */
const forgery = `
const card = { heading: 'Forged', lines: [], buttons: [{ button: 'endSession', label: 'Forged' }] };
const state = { type: 'state', identity: { v: 1, accountId: 'a', sessionId: 's', mode: 'interact' }, name: 'Forged',
  account: 'Forged', dot: 'ended', dotWord: 'Forged', status: 'Forged', pages: [], shownPage: '',
  stage: { kind: 'card', card, overLast: false }, notice: { text: 'Forged', buttons: card.buttons }, can: {} };
const frame = { type: 'frame', number: 1, width: 10, height: 10, jpeg: new Uint8Array(8) };
const words = [state, frame, { type: 'button', button: 'endSession' }, { type: 'farewell' }, null];
const sayAll = (more) => {
  for (let target = parent; ; target = target.parent) {
    for (const word of [...words, ...more]) target.postMessage(word, '*');
    if (target === top) break;
  }
};`;

const forger = `<script>${forgery} setInterval(() => sayAll(['${farewell}']), 50);</script>`;

/** A page with forgers in it, of its own origin, of another and of none. It forges itself when it is told to. */
function hostilePage(other: string): string {
  const inAttribute = forger.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  return `<p id="clock">hostile</p><iframe srcdoc="${inAttribute}"></iframe><iframe src="${other}"></iframe>
<iframe src="data:text/html,${encodeURIComponent(forger)}"></iframe><script>${forgery}</script>`;
}

describe('a person at the panel of a live view', function () {
  this.timeout(120_000);
  // Each test begins where the one before it has ended.
  this.bail(true);
  let anchor: AnchorServer;
  let browserbase: BrowserbaseServer;
  let person: WorkbenchPerson;

  before(async () => {
    [anchor, browserbase] = await Promise.all([startAnchor(), startBrowserbase()]);
    browserbase.add({ id: 'bb-hostile', userMetadata: { name: 'hostile' } });
    person = await WorkbenchPerson.sitDown({
      theme: 'Default High Contrast',
      // Nothing is listed but when somebody asks.
      settings: { 'browserSessions.refresh.interval': 0 },
    });
    await person.addAt('Browserbase', browserbase.url, browserbase.key, 'agents');
  });
  after(async () => {
    await person?.picture('panel-end');
    await person?.standUp();
    for (const server of [anchor, browserbase]) await server?.stop();
  });

  async function openLive(name: string): Promise<Frame> {
    await person.choose(person.row(`Session ${name}`), 'Open Live View');
    return person.live(name);
  }

  it('is not deceived by pages inside of what is framed, and hears one word of the framed page itself', async () => {
    anchor.misbehave('GET', /^\/forger$/, { kind: 'answer', answer: { status: 200, html: forger } });
    browserbase.livePage = { body: hostilePage(`${anchor.url}/forger`) };
    await openLive('hostile');
    const content = await person.framed('hostile');
    const panel = await person.live('hostile');
    const heard = await panel.evaluateHandle(() => {
      const origins = new Set<string>();
      addEventListener('message', ({ origin }) => origins.add(origin));
      return origins;
    });
    const origins = [new URL(content.url()).origin, anchor.url, 'null'];
    await until(() => heard.evaluate((set, all) => all.every((one) => set.has(one)), origins));
    const lists = () => browserbase.log().filter((line) => line === 'GET /v1/sessions').length;
    const before = lists();
    const nothingCame = async () => {
      await person.page.waitForTimeout(1_000);
      assert.equal(await panel.locator('h1').innerText(), 'hostile');
      assert.doesNotMatch(await panel.locator('body').innerText(), /Forged/);
      assert.ok(await panel.locator('iframe').isVisible());
      assert.equal(await person.page.getByRole('dialog').count(), 0, 'a page could ask for its session to end');
    };
    await nothingCame();
    await content.evaluate('sayAll([])');
    await nothingCame();
    assert.equal(lists(), before, 'a page could have the account listed');
    await content.evaluate(`sayAll(['${farewell}'])`);
    await until(async () => lists() > before);
    await nothingCame();
    const after = lists();
    await content.evaluate(`sayAll(['${farewell}'])`);
    await nothingCame();
    assert.equal(lists(), after, 'a page could have the account listed again and again');
  });
});
