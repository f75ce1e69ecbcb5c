import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { idFault, sessionId } from '../../../src/core/ids.ts';

describe('ids', () => {
  it('accept what providers use', () => {
    for (const id of ['sess_abc123', '3c90c3cc-0d44-4b50-8888-8dd25736052a', 'ECF49A02', 'a.b:c~d', 'allow']) {
      assert.equal(idFault(id), undefined, id);
      assert.equal(sessionId(id), id);
    }
  });

  it('are all safe in a URL, whatever a provider sends', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
        (id) => {
          if (idFault(id) === undefined) encodeURIComponent(id);
        },
      ),
      { numRuns: 5_000 },
    );
    assert.equal(idFault('a😀b'), undefined);
  });

  it('reject what could address something else', () => {
    const bad = [
      '',
      'all',
      'ALL',
      '.',
      '..',
      'a/b',
      'a\\b',
      'a?b',
      'a#b',
      'a%2fb',
      'a b',
      'a\nb',
      'a\u202eb',
      'x'.repeat(257),
      'a\ud800b',
      'a\udc00',
      '\ud83d',
    ];
    for (const id of [...bad, undefined, null, 7, {}]) {
      assert.notEqual(idFault(id), undefined, JSON.stringify(id));
      assert.throws(() => sessionId(id as string), TypeError);
    }
  });
});
