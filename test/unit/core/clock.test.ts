import { strict as assert } from 'node:assert';
import { systemClock } from '../../../src/core/clock.ts';

describe('clock', () => {
  it('waits for long times, which Node’s timers treat as no time at all', async () => {
    const ran: number[] = [];
    const timers = [2 ** 31, 1e12, Number.MAX_VALUE, Number.POSITIVE_INFINITY, Number.NaN].map((ms) =>
      systemClock.after(ms, () => ran.push(ms)),
    );
    // This also keeps the process alive, which the clock's own timers don't.
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const timer of timers) timer.dispose();
    assert.deepEqual(ran, []);
  });

  it('runs at once what is due now or overdue', async () => {
    const ran = await Promise.all(
      [0, -1, Number.NEGATIVE_INFINITY].map(
        (ms) => new Promise((resolve) => [systemClock.after(ms, () => resolve(ms)), setTimeout(resolve, 5_000)]),
      ),
    );
    assert.deepEqual(ran, [0, -1, Number.NEGATIVE_INFINITY]);
  });
});
