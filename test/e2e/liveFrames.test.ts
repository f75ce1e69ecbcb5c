import { strict as assert } from 'node:assert';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frame, Page } from 'playwright-core';
import { browserlessMissing, type RunningBrowserless, startBrowserless } from '../host/browserless.ts';
import { temporaryFolder } from '../host/processes.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { type BrowserbaseServer, startBrowserbase } from '../servers/browserbase.ts';
import { Devtools } from '../servers/devtools.ts';
import { startPages } from '../servers/pages.ts';
import type { ProviderServer } from '../servers/providerServer.ts';
import { assertAccessible } from './accessibility.ts';
import { until, WorkbenchUser } from './user.ts';

/** Messages from a page that imitates the extension. */
const forger = `<p id="clock">hostile</p><script>
const card = { heading: 'Forged', lines: ['<img src=x onerror=alert(1)>'], buttons: [] };
const state = { type: 'state', identity: {}, name: 'Forged', account: '', dot: 'live', status: '', pages: [], shownPage: '',
  stage: { kind: 'card', card, overLast: false }, can: {} };
const say = (message) => { for (const target of [parent, parent.parent, top]) target.postMessage(message, '*'); };
setInterval(() => {
  for (const message of [state, { type: 'button', button: 'endSession', byPointer: true }, { type: 'frame', number: 1 }, 'browserbase-disconnected'])
    say(message);
}, 50);</script>`;

describe('a user watching sessions on their providers’ own pages', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  const userDataDir = temporaryFolder('frames');
  let anchor: AnchorServer;
  let browserbase: BrowserbaseServer;
  let pages: ProviderServer;
  let v2: RunningBrowserless | undefined;
  let user: WorkbenchUser;

  before(async () => {
    [anchor, browserbase, pages] = await Promise.all([startAnchor(), startBrowserbase(), startPages()]);
    if (browserlessMissing() === undefined) v2 = await startBrowserless();
    const started = new Date(Date.now() - 12 * 60_000);
    for (const name of ['shop', 'mail', 'news', 'forged']) {
      anchor.add({ id: `sess_${name}`, domains: [`${name}.example`], createdAt: started });
    }
    for (const name of ['nightly', 'weekly', 'monthly']) {
      browserbase.add({ id: `bb-${name}`, userMetadata: { name, job: 'crawl' }, createdAt: started });
    }
    await v2?.open({ trackingId: 'watched', page: `${pages.url}/clock` });
    user = await WorkbenchUser.open({
      theme: 'Default Light Modern',
      userDataDir,
      settings: { 'browserSessions.groupByMetadataKey': 'job' },
    });
    await user.addAt('Anchor Browser', anchor.url, anchor.key, 'shop');
    await user.addAt('Browserbase', browserbase.url, browserbase.key, 'agents');
  });
  after(async () => {
    await user?.picture('frames-end');
    await user?.standUp();
    for (const server of [anchor, browserbase, pages, v2]) await server?.stop();
  });

  const framed = (name: string) => user.framed(name);

  /** Types into the framed page and presses its button, where they are on screen. */
  async function typeName(content: Frame, name: string): Promise<void> {
    for (const [id, text] of [
      ['field', name],
      ['send', ''],
    ]) {
      const { x, y, width, height } = (await content.locator(`#${id}`).boundingBox()) ?? assert.fail();
      await user.page.mouse.click(x + width / 2, y + height / 2);
      await user.page.keyboard.type(text ?? '');
    }
  }

  /** Presses the button that turns interacting on or off, and waits until it has. */
  async function setInteracting(panel: Frame, on: boolean): Promise<void> {
    await panel.getByRole('button', { name: 'Interact' }).click();
    await panel.getByRole('button', { name: 'Interact', pressed: on }).waitFor();
  }

  const liveRequests = (server: ProviderServer) =>
    server.requests.filter(({ path }) => /^\/(live|devtools-)/.test(path)).length;
  const closeAll = async () => {
    await user.page.keyboard.press('Control+K');
    await user.page.keyboard.press('Control+W');
    // A panel that is about to close receives the next keys.
    await until(async () => (await user.page.getByRole('tab', { name: /^Live: / }).count()) === 0);
  };

  it('is told how watching affects a session before anything connects, once for each provider', async () => {
    const panel = await user.openLive('shop.example');
    await panel.getByRole('heading', { name: 'Watching affects this session' }).waitFor();
    await panel.getByText('keeps the session from timing out').waitFor();
    assert.equal(liveRequests(anchor), 0);
    await assertAccessible(user, panel, 'frames-effect');
    await panel.getByRole('button', { name: 'Show Live View' }).click();
    const shop = await framed('shop.example');
    const clock = shop.locator('#clock');
    const before = await clock.innerText();
    await until(async () => (await clock.innerText()) !== before);
    await user.seesMoving((await user.live('shop.example')).locator('iframe'));
    await user.openLive('mail.example');
    await framed('mail.example');
    await assertAccessible(user, await user.live('mail.example'), 'frames-anchor');
  });

  it('only views what is framed until they choose to interact', async () => {
    const panel = await user.live('mail.example');
    const mail = await framed('mail.example');
    assert.equal(await panel.locator('iframe').evaluate((frame) => (frame as HTMLIFrameElement).inert), true);
    await typeName(mail, 'nobody');
    await setInteracting(panel, true);
    await panel.getByRole('button', { name: 'Got It' }).click();
    await panel.locator('#notice').waitFor({ state: 'hidden' });
    // A frame's permissions are set when it loads, so it is reloaded.
    const interactive = await framed('mail.example');
    await typeName(interactive, 'Ada');
    await interactive.getByText('Hello Ada').waitFor();
    await user.picture('frames-interact');
    await setInteracting(panel, false);
    const watched = await framed('mail.example');
    await typeName(watched, 'nobody');
    await user.page.waitForTimeout(500);
    assert.deepEqual(anchor.sent, new Map([['sess_mail', ['Ada']]]));
    assert.equal(await watched.locator('#field').inputValue(), '');
  });

  it('sees an explanation and buttons, never a blank panel, when a page doesn’t allow framing', async () => {
    anchor.livePage = { headers: { 'content-security-policy': "default-src 'self'; frame-ancestors 'none'" } };
    const panel = await user.openLive('news.example');
    await panel.getByRole('heading', { name: "This page can't be shown here" }).waitFor();
    assert.equal(await panel.locator('iframe').count(), 0);
    await assertAccessible(user, panel, 'frames-refused');
    const [tab] = await Promise.all([
      user.page.context().waitForEvent('page'),
      panel.getByRole('button', { name: 'Open in External Browser' }).click(),
    ]);
    assert.match(tab.url(), /\/live\/sess_news\/[\w-]+\?rt=a%2Bb%26c$/);
    await tab.close();
    anchor.livePage = { headers: { 'x-frame-options': 'SAMEORIGIN' } };
    await panel.getByRole('button', { name: 'Try Again' }).click();
    await panel.getByText('X-Frame-Options').waitFor();
    const elsewhere = { status: 302, headers: { location: 'https://elsewhere.example/login' } };
    anchor.misbehave('GET', /^\/live\//, { kind: 'answer', answer: elsewhere });
    await panel.getByRole('button', { name: 'Try Again' }).click();
    await panel.getByText('redirects to elsewhere.example').waitFor();
    const withKey = { status: 302, headers: { location: `https://${anchor.key}.elsewhere.example/` } };
    anchor.misbehave('GET', /^\/live\//, { kind: 'answer', answer: withKey });
    await panel.getByRole('button', { name: 'Try Again' }).click();
    await panel.getByText(/redirects to \S*…?.+\.elsewhere\.example/).waitFor();
    assert.ok(!(await panel.locator('body').innerText()).includes(anchor.key));
    anchor.behave();
    anchor.livePage = {};
    await panel.getByRole('button', { name: 'Try Again' }).click();
    await framed('news.example');
  });

  it('isn’t deceived by a framed page that imitates the extension', async () => {
    anchor.livePage = { body: forger };
    await user.openLive('forged.example');
    await framed('forged.example');
    const panel = await user.live('forged.example');
    await user.page.waitForTimeout(1_000);
    assert.equal(await panel.locator('h1#name').innerText(), 'forged.example');
    assert.ok(await panel.locator('iframe').isVisible());
    assert.equal(await user.page.getByRole('dialog').count(), 0, 'a page could ask for its session to end');
    anchor.livePage = {};
    await closeAll();
  });

  it('opens a single-use link, or one whose provider couldn’t be asked, only on request, and never an invalid one', async () => {
    const [member] = anchor.addBatch(1).members;
    assert.ok(member);
    member.pages = [];
    anchor.singleUse.set(member.id, 0);
    await user.run('Refresh');
    const name = member.id.slice(0, 8);
    const once = await user.openLive(name);
    await once.getByRole('heading', { name: 'This link works only once' }).waitFor();
    assert.equal(anchor.singleUse.get(member.id), 0);
    await once.getByRole('button', { name: 'Open Here' }).click();
    await framed(name);
    assert.equal(anchor.singleUse.get(member.id), 1);

    anchor.misbehave('GET', /^\/live\//, { kind: 'cut', when: 'before' });
    const news = await user.openLive('news.example');
    await news.getByRole('heading', { name: "Couldn't reach this live view" }).waitFor();
    anchor.behave();
    await news.getByRole('button', { name: 'Show Anyway' }).click();
    await framed('news.example');

    const page = { id: 'p', title: '', url: 'https://mail.example/', frontend_url: 'javascript:alert(1)' };
    anchor.misbehave('GET', /pages$/, { kind: 'answer', answer: { status: 200, json: [page] } });
    const mail = await user.openLive('mail.example');
    await mail.getByRole('heading', { name: "Live view isn't available" }).waitFor();
    await mail.getByText("isn't one of this provider's").waitFor();
    assert.equal(await mail.locator('iframe').count(), 0);
    await user.picture('frames-bad-address');
    anchor.behave();
    // It ends while its panel is opening.
    anchor.misbehave('GET', /pages$/, { kind: 'slow', ms: 1_000 });
    const dying = anchor.add({ id: 'sess_dying', domains: ['dying.example'] });
    await user.run('Refresh');
    await user.openLive('dying.example');
    dying.status = 'completed';
    // VS Code may load a panel that has just opened once more.
    const isOver = async () =>
      (await user.live('dying.example')).getByRole('heading', { name: 'No longer running' }).isVisible();
    await until(() => isOver().catch(() => false), 20_000);
    anchor.behave();
    await closeAll();
  });

  it('interacts with what is framed, and ends the session from there', async () => {
    await user.openLive('monthly');
    const monthly = await framed('monthly');
    const panel = await user.live('monthly');
    await user.seesMoving(panel.locator('iframe'));
    await typeName(monthly, 'nobody');
    await setInteracting(panel, true);
    const interactive = await framed('monthly');
    await typeName(interactive, 'Lovelace');
    await interactive.getByText('Hello Lovelace').waitFor();
    assert.deepEqual(browserbase.sent, new Map([['bb-monthly', ['Lovelace']]]));
    await panel.getByRole('button', { name: 'End Session…' }).click();
    assert.match(await user.dialog(), /End session "monthly" \(\S+\)\?[\s\S]*It's open in a live view/);
    await user.press('End Session');
    await panel.getByRole('heading', { name: 'Session ended' }).waitFor();
    assert.match(await panel.locator('#card').innerText(), /You ended it at \d/);
    assert.ok(!browserbase.running.includes('bb-monthly'));
    await panel.getByRole('button', { name: 'Close' }).click();
  });

  it('watches a real Browserless session by screencast', async function () {
    if (v2 === undefined) this.skip();
    await user.run('Add Account…');
    await user.pick('Browserless');
    await user.type('Address of your Browserless server', v2.url);
    await user.type('Browserless token', v2.token);
    await user.type('Enter a name to show in the Sessions view', 'own');
    await user.row('Session watched').waitFor();
    const panel = await user.openLive('watched');
    await panel.getByText('counts as a client').waitFor();
    await panel.getByRole('button', { name: 'Show Live View' }).click();
    const picture = panel.locator('#picture');
    await picture.waitFor({ state: 'visible', timeout: 30_000 });
    // Browserless's own initial page is empty.
    assert.equal(await panel.getByLabel('Page to show').locator('option:checked').innerText(), 'Clock');
    await panel.locator('#note').waitFor({ state: 'hidden' });
    await user.seesMoving(picture);
    await user.picture('frames-browserless');
  });

  it('interacts with a real Browserless session by screencast, and ends it from there', async function () {
    if (v2 === undefined) this.skip();
    const id = await v2.open({ trackingId: 'controlled', page: `${pages.url}/form` });
    const script = await Devtools.connect(`${v2.url.replace('http', 'ws')}/devtools/browser/${id}?token=${v2.token}`);
    const { targetInfos } = await script.send<{ targetInfos: { targetId: string; url: string }[] }>(
      'Target.getTargets',
    );
    const targetId = targetInfos.find(({ url }) => url === `${pages.url}/form`)?.targetId;
    const attached = await script.send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true });
    const inPage = async (expression: string) => {
      type Evaluated = { result: { value: string } };
      const { result } = await script.send<Evaluated>('Runtime.evaluate', { expression }, attached.sessionId);
      return result.value;
    };
    await user.run('Refresh');
    const panel = await user.openLive('controlled');
    const picture = panel.locator('#picture');
    await picture.waitFor({ state: 'visible', timeout: 30_000 });
    const greetShown = async (name: string) => {
      await user.clickShown(panel, 'user', inPage);
      await user.page.keyboard.type(name);
      await user.clickShown(panel, 'send', inPage);
    };
    await greetShown('nobody');
    const before = await picture.screenshot();
    await setInteracting(panel, true);
    await greetShown('Ada');
    await until(async () => (await inPage('said.textContent')) === 'Hello Ada');
    assert.equal(await inPage('user.value'), 'Ada');
    await until(async () => (await user.difference(before, await picture.screenshot())) > 0.005);
    await user.picture('frames-browserless-controlled');
    script.close();
    await panel.getByRole('button', { name: 'End Session…' }).click();
    assert.match(await user.dialog(), /End session "controlled" \(\S+\)\?[\s\S]*It's open in a live view/);
    await user.press('End Session');
    await panel.getByRole('heading', { name: 'Session ended' }).waitFor();
    assert.match(await panel.locator('#card').innerText(), /You ended it at \d/);
    assert.ok(await panel.locator('#picture.past').isVisible(), 'what was last seen is gone');
    assert.ok(!(await v2.running()).includes(id));
    await panel.getByRole('button', { name: 'Show watched' }).click();
    await (await user.live('watched')).locator('#picture').waitFor({ state: 'visible', timeout: 30_000 });
  });

  it('sees in the panel at once that a session is over, wherever it was ended', async () => {
    await user.openLive('weekly');
    await framed('weekly');
    const panel = await user.live('weekly');
    const session = browserbase.sessions.get('bb-weekly');
    assert.ok(session);
    // It keeps running under a status that the list doesn't ask for, so it is still shown.
    session.status = 'SUSPENDED';
    await user.run('Refresh');
    await panel.getByText('not in the latest list').waitFor();
    await framed('weekly');
    session.status = 'TIMED_OUT';
    // It was just asked for, and will be again after a while.
    await panel.getByRole('heading', { name: 'Session ended' }).waitFor({ timeout: 60_000 });
    assert.match(await panel.locator('#card').innerText(), /It timed out at .+ It ran for 1[23] minutes/);
    await assertAccessible(user, panel, 'frames-timed-out');
    await panel.getByRole('button', { name: 'Show nightly' }).click();
    await framed('nightly');
    assert.equal(await user.page.getByRole('tab', { name: 'Live: weekly' }).count(), 0);
    // This also explains a page that can't be framed.
    browserbase.livePage = { headers: { 'content-security-policy': "frame-ancestors 'none'" } };
    const nightly = await user.live('nightly');
    await nightly.getByRole('button', { name: 'Reload' }).click();
    await nightly.getByRole('heading', { name: "This page can't be shown here" }).waitFor();
    browserbase.livePage = {};
    await nightly.getByRole('button', { name: 'Try Again' }).click();
    await framed('nightly');
  });

  it('finds the panels again after the window reloads, with none of their addresses stored anywhere', async () => {
    await user.openLive('shop.example');
    await framed('shop.example');
    await user.page.keyboard.press('Control+\\');
    await user.openLive('nightly');
    await framed('nightly');
    // A panel's own state, which has the ID, follows its title.
    await user.stored('editors', (value) => value.includes('sess_shop') && value.includes('bb-nightly'));
    await user.reload();
    // Which of them is in front may not have been stored yet.
    await user.page.getByRole('tab', { name: 'Live: nightly' }).first().click({ timeout: 30_000 });
    await framed('nightly');
    await user.picture('frames-restored');
    await user.page.getByRole('tab', { name: 'Live: shop.example' }).first().click({ timeout: 30_000 });
    await framed('shop.example');
    if (v2 !== undefined) {
      await user.page.getByRole('tab', { name: 'Live: watched' }).first().click();
      await (await user.live('watched')).locator('#picture').waitFor({ state: 'visible', timeout: 30_000 });
    }

    const secrets = [
      ...(v2 === undefined ? [] : [v2.token]),
      anchor.key,
      browserbase.key,
      '/live/sess_',
      'rt=a%2Bb',
      'devtools-fullscreen',
      'debug=true',
    ];
    const kept = [...(await filesBelow(join(userDataDir, 'server'))), ...(await browserStorage(user.page))];
    assert.ok(
      kept.some(({ text }) => text.includes('browserSessions.liveView')),
      'the search missed where the panels are stored',
    );
    for (const secret of secrets) {
      const where = kept.filter(({ text }) => text.includes(secret)).map(({ name }) => name);
      assert.deepEqual(where, [], `${secret} was written down`);
    }
    await closeAll();
  });

  it('sees the end card when a session ended while the window was reloading', async () => {
    await user.openLive('mail.example');
    await framed('mail.example');
    const session = anchor.sessions.get('sess_mail');
    assert.ok(session);
    await user.stored('editors', (value) => value.includes('sess_mail'));
    // Not before: the old window would still notice it.
    user.page.once('domcontentloaded', () => {
      session.status = 'completed';
    });
    await user.reload();
    const panel = await user.live('sess_mai');
    await panel.getByRole('heading', { name: 'Session ended' }).waitFor();
    assert.match(await panel.locator('#card').innerText(), /doesn't say when or how/);
    await user.picture('frames-restored-over');
    await panel.getByRole('button', { name: 'Close' }).click();
  });

  it('is reconnected after the key is replaced, with what the new key may see', async () => {
    await user.openLive('shop.example');
    await framed('shop.example');
    await setInteracting(await user.live('shop.example'), true);
    await framed('shop.example');
    const another = 'sk-anchor-other-canary';
    anchor.keys.set('other', another);
    const isAsked = () =>
      anchor.requests.some(
        ({ path, headers }) => path === '/v1/sessions/sess_shop/pages' && headers['anchor-api-key'] === another,
      );
    await user.choose(user.row('Account Anchor Browser · shop'), 'Replace Key…');
    await user.type('Anchor Browser API key', another);
    await until(async () => isAsked());
    await framed('shop.example');
    // With another key, the same ID may be someone else's session.
    const panel = await user.live('shop.example');
    await panel.getByRole('button', { name: 'Interact', pressed: false }).waitFor();
    await closeAll();
  });

  it('is told that the account of an open panel was removed, and the session keeps running', async () => {
    await user.openLive('shop.example');
    await framed('shop.example');
    const panel = await user.live('shop.example');
    await user.choose(user.row('Account Anchor Browser · shop'), 'Remove Account…');
    await user.press('Remove Account');
    await panel.getByRole('heading', { name: 'The account was removed' }).waitFor();
    assert.equal(await panel.locator('iframe').count(), 0, 'it is still watched');
    assert.equal(await panel.locator('#status').innerText(), 'may still be running');
    assert.ok(anchor.running.includes('sess_shop'));
    await closeAll();
  });

  it('ends a real Browserless session from its panel', async function () {
    if (v2 === undefined) this.skip();
    const panel = await user.openLive('watched');
    await panel.locator('#picture').waitFor({ state: 'visible', timeout: 30_000 });
    await panel.getByRole('button', { name: 'Interact' }).click();
    await panel.getByRole('button', { name: 'End Session…' }).click();
    await user.press('End Session');
    await panel.getByRole('heading', { name: 'Session ended' }).waitFor();
    assert.deepEqual(await v2.running(), []);
    await until(async () => (await v2?.browserProcesses())?.length === 0);
  });
});

interface StoredFile {
  readonly name: string;
  readonly text: string;
}

async function filesBelow(folder: string): Promise<StoredFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return { name: path, text: (await readFile(path)).toString('latin1') };
    }),
  );
}

/** Everything that the workbench and its webviews store in the browser. */
async function browserStorage(page: Page): Promise<StoredFile[]> {
  const all = await Promise.all(
    page.frames().map(async (frame) => {
      const dump = await frame
        .evaluate(async () => {
          const parts = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })];
          for (const { name = '' } of await indexedDB.databases()) {
            const database = await new Promise<IDBDatabase>((resolve, reject) => {
              const opening = indexedDB.open(name);
              opening.onsuccess = () => resolve(opening.result);
              opening.onerror = () => reject(opening.error ?? new Error('not opened'));
            });
            for (const store of database.objectStoreNames) {
              const read = database.transaction(store).objectStore(store);
              const rows = await new Promise<unknown[]>((resolve, reject) => {
                const cursor = read.openCursor();
                const found: unknown[] = [];
                cursor.onsuccess = () => {
                  if (cursor.result === null) return resolve(found);
                  const { key, value } = cursor.result;
                  found.push(key, value instanceof Uint8Array ? new TextDecoder().decode(value) : value);
                  cursor.result.continue();
                };
                cursor.onerror = () => reject(cursor.error ?? new Error('not read'));
              });
              parts.push(JSON.stringify(rows));
            }
            database.close();
          }
          return parts.join('\n');
        })
        .catch(() => '');
      return { name: `storage of ${new URL(frame.url()).origin}`, text: dump };
    }),
  );
  return all;
}
