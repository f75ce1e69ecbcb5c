import { strict as assert } from 'node:assert';
import { isMineBy } from '../../../src/core/ownership.ts';
import { localBrowser, someSession } from '../sessions.ts';

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

  it('is decided for browsers on this machine by the folder that they were started in, whatever the rule says', () => {
    const startedIn = (folder: string | undefined) => {
      return someSession('a', { local: localBrowser({ isLeftBehind: false, startedIn: folder }) });
    };
    const inFolder = (folder: string | undefined, ...folders: string[]) => isMineBy('', folders)?.(startedIn(folder));
    assert.equal(inFolder('/projects/shop', '/projects/shop'), true);
    assert.equal(inFolder('/projects/shop/tests', '/other', '/projects/shop/'), true);
    assert.equal(inFolder('C:\\Work\\Shop\\e2e', 'c:\\work\\shop'), true);
    for (const other of ['/projects/shop2', '/projects', '/Projects/shop', undefined])
      assert.equal(inFolder(other, '/projects/shop'), undefined, other);
    assert.equal(isMineBy('owner=anna', ['/projects'])?.(startedIn('/projects')), true);
    assert.equal(isMineBy('owner=anna', ['/projects'])?.(startedIn('/other')), false);
    assert.equal(isMineBy('', ['/projects'])?.(someSession('remote')), undefined);
  });
});
