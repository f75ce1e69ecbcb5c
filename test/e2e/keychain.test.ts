import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { WorkbenchUser, writtenAfterMs } from './user.ts';

describe('a user whose keychain can’t decrypt their keys any longer', function () {
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

  it('keeps the account, is asked for its key on its row, and has it again after entering it', async () => {
    server.add({ id: 'sess_a', domains: ['shop.example'], createdAt: new Date(Date.now() - 3 * 3_600_000) });
    user = await WorkbenchUser.open({ settings: { 'browserSessions.cost.ratePerHour': { anchor: 1.5 } } });
    await user.addAt('Anchor Browser', server.url, server.key, 'shop');
    await user.row('Session shop.example').waitFor();
    await user.row('Session shop.example').hover();
    await user.page.getByText('≈ $4.5').first().waitFor();
    await user.picture('cost-session');
    await user.row('Account Anchor Browser · shop').hover();
    await user.page.getByText('12.5 credits used').first().waitFor();
    await user.picture('cost-account');
    await sleep(writtenAfterMs);

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
    await sleep(writtenAfterMs);
    await user.reload();
    await user.row('Session shop.example').waitFor();
  });
});
