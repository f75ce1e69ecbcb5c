import { strict as assert } from 'node:assert';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { until, WorkbenchPerson } from './user.ts';

const evil = '[x](command:workbench.action.closeWindow) $(trash) \u202etxt';

describe('a person with an Anchor Browser account', function () {
  this.timeout(120_000);
  // Each test begins where the one before it has ended.
  this.bail(true);
  let server: AnchorServer;
  let person: WorkbenchPerson;

  before(async () => {
    server = await startAnchor();
    const started = new Date(Date.now() - 12 * 60_000);
    server.add({
      id: 'sess_checkout',
      domains: ['checkout.example.com'],
      createdAt: started,
      headless: true,
      tags: ['prod'],
    });
    server.add({ id: 'sess_login', domains: ['login.acme.io'], createdAt: new Date(started.getTime() - 3_600_000) });
    server.add({ id: 'sess_evil', domains: [evil], createdAt: new Date(started.getTime() - 60_000) });
    server.keys.set('ci-key', 'sk-anchor-ci-canary');
    server.add({ id: 'sess_ci', domains: ['ci.example.com'], key: 'sk-anchor-ci-canary', createdAt: started });
    person = await WorkbenchPerson.sitDown({ theme: 'Default Light Modern' });
  });
  after(async () => {
    await person.picture('anchor-end');
    await person.standUp();
    await server.stop();
  });

  const deletions = () => server.log().filter((line) => line.startsWith('DELETE'));

  it('adds it at another address, and is told in place that a key is wrong', async () => {
    await person.run('Add Account…');
    await person.pick('Anchor Browser');
    await person.page.getByRole('button', { name: 'Use a Different Address…' }).click();
    await person.type('Enter the address of the Anchor Browser API', server.url);
    await person.type('Anchor Browser API key', 'sk-wrong');
    await person.page.getByText('rejected the key').first().waitFor();
    await person.picture('anchor-wrong-key');
    await person.type('rejected the key', server.key);
    await person.type('Enter a name to show in the Sessions view', 'prod');
    await person.row('Session checkout.example.com').waitFor();
    await person.row('Account Anchor Browser · prod, 4 of 25 running').waitFor();
    await person.picture('anchor-rows');
  });

  it('tells sessions of one’s own from those of others by the look of their rows', async () => {
    await person.fillSetting('browserSessions.mine', 'tag=prod');
    const colour = (name: string) =>
      person
        .row(name)
        .locator('.monaco-icon-label .label-name')
        .evaluate((label) => getComputedStyle(label).color);
    await until(async () => (await colour('Session login.acme.io')) !== (await colour('Session checkout.example.com')));
    assert.match((await person.row('Session login.acme.io').getAttribute('aria-label')) ?? '', /not yours/);
    await person.picture('anchor-others');
    await person.fillSetting('browserSessions.mine', '');
  });

  it('sees hostile names as plain text', async () => {
    const label = await person.row('Session [x] (command').innerText();
    assert.match(label, /^\[x\] \(command:workbench\.action\.closeWindow\) \$ \(trash\) txt/);
    await person.choose(person.row('Session [x] (command'), 'End Session…');
    assert.match(
      await person.dialog(),
      /End session "\[x\] \(command:workbench\.action\.closeWindow\) \$ \(trash\) txt"\?/,
    );
    assert.equal(await person.page.locator('.dialog-message-container a').count(), 0);
    await person.press('Cancel');
  });

  it('watches a session live, framed from that one address, or in another browser', async () => {
    await person.choose(person.row('Session checkout.example.com'), 'Open Live View');
    await person.panel().getByRole('button', { name: 'Show Live View' }).click();
    const clock = person.panel().frameLocator('iframe').locator('#clock');
    await clock.waitFor({ timeout: 30_000 });
    const before = await clock.innerText();
    await until(async () => (await clock.innerText()) !== before);
    await person.picture('anchor-live-view');
    const frame = person.panel().locator('iframe');
    assert.match((await frame.getAttribute('src')) ?? '', /\/live\/sess_checkout\/[\w-]+\?rt=a%2Bb%26c$/);
    await person.panel().getByRole('button', { name: 'Open In…' }).click();
    const [tab] = await Promise.all([person.page.context().waitForEvent('page'), person.pick('External Browser')]);
    assert.match(tab.url(), /\/live\/sess_checkout\/[\w-]+\?rt=a%2Bb%26c$/);
    await tab.close();
    await person.panel().getByRole('button', { name: 'Reload' }).click();
    await clock.waitFor({ timeout: 30_000 });
  });

  it('ends it, is told that the live view is open, and sees in the panel that it has ended', async () => {
    await person.choose(person.row('Session checkout.example.com'), 'End Session…');
    const dialog = await person.dialog();
    assert.match(dialog, /running for 1[23] minutes/);
    assert.match(dialog, /It's open in a live view/);
    server.endLagMs = 1_500;
    await person.press('End Session');
    await person.row('Session checkout.example.com, ending…').waitFor();
    await person.row('Session checkout.example.com').waitFor({ state: 'detached' });
    await person.panel().getByRole('heading', { name: 'Session ended' }).waitFor();
    assert.deepEqual(deletions(), ['DELETE /v1/sessions/sess_checkout']);
    server.endLagMs = 0;
    await person.page.keyboard.press('Control+W');
  });

  it('deletes a batch, and is told session by session what could not be deleted', async () => {
    const batch = server.addBatch(3);
    const [locked] = batch.members;
    assert.ok(locked);
    batch.undeletable.set(locked.id, 'Locked by [task](command:workbench.action.closeWindow)');
    await person.run('Refresh');
    const name = `Batch ${batch.id.slice(0, 8)}`;
    await person.row(name).waitFor();
    await person.picture('anchor-batch');
    await person.choose(person.row(name), 'Delete Batch…');
    const dialog = await person.dialog();
    assert.match(dialog, /with all of its sessions\?/);
    assert.match(dialog, /3 of its sessions are running and will end:/);
    assert.match(dialog, /Recordings and all other data of the batch's sessions are deleted too/);
    const before = deletions().length;
    await person.press('Delete Batch');
    const note = person.notification('2 sessions deleted');
    await note.waitFor();
    assert.match(await note.innerText(), /Locked by \[task\] \(command:/);
    assert.equal(await note.locator('a[href^="command:"], a[data-href^="command:"]').count(), 0);
    await person.picture('anchor-batch-partly-deleted');
    assert.equal(deletions().length, before + 1);
    const left = person.row(`Session ${locked.id.slice(0, 8)}`);
    await left.waitFor();
    assert.match((await left.getAttribute('aria-label')) ?? '', /couldn't delete it: Locked by/);
    for (const { id } of batch.members.slice(1)) {
      await person.row(`Session ${id.slice(0, 8)}`).waitFor({ state: 'detached' });
      assert.ok(!server.running.includes(id));
    }
    assert.ok(server.running.includes(locked.id));
  });

  it('filters the list by words, and is asked about no more than it shows', async () => {
    await person.row('Account Anchor Browser').hover();
    await person.page.getByRole('button', { name: 'Filter Sessions…' }).click();
    await person.type('Words in names, ids, sites', 'ACME');
    await person.row('Session [x]').waitFor({ state: 'detached' });
    await person.page.getByText('1 of 4 match "ACME"').waitFor();
    assert.deepEqual(
      (await person.rows()).filter((name) => name.startsWith('Session')).map((name) => name.split(',')[0]),
      ['Session login.acme.io'],
    );
    // What a session is called changes, and with it whether it matches.
    const tagged = server.sessions.get('sess_evil');
    assert.ok(tagged);
    server.sessions.set('sess_evil', { ...tagged, tags: ['acme'] });
    await person.run('Refresh');
    await person.row('Session [x]').waitFor();
    server.sessions.set('sess_evil', tagged);
    await person.run('Refresh');
    await person.row('Session [x]').waitFor({ state: 'detached' });
    await person.choose(person.row('Account Anchor Browser'), 'End All Sessions in Account…');
    assert.match(
      await person.dialog(),
      /End the session in Anchor Browser · prod\? The filter shows 1 of 3 sessions\./,
    );
    await person.picture('anchor-filtered');
    await person.press('Cancel');
    await person.run('Filter Sessions…');
    await person.page.locator('.quick-input-widget input').fill('nothing like it');
    await person.page.getByText('Shows 0 of 4').waitFor();
    await person.picture('anchor-filtering');
    await person.page.keyboard.press('Enter');
    await person.row('No session matches').click();
    await person.row('Session ci.example.com').waitFor();
    await person.row('Session login.acme.io').waitFor();
  });

  it('ends all in the account: what is listed, and not what another key started', async () => {
    await person.choose(person.row('Account Anchor Browser'), 'End All Sessions in Account…');
    const dialog = await person.dialog();
    assert.match(dialog, /End all 3 sessions in Anchor Browser · prod\?/);
    assert.match(
      dialog,
      /Skipped:\s+• ci\.example\.com — Anchor Browser · prod\. It was started with ci-key of your team\./,
    );
    assert.match(dialog, /End Everything in Account/);
    await person.picture('anchor-confirm-all');
    await person.press('End 3 Sessions');
    await until(async () => server.running.length === 1);
    assert.deepEqual(server.running, ['sess_ci']);
    await person.row('Session login.acme.io').waitFor({ state: 'detached' });
    await person.row('Session ci.example.com').waitFor();
    assert.ok(!deletions().includes('DELETE /v1/sessions/all'));
  });

  it('ends everything only by the button that says so', async () => {
    server.add({ id: 'sess_last', domains: ['last.example.com'] });
    await person.run('Refresh');
    await person.row('Session last.example.com').waitFor();
    await person.choose(person.row('Account Anchor Browser'), 'End All Sessions in Account…');
    await person.dialog();
    await person.press('End Everything in Account');
    await person.row('Session last.example.com').waitFor({ state: 'detached' });
    assert.equal(deletions().at(-1), 'DELETE /v1/sessions/all');
  });

  it('finds the account again after a reload, with its key', async () => {
    server.add({ id: 'sess_again', domains: ['again.example.com'] });
    await person.reload();
    await person.row('Session again.example.com').waitFor({ timeout: 60_000 });
  });

  it('is told when the key is rejected, and replaces it from that row', async () => {
    server.keys.set('automation-key', 'sk-rotated-canary-key');
    await person.run('Refresh');
    const trouble = person.row(`127.0.0.1:${server.port} rejected the key`);
    await trouble.waitFor();
    await person.picture('anchor-rejected');
    await trouble.click();
    await person.type('Anchor Browser API key', 'sk-rotated-canary-key');
    await trouble.waitFor({ state: 'detached' });
    await person.row('Session again.example.com').waitFor();
  });
});
