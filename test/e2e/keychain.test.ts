import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { succeeds, until, WorkbenchUser } from './user.ts';

describe('a user whose keychain fails', function () {
  this.timeout(180_000);
  let server: AnchorServer;
  let user: WorkbenchUser | undefined;

  beforeEach(async () => {
    server = await startAnchor();
  });
  afterEach(async () => {
    await user?.standUp();
    user = undefined;
    await server.stop();
  });

  /** A row that is redrawn while the mouse is over it loses its tooltip. */
  async function seesTooltip(row: string, text: string): Promise<void> {
    await until(async () => {
      await user?.page.mouse.move(900, 400);
      await user?.row(row).hover();
      const shown = user?.page.getByText(text).first().waitFor({ timeout: 4_000 });
      return succeeds(Promise.resolve(shown));
    });
  }

  it('keeps an account whose key can’t be decrypted, and uses it again after entering the key from its row', async () => {
    server.add({ id: 'sess_a', domains: ['shop.example'], createdAt: new Date(Date.now() - 3 * 3_600_000) });
    user = await WorkbenchUser.open({ settings: { 'browserSessions.cost.ratePerHour': { anchor: 1.5 } } });
    await user.addAt('Anchor Browser', server.url, server.key, 'shop');
    await user.row('Session shop.example').waitFor();
    await seesTooltip('Session shop.example', '≈ $4.5');
    await user.picture('cost-session');
    await seesTooltip('Account Anchor Browser · shop', '12.5 credits used');
    await user.picture('cost-account');
    await user.stored('extension', (value) => value.includes('"label":"shop"'));

    // The half of the encryption key that this VS Code gets from its server: the keyring of a desktop.
    const other = randomBytes(32);
    await user.page.route('**/mint-key', (route) => route.fulfill({ body: other }));
    await user.reload();
    const missing = user.row('Key not found on this machine');
    await missing.waitFor({ timeout: 30_000 });
    await user.row('Account Anchor Browser · shop').waitFor();
    await user.picture('keychain-missing');
    await missing.click();
    await user.type('Anchor Browser API key', server.key);
    await user.row('Session shop.example').waitFor();
    assert.equal(await missing.count(), 0);
    await user.reload();
    await user.row('Session shop.example').waitFor();
  });

  it('is told why the key can’t be saved without a keyring, and uses it for this window only', async () => {
    server.add({ id: 'sess_a', domains: ['shop.example'] });
    user = await WorkbenchUser.open();
    const { page } = user;
    // In a browser, VS Code's keychain reads this first.
    await page.addInitScript(() => {
      const { getItem } = Storage.prototype;
      Storage.prototype.getItem = function (key) {
        if (key === 'secrets.provider' && getItem.call(this, 'has keyring') === null)
          throw new Error('The name org.freedesktop.secrets was not provided by any .service files');
        return getItem.call(this, key);
      };
    });
    await page.reload();
    await user.openView();
    await page.locator('.welcome-view').first().waitFor({ timeout: 60_000 });
    await user.run('Add Account…');
    await user.pick('Anchor Browser');
    await page.getByRole('button', { name: 'Use a Different Address…' }).click();
    await user.type('Address of the Anchor Browser API', server.url);
    await user.type('Anchor Browser API key', server.key);
    await user.type('Enter a name to show in the Sessions view', 'shop');
    const dialog = await user.dialog();
    assert.match(dialog, /Couldn't save the key in the system keychain/);
    assert.match(dialog, /org\.freedesktop\.secrets was not provided/);
    assert.match(dialog, /install and unlock a keyring/);
    await user.picture('keychain-none');
    await user.press('Try Again');
    await user.press('Use for This Window Only');
    await user.row('Session shop.example').waitFor();
    await seesTooltip('Account Anchor Browser · shop', 'for this window only');
    await user.picture('keychain-this-window');
    await user.stored('extension', (value) => value.includes('"label":"shop"'));
    await page.evaluate(() => localStorage.setItem('has keyring', 'yes'));
    await user.reload();
    await user.row('Key not found on this machine').waitFor();
    await user.row('Account Anchor Browser · shop').waitFor();
    await user.picture('keychain-next-window');
  });
});
