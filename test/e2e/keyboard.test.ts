import { strict as assert } from 'node:assert';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { Devtools } from '../servers/devtools.ts';
import { ProviderServer } from '../servers/providerServer.ts';
import { until, WorkbenchUser } from './user.ts';

const names = ['Alpha', 'Bravo', 'Charlie', 'Delta', 'Echo', 'Foxtrot', 'Golf', 'Hotel'] as const;
type Name = (typeof names)[number];

describe('a user with a keyboard', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let chromium: RunningChromium;
  let devtools: Devtools;
  let pages: ProviderServer;
  let user: WorkbenchUser;
  const contexts = new Map<Name, string>();

  before(async () => {
    const routes = Object.fromEntries(
      names.map((name) => [`GET /${name}`, () => ({ status: 200, html: `<!DOCTYPE html><title>${name}</title>` })]),
    );
    pages = new ProviderServer({ routes, notFound: () => ({ status: 404, text: 'no such page' }) });
    [chromium] = await Promise.all([startChromium(), pages.start()]);
    devtools = await Devtools.open(chromium.endpoint);
    for (const name of names.slice(0, 7)) await open(name);
    // Nothing is listed again unless the user or an end asks for it.
    user = await WorkbenchUser.open({ settings: { 'browserSessions.refresh.interval': 0 } });
    await user.addChrome(chromium.endpoint, 'Local Chrome');
    await user.row('Session Golf').waitFor();
  });
  after(async () => {
    await user.picture('keyboard-end');
    await user.standUp();
    devtools.close();
    await chromium.stop();
    await pages.stop();
  });

  async function open(name: Name): Promise<void> {
    contexts.set(name, await devtools.openContext(`${pages.url}/${name}`));
  }

  /** The ID of a session. */
  function id(name: Name): string {
    return contexts.get(name) ?? assert.fail(name);
  }

  /** The names of the sessions that are running, according to the browser. */
  async function running(): Promise<Name[]> {
    const there = await devtools.contexts();
    return names.filter((name) => there.includes(contexts.get(name) ?? ''));
  }

  const press = (key: string) => user.page.keyboard.press(key);
  const focused = () => user.focusedRow();
  const openEditors = () => user.page.locator('.tabs-container .tab').count();
  const clipboard = () => user.page.evaluate(() => navigator.clipboard.readText());

  const walkTo = (name: string) => user.walkTo(name);

  /** Waits for the dialog of an end, which names exactly these sessions. */
  async function asksFor(...expected: Name[]): Promise<string> {
    const dialog = await user.dialog();
    const said = names.filter((name) => dialog.includes(name));
    assert.deepEqual(said, expected, dialog);
    return dialog;
  }

  async function cancel(): Promise<void> {
    await press('Escape');
    await user.page.locator('[role=dialog][aria-modal=true]').waitFor({ state: 'detached' });
    await until(async () => (await focused()) !== '');
  }

  it('is asked about the row with the focus, although another one is selected', async () => {
    await user.row('Session Alpha').click();
    await user.live('Alpha');
    await walkTo('Session Bravo');
    await press('Delete');
    await asksFor('Bravo');
    await user.picture('keyboard-delete');
    await cancel();
    await walkTo('Session Bravo');
    await press('Delete');
    await asksFor('Bravo');
    await user.pressEnter();
    await until(async () => !(await running()).includes('Bravo'));
    await user.row('Session Bravo').waitFor({ state: 'detached' });
    assert.deepEqual(await running(), ['Alpha', 'Charlie', 'Delta', 'Echo', 'Foxtrot', 'Golf']);
    assert.equal(await openEditors(), 1);
  });

  it('is asked about the selected row after the one with the focus has ended, because no other one is highlighted', async () => {
    await until(async () => (await focused()) === '');
    assert.match(
      (await user.page.locator('[role=treeitem].selected').getAttribute('aria-label')) ?? '',
      /^Session Alpha/,
    );
    await press('Delete');
    await asksFor('Alpha');
    await press('Escape');
    await user.page.locator('[role=dialog][aria-modal=true]').waitFor({ state: 'detached' });
    assert.deepEqual(await running(), ['Alpha', 'Charlie', 'Delta', 'Echo', 'Foxtrot', 'Golf']);
  });

  it('needs no selection', async () => {
    await user.run('Focus on Sessions View');
    await press('Escape');
    await user.page.locator('[role=treeitem].selected').waitFor({ state: 'detached' });
    await walkTo('Session Charlie');
    await press('Delete');
    await asksFor('Charlie');
    await user.pressEnter();
    await until(async () => !(await running()).includes('Charlie'));
    await user.row('Session Charlie').waitFor({ state: 'detached' });
    assert.deepEqual(await running(), ['Alpha', 'Delta', 'Echo', 'Foxtrot', 'Golf']);
  });

  it('is asked which session to end while no row has the focus', async () => {
    await press('Escape');
    await until(async () => (await focused()) === '');
    await press('Delete');
    await user.page.getByText('Select the sessions to end').waitFor();
    await press('Escape');
    assert.deepEqual(await running(), ['Alpha', 'Delta', 'Echo', 'Foxtrot', 'Golf']);
  });

  /** The sessions in the order of their rows. */
  async function inOrder(): Promise<Name[]> {
    const rows = await user.rows();
    return rows.flatMap((row) => names.find((name) => row.startsWith(`Session ${name}`)) ?? []);
  }

  /** Selects the focused row without opening it, and extends the selection downwards. */
  async function selectDown(count: number): Promise<void> {
    await press('Control+Shift+Enter');
    for (let more = 1; more < count; more++) await press('Shift+ArrowDown');
    await until(
      async () => (await user.page.locator('.monaco-list:focus-within .monaco-list-row.selected').count()) === count,
    );
  }

  it('is asked about all selected rows if the one with the focus is among them', async () => {
    await user.run('Focus on Sessions View');
    const [first = fail(), second = fail()] = await inOrder();
    await walkTo(`Session ${first}`);
    await selectDown(2);
    await press('Delete');
    await asksFor(...names.filter((name) => [first, second].includes(name)));
    await user.picture('keyboard-delete-selected');
    await cancel();
    assert.equal((await running()).length, 5);
  });

  it('is asked only about the row with the focus if that is outside of the selection', async () => {
    const [, , third = fail()] = await inOrder();
    await walkTo(`Session ${third}`);
    await press('Delete');
    await asksFor(third);
    await cancel();
    assert.equal((await running()).length, 5);
  });

  it('copies the IDs of the selected rows, or of the one with the focus', async () => {
    const [first = fail(), second = fail(), third = fail()] = await inOrder();
    await walkTo(`Session ${third}`);
    await press('Control+C');
    await until(async () => (await clipboard()) === id(third));
    await walkTo(`Session ${second}`);
    await press('Control+C');
    await until(async () => (await clipboard()) === `${id(first)}\n${id(second)}`);
  });

  it('protects the selected sessions, which keeps them from being ended together, and opens their live views', async () => {
    const [first = fail(), second = fail()] = await inOrder();
    const before = await running();
    await user.choose(user.row(`Session ${second}`), 'Protect Selected Sessions');
    await until(async () => (await user.rows()).filter((row) => row.includes(', protected')).length === 2);
    await walkTo(`Session ${second}`);
    await press('Delete');
    await user.notification("There are no sessions to end. It's protected.").waitFor();
    await user.choose(user.row(`Session ${second}`), 'Unprotect Selected Sessions');
    await until(async () => !(await user.rows()).some((row) => row.includes(', protected')));
    await user.choose(user.row(`Session ${first}`), 'Open Selected Live Views');
    await user.live(first);
    await user.live(second);
    await user.choose(user.row(`Session ${first}`), 'Copy Session IDs');
    await until(async () => (await clipboard()) === `${id(first)}\n${id(second)}`);
    assert.deepEqual(await running(), before);
  });

  it('can still use the menus of other rows while several are selected', async () => {
    const [first = fail(), second = fail(), third = fail()] = await inOrder();
    const inside = [
      'Open Selected Live Views',
      'Copy Session IDs',
      'Protect Selected Sessions',
      'Unprotect Selected Sessions',
      'End Selected Sessions…',
    ];
    await until(async () => (await user.offers(user.row(`Session ${first}`))).join() === inside.join());
    const outside = await user.offers(user.row(`Session ${third}`));
    assert.ok(outside.includes('End Session…') && outside.includes('Show Details'), outside.join());
    await user.choose(user.row(`Session ${third}`), 'End Session…');
    await asksFor(third);
    await cancel();
    await user.choose(user.row(`Session ${second}`), 'End Selected Sessions…');
    await asksFor(...names.filter((name) => [first, second].includes(name)));
    await user.pressEnter();
    await until(async () => (await running()).length === 3);
    assert.deepEqual(
      await running(),
      ['Alpha', 'Delta', 'Echo', 'Foxtrot', 'Golf'].filter((name) => name !== first && name !== second),
    );
    await user.row(`Session ${first}`).waitFor({ state: 'detached' });
    await user.row(`Session ${second}`).waitFor({ state: 'detached' });
  });

  it('has all menus again after the selected sessions have ended', async () => {
    const account = [
      'Filter to This Account',
      'Refresh Account',
      'Rename Account…',
      'Test Connection',
      'Remove Account…',
    ];
    assert.deepEqual((await user.offers(user.row('Account Local Chrome'))).slice(0, 5), account);
    const [first = fail()] = await inOrder();
    assert.ok((await user.offers(user.row(`Session ${first}`))).includes('Show Details'));
  });

  it('opens the live view of the row with the focus', async () => {
    await user.run('Focus on Sessions View');
    const [first = fail(), second = fail()] = await inOrder();
    await user.row(`Session ${first}`).click();
    await user.live(first);
    const shown = (name: Name) => user.page.locator('.editor-group-container.active .tab.active', { hasText: name });
    await shown(first).waitFor();
    await walkTo(`Session ${second}`);
    await press('Enter');
    await user.live(second);
    await shown(second).waitFor();
  });

  it('lists the account of the row with the focus again', async () => {
    await open('Hotel');
    const [first = fail()] = await inOrder();
    await user.run('Focus on Sessions View');
    await walkTo(`Session ${first}`);
    await press('Control+R');
    await user.row('Session Hotel').waitFor();
    assert.ok(await user.row('Session Hotel').isVisible());
  });

  it('ends nothing with Delete on the row of a page', async () => {
    const before = await running();
    await walkTo('Session Hotel');
    await press('ArrowRight');
    await user.row('Page Hotel').waitFor();
    await walkTo('Page Hotel');
    await press('Delete');
    await user.notification('Select a session, group, or account first.').waitFor();
    await press('Control+C');
    await until(async () => (await clipboard()) === `${pages.url}/Hotel`);
    assert.deepEqual(await running(), before);
  });

  it('is asked about the whole account with Delete on its row, which stays open', async () => {
    await walkTo('Account Local Chrome');
    await press('Delete');
    assert.match(await user.dialog(), /End all 4 sessions in Local Chrome\?/);
    await cancel();
    await user.row('Session Hotel').waitFor();
    assert.equal((await running()).length, 4);
  });

  it('is not asked about the row that last had the focus, which a filter has hidden and shown again', async () => {
    const [first = fail(), second = fail()] = await inOrder();
    const before = await running();
    await walkTo(`Session ${second}`);
    await user.run('Filter Sessions…');
    await user.type('Filter by session name', first);
    await user.row(`Session ${second}`).waitFor({ state: 'detached' });
    await user.run('Clear Filter');
    await user.row(`Session ${second}`).waitFor();
    await user.run('Focus on Sessions View');
    await user.page.locator('.monaco-list:focus').waitFor();
    assert.equal(await focused(), '');
    await press('Delete');
    await user.page.getByText('Select the sessions to end').waitFor();
    await press('Escape');
    assert.deepEqual(await running(), before);
  });

  it('copies the ID of a session that has ended', async () => {
    // The first time opens the view, and its rows arrive later.
    await user.run('Focus on Recently Ended View');
    await user.row('Session Bravo ended').waitFor();
    await user.run('Focus on Recently Ended View');
    await walkTo('Session Bravo');
    await press('Control+C');
    await until(async () => (await clipboard()) === id('Bravo'));
  });
});

function fail(): never {
  throw new Error('a row is missing');
}
