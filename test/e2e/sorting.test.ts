import { strict as assert } from 'node:assert';
import { menuTakesClicks } from '../host/workbench.ts';
import { type BrowserbaseServer, startBrowserbase } from '../servers/browserbase.ts';
import { succeeds, until, WorkbenchUser } from './user.ts';

const minuteMs = 60_000;

describe('a user who sorts, groups and filters the list', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let server: BrowserbaseServer;
  let user: WorkbenchUser;

  before(async () => {
    server = await startBrowserbase();
    const add = (id: string, minutes: number, region: string, userMetadata: Readonly<Record<string, string>>) =>
      server.add({
        id,
        createdAt: new Date(Date.now() - minutes * minuteMs),
        region,
        userMetadata: { name: id, ...userMetadata },
      });
    add('anna-new', 5, 'us-west-2', { owner: 'anna', job: 'shop' });
    add('bert-old', 360, 'eu-central-1', { owner: 'bert', job: 'shop' });
    add('carl-mid', 60, 'us-west-2', { owner: 'carl', job: 'mail' });
    add('alone', 30, 'eu-central-1', {});
    user = await WorkbenchUser.open({ viewport: { width: 1000, height: 1_000 } });
    await user.addAt('Browserbase', server.url, server.key, 'jobs');
    await user.row('Session alone').waitFor();
  });
  after(async () => {
    await user?.picture('sorting-end');
    await user?.standUp();
    await server?.stop();
  });

  /** The first words of the rows below the account, once they are as expected. */
  async function sees(...expected: readonly string[]): Promise<void> {
    const shown = async () => (await user.rows()).slice(1).map((name) => name.replace(/^Session /, '').split(',')[0]);
    await until(async () => JSON.stringify(await shown()) === JSON.stringify(expected)).catch(async () =>
      assert.deepEqual(await shown(), expected),
    );
  }

  const header = () => user.page.locator('.pane-header').first();
  const item = (name: string) => user.page.getByRole('menuitem', { name, exact: true });

  /** Opens a submenu of the view's title menu. */
  async function openMenu(submenu: string): Promise<void> {
    await user.page.getByRole('treeitem').first().hover();
    await header()
      .getByRole('button', { name: /More Actions/ })
      .click();
    await item(submenu).hover();
    await user.page.keyboard.press('ArrowRight');
  }

  async function chooseIn(submenu: string, choice: string): Promise<void> {
    await openMenu(submenu);
    await item(choice).waitFor();
    await menuTakesClicks(user.page);
    await item(choice).click();
  }

  it('sorts by a choice in the view’s menu, which then has the check mark', async () => {
    await sees('anna-new', 'alone', 'carl-mid', 'bert-old');
    await chooseIn('Sort By', 'Oldest First');
    await sees('bert-old', 'carl-mid', 'alone', 'anna-new');
    await openMenu('Sort By');
    await item('✓ Oldest First').waitFor();
    await item('Newest First').waitFor();
    await user.picture('sorting-menu');
    await user.page.keyboard.press('Escape');
    await user.page.keyboard.press('Escape');
    await user.page.keyboard.press('Escape');
    await user.page.getByRole('menu').first().waitFor({ state: 'hidden' });
  });

  it('groups by region, and finds those without a value below the groups', async () => {
    await chooseIn('Group By', 'Region');
    await sees('eu-central-1', 'bert-old', 'alone', 'us-west-2', 'carl-mid', 'anna-new');
    await chooseIn('Group By', 'User');
    await sees('bert', 'bert-old', 'carl', 'carl-mid', 'anna', 'anna-new', 'alone');
    await user.picture('sorting-groups');
  });

  it('does both from the palette, by keyboard alone, and picks a metadata key that sessions have', async () => {
    const { keyboard } = user.page;
    await user.run('Sort By…');
    await user.page.getByRole('option', { name: /Oldest First.*current/ }).waitFor();
    await keyboard.type('Name');
    await keyboard.press('Enter');
    await user.run('Group By…');
    await user.page.getByRole('option', { name: /User.*current/ }).waitFor();
    await keyboard.type('Metadata');
    await keyboard.press('Enter');
    await user.page.getByRole('option', { name: /job.*3 sessions/ }).waitFor();
    await user.picture('sorting-keys');
    await keyboard.type('job');
    await keyboard.press('Enter');
    await sees('job: mail', 'carl-mid', 'job: shop', 'anna-new', 'bert-old', 'alone');
    await openMenu('Group By');
    await item('✓ Metadata Key…').waitFor();
    for (let depth = 0; depth < 3; depth++) await keyboard.press('Escape');
    await user.page.getByRole('menu').first().waitFor({ state: 'hidden' });
  });

  it('sees the tree follow while typing a filter, and the list as it was after Escape', async () => {
    const { page } = user;
    await user.run('Filter Sessions…');
    await page.getByPlaceholder('Leave empty to show all sessions').waitFor();
    await page.keyboard.type('mail');
    await sees('job: mail', 'carl-mid');
    await page.getByText('Showing 1 of 4').waitFor();
    await user.picture('sorting-typed');
    await page.keyboard.type('zzz');
    await sees('No sessions match "mailzzz"');
    await page.keyboard.press('Escape');
    await sees('job: mail', 'carl-mid', 'job: shop', 'anna-new', 'bert-old', 'alone');
  });

  it('narrows the list to a group and an account from their menus, and clears that', async () => {
    await user.choose(user.row('job: shop'), 'Filter to This Group');
    await sees('job: shop', 'anna-new', 'bert-old');
    await header().getByText('2 of 4 match "job: shop"').waitFor();
    await header().hover();
    await header().getByRole('button', { name: 'Clear Filter' }).click();
    await sees('job: mail', 'carl-mid', 'job: shop', 'anna-new', 'bert-old', 'alone');
    await user.choose(user.row('Account Browserbase'), 'Filter to This Account');
    await header().getByText('4 of 4 match "Browserbase · jobs"').waitFor();
    await user.run('Clear Filter');
  });

  it('finds the list as they left it after reloading the window', async () => {
    await user.stored('extension', (value) => value.includes('"sortBy"') && !value.includes('"filterScope"'));
    await user.reload();
    await sees('job: mail', 'carl-mid', 'job: shop', 'anna-new', 'bert-old', 'alone');
  });

  it('sees the effect of each setting when a settings file changes several, and no other setting requests lists', async () => {
    const others = () => user.page.getByRole('treeitem', { name: /^Session .*not yours/ }).count();
    await user.editSettings({ 'browserSessions.refresh.interval': 0, 'browserSessions.mine': 'owner=anna' });
    await until(async () => (await others()) > 0);
    const before = server.requests.length;
    await user.editSettings({ 'browserSessions.confirm.endAll': 'typeCount' });
    await user.editSettings({ 'browserSessions.confirm.endAll': 'button', 'browserSessions.mine': '' });
    await until(async () => (await others()) === 0);
    assert.equal(server.requests.length, before);
    await user.editSettings({ 'browserSessions.refresh.interval': 5 });
    await until(async () => server.requests.length > before);
  });

  it('ends a group: exactly the sessions that the dialog lists', async () => {
    assert.deepEqual(await user.offers(user.row('job: shop')), [
      'Open All Live Views in Group',
      'Filter to This Group',
      'End Group…',
    ]);
    await user.choose(user.row('job: shop'), 'End Group…');
    const dialog = await user.dialog();
    assert.match(dialog, /End 2 sessions in "job: shop"\?/);
    assert.match(dialog, /anna-new[\s\S]*bert-old/);
    assert.doesNotMatch(dialog, /carl-mid|alone/);
    await user.picture('sorting-end-group');
    // A session that joins the group while the dialog is open isn't part of it.
    server.add({ id: 'late', userMetadata: { name: 'late', job: 'shop' } });
    await user.press('End 2 Sessions');
    await until(async () => server.running.length === 3);
    assert.deepEqual(server.running.sort(), ['alone', 'carl-mid', 'late']);
  });

  it('shows 200 more of many', async () => {
    const { keyboard } = user.page;
    for (let index = 0; index < 450; index++) {
      const id = `many-${String(index).padStart(3, '0')}`;
      server.add({ id, userMetadata: { name: id, job: 'zz' } });
    }
    await user.run('Refresh');
    // A click on a group closes it.
    await user.row('job: zz, 450').click();
    await keyboard.press('ArrowRight');
    await user.row('Session many-000').waitFor();
    await keyboard.press('End');
    const more = user.row('Show 200 more, 250 not shown');
    // Rows that are still being drawn move the end of the list, and a click on one of them may be lost. Two clicks in a row
    // would show the last 50, too.
    await until(async () => {
      await keyboard.press('End');
      if ((await user.row('Show 50 more').count()) > 0) return true;
      if (!(await succeeds(more.click({ timeout: 1_000 })))) return false;
      return succeeds(more.waitFor({ state: 'hidden', timeout: 4_000 }));
    }, 40_000);
    await until(async () => {
      await keyboard.press('End');
      return (await user.row('Show 50 more').count()) > 0;
    });
    await user.picture('sorting-more');
  });
});
