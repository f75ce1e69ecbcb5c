import { strict as assert } from 'node:assert';
import { sessionId } from '../../../../src/core/ids.ts';
import { type EndingTerms, type Liveness, usualEnding } from '../../../../src/core/provider.ts';
import { failure, never, type ScriptedProvider, type ScriptedServices, scriptedServices } from '../scriptedProvider.ts';

describe('a session missing from a list, in the refresher', () => {
  let at: ScriptedServices;
  let provider: ScriptedProvider;

  /** Sessions s0, s1 and so on, which lists leave out from now on, whatever becomes of them. */
  const leaveOut = async (count: number, lists: EndingTerms['lists'] = 'lagging') => {
    at = await scriptedServices((provider) => {
      for (let index = 0; index < count; index++) provider.start(`s${index}`);
      provider.ending = { ...usualEnding, lists };
    });
    ({ provider } = at);
    provider.onList = () => ({ sessions: [] });
  };
  afterEach(() => at.services.dispose());

  const pass = (ms: number) => at.clock.until(at.clock.wait(ms), 2 * ms);
  /** Lists, and waits for the probes that follow. */
  const list = async () => {
    await at.over(at.services.refresher.refresh(at.id));
    await pass(100);
  };
  const left = () => [...(at.services.store.state(at.id)?.contents.sessions.keys() ?? [])];
  /** The sessions that were probed since the last call. */
  let read = 0;
  const asked = () => {
    const all = provider.asked('probe');
    const since = all.slice(read);
    read = all.length;
    return since;
  };
  beforeEach(() => {
    read = 0;
  });

  it('is probed, and removed when the provider says that it is gone, however lists confirm', async () => {
    for (const lists of ['lagging', 'unreliable'] as const) {
      await leaveOut(2, lists);
      provider.running.delete('s0');
      await list();
      assert.deepEqual(left(), ['s1']);
      assert.ok(at.services.store.hasEnded(at.id, sessionId('s0')));
      at.services.dispose();
    }
  });

  it('is removed without a probe when one list is enough', async () => {
    await leaveOut(2, 'complete');
    await list();
    assert.deepEqual([left(), asked()], [[], []]);
  });

  it('is removed with the third list, a minute after the first, when the provider can’t tell', async () => {
    await leaveOut(1);
    provider.onProbe = () => 'unknown';
    await list();
    await pass(61_000);
    await list();
    assert.deepEqual(left(), ['s0'], 'two lists were taken for three');
    await pass(1_000);
    await list();
    assert.deepEqual(left(), []);
  });

  it('stays where only a probe confirms, and the provider can’t tell', async () => {
    await leaveOut(1, 'unreliable');
    provider.onProbe = () => 'unknown';
    for (let times = 0; times < 5; times++) {
      await list();
      await pass(5_000);
    }
    assert.deepEqual(left(), ['s0']);
  });

  it('stays while the provider says that it is running, and while later probes fail', async () => {
    await leaveOut(1);
    await list();
    provider.onProbe = () => {
      throw failure({ kind: 'conflict' });
    };
    for (let times = 0; times < 5; times++) {
      await pass(60_000);
      await list();
    }
    assert.deepEqual(left(), ['s0']);
    assert.ok(asked().length > 3);
  });

  it('is probed again after 5 seconds, then 10, 20, 40, and then once a minute', async () => {
    await leaveOut(1);
    const times: number[] = [];
    for (let seconds = 0; seconds < 260; seconds++) {
      await at.over(at.services.refresher.refresh(at.id));
      await pass(990);
      if (asked().length > 0) times.push(seconds);
    }
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    for (const [index, planned] of [5, 10, 20, 40, 60, 60].entries()) {
      const wait = waits[index] ?? 0;
      assert.ok(wait >= planned && wait <= planned + 2, `${waits.join()} seconds`);
    }
  });

  it('is probed sixteen at a time, those probed least first', async () => {
    await leaveOut(20);
    provider.onProbe = () => 'running';
    await list();
    assert.deepEqual(
      asked(),
      Array.from({ length: 16 }, (_, index) => `s${index}`),
    );
    await pass(6_000);
    await list();
    const second = asked();
    assert.deepEqual(second.slice(0, 4), ['s16', 's17', 's18', 's19']);
    assert.equal(second.length, 16);
    assert.equal(new Set(second).size, 16);
  });

  it('isn’t probed until a minute after the provider couldn’t be reached, or when it says', async () => {
    await leaveOut(1, 'unreliable');
    const retryAt = at.clock.now() + 20_000;
    provider.onProbe = () => {
      throw failure({ kind: 'rateLimited', retryAt });
    };
    await list();
    assert.equal(asked().length, 1);
    provider.onProbe = () => 'running';
    while (at.clock.now() < retryAt - 1_000) {
      await pass(400);
      await list();
    }
    assert.deepEqual(asked(), []);
    await pass(1_500);
    await list();
    assert.equal(asked().length, 1);
    provider.onProbe = () => {
      throw failure({ kind: 'unreachable', why: 'refused' });
    };
    await pass(60_000);
    await list();
    assert.equal(asked().length, 1);
    const failed = at.clock.now();
    while (at.clock.now() < failed + 58_000) {
      await pass(900);
      await list();
    }
    assert.deepEqual(asked(), []);
    await pass(3_000);
    await list();
    assert.equal(asked().length, 1);
  });

  it('is probed as if for the first time after a list has shown it', async () => {
    await leaveOut(1);
    for (let times = 0; times < 4; times++) {
      await list();
      await pass(60_000);
    }
    asked();
    provider.onList = () => ({});
    await list();
    provider.onList = () => ({ sessions: [] });
    await list();
    assert.deepEqual(asked(), ['s0']);
    await pass(5_000);
    await list();
    assert.deepEqual(asked(), ['s0']);
  });

  it('stays when a list shows it again during the probe', async () => {
    await leaveOut(1);
    provider.onProbe = async (): Promise<Liveness> => {
      provider.onList = () => ({});
      await at.services.refresher.refresh(at.id);
      return 'gone';
    };
    await list();
    assert.deepEqual(left(), ['s0']);
  });

  it('is removed at once if it isn’t found twice with a list in between, however seldom lists are requested', async () => {
    await leaveOut(2);
    provider.running.delete('s0');
    provider.onProbe = ({ id }) => (provider.running.has(id) ? 'running' : 'notFound');
    const lists = provider.asked('list').length;
    await list();
    await pass(100);
    assert.deepEqual(left(), ['s1']);
    assert.equal(provider.asked('list').length - lists, 2);
    assert.deepEqual(asked().sort(), ['s0', 's0', 's1']);
  });

  it('stays if it isn’t found once, and is probed no more often than others', async () => {
    await leaveOut(1);
    let answers = 0;
    provider.onProbe = () => {
      if (answers++ === 0) return 'notFound';
      throw failure({ kind: 'serverFault', status: 500 });
    };
    const lists = provider.asked('list').length;
    await list();
    await pass(100);
    assert.deepEqual(left(), ['s0']);
    assert.deepEqual([provider.asked('list').length - lists, asked().length], [2, 2]);
    await list();
    assert.deepEqual([left(), asked()], [['s0'], []]);
    await pass(10_000);
    await list();
    assert.deepEqual([left(), asked()], [['s0'], ['s0']]);
  });

  it('isn’t probed twice at the same time', async () => {
    await leaveOut(1);
    provider.onProbe = async (): Promise<Liveness> => {
      await at.clock.wait(8_000);
      return 'running';
    };
    for (let times = 0; times < 7; times++) {
      await list();
      await pass(900);
    }
    assert.equal(asked().length, 1);
    await pass(10_000);
    await list();
    assert.equal(asked().length, 1);
  });

  it('doesn’t delay callers that wait for a list', async () => {
    await leaveOut(1);
    provider.onProbe = never;
    const began = at.clock.now();
    await at.over(at.services.refresher.refresh(at.id));
    assert.equal(at.clock.now() - began, 10);
  });

  it('is left to the ender while it is ending', async () => {
    await leaveOut(2);
    provider.running.delete('s0');
    provider.running.delete('s1');
    at.services.store.setLife(at.id, [sessionId('s0')], { kind: 'ending', since: at.clock.now() });
    await list();
    assert.deepEqual([asked(), left()], [['s1'], ['s0']]);
    await pass(5_000);
    await list();
    assert.deepEqual([asked(), left()], [[], ['s0']]);
    at.services.store.setLife(at.id, [sessionId('s0')], { kind: 'running' });
    await list();
    assert.deepEqual([asked(), left()], [['s0'], []]);
  });

  it('is no longer probed when the key is replaced, and an answer for the old key is ignored', async () => {
    await leaveOut(20);
    provider.onProbe = async (): Promise<Liveness> => {
      await at.clock.wait(5_000);
      return 'gone';
    };
    await at.over(at.services.refresher.refresh(at.id));
    await pass(100);
    assert.equal(asked().length, 8);
    await at.over(at.services.accounts.replaceCredentials(at.id, { other: 'key' }));
    provider.onProbe = () => 'running';
    provider.onList = () => ({});
    await list();
    assert.equal(left().length, 20);
    provider.onList = () => ({ sessions: [] });
    await list();
    assert.equal(asked().length, 16);
    await pass(10_000);
    assert.equal(left().length, 20);
    assert.deepEqual(asked(), []);
  });
});
