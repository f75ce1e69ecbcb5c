import { strict as assert } from 'node:assert';
import { sessionId } from '../../../../src/core/ids.ts';
import { type EndAnswer, usualEnding } from '../../../../src/core/provider.ts';
import type { EndOutcomeKind, EndReport } from '../../../../src/services/ending/report.ts';
import { failure, type ScriptedProvider, type ScriptedServices, scriptedServices } from '../scriptedProvider.ts';

const quietly = { stop: new AbortController().signal, onProgress: () => {} };
const answer = (outcome: EndAnswer['outcome'], how?: string): EndAnswer => ({ outcome, how });

function outcomes({ results }: EndReport): Record<string, EndOutcomeKind> {
  return Object.fromEntries(results.map(({ session, outcome }) => [session.id, outcome]));
}

/** Workers that share an address and take turns: session s3 of two workers belongs to number 1. */
class Workers {
  readonly #provider: ScriptedProvider;
  readonly #count: number;
  /** The worker that gets no requests, if any. */
  down: number | undefined;
  #lists = 0;
  #ends = 0;

  constructor(provider: ScriptedProvider, count: number) {
    this.#provider = provider;
    this.#count = count;
    provider.ending = { ...usualEnding, lists: 'partial' };
    provider.onList = () => this.list();
    provider.onEnd = ({ id }) => (this.next(id) ? answer(provider.running.delete(id) ? 'ended' : 'alreadyGone') : gone);
  }

  list() {
    const worker = this.#turn(this.#lists++);
    return { sessions: [...this.#provider.running.values()].filter(({ id }) => this.#of(id) === worker) };
  }

  /** Whether the worker whose turn it is has a session. */
  next(id: string): boolean {
    return this.#turn(this.#ends++) === this.#of(id);
  }

  #of(id: string): number {
    return Number(id.slice(1)) % this.#count;
  }

  #turn(nth: number): number {
    const up = Array.from({ length: this.#count }, (_, index) => index).filter((index) => index !== this.down);
    return up[nth % up.length] ?? 0;
  }
}

const gone = answer('alreadyGone');

interface SharedServices extends ScriptedServices {
  readonly workers: Workers;
}

/** Services whose account was listed until all workers were seen. */
async function sharedServices(
  sessions: number,
  { count = 2, withinMs = usualEnding.withinMs } = {},
): Promise<SharedServices> {
  let workers: Workers | undefined;
  const scripted = await scriptedServices((provider) => {
    for (let index = 0; index < sessions; index++) provider.start(`s${index}`);
    workers = new Workers(provider, count);
    provider.ending = { ...provider.ending, withinMs };
  });
  assert.ok(workers);
  const { services, id, over, provider } = scripted;
  await over(services.refresher.refresh(id, { thorough: true }));
  assert.equal(services.evidence.isCombined(id), count > 1);
  provider.calls.length = 0;
  return { ...scripted, workers };
}

describe('ending at workers that share an address', () => {
  it('sends one end when a whole round of lists has the session, and confirms it by eight without', async () => {
    const { provider, services, targets, end } = await sharedServices(1, { count: 1 });
    provider.onEnd = ({ id }) => {
      provider.running.delete(id);
      return answer('accepted', 'in a way');
    };
    const { results } = await end(targets());
    assert.deepEqual(
      results.map(({ outcome, attempts, how }) => [outcome, attempts, how]),
      [['ended', 1, 'in a way']],
    );
    // Eight before the end and eight after it.
    assert.equal(provider.asked('list').length, 16);
    services.dispose();
  });

  it('sends no other end when the first response comes from the worker that had the session', async () => {
    const { provider, services, targets, end } = await sharedServices(2);
    provider.onEnd = ({ id }) => {
      provider.running.delete(id);
      return answer('ended', 'at once');
    };
    const { results } = await end(targets('s0'));
    assert.deepEqual(
      results.map(({ outcome, attempts, how }) => [outcome, attempts, how]),
      [['ended', 1, 'at once']],
    );
    services.dispose();
  });

  it('sends seven more at once when the first response comes from another worker, or doesn’t say', async () => {
    for (const first of [gone, answer('accepted')]) {
      const { provider, services, targets, end } = await sharedServices(2);
      provider.onEnd = ({ id }, attempt) => {
        if (attempt === 1) return first;
        return provider.running.delete(id) ? answer('ended', 'later') : gone;
      };
      const { results } = await end(targets('s0'));
      assert.deepEqual(
        results.map(({ outcome, attempts, how }) => [outcome, attempts, how]),
        [['ended', 8, 'later']],
      );
      const [at = 0, ...others] = provider.times('end');
      assert.deepEqual(others, Array(7).fill(at + 20));
      assert.deepEqual([...provider.running.keys()], ['s1']);
      services.dispose();
    }
  });

  it('sends seven more when only seven lists have had the session, even if no second worker was seen', async () => {
    for (const failing of [1, 2]) {
      const { provider, services, id, clock, targets, end } = await sharedServices(1, { count: 1 });
      // Another session has the id now: one list has had it, and of the eight before the end some fail.
      provider.start('s0', { startedAt: clock.now() + 60_000 });
      await clock.until(services.refresher.refresh(id), 60_000);
      let lists = 0;
      provider.onList = () => {
        if (++lists > 8 - failing && lists <= 8) throw failure({ kind: 'serverFault', status: 502 });
        return {};
      };
      provider.onEnd = ({ id }) => {
        provider.running.delete(id);
        return answer('accepted');
      };
      const { results } = await end(targets());
      assert.deepEqual(
        results.map(({ attempts }) => attempts),
        [failing === 1 ? 1 : 8],
      );
      services.dispose();
    }
  });

  it('believes the worker that says it ended it, else one that accepted the request, else all that don’t know it', async () => {
    /** The outcome for a session that is gone by then, after these responses to its eight ends. */
    const said = async (...answers: readonly EndAnswer[]) => {
      const { provider, services, targets, end } = await sharedServices(4);
      provider.onEnd = ({ id }, attempt) => {
        provider.running.delete(id);
        return answers[attempt - 1] ?? gone;
      };
      const [{ outcome, how } = assert.fail()] = (await end(targets('s0'))).results;
      services.dispose();
      return [outcome, how];
    };
    assert.deepEqual(await said(gone, answer('accepted', 'A'), answer('ended', 'B')), ['ended', 'B']);
    assert.deepEqual(await said(answer('accepted', 'A'), answer('accepted', 'B')), ['ended', 'A']);
    assert.deepEqual(await said(gone, gone, answer('accepted', 'C')), ['ended', 'C']);
    assert.deepEqual(await said(gone, answer('alreadyGone', 'D')), ['alreadyGone', undefined]);
  });

  it('sends to all workers for one session after the other', async () => {
    const { provider, services, targets, end } = await sharedServices(6);
    provider.onEnd = ({ id }, attempt) => (attempt === 8 && provider.running.delete(id) ? answer('ended') : gone);
    const chosen = ['s0', 's2', 's4'];
    assert.deepEqual(outcomes(await end(targets(...chosen))), { s0: 'ended', s2: 'ended', s4: 'ended' });
    assert.deepEqual(provider.asked('end'), [...chosen, ...chosen.flatMap((id) => Array(7).fill(id))]);
    const times = [...new Set(provider.times('end'))];
    assert.deepEqual(
      times.map((at) => at - (times[0] ?? 0)),
      [0, 20, 40, 60],
    );
    services.dispose();
  });

  it('continues with the next session when the ends of one fail', async () => {
    const { provider, services, targets, end } = await sharedServices(4);
    provider.onEnd = ({ id }, attempt) => {
      if (id === 's0' && attempt > 1) throw failure({ kind: 'forbidden' });
      return attempt === 8 && provider.running.delete(id) ? answer('ended') : gone;
    };
    assert.deepEqual(outcomes(await end(targets('s0', 's2'))), { s0: 'failed', s2: 'ended' });
    services.dispose();
  });

  it('sends no more than the one in flight when it is stopped', async () => {
    const { provider, services, targets, end } = await sharedServices(4);
    const stop = new AbortController();
    provider.onEnd = () => {
      stop.abort();
      return gone;
    };
    const { results } = await end(targets('s0'), { stop: stop.signal });
    assert.deepEqual(
      results.map(({ outcome, attempts, why }) => [outcome, attempts, why]),
      [['stuck', 1, { kind: 'stillRuns', found: false, said: undefined }]],
    );
    services.dispose();
  });

  it('sends no more when the first fails for a reason that would affect all', async () => {
    const { provider, services, targets, end } = await sharedServices(2);
    provider.onEnd = () => {
      throw failure({ kind: 'forbidden' });
    };
    assert.deepEqual(outcomes(await end(targets('s0'))), { s0: 'failed' });
    assert.equal(provider.asked('end').length, 1);
    services.dispose();
  });

  it('resends ends after each check that has the session, until a worker ends it', async () => {
    const { provider, services, targets, end } = await sharedServices(2);
    provider.onEnd = ({ id }, attempt) => (attempt === 20 && provider.running.delete(id) ? answer('ended') : gone);
    const { results } = await end(targets('s0'));
    assert.deepEqual(outcomes({ results }), { s0: 'ended' });
    assert.deepEqual(
      [...new Set(provider.times('end'))].map((at, index, all) => at - (all[index - 1] ?? at)),
      // A check takes two lists, one after the other. The first is at once, and the next a second later.
      [0, 20, 40, 20, 1_040, 20],
    );
    services.dispose();
  });

  it('resends ends after the connection to the worker that has the session dropped', async () => {
    const { provider, services, targets, end } = await sharedServices(2);
    provider.onEnd = ({ id }, attempt) => {
      if (attempt === 9 && provider.running.delete(id)) return answer('ended');
      if (attempt % 2 === 0) throw failure({ kind: 'unreachable', why: 'cut' });
      return gone;
    };
    const { results } = await end(targets('s0'));
    assert.deepEqual(
      results.map(({ outcome, attempts }) => [outcome, attempts]),
      [['ended', 9]],
    );
    // If it's cut off every time, three checks are enough.
    const again = await sharedServices(2);
    again.provider.onEnd = (_, attempt) => {
      if (attempt % 2 === 0) throw failure({ kind: 'unreachable', why: 'cut' });
      return gone;
    };
    const began = again.clock.now();
    const report = await again.end(again.targets('s0'));
    assert.deepEqual(
      report.results.map(({ outcome, attempts }) => [outcome, attempts]),
      [['failed', 24]],
    );
    assert.ok(again.clock.now() - began < 4_000);
    again.services.dispose();
    services.dispose();
  });

  it('sends no end for a session that is missing from the lists', async () => {
    const { provider, workers, services, targets, end } = await sharedServices(4);
    provider.onEnd = () => {
      workers.down = 0;
      return gone;
    };
    const { results } = await end(targets('s0'));
    assert.deepEqual(
      results.map(({ outcome, why }) => [outcome, why]),
      [['stuck', { kind: 'unconfirmed', error: undefined, isCombined: true }]],
    );
    assert.equal(provider.asked('end').length, 8);
    assert.ok(provider.running.has('s0'));
    // A check every half second while it is missing, each with eight lists.
    const looks = [...new Set(provider.times('list'))].filter((at) => at > (provider.times('end').at(-1) ?? 0));
    const firsts = looks.filter((_, index) => index % 2 === 0);
    const apart = firsts.slice(1).map((at, index) => at - (firsts[index] ?? 0));
    assert.deepEqual([apart[0], new Set(apart.slice(0, 50))], [520, new Set([520])]);
    services.dispose();
  });

  it('doesn’t blame other workers when no list is available', async () => {
    const { provider, services, targets, end } = await sharedServices(4);
    const down = failure({ kind: 'serverFault', status: 502 });
    provider.onEnd = () => {
      provider.onList = () => {
        throw down;
      };
      return gone;
    };
    const { results } = await end(targets('s0'));
    assert.deepEqual(
      results.map(({ outcome, why }) => [outcome, why]),
      [['stuck', { kind: 'unconfirmed', error: down, isCombined: false }]],
    );
    // No more checks than when a single server fails: two before the end, and six after it.
    assert.equal(new Set(provider.times('list')).size, 8);
    services.dispose();
  });

  it('sends at most 80 ends', async () => {
    const { provider, services, targets, end } = await sharedServices(2, { withinMs: 200_000 });
    provider.onEnd = () => answer('accepted');
    const { results } = await end(targets('s0'));
    assert.deepEqual(
      results.map(({ outcome, attempts, why }) => [outcome, attempts, why]),
      [['stuck', 80, { kind: 'stillRuns', found: true, said: undefined }]],
    );
    services.dispose();
  });

  it('gives up when its time is up, and resending ends doesn’t extend it', async () => {
    const { provider, clock, services, targets, end } = await sharedServices(2);
    provider.onEnd = () => answer('accepted');
    const began = clock.now();
    assert.deepEqual(outcomes(await end(targets('s0'))), { s0: 'stuck' });
    assert.ok(clock.now() - began < 31_000, String(clock.now() - began));
    services.dispose();
  });

  it('checks every half second while any of several sessions is missing', async () => {
    const { provider, workers, services, targets, end } = await sharedServices(4);
    provider.onEnd = () => {
      workers.down = 0;
      return answer('accepted');
    };
    const report = await end(targets('s0', 's1'));
    assert.deepEqual(
      new Map(report.results.map(({ session, why }) => [session.id as string, why?.kind])),
      new Map([
        ['s0', 'unconfirmed'],
        ['s1', 'stillRuns'],
      ]),
    );
    assert.ok(new Set(provider.times('list')).size > 60, String(new Set(provider.times('list')).size));
    services.dispose();
  });

  it('resends none once its time is up, however long requests take', async () => {
    const { provider, clock, workers, services, targets, end } = await sharedServices(2);
    provider.onEnd = () => {
      provider.onList = async () => {
        await clock.wait(9_990);
        return workers.list();
      };
      return gone;
    };
    assert.deepEqual(outcomes(await end(targets('s0'))), { s0: 'stuck' });
    // The first eight, and eight after the check of 20 seconds; the next check is over after more than 30.
    assert.equal(provider.asked('end').length, 16);
    services.dispose();
  });

  it('reports ended, and how, even if a later end of the same session found it gone', async () => {
    const { provider, clock, services, targets, end } = await sharedServices(4);
    provider.onEnd = ({ id }, attempt) => {
      if (attempt > 1) return gone;
      clock.after(2_000, () => provider.running.delete(id));
      return answer('ended', 'slowly');
    };
    const { results } = await end(targets('s0'));
    assert.ok(provider.asked('end').length > 1);
    assert.deepEqual(
      results.map(({ outcome, how }) => [outcome, how]),
      [['ended', 'slowly']],
    );
    services.dispose();
  });

  it('keeps the other sessions, and notices that several workers respond', async () => {
    const { provider, services, id, targets, over } = await sharedServices(6);
    assert.deepEqual(outcomes(await over(services.ender.end(targets('s0', 's3'), quietly))), {
      s0: 'ended',
      s3: 'ended',
    });
    assert.deepEqual([...provider.running.keys()], ['s1', 's2', 's4', 's5']);
    for (const one of ['s1', 's2', 's4', 's5']) assert.ok(services.store.session(id, sessionId(one)), one);
    assert.equal(services.store.state(id)?.contents.combined, true);
    services.dispose();
  });
});
