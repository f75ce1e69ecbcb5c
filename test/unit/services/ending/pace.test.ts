import { strict as assert } from 'node:assert';
import { ProviderError } from '../../../../src/core/providerError.ts';
import type { RateWindow } from '../../../../src/core/rateWindow.ts';
import { firstOnOneConnection, Pace } from '../../../../src/services/ending/pace.ts';
import { VirtualClock } from '../virtualClock.ts';

const statusError = (retryAt?: number) => new ProviderError({ kind: 'rateLimited', retryAt }, '429');

describe('pace', () => {
  let clock: VirtualClock;
  let window: RateWindow | undefined;
  let pace: Pace;
  let most: number;

  beforeEach(() => {
    clock = new VirtualClock();
    window = undefined;
    most = 32;
    pace = new Pace(
      clock,
      () => most,
      () => window,
    );
  });

  /** How many requests it allows in flight now. */
  function places(): number {
    let inFlight = 0;
    while (pace.wait(inFlight) === 0) inFlight++;
    return inFlight;
  }
  const clean = (count: number, ms = 50) => {
    for (let index = 0; index < count; index++) pace.clean(ms);
  };

  it('starts with four, doubles with each clean round, and stops at the maximum', () => {
    assert.equal(places(), 4);
    clean(4);
    assert.equal(places(), 8);
    clean(8);
    assert.equal(places(), 16);
    clean(100);
    assert.equal(places(), 32);
    assert.equal(
      new Pace(
        clock,
        () => 2,
        () => undefined,
      ).wait(2),
      'busy',
    );
  });

  it('rises to what the connection carries, which may change', () => {
    most = 100;
    for (const round of [4, 8, 16, 32, 64]) {
      assert.equal(places(), round);
      clean(round);
    }
    assert.equal(places(), 100);
    most = 32;
    assert.equal(places(), 32);
    clean(1);
    most = 256;
    assert.equal(places(), 32);
    clean(1);
    assert.equal(places(), 33);
  });

  it('starts with sixteen over HTTP/2, where one connection carries them all, or with the maximum if that is less', () => {
    for (const [mostThere, rounds] of [
      [100, [16, 32, 64, 100, 100]],
      [10, [10, 10]],
    ] as const) {
      most = mostThere;
      pace = new Pace(
        clock,
        () => most,
        () => window,
        firstOnOneConnection,
      );
      for (const round of rounds) {
        assert.equal(places(), round);
        clean(round);
      }
    }
  });

  it('doesn’t grow while responses are slow', () => {
    clean(1, 50);
    clean(20, 500);
    assert.equal(places(), 5);
    // Four times as slow as the fastest isn't slow yet.
    clean(1, 200);
    assert.equal(places(), 6);
    clean(1, 201);
    assert.equal(places(), 6);
  });

  it('never counts a response within a tenth of a second as slow, however fast another was', () => {
    clean(1, 1);
    clean(3, 100);
    assert.equal(places(), 8);
    clean(1, 101);
    assert.equal(places(), 8);
  });

  it('halves once for a burst of rate limit errors, waits, and grows slowly after it', async () => {
    clean(28);
    for (let index = 0; index < 10; index++) pace.refused(statusError());
    const wait = pace.wait(0);
    assert.ok(wait !== 'busy' && wait > 0 && wait <= 500);
    await clock.until(clock.wait(1_000), 2_000);
    assert.equal(places(), 16);
    clean(16);
    assert.ok(places() <= 17);
  });

  it('treats rate limit errors within a quarter of a second as one burst, and uses the last of them', async () => {
    clean(28);
    assert.equal(pace.lastError, undefined);
    pace.refused(statusError());
    await clock.until(clock.wait(250), 1_000);
    const last = statusError();
    pace.refused(last);
    assert.equal(pace.lastError, last);
    await clock.until(clock.wait(1_000), 2_000);
    assert.equal(places(), 16);
    pace.refused(statusError());
    await clock.until(clock.wait(2_000), 3_000);
    assert.equal(places(), 8);
  });

  it('lets no more be in flight at the very end of a wait than at any other time', async () => {
    const until = clock.now() + 5_000;
    pace.refused(statusError(until));
    await clock.until(clock.wait(5_000), 6_000);
    assert.equal(clock.now(), until);
    assert.deepEqual([pace.wait(0), pace.wait(2)], [0, 'busy']);
  });

  it('waits longer with each rate limit error that names no time, and exactly as long as one that does', async () => {
    const waits: number[] = [];
    for (let index = 0; index < 5; index++) {
      pace.refused(statusError());
      const wait = pace.wait(0);
      assert.ok(wait !== 'busy');
      waits.push(wait);
      await clock.until(clock.wait(wait), wait + 1_000);
    }
    assert.ok((waits[4] ?? 0) > (waits[0] ?? 0) * 4);
    pace.refused(statusError(clock.now() + 20_000));
    assert.equal(pace.wait(0), 20_000);
  });

  it('sends no more than the provider’s window has left, and continues with the next window', async () => {
    clean(100);
    window = { remaining: 6, resetAt: clock.monotonic() + 1_000 };
    assert.equal(places(), 6);
    window = { remaining: 0, resetAt: clock.monotonic() + 1_000 };
    assert.equal(pace.wait(0), 1_000);
    assert.equal(pace.wait(1), 'busy');
    await clock.until(clock.wait(1_000), 2_000);
    assert.equal(places(), 32);
  });

  it('waits no longer and no shorter when the clock is set back or forward', () => {
    for (const jump of [-3_600_000, 3_600_000]) {
      pace.refused(statusError());
      const before = pace.wait(0);
      clock.jump(jump);
      assert.equal(pace.wait(0), before);
      pace.refused(statusError(clock.now() + 20_000));
      clock.jump(jump);
      assert.equal(pace.wait(0), 20_000);
      pace = new Pace(
        clock,
        () => most,
        () => window,
      );
    }
    window = { remaining: 0, resetAt: clock.monotonic() + 1_000 };
    clock.jump(-3_600_000);
    assert.equal(pace.wait(0), 1_000);
  });

  it('treats rate limit errors as two bursts even if the clock was set back in between', async () => {
    clean(28);
    pace.refused(statusError());
    await clock.until(clock.wait(1_000), 2_000);
    clock.jump(-3_600_000);
    pace.refused(statusError());
    await clock.until(clock.wait(2_000), 3_000);
    assert.equal(places(), 8);
  });
});
