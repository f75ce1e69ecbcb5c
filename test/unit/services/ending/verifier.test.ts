import { strict as assert } from 'node:assert';
import { pageId, type SessionId, sessionId } from '../../../../src/core/ids.ts';
import { type EndingTerms, usualEnding } from '../../../../src/core/provider.ts';
import { canceled } from '../../../../src/core/providerError.ts';
import type { Session } from '../../../../src/core/session.ts';
import { checkMissing } from '../../../../src/services/ending/checkMissing.ts';
import type { Verdict } from '../../../../src/services/ending/verification.ts';
import { review, type Verification, verify } from '../../../../src/services/ending/verifier.ts';
import type { RedactedProvider } from '../../../../src/services/providers/redactedProvider.ts';
import { someSession } from '../../sessions.ts';
import { failure, type ScriptedProvider, type ScriptedServices, scriptedServices } from '../scriptedProvider.ts';

const never = new AbortController().signal;
const s0 = sessionId('s0');

/** Services that have listed sessions s0, s1 and so on. */
async function servicesWith(count: number, lists: EndingTerms['lists'], more: Partial<Session> = {}) {
  const scripted = await scriptedServices((provider) => {
    for (let index = 0; index < count; index++) provider.start(`s${index}`, more);
    provider.ending = { ...usualEnding, lists };
  });
  const { services, id, over, clock } = scripted;
  const { store, evidence, refresher, connections, log: logger } = services;
  const parts = { store, evidence, refresher, connections, clock, logger };
  const connection = () => connections.open(id);
  const listed = () => [...(store.state(id)?.contents.sessions.values() ?? [])];
  return {
    ...scripted,
    parts,
    listed,
    verify: (sessions: readonly Session[] = listed(), by = connection) => over(verify(parts, id, by, sessions)),
    review: (sessions: readonly Session[] = listed(), by = connection) => over(review(parts, id, by, sessions)),
    check: async (sessions: readonly Session[], { stop = never, most = 9 } = {}) =>
      over(checkMissing(parts, id, await connection(), sessions, stop, most)),
  };
}

const verdictsOf = ({ verdicts }: Verification): Record<string, Verdict> => Object.fromEntries(verdicts);
const hide = (provider: ScriptedProvider, ...ids: readonly string[]) => {
  provider.onList = () => ({ sessions: [...provider.running.values()].filter(({ id }) => !ids.includes(id)) });
};

describe('a check whether sessions are gone', () => {
  it('reports for each session what a list that begins now shows', async () => {
    const { provider, services, listed, verify } = await servicesWith(3, 'complete');
    const all = listed();
    provider.running.delete('s0');
    const result = await verify(all);
    assert.deepEqual(verdictsOf(result), { s0: 'confirmedGone', s1: 'stillRunning', s2: 'stillRunning' });
    assert.deepEqual([result.trouble, result.isCutOff, result.failures.size], [undefined, false, 0]);
    assert.deepEqual(provider.asked('probe'), []);
    services.dispose();
  });

  it('asks all workers for lists, even if the first shows nothing new', async () => {
    const { provider, services, verify } = await servicesWith(2, 'partial');
    const lists = provider.asked('list').length;
    assert.deepEqual(verdictsOf(await verify()), { s0: 'stillRunning', s1: 'stillRunning' });
    assert.equal(provider.asked('list').length - lists, 8);
    services.dispose();
  });

  it('reports nothing without a complete list, gives the reason, and asks about none', async () => {
    const { provider, services, verify } = await servicesWith(2, 'lagging');
    const down = failure({ kind: 'serverFault', status: 502 });
    provider.onList = () => {
      throw down;
    };
    provider.onProbe = () => 'gone';
    const failed = await verify();
    assert.deepEqual([failed.verdicts.size, failed.failures.size, failed.isCutOff], [0, 0, false]);
    assert.equal(failed.trouble, down);
    provider.onList = () => ({ sessions: [], faults: [{ subject: 'row 1', unnamed: true, what: 'it has no id' }] });
    const partial = await verify();
    assert.deepEqual([partial.verdicts.size, partial.isCutOff], [0, false]);
    assert.equal(partial.trouble?.trouble.kind, 'unexpectedAnswer');
    assert.deepEqual(provider.asked('probe'), []);
    services.dispose();
  });

  it('reports itself as pointless when the account is gone, but not when it is only unreachable', async () => {
    const { services, verify } = await servicesWith(1, 'complete');
    for (const [error, isCutOff] of [
      [canceled('connecting'), true],
      [failure({ kind: 'unreachable', why: 'refused' }), false],
    ] as const) {
      const result = await verify(undefined, () => Promise.reject<RedactedProvider>(error));
      assert.deepEqual([result.trouble, result.isCutOff, result.verdicts.size], [error, isCutOff, 0]);
    }
    services.dispose();
  });

  it('treats a session as gone when another has its id now, or none of its pages is open', async () => {
    const page = (id: string) => ({ id: pageId(id), title: id, url: 'about:blank' });
    const { provider, clock, services, listed, verify } = await servicesWith(3, 'complete', {
      ends: 'pages',
      pages: [page('a')],
    });
    const all = listed();
    const [first = assert.fail()] = all;
    await clock.until(clock.wait(1_000), 2_000);
    provider.start('s0');
    provider.start('s1', { ...first, id: sessionId('s1'), pages: [page('b')] });
    assert.deepEqual(verdictsOf(await verify(all)), {
      s0: 'confirmedGone',
      s1: 'confirmedGone',
      s2: 'stillRunning',
    });
    assert.equal(listed().length, 3);
    services.dispose();
  });

  it('treats a session as running if one of its pages has another ID now, as Chrome gives it to a tab that it discards', async () => {
    const page = (id: string, replaces?: string) => {
      return {
        id: pageId(id),
        title: id,
        url: '',
        ...(replaces === undefined ? {} : { replaces: [pageId(replaces)] }),
      };
    };
    const { provider, clock, services, listed, verify } = await servicesWith(2, 'complete', {
      ends: 'pages',
      pages: [page('a'), page('b')],
    });
    const all = listed();
    const [first = assert.fail()] = all;
    await clock.until(clock.wait(1_000), 2_000);
    provider.start('s0', { ...first, pages: [page('c', 'b')] });
    provider.start('s1', { ...first, id: sessionId('s1'), pages: [page('c', 'd')] });
    assert.deepEqual(verdictsOf(await verify(all)), { s0: 'stillRunning', s1: 'confirmedGone' });
    services.dispose();
  });

  it('asks about each session missing from the list, and reports what it couldn’t find out', async () => {
    const { provider, services, id, listed, verify } = await servicesWith(4, 'unreliable');
    const all = listed();
    provider.running.delete('s1');
    hide(provider, 's1', 's2', 's3');
    const odd = failure({ kind: 'conflict' });
    provider.onProbe = (session) => {
      if (session.id === 's3') throw odd;
      return provider.running.has(session.id) ? 'running' : 'gone';
    };
    const result = await verify(all);
    assert.deepEqual(verdictsOf(result), {
      s0: 'stillRunning',
      s1: 'confirmedGone',
      s2: 'stillRunning',
      s3: 'unknown',
    });
    assert.deepEqual([...result.failures], [['s3', odd]]);
    assert.equal(result.trouble, undefined);
    assert.deepEqual(new Set(provider.asked('probe')), new Set(['s1', 's2', 's3']));
    assert.ok(services.store.hasEnded(id, sessionId('s1')));
    services.dispose();
  });

  it('lists and asks once more, within the same check, when a session isn’t found', async () => {
    const { provider, services, id, listed, verify } = await servicesWith(3, 'unreliable');
    const all = listed();
    provider.running.delete('s0');
    hide(provider, 's0', 's1');
    provider.onProbe = (session) => (provider.running.has(session.id) ? 'running' : 'notFound');
    // Or the refresher asks about it, too.
    services.store.setLife(id, [s0], { kind: 'ending', since: 0 });
    const lists = provider.asked('list').length;
    const result = await verify(all);
    assert.deepEqual(verdictsOf(result), { s0: 'confirmedGone', s1: 'stillRunning', s2: 'stillRunning' });
    assert.equal(provider.asked('list').length - lists, 2);
    assert.deepEqual(
      provider.asked('probe').filter((about) => about === 's0'),
      ['s0', 's0'],
    );
    assert.ok(services.store.hasEnded(id, s0));
    services.dispose();
  });

  it('gives the reason when a missing session isn’t confirmed gone, and reports what it knows of others', async () => {
    const { provider, services, listed, verify } = await servicesWith(3, 'unreliable');
    const all = listed();
    hide(provider, 's0', 's1');
    const down = failure({ kind: 'serverFault', status: 502 });
    provider.onProbe = (session) => {
      provider.onList = () => {
        throw down;
      };
      return session.id === 's0' ? 'notFound' : 'gone';
    };
    const result = await verify(all);
    assert.deepEqual(verdictsOf(result), { s0: 'unknown', s1: 'confirmedGone', s2: 'stillRunning' });
    assert.deepEqual([result.trouble, result.isCutOff], [undefined, false]);
    assert.deepEqual([...result.failures], [['s0', down]]);
    services.dispose();
  });

  it('reports itself as pointless when the account gets another key between the two', async () => {
    const { provider, services, id, verify } = await servicesWith(1, 'unreliable');
    hide(provider, 's0');
    provider.onProbe = () => 'notFound';
    let opened = 0;
    const connection = async () => {
      if (++opened > 1) throw canceled('looking');
      return services.connections.open(id);
    };
    const result = await verify(undefined, connection);
    assert.deepEqual([result.verdicts.size, result.isCutOff, opened], [0, true, 2]);
    services.dispose();
  });

  it('still knows that a session is gone that left earlier', async () => {
    const { provider, services, listed, verify } = await servicesWith(2, 'unreliable');
    const all = listed();
    provider.running.delete('s0');
    await verify(all);
    // There is nothing more to find out about it.
    provider.onProbe = () => 'unknown';
    const again = await verify(all);
    assert.deepEqual(verdictsOf(again), { s0: 'confirmedGone', s1: 'stillRunning' });
    services.dispose();
  });
});

describe('a review of sessions', () => {
  it('checks at most four times, at once and after 1, 2 and 3 seconds', async () => {
    const { provider, clock, services, review } = await servicesWith(1, 'unreliable');
    hide(provider, 's0');
    provider.onProbe = () => 'unknown';
    const began = clock.now();
    const lists = provider.times('list').length;
    assert.deepEqual(verdictsOf(await review()), { s0: 'unknown' });
    const looks = provider.times('list').slice(lists);
    // Each takes a list of 10 ms and a probe of 5 ms.
    assert.deepEqual(
      looks.map((at, index) => at - (looks[0] ?? 0) - index * 15),
      [0, 1_000, 3_000, 6_000],
    );
    assert.equal(clock.now() - began, 6_060);
    services.dispose();
  });

  it('checks once when that answers everything, or when there is no list', async () => {
    const { provider, services, review } = await servicesWith(2, 'lagging');
    const looks = async (sessions?: readonly Session[]) => {
      const before = provider.asked('list').length;
      const result = await review(sessions);
      return [provider.asked('list').length - before, verdictsOf(result)];
    };
    const all = [...provider.running.values()];
    provider.running.delete('s0');
    assert.deepEqual(await looks(all), [1, { s0: 'confirmedGone', s1: 'stillRunning' }]);
    provider.onList = () => {
      throw failure({ kind: 'forbidden' });
    };
    assert.deepEqual(await looks(all), [1, {}]);
    services.dispose();
  });

  it('continues while one of them is unknown, and reports the result of the last check', async () => {
    const { provider, services, review } = await servicesWith(2, 'unreliable');
    provider.running.delete('s0');
    const lists = provider.asked('list').length;
    provider.onProbe = () => (provider.asked('list').length - lists < 3 ? 'unknown' : 'gone');
    assert.deepEqual(verdictsOf(await review()), { s0: 'confirmedGone', s1: 'stillRunning' });
    assert.equal(provider.asked('list').length - lists, 3);
    services.dispose();
  });

  it('finds out about sessions that no list has ever had, and forgets them afterwards', async () => {
    const { provider, services, id, review } = await servicesWith(1, 'unreliable');
    const unlisted = someSession('unlisted');
    provider.onProbe = () => 'gone';
    assert.deepEqual(verdictsOf(await review([unlisted])), { unlisted: 'confirmedGone' });
    assert.equal(services.evidence.verdict(id, unlisted.id), 'unknown');
    services.dispose();
  });
});

describe('a check of sessions missing from a list', () => {
  /** Services whose latest list leaves out s0 and s1 of three. */
  const missingTwo = async (lists: EndingTerms['lists'] = 'lagging') => {
    const scripted = await servicesWith(3, lists);
    const { provider, clock, services, id, over, listed } = scripted;
    const missing = listed().filter((session) => session.id !== 's2');
    hide(provider, 's0', 's1');
    await over(services.refresher.refresh(id));
    // The refresher asks about them, too: now it won't for a while.
    await clock.until(clock.wait(100), 200);
    provider.calls.length = 0;
    return { ...scripted, missing };
  };
  const rows = ({ services, id }: ScriptedServices): SessionId[] => [
    ...(services.store.state(id)?.contents.sessions.keys() ?? []),
  ];

  it('removes those that the provider says are gone, and keeps the others', async () => {
    const scripted = await missingTwo();
    const { provider, services, check, missing } = scripted;
    provider.onProbe = ({ id }) => (id === 's0' ? 'gone' : 'running');
    const { answers } = await check(missing);
    assert.deepEqual(Object.fromEntries(answers), { s0: 'gone', s1: 'running' });
    assert.deepEqual(rows(scripted).sort(), ['s1', 's2']);
    const { evidence } = services;
    assert.deepEqual(
      missing.map((session) => evidence.verdict(scripted.id, session.id)),
      ['unknown', 'stillRunning'],
    );
    services.dispose();
  });

  it('asks about no more than its limit', async () => {
    const scripted = await missingTwo();
    const { provider, services, check, missing } = scripted;
    provider.onProbe = () => 'gone';
    assert.equal((await check(missing, { most: 1 })).askedAbout.size, 1);
    services.dispose();
  });

  it('removes nothing once it is stopped', async () => {
    const scripted = await missingTwo();
    const { provider, services, check, missing } = scripted;
    const stop = new AbortController();
    provider.onProbe = () => {
      stop.abort();
      return 'gone';
    };
    const { answers } = await check(missing, { stop: stop.signal });
    assert.ok(answers.size > 0);
    assert.equal(rows(scripted).length, 3);
    services.dispose();
  });

  it('believes a list that arrives during the check and has the session again', async () => {
    const scripted = await missingTwo();
    const { provider, services, id, check, missing } = scripted;
    provider.onProbe = async (session) => {
      hide(provider, 's1');
      await services.refresher.refresh(id);
      return session.id === 's0' ? 'gone' : 'unknown';
    };
    await check(missing);
    assert.equal(rows(scripted).length, 3);
    assert.equal(services.evidence.verdict(id, s0), 'stillRunning');
    // The next list that leaves it out doesn't find that response, either.
    hide(provider, 's0');
    provider.onProbe = () => 'unknown';
    await scripted.over(services.refresher.refresh(id));
    assert.equal(services.evidence.verdict(id, s0), 'unknown');
    assert.equal(rows(scripted).length, 3);
    services.dispose();
  });

  it('keeps the row of another session that has taken over the id', async () => {
    const scripted = await missingTwo();
    const { provider, clock, services, check, missing } = scripted;
    provider.onProbe = () => 'gone';
    const earlier = missing.map((session) => ({ ...session, startedAt: clock.now() - 60_000 }));
    await check(earlier);
    assert.equal(rows(scripted).length, 3);
    services.dispose();
  });

  it('records what the provider says about a session that no list has ever had', async () => {
    const scripted = await missingTwo('unreliable');
    const { provider, services, id, check, over } = scripted;
    const unlisted = someSession('unlisted');
    const release = services.evidence.want(id, [unlisted]);
    await over(services.refresher.refresh(id));
    provider.onProbe = () => 'gone';
    await check([unlisted]);
    assert.equal(services.evidence.verdict(id, unlisted.id), 'confirmedGone');
    release();
    services.dispose();
  });
});
