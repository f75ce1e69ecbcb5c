import { strict as assert } from 'node:assert';
import { isMineBy } from '../../../src/core/ownership.ts';
import { someSession } from '../sessions.ts';

const mine = (rule: string, more: Parameters<typeof someSession>[1]) => isMineBy(rule)?.(someSession('a', more));

describe('ownership', () => {
  it('goes by a key of the metadata, by a tag, or by how a value begins', () => {
    assert.equal(mine('owner=anna', { metadata: new Map([['owner', 'anna']]) }), true);
    assert.equal(mine('owner=anna', { metadata: new Map([['owner', 'anna-2']]) }), false);
    assert.equal(mine('owner=anna', {}), false);
    assert.equal(mine(' tag = anna ', { tags: ['prod', 'anna'] }), true);
    assert.equal(mine('trackingId=anna-*', { metadata: new Map([['trackingId', 'anna-7']]) }), true);
    assert.equal(mine('trackingId=anna-*', { metadata: new Map([['trackingId', 'bob-7']]) }), false);
  });

  it('tells nothing apart by what is no rule', () => {
    for (const rule of ['', 'owner', '=anna', 'owner=', 'owner=*', '   '])
      assert.equal(isMineBy(rule), undefined, rule);
  });
});
