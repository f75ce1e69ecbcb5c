import { strict as assert } from 'node:assert';
import { sessionId } from '../../../../src/core/ids.ts';
import { usualEnding } from '../../../../src/core/provider.ts';
import type { Trouble } from '../../../../src/core/providerError.ts';
import type { EndOutcomeKind, EndProgress, EndReport } from '../../../../src/services/ending/report.ts';
import { failure, type ScriptedProvider, scriptedServices } from '../scriptedProvider.ts';

const quietly = { stop: new AbortController().signal, onProgress: () => {} };

/** What became of each session, and how often its end was sent. */
function outcomes({ results }: EndReport): Record<string, readonly [EndOutcomeKind, number]> {
  return Object.fromEntries(results.map(({ session, outcome, attempts }) => [session.id, [outcome, attempts]]));
}

/** Starts sessions s0, s1 and so on. */
const starts = (count: number) => (provider: ScriptedProvider) => {
  for (let index = 0; index < count; index++) provider.start(`s${index}`);
};

describe('sending ends', () => {
  describe('to a provider that may give an ID to another session', () => {
    /** Of several ends that take long, the last one is sent when another session has its ID. */
    const reused = async (prepare: (provider: ScriptedProvider) => void) => {
      const { clock, provider, services, targets, end } = await scriptedServices((made) => {
        made.ending = { ...usualEnding, mostInFlight: 1, mayReuseIds: true };
        starts(12)(made);
        made.onEnd = async ({ id }) => {
          await clock.wait(1_500);
          return { outcome: made.running.delete(id) ? 'ended' : 'alreadyGone', how: undefined };
        };
        prepare(made);
      });
      clock.after(7_000, () => provider.start('s11', { name: 'another' }));
      const report = await end(targets());
      services.dispose();
      return { provider, report };
    };

    /** Sessions whose list is 20 seconds old. */
    const withOldList = async (count: number) => {
      const all = await scriptedServices(
        (made) => {
          made.ending = { ...usualEnding, mayReuseIds: true };
          for (let at = 0; at < count; at++) made.start(`s${at}`, { startedAt: 1_000 });
        },
        { interval: 0 },
      );
      await all.over(all.clock.wait(20_000));
      return all;
    };

    it('compares the sessions again if the list is old by the time that an end is sent', async () => {
      const { provider, report } = await reused(() => {});
      assert.deepEqual(
        [...provider.running.values()].map(({ name }) => name),
        ['another'],
      );
      assert.deepEqual(outcomes(report)['s11'], ['alreadyGone', 0]);
      assert.ok(provider.asked('list').length < 10);
    });

    it('compares them again if the list took so long that its first rows are old', async () => {
      const { clock, provider, services, id, targets, end, over } = await scriptedServices(
        (made) => {
          made.ending = { ...usualEnding, mayReuseIds: true };
          starts(2)(made);
        },
        { interval: 0 },
      );
      const confirmed = targets('s0');
      provider.onList = async () => {
        const sessions = [...provider.running.values()];
        await clock.wait(8_000);
        return { sessions };
      };
      const listing = services.refresher.refresh(id);
      clock.after(500, () => provider.running.delete('s0'));
      clock.after(1_500, () => provider.start('s0', { name: 'another', startedAt: clock.now() }));
      await over(listing);
      const report = await end(confirmed);
      services.dispose();
      assert.equal(provider.running.get('s0')?.name, 'another');
      assert.deepEqual(outcomes(report)['s0'], ['alreadyGone', 0]);
    });

    for (const [name, fault] of [
      ['row can’t be read', { subject: 's0' }],
      ['row may be one that has no ID', { subject: 'row 1', unnamed: true }],
    ] as const)
      for (const ageMs of [0, 60_000])
        it(`sends nothing if its ${name} in a list that is ${ageMs} ms old`, async () => {
          const { clock, provider, services, id, targets, end, over } = await scriptedServices(
            (made) => {
              made.ending = { ...usualEnding, lists: 'complete', mayReuseIds: true };
              for (const own of ['s0', 's1']) made.start(own, { startedAt: 1_000 });
            },
            { interval: 0 },
          );
          const confirmed = targets('s0', 's1');
          provider.running.delete('s0');
          provider.start('s0', { name: 'another', startedAt: 900_000 });
          provider.onList = () => ({
            sessions: [...provider.running.values()].filter(({ id: its }) => its !== 's0'),
            faults: [{ what: 'it is odd', ...fault }],
          });
          await over(services.refresher.refresh(id));
          await over(clock.wait(ageMs));
          const report = await end(confirmed);
          services.dispose();
          assert.deepEqual(provider.asked('end'), ['s1']);
          assert.equal(outcomes(report)['s0']?.[0], 'failed');
        });

    it('sends no end to several servers at once, as the first one may end the session and give its ID away', async () => {
      const killed: (string | undefined)[] = [];
      const { clock, provider, services, id, targets, end, over } = await scriptedServices(
        (made) => {
          made.ending = { ...usualEnding, lists: 'partial', mayReuseIds: true };
          for (const own of ['s0', 's1']) made.start(own, { name: own });
          made.onEnd = async ({ id: its }) => {
            const had = made.running.get(its);
            if (had !== undefined) {
              killed.push(had.name);
              made.running.delete(its);
              clock.after(5, () => made.start(its, { name: 'another', startedAt: clock.now() }));
            }
            await clock.wait(3_000);
            return { outcome: 'accepted', how: undefined };
          };
        },
        { interval: 0 },
      );
      // Each of two servers has one of them.
      provider.onList = (nth) => ({
        sessions: [...provider.running.values()].filter((one) => (one.id === 's0') === (nth % 2 === 0)),
      });
      for (let lists = 0; lists < 4; lists++) {
        await over(services.refresher.refresh(id));
        await over(clock.wait(10_000));
      }
      assert.ok(services.evidence.isCombined(id));
      await end(targets('s0'));
      services.dispose();
      assert.deepEqual(killed, ['s0']);
    });

    it('compares them again before an end that was limited is sent again', async () => {
      const { provider } = await reused((made) => {
        const { onEnd } = made;
        made.onEnd = (session, attempt) => {
          if (attempt > 1) return onEnd(session, attempt);
          throw failure({ kind: 'rateLimited', retryAt: made.clock.now() + 12_000 });
        };
      });
      assert.deepEqual(
        [...provider.running.values()].map(({ name }) => name),
        ['another'],
      );
    });

    for (const trouble of [
      { kind: 'rateLimited', retryAt: undefined },
      { kind: 'serverFault', status: 503 },
      { kind: 'serverFault', status: 500 },
      { kind: 'timedOut', afterMs: 5 },
    ] as const)
      it(`requests the list that is to show them again if it failed once: ${JSON.stringify(trouble)}`, async () => {
        const { provider, services, targets, end } = await withOldList(5);
        let failed = false;
        provider.onList = () => {
          if (failed) return {};
          failed = true;
          throw failure(trouble);
        };
        const report = await end(targets());
        services.dispose();
        assert.ok(failed);
        assert.deepEqual([...new Set(report.results.map(({ outcome }) => outcome))], ['ended']);
      });

    it('requests only a few lists if they keep failing, however many ends there are', async () => {
      const { clock, provider, services, targets, end } = await withOldList(100);
      const before = provider.asked('list').length;
      provider.onList = async () => {
        await clock.wait(15_000);
        throw failure({ kind: 'timedOut', afterMs: 15_000 });
      };
      const report = await end(targets());
      services.dispose();
      assert.deepEqual(provider.asked('end'), []);
      assert.deepEqual([...new Set(report.results.map(({ outcome }) => outcome))], ['failed']);
      assert.ok(provider.asked('list').length - before <= 8, `${provider.asked('list').length - before} lists`);
    });

    it('requests few lists if each takes long', async () => {
      const { clock, provider, services, targets, end } = await withOldList(100);
      const before = provider.asked('list').length;
      provider.onList = async () => {
        await clock.wait(8_000);
        return {};
      };
      const report = await end(targets());
      services.dispose();
      assert.deepEqual([...new Set(report.results.map(({ outcome }) => outcome))], ['ended']);
      assert.ok(provider.asked('list').length - before <= 8, `${provider.asked('list').length - before} lists`);
    });

    it('waits if the list that is to show them is rate limited', async () => {
      const { provider, report } = await reused((made) => {
        made.onList = (nth) => {
          if (nth !== 3) return {};
          throw failure({ kind: 'rateLimited', retryAt: made.clock.now() + 3_000 });
        };
      });
      assert.deepEqual(
        [...provider.running.values()].map(({ name }) => name),
        ['another'],
      );
      const kinds = new Set(report.results.map(({ outcome }) => outcome));
      assert.deepEqual(kinds, new Set(['ended', 'alreadyGone']));
    });

    it('sends nothing for those that can’t be compared anymore', async () => {
      const { provider, report } = await reused((made) => {
        made.onList = (nth) => {
          if (nth < 3) return {};
          throw failure({ kind: 'serverFault', status: 500 });
        };
        // By its ID.
        made.onProbe = () => 'running';
      });
      assert.ok(provider.running.has('s11'));
      assert.deepEqual(outcomes(report)['s11'], ['failed', 0]);
    });
  });

  for (const trouble of [
    { kind: 'serverFault', status: 500 },
    { kind: 'serverFault', status: 503 },
    { kind: 'unreachable', why: 'cut' },
    { kind: 'conflict' },
  ] as const) {
    it(`ends no second session that gets the ID at once, where nothing tells them apart, after ${JSON.stringify(trouble)}`, async () => {
      const unmarked = { startedAt: undefined };
      const { provider, services, targets, end } = await scriptedServices((made) => void made.start('s0', unmarked));
      const ended: (string | undefined)[] = [];
      provider.onEnd = () => {
        ended.push(provider.running.get('s0')?.name);
        provider.start('s0', { ...unmarked, name: `job ${ended.length + 1}` });
        throw failure(trouble);
      };
      const report = await end(targets());
      assert.deepEqual([ended, outcomes(report)], [[undefined], { s0: ['failed', 1] }]);
      services.dispose();
    });
  }

  describe('to a provider that keeps failing', () => {
    const timedOut: Trouble = { kind: 'timedOut', afterMs: 15_000 };
    const unreachable = (why: Extract<Trouble, { kind: 'unreachable' }>['why']): Trouble => ({
      kind: 'unreachable',
      why,
    });
    const may: readonly Trouble[] = [
      timedOut,
      { kind: 'serverFault', status: 500 },
      { kind: 'serverFault', status: 503 },
      { kind: 'unexpectedAnswer', what: 'it answered a web page' },
      { kind: 'conflict' },
      unreachable('cut'),
      unreachable('route'),
    ];
    for (const trouble of may) {
      const name = JSON.stringify(trouble);
      it(`sends at most three ends, and checks before reporting failed, after ${name}`, async () => {
        const { provider, services, id, targets, end } = await scriptedServices(starts(1));
        provider.onEnd = () => {
          throw failure(trouble);
        };
        const lists = provider.asked('list').length;
        const report = await end(targets());
        assert.deepEqual(outcomes(report), { s0: ['failed', 3] });
        assert.equal(provider.asked('end').length, 3);
        assert.ok(provider.asked('list').length >= lists + 3);
        const [result] = report.results;
        assert.ok(result?.why?.kind === 'failed');
        assert.deepEqual(result.why.error.trouble, trouble);
        const life = services.store.life(id, sessionId('s0'));
        assert.ok(life.kind === 'stuck' && life.why === result.why);
        services.dispose();
      });

      it(`finds that the end still took effect, after ${name}`, async () => {
        const { provider, services, targets, end } = await scriptedServices(starts(1));
        provider.onEnd = ({ id }) => {
          provider.running.delete(id);
          throw failure(trouble);
        };
        const { results } = await end(targets());
        const [result] = results;
        assert.equal(result?.outcome, 'ended');
        // A 503 says that nothing was done, so the end is resent, and finds nothing to end.
        assert.equal(result.attempts, 'status' in trouble && trouble.status === 503 ? 3 : 1);
        assert.equal(result.why, undefined);
        services.dispose();
      });
    }

    const mayNot: readonly (readonly [Trouble, number])[] = [
      [unreachable('refused'), 3],
      [unreachable('dns'), 3],
      [unreachable('tls'), 1],
      [unreachable('proxy'), 1],
      [{ kind: 'unauthorized' }, 1],
      [{ kind: 'forbidden' }, 1],
      [{ kind: 'canceled' }, 1],
      [{ kind: 'noKey' }, 1],
      [{ kind: 'badAddress', fault: 'scheme' }, 1],
      [{ kind: 'unsupported', reason: { kind: 'otherAddress' } }, 1],
      [{ kind: 'rateLimited', retryAt: undefined }, 8],
    ];
    for (const [trouble, times] of mayNot) {
      it(`sends ${times} and reports failed without checking, after ${JSON.stringify(trouble)}`, async () => {
        const { provider, services, targets, end } = await scriptedServices(starts(1));
        provider.onEnd = () => {
          throw failure(trouble);
        };
        const lists = provider.asked('list').length;
        const report = await end(targets());
        assert.deepEqual(outcomes(report), { s0: ['failed', times] });
        assert.equal(provider.asked('end').length, times);
        assert.equal(provider.asked('list').length, lists);
        const [result] = report.results;
        assert.ok(result?.why?.kind === 'failed');
        assert.deepEqual(result.why.error.trouble, trouble);
        services.dispose();
      });
    }

    it('accepts “no such session” as a response', async () => {
      const { provider, services, targets, end } = await scriptedServices(starts(2));
      provider.onEnd = ({ id }) => {
        if (id === 's0') provider.running.delete(id);
        throw failure({ kind: 'notFound' }, 'no such session');
      };
      const { results } = await end(targets());
      assert.deepEqual(outcomes({ results }), { s0: ['alreadyGone', 1], s1: ['stuck', 1] });
      const why = results.find(({ session }) => session.id === 's1')?.why;
      assert.deepEqual(why, { kind: 'stillRuns', found: false, said: 'no such session' });
      services.dispose();
    });
  });

  it('resends an end after a timeout only when a check has shown that the session is running', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(2));
    provider.onEnd = ({ id }, attempt) => {
      // The first end took effect, the other has none.
      if (attempt > 1 || id === 's0') provider.running.delete(id);
      if (attempt === 1) throw failure({ kind: 'timedOut', afterMs: 15_000 });
      return { outcome: 'ended', how: undefined };
    };
    assert.deepEqual(outcomes(await end(targets())), { s0: ['ended', 1], s1: ['ended', 2] });
    assert.deepEqual(provider.asked('end'), ['s0', 's1', 's1']);
    services.dispose();
  });

  it('gives a session the full time again after its end was resent', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(1));
    provider.onEnd = (_, attempt) => {
      if (attempt < 3) throw failure({ kind: 'timedOut', afterMs: 15_000 });
      provider.clock.after(27_000, () => provider.running.clear());
      return { outcome: 'accepted', how: undefined };
    };
    assert.deepEqual(outcomes(await end(targets())), { s0: ['ended', 3] });
    services.dispose();
  });

  it('reports failed for ends not known to have had an effect when the time is up', async () => {
    const { provider, services, targets, end } = await scriptedServices((provider) => {
      starts(2)(provider);
      provider.ending = { ...usualEnding, withinMs: 500 };
    });
    provider.onEnd = ({ id }, attempt) => {
      throw failure(id === 's1' && attempt === 2 ? { kind: 'forbidden' } : { kind: 'conflict' });
    };
    const report = await end(targets());
    assert.deepEqual(outcomes(report), { s0: ['failed', 2], s1: ['failed', 2] });
    assert.deepEqual(
      report.results.map(({ why }) => why?.kind === 'failed' && why.error.trouble.kind),
      ['conflict', 'forbidden'],
    );
    services.dispose();
  });

  it('waits before resending an end that didn’t reach the provider, twice as long each time', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(1));
    provider.onEnd = ({ id }, attempt) => {
      if (attempt < 3) throw failure({ kind: 'unreachable', why: 'refused' });
      provider.running.delete(id);
      return { outcome: 'ended', how: undefined };
    };
    assert.deepEqual(outcomes(await end(targets())), { s0: ['ended', 3] });
    const [first = 0, ...later] = provider.times('end');
    assert.deepEqual(
      later.map((at) => at - first),
      [270, 790],
    );
    services.dispose();
  });

  it('waits out seven rate limit errors, and the time that the provider names', async () => {
    const { provider, clock, services, targets, end } = await scriptedServices(starts(1));
    provider.onEnd = ({ id }, attempt) => {
      if (attempt < 8) throw failure({ kind: 'rateLimited', retryAt: clock.now() + 3_000 });
      provider.running.delete(id);
      return { outcome: 'ended', how: undefined };
    };
    assert.deepEqual(outcomes(await end(targets())), { s0: ['ended', 8] });
    const times = provider.times('end');
    for (let index = 1; index < times.length; index++) {
      // As long as it says, or longer with each rate limit error, up to eight seconds.
      const wait = (times[index] ?? 0) - (times[index - 1] ?? 0);
      assert.ok(wait >= 3_020 && wait <= 8_020, String(wait));
    }
    services.dispose();
  });

  it('doesn’t wait longer than a minute: unsent ends fail with the rate limit as the reason', async () => {
    const { provider, clock, services, targets, end } = await scriptedServices(starts(6));
    const began = clock.now();
    provider.onEnd = () => {
      throw failure({ kind: 'rateLimited', retryAt: began + 61_000 });
    };
    const progress: EndProgress[] = [];
    const report = await end(targets(), { onProgress: (at) => progress.push(at) });
    assert.ok(clock.now() - began < 1_000);
    assert.equal(provider.asked('end').length, 4);
    for (const { attempts, outcome, why } of report.results) {
      assert.equal(outcome, 'failed');
      assert.ok(attempts <= 1);
      assert.ok(why?.kind === 'failed');
      assert.deepEqual(why.error.trouble, { kind: 'rateLimited', retryAt: began + 61_000 });
      assert.equal(why.error.message, 'it failed: rateLimited');
    }
    assert.deepEqual(progress.at(-1), { total: 6, sent: 6, settled: 6 });
    // A later end starts fresh: earlier rate limit errors don't affect it.
    provider.onEnd = ({ id }) => ({ outcome: provider.running.delete(id) ? 'ended' : 'alreadyGone', how: undefined });
    const again = await end(targets());
    assert.deepEqual(new Set(Object.values(outcomes(again)).map(([outcome]) => outcome)), new Set(['ended']));
    services.dispose();
  });

  it('waits a minute when that is all the provider asks for', async () => {
    const { provider, clock, services, targets, end } = await scriptedServices(starts(1));
    const began = clock.now();
    provider.onEnd = ({ id }, attempt) => {
      if (attempt === 1) throw failure({ kind: 'rateLimited', retryAt: clock.now() + 60_000 });
      provider.running.delete(id);
      return { outcome: 'ended', how: undefined };
    };
    assert.deepEqual(outcomes(await end(targets())), { s0: ['ended', 2] });
    assert.ok(clock.now() - began > 60_000);
    services.dispose();
  });

  it('has four ends in flight at first, more while responses are clean, and never more than the provider allows', async () => {
    const { provider, services, targets, end } = await scriptedServices((provider) => {
      starts(40)(provider);
      provider.ending = { ...usualEnding, mostInFlight: 6 };
    });
    let first = 0;
    provider.onEnd = ({ id }) => {
      if (first === 0) first = provider.asked('end').length;
      provider.running.delete(id);
      return { outcome: 'ended', how: undefined };
    };
    await end(targets());
    assert.equal(first, 4);
    assert.equal(provider.most.get('end'), 6);
    services.dispose();
  });

  it('has no more in flight while responses are slow', async () => {
    const { provider, clock, services, targets, end } = await scriptedServices(starts(40));
    provider.onEnd = async ({ id }) => {
      if (provider.asked('end').length > 4) await clock.wait(1_000);
      provider.running.delete(id);
      return { outcome: 'ended', how: undefined };
    };
    await end(targets());
    assert.ok((provider.most.get('end') ?? 0) <= 8, String(provider.most.get('end')));
    services.dispose();
  });

  it('isn’t slowed down by failures that don’t mean the provider is overloaded', async () => {
    const { provider, services, targets, end } = await scriptedServices(starts(12));
    provider.onEnd = () => {
      throw failure({ kind: 'forbidden' });
    };
    await end(targets());
    const times = provider.times('end');
    assert.equal(times.length, 12);
    assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) < 400, times.join());
    services.dispose();
  });

  it('keeps to the limit when an end begins while one of two has finished', async () => {
    const { provider, clock, services, targets, over } = await scriptedServices((provider) => {
      starts(3)(provider);
      provider.ending = { ...usualEnding, lists: 'complete', mostInFlight: 1 };
    });
    provider.onEnd = async ({ id }) => {
      if (id === 's1') await clock.wait(20_000);
      provider.running.delete(id);
      return { outcome: 'ended', how: undefined };
    };
    const ends = [services.ender.end(targets('s0'), quietly), services.ender.end(targets('s1'), quietly)] as const;
    await over(ends[0]);
    await over(Promise.all([ends[1], services.ender.end(targets('s2'), quietly)]));
    assert.deepEqual(provider.asked('end'), ['s0', 's1', 's2']);
    assert.equal(provider.most.get('end'), 1);
    services.dispose();
  });

  it('keeps to the limit with several ends of an account at the same time', async () => {
    const { provider, services, targets, over } = await scriptedServices((provider) => {
      starts(20)(provider);
      provider.ending = { ...usualEnding, mostInFlight: 4 };
    });
    const all = targets();
    const reports = await over(
      Promise.all([services.ender.end(all.slice(0, 10), quietly), services.ender.end(all.slice(10), quietly)]),
    );
    assert.equal(provider.most.get('end'), 4);
    for (const report of reports) assert.equal(report.results.filter(({ outcome }) => outcome === 'ended').length, 10);
    services.dispose();
  });

  it('reports how many are sent and settled, counting each session once', async () => {
    const { services, targets, end } = await scriptedServices(starts(3));
    const progress: EndProgress[] = [];
    await end([...targets(), ...targets()], { onProgress: (at) => progress.push(at) });
    assert.deepEqual(
      progress.map(({ total, sent, settled }) => [total, sent, settled]),
      [
        [3, 1, 0],
        [3, 2, 0],
        [3, 3, 0],
        [3, 3, 1],
        [3, 3, 2],
        [3, 3, 3],
      ],
    );
    services.dispose();
  });

  it('sends no end for a session that disappeared, or whose id another took over, while waiting for its turn', async () => {
    const { provider, clock, services, id, targets, end } = await scriptedServices((provider) => {
      starts(3)(provider);
      provider.ending = { ...usualEnding, lists: 'complete', mostInFlight: 1 };
    });
    await clock.until(clock.wait(1_000), 2_000);
    provider.onEnd = async () => {
      provider.running.clear();
      provider.start('s2');
      await services.refresher.refresh(id);
      return { outcome: 'ended', how: undefined };
    };
    assert.deepEqual(outcomes(await end(targets())), {
      s0: ['ended', 1],
      s1: ['alreadyGone', 0],
      s2: ['alreadyGone', 0],
    });
    assert.deepEqual(provider.asked('end'), ['s0']);
    assert.deepEqual([...provider.running.keys()], ['s2']);
    services.dispose();
  });

  it('sends nothing that was stopped before, and reports it as canceled', async () => {
    const { provider, services, id, targets, end } = await scriptedServices(starts(2));
    const progress: EndProgress[] = [];
    const report = await end(targets(), { stop: AbortSignal.abort(), onProgress: (at) => progress.push(at) });
    assert.deepEqual(outcomes(report), { s0: ['canceled', 0], s1: ['canceled', 0] });
    for (const { why, how } of report.results) assert.deepEqual([why, how], [undefined, undefined]);
    assert.deepEqual(provider.asked('end'), []);
    assert.equal(services.store.life(id, sessionId('s0')).kind, 'running');
    assert.deepEqual(progress.at(-1), { total: 2, sent: 2, settled: 2 });
    services.dispose();
  });

  it('resends nothing once it is stopped', async () => {
    const troubles: readonly (readonly [Trouble, EndOutcomeKind])[] = [
      [{ kind: 'rateLimited', retryAt: undefined }, 'failed'],
      [{ kind: 'unreachable', why: 'refused' }, 'failed'],
      [{ kind: 'timedOut', afterMs: 1 }, 'failed'],
    ];
    for (const [trouble, outcome] of troubles) {
      const { provider, services, targets, end } = await scriptedServices(starts(1));
      const stop = new AbortController();
      provider.onEnd = () => {
        stop.abort();
        throw failure(trouble);
      };
      const began = provider.clock.now();
      assert.deepEqual(outcomes(await end(targets(), { stop: stop.signal })), { s0: [outcome, 1] }, trouble.kind);
      assert.equal(provider.asked('end').length, 1);
      // Three checks, if the end may have taken effect.
      assert.ok(provider.clock.now() - began < 4_000);
      services.dispose();
    }
  });

  it('doesn’t wait out a pause once it is stopped', async () => {
    for (const trouble of [
      { kind: 'rateLimited', retryAt: undefined },
      { kind: 'unreachable', why: 'refused' },
    ] as const satisfies Trouble[]) {
      const { provider, clock, services, targets, end } = await scriptedServices(starts(1));
      const stop = new AbortController();
      provider.onEnd = () => {
        throw failure(trouble.kind === 'rateLimited' ? { ...trouble, retryAt: clock.now() + 50_000 } : trouble);
      };
      const began = clock.now();
      clock.after(100, () => stop.abort());
      assert.deepEqual(outcomes(await end(targets(), { stop: stop.signal })), { s0: ['failed', 1] });
      assert.ok(clock.now() - began <= 200, String(clock.now() - began));
      services.dispose();
    }
  });

  describe('of a session that another end includes too', () => {
    it('joins it: one end is sent, and both report the same', async () => {
      const { provider, services, targets, over } = await scriptedServices(starts(1));
      const all = targets();
      const reports = await over(Promise.all([services.ender.end(all, quietly), services.ender.end(all, quietly)]));
      assert.deepEqual(provider.asked('end'), ['s0']);
      assert.deepEqual(reports.map(outcomes), [{ s0: ['ended', 1] }, { s0: ['ended', 0] }]);
      services.dispose();
    });

    it('sends its own when the other was rejected, and only one of several sends it for all', async () => {
      const { provider, services, id, targets, over } = await scriptedServices(starts(1));
      provider.onEnd = ({ id }, attempt) => {
        if (attempt === 1) throw failure({ kind: 'forbidden' });
        provider.running.delete(id);
        return { outcome: 'ended', how: undefined };
      };
      const all = targets();
      const lives: string[] = [];
      services.store.onDidChange(() => {
        if (services.store.session(id, sessionId('s0'))) lives.push(services.store.life(id, sessionId('s0')).kind);
      });
      const reports = await over(
        Promise.all([
          services.ender.end(all, quietly),
          services.ender.end(all, quietly),
          services.ender.end(all, quietly),
        ]),
      );
      assert.deepEqual(provider.asked('end'), ['s0', 's0']);
      assert.deepEqual(reports.map(outcomes), [{ s0: ['failed', 1] }, { s0: ['ended', 1] }, { s0: ['ended', 0] }]);
      // While one is still in progress, the row doesn't say that it has failed.
      assert.deepEqual(new Set(lives), new Set(['ending']));
      services.dispose();
    });

    it('counts the attempts of each end, so that two don’t take turns sending forever', async () => {
      const { provider, services, id, targets, over } = await scriptedServices(starts(1));
      provider.onEnd = () => {
        throw failure({ kind: 'forbidden' });
      };
      const all = targets();
      const reports = await over(Promise.all([services.ender.end(all, quietly), services.ender.end(all, quietly)]));
      assert.deepEqual(reports.map(outcomes), [{ s0: ['failed', 1] }, { s0: ['failed', 1] }]);
      assert.equal(provider.asked('end').length, 2);
      assert.equal(services.store.life(id, sessionId('s0')).kind, 'stuck');
      services.dispose();
    });

    it('sends its own once the other end is over, even if a third continues', async () => {
      const { provider, clock, services, targets, over } = await scriptedServices((provider) => {
        starts(2)(provider);
        provider.ending = { ...usualEnding, withinMs: 1_000 };
      });
      provider.onEnd = async ({ id }, attempt) => {
        if (id === 's1') await clock.wait(60_000);
        if (id === 's1' || attempt > 1) provider.running.delete(id);
        return { outcome: 'ended', how: undefined };
      };
      const all = targets();
      const third = services.ender.end(targets('s1'), quietly);
      const s0 = all.filter(({ session }) => session.id === 's0');
      assert.deepEqual(outcomes(await over(services.ender.end(s0, quietly))), { s0: ['stuck', 1] });
      assert.deepEqual(outcomes(await over(services.ender.end(s0, quietly))), { s0: ['ended', 1] });
      assert.deepEqual(outcomes(await over(third)), { s1: ['ended', 1] });
      services.dispose();
    });

    it('returns when it is stopped while waiting, and sends nothing later', async () => {
      const { provider, clock, services, id, targets, over } = await scriptedServices(starts(1));
      provider.onEnd = async ({ id }) => {
        await clock.wait(5_000);
        provider.running.delete(id);
        return { outcome: 'ended', how: undefined };
      };
      const all = targets();
      const stop = new AbortController();
      clock.after(100, () => stop.abort());
      const first = services.ender.end(all, quietly);
      const began = clock.now();
      const second = await over(services.ender.end(all, { ...quietly, stop: stop.signal }));
      assert.equal(clock.now() - began, 100);
      assert.deepEqual(outcomes(second), { s0: ['canceled', 0] });
      assert.equal(services.store.life(id, sessionId('s0')).kind, 'ending');
      assert.deepEqual(outcomes(await over(first)), { s0: ['ended', 1] });
      assert.deepEqual(provider.asked('end'), ['s0']);
      services.dispose();
    });
  });
});
