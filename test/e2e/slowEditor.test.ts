import { strict as assert } from 'node:assert';
import { type AnchorServer, type AnchorSession, startAnchor } from '../servers/anchor.ts';
import { until, WorkbenchUser } from './user.ts';

/**
 * Runs in the workbench: delays what its webviews load until one of them is given a second page, which has then loaded
 * while the other one is about to be shown; or for a while if none is.
 * @returns a function that undoes that.
 */
function holdResources(delayMs: number): () => void {
  const real = MessagePort.prototype.postMessage;
  const post: (this: MessagePort, ...rest: unknown[]) => void = real as never;
  const pages = new Map<MessagePort, number>();
  let released = false;
  let waiting: (() => void)[] = [];
  const release = () => {
    released = true;
    for (const pass of waiting) pass();
    waiting = [];
  };
  MessagePort.prototype.postMessage = function (this: MessagePort, ...rest: unknown[]) {
    const { channel } = Object(rest[0]) as { channel?: unknown };
    if (channel === 'content') {
      pages.set(this, (pages.get(this) ?? 0) + 1);
      if (pages.get(this) === 2) setTimeout(release, delayMs);
    }
    if (channel !== 'did-load-resource' || released) post.apply(this, rest);
    else {
      if (waiting.length === 0) setTimeout(release, 2_500);
      waiting.push(() => post.apply(this, rest));
    }
  };
  return () => {
    MessagePort.prototype.postMessage = real;
  };
}

/**
 * Runs in the workbench: delays the messages from the machine that its extensions run on.
 * @returns a function that delivers all of them.
 */
function holdMessages(): () => void {
  const real = FileReader.prototype.readAsArrayBuffer;
  const waiting: (() => void)[] = [];
  FileReader.prototype.readAsArrayBuffer = function (this: FileReader, blob: Blob) {
    waiting.push(() => real.call(this, blob));
  };
  return () => {
    FileReader.prototype.readAsArrayBuffer = real;
    for (const read of waiting) read();
  };
}

describe('a user with a slow editor', function () {
  this.timeout(120_000);
  let anchor: AnchorServer;
  let user: WorkbenchUser;

  before(async () => {
    anchor = await startAnchor();
    for (const name of ['shop', 'mail']) anchor.add({ id: `sess_${name}`, domains: [`${name}.example`] });
    // Rows are redrawn when a test needs that.
    user = await WorkbenchUser.open({ settings: { 'browserSessions.refresh.interval': 0 } });
    await user.addAt('Anchor Browser', anchor.url, anchor.key, 'shop');
    await user.choose(user.row('Session shop.example'), 'Open Live View');
    await (await user.live('shop.example')).getByRole('button', { name: 'Show Live View' }).click();
    await user.framed('shop.example');
  });
  after(async () => {
    await user?.picture('slow-editor-end');
    await user?.standUp();
    await anchor?.stop();
  });

  it('sees the framed page, however slowly the panel’s own page loads', async () => {
    // By then a panel's first page waits for what it loads.
    anchor.misbehave('GET', /pages$/, { kind: 'slow', ms: 1_500 });
    const tab = user.page.getByRole('tab', { name: 'Live: mail.example' });
    for (const delayMs of [30, 60, 100, 130]) {
      const undo = await user.page.evaluateHandle(holdResources, delayMs);
      await user.row('Session mail.example').click();
      await user.framed('mail.example');
      await tab.click({ button: 'middle' });
      await tab.waitFor({ state: 'detached' });
      await undo.evaluate((its) => its());
    }
  });

  const changes: readonly (readonly [what: string, change: (mail: AnchorSession) => void])[] = [
    ['a row is', (mail) => anchor.add({ ...mail, tags: ['name:post.example'] })],
    ['all rows of its account are', () => anchor.add({ domains: ['news.example'] })],
  ];
  for (const [what, change] of changes) {
    it(`opens what they click even when ${what} just being redrawn`, async () => {
      const row = user.row('Session mail.example').or(user.row('Session post.example'));
      const box = (await row.boundingBox()) ?? assert.fail();
      change(anchor.sessions.get('sess_mail') ?? assert.fail());
      const before = anchor.requests.length;
      await user.run('Refresh');
      const release = await user.page.evaluateHandle(holdMessages);
      await until(async () => anchor.requests.length > before);
      // VS Code asks for changes a moment later, and the window hasn't received them yet: there is no event to wait
      // for.
      await user.page.waitForTimeout(700);
      await user.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      // The click arrives on the other side before that.
      await user.page.waitForTimeout(300);
      await release.evaluate((its) => its());
      const tab = user.page.getByRole('tab', { name: 'Live: post.example' });
      await tab.waitFor();
      assert.equal(await user.page.getByText('Actual command not found').count(), 0);
      await tab.click({ button: 'middle' });
      await tab.waitFor({ state: 'detached' });
    });
  }
});
