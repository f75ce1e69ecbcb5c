import { strict as assert } from 'node:assert';
import { accountId, type SessionId, sessionId } from '../../../../src/core/ids.ts';
import { type EndedSession, History } from '../../../../src/services/history/history.ts';
import { SessionStore } from '../../../../src/services/sessions/sessionStore.ts';
import { keepingAll, keepingOnly, localBrowser, someSession } from '../../sessions.ts';
import { until } from '../../until.ts';
import { MapMemory, TestServices } from '../testServices.ts';

const account = accountId('a');

/** One window's state: its own list of what is running, and the storage that all share. */
interface Window {
  readonly store: SessionStore;
  readonly history: History;
  list(...ids: readonly string[]): void;
  ids(): readonly string[];
}

describe('the history of several windows', () => {
  let now = 100_000_000;
  let memory: MapMemory;
  let windows: Window[];
  const services = new TestServices();
  after(() => services.dispose());
  beforeEach(() => {
    memory = new MapMemory();
    windows = [];
  });
  afterEach(() => {
    for (const { history } of windows) history.dispose();
  });

  function open(machine?: string): Window {
    const store = new SessionStore(() => now);
    store.setAccounts([account]);
    const history = new History(memory, store, services.accounts, () => now, undefined, machine);
    const window: Window = {
      store,
      history,
      list: (...ids) => {
        now += 1_000;
        const run = store.beginList(account);
        const sessions = ids.map((id) => someSession(id, { startedAt: 400_000 }));
        run.arrive({ sessions, groups: [], faults: [], account: undefined });
        run.complete(keepingOnly(store, account, sessions));
      },
      ids: () => history.all.map((ended) => ended.sessionId),
    };
    windows.push(window);
    return window;
  }

  /** Waits until no window has written anything for longer than they collect what they write. */
  const settle = async () => {
    for (let [quiet, before] = [0, memory.values.get('endedSessions')]; quiet < 15; quiet++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const now = memory.values.get('endedSessions');
      if (now !== before) quiet = 0;
      before = now;
    }
  };
  const kept = () => (memory.get('endedSessions') as readonly EndedSession[]).map((ended) => ended.sessionId);
  const end = ({ store }: Window, id: string) =>
    store.setLife(account, [sessionId(id)], { kind: 'ending', since: now });

  it('is stored by each without losing what the others stored, the newest first', async () => {
    const [here, there] = [open(), open()];
    here.list('one', 'three', 'four');
    there.list('two');
    here.list('three', 'four');
    await settle();
    there.list();
    await settle();
    here.list('four');
    await settle();
    assert.deepEqual(kept(), ['three', 'two', 'one']);
    assert.deepEqual(here.ids(), ['three', 'two', 'one']);
    assert.deepEqual(open().ids(), ['three', 'two', 'one']);
  });

  it('has an end that two windows saw only once, with the details of the one that knows more', async () => {
    const [here, there] = [open(), open()];
    for (const window of [here, there]) window.list('mine', 'timed', 'running');
    end(here, 'mine');
    here.list('running');
    await settle();
    const seen = now;
    there.list('running');
    there.history.learn(account, sessionId('timed'), { how: 'timedOut', endedAt: seen - 500 });
    await settle();
    for (const all of [there.history.all, open().history.all]) {
      assert.deepEqual(
        all.map(({ sessionId: id, by, endedAt }) => [id, by, endedAt]),
        [
          ['mine', 'you', seen],
          ['timed', 'timedOut', seen - 500],
        ],
      );
    }
  });

  it('keeps two ends of a reused id apart', async () => {
    const [here, there] = [open(), open()];
    here.list('again');
    end(here, 'again');
    here.list();
    await settle();
    const run = there.store.beginList(account);
    run.arrive({ sessions: [someSession('again', { startedAt: now })], groups: [], faults: [], account: undefined });
    run.complete(keepingAll);
    there.list();
    await settle();
    assert.deepEqual(
      there.history.all.map(({ by, endedAt }) => [by, endedAt]),
      [['elsewhere', now]],
    );
  });

  it('stays cleared, in this window and in those that haven’t been notified', async () => {
    const [here, there] = [open(), open()];
    here.list('one');
    there.list('two', 'three');
    here.list();
    there.list('three');
    await settle();
    now += 1_000;
    here.history.clear();
    await settle();
    assert.deepEqual([here.ids(), kept()], [[], []]);
    there.list();
    await settle();
    assert.deepEqual([there.ids(), kept()], [['three'], ['three']]);
    here.list('four');
    here.list();
    await settle();
    assert.deepEqual(here.ids(), ['four', 'three']);
  });

  it('stays cleared in a window that opens right then, and one whose clock is ahead, even if a session has just ended', async () => {
    const [here, there] = [open(), open()];
    here.list('one', 'two');
    here.list('two');
    await settle();
    assert.deepEqual(there.ids(), ['one']);
    // What ends within half a second of another end is written later.
    here.list('three');
    here.list();
    here.history.clear();
    await until(() => memory.values.has('endedSessionsCleared'));
    const opened = open();
    assert.deepEqual(opened.ids(), []);
    now += 3_000;
    there.list('four');
    there.list();
    await settle();
    for (const window of [here, there, opened])
      assert.ok(!window.ids().some((id) => id !== 'four'), window.ids().join());
    assert.deepEqual(kept(), ['four']);
  });

  for (const back of [2_000, 3_600_000]) {
    it(`stays cleared in another window, though the clock was set back by ${back} ms since`, async () => {
      const [here, there] = [open(), open()];
      here.list('one');
      here.list();
      await settle();
      there.list('two', 'three');
      there.list('three');
      await settle();
      assert.deepEqual(there.ids(), ['two', 'one']);
      here.history.clear();
      await settle();
      now -= back;
      there.list();
      await settle();
      assert.deepEqual([there.ids(), kept()], [['three'], ['three']]);
    });
  }

  it('isn’t emptied by a clock that was set back after it was cleared', async () => {
    const [here, there] = [open(), open()];
    here.history.clear();
    await settle();
    now -= 3_600_000;
    there.list('two');
    there.list();
    await settle();
    here.list('one');
    here.list();
    await settle();
    assert.deepEqual(kept(), ['one', 'two']);
  });

  it('forgets what is listed again, and keeps what only an old list still has', async () => {
    const [here, there] = [open(), open()];
    for (const window of [here, there]) window.list('one', 'two', 'three');
    here.list('two', 'three');
    await settle();
    here.list('one', 'two', 'three');
    await settle();
    assert.deepEqual(kept(), []);
    end(here, 'one');
    here.list('two', 'three');
    await settle();
    // The other hasn't listed since.
    there.store.removeGone(account, [sessionId('two')]);
    await settle();
    assert.deepEqual(there.ids(), ['two']);
    assert.deepEqual([...kept()].sort(), ['one', 'two']);
    there.list('three');
    await settle();
    assert.equal(there.history.find(account, 'one' as SessionId)?.by, 'you');
  });

  it('has profiles only in windows on the machine they are on, and keeps them there', async () => {
    const [local, remote] = [open(), open('ssh-remote build')];
    const endWithProfile = ({ store }: Window, id: string) => {
      const profile = { folder: '/tmp/playwright_chromiumdev_profile-x', afterEnd: 'left' } as const;
      const local = localBrowser({ profile });
      for (const sessions of [[someSession(id, { startedAt: 400_000, local })], []]) {
        now += 1_000;
        const run = store.beginList(account);
        run.arrive({ sessions, groups: [], faults: [], account: undefined });
        run.complete(keepingOnly(store, account, sessions));
      }
    };
    endWithProfile(local, 'here');
    await settle();
    endWithProfile(remote, 'there');
    await settle();
    const profilesIn = ({ history }: Window) =>
      Object.fromEntries(history.all.map((ended) => [ended.sessionId, ended.profile !== undefined]));
    const [localAgain, remoteAgain, another] = [open(), open('ssh-remote build'), open('wsl Ubuntu')];
    assert.deepEqual(profilesIn(localAgain), { here: true, there: false });
    assert.deepEqual(profilesIn(remoteAgain), { here: false, there: true });
    assert.deepEqual(profilesIn(another), { here: false, there: false });
    assert.equal(localAgain.history.find(account, sessionId('there'))?.profile, undefined);
    localAgain.history.forgetProfile('/tmp/playwright_chromiumdev_profile-x');
    await settle();
    assert.deepEqual(profilesIn(localAgain), { here: false, there: false });
    assert.deepEqual(profilesIn(open('ssh-remote build')), { here: false, there: true });
  });

  it('keeps the newest hundred of all windows together', async () => {
    const [here, there] = [open(), open()];
    const many = (prefix: string) => Array.from({ length: 70 }, (_, index) => `${prefix}${index}`);
    here.list(...many('a'));
    there.list(...many('b'));
    here.list();
    await settle();
    there.list();
    await settle();
    assert.equal(kept().length, 100);
    assert.equal(kept().filter((id) => id.startsWith('b')).length, 70);
  });
});
