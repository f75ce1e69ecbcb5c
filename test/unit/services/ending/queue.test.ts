import { strict as assert } from 'node:assert';
import { usualEnding } from '../../../../src/core/provider.ts';
import type { RateWindow } from '../../../../src/core/rateWindow.ts';
import type { Session } from '../../../../src/core/session.ts';
import { AccountEnd } from '../../../../src/services/ending/accountEnd.ts';
import { AccountQueue } from '../../../../src/services/ending/queue.ts';
import type { EndReport } from '../../../../src/services/ending/report.ts';
import { someSession } from '../../sessions.ts';
import { failure, type ScriptedProvider, scriptedServices } from '../scriptedProvider.ts';

const quietly = { stop: new AbortController().signal, onProgress: () => {} };
const starts = (count: number) => (provider: ScriptedProvider) => {
  for (let index = 0; index < count; index++) provider.start(`s${index}`);
};
const summary = ({ results }: EndReport) =>
  results.map(({ session, outcome, attempts }) => [session.id as string, outcome, attempts]);

describe('an account’s queue', () => {
  it('gives up on unsent ends when the rate limit is used up for more than a minute, and says until when', async () => {
    for (const [leftMs, isSent] of [
      [60_000, true],
      [60_001, false],
    ] as const) {
      const { provider, clock, services, id, targets, over } = await scriptedServices(starts(2));
      const retryAt = clock.now() + leftMs;
      const resetAt = clock.monotonic() + leftMs;
      const window = (): RateWindow => ({ remaining: 0, resetAt });
      const { store, evidence, accounts, connections, log: logger } = services;
      const parts = { store, evidence, accounts, connections, clock, logger };
      const queue = new AccountQueue(parts, () => 32, window);
      const end = await AccountEnd.begin(parts, id, targets(), queue.counts, () => {});
      let sent = 0;
      await over(queue.send(end, end.pending, quietly.stop, () => sent++));
      assert.deepEqual([provider.asked('end').length, sent], [isSent ? 2 : 0, 2]);
      for (const one of end.pending) {
        if (isSent) assert.equal(one.sent.kind, 'taken');
        else {
          assert.ok(one.sent.kind === 'refused' && one.sent.why.kind === 'failed');
          assert.deepEqual(one.sent.why.error.trouble, { kind: 'rateLimited', retryAt });
          assert.equal(one.sent.why.error.message, 'the rate limit is used up for longer than is waited');
        }
      }
      services.dispose();
    }
  });

  it('reports the reason of an earlier rejection for what it gives up on', async () => {
    const { provider, clock, services, targets, end } = await scriptedServices(starts(2));
    provider.onEnd = ({ id }) => {
      if (id === 's0') throw failure({ kind: 'unreachable', why: 'refused' });
      throw failure({ kind: 'rateLimited', retryAt: clock.now() + 90_000 });
    };
    const { results } = await end(targets());
    assert.deepEqual(
      results.map(({ session, outcome, why }) => [session.id, outcome, why?.kind === 'failed' && why.error.message]),
      [
        ['s0', 'failed', 'it failed: unreachable'],
        ['s1', 'failed', 'it failed: rateLimited'],
      ],
    );
    services.dispose();
  });

  it('doesn’t count an end that waits for another one as in flight', async () => {
    const { provider, clock, services, targets, over } = await scriptedServices((provider) => {
      starts(2)(provider);
      provider.ending = { ...usualEnding, mostInFlight: 2 };
    });
    provider.onEnd = async ({ id }) => {
      if (id === 's0') await clock.wait(20_000);
      provider.running.delete(id);
      return { outcome: 'ended', how: undefined };
    };
    const began = clock.now();
    await over(Promise.all([services.ender.end(targets('s0'), quietly), services.ender.end(targets(), quietly)]));
    assert.deepEqual(provider.asked('end'), ['s0', 's1']);
    const [first = 0, second = 0] = provider.times('end');
    assert.ok(second - first < 1_000 && clock.now() - began > 20_000);
    services.dispose();
  });

  it('reports the outcome to those that wait for an end, even if it was sent more than once', async () => {
    const { provider, services, targets, over } = await scriptedServices(starts(1));
    provider.onEnd = ({ id }, attempt) => {
      if (attempt < 3) throw failure({ kind: 'unreachable', why: 'refused' });
      provider.running.delete(id);
      return { outcome: 'ended', how: undefined };
    };
    const all = targets();
    const reports = await over(Promise.all([services.ender.end(all, quietly), services.ender.end(all, quietly)]));
    assert.deepEqual(reports.map(summary), [[['s0', 'ended', 3]], [['s0', 'ended', 0]]]);
    services.dispose();
  });

  describe('with a session that no list shows', () => {
    /** What becomes of a session that was named by its id, and that is listed just before its end is sent. */
    const named = async (startedAt: number | undefined, listedAs: Partial<Session> | undefined) => {
      const { provider, clock, services, id, end } = await scriptedServices((provider) => {
        starts(1)(provider);
        provider.ending = { ...usualEnding, lists: 'complete', mostInFlight: 1 };
      });
      const session = someSession('hidden', { startedAt });
      provider.running.set('hidden', session);
      provider.onList = () => ({ sessions: [...provider.running.values()].filter((one) => one !== session) });
      provider.onEnd = async (one) => {
        if (one.id === 's0' && listedAs !== undefined) {
          provider.running.set('hidden', someSession('hidden', listedAs));
          await services.refresher.refresh(id);
        }
        await clock.wait(5);
        provider.running.delete(one.id);
        return { outcome: 'ended', how: undefined };
      };
      const [first = assert.fail()] = [...provider.running.values()];
      const report = await end([
        { accountId: id, session: first },
        { accountId: id, session, unlisted: true },
      ]);
      services.dispose();
      return { asked: provider.asked('end'), hidden: summary(report).find(([one]) => one === 'hidden') };
    };

    it('sends its end', async () => {
      assert.deepEqual(await named(undefined, undefined), {
        asked: ['s0', 'hidden'],
        hidden: ['hidden', 'ended', 1],
      });
    });

    it('sends its end if a list shows it after all', async () => {
      assert.deepEqual((await named(5, { startedAt: 5 })).asked, ['s0', 'hidden']);
      assert.deepEqual((await named(undefined, { startedAt: 5 })).asked, ['s0', 'hidden']);
    });

    it('sends none if a list shows another session by that id', async () => {
      assert.deepEqual(await named(5, { startedAt: 60_000 }), { asked: ['s0'], hidden: ['hidden', 'alreadyGone', 0] });
    });
  });

  describe('with a server that may be one of several', () => {
    /** The outcome of an end after which lists are empty for ten seconds. Only one that is accepted has an effect. */
    const said = async (outcome: 'accepted' | 'alreadyGone' | 'timedOut') => {
      const { provider, clock, services, id, targets, end, over } = await scriptedServices((provider) => {
        starts(1)(provider);
        provider.ending = { ...usualEnding, lists: 'partial' };
      });
      await over(services.refresher.refresh(id, { thorough: true }));
      provider.onEnd = () => {
        const back = clock.now() + 10_000;
        provider.onList = () => (clock.now() < back ? { sessions: [] } : {});
        if (outcome === 'accepted') provider.running.clear();
        if (outcome === 'timedOut') throw failure({ kind: 'timedOut', afterMs: 15_000 });
        return { outcome, how: undefined };
      };
      const { results } = await end(targets());
      services.dispose();
      return results[0]?.outcome;
    };

    it('accepts eight lists as confirmation only if an end was accepted', async () => {
      assert.equal(await said('accepted'), 'ended');
      assert.equal(await said('alreadyGone'), 'stuck');
      assert.equal(await said('timedOut'), 'failed');
    });
  });
});
