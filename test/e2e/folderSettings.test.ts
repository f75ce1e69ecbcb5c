import { strict as assert } from 'node:assert';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../host/processes.ts';
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

  /**
   * Opens a folder with these settings, and waits for two refreshes.
   * @returns the time between them, in milliseconds.
   */
  async function pauseBetween(own: object, ofFolder: object): Promise<number> {
    const folder = temporaryFolder('folder');
    mkdirSync(join(folder, '.vscode'));
    writeFileSync(join(folder, '.vscode', 'settings.json'), JSON.stringify(ofFolder));
    user = await WorkbenchUser.open({ settings: { ...own }, folder });
    await user.addAt('Anchor Browser', server.url, server.key, 'shop');
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
});
