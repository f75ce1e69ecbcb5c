import { strict as assert } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { same } from '../../../src/core/same.ts';

const data = fc.letrec((tie) => ({
  leaf: fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(undefined), fc.constant(null)),
  any: fc.oneof(
    { maxDepth: 3 },
    tie('leaf'),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('any')),
    fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), tie('any')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
  ),
})).any;

describe('same', () => {
  it('agrees with Node about plain data', () => {
    const plain = (value: unknown): unknown => structuredClone(value);
    fc.assert(
      fc.property(data, data, (a, b) => {
        assert.equal(same(plain(a), plain(b)), isDeepStrictEqual(plain(a), plain(b)));
        assert.ok(same(plain(a), plain(a)));
      }),
      { numRuns: 1_000 },
    );
  });
});
