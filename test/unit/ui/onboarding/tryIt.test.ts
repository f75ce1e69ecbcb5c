import { strict as assert } from 'node:assert';
import { existsSync, mkdirSync } from 'node:fs';
import type { AccountId } from '../../../../src/core/ids.ts';
import type { BrowserStart, NoteProfile, StartedBrowser, ThisMachine } from '../../../../src/core/thisMachine.ts';
import { startBrowser } from '../../../../src/local/startBrowser.ts';
import { thisMachine } from '../../../../src/local/thisMachine.ts';
import { hasTrialBrowsers, removeLeftTrials } from '../../../../src/ui/onboarding/trialBrowsers.ts';
import { TrialOfExtension, type TryItParts } from '../../../../src/ui/onboarding/tryIt.ts';
import { ensureChromium, startChromium } from '../../../host/chromium.ts';
import { freePort } from '../../../host/processes.ts';
import { Devtools } from '../../../servers/devtools.ts';
import { MapMemory, TestServices } from '../../services/testServices.ts';
import { until } from '../../until.ts';

const runs = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('Try It with a Browser on This Machine', function () {
  this.timeout(60_000);
  let services: TestServices;
  let memory: MapMemory;
  let trial: TrialOfExtension;
  let started: StartedBrowser[];
  let messages: string[];
  let start: (note: NoteProfile) => Promise<BrowserStart>;

  beforeEach(async () => {
    const program = await ensureChromium();
    memory = new MapMemory();
    services = new TestServices({ memory });
    [started, messages] = [[], []];
    start = (note) => startBrowser(note, [program]);
    trial = new TrialOfExtension(parts(), await freePort());
  });
  afterEach(async () => {
    trial.dispose();
    await Promise.all(started.map(({ exited }) => exited));
    services.dispose();
  });

  function parts(): TryItParts {
    const machine: ThisMachine = {
      ...thisMachine,
      startBrowser: async (note) => {
        const outcome = await start(note);
        if (outcome.kind === 'started') started.push(outcome.browser);
        return outcome;
      },
    };
    const prompts = {
      busy: (_title: string, work: () => Promise<unknown>) => work(),
      tell: async (_level: string, message: string) => void messages.push(message),
    };
    return {
      ...services,
      kinds: services.kinds,
      logger: services.log,
      memory,
      prompts,
      machine: async () => machine,
    } as unknown as TryItParts;
  }
  const sessionsOf = (id: AccountId) => [...(services.store.state(id)?.contents.sessions.values() ?? [])];

  it('starts one and lists it; ending its session ends its process, and its account and profile go with it', async () => {
    const watched = await trial.find();
    const [browser] = started;
    assert.ok(watched && browser && runs(browser.pid));
    const [session] = sessionsOf(watched.accountId);
    assert.ok(session);
    const titles = session.pages?.map(({ title }) => title);
    assert.deepEqual([session.id, titles, session.canWatch], [watched.sessionId, ['Trial page'], true]);
    assert.equal(services.accounts.get(watched.accountId)?.label, 'Trial Browser');
    assert.deepEqual(messages, []);
    assert.ok(hasTrialBrowsers(memory));

    const { results } = await services.ender.end([{ accountId: watched.accountId, session }], {
      stop: new AbortController().signal,
      onProgress: () => {},
    });
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ['ended'],
    );
    await until(() => !runs(browser.pid));
    await browser.exited;
    assert.equal(existsSync(browser.profile), false);
    await until(() => services.accounts.all.length === 0 && !hasTrialBrowsers(memory));
  });

  it('shows the one that is already running or starting when it is run again', async () => {
    const [one, two] = await Promise.all([trial.find(), trial.find()]);
    assert.deepEqual(await trial.find(), one);
    assert.deepEqual(two, one);
    assert.deepEqual([started.length, services.accounts.all.length], [1, 1]);
  });

  it('uses a browser whose DevTools answer, prefers its isolated sessions, and opens nothing in it', async () => {
    const chromium = await startChromium();
    try {
      const devtools = await Devtools.open(chromium.endpoint);
      await devtools.send('Target.createTarget', { url: 'data:text/html,<title>mine</title>' });
      const context = await devtools.openContext('data:text/html,<title>agent</title>');
      const pages = async () =>
        (await devtools.send<{ targetInfos: unknown[] }>('Target.getTargets')).targetInfos.length;
      const before = await pages();
      trial = new TrialOfExtension(parts(), chromium.port);
      const watched = await trial.find();
      assert.equal(watched?.sessionId, context);
      assert.deepEqual(await trial.find(), watched);
      assert.equal(await pages(), before);
      assert.deepEqual([started.length, services.accounts.all.length, hasTrialBrowsers(memory)], [0, 1, false]);
      trial.dispose();
      devtools.close();
      assert.equal(chromium.process.child.exitCode, null);
    } finally {
      await chromium.stop();
    }
  });

  it('starts its own when the one that answers has nothing to show, and leaves that one alone', async () => {
    const chromium = await startChromium();
    try {
      trial = new TrialOfExtension(parts(), chromium.port);
      const watched = await trial.find();
      assert.ok(watched);
      assert.equal(started.length, 1);
      assert.equal(services.accounts.get(watched.accountId)?.origin, started[0]?.address);
    } finally {
      await chromium.stop();
    }
  });

  it('says what to do when no browser is installed, and what a browser printed that didn’t start', async () => {
    start = async () => ({ kind: 'notInstalled' });
    assert.equal(await trial.find(), undefined);
    start = async () => ({ kind: 'failed', path: '/usr/bin/chromium', said: 'No [sandbox](command:x)' });
    assert.equal(await trial.find(), undefined);
    assert.deepEqual(messages, [
      "Couldn't find Chrome, Chromium, or Edge on this machine. Install one of them, then try again.",
      "Couldn't start /usr/bin/chromium. No [sandbox] (command:x)",
    ]);
    assert.equal(services.accounts.all.length, 0);
  });

  it('remembers the profile before the browser starts, so that it’s deleted even if the window closes at once', async () => {
    const program = await ensureChromium();
    let profile = '';
    start = async (note) => {
      const kept = async (its: string) => {
        profile = its;
        await note(its);
        assert.ok(hasTrialBrowsers(memory));
        memory.values.set('leftBehind', memory.get('trialBrowsers'));
      };
      return startBrowser(kept, [program]);
    };
    assert.ok(await trial.find());
    trial.dispose();
    await until(() => !existsSync(profile) && !hasTrialBrowsers(memory));
    // As if the window had crashed right after the folder was made.
    mkdirSync(profile);
    const [record] = memory.get('leftBehind') as { beganAt: number }[];
    memory.values.set('trialBrowsers', [{ ...record, beganAt: Date.now() - 60_000 }]);
    await removeLeftTrials({ accounts: services.accounts, memory }, thisMachine);
    assert.deepEqual([existsSync(profile), hasTrialBrowsers(memory)], [false, false]);
  });

  it('ends the browser it started when the window closes; the next window removes what is left', async () => {
    const watched = await trial.find();
    assert.ok(watched);
    const [browser] = started;
    assert.ok(browser);
    // A window that closes at once: the record and the account stay.
    const left = memory.get('trialBrowsers');
    trial.dispose();
    await browser.exited;
    await until(() => !hasTrialBrowsers(memory));
    memory.values.set('trialBrowsers', left);
    const other = await services.accounts.add({
      provider: 'localChrome',
      label: 'mine',
      origin: 'http://127.0.0.1:1',
      credentials: {},
    });
    await removeLeftTrials({ accounts: services.accounts, memory }, thisMachine);
    assert.deepEqual(
      services.accounts.all.map(({ id }) => id),
      [other],
    );
    assert.equal(hasTrialBrowsers(memory), false);
  });

  it('doesn’t touch the running trial browser of another window', async () => {
    const watched = await trial.find();
    await removeLeftTrials({ accounts: services.accounts, memory }, thisMachine);
    assert.ok(watched && services.accounts.get(watched.accountId));
    assert.ok(started[0] && runs(started[0].pid) && hasTrialBrowsers(memory));
  });

  it('doesn’t touch the trial browser of another machine, which can’t be seen from here', async () => {
    const watched = await trial.find();
    assert.ok(watched);
    const [browser] = started;
    const remote = [{ account: watched.accountId, profile: browser?.profile, machine: 'ssh-remote build' }];
    memory.values.set('trialBrowsers', remote);
    await removeLeftTrials({ accounts: services.accounts, memory }, { ...thisMachine, isRunning: async () => false });
    assert.ok(services.accounts.get(watched.accountId));
    assert.deepEqual(memory.get('trialBrowsers'), remote);
    assert.ok(existsSync(browser?.profile ?? ''));
  });
});
