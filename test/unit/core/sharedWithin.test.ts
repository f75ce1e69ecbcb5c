import { strict as assert } from 'node:assert';
import { sharedWithin } from '../../../src/core/sharedWithin.ts';
import { VirtualClock } from '../services/virtualClock.ts';

describe('work that is shared', () => {
  it('is done once for calls that follow each other closely, and again after that', async () => {
    const clock = new VirtualClock();
    let done = 0;
    const shared = sharedWithin(500, clock, async () => ++done);
    assert.deepEqual(await Promise.all([shared(), shared(), shared()]), [1, 1, 1]);
    await clock.until(clock.wait(400), 1_000);
    assert.equal(await shared(), 1);
    await clock.until(clock.wait(200), 1_000);
    assert.equal(await shared(), 2);
  });
});
