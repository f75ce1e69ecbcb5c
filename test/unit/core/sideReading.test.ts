import { strict as assert } from 'node:assert';
import { SideReading } from '../../../src/core/sideReading.ts';
import { VirtualClock } from '../services/virtualClock.ts';

const unaborted = new AbortController().signal;

describe('what is read beside a list', () => {
  let clock: VirtualClock;
  let reads: number;
  let answer: () => Promise<number>;
  let reading: SideReading<number>;

  beforeEach(() => {
    clock = new VirtualClock();
    reads = 0;
    answer = async () => 25;
    reading = new SideReading(clock, 600_000, () => {
      reads++;
      return answer();
    });
  });

  it('is read once in its lifetime, even by lists at once', async () => {
    assert.deepEqual(await Promise.all([reading.last(unaborted), reading.last(unaborted)]), [25, 25]);
    assert.equal(await reading.last(unaborted), 25);
    assert.equal(reads, 1);
    clock.block(600_001);
    answer = async () => 50;
    assert.equal(await reading.last(unaborted), 50);
    assert.equal(reads, 2);
  });

  it('keeps a list waiting for a second at most, and is known to the next list', async () => {
    const late = Promise.withResolvers<number>();
    answer = () => late.promise;
    const began = clock.now();
    assert.equal(await clock.until(reading.last(unaborted), 5_000), undefined);
    assert.equal(clock.now() - began, 1_000);
    late.resolve(25);
    assert.equal(await reading.last(unaborted), 25);
    assert.equal(reads, 1);
  });

  it('stays as it was when reading it again fails, and isn’t tried again at once', async () => {
    await reading.last(unaborted);
    clock.block(600_001);
    answer = () => Promise.reject(new Error('no'));
    for (let count = 0; count < 3; count++) assert.equal(await reading.last(unaborted), 25);
    assert.equal(reads, 2);
  });

  it('is tried again by the next list when the list it belonged to was stopped', async () => {
    const stop = new AbortController();
    answer = () => Promise.reject(new Error('stopped'));
    const stopped = reading.last(stop.signal);
    stop.abort();
    assert.equal(await stopped, undefined);
    answer = async () => 25;
    assert.equal(await reading.last(unaborted), 25);
  });

  it('is read at once where a check asks for it, and a failure then isn’t hidden by an old value', async () => {
    assert.equal(await reading.fresh(unaborted), 25);
    answer = async () => 50;
    assert.equal(await reading.fresh(unaborted), 50);
    answer = () => Promise.reject(new Error('no'));
    assert.equal(await reading.fresh(unaborted), undefined);
    assert.equal(reads, 3);
  });
});
