import { strict as assert } from 'node:assert';
import { accountId, sessionId } from '../../../../src/core/ids.ts';
import { EndJournal } from '../../../../src/services/ending/journal.ts';
import { hasUnfinishedEnds } from '../../../../src/services/ending/unfinished.ts';
import { someSession } from '../../sessions.ts';
import { RecordingLog } from '../../testNetwork.ts';
import { MapMemory } from '../testServices.ts';
import { VirtualClock } from '../virtualClock.ts';

const account = accountId('a');
const targets = ['one', 'two', 'three'].map((id) => ({
  accountId: account,
  session: someSession(id, { startedAt: 7 }),
}));

describe('the journal of ends', () => {
  let clock: VirtualClock;
  let memory: MapMemory;
  let journal: EndJournal;
  let log: RecordingLog;

  beforeEach(() => {
    log = new RecordingLog();
    clock = new VirtualClock();
    memory = new MapMemory(0);
    journal = new EndJournal(memory, clock, log);
  });
  const pass = (ms: number) => clock.until(clock.wait(ms), ms + 1_000);
  const claimed = (one: EndJournal) => clock.until(one.claimAbandoned(), 4_000);

  it('exists before anything is sent, and is gone when everything is done', async () => {
    const entry = await journal.begin(targets);
    assert.ok(hasUnfinishedEnds(memory));
    await entry.finish();
    assert.ok(!hasUnfinishedEnds(memory));
    memory.update = () => assert.fail('it was written after everything was done');
    await pass(60_000);
    assert.equal(memory.values.get('unfinishedEnds'), undefined);
  });

  it('says which key each session was found with, and when it started if that is known', async () => {
    const keyAt = async (id: string) => (id === 'a' ? 5 : undefined);
    const place = { machine: undefined, isHereOnly: () => false, keyAt };
    const [started] = targets;
    assert.ok(started);
    const mixed = [started, { accountId: accountId('b'), session: someSession('other', { startedAt: undefined }) }];
    await new EndJournal(memory, clock, log, place).begin(mixed);
    assert.deepEqual(Object.values(memory.values.get('unfinishedEnds') ?? {}), [
      {
        at: clock.now(),
        total: 2,
        left: [
          { accountId: 'a', sessionId: 'one', startedAt: 7, keyAt: 5 },
          { accountId: 'b', sessionId: 'other' },
        ],
      },
    ]);
  });

  it('keeps what other windows are ending, and what they have finished stays away', async () => {
    const other = new EndJournal(memory, clock, log);
    const [here, there] = [await journal.begin(targets), await other.begin(targets)];
    await pass(3_500);
    assert.equal(Object.keys(memory.values.get('unfinishedEnds') ?? {}).length, 2);
    await there.finish();
    await pass(3_500);
    assert.equal(Object.keys(memory.values.get('unfinishedEnds') ?? {}).length, 1);
    await here.finish();
    assert.ok(!hasUnfinishedEnds(memory));
  });

  it('is gone for good, even if another window that hadn’t heard of it writes it again', async () => {
    const entry = await journal.begin(targets);
    const before = memory.values.get('unfinishedEnds');
    await entry.finish();
    memory.values.set('unfinishedEnds', { ...(before as object), other: { at: clock.now(), total: 1, left: [] } });
    await pass(1_500);
    assert.deepEqual(Object.keys(memory.values.get('unfinishedEnds') ?? {}), ['other']);
  });

  it('tells the next start what was left unfinished, and stores only ids', async () => {
    const entry = await journal.begin(targets);
    entry.settle(account, sessionId('two'));
    await pass(1_500);
    // The window closes: nothing is written any longer.
    const kept = new MapMemory(0);
    kept.values.set('unfinishedEnds', structuredClone(memory.values.get('unfinishedEnds')));
    const later = new EndJournal(kept, clock, log);
    assert.deepEqual(await claimed(later), []);
    assert.ok(later.settlesAfter <= 20_000);
    await pass(later.settlesAfter);
    const [end, ...others] = await claimed(later);
    assert.ok(end);
    assert.deepEqual(others, []);
    assert.deepEqual(
      { total: end.total, left: end.left },
      {
        total: 3,
        left: [
          { accountId: 'a', sessionId: 'one', startedAt: 7, browserId: undefined, keyAt: undefined },
          { accountId: 'a', sessionId: 'three', startedAt: 7, browserId: undefined, keyAt: undefined },
        ],
      },
    );
    // Another window leaves it to the first, unless that one's run ended with it.
    assert.deepEqual(await claimed(new EndJournal(kept, clock, log)), []);
    await pass(later.settlesAfter);
    assert.deepEqual(await claimed(new EndJournal(kept, clock, log)), [end]);
    await later.forget(end.id);
    assert.ok(!hasUnfinishedEnds(kept));
    assert.doesNotMatch(JSON.stringify(memory.values.get('unfinishedEnds')), /name|url|title/);
  });

  it('is reviewed within twenty seconds even when the clock was set back, by an hour or a year', async () => {
    for (const back of [3_600_000, 365 * 86_400_000]) {
      const kept = new MapMemory(0);
      const left = [{ accountId: 'a', sessionId: 'one' }];
      const at = clock.now() + back;
      kept.values.set('unfinishedEnds', { run: { at, total: 1, left }, old: { at: clock.now(), total: 1, left } });
      const later = new EndJournal(kept, clock, log);
      assert.equal(later.settlesAfter, 20_000);
      // It may belong to a window that is still open, with an earlier time: only an entry that stays unchanged is
      // abandoned.
      assert.deepEqual(await claimed(later), []);
      await pass(later.settlesAfter);
      assert.deepEqual((await claimed(later)).map(({ id }) => id).sort(), ['old', 'run']);
    }
  });

  it('removes an entry that nobody can read, and loses no other one for it', async () => {
    const left = [{ accountId: 'a', sessionId: 'one' }];
    for (const unreadable of [{ at: 'yesterday' }, null, 7]) {
      const kept = new MapMemory(0);
      kept.values.set('unfinishedEnds', { unreadable, run: { at: clock.now() - 60_000, total: 1, left } });
      const later = new EndJournal(kept, clock, log);
      assert.deepEqual(
        (await claimed(later)).map(({ id }) => id),
        ['run'],
      );
      await later.forget('run');
      assert.ok(!hasUnfinishedEnds(kept));
      for (const all of [{ unreadable }, unreadable, []]) {
        kept.values.set('unfinishedEnds', all);
        assert.deepEqual(await claimed(later), []);
        assert.ok(!hasUnfinishedEnds(kept), JSON.stringify(all));
      }
      // Another window may still be ending sessions.
      const running = { at: clock.now(), total: 1, left };
      kept.values.set('unfinishedEnds', { unreadable, running });
      assert.deepEqual(await claimed(later), []);
      assert.deepEqual(kept.values.get('unfinishedEnds'), { running });
      kept.update = () => assert.fail('there was nothing to remove');
      assert.deepEqual(await claimed(later), []);
    }
  });

  it('is left to windows on the machine on which alone its sessions can be found', async () => {
    const isHereOnly = (id: string) => id === 'a';
    const on = (storage: MapMemory, machine: string | undefined) =>
      new EndJournal(storage, clock, log, { machine, isHereOnly, keyAt: async () => undefined });
    /** What a window on a machine leaves behind when it closes while these sessions are ending. */
    const leftBy = async (machine: string | undefined, ended: typeof targets) => {
      const itsMemory = new MapMemory(0);
      await on(itsMemory, machine).begin(ended);
      const kept = new MapMemory(0);
      kept.values.set('unfinishedEnds', structuredClone(itsMemory.values.get('unfinishedEnds')));
      clock.jump(60_000);
      return kept;
    };
    const [here, remote] = [undefined, 'ssh-remote build'];
    for (const [its, other] of [
      [here, remote],
      [remote, here],
    ]) {
      const kept = await leftBy(its, targets);
      assert.deepEqual(await claimed(on(kept, other)), []);
      assert.ok(hasUnfinishedEnds(kept));
      assert.equal((await claimed(on(kept, its))).length, 1);
      // The machine may never be used again.
      clock.jump(31 * 86_400_000);
      assert.deepEqual(await claimed(on(kept, other)), []);
      assert.ok(!hasUnfinishedEnds(kept));
    }
    // One such session is enough.
    const mixed = [{ ...targets[0], accountId: accountId('b') }, ...targets] as typeof targets;
    assert.deepEqual(await claimed(on(await leftBy(remote, mixed), here)), []);
    // Any machine can look for sessions in a cloud.
    const inCloud = targets.map((target) => ({ ...target, accountId: accountId('b') }));
    assert.equal((await claimed(on(await leftBy(remote, inCloud), here))).length, 1);
  });

  it('leaves alone what another window is still ending', async () => {
    const entry = await journal.begin(targets);
    await pass(120_000);
    const other = new EndJournal(memory, clock, log);
    assert.deepEqual(await claimed(other), []);
    clock.jump(-3_600_000);
    assert.deepEqual(await claimed(other), []);
    await pass(120_000);
    assert.deepEqual(await claimed(other), []);
    await entry.finish();
  });

  it('leaves alone what another window is still ending, even if it has been asleep or the clock was set forward', async () => {
    for (const setTo of [30_000, 86_400_000]) {
      const entry = await journal.begin(targets);
      clock.jump(setTo);
      assert.deepEqual(await claimed(new EndJournal(memory, clock, log)), []);
      await entry.finish();
    }
  });

  it('is written a few times, however many ends begin and finish at once', async () => {
    let written = 0;
    const counting = {
      get: memory.get,
      update: (key: string, value: unknown) => {
        written++;
        return memory.update(key, value);
      },
    };
    const busy = new EndJournal(counting, clock, log);
    const entries = await Promise.all(
      targets.flatMap((target) => Array.from({ length: 100 }, () => busy.begin([target]))),
    );
    assert.equal(Object.keys(memory.values.get('unfinishedEnds') ?? {}).length, 300);
    assert.ok(written <= 3, `${written} times when they began`);
    await pass(1_500);
    assert.ok(written <= 5, `${written} times while they ran`);
    await Promise.all(entries.map((entry) => entry.finish()));
    assert.ok(!hasUnfinishedEnds(memory));
    assert.ok(written <= 8, `${written} times in all`);
  });

  it('lets ends continue when nothing can be written, and logs that', async () => {
    const broken = { get: () => undefined, update: () => Promise.reject(new Error('disk full')) };
    const entry = await new EndJournal(broken, clock, log).begin(targets);
    await pass(5_000);
    await entry.finish();
    assert.match(log.lines.join('\n'), /journal of ends cannot be written: Error: disk full/);
  });
});
