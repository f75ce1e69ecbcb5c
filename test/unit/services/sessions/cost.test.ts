import { strict as assert } from 'node:assert';
import { type Cost, compareCosts, costOf, totalOf } from '../../../../src/services/sessions/cost.ts';
import { someSession } from '../../sessions.ts';

const noon = Date.UTC(2026, 10, 27, 12);
const minute = 60_000;
const credits = { unit: 'credits', used: 12.5 } as const;

describe('what a session has cost so far', () => {
  it('is what its provider reports, even if the user set a rate', () => {
    const session = someSession('s', { usage: credits });
    assert.deepEqual(costOf(session, noon, 2, noon + 90 * minute), { kind: 'reported', usage: credits });
  });

  it('is otherwise the user’s rate for the time that it has run', () => {
    const cost = costOf(someSession('s'), noon, 2, noon + 90 * minute);
    assert.deepEqual(cost, { kind: 'estimated', amount: 3 });
  });

  it('isn’t known without a rate: no price comes from the extension', () => {
    assert.equal(costOf(someSession('s'), noon, undefined, noon + 90 * minute), undefined);
    assert.equal(costOf(someSession('s'), undefined, 2, noon), undefined);
  });

  it('isn’t negative for a session that starts in the future, nor absurd for one that started long ago', () => {
    assert.deepEqual(costOf(someSession('s'), noon + minute, 2, noon), { kind: 'estimated', amount: 0 });
    assert.equal(costOf(someSession('s'), 0, 2, noon), undefined);
  });
});

describe('the costs of several sessions', () => {
  const estimated = (amount: number): Cost => ({ kind: 'estimated', amount });
  const reported = (used: number, unit: 'credits' | 'minutes' = 'credits'): Cost => {
    return { kind: 'reported', usage: { unit, used } };
  };

  it('sort with the dearest first, each unit together and the unknown last', () => {
    const sorted = [undefined, reported(3), estimated(1), reported(9, 'minutes'), reported(8), estimated(4)];
    sorted.sort(compareCosts);
    // `sort` puts undefined last by itself, so the comparison is checked too.
    assert.deepEqual(sorted, [estimated(4), estimated(1), reported(8), reported(3), reported(9, 'minutes'), undefined]);
    assert.ok(compareCosts(undefined, estimated(0)) > 0);
    assert.equal(compareCosts(undefined, undefined), 0);
  });

  it('add up per unit, and never across units', () => {
    const total = totalOf([reported(3), estimated(1), undefined, reported(9, 'minutes'), reported(8), estimated(4)]);
    assert.deepEqual(total, [estimated(5), reported(11), reported(9, 'minutes')]);
    assert.deepEqual(totalOf([undefined]), []);
  });
});
