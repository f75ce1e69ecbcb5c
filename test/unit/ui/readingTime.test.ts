import { strict as assert } from 'node:assert';
import { ReadingTime } from '../../../src/ui/readingTime.ts';
import { VirtualClock } from '../services/virtualClock.ts';

describe('the time that a dialog has been readable', () => {
  let clock: VirtualClock;
  /** When the window is held up, in milliseconds since the start, and for how long. */
  let heldUp: readonly (readonly [at: number, ms: number])[];
  let usualMs: number;
  let began: number;
  let reading: ReadingTime;

  beforeEach(() => {
    clock = new VirtualClock();
    [heldUp, usualMs, began] = [[], 5, clock.monotonic()];
  });
  afterEach(() => reading.dispose());

  function open(): void {
    reading = new ReadingTime(clock, async () => {
      const arrivesAt = clock.monotonic() - began + usualMs;
      const until = heldUp.reduce((at, [from, ms]) => (at >= from && at < from + ms ? from + ms : at), arrivesAt);
      await clock.wait(until - arrivesAt + usualMs);
    });
  }
  const isEnoughAt = async (ms: number) => {
    const left = began + ms - clock.monotonic();
    await clock.until(clock.wait(left), left + 1_000);
    return reading.isEnough;
  };

  it('is enough after half a second', async () => {
    open();
    assert.deepEqual(
      [await isEnoughAt(0), await isEnoughAt(400), await isEnoughAt(480), await isEnoughAt(620)],
      [false, false, false, true],
    );
  });

  it('doesn’t include what the window or the connection was held up for, whenever that was', async () => {
    for (const ms of [900, 20_000])
      for (const at of [0, 1, 20, 150, 300, 450]) {
        clock = new VirtualClock();
        began = clock.monotonic();
        heldUp = [[at, ms]];
        open();
        assert.equal(await isEnoughAt(at + ms - 1), false, `${at}`);
        assert.equal(await isEnoughAt(at + ms + 5), false, `${at}`);
        assert.equal(await isEnoughAt(ms + 750), true, `${at}`);
        reading.dispose();
      }
  });

  it('is enough after half a second on a slow connection, too', async () => {
    usualMs = 200;
    open();
    assert.deepEqual([await isEnoughAt(500), await isEnoughAt(1_500)], [false, true]);
  });

  it('is enough at some time, even if the window is held up again and again', async () => {
    heldUp = Array.from({ length: 20 }, (_, index) => [index * 1_000 + 50, 900] as const);
    open();
    assert.equal(await isEnoughAt(2_500), false);
    assert.equal(await isEnoughAt(5_000), true);
  });

  it('begins again when the user has just done something else', async () => {
    open();
    assert.equal(await isEnoughAt(700), true);
    reading.restart();
    assert.deepEqual([reading.isEnough, await isEnoughAt(1_000), await isEnoughAt(1_350)], [false, false, true]);
    assert.equal(await isEnoughAt(1_400), true);
    reading.restart();
    assert.equal(await isEnoughAt(1_600), false);
    reading.restart();
    assert.deepEqual([await isEnoughAt(2_000), await isEnoughAt(2_300)], [false, true]);
  });

  it('doesn’t include the time before that on a slow connection either', async () => {
    usualMs = 150;
    open();
    assert.equal(await isEnoughAt(750), false);
    reading.restart();
    assert.deepEqual([await isEnoughAt(1_250), await isEnoughAt(2_200)], [false, true]);
  });

  it('is no longer measured once it’s disposed', async () => {
    open();
    reading.dispose();
    assert.equal(await isEnoughAt(10_000), false);
  });
});
