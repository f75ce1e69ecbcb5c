import { strict as assert } from 'node:assert';
import { rateWindowOf } from '../../../src/http/rateWindow.ts';

const now = 1_795_304_295_000;
const monotonic = 70_000;
const clock = { now: () => now, monotonic: () => monotonic };
const read = (headers: Readonly<Record<string, string>>) => rateWindowOf((name) => headers[name], clock);

describe('rate window', () => {
  it('reads the formats that providers document', () => {
    assert.deepEqual(read({ 'x-ratelimit-remaining': '12', 'x-ratelimit-reset': '30' }), {
      remaining: 12,
      resetAt: monotonic + 30_000,
    });
    assert.deepEqual(read({ ratelimit: '"5-in-1min"; r=0; t=58' }), { remaining: 0, resetAt: monotonic + 58_000 });
    const epoch = String(now / 1_000 + 5);
    assert.deepEqual(read({ 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': epoch }), {
      remaining: 1,
      resetAt: monotonic + 5_000,
    });
  });

  it('ignores nonsense, expired windows, and daily quotas', () => {
    for (const headers of [
      {},
      { 'x-ratelimit-remaining': '5' },
      { 'x-ratelimit-remaining': '-5', 'x-ratelimit-reset': '1' },
      { 'x-ratelimit-remaining': 'lots', 'x-ratelimit-reset': '1' },
      { 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': 'soon' },
      { 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': '86400' },
      { 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': '1600000000' },
      { ratelimit: 'r=; t=' },
    ]) {
      assert.equal(read(headers), undefined, JSON.stringify(headers));
    }
  });
});
