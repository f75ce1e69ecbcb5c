import { strict as assert } from 'node:assert';
import { type RunningChromium, startChromium } from '../host/chromium.ts';
import { Devtools } from '../servers/devtools.ts';
import type { ProviderServer } from '../servers/providerServer.ts';
import { startRelay } from '../servers/relay.ts';
import { until, WorkbenchUser } from './user.ts';

/** Sessions to end; one more is protected. */
const count = 12;
const page = (index: number) => `data:text/html,<title>Job ${index}</title><h1>Job ${index}</h1>`;
/** How long each end takes: longer than VS Code needs to store that it was begun. */
const slowMs = 8_000;

describe('a user whose window closes while sessions are ending', function () {
  this.timeout(180_000);
  // Each test continues where the previous one ended.
  this.bail(true);
  let chromium: RunningChromium;
  let devtools: Devtools;
  /** A relay in front of the real Chromium that can slow it down. */
  let relay: ProviderServer;
  let contexts: string[];
  let user: WorkbenchUser;

  before(async () => {
    chromium = await startChromium();
    devtools = await Devtools.open(chromium.endpoint);
    relay = await startRelay(chromium.endpoint);
    contexts = [];
    for (let index = 0; index <= count; index++) contexts.push(await devtools.openContext(page(index)));
    user = await WorkbenchUser.open({ viewport: { width: 1280, height: 900 } });
    await user.addChrome(relay.url, 'jobs');
    await user.row(`Account Local Chrome · jobs, ${count + 1} running`).waitFor();
    await user.choose(user.row('Session Job 0,'), 'Protect Session');
    await until(async () => /protected/.test((await user.row('Session Job 0,').getAttribute('aria-label')) ?? ''));
  });
  after(async () => {
    await user?.picture('reload-while-ending-end');
    await user?.standUp();
    devtools?.close();
    await relay?.stop();
    await chromium?.stop();
  });

  /** The names of the sessions that the browser itself reports as running, except the protected one. */
  async function running(): Promise<string[]> {
    const left = await devtools.contexts();
    assert.ok(left.includes(contexts[0] ?? ''), 'the protected one has ended');
    return left.map((id) => `Job ${contexts.indexOf(id)}`).filter((name) => name !== 'Job 0');
  }

  it('reloads it halfway, and nothing more ends by itself', async () => {
    relay.misbehave('GET', /json\/version/, { kind: 'slow', ms: slowMs });
    await user.run('End All Sessions…');
    assert.match(await user.dialog(), new RegExp(`End all ${count} sessions\\?`));
    await user.press(`End ${count} Sessions`);
    await user.notification('Ending sessions').waitFor();
    // The first few have ended, and the next few wait for their responses.
    await until(async () => (await running()).length < count);
    await user.stored('extension', (value) => value.includes('"unfinishedEnds"'));
    await until(async () => relay.inFlight > 0);
    await user.picture('reload-while-ending-before');
    await user.reloadByCommand();
    relay.behave();
    const left = await running();
    assert.ok(left.length > 1 && left.length < count, String(left.length));
    const note = user.notification('The window closed while');
    await note.waitFor({ timeout: 60_000 });
    assert.match(
      await note.innerText(),
      new RegExp(
        `The window closed while ${count} sessions were ending\\. ${left.length} sessions are still running\\.`,
      ),
    );
    await user.picture('reload-while-ending-note');
    assert.deepEqual(await running(), left);
  });

  it('reviews exactly those that are still running, and nothing ends before they confirm', async () => {
    const left = await running();
    await user.notification('The window closed while').getByRole('button', { name: 'Review' }).click();
    const dialog = await user.dialog();
    await user.picture('reload-while-ending-dialog');
    assert.match(dialog, new RegExp(`End ${left.length} sessions\\?`));
    const listed = [...dialog.matchAll(/• (Job \d+)/g)].map(([, name = '']) => name);
    assert.deepEqual(listed.sort(), [...left].sort());
    assert.deepEqual(await running(), left);
    await user.press(`End ${left.length} Sessions`);
    await until(async () => (await running()).length === 0);
    await user.notification(`Ended ${left.length} of ${left.length} sessions.`).waitFor();
    await user.row('Account Local Chrome · jobs, 1 running').waitFor();
    assert.deepEqual(await devtools.contexts(), [contexts[0]]);
  });
});
