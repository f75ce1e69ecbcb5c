import { strict as assert } from 'node:assert';
import { oncePer } from '../../../src/core/oncePer.ts';

describe('a function that runs once per object', () => {
  it('returns what it returned before for the same object, also undefined, and not for an equal one', () => {
    let runs = 0;
    const count = oncePer((_: object) => {
      runs += 1;
      return runs === 1 ? undefined : runs;
    });
    const one = {};
    assert.deepEqual([count(one), count(one), count({}), count(one)], [undefined, undefined, 2, undefined]);
  });
});
