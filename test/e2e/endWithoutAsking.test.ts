import { strict as assert } from 'node:assert';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { type GatewayServer, startGateway } from '../servers/gateway.ts';
import { heldRequest } from '../servers/providerServer.ts';
import { until, WorkbenchUser } from './user.ts';

describe('a user who doesn’t want to be asked about each end', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let server: AnchorServer;
  /** Its IDs may be used again. */
  let gateway: GatewayServer;
  let user: WorkbenchUser;

  before(async () => {
    [server, gateway] = await Promise.all([startAnchor(), startGateway()]);
    for (const name of ['first', 'second', 'third', 'guarded']) {
      server.add({ id: `sess_${name}`, domains: [`${name}.example.com`] });
    }
    user = await WorkbenchUser.open();
    await user.addAt('Anchor Browser', server.url, server.key, 'prod');
    const createdAt = new Date(Date.now() - 60_000).toISOString();
    gateway.add({ id: 'sess_own', createdAt, currentUrl: 'https://own.example.com/' });
    await user.run('Add Account…');
    await user.pick('Session Gateway');
    await user.type('Enter the base address of the gateway', gateway.url);
    await user.type('Value of the Authorization header', gateway.authorization);
    await user.type('Enter a name to show in the Sessions view', 'internal');
  });
  after(async () => {
    await user.picture('end-without-asking');
    await user.standUp();
    await Promise.all([server.stop(), gateway.stop()]);
  });

  const longAgo = new Date(Date.now() - 3_600_000).toISOString();
  const ends = () => server.log().filter((line) => line.startsWith('DELETE'));
  const row = (name: string) => user.row(`Session ${name}.example.com`);
  const buttons = async () => (await user.dialog()).split('\n').filter((line) => /^End |^Cancel$/.test(line));
  /** Opens a session's live view and presses its button. */
  async function endFromPanel(name: string): Promise<void> {
    await user.choose(row(name), 'Open Live View');
    const panel = await user.live(`${name}.example.com`);
    await panel.locator('#endSession').waitFor();
    await user.aims();
    await panel.locator('#endSession').click();
  }

  it('is asked in the list, by mouse and by keyboard, and isn’t offered anything else', async () => {
    await user.choose(row('first'), 'End Session…');
    assert.match(await user.dialog(), /End session "first\.example\.com" \(\S+\)\?/);
    assert.doesNotMatch(await user.dialog(), /Don't Ask Again/);
    await user.press('Cancel');
    await row('first').click();
    await user.live('first.example.com');
    await row('first').focus();
    await user.page.keyboard.press('Delete');
    assert.match(await user.dialog(), /End session "first\.example\.com" \(\S+\)\?/);
    await user.press('Cancel');
    assert.deepEqual(ends(), []);
  });

  it('confirms nothing with keys that they typed on when the dialog opened', async () => {
    const shown = await user.pressAtOnce('End session', 3);
    await user.choose(row('third'), 'End Session…');
    await until(async () => (await shown()) === 4);
    assert.match(await user.dialog(), /End session "third\.example\.com" \(\S+\)\?/);
    await user.press('Cancel');
    assert.deepEqual(ends(), []);
  });

  it('is asked by a live view’s button until they choose not to be asked there', async () => {
    await endFromPanel('first');
    assert.ok((await buttons()).includes("End and Don't Ask Again"), (await user.dialog()) ?? '');
    await user.press('Cancel');
    assert.deepEqual(ends(), []);
    await endFromPanel('first');
    await user.press("End and Don't Ask Again");
    await until(async () => !server.running.includes('sess_first'));
    await row('first').waitFor({ state: 'detached' });
    await endFromPanel('second');
    await until(async () => !server.running.includes('sess_second'));
    await row('second').waitFor({ state: 'detached' });
    assert.equal(ends().length, 2);
  });

  it('is still asked in the list, and everywhere about a protected session', async () => {
    await user.choose(row('third'), 'End Session…');
    assert.match(await user.dialog(), /End session "third\.example\.com" \(\S+\)\?/);
    await user.press('Cancel');
    // By key, the live view's button asks, too: the key may have been meant for something else.
    await user.choose(row('third'), 'Open Live View');
    const panel = await user.live('third.example.com');
    await panel.locator('#name').click();
    await panel.locator('#endSession').press('Enter');
    assert.doesNotMatch(await user.dialog(), /Don't Ask Again/);
    await user.press('Cancel');
    await user.choose(row('guarded'), 'Protect Session');
    await endFromPanel('guarded');
    assert.match(await user.dialog(), /It's protected\./);
    assert.doesNotMatch(await user.dialog(), /Don't Ask Again/);
    await user.press('Cancel');
    assert.deepEqual(server.running.sort(), ['sess_guarded', 'sess_third']);
  });

  it('is asked if the button has only just moved under the pointer', async () => {
    await user.choose(row('third'), 'Open Live View');
    const panel = await user.live('third.example.com');
    await panel.locator('#endSession').waitFor();
    await user.aims();
    await panel.locator('#endSession').evaluate((button) => {
      button.style.transform = 'translateX(40px)';
      button.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }));
      button.dispatchEvent(new MouseEvent('click', { detail: 1, bubbles: true }));
    });
    assert.match(await user.dialog(), /End session "third\.example\.com" \(\S+\)\?/);
    await user.press('Cancel');
    assert.ok(server.running.includes('sess_third'));
  });

  it('is asked if another live view has only just come under the pointer', async () => {
    for (const name of ['left', 'right']) server.add({ id: `sess_${name}`, domains: [`${name}.example.com`] });
    await user.choose(row('left'), 'Open Live View');
    await (await user.live('left.example.com')).locator('#endSession').waitFor();
    await user.choose(row('right'), 'Open Live View to the Side');
    let name = 'right';
    // On a busy machine, changing places can take so long that a click counts as meant. Then they change places again.
    for (let tookMs = Number.POSITIVE_INFINITY; tookMs > 300; ) {
      const [panel, other] = [await user.live(`${name}.example.com`), name === 'right' ? 'left' : 'right'];
      await panel.locator('#name').click();
      await panel.locator('#endSession').hover();
      const under = await panel.locator('#endSession').boundingBox();
      await user.aims();
      // The view on the right changes places with the one on the left.
      const began = performance.now();
      await user.page.keyboard.press('Control+K');
      await user.page.keyboard.press('ArrowLeft');
      const next = await user.live(`${other}.example.com`);
      await until(async () => (await next.locator('#endSession').boundingBox())?.x === under?.x);
      tookMs = performance.now() - began;
      name = other;
    }
    await user.page.mouse.down();
    await user.page.mouse.up();
    assert.match(await user.dialog(), new RegExp(`End session "${name}\\.example\\.com" \\(\\S+\\)\\?`));
    await user.press('Cancel');
    assert.ok(['sess_left', 'sess_right'].every((id) => server.running.includes(id)));
  });

  it('is asked in the live view of a session whose ID another one got since', async () => {
    await user.choose(row('own'), 'Open Live View');
    await user.live('own.example.com');
    gateway.reuse('sess_own', { currentUrl: 'https://other.example.com/' });
    await row('other').waitFor({ timeout: 60_000 });
    await (await user.live('other.example.com')).locator('#endSession').click();
    assert.match(await user.dialog(), /End session "other\.example\.com" \(\S+\)\?/);
    assert.doesNotMatch(await user.dialog(), /Don't Ask Again/);
    await user.press('Cancel');
    assert.deepEqual(gateway.running, ['sess_own']);
  });

  it('is asked there even if the window was reloaded in between', async () => {
    await user.stored('editors', (value) => value.includes('Live: other.example.com'));
    await user.reload();
    await (await user.live('other.example.com')).locator('#endSession').click();
    assert.match(await user.dialog(), /End session "other\.example\.com" \(\S+\)\?/);
    assert.doesNotMatch(await user.dialog(), /Don't Ask Again/);
    await user.press('Cancel');
    assert.deepEqual(gateway.running, ['sess_own']);
  });

  it('never sees a session of the previous key under the name of one that the new key finds', async () => {
    const session = { id: 'sess_own', liveViewUrl: `${gateway.url}/live/before`, status: 'running' };
    const request = heldRequest();
    const answer = { status: 200, json: { session } };
    gateway.misbehave('GET', /sessions\/sess_own$/, { kind: 'answer', answer, after: request.here }, 1);
    await (await user.live('other.example.com')).getByRole('button', { name: 'Show Live View' }).click();
    await request.arrived;
    const other = 'Bearer another-key-of-the-gateway';
    gateway.authorization = other;
    gateway.sessions.clear();
    gateway.add({ id: 'sess_own', createdAt: longAgo, currentUrl: 'https://third.example.com/' });
    await user.choose(user.row('Account Session Gateway'), 'Replace Key…');
    await user.type('Value of the Authorization header', other);
    await row('third').waitFor({ timeout: 60_000 });
    request.release();
    const frames = () => user.page.frames().map((frame) => /\/live\/.*/.exec(frame.url())?.[0]);
    await until(async () => frames().includes('/live/sess_own'));
    assert.ok(!frames().includes('/live/before'));
  });
});
