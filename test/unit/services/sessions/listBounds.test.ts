import { strict as assert } from 'node:assert';
import { groupId, pageId } from '../../../../src/core/ids.ts';
import type { Inventory } from '../../../../src/core/inventory.ts';
import { ListBounds, mostSessions } from '../../../../src/services/sessions/listBounds.ts';
import { someSession } from '../../sessions.ts';

const nothing: Inventory = { sessions: [], groups: [], faults: [], account: undefined };
const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

describe('the limits of a list', () => {
  it('leave an ordinary list as it is', () => {
    const bounds = new ListBounds();
    const sessions = many(mostSessions, (n) => someSession(`s${n}`));
    const page = { ...nothing, sessions, faults: [{ subject: 'x', what: 'y' }] };
    assert.deepEqual(bounds.take(page), page);
    assert.deepEqual(bounds.leftOut, []);
  });

  it('use what a later page says about a session that is shown, and count every other one once', () => {
    const bounds = new ListBounds();
    bounds.take({ ...nothing, sessions: many(mostSessions, (n) => someSession(`s${n}`)) });
    const again = { ...nothing, sessions: [someSession('s7', { name: 'named' }), someSession('x'), someSession('y')] };
    for (let times = 0; times < 2; times++) {
      assert.deepEqual(
        bounds.take(again).sessions.map(({ id, name }) => [id, name]),
        [['s7', 'named']],
      );
    }
    assert.deepEqual(bounds.leftOut, [
      { subject: '2 more sessions', unnamed: true, what: 'at most 5000 sessions of an account are shown' },
    ]);
  });

  it('know nothing of any session once unreadable rows are no longer reported', () => {
    const bounds = new ListBounds();
    const faults = many(1_200, (n) => ({ subject: `s${n}`, what: 'it is odd' }));
    assert.equal(bounds.take({ ...nothing, faults }).faults.length, 1_000);
    assert.deepEqual(
      bounds.leftOut.map(({ subject, unnamed }) => [subject, unnamed]),
      [['200 more rows', true]],
    );
  });

  it('show a thousand groups, and sessions without a shown group are still known', () => {
    const bounds = new ListBounds();
    const groups = many(1_001, (n) => ({
      id: groupId(`g${n}`),
      kind: 'batch' as const,
      name: undefined,
      status: undefined,
      createdAt: undefined,
    }));
    assert.equal(bounds.take({ ...nothing, groups }).groups.length, 1_000);
    assert.deepEqual(
      bounds.leftOut.map(({ subject, unnamed }) => [subject, unnamed]),
      [['1 more groups', undefined]],
    );
  });

  it('shorten every text of a session, but not its id', () => {
    const long = 'x'.repeat(100_000);
    const session = someSession('a', {
      name: long,
      status: long,
      region: long,
      tags: Array.from({ length: 200 }, () => long),
      traits: [long],
      metadata: new Map([[long, long]]),
      facts: [[long, long]],
      bulkEndExclusion: long,
      inUseBy: long,
    });
    const [bounded] = new ListBounds().take({ ...nothing, sessions: [session] }).sessions;
    assert.ok(bounded);
    const { metadata, ...rest } = bounded;
    assert.ok(JSON.stringify([rest, ...metadata]).length < 65_000);
    assert.equal(bounded.id, 'a');
    const usual = someSession('b', { name: 'named', tags: ['one'] });
    assert.equal(new ListBounds().take({ ...nothing, sessions: [usual] }).sessions[0], usual);
  });

  it('keep pages short and few, but keep each page that an end would close', () => {
    const pages = many(600, (n) => ({
      id: pageId(`p${n}`),
      title: 't'.repeat(2_000),
      url: `https://${'u'.repeat(70_000)}`,
    }));
    const sessions = [someSession('a', { pages }), someSession('b', { pages, ends: 'pages' })];
    const [a, b] = new ListBounds().take({ ...nothing, sessions }).sessions;
    assert.deepEqual([a?.pages?.length, b?.pages?.length], [500, 600]);
    assert.deepEqual([a?.pages?.[0]?.title.length, a?.pages?.[0]?.url.length], [1_000, 8_192]);
  });
});
