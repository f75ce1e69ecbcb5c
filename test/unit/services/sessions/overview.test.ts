import { strict as assert } from 'node:assert';
import type { Account } from '../../../../src/core/account.ts';
import { accountId, sessionId } from '../../../../src/core/ids.ts';
import type { Inventory } from '../../../../src/core/inventory.ts';
import { ProviderError } from '../../../../src/core/providerError.ts';
import type { Session } from '../../../../src/core/session.ts';
import {
  type OverviewParts,
  oldListMs,
  overviewOf,
  type SessionLimits,
} from '../../../../src/services/sessions/overview.ts';
import { SessionStore } from '../../../../src/services/sessions/sessionStore.ts';
import { keepingOnly, someSession } from '../../sessions.ts';

const hour = 3_600_000;
const minute = 60_000;
const start = Date.parse('2026-11-22T12:00:00Z');

function account(label: string): Account {
  return { id: accountId(label), provider: 'anchor', label, origin: 'https://api.anchorbrowser.io' };
}

describe('the overview of what is running', () => {
  const [one, two] = [account('one'), account('two')];
  let now: number;
  let limits: SessionLimits;
  let protectedIds: Set<string>;
  let store: SessionStore;
  let parts: OverviewParts;

  beforeEach(() => {
    now = start;
    limits = { ageMs: hour, idleMs: hour / 2 };
    protectedIds = new Set();
    store = new SessionStore(() => now);
    store.setAccounts([one.id, two.id]);
    parts = {
      accounts: { all: [one, two] },
      store,
      protections: { has: (_, id) => protectedIds.has(id) },
      isMine: () => (session: Session) => !session.tags.includes('other'),
      limits: () => limits,
      ratePerHour: (provider) => (provider === 'anchor' ? 1.5 : undefined),
      now: () => now,
    };
  });

  function list({ id }: Account, sessions: readonly Session[], more: Partial<Inventory> = {}): void {
    const run = store.beginList(id);
    run.arrive({ sessions, groups: [], faults: [], account: undefined, ...more });
    run.complete(keepingOnly(store, id, sessions));
  }

  const aged = (id: string, ageMs: number, more: Partial<Session> = {}) =>
    someSession(id, { startedAt: now - ageMs, ...more });
  const over = () => overviewOf(parts).over.map(({ session, limit }) => `${session.id} ${limit}`);

  it('counts sessions, and knows the oldest, the limit and when the oldest list was made', () => {
    list(one, [aged('a', minute), aged('b', 3 * hour)], {
      account: { identity: undefined, sessionLimit: 25, note: undefined },
    });
    assert.equal(overviewOf(parts).asOf, undefined, 'an account was never listed');
    now += minute;
    list(two, [aged('c', minute)]);
    const { accounts, running, asOf, troubled } = overviewOf(parts);
    assert.equal(running, 3);
    assert.equal(asOf, start);
    assert.equal(troubled, 0);
    assert.deepEqual(
      accounts.map((its) => [its.running, its.oldest?.at, its.sessionLimit]),
      [
        [2, start - 3 * hour, 25],
        [1, start, undefined],
      ],
    );
  });

  it('adds up what an account’s sessions have cost so far', () => {
    list(one, [aged('a', hour), aged('b', 3 * hour)]);
    assert.deepEqual(
      overviewOf(parts).accounts.map(({ costs }) => costs),
      [[{ kind: 'estimated', amount: 6 }], []],
    );
  });

  it('finds sessions over the age limit, the oldest first, whose start the provider may leave out', () => {
    list(one, [
      aged('new', hour - 1),
      aged('old', hour),
      aged('older', 2 * hour),
      someSession('seen', { startedAt: undefined }),
    ]);
    assert.deepEqual(over(), ['older age', 'old age']);
    now += hour;
    assert.deepEqual(over(), ['older age', 'old age', 'new age', 'seen age']);
    assert.equal(overviewOf(parts).over.at(-1)?.since.exact, false);
    limits = { ageMs: 0, idleMs: 0 };
    assert.deepEqual(over(), []);
  });

  it('leaves out protected sessions, other people’s, the user’s own window and what is ending', () => {
    protectedIds.add('kept');
    list(one, [
      aged('kept', 2 * hour),
      aged('theirs', 2 * hour, { tags: ['other'] }),
      aged('window', 2 * hour, { bulkEndExclusion: "It's the browser's own window." }),
      aged('ending', 2 * hour),
    ]);
    store.setLife(one.id, [sessionId('ending')], { kind: 'ending', since: now });
    assert.deepEqual(over(), []);
    protectedIds.clear();
    assert.deepEqual(over(), ['kept age']);
  });

  it('counts as idle only what the provider says is idle, from when it first said so', () => {
    limits = { ageMs: 0, idleMs: hour / 2 };
    const sessions = (phase: Session['phase']) => [
      someSession('idle', { phase, startedAt: start }),
      someSession('busy', { startedAt: start }),
    ];
    list(one, sessions('idle'));
    assert.deepEqual(over(), []);
    now += hour / 2;
    assert.deepEqual(over(), [], 'it may have worked since the last list');
    list(one, sessions('idle'));
    assert.deepEqual(over(), ['idle idle']);
    list(one, sessions('running'));
    assert.deepEqual(over(), []);
    list(one, sessions('idle'));
    assert.deepEqual(over(), []);
  });

  it('says which sessions come from an old list, or from an account that can’t be listed', () => {
    list(one, [aged('a', 2 * hour)]);
    const isCurrent = () => overviewOf(parts).over.map((its) => its.isCurrent);
    assert.deepEqual(isCurrent(), [true]);
    now += oldListMs + 1;
    assert.deepEqual(isCurrent(), [false]);
    list(one, [aged('a', 2 * hour)]);
    assert.deepEqual(isCurrent(), [true]);
    store.beginList(one.id).fail(new ProviderError({ kind: 'unauthorized' }, 'rejected'));
    assert.deepEqual(isCurrent(), [false]);
    assert.equal(overviewOf(parts).troubled, 1);
  });
});
