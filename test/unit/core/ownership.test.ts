import { strict as assert } from 'node:assert';
import { isMineBy } from '../../../src/core/ownership.ts';
import { someSession } from '../sessions.ts';

const mine = (rule: string, more: Parameters<typeof someSession>[1]) => isMineBy(rule)?.(someSession('a', more));

describe('ownership', () => {
  it('is decided by a metadata key, by a tag, or by the prefix of a value', () => {
    assert.equal(mine('owner=anna', { metadata: new Map([['owner', 'anna']]) }), true);
    assert.equal(mine('owner=anna', { metadata: new Map([['owner', 'anna-2']]) }), false);
    assert.equal(mine('owner=anna', {}), false);
    assert.equal(mine(' tag = anna ', { tags: ['prod', 'anna'] }), true);
    assert.equal(mine('trackingId=anna-*', { metadata: new Map([['trackingId', 'anna-7']]) }), true);
    assert.equal(mine('trackingId=anna-*', { metadata: new Map([['trackingId', 'bob-7']]) }), false);
  });

  it('distinguishes nothing when the rule is invalid', () => {
    for (const rule of ['', 'owner', '=anna', 'owner=', 'owner=*', '   '])
      assert.equal(isMineBy(rule), undefined, rule);
  });
});
