import { strict as assert } from 'node:assert';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { until, WorkbenchUser } from './user.ts';

const minute = 60_000;
/** The sessions' names, how long they ran, and how the view and the export describe their ends. */
const ends = [
  { name: 'mine.example', id: 'sess_mine', minutes: 12, ran: '12 minutes', how: 'by you', by: 'you' },
  {
    name: 'other.example',
    id: 'sess_other',
    minutes: 90,
    ran: '1 hour 30 minutes',
    how: 'by itself or by someone else',
    by: 'elsewhere',
  },
  { name: 'broken [x] (command:y)', id: 'sess_broken', minutes: 3, ran: '3 minutes', how: 'failed', by: 'failed' },
] as const;

/** One session in the export. */
interface Exported {
  readonly accountId: string;
  readonly account: string;
  readonly sessionId: string;
  readonly name: string;
  readonly startedAt: number;
  readonly startIsExact: boolean;
  readonly endedAt: number;
  readonly by: string;
}

describe('a user who keeps a history of ended sessions', function () {
  this.timeout(180_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let server: AnchorServer;
  let user: WorkbenchUser;
  let exported: string;

  before(async () => {
    server = await startAnchor();
    for (const { name, id, minutes } of ends) {
      const createdAt = new Date(Date.now() - minutes * minute - 10_000);
      server.add({ id, domains: [name.replace('] (', '](')], createdAt, tags: ['token=tag-canary'] });
    }
    user = await WorkbenchUser.open({ viewport: { width: 1280, height: 900 } });
    await user.run('Add Account…');
    await user.pick('Anchor Browser');
    await user.page.getByRole('button', { name: 'Use a Different Address…' }).click();
    await user.type('Enter the address of the Anchor Browser API', server.url);
    await user.type('Anchor Browser API key', server.key);
    await user.type('Enter a name to show in the Sessions view', 'prod');
    for (const { name } of ends) await user.row(`Session ${name}`).waitFor();
  });
  after(async () => {
    await user?.picture('recently-ended-end');
    await user?.standUp();
    await server?.stop();
  });

  /** The rows of the view, without the time, which is compared separately. */
  const rows = async () => (await user.rows()).filter((row) => / (ended|failed) .*\bafter /.test(row));
  async function exportByButton(): Promise<string> {
    const header = user.page.locator('.pane-header').filter({ hasText: 'Recently Ended' });
    await header.hover();
    await header.getByRole('button', { name: 'Export as JSON' }).click();
    await user.page.locator('.monaco-editor .view-lines').first().click();
    await user.page.keyboard.press('Control+A');
    await user.page.keyboard.press('Control+C');
    // Closed, so that the next export that is read is a new one.
    await user.page.keyboard.press('Control+W');
    await user.press("Don't Save");
    await user.page.locator('.monaco-editor .view-lines').waitFor({ state: 'detached' });
    return user.page.evaluate(() => navigator.clipboard.readText());
  }

  it('exports exactly what the view shows', async () => {
    await user.choose(user.row('Session mine.example'), 'End Session…');
    await user.dialog();
    await user.press('End Session');
    await user.row('Session mine.example').waitFor({ state: 'detached' });
    Object.assign(server.sessions.get('sess_other') ?? {}, { status: 'completed' });
    Object.assign(server.sessions.get('sess_broken') ?? {}, { status: 'failed' });
    await user.page.getByRole('button', { name: /Recently Ended Section/ }).click();
    await until(async () => {
      await user.run('Refresh');
      const all = await rows();
      return ends.every(({ name, how }) => all.some((row) => row.startsWith(`Session ${name} `) && row.includes(how)));
    });
    await user.picture('recently-ended');
    exported = await exportByButton();
    const all: readonly Exported[] = JSON.parse(exported);
    assert.deepEqual(all.map(({ sessionId }) => sessionId).sort(), ends.map(({ id }) => id).sort());
    const shown = await rows();
    const time = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
    // In the same order, the newest first, and with the same facts.
    assert.deepEqual(
      all.map(({ sessionId, endedAt }) => {
        const { name, how, ran } = ends.find(({ id }) => id === sessionId) ?? assert.fail(sessionId);
        const at = `at ${time.format(endedAt)} after ${ran}`;
        if (how === 'failed') return `Session ${name} failed ${at}`;
        return how === 'by you' ? `Session ${name} ended by you ${at}` : `Session ${name} ended ${at}, ${how}`;
      }),
      shown,
    );
    for (const { sessionId, name, by, account, startedAt, startIsExact, endedAt } of all) {
      const truth = server.sessions.get(sessionId);
      const end = ends.find(({ id }) => id === sessionId);
      assert.deepEqual(
        [name, by, account, startedAt, startIsExact],
        [end?.name, end?.by, 'prod', truth?.createdAt.getTime(), true],
      );
      assert.ok(endedAt <= Date.now() && endedAt > Date.now() - 2 * minute);
    }
    assert.ok(!exported.includes('canary') && !exported.includes(server.url), exported);
  });

  it('finds the whole history again after the window reloads', async () => {
    const before = await rows();
    await user.stored('extension', (value) => ends.every(({ id }) => value.includes(id)));
    await user.reloadByCommand();
    await user.row('Session mine.example ended by you at').waitFor({ timeout: 60_000 });
    assert.deepEqual(await rows(), before);
    await user.page.evaluate(() => navigator.clipboard.writeText(''));
    assert.equal(await exportByButton(), exported);
  });
});
