import { strict as assert } from 'node:assert';
import { groupId } from '../../../../src/core/ids.ts';
import type { Inventory } from '../../../../src/core/inventory.ts';
import type { Session } from '../../../../src/core/session.ts';
import { groupByMetadata } from '../../../../src/services/sessions/grouping.ts';
import { someSession } from '../../sessions.ts';

const page = (...sessions: Session[]): Inventory => ({ sessions, groups: [], faults: [], account: undefined });
const of = (id: string, job: string) => someSession(id, { metadata: new Map([['job', job]]) });

describe('grouping by metadata', () => {
  it('puts sessions with the same value under the key together, and leaves the others alone', () => {
    const { sessions, groups } = groupByMetadata(page(of('a', 'nightly'), of('b', 'nightly'), someSession('c')), 'job');
    assert.deepEqual(
      groups.map(({ kind, name }) => [kind, name]),
      [['metadata', 'job: nightly']],
    );
    const [group] = groups;
    assert.deepEqual(
      sessions.map((session) => session.groupId),
      [group?.id, group?.id, undefined],
    );
  });

  it('gives any value a group of its own, however odd', () => {
    const odd = ['all', '', '../../x', 'a'.repeat(10_000), '\u202e', 'nightly'];
    const { groups } = groupByMetadata(page(...odd.map((value, index) => of(`s${index}`, value))), 'job');
    assert.equal(groups.length, odd.length);
  });

  it('leaves sessions that the provider groups itself, and all of them when no key is set', () => {
    const batch = { ...of('a', 'nightly'), groupId: groupId('batch-1') };
    assert.equal(groupByMetadata(page(batch), 'job').sessions[0]?.groupId, 'batch-1');
    const ungrouped = page(of('a', 'nightly'));
    assert.equal(groupByMetadata(ungrouped, ''), ungrouped);
  });
});
