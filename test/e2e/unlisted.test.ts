import { strict as assert } from 'node:assert';
import { waitIn } from '../host/workbench.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { heldRequest } from '../servers/providerServer.ts';
import { until, WorkbenchUser } from './user.ts';

describe('a user who ends and deletes what the list doesn’t show', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let server: AnchorServer;
  let user: WorkbenchUser;

  before(async () => {
    server = await startAnchor();
    server.add({ id: 'sess_listed', domains: ['listed.example'] });
    for (const id of ['sess_hidden', 'sess_other']) {
      server.add({ id });
      server.unlisted.add(id);
    }
    const batch = server.addBatch(3, { failedRequests: 2 });
    for (const member of batch.members) member.status = 'completed';
    user = await WorkbenchUser.open();
    await user.addAt('Anchor Browser', server.url, server.key, 'prod');
    await user.row('Session listed.example').waitFor();
  });
  after(async () => {
    await user?.picture('unlisted-end');
    await user?.standUp();
    await server?.stop();
  });

  const account = 'Account Anchor Browser · prod';

  it('pastes a link to a session into the palette’s prompt by keyboard, reads the dialog, and ends it', async () => {
    await user.run('End Session by ID…');
    await user.type('Paste a session ID from Anchor Browser · prod', 'not an id');
    await user.type(
      "Couldn't find a session ID in this text.",
      ' "https://app.anchorbrowser.io/sessions/sess_hidden", ',
    );
    const dialog = await user.dialog();
    assert.match(dialog, /End session "sess_hidden"\?/);
    assert.match(dialog, /Anchor Browser · prod: not in the list\.\s+Anchor Browser says it's running\./);
    await user.picture('unlisted-dialog');
    await user.press('End Session');
    await until(async () => !server.running.includes('sess_hidden'));
    assert.deepEqual(server.running.sort(), ['sess_listed', 'sess_other']);
  });

  it('confirms nothing with a second key press for a dialog that was in front of the question', async () => {
    const { page } = user;
    await user.runTitled('File: New Untitled Text File');
    await page.locator('.editor-instance .monaco-editor.focused').waitFor();
    await page.keyboard.type('unsaved');
    const check = heldRequest();
    server.misbehave('GET', /sess_other/, { kind: 'interrupted', by: check.here }, 1);
    await user.run('End Session by ID…');
    await user.type('Paste a session ID', 'sess_other');
    await check.arrived;
    await user.runTitled('View: Close Editor');
    assert.match(await user.dialog(), /Do you want to save/);
    const shown = await user.pressAtOnce('End session', 1);
    check.release();
    // The question can't be seen while it waits.
    await page.waitForTimeout(2_000);
    await user.press("Don't Save");
    await until(async () => (await shown()) === 2);
    assert.match(await user.dialog(), /End session "sess_other"\?/);
    await user.press('Cancel');
    assert.deepEqual(server.running.sort(), ['sess_listed', 'sess_other']);
  });

  it('confirms nothing with a second click for a question that waited behind another one', async () => {
    const second = server.add({ id: 'sess_second' });
    server.unlisted.add('sess_second');
    const checks = new Map(['sess_other', 'sess_second'].map((id) => [id, heldRequest()]));
    for (const [id, check] of checks) {
      server.misbehave('GET', new RegExp(id), { kind: 'interrupted', by: check.here }, 1);
      await user.run('End Session by ID…');
      await user.type('Paste a session ID', id);
      await check.arrived;
    }
    const before = [...server.running];
    for (const { release } of checks.values()) release();
    const [first] = /sess_(other|second)/.exec(await user.dialog()) ?? [];
    const other = first === 'sess_other' ? 'sess_second' : 'sess_other';
    const shown = await user.pressAtOnce(`"${other}"`, 1);
    // Longer than an answer to a question that has just opened is ignored: the other question waits as long.
    await waitIn(user.page, 1_000);
    await user.press('Cancel');
    await until(async () => (await shown()) === 2);
    assert.match(await user.dialog(), new RegExp(`End session "${other}"\\?`));
    await user.press('Cancel');
    assert.deepEqual(server.running, before);
    second.status = 'completed';
  });

  it('does the same from the account’s menu by mouse, and is told when the ID is wrong', async () => {
    await user.choose(user.row(account), 'End Session by ID…');
    await user.type('Paste a session ID', 'sess_typo');
    await user.notification("Anchor Browser couldn't find a running session with this ID").waitFor();
    await user.choose(user.row(account), 'End Session by ID…');
    await user.type('Paste a session ID', 'sess_other');
    await user.dialog();
    await user.press('End Session');
    await until(async () => server.running.length === 1);
    assert.deepEqual(server.running, ['sess_listed']);
  });

  it('shows finished batches from the view’s menu, and deletes one with its data', async () => {
    const open = async () => {
      const header = user.page.locator('.pane-header').first();
      await header.hover();
      await header.getByRole('button', { name: /More Actions/ }).click();
    };
    await open();
    await user.page.getByRole('menuitem', { name: 'Show Finished Batches' }).click();
    const row = user.row('Finished batch Batch');
    await row.waitFor();
    assert.match((await row.getAttribute('aria-label')) ?? '', /2 of 5 failed · completed/);
    await user.picture('unlisted-finished');
    await open();
    await user.page.getByRole('menuitem', { name: '✓ Show Finished Batches' }).waitFor();
    await user.picture('unlisted-menu');
    await user.page.keyboard.press('Escape');
    await user.choose(row, 'Delete Batch…');
    const dialog = await user.dialog();
    assert.match(dialog, /and all its data\?/);
    assert.match(dialog, /2 of 5 failed/);
    assert.match(dialog, /None of its sessions are running anymore\./);
    await user.picture('unlisted-delete');
    await user.press('Delete Batch');
    await row.waitFor({ state: 'detached' });
    assert.equal(server.batches.size, 0);
    await user.notification('3 sessions deleted.').waitFor();
    await user.row('No finished batches').waitFor();
  });
});
