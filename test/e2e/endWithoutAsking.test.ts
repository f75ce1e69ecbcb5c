import { strict as assert } from 'node:assert';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { until, WorkbenchPerson } from './user.ts';

describe('a person who doesn’t want to be asked about each end', function () {
  this.timeout(120_000);
  // Each test begins where the one before it has ended.
  this.bail(true);
  let server: AnchorServer;
  let person: WorkbenchPerson;

  before(async () => {
    server = await startAnchor();
    for (const name of ['first', 'second', 'third', 'guarded']) {
      server.add({ id: `sess_${name}`, domains: [`${name}.example.com`] });
    }
    person = await WorkbenchPerson.sitDown();
    await person.addAt('Anchor Browser', server.url, server.key, 'prod');
  });
  after(async () => {
    await person.picture('end-without-asking');
    await person.standUp();
    await server.stop();
  });

  const ends = () => server.log().filter((line) => line.startsWith('DELETE'));
  const row = (name: string) => person.row(`Session ${name}.example.com`);
  const buttons = async () => (await person.dialog()).split('\n').filter((line) => /^End |^Cancel$/.test(line));
  /** Opens a session's live view and presses its button. */
  async function endFromPanel(name: string): Promise<void> {
    await person.choose(row(name), 'Open Live View');
    await (await person.live(`${name}.example.com`)).locator('#endSession').click();
  }

  it('is asked in the list, by mouse and by key, and not offered anything else', async () => {
    await person.choose(row('first'), 'End Session…');
    assert.match(await person.dialog(), /End session "first\.example\.com"\?/);
    assert.doesNotMatch(await person.dialog(), /Don't Ask Again/);
    await person.press('Cancel');
    await row('first').click();
    await person.live('first.example.com');
    await row('first').focus();
    await person.page.keyboard.press('Delete');
    assert.match(await person.dialog(), /End session "first\.example\.com"\?/);
    await person.press('Cancel');
    assert.deepEqual(ends(), []);
  });

  it('is asked by a live view’s button until they have chosen there not to be', async () => {
    await endFromPanel('first');
    assert.ok((await buttons()).includes("End and Don't Ask Again"), (await person.dialog()) ?? '');
    await person.press('Cancel');
    assert.deepEqual(ends(), []);
    await endFromPanel('first');
    await person.press("End and Don't Ask Again");
    await until(async () => !server.running.includes('sess_first'));
    await row('first').waitFor({ state: 'detached' });
    await endFromPanel('second');
    await until(async () => !server.running.includes('sess_second'));
    await row('second').waitFor({ state: 'detached' });
    assert.equal(ends().length, 2);
  });

  it('is asked all the same in the list, and about a protected session everywhere', async () => {
    await person.choose(row('third'), 'End Session…');
    assert.match(await person.dialog(), /End session "third\.example\.com"\?/);
    await person.press('Cancel');
    await person.choose(row('guarded'), 'Protect Session');
    await endFromPanel('guarded');
    assert.match(await person.dialog(), /It's protected\./);
    assert.doesNotMatch(await person.dialog(), /Don't Ask Again/);
    await person.press('Cancel');
    assert.deepEqual(server.running.sort(), ['sess_guarded', 'sess_third']);
  });
});
