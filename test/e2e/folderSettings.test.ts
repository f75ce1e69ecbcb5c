import { strict as assert } from 'node:assert';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../host/processes.ts';
import { readManifest } from '../manifest.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { until, WorkbenchUser } from './user.ts';

describe('a user who opens a folder that someone else wrote', function () {
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

  /** Opens a folder with these settings, and adds an account. */
  async function open(own: object, ofFolder: object): Promise<WorkbenchUser> {
    const folder = temporaryFolder('folder');
    mkdirSync(join(folder, '.vscode'));
    writeFileSync(join(folder, '.vscode', 'settings.json'), JSON.stringify(ofFolder));
    user = await WorkbenchUser.open({ settings: { ...own }, folder });
    await user.addAt('Anchor Browser', server.url, server.key, 'shop');
    return user;
  }

  /**
   * Opens a folder with these settings, and waits for two refreshes.
   * @returns the time between them, in milliseconds.
   */
  async function pauseBetween(own: object, ofFolder: object): Promise<number> {
    await open(own, ofFolder);
    const times = () => server.requests.flatMap(({ path, at }) => (path.endsWith('/all/status') ? [at] : []));
    const before = times().length;
    await until(async () => times().length >= before + 2, 100_000);
    const [first = 0, second = 0] = times().slice(before);
    return second - first;
  }

  it('isn’t made to refresh more often by the folder’s settings', async () => {
    const pause = await pauseBetween(
      { 'browserSessions.refresh.interval': 5 },
      { 'browserSessions.refresh.interval': 0.001, 'browserSessions.clickAction': 'none' },
    );
    // Pauses vary by a fifth in either direction.
    assert.ok(pause >= 4_000, `${pause} ms`);
  });

  it('refreshes every two seconds at most, whatever the user’s own settings say', async () => {
    const pause = await pauseBetween(
      { 'browserSessions.refresh.interval': 0.001 },
      { 'browserSessions.refresh.interval': 0 },
    );
    assert.ok(pause >= 1_600, `${pause} ms`);
  });

  it('is asked before a session ends, and sees the list, whatever the folder and their own damaged settings say', async () => {
    server.add({ id: 'sess_shop', domains: ['shop.example'], headless: true });
    const names = Object.keys(readManifest().manifest.contributes.configuration.properties);
    // Tests don't list browsers on this machine.
    const damaged = names.filter((name) => name !== 'browserSessions.thisMachine.enabled');
    const own = Object.fromEntries(damaged.map((name) => [name, [{ x: 'y'.repeat(10_000) }, null]]));
    const shop = await open(own, {
      'browserSessions.confirm.endSession': 'never',
      'browserSessions.confirm.endAll': 'never',
      'browserSessions.history.enabled': false,
      'browserSessions.statusBar.show': 'never',
      'browserSessions.liveView.openIn': 'external',
      'browserSessions.network.transport': 'editor',
      'browserSessions.groupByMetadataKey': '\u202e$(trash)'.repeat(1_000),
      'browserSessions.row.details': { length: 1e9 },
      'browserSessions.clickAction': ['none'],
    });
    await shop.row('Session shop.example').waitFor();
    await shop.page.locator('.statusbar-item').filter({ hasText: '1 browser' }).waitFor();
    await shop.page.getByRole('button', { name: 'Recently Ended Section' }).waitFor();
    await shop.picture('folder-settings');
    await shop.row('Session shop.example').click();
    const panel = await shop.live('shop.example');
    await panel.getByRole('button', { name: 'End Session…' }).click();
    assert.match(await shop.dialog(), /End session "shop\.example" \(\S+\)\?/);
    assert.deepEqual(server.running, ['sess_shop']);
    await shop.press('End Session');
    await until(async () => server.running.length === 0);
  });
});
