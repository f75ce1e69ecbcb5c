import { strict as assert } from 'node:assert';
import { accountId } from '../../../../src/core/ids.ts';
import { OrderedMemory } from '../../../../src/services/orderedMemory.ts';
import type { OverLimit } from '../../../../src/services/sessions/overview.ts';
import { Warnings } from '../../../../src/services/sessions/warnings.ts';
import { someSession } from '../../sessions.ts';
import { MapMemory } from '../testServices.ts';
import { VirtualClock } from '../virtualClock.ts';

const account = accountId('uuid-1');
const minutes = (count: number) => count * 60_000;
const over = (id: string, more: Partial<OverLimit> = {}): OverLimit => ({
  accountId: account,
  session: someSession(id),
  limit: 'age',
  since: { at: 0, exact: true },
  isCurrent: true,
  ...more,
});

/** A window: what it shows, and whether the user sees it. */
interface Window {
  readonly warnings: Warnings;
  readonly shown: string[];
  over: readonly OverLimit[];
  isWanted: boolean;
  snooze: () => void;
}

describe('warnings about sessions over a limit', () => {
  let clock: VirtualClock;
  let memory: MapMemory;
  const windows: Window[] = [];

  beforeEach(() => {
    clock = new VirtualClock();
    clock.block(minutes(60));
    memory = new MapMemory(0);
  });
  afterEach(() => {
    for (const { warnings } of windows.splice(0)) warnings.dispose();
  });

  function open(...first: readonly OverLimit[]): Window {
    const shown: string[] = [];
    const window: Window = {
      shown,
      over: first,
      isWanted: true,
      snooze: () => assert.fail('nothing was shown'),
      warnings: new Warnings({
        memory: new OrderedMemory(memory),
        clock,
        isWanted: () => window.isWanted,
        over: () => window.over,
        show: (its, snooze) => {
          shown.push(its.map(({ session }) => session.id).join());
          window.snooze = snooze;
        },
      }),
    };
    windows.push(window);
    return window;
  }

  /** Lets time pass, with every window looking each minute. */
  async function pass(count: number): Promise<void> {
    for (let minute = 0; minute <= count; minute++) {
      const looks = Promise.all(windows.map(({ warnings }) => warnings.showIfDue()));
      await clock.until(looks, minutes(1));
      await clock.until(clock.wait(minutes(1) - 5_000), minutes(1));
    }
  }

  it('name all sessions at once, and each only once', async () => {
    const window = open(over('a'), over('b'));
    await pass(3);
    assert.deepEqual(window.shown, ['a,b']);
    await pass(600);
    assert.deepEqual(window.shown, ['a,b']);
  });

  it('are shown every half hour at most', async () => {
    const window = open(over('a'));
    await pass(1);
    window.over = [over('a'), over('b')];
    await pass(20);
    assert.deepEqual(window.shown, ['a']);
    window.over = [over('a'), over('b'), over('c')];
    await pass(20);
    assert.deepEqual(window.shown, ['a', 'b,c']);
  });

  it('are shown in one of several windows only', async () => {
    for (let count = 0; count < 3; count++) open(over('a'));
    await pass(5);
    assert.deepEqual(
      windows.flatMap(({ shown }) => shown),
      ['a'],
    );
    // One that is opened later knows what was shown.
    const later = open(over('a'));
    await pass(120);
    assert.deepEqual(later.shown, []);
  });

  it('are shown once even if another window overwrites what is stored with what it knew before', async () => {
    const window = open(over('a'));
    await pass(1);
    memory.values.delete('warnings');
    await pass(120);
    assert.deepEqual(window.shown, ['a']);
  });

  it('name the same sessions again when an hour of snoozing is over', async () => {
    const window = open(over('a'));
    await pass(1);
    window.snooze();
    window.over = [over('a'), over('b')];
    await pass(50);
    assert.deepEqual(window.shown, ['a']);
    await pass(20);
    assert.deepEqual(window.shown, ['a', 'a,b']);
  });

  it('wait until the user sees the window', async () => {
    const window = open(over('a'));
    window.isWanted = false;
    await pass(60);
    assert.deepEqual(window.shown, []);
    window.isWanted = true;
    await pass(1);
    assert.deepEqual(window.shown, ['a']);
  });

  it('leave out a session that ended while the window waited to see whether another one warns', async () => {
    const window = open(over('a'));
    const considered = window.warnings.showIfDue();
    window.over = [];
    await clock.until(considered, minutes(1));
    assert.deepEqual(window.shown, []);
    window.over = [over('b')];
    await pass(1);
    assert.deepEqual(window.shown, ['b']);
  });

  it('leave out sessions of an old list', async () => {
    const window = open(over('a', { isCurrent: false }));
    await pass(60);
    assert.deepEqual(window.shown, []);
  });

  it('warn about a session once more when it has become too old after being idle', async () => {
    const window = open(over('a', { limit: 'idle' }));
    await pass(1);
    window.over = [over('a')];
    await pass(40);
    assert.deepEqual(window.shown, ['a', 'a']);
  });

  it('aren’t broken by invalid stored data or by times in the future', async () => {
    for (const stored of [
      'x',
      7,
      null,
      [],
      { shownAt: 'x', named: 7 },
      { shownAt: clock.now() + minutes(999), snoozedUntil: Number.MAX_VALUE },
    ]) {
      memory.values.set('warnings', stored);
      const window = open(over('a'));
      await pass(61);
      assert.deepEqual(window.shown, ['a'], JSON.stringify(stored));
      window.warnings.dispose();
      windows.length = 0;
    }
  });
});
