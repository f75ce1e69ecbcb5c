import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { retryAfter } from '../../../src/http/retryAfter.ts';

describe('Retry-After', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');

  it('is read as seconds or as a date', () => {
    assert.equal(retryAfter('58', undefined, now), now + 58_000);
    assert.equal(retryAfter(' 0 ', undefined, now), now);
    assert.equal(retryAfter('Sun, 22 Nov 2026 12:01:00 GMT', undefined, now), now + 60_000);
  });

  it('counts a date from the provider’s own clock, whatever the local clock says', () => {
    const date = 'Sun, 22 Nov 2026 15:00:00 GMT';
    assert.equal(retryAfter('Sun, 22 Nov 2026 15:00:30 GMT', date, now), now + 30_000);
  });

  it('is undefined for nonsense and for times in the past', () => {
    for (const value of [undefined, '', 'soon', '-5', '1e3', '0x10', 'Sun, 22 Nov 2026 11:00:00 GMT', 'NaN']) {
      assert.equal(retryAfter(value, undefined, now), undefined, value);
    }
  });

  it('is a day at most', () => {
    for (const value of ['86401', '999999999', 'Sat, 13 Sep 275760 00:00:00 GMT']) {
      for (const date of [undefined, 'Thu, 01 Jan 1970 00:00:00 GMT']) {
        assert.equal(retryAfter(value, date, now), now + 86_400_000, value);
      }
    }
  });

  it('is never in the past, for any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.string(), { nil: undefined }), (value, date) => {
        const at = retryAfter(value, date, now);
        assert.ok(at === undefined || at >= now);
      }),
    );
  });
});
