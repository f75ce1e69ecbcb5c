import { strict as assert } from 'node:assert';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { until, WorkbenchUser } from './user.ts';

const evil = '[x](command:workbench.action.closeWindow) $(trash) \u202etxt';

describe('a user with an Anchor Browser account', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let server: AnchorServer;
  let user: WorkbenchUser;

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
    user = await WorkbenchUser.open({ theme: 'Default Light Modern' });
  });
  after(async () => {
    await user.picture('anchor-end');
    await user.standUp();
    await server.stop();
  });

  const deletions = () => server.log().filter((line) => line.startsWith('DELETE'));

  it('adds it at a custom address, and sees an error in place when the key is wrong', async () => {
    await user.run('Add Account…');
    await user.pick('Anchor Browser');
    await user.page.getByRole('button', { name: 'Use a Different Address…' }).click();
    await user.type('Enter the address of the Anchor Browser API', server.url);
    await user.type('Anchor Browser API key', 'sk-wrong');
    await user.page.getByText('rejected the key').first().waitFor();
    await user.picture('anchor-wrong-key');
    await user.type('rejected the key', server.key);
    await user.type('Enter a name to show in the Sessions view', 'prod');
    await user.row('Session checkout.example.com').waitFor();
    await user.row('Account Anchor Browser · prod, 4 of 25 sessions').waitFor();
    await user.picture('anchor-rows');
  });

  it('tells their own sessions from other people’s by how the rows look', async () => {
    await user.fillSetting('browserSessions.mine', 'tag=prod');
    const colour = (name: string) =>
      user
        .row(name)
        .locator('.monaco-icon-label .label-name')
        .evaluate((label) => getComputedStyle(label).color);
    await until(async () => (await colour('Session login.acme.io')) !== (await colour('Session checkout.example.com')));
    assert.match((await user.row('Session login.acme.io').getAttribute('aria-label')) ?? '', /not yours/);
    await user.picture('anchor-others');
    await user.fillSetting('browserSessions.mine', '');
  });

  it('sees hostile names as plain text', async () => {
    const label = await user.row('Session [x] (command').innerText();
    assert.match(label, /^\[x\] \(command:workbench\.action\.closeWindow\) \$ \(trash\) txt/);
    await user.choose(user.row('Session [x] (command'), 'End Session…');
    assert.match(
      await user.dialog(),
      /End session "\[x\] \(command:workbench\.action\.closeWindow\) \$ \(trash\) txt" \(\S+\)\?/,
    );
    assert.equal(await user.page.locator('.dialog-message-container a').count(), 0);
    await user.press('Cancel');
  });

  it('takes a screenshot, which VS Code shows', async () => {
    await user.choose(user.row('Session checkout.example.com'), 'Take Screenshot');
    await user.page.locator('.tab', { hasText: /^checkout\.example\.com .*\.png/ }).waitFor();
    await user.page.getByText(/^\d+x\d+$/).waitFor();
    await user.picture('anchor-screenshot');
    await user.page.keyboard.press('Control+W');
  });

  it('watches a session live, framed from that one address, or in an external browser', async () => {
    await user.choose(user.row('Session checkout.example.com'), 'Open Live View');
    await user.panel().getByRole('button', { name: 'Show Live View' }).click();
    const clock = user.panel().frameLocator('iframe').locator('#clock');
    await clock.waitFor({ timeout: 30_000 });
    const before = await clock.innerText();
    await until(async () => (await clock.innerText()) !== before);
    await user.picture('anchor-live-view');
    const frame = user.panel().locator('iframe');
    assert.match((await frame.getAttribute('src')) ?? '', /\/live\/sess_checkout\/[\w-]+\?rt=a%2Bb%26c$/);
    await user.panel().getByRole('button', { name: 'Open In…' }).click();
    const [tab] = await Promise.all([user.page.context().waitForEvent('page'), user.pick('External Browser')]);
    assert.match(tab.url(), /\/live\/sess_checkout\/[\w-]+\?rt=a%2Bb%26c$/);
    await tab.close();
    await user.panel().getByRole('button', { name: 'Reload' }).click();
    await clock.waitFor({ timeout: 30_000 });
  });

  it('ends a session, is told that its live view is open, and sees in the panel that it has ended', async () => {
    await user.choose(user.row('Session checkout.example.com'), 'End Session…');
    const dialog = await user.dialog();
    assert.match(dialog, /running for 1[23] minutes/);
    assert.match(dialog, /It's open in a live view/);
    server.endLagMs = 1_500;
    await user.press('End Session');
    await user.row('Session checkout.example.com, ending…').waitFor();
    await user.row('Session checkout.example.com').waitFor({ state: 'detached' });
    await user.panel().getByRole('heading', { name: 'Session ended' }).waitFor();
    assert.deepEqual(deletions(), ['DELETE /v1/sessions/sess_checkout']);
    server.endLagMs = 0;
    await user.page.keyboard.press('Control+W');
  });

  it('ends the sessions of a batch with its button or with Delete, and keeps its data', async () => {
    const batch = server.addBatch(2);
    await user.run('Refresh');
    const row = user.row(`Batch ${batch.id.slice(0, 8)}`);
    await row.click();
    await user.page.keyboard.press('Delete');
    assert.match(await user.dialog(), /^[^•]*End 2 sessions in "Batch /);
    await user.press('Cancel');
    await row.hover();
    const buttons = row.getByRole('button');
    const names = await buttons.evaluateAll((all) => all.map((button) => button.getAttribute('aria-label')));
    assert.deepEqual(names, ['Open All Live Views in Group', 'End Group…']);
    await row.getByRole('button', { name: 'End Group…' }).click();
    assert.match(await user.dialog(), /^[^•]*End 2 sessions in "Batch /);
    const before = deletions().length;
    await user.press('End 2 Sessions');
    await until(async () => deletions().length === before + 2);
    for (const { id } of batch.members) assert.ok(deletions().includes(`DELETE /v1/sessions/${id}`), id);
    await user.notification('Ended 2 of 2 sessions.').waitFor();
  });

  it('deletes a batch, and is told for each session what couldn’t be deleted', async () => {
    const batch = server.addBatch(3);
    const [locked] = batch.members;
    assert.ok(locked);
    batch.undeletable.set(locked.id, 'Locked by [task](command:workbench.action.closeWindow)');
    await user.run('Refresh');
    const name = `Batch ${batch.id.slice(0, 8)}`;
    await user.row(name).waitFor();
    await user.picture('anchor-batch');
    await user.choose(user.row(name), 'Delete Batch…');
    const dialog = await user.dialog();
    assert.match(dialog, /and all its sessions\?/);
    assert.match(dialog, /3 of its sessions are running and will end:/);
    assert.match(dialog, /Recordings and all other data of the batch's sessions are deleted too/);
    const before = deletions().length;
    await user.press('Delete Batch');
    const note = user.notification('2 sessions deleted');
    await note.waitFor();
    assert.match(await note.innerText(), /Locked by \[task\] \(command:/);
    assert.equal(await note.locator('a[href^="command:"], a[data-href^="command:"]').count(), 0);
    await user.picture('anchor-batch-partly-deleted');
    assert.equal(deletions().length, before + 1);
    const left = user.row(`Session ${locked.id.slice(0, 8)}`);
    await left.waitFor();
    assert.match((await left.getAttribute('aria-label')) ?? '', /couldn't delete it: Locked by/);
    for (const { id } of batch.members.slice(1)) {
      await user.row(`Session ${id.slice(0, 8)}`).waitFor({ state: 'detached' });
      assert.ok(!server.running.includes(id));
    }
    assert.ok(server.running.includes(locked.id));
  });

  it('filters the list by words, and is asked only about the sessions that are shown', async () => {
    await user.row('Account Anchor Browser').hover();
    await user.page.getByRole('button', { name: 'Filter Sessions…' }).click();
    await user.type('Filter by session name', 'ACME');
    await user.row('Session [x]').waitFor({ state: 'detached' });
    await user.page.getByText('1 of 4 match "ACME"').waitFor();
    assert.deepEqual(
      (await user.rows()).filter((name) => name.startsWith('Session')).map((name) => name.split(',')[0]),
      ['Session login.acme.io'],
    );
    // The session's name changes, and with it whether it matches.
    const tagged = server.sessions.get('sess_evil');
    assert.ok(tagged);
    server.sessions.set('sess_evil', { ...tagged, tags: ['acme'] });
    await user.run('Refresh');
    await user.row('Session [x]').waitFor();
    server.sessions.set('sess_evil', tagged);
    await user.run('Refresh');
    await user.row('Session [x]').waitFor({ state: 'detached' });
    await user.choose(user.row('Account Anchor Browser'), 'End All Sessions in Account…');
    assert.match(await user.dialog(), /End the session in Anchor Browser · prod\? The filter shows 1 of 3 sessions\./);
    await user.picture('anchor-filtered');
    await user.press('Cancel');
    await user.run('Filter Sessions…');
    await user.page.locator('.quick-input-widget input').fill('nothing like it');
    await user.page.getByText('Showing 0 of 4').waitFor();
    await user.picture('anchor-filtering');
    await user.page.keyboard.press('Enter');
    await user.row('No sessions match').click();
    await user.row('Session ci.example.com').waitFor();
    await user.row('Session login.acme.io').waitFor();
  });

  it('ends all sessions in the account that are listed, but none that another key started', async () => {
    await user.choose(user.row('Account Anchor Browser'), 'End All Sessions in Account…');
    const dialog = await user.dialog();
    assert.match(dialog, /End all 3 sessions in Anchor Browser · prod\?/);
    assert.match(
      dialog,
      /Skipped:\s+• ci\.example\.com \(\S+\) — Anchor Browser · prod\. It was started with ci-key of your team\./,
    );
    assert.match(dialog, /End Everything in Account/);
    await user.picture('anchor-confirm-all');
    await user.press('End 3 Sessions');
    await until(async () => server.running.length === 1);
    assert.deepEqual(server.running, ['sess_ci']);
    await user.row('Session login.acme.io').waitFor({ state: 'detached' });
    await user.row('Session ci.example.com').waitFor();
    assert.ok(!deletions().includes('DELETE /v1/sessions/all'));
  });

  it('ends everything only with the button that says so', async () => {
    server.add({ id: 'sess_last', domains: ['last.example.com'] });
    await user.run('Refresh');
    await user.row('Session last.example.com').waitFor();
    await user.choose(user.row('Account Anchor Browser'), 'End All Sessions in Account…');
    await user.dialog();
    await user.press('End Everything in Account');
    await user.row('Session last.example.com').waitFor({ state: 'detached' });
    assert.equal(deletions().at(-1), 'DELETE /v1/sessions/all');
  });

  it('finds the account and its key again after a reload, and no screenshot on disk', async () => {
    server.add({ id: 'sess_again', domains: ['again.example.com'] });
    await user.reload();
    await user.row('Session again.example.com').waitFor({ timeout: 60_000 });
    assert.deepEqual(await user.cachedResources('checkout.example.com'), []);
    // As the scripts of live views are.
    assert.ok((await user.cachedResources('vscode-resource')).length > 0);
  });

  it('is told when the key is rejected, and replaces it from that row', async () => {
    server.keys.set('automation-key', 'sk-rotated-canary-key');
    await user.run('Refresh');
    const trouble = user.row(`127.0.0.1:${server.port} rejected the key`);
    await trouble.waitFor();
    await user.picture('anchor-rejected');
    await trouble.click();
    await user.type('Anchor Browser API key', 'sk-rotated-canary-key');
    await trouble.waitFor({ state: 'detached' });
    await user.row('Session again.example.com').waitFor();
  });
});
