import { strict as assert } from 'node:assert';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { until, WorkbenchUser } from './user.ts';

describe('a user who doesn’t want to be asked about each end', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let server: AnchorServer;
  let user: WorkbenchUser;

  before(async () => {
    server = await startAnchor();
    for (const name of ['first', 'second', 'third', 'guarded']) {
      server.add({ id: `sess_${name}`, domains: [`${name}.example.com`] });
    }
    user = await WorkbenchUser.open();
    await user.addAt('Anchor Browser', server.url, server.key, 'prod');
  });
  after(async () => {
    await user.picture('end-without-asking');
    await user.standUp();
    await server.stop();
  });

  const ends = () => server.log().filter((line) => line.startsWith('DELETE'));
  const row = (name: string) => user.row(`Session ${name}.example.com`);
  const buttons = async () => (await user.dialog()).split('\n').filter((line) => /^End |^Cancel$/.test(line));
  /** Opens a session's live view and presses its button. */
  async function endFromPanel(name: string): Promise<void> {
    await user.choose(row(name), 'Open Live View');
    await (await user.live(`${name}.example.com`)).locator('#endSession').click();
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
    await user.choose(row('guarded'), 'Protect Session');
    await endFromPanel('guarded');
    assert.match(await user.dialog(), /It's protected\./);
    assert.doesNotMatch(await user.dialog(), /Don't Ask Again/);
    await user.press('Cancel');
    assert.deepEqual(server.running.sort(), ['sess_guarded', 'sess_third']);
  });

  it('is asked in the live view of a session whose ID another one got since', async () => {
    await user.choose(row('third'), 'Open Live View');
    await user.live('third.example.com');
    server.sessions.delete('sess_third');
    server.add({ id: 'sess_third', domains: ['other.example.com'] });
    await row('other').waitFor();
    await (await user.live('other.example.com')).locator('#endSession').click();
    assert.match(await user.dialog(), /End session "other\.example\.com" \(\S+\)\?/);
    assert.doesNotMatch(await user.dialog(), /Don't Ask Again/);
    await user.press('Cancel');
    assert.deepEqual(server.running.sort(), ['sess_guarded', 'sess_third']);
  });

  it('is asked there even if the window was reloaded in between', async () => {
    await user.stored('editors', (value) => value.includes('Live: other.example.com'));
    await user.reload();
    await (await user.live('other.example.com')).locator('#endSession').click();
    assert.match(await user.dialog(), /End session "other\.example\.com" \(\S+\)\?/);
    assert.doesNotMatch(await user.dialog(), /Don't Ask Again/);
    await user.press('Cancel');
    assert.deepEqual(server.running.sort(), ['sess_guarded', 'sess_third']);
  });
});
