import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { figureOf, sessionLimitOf, usageOf } from '../../../src/core/usage.ts';

describe('the figures that providers report', () => {
  it('are numbers, or decimal numbers written as text', () => {
    for (const [raw, figure] of [
      [12.5, 12.5],
      [0, 0],
      ['12.5', 12.5],
      ['0', 0],
    ] as const) {
      assert.equal(figureOf(raw), figure);
    }
  });

  it('count as not reported when they are missing, negative, not finite, huge or no number', () => {
    for (const raw of [undefined, null, -1, -0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e19, 1e308]) {
      assert.equal(figureOf(raw), undefined, String(raw));
    }
    for (const raw of ['N/A', '', ' 1', '-3', '1e9', '0x10', '١', '9'.repeat(40), [], [3], {}, true, 3n]) {
      assert.equal(figureOf(raw), undefined, typeof raw);
    }
  });

  it('are finite and not negative, whatever a provider sends', () => {
    fc.assert(
      fc.property(fc.anything(), (raw) => {
        const figure = figureOf(raw);
        assert.ok(figure === undefined || (Number.isFinite(figure) && figure >= 0 && !Object.is(figure, -0)));
      }),
    );
  });

  it('leave out a limit that makes no sense, and everything where the use isn’t said', () => {
    assert.deepEqual(usageOf('credits', { used: '12.5', included: 50, limit: null, left: -3 }), {
      unit: 'credits',
      used: 12.5,
      included: 50,
    });
    assert.equal(usageOf('credits', { used: 'N/A', included: 50 }), undefined);
  });

  it('limit the number of sessions only with a plausible count', () => {
    assert.equal(sessionLimitOf(25), 25);
    assert.equal(sessionLimitOf(0), 0);
    for (const raw of [-1, 2.5, Number.NaN, 1e308, '25', null, undefined]) assert.equal(sessionLimitOf(raw), undefined);
  });
});
