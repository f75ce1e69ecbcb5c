import { strict as assert } from 'node:assert';
import type { Group } from '../../../../src/core/group.ts';
import { type GroupId, groupId, idFault } from '../../../../src/core/ids.ts';
import type { Session } from '../../../../src/core/session.ts';
import { noContents } from '../../../../src/services/sessions/contents.ts';
import {
  findGroup,
  type Grouping,
  groupFor,
  groupWithId,
  isInGroup,
  isValueGroupId,
  sessionsByGroup,
  userOf,
} from '../../../../src/services/sessions/grouping.ts';
import { someSession } from '../../sessions.ts';

const batch: Group = { id: groupId('batch-1'), kind: 'batch', name: undefined, status: undefined, createdAt: 0 };
const groups = new Map([[batch.id, batch]]);
const of = (id: string, job: string, more: Partial<Session> = {}) =>
  someSession(id, { metadata: new Map([['job', job]]), ...more });
const groupBy = (by: Grouping['by'], session: Session, metadataKey = '') =>
  groupFor({ by, metadataKey }, groups, session);
const idBy = (by: Grouping['by'], session: Session, metadataKey = '') => {
  const group = groupBy(by, session, metadataKey);
  assert.ok(group);
  return group.id;
};

describe('grouping', () => {
  it('puts sessions with the same value under a metadata key together, and leaves the others alone', () => {
    assert.deepEqual(groupBy(['metadata'], of('a', 'nightly'), 'job')?.name, 'job: nightly');
    assert.equal(idBy(['metadata'], of('a', 'nightly'), 'job'), idBy(['metadata'], of('b', 'nightly'), 'job'));
    assert.equal(groupBy(['metadata'], someSession('c'), 'job'), undefined);
    assert.equal(groupBy(['metadata'], of('a', 'nightly'), ''), undefined);
  });

  it('gives any value a group of its own, however odd', () => {
    const odd = ['all', '', '../../x', 'a'.repeat(10_000), '\u202e', 'nightly'];
    const ids = new Set(odd.map((value) => idBy(['metadata'], of('s', value), 'job')));
    assert.equal(ids.size, odd.length);
  });

  it('finds the members of many groups at once, the same as of each', () => {
    const ways: readonly Grouping['by'][] = [['tag'], ['metadata'], ['user'], ['batch', 'tag'], ['status']];
    const listed = Array.from({ length: 60 }, (_, n) => {
      const tags = n % 3 === 0 ? [] : [`tag ${n % 7}`, `user:u${n % 4}`];
      return of(`s${n}`, `job ${n % 5}`, { tags, ...(n % 2 === 0 && { groupId: batch.id }) });
    });
    const ids = new Set([batch.id, groupId('none')]);
    for (const by of ways) {
      for (const session of listed) {
        const group = groupBy(by, session, 'job');
        if (group !== undefined) ids.add(group.id);
      }
    }
    // Batches that are called almost like what the list groups by.
    for (const name of ['tags', 'users', 'statuses', 'metadata+']) ids.add(groupId(name));
    const sessions = new Map(listed.map((session) => [session.id, session]));
    const members = sessionsByGroup(ids, { ...noContents, groups, sessions });
    assert.ok(ids.size > 20);
    for (const id of ids) {
      assert.deepEqual(
        members.get(id)?.map((session) => session.id),
        listed.filter((session) => isInGroup(id, groups, session)).map((session) => session.id),
        id,
      );
    }
  });

  it('puts a session into one group only: the group of its first tag', () => {
    const session = someSession('a', { tags: [' ', 'red', 'blue'] });
    assert.equal(groupBy(['tag'], session)?.name, 'red');
    assert.ok(isInGroup(idBy(['tag'], session), groups, session));
    assert.ok(!isInGroup(idBy(['tag'], someSession('b', { tags: ['blue'] })), groups, session));
  });

  it('groups by region, status and the user that metadata or a tag names', () => {
    const session = someSession('a', { region: 'eu', phase: 'idle', metadata: new Map([['Owner', 'anna']]) });
    assert.deepEqual(
      (['region', 'status', 'user'] as const).map((kind) => groupBy([kind], session)?.name),
      ['eu', 'idle', 'anna'],
    );
    const odd = someSession('b', { phase: 'unknown', status: 'hibernating' });
    assert.equal(groupBy(['status'], odd)?.name, 'hibernating');
    for (const kind of ['region', 'user'] as const) assert.equal(groupBy([kind], odd), undefined);
    assert.equal(userOf(someSession('c', { tags: ['env:prod', 'user_id=7'] })), '7');
  });

  it('groups by metadata only what isn’t in a batch, where both are asked for, as it did before there was a choice', () => {
    const both = of('a', 'nightly', { groupId: batch.id });
    assert.equal(groupBy(['batch', 'metadata'], both, 'job')?.id, batch.id);
    const alone = of('b', 'nightly', { groupId: groupId('unlisted') });
    const id = idBy(['batch', 'metadata'], alone, 'job');
    assert.ok(isInGroup(id, groups, alone));
    assert.ok(!isInGroup(id, groups, both), 'the row of this group doesn’t show it');
    assert.ok(isInGroup(idBy(['metadata'], both, 'job'), groups, both));
  });

  it('never gives two groups the same id, not even groups of different kinds or a batch', () => {
    const session = someSession('a', {
      groupId: batch.id,
      tags: ['x'],
      region: 'x',
      phase: 'unknown',
      status: 'x',
      metadata: new Map([
        ['x', 'x'],
        ['user', 'x'],
        ['other', 'x'],
      ]),
    });
    const ids: GroupId[] = [
      ...(['batch', 'tag', 'region', 'status', 'user'] as const).map((kind) => idBy([kind], session)),
      ...['x', 'user', 'other'].map((key) => idBy(['metadata'], session, key)),
    ];
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids.slice(1)) {
      assert.ok(isValueGroupId(id), id);
      assert.notEqual(idFault(id), undefined, 'no provider may list a batch with such an id');
    }
    assert.ok(!isValueGroupId(batch.id));
    assert.ok(!isValueGroupId('other/0123456789abcdef0123456789abcdef'));
    assert.ok(!isValueGroupId('metadata-0123456789abcdef0123456789abcdef'));
  });

  it('finds the sessions of an id that was kept, however the list is grouped since', () => {
    const [red, blue] = [someSession('a', { tags: ['red'] }), someSession('b', { tags: ['blue'], region: 'red' })];
    const kept = idBy(['tag'], red);
    const contents = { ...noContents, groups, sessions: new Map([blue, red].map((one) => [one.id, one])) };
    assert.deepEqual(
      [...contents.sessions.values()].filter((one) => isInGroup(kept, groups, one)),
      [red],
    );
    assert.equal(findGroup(kept, contents)?.name, 'red');
    assert.equal(findGroup(idBy(['region'], blue), contents)?.kind, 'region');
    assert.equal(findGroup(batch.id, contents), batch);
    assert.equal(groupWithId(idBy(['tag'], someSession('c', { tags: ['gone'] })), groups, red), undefined);
  });
});
