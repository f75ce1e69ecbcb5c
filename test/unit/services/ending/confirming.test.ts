import { strict as assert } from 'node:assert';
import { accountId, groupId, pageId, sessionId } from '../../../../src/core/ids.ts';
import { type EndingTerms, usualEnding } from '../../../../src/core/provider.ts';
import { ProviderError } from '../../../../src/core/providerError.ts';
import type { EndOutcomeKind, EndProgress, EndReport } from '../../../../src/services/ending/report.ts';
import { hasUnfinishedEnds } from '../../../../src/services/ending/unfinished.ts';
import { failure, type ScriptedProvider, scriptedServices } from '../scriptedProvider.ts';

function outcomes({ results }: EndReport): Record<string, EndOutcomeKind> {
  return Object.fromEntries(results.map(({ session, outcome }) => [session.id, outcome]));
}

/** Starts sessions s0, s1 and so on, at a provider where this confirms an end. */
const starts = (count: number, lists: EndingTerms['lists'] = 'lagging') => {
  return (provider: ScriptedProvider) => {
    for (let index = 0; index < count; index++) provider.start(`s${index}`);
    provider.ending = { ...usualEnding, lists };
  };
};
const s0 = sessionId('s0');

describe('confirming ends', () => {
  it('checks at once, and again after 1, 2, 4 and then every 8 seconds, until half a minute has passed', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(1, 'complete'));
    provider.onEnd = () => ({ outcome: 'accepted', how: 'by a word' });
    const report = await end(targets());
    const [ended = 0] = provider.times('end');
    // Each list takes its time, too.
    const looks = provider.times('list').slice(1);
    assert.deepEqual(
      looks.map((at, index) => at - ended - 20 - index * 10),
      [0, 1_000, 3_000, 7_000, 15_000, 23_000],
    );
    const [result] = report.results;
    assert.deepEqual(
      [result?.outcome, result?.why, result?.how],
      ['stuck', { kind: 'stillRuns', found: true, said: undefined }, undefined],
    );
    assert.ok(services.log.lines.includes(`end scripted s0: stuck, 1 sent, ${result?.ms} ms`));
    services.dispose();
  });

  it('checks once more exactly when its time is up', async () => {
    for (const [withinMs, looks] of [
      [999, 1],
      [1_000, 2],
    ] as const) {
      const { provider, services, targets, end } = await scriptedServices((provider) => {
        starts(1)(provider);
        provider.ending = { ...usualEnding, withinMs };
      });
      provider.onEnd = () => ({ outcome: 'accepted', how: undefined });
      await end(targets());
      assert.equal(provider.asked('list').length - 1, looks);
      services.dispose();
    }
  });

  it('reports how a session was ended if the provider does, how long it took, and writes a log line about it', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(1, 'complete'));
    provider.onEnd = () => {
      provider.running.clear();
      return { outcome: 'ended', how: 'It went to sleep.' };
    };
    const { results } = await end(targets());
    const [{ how, ms, attempts } = assert.fail()] = results;
    assert.deepEqual([how, ms, attempts], ['It went to sleep.', 30, 1]);
    assert.ok(services.log.lines.includes('end scripted s0: ended, 1 sent, 30 ms: It went to sleep.'));
    services.dispose();
  });

  it('reports the outcome for each session as soon as it is known, on its row and in the journal', async () => {
    const { provider, clock, services, id, targets, over } = await scriptedServices(starts(4, 'complete'));
    const conflict = failure({ kind: 'conflict' });
    provider.onEnd = (session) => {
      if (session.id === 's0') throw failure({ kind: 'forbidden' });
      if (session.id === 's1') throw conflict;
      if (session.id === 's2') provider.running.delete('s2');
      return { outcome: 'accepted', how: undefined };
    };
    const ending = services.ender.end(targets(), { stop: new AbortController().signal, onProgress: () => {} });
    const lives = () => ['s0', 's1', 's2', 's3'].map((one) => services.store.life(id, sessionId(one)).kind);
    await clock.until(clock.wait(25), 100);
    assert.deepEqual(lives(), ['stuck', 'ending', 'ending', 'ending']);
    await clock.until(clock.wait(9_975), 20_000);
    assert.deepEqual(lives(), ['stuck', 'stuck', 'running', 'ending']);
    // The journal contains the sessions whose outcome isn't known yet.
    const written = JSON.stringify(services.memory.get('unfinishedEnds'));
    assert.deepEqual(written.match(/s\d/g), ['s3']);
    await over(ending);
    assert.ok(!hasUnfinishedEnds(services.memory));
    services.dispose();
  });

  it('accepts one complete list as confirmation where that is enough, and asks for no session', async () => {
    const { provider, services, id, targets, end } = await scriptedServices(starts(3, 'complete'));
    assert.deepEqual(outcomes(await end(targets('s0', 's1'))), { s0: 'ended', s1: 'ended' });
    assert.deepEqual(provider.asked('probe'), []);
    assert.equal(provider.asked('list').length, 2);
    assert.deepEqual([...provider.running.keys()], ['s2']);
    assert.ok(services.store.hasEnded(id, s0));
    assert.equal(services.evidence.verdict(id, s0), 'unknown', 'what was learned about it is kept');
    services.dispose();
  });

  it('asks about a session missing from a list before saying that it ended', async () => {
    const { provider, services, id, targets, end } = await scriptedServices(starts(2));
    assert.deepEqual(outcomes(await end(targets('s0'))), { s0: 'ended' });
    assert.equal(provider.asked('list').length, 2);
    const probed = provider.asked('probe');
    assert.ok(probed.length > 0);
    assert.deepEqual(new Set(probed), new Set(['s0']));
    assert.equal(services.store.session(id, s0), undefined);
    services.dispose();
  });

  it('reports an unlisted session that the provider didn’t know as already gone', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(2, 'complete'));
    const all = targets();
    provider.running.delete('s0');
    assert.deepEqual(outcomes(await end(all)), { s0: 'alreadyGone', s1: 'ended' });
    services.dispose();
  });

  it('doesn’t say ended when lists leave a session out but the provider says it is running', async () => {
    const { provider, services, id, targets, end } = await scriptedServices(starts(2));
    const all = targets('s0');
    provider.onEnd = () => ({ outcome: 'ended', how: undefined });
    provider.onList = () => ({ sessions: [...provider.running.values()].filter(({ id }) => id !== 's0') });
    const report = await end(all);
    assert.deepEqual(outcomes(report), { s0: 'stuck' });
    assert.deepEqual(report.results[0]?.why, { kind: 'stillRuns', found: true, said: undefined });
    assert.ok(services.store.session(id, s0));
    services.dispose();
  });

  it('remembers that the provider called a session running while later requests about it fail', async () => {
    const { provider, services, id, targets, end } = await scriptedServices(starts(2));
    const all = targets('s0');
    provider.onEnd = () => ({ outcome: 'ended', how: undefined });
    provider.onList = () => ({ sessions: [...provider.running.values()].filter(({ id }) => id !== 's0') });
    let probes = 0;
    provider.onProbe = () => {
      if (++probes > 2) throw failure({ kind: 'conflict' });
      return 'running';
    };
    const report = await end(all);
    assert.ok(probes > 3, String(probes));
    assert.deepEqual(outcomes(report), { s0: 'stuck' });
    assert.ok(services.store.session(id, s0), 'the row of a running session disappeared');
    services.dispose();
  });

  it('doesn’t say ended while requests about the session fail, however many lists leave it out', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(2));
    const refused = failure({ kind: 'conflict' });
    provider.onProbe = () => {
      throw refused;
    };
    const report = await end(targets('s0'));
    assert.deepEqual(outcomes(report), { s0: 'stuck' });
    assert.deepEqual(report.results[0]?.why, { kind: 'unconfirmed', error: refused, isCombined: false });
    services.dispose();
  });

  it('asks about every session that two lists leave out, however many', async () => {
    const { provider, services, id, targets, end } = await scriptedServices(starts(60));
    // Every end gets a response but does nothing, and lists are empty for two seconds.
    provider.onEnd = () => ({ outcome: 'ended', how: undefined });
    const all = targets();
    let emptyUntil = 0;
    provider.onList = () => {
      if (emptyUntil === 0) emptyUntil = provider.clock.now() + 2_500;
      return provider.clock.now() < emptyUntil ? { sessions: [] } : {};
    };
    const lost: string[] = [];
    services.store.onDidLeave(({ session }) => lost.push(session.id));
    const report = await end(all);
    assert.deepEqual(new Set(Object.values(outcomes(report))), new Set(['stuck']));
    assert.equal(report.results.length, 60);
    assert.deepEqual(lost, []);
    assert.equal(services.store.state(id)?.contents.sessions.size, 60);
    assert.equal(provider.most.get('probe'), 8);
    services.dispose();
  });

  it('doesn’t say ended while the provider accepts no requests, and asks when it does', async () => {
    const { provider, clock, services, targets, end } = await scriptedServices(starts(30));
    const all = targets();
    const opens = clock.now() + 6_000;
    provider.onProbe = ({ id }) => {
      if (clock.now() < opens) throw failure({ kind: 'rateLimited', retryAt: opens });
      return provider.running.has(id) ? 'running' : 'gone';
    };
    // Every third doesn't end, and lists leave all of them out.
    provider.onEnd = ({ id }) => {
      if (Number(id.slice(1)) % 3 > 0) provider.running.delete(id);
      return { outcome: 'ended', how: undefined };
    };
    provider.onList = () => ({ sessions: [] });
    const found = outcomes(await end(all));
    for (const [session, outcome] of Object.entries(found)) {
      assert.equal(outcome, provider.running.has(session) ? 'stuck' : 'ended', session);
    }
    services.dispose();
  });

  it('gives the reason why a session that lists leave out couldn’t be asked about', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(1));
    const limited = failure({ kind: 'rateLimited', retryAt: undefined });
    provider.onProbe = () => {
      throw limited;
    };
    const { results } = await end(targets());
    assert.deepEqual(
      [results[0]?.outcome, results[0]?.why],
      ['stuck', { kind: 'unconfirmed', error: limited, isCombined: false }],
    );
    services.dispose();
  });

  it('confirms many ended sessions with at most eight requests at a time', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(60));
    assert.deepEqual(new Set(Object.values(outcomes(await end(targets())))), new Set(['ended']));
    assert.equal(provider.most.get('probe'), 8);
    services.dispose();
  });

  it('accepts only a probe as confirmation where lists may leave out running sessions', async () => {
    const { provider, services, id, targets, end } = await scriptedServices(starts(3, 'unreliable'));
    provider.onEnd = ({ id }) => {
      if (id === 's0') provider.running.delete(id);
      return { outcome: 'ended', how: undefined };
    };
    const broken = failure({ kind: 'conflict' });
    provider.onList = () => ({ sessions: [] });
    provider.onProbe = ({ id }) => {
      if (id === 's2') throw broken;
      return provider.running.has(id) ? 'running' : 'gone';
    };
    const all = targets();
    const report = await end(all);
    assert.deepEqual(outcomes(report), { s0: 'ended', s1: 'stuck', s2: 'stuck' });
    const why = new Map(report.results.map(({ session, why }) => [session.id as string, why]));
    assert.deepEqual(why.get('s1'), { kind: 'stillRuns', found: true, said: undefined });
    // For the last one, the provider never said that it is running.
    assert.deepEqual(why.get('s2'), { kind: 'unconfirmed', error: broken, isCombined: false });
    assert.equal(services.store.session(id, s0), undefined);
    assert.ok(services.store.session(id, sessionId('s2')));
    services.dispose();
  });

  it('confirms nothing while the list fails, and gives the reason', async () => {
    const { provider, services, id, targets, end } = await scriptedServices(starts(2));
    const all = targets();
    const down = failure({ kind: 'serverFault', status: 502 }, 'down');
    provider.onList = () => {
      throw down;
    };
    provider.onEnd = ({ id }) => {
      if (id === 's0') provider.running.delete(id);
      return { outcome: 'ended', how: undefined };
    };
    const report = await end(all);
    assert.deepEqual(outcomes(report), { s0: 'stuck', s1: 'stuck' });
    assert.deepEqual(provider.asked('probe'), []);
    const stuck = report.results.find(({ session }) => session.id === 's1');
    assert.deepEqual(stuck?.why, { kind: 'unconfirmed', error: down, isCombined: false });
    for (const one of ['s0', 's1']) assert.ok(services.store.session(id, sessionId(one)));
    services.dispose();
  });

  it('doesn’t resend an end of unknown effect while no list is available', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(1));
    const all = targets();
    provider.onList = () => {
      throw failure({ kind: 'serverFault', status: 502 });
    };
    provider.onEnd = () => {
      throw failure({ kind: 'timedOut', afterMs: 15_000 });
    };
    const report = await end(all);
    assert.deepEqual([outcomes(report), provider.asked('end').length], [{ s0: 'stuck' }, 1]);
    assert.equal(report.results[0]?.why?.kind, 'unconfirmed');
    services.dispose();
  });

  for (const lists of ['complete', 'partial', 'lagging', 'unreliable'] as const) {
    it(`doesn’t say ended of a session whose start time differs between responses (${lists})`, async () => {
      for (const moved of [-60_000, -1, 1, 999]) {
        const { provider, services, targets, end } = await scriptedServices(starts(1, lists));
        provider.onEnd = (session) => {
          provider.running.set('s0', { ...session, startedAt: (session.startedAt ?? 0) + moved });
          return { outcome: 'accepted', how: undefined };
        };
        assert.deepEqual(outcomes(await end(targets())), { s0: 'stuck' }, `moved by ${moved} ms`);
        services.dispose();
      }
    });
  }

  it('confirms nothing from a list with a row that names no session', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(2, 'complete'));
    const all = targets();
    provider.onEnd = ({ id }) => {
      if (id === 's0') provider.running.delete(id);
      return { outcome: 'ended', how: undefined };
    };
    provider.onList = () => ({ sessions: [], faults: [{ subject: 'row 1', unnamed: true, what: 'it has no id' }] });
    const report = await end(all);
    assert.deepEqual(outcomes(report), { s0: 'stuck', s1: 'stuck' });
    const why = report.results.find(({ session }) => session.id === 's1')?.why;
    assert.ok(why?.kind === 'unconfirmed');
    const what = "a row of its list doesn't say which session it's about";
    assert.deepEqual([why.error?.trouble, why.error?.message], [{ kind: 'unexpectedAnswer', what }, what]);
    services.dispose();
  });

  it('accepts a list as complete even if rows that have names can’t be read', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(2, 'complete'));
    provider.onList = () => ({ faults: [{ subject: 'another', what: 'it has no status' }] });
    assert.deepEqual(outcomes(await end(targets())), { s0: 'ended', s1: 'ended' });
    assert.deepEqual(provider.asked('probe'), []);
    services.dispose();
  });

  for (const lists of ['lagging', 'unreliable'] as const) {
    it(`keeps the row of another session that has taken over the id (${lists})`, async () => {
      const { provider, clock, services, id, targets, end } = await scriptedServices(starts(1, lists));
      await clock.until(clock.wait(1_000), 2_000);
      provider.onEnd = () => {
        provider.start('s0');
        return { outcome: 'ended', how: undefined };
      };
      provider.onProbe = (session) => (provider.running.get(session.id) === session ? 'running' : 'gone');
      const all = targets();
      const left: string[] = [];
      services.store.onDidLeave(({ session }) => left.push(session.id));
      assert.deepEqual(outcomes(await end(all)), { s0: 'ended' });
      assert.deepEqual(left, []);
      assert.deepEqual(services.store.session(id, s0), provider.running.get('s0'));
      assert.equal(services.store.hasEnded(id, s0), false);
      assert.equal(services.store.life(id, s0).kind, 'running');
      services.dispose();
    });
  }

  it('doesn’t show a failure on the row of another session that has taken over the id', async () => {
    const { provider, clock, services, id, targets, end } = await scriptedServices(starts(1));
    await clock.until(clock.wait(1_000), 2_000);
    provider.onEnd = async () => {
      provider.start('s0');
      await services.refresher.refresh(id);
      throw failure({ kind: 'forbidden' });
    };
    assert.deepEqual(outcomes(await end(targets())), { s0: 'failed' });
    assert.equal(services.store.life(id, s0).kind, 'running');
    services.dispose();
  });

  it('reports a session as ended when all its pages were closed, even if others were opened in it since', async () => {
    const page = (id: string) => ({ id: pageId(id), title: id, url: 'about:blank' });
    const { provider, services, id, targets, end } = await scriptedServices((provider) => {
      provider.start('s0', { ends: 'pages', pages: [page('a')] });
      provider.ending = { ...usualEnding, lists: 'complete' };
    });
    const all = targets();
    const [started] = provider.running.values();
    provider.onEnd = () => {
      provider.start('s0', { ...started, pages: [page('b')] });
      return { outcome: 'ended', how: undefined };
    };
    assert.deepEqual(outcomes(await end(all)), { s0: 'ended' });
    assert.equal(services.store.life(id, s0).kind, 'running');
    assert.ok(services.store.session(id, s0), 'its row disappeared, but it has another page');
    services.dispose();
  });

  it('doesn’t call a session ended that had no page to close', async () => {
    const { provider, services, targets, end } = await scriptedServices((scripted) => {
      scripted.start('s0', { ends: 'pages', pages: [] });
      scripted.ending = { ...usualEnding, lists: 'complete' };
    });
    provider.onEnd = () => ({ outcome: 'accepted', how: undefined });
    assert.deepEqual(outcomes(await end(targets())), { s0: 'stuck' });
    services.dispose();
  });

  it('doesn’t send an end again that was refused because the ID may mean another session by now', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(1, 'complete'));
    provider.onEnd = () => {
      throw failure({ kind: 'otherSession' });
    };
    const report = await end(targets());
    assert.deepEqual([outcomes(report), report.results[0]?.attempts], [{ s0: 'failed' }, 1]);
    assert.equal(provider.asked('end').length, 1);
    services.dispose();
  });

  it('doesn’t say that a session has ended because a provider that sent nothing lists another start for it', async () => {
    const { provider, services, id, targets, end } = await scriptedServices(starts(2, 'complete'));
    provider.onEnd = (session) => {
      if (session.id === 's1') provider.running.delete('s1');
      else provider.start('s0', { startedAt: (session.startedAt ?? 0) + 5_000 });
      throw failure({ kind: 'otherSession' });
    };
    const report = await end(targets());
    assert.deepEqual(outcomes(report), { s0: 'failed', s1: 'alreadyGone' });
    const [result] = report.results;
    assert.ok(result?.why?.kind === 'failed' && result.why.error.trouble.kind === 'otherSession');
    assert.equal(services.store.life(id, sessionId('s0')).kind, 'running');
    services.dispose();
  });

  it('stops checking at once when the account is removed, and claims nothing', async () => {
    const { provider, clock, services, id, targets, end } = await scriptedServices(starts(1));
    provider.onEnd = () => ({ outcome: 'accepted', how: undefined });
    clock.after(2_500, () => void services.accounts.remove(id));
    const began = clock.now();
    const report = await end(targets());
    assert.ok(clock.now() - began < 4_000, String(clock.now() - began));
    assert.deepEqual(outcomes(report), { s0: 'stuck' });
    const [result] = report.results;
    assert.ok(result?.why?.kind === 'unconfirmed');
    assert.equal(result.why.error?.message, 'the account was removed in the meantime');
    assert.equal(result.why.error.trouble.kind, 'canceled');
    assert.match(services.log.lines.at(-1) ?? '', new RegExp(`^end ${id} s0: stuck, 1 sent, \\d+ ms: the account was`));
    services.dispose();
  });

  it('stops checking at once when the key is replaced, and claims nothing', async () => {
    const { provider, clock, services, id, targets, end } = await scriptedServices(starts(1));
    provider.onEnd = () => ({ outcome: 'accepted', how: undefined });
    clock.after(2_500, () => void services.accounts.replaceCredentials(id, { other: 'key' }));
    const began = clock.now();
    const { results } = await end(targets());
    assert.ok(clock.now() - began < 4_000, String(clock.now() - began));
    assert.ok(results[0]?.why?.kind === 'unconfirmed');
    assert.equal(results[0].why.error?.message, 'the account’s key was replaced in the meantime');
    assert.equal(results[0].why.error.trouble.kind, 'canceled');
    services.dispose();
  });

  describe('of sessions that are missing at the start', () => {
    it('reports already gone when the session has ended or another session has its id', async () => {
      const { provider, clock, services, id, targets, end, over } = await scriptedServices(starts(3, 'complete'));
      const all = targets();
      provider.running.delete('s0');
      await clock.until(clock.wait(1_000), 2_000);
      provider.start('s1');
      await over(services.refresher.refresh(id));
      const progress: EndProgress[] = [];
      const report = await end(all, { onProgress: (at) => progress.push(at) });
      assert.deepEqual(outcomes(report), { s0: 'alreadyGone', s1: 'alreadyGone', s2: 'ended' });
      assert.deepEqual([report.results.length, progress.at(-1)], [3, { total: 3, sent: 3, settled: 3 }]);
      assert.deepEqual(provider.asked('end'), ['s2']);
      for (const { session, attempts, why } of report.results) {
        assert.deepEqual([attempts, why], [session.id === 's2' ? 1 : 0, undefined]);
      }
      services.dispose();
    });

    it('fails when the account no longer exists, never existed, or has another key', async () => {
      const { provider, services, id, targets, end, over } = await scriptedServices(starts(1));
      const all = targets();
      const never = all.map(({ session }) => ({ accountId: accountId('never'), session }));
      const messageOf = async (of: typeof all) => {
        const { results } = await end(of);
        const [result] = results;
        assert.ok(result?.outcome === 'failed' && result.why?.kind === 'failed');
        assert.equal(result.why.error.trouble.kind, 'canceled');
        return result.why.error.message;
      };
      assert.equal(await messageOf(never), 'the account was removed in the meantime');
      await over(services.accounts.replaceCredentials(id, { other: 'key' }));
      assert.equal(await messageOf(all), 'the account’s key was replaced in the meantime');
      await over(services.accounts.remove(id));
      assert.equal(await messageOf(all), 'the account was removed in the meantime');
      assert.deepEqual(provider.asked('end'), []);
      services.dispose();
    });
  });

  describe('where one list is enough', () => {
    const listsBeforeEnd = async (lists: EndingTerms['lists'], ageMs: number, clockSetBy = 0) => {
      const { provider, clock, services, targets, end } = await scriptedServices(starts(1, lists));
      await clock.until(clock.wait(ageMs), 2 * ageMs);
      clock.jump(clockSetBy);
      await end(targets());
      const kinds = provider.calls.map(({ kind }) => kind);
      services.dispose();
      return kinds.slice(0, kinds.indexOf('end')).filter((kind) => kind === 'list').length - 1;
    };

    it('lists again before ending when the list is five seconds old, as ids may be reused', async () => {
      assert.equal(await listsBeforeEnd('complete', 5_000), 1);
      assert.equal(await listsBeforeEnd('complete', 5_000, -3_600_000), 1, 'the clock was set back');
    });

    it('doesn’t list again before ending when the list is newer, or where ids aren’t reused', async () => {
      assert.equal(await listsBeforeEnd('complete', 4_900), 0);
      assert.equal(await listsBeforeEnd('lagging', 60_000), 0);
      assert.equal(await listsBeforeEnd('unreliable', 60_000), 0);
    });
  });

  describe('of a request that ends several sessions', () => {
    const g = groupId('g');
    const grouped = (count: number) => (provider: ScriptedProvider) => {
      starts(count, 'complete')(provider);
      for (const id of ['s0', 's1', 's2']) provider.start(id, { groupId: g });
      provider.onList = () => ({
        groups: [{ id: g, kind: 'batch', name: 'batch', status: 'processing', createdAt: undefined }],
      });
    };
    const removes = (provider: ScriptedProvider) => async (group: string) => {
      for (const { id, groupId } of [...provider.running.values()]) if (groupId === group) provider.running.delete(id);
    };

    it('covers everything that is listed, and doesn’t count attempts', async () => {
      const { provider, services, id, over } = await scriptedServices((provider) => {
        starts(3, 'complete')(provider);
        provider.endEverything = async () => provider.running.clear();
      });
      const { results, error } = await over(services.ender.endEverything(id));
      assert.equal(error, undefined);
      assert.equal(services.evidence.verdict(id, s0), 'unknown', 'what was learned about it is kept');
      assert.deepEqual(outcomes({ results }), { s0: 'ended', s1: 'ended', s2: 'ended' });
      for (const { attempts, how } of results) assert.deepEqual([attempts, how], [0, undefined]);
      assert.deepEqual([provider.asked('endEverything').length, provider.asked('end').length], [1, 0]);
      services.dispose();
    });

    it('covers only what belongs to a group that is deleted or canceled', async () => {
      for (const request of ['deleteGroup', 'cancelGroup'] as const) {
        const { provider, services, id, over } = await scriptedServices((provider) => {
          grouped(5)(provider);
          provider.deleteGroup = async (group) => {
            await removes(provider)(group);
            return { deleted: 3, failed: 0, failures: [], message: undefined };
          };
          provider.cancelGroup = removes(provider);
        });
        const report = await over<EndReport>(services.ender[request](id, g));
        assert.deepEqual(outcomes(report), { s0: 'ended', s1: 'ended', s2: 'ended' });
        assert.deepEqual(provider.asked(request), ['g']);
        assert.ok(!('error' in report) || report.error === undefined);
        assert.ok(!('answer' in report) || !ProviderError.is(report.answer));
        assert.deepEqual([...provider.running.keys()], ['s3', 's4']);
        services.dispose();
      }
    });

    it('fails with the provider’s message about a session after three checks show it running', async () => {
      const { provider, services, id, over } = await scriptedServices((provider) => {
        grouped(3)(provider);
        provider.deleteGroup = async () => {
          provider.running.delete('s0');
          const failures = [{ sessionId: 's1', reason: 'locked' }];
          return { deleted: 1, failed: 1, failures, message: undefined };
        };
      });
      const lists = provider.asked('list').length;
      const began = provider.clock.now();
      const { results } = await over(services.ender.deleteGroup(id, g));
      const why = new Map(results.map(({ session, outcome, why }) => [session.id as string, [outcome, why]]));
      assert.deepEqual(why.get('s0'), ['ended', undefined]);
      assert.deepEqual(why.get('s1'), ['failed', { kind: 'notDeleted', said: 'locked' }]);
      assert.deepEqual(why.get('s2'), ['stuck', { kind: 'stillRuns', found: true, said: undefined }]);
      const failed = results.find(({ session }) => session.id === 's1');
      assert.ok(failed && failed.ms >= 3_000 && failed.ms < 4_000, String(failed?.ms));
      assert.ok(provider.asked('list').length - lists === 6 && provider.clock.now() - began > 20_000);
      services.dispose();
    });

    it('sends the request once, whatever the result, and still checks', async () => {
      const broken = failure({ kind: 'timedOut', afterMs: 15_000 });
      const { provider, services, id, over } = await scriptedServices((provider) => {
        grouped(4)(provider);
        const fail = async () => {
          provider.running.delete('s0');
          throw broken;
        };
        Object.assign(provider, { endEverything: fail, deleteGroup: fail, cancelGroup: fail });
      });
      const began = provider.clock.now();
      const deleted = await over(services.ender.deleteGroup(id, g));
      assert.ok(provider.clock.now() - began < 4_000);
      assert.deepEqual([deleted.answer, outcomes(deleted)], [broken, { s0: 'ended', s1: 'failed', s2: 'failed' }]);
      const canceled = await over(services.ender.cancelGroup(id, g));
      assert.deepEqual([canceled.error, outcomes(canceled)], [broken, { s1: 'failed', s2: 'failed' }]);
      const everything = await over(services.ender.endEverything(id));
      assert.deepEqual(
        [everything.error, outcomes(everything)],
        [broken, { s1: 'failed', s2: 'failed', s3: 'failed' }],
      );
      for (const kind of ['deleteGroup', 'cancelGroup', 'endEverything'] as const) {
        assert.equal(provider.asked(kind).length, 1);
      }
      assert.ok(!hasUnfinishedEnds(services.memory));
      services.dispose();
    });

    it('checks when the provider doesn’t know the group', async () => {
      const unknown = failure({ kind: 'notFound' });
      const { provider, services, id, over } = await scriptedServices((provider) => {
        grouped(3)(provider);
        provider.deleteGroup = async () => {
          provider.running.delete('s0');
          throw unknown;
        };
      });
      const { answer, results } = await over(services.ender.deleteGroup(id, g));
      assert.deepEqual([answer, outcomes({ results })], [unknown, { s0: 'ended', s1: 'failed', s2: 'failed' }]);
      assert.equal(provider.asked('deleteGroup').length, 1);
      services.dispose();
    });

    it('fails at once when the provider has no such request, and says which one', async () => {
      const { services, id, over } = await scriptedServices(grouped(3));
      const { answer } = await over(services.ender.deleteGroup(id, g));
      const everything = await over(services.ender.endEverything(id));
      const { error, results } = await over(services.ender.cancelGroup(id, g));
      assert.ok(ProviderError.is(answer));
      const errors = [answer, everything.error, error];
      assert.deepEqual(
        errors.map((one) => [one?.trouble, one?.message]),
        ['delete a batch', 'end everything at once', 'cancel a batch'].map((what) => [
          { kind: 'unsupported', reason: { kind: 'noRequest' } },
          `the provider can't ${what}`,
        ]),
      );
      assert.deepEqual(new Set(Object.values(outcomes({ results }))), new Set(['failed']));
      services.dispose();
    });

    it('does nothing for an account that doesn’t exist', async () => {
      const { services, over } = await scriptedServices(starts(1));
      const nobody = accountId('nobody');
      const { results, error } = await over(services.ender.endEverything(nobody));
      assert.deepEqual([results, error?.message], [[], 'the account was removed in the meantime']);
      services.dispose();
    });
  });
});
