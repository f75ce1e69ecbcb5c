import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../host/processes.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { until, WorkbenchUser } from './user.ts';

/** The key for Back in VS Code's input boxes. */
const back = { win32: 'Alt+ArrowLeft', darwin: 'Control+Minus' }[process.platform as string] ?? 'Control+Alt+Minus';

describe('a user who connects and manages accounts with the keyboard alone', function () {
  this.timeout(120_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  const userDataDir = temporaryFolder('e2e');
  let server: AnchorServer;
  let user: WorkbenchUser;

  before(async () => {
    server = await startAnchor();
    for (const name of ['one', 'two']) server.add({ id: `sess_${name}`, domains: [`${name}.example`] });
    user = await WorkbenchUser.open({ userDataDir, theme: 'Default Light Modern' });
  });
  after(async () => {
    await user?.picture('connecting-end');
    await user?.standUp();
    await server?.stop();
  });

  const input = () => user.page.locator('.quick-input-widget');
  async function keys(...names: readonly string[]): Promise<void> {
    for (const name of names) await user.page.keyboard.press(name);
  }

  /** Runs a command from the palette. */
  async function run(title: string): Promise<void> {
    await keys('F1');
    await input().getByRole('option').first().waitFor();
    await user.page.keyboard.insertText(`Browser Sessions: ${title}`);
    await input()
      .getByRole('option', { name: new RegExp(`^Browser Sessions: ${title}`) })
      .first()
      .waitFor();
    await keys('Enter');
  }

  /** Replaces what is in the input box. */
  async function type(text: string): Promise<void> {
    await keys('Control+A');
    await user.page.keyboard.insertText(text);
  }

  /** Waits for the title of the quick input. */
  async function title(text: string): Promise<void> {
    await input().locator('.quick-input-title').filter({ hasText: text }).waitFor();
  }

  async function sees(text: string): Promise<void> {
    await input().getByText(text).first().waitFor();
  }

  const button = (name: string) => input().getByRole('button', { name });

  /** Adds an account at the server's address, up to the step that asks for the key. */
  async function addAtServer(): Promise<void> {
    await run('Add Account');
    await title('(1/3)');
    await keys('Enter');
    await title('(2/3)');
    await user.pressByKeys(button('Use a Different Address'));
    await title('(2/4)');
    await type(server.url);
    await keys('Enter');
    await title('(3/4)');
  }

  it('sees from the first step on how many there are, for the provider that is highlighted', async () => {
    await run('Add Account');
    await title('Add Account (1/3)');
    await user.picture('connecting-providers');
    await keys('ArrowDown', 'ArrowDown');
    await title('Add Account (1/4)');
    await type('Anchor');
    await title('Add Account (1/3)');
    await keys('Enter');
    await title('Add Account: Anchor Browser (2/3)');
    await sees('sent only to api.anchorbrowser.io.');
    await user.picture('connecting-key');
    const link = input().getByRole('link', { name: 'Get a Key at app.anchorbrowser.io' });
    await user.pressByKeys(
      link.or(input().locator('a', { hasText: 'Get a Key at app.anchorbrowser.io' })).first(),
      'Tab',
    );
    // VS Code asks before it opens another website.
    assert.match(await user.dialog(), /https:\/\/app\.anchorbrowser\.io\/api-keys/);
    await keys('Escape');
    await title('Add Account: Anchor Browser (2/3)');
  });

  it('goes back to the providers and on again, and enters an address without a scheme', async () => {
    await keys(back);
    await title('Add Account (1/3)');
    await keys('Enter');
    await user.pressByKeys(button('Use a Different Address'));
    await title('(2/4)');
    await type(`localhost:${server.port}`);
    await sees(`The address is http://localhost:${server.port}`);
    await user.picture('connecting-address');
    await keys('Enter');
    await sees(`sent only to localhost:${server.port}.`);
  });

  it('can’t save a key that is rejected', async () => {
    await type('sk-wrong-canary');
    await keys('Enter');
    await sees('rejected the key');
    assert.equal(await button('Save Anyway').count(), 0);
    await user.picture('connecting-rejected');
  });

  it('goes back, or cancels, while the key is being checked, and nothing is saved', async () => {
    server.misbehave('GET', /./, { kind: 'silent' });
    const before = server.requests.length;
    await type(server.key);
    await keys('Enter');
    await until(async () => server.requests.length > before);
    await keys(back);
    await title('(2/4)');
    await keys('Enter');
    await title('(3/4)');
    const again = server.requests.length;
    await keys('Enter');
    await until(async () => server.requests.length > again);
    await keys('Escape');
    await input().waitFor({ state: 'hidden' });
    server.behave();
    assert.equal(await user.row('Account').count(), 0);
  });

  it('pastes the key with what it was copied with, and has the account', async () => {
    await addAtServer();
    await type(`export ANCHOR_API_KEY="${server.key}"`);
    await keys('Enter');
    await title('(4/4)');
    await type('prod');
    await keys('Enter');
    await user.row('Session one.example').waitFor();
    await user.row('Account Anchor Browser · prod').waitFor();
  });

  it('is told when they add the same key again', async () => {
    await addAtServer();
    await type(` "Bearer ${server.key}" `);
    await keys('Enter');
    await sees('You already added this account as "prod".');
    await user.picture('connecting-same-key');
    await keys('Escape');
  });

  it('saves an account whose server doesn’t answer', async () => {
    await run('Add Account');
    await title('(1/3)');
    await type('Local Chrome');
    await keys('Enter');
    await title('(2/3)');
    await type(':1');
    await sees('The address is http://127.0.0.1:1');
    await keys('Enter');
    await sees("Couldn't connect to 127.0.0.1:1");
    await user.picture('connecting-save-anyway');
    await user.pressByKeys(button('Save Anyway'));
    await title('(3/3)');
    await type('later');
    await keys('Enter');
    await user.row('Account Local Chrome · later').waitFor();
  });

  it('renames, tests and looks at accounts in one list that stays open', async () => {
    await run('Manage Accounts');
    await title('Manage Accounts');
    await sees('Anchor Browser · prod');
    await user.picture('connecting-manage');
    await keys('ArrowDown');
    await input().locator('.focused').getByText('Local Chrome · later').waitFor();
    await keys('Enter');
    await title('Local Chrome · later');
    await user.picture('connecting-actions');
    await keys('Enter');
    await title('Rename Local Chrome · later');
    await type('$(trash) \u202elaptop');
    await sees('It will be shown as "$ (trash) laptop".');
    await user.picture('connecting-rename');
    await keys('Enter');
    await title('Manage Accounts');
    await sees('Local Chrome · $ (trash) laptop');
    await type('prod');
    await keys('Enter');
    await title('Anchor Browser · prod');
    await type('Test');
    await keys('Enter');
    await title('Manage Accounts');
    await sees('responded in');
    await user.picture('connecting-tested');
  });

  it('tests an account with the button beside it, without closing the list', async () => {
    server.misbehave('GET', /./, { kind: 'answer', answer: { status: 401, json: {} } });
    const row = input().getByRole('option', { name: /Anchor Browser · prod/ });
    await row.hover();
    await row.getByRole('button', { name: 'Test Connection' }).click();
    await sees('rejected the key');
    server.behave();
    await title('Manage Accounts');
  });

  it('is shown which sessions would end with an account, and ends none of them on Cancel', async () => {
    await keys('Enter');
    await title('Anchor Browser · prod');
    await type('Remove');
    await keys('Enter');
    const dialog = await user.dialog();
    assert.match(dialog, /Remove account "Anchor Browser · prod"\?/);
    assert.match(dialog, /2 sessions will keep running and may keep costing money\./);
    await user.picture('connecting-remove');
    await user.pressByKeys(user.dialogButton('End Sessions and Remove'));
    await user.dialogButton('End 2 Sessions').waitFor();
    assert.match(await user.dialog(), /End all 2 sessions in Anchor Browser · prod and remove the account\?/);
    assert.match(await user.dialog(), /• (one|two)\.example[\s\S]*• (one|two)\.example/);
    await user.picture('connecting-end-and-remove');
    await user.pressByKeys(user.dialogButton('Cancel'));
    assert.equal(server.running.length, 2);
    await title('Manage Accounts');
    await user.row('Account Anchor Browser · prod').waitFor();
  });

  it('ends the sessions and removes the account', async () => {
    await keys('Enter');
    await title('Anchor Browser · prod');
    await type('Remove');
    await keys('Enter');
    await user.pressByKeys(user.dialogButton('End Sessions and Remove'));
    await user.pressByKeys(user.dialogButton('End 2 Sessions'));
    await user.row('Account Anchor Browser · prod').waitFor({ state: 'detached' });
    assert.deepEqual(server.running, []);
    await title('Manage Accounts');
    await keys('Escape');
  });

  it('finds the key in no file of VS Code', async () => {
    const files = readdirSync(userDataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(files.length > 3);
    const having = files
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((file) => readFileSync(file).includes(server.key));
    assert.deepEqual(having, []);
  });
});
