import { strict as assert } from 'node:assert';
import { accountId, sessionId } from '../../../../src/core/ids.ts';
import { type EndingTerms, usualEnding } from '../../../../src/core/provider.ts';
import { listAccount } from '../../../../src/services/sessions/listing.ts';
import { someSession } from '../../sessions.ts';
import { failure, type ScriptedProvider, scriptedServices } from '../scriptedProvider.ts';

const never = new AbortController().signal;

/** Services that have listed sessions s0, s1 and so on, and list directly. */
async function servicesWith(count: number, lists: EndingTerms['lists']) {
  const scripted = await scriptedServices((provider) => {
    for (let index = 0; index < count; index++) provider.start(`s${index}`);
    provider.ending = { ...usualEnding, lists };
  });
  const { provider, services, id, over, clock } = scripted;
  const { store, evidence, connections } = services;
  const asked = () => provider.asked('list').length;
  return {
    ...scripted,
    list: ({ thorough = false, signal = never, account = id } = {}) =>
      over(listAccount({ store, evidence, connections, clock }, account, thorough, signal)),
    /** How many lists one refresh requests. */
    count: async (work: () => Promise<unknown>) => {
      const before = asked();
      await work();
      return asked() - before;
    },
    rows: () => [...(store.state(id)?.contents.sessions.keys() ?? [])] as string[],
  };
}
const hide = (provider: ScriptedProvider, ...ids: readonly string[]) => {
  provider.onList = () => ({ sessions: [...provider.running.values()].filter(({ id }) => !ids.includes(id)) });
};

describe('listing', () => {
  it('asks for one list when that has every session, even when asked to be thorough', async () => {
    for (const lists of ['complete', 'lagging', 'unreliable'] as const) {
      const { provider, services, list, count, rows } = await servicesWith(2, lists);
      const began = provider.clock.monotonic();
      provider.running.delete('s1');
      assert.equal(await count(() => list({ thorough: true })), 1);
      assert.deepEqual(rows(), lists === 'complete' ? ['s0'] : ['s0', 's1']);
      const result = await list();
      assert.ok(result.kind === 'listed');
      assert.deepEqual([result.lists, result.complete, result.changed], [1, true, false]);
      assert.equal(result.began, began + 10);
      services.dispose();
    }
  });

  it('reports whether anything that is shown changed', async () => {
    const { provider, services, list } = await servicesWith(2, 'complete');
    const changed = async () => {
      const result = await list();
      return result.kind === 'listed' && result.changed;
    };
    assert.equal(await changed(), false);
    provider.running.delete('s0');
    assert.equal(await changed(), true);
    provider.start('s2');
    assert.equal(await changed(), true);
    assert.equal(await changed(), false);
    services.dispose();
  });

  describe('when a list may come from one of several workers', () => {
    it('asks for eight as soon as one differs from what is known, or when asked to be thorough', async () => {
      const { provider, services, list, count } = await servicesWith(2, 'partial');
      // The very first list showed something else, too.
      assert.equal(provider.asked('list').length, 8);
      assert.equal(await count(list), 1);
      assert.equal(await count(() => list({ thorough: true })), 8);
      provider.start('s2');
      assert.equal(await count(list), 8);
      hide(provider, 's1');
      assert.equal(await count(list), 8);
      provider.onList = () => ({});
      await list();
      assert.equal(await count(list), 1);
      // The server counts more than it lists: the others may be on another worker.
      for (const [counted, lists] of [
        [3, 1],
        [4, 8],
      ] as const) {
        provider.onList = () => ({ counted });
        assert.equal(await count(list), lists);
      }
      hide(provider, 's1');
      assert.equal(await count(list), 8);
      // The same number, but different ones.
      provider.onList = () => ({});
      await list();
      provider.running.delete('s2');
      provider.start('s3');
      assert.equal(await count(list), 8);
      services.dispose();
    });

    it('asks for seven of them at the same time, after the first', async () => {
      const { provider, services, list } = await servicesWith(2, 'partial');
      provider.calls.length = 0;
      const result = await list({ thorough: true });
      assert.ok(result.kind === 'listed');
      assert.equal(result.lists, 8);
      const [first = 0, ...others] = provider.times('list');
      assert.deepEqual(others, Array(7).fill(first + 10));
      assert.equal(result.began, provider.clock.monotonic() - 20);
      services.dispose();
    });

    it('removes a session based on a list of its neighbors, or once eight lists leave it out for 20 seconds', async () => {
      const { provider, clock, services, list, rows } = await servicesWith(2, 'partial');
      await list({ thorough: true });
      hide(provider, 's1');
      await list();
      assert.deepEqual(rows(), ['s0']);
      hide(provider, 's0', 's1');
      await list();
      assert.deepEqual(rows(), ['s0']);
      await clock.until(clock.wait(19_000), 30_000);
      await list();
      assert.deepEqual(rows(), ['s0']);
      await clock.until(clock.wait(1_000), 30_000);
      await list();
      assert.deepEqual(rows(), []);
      services.dispose();
    });

    it('asks for eight each time once several workers were seen, and shows that', async () => {
      const { provider, services, id, list, count, rows } = await servicesWith(2, 'partial');
      let turn = 0;
      provider.onList = () => {
        const its = `s${turn++ % 2}`;
        return { sessions: [...provider.running.values()].filter(({ id }) => id === its) };
      };
      assert.equal(services.store.state(id)?.contents.combined, false);
      await list();
      assert.equal(services.store.state(id)?.contents.combined, true);
      assert.equal(await count(list), 8);
      assert.deepEqual(rows().sort(), ['s0', 's1']);
      services.dispose();
    });

    it('removes no session based on other lists when some fail', async () => {
      for (const failing of [0, 1]) {
        const { provider, services, id, list, rows } = await servicesWith(1, 'partial');
        await list({ thorough: true });
        services.evidence.addAcceptedEnd(id, sessionId('s0'), true, true);
        let lists = 0;
        provider.onList = () => {
          // Eight lists in a row, and then one that fails.
          if (failing > 0 && ++lists % 8 === 0) throw failure({ kind: 'serverFault', status: 502 });
          return { sessions: [] };
        };
        const result = await list();
        assert.ok(result.kind === 'listed');
        assert.equal(result.lists, 8 - failing);
        await list();
        assert.deepEqual(rows(), failing > 0 ? ['s0'] : []);
        services.dispose();
      }
    });
  });

  it('removes no session based on one list when lists turned out to be incomplete', async () => {
    const { provider, services, id, list, count, rows } = await servicesWith(2, 'complete');
    // A caller is interested in it, so that it is still known when it comes back.
    services.evidence.want(id, [...provider.running.values()]);
    hide(provider, 's0');
    await list();
    assert.deepEqual(rows(), ['s1']);
    hide(provider, 's1');
    await list();
    assert.equal(services.evidence.isCombined(id), true);
    assert.deepEqual(rows().sort(), ['s0', 's1']);
    assert.equal(services.evidence.mayHaveOtherWorkers(id, sessionId('s0')), true);
    hide(provider, 's0', 's1');
    assert.equal(await count(list), 8);
    assert.deepEqual(rows().sort(), ['s0', 's1']);
    services.dispose();
  });

  it('removes nothing based on a list with a row that names no session, and says so', async () => {
    const { provider, services, list, rows } = await servicesWith(2, 'complete');
    provider.onList = () => ({ sessions: [], faults: [{ subject: 'row 1', unnamed: true, what: 'it has no id' }] });
    const result = await list();
    assert.ok(result.kind === 'listed' && !result.complete);
    assert.deepEqual(rows(), ['s0', 's1']);
    services.dispose();
  });

  it('counts an unreadable row for its session, and removes the others', async () => {
    const { provider, services, list, rows } = await servicesWith(2, 'complete');
    provider.onList = () => ({ sessions: [], faults: [{ subject: 's0', what: 'it has no status' }] });
    const result = await list();
    assert.ok(result.kind === 'listed' && result.complete);
    assert.deepEqual(rows(), ['s0']);
    services.dispose();
  });

  it('removes nothing based on a list with more rows than are read', async () => {
    const { provider, services, id, list, rows } = await servicesWith(1, 'complete');
    const many = Array.from({ length: 30_000 }, (_, index) => someSession(`m${index}`));
    provider.onList = () => ({ sessions: many });
    const result = await list();
    assert.ok(result.kind === 'listed' && !result.complete);
    assert.ok(rows().includes('s0'));
    assert.ok((services.store.state(id)?.contents.faults.length ?? 0) > 0);
    services.dispose();
  });

  it('is incomplete when one of several lists is', async () => {
    const { provider, services, list } = await servicesWith(1, 'partial');
    let lists = 0;
    provider.onList = () =>
      ++lists === 5 ? { faults: [{ subject: 'row 1', unnamed: true, what: 'it has no id' }] } : {};
    const result = await list({ thorough: true });
    assert.ok(result.kind === 'listed' && !result.complete && result.lists === 8);
    services.dispose();
  });

  it('is thorough only when a thorough one was requested while another was in progress', async () => {
    const { services, id, over, count } = await servicesWith(1, 'partial');
    const { refresher } = services;
    const both = () => over(Promise.all([refresher.refresh(id), refresher.refresh(id, { thorough: true })]));
    assert.equal(await count(both), 1 + 8);
    const three = () => {
      const calls = [refresher.refresh(id), refresher.refresh(id, { thorough: true }), refresher.refresh(id)];
      return over(Promise.all(calls));
    };
    assert.equal(await count(three), 1 + 8);
    assert.equal(await count(() => over(Promise.all([refresher.refresh(id), refresher.refresh(id)]))), 1 + 1);
    services.dispose();
  });

  it('runs at most ten times in twenty seconds for callers that may ask in a loop, who then share the next', async () => {
    const { clock, services, id, over, count } = await servicesWith(1, 'complete');
    const ask = () => services.refresher.refreshOnRequest(id);
    const began = clock.now();
    for (let times = 0; times < 10; times++) {
      assert.equal(await count(() => over(ask())), 1);
      await clock.until(clock.wait(50), 100);
    }
    const tenLists = clock.now() - began;
    assert.ok(tenLists < 1_000, String(tenLists));
    const shared = [ask(), ask(), ask()];
    assert.equal(await count(() => over(Promise.all(shared))), 1);
    assert.equal(clock.now() - began, 20_000 + 10);
    // The next is due 20 seconds after the second of the ten.
    await over(ask());
    assert.equal(clock.now() - began, 20_060 + 10);
    await clock.until(clock.wait(60_000), 90_000);
    assert.equal(await count(() => over(Promise.all([ask(), ask()]))), 2);
    for (let times = 0; times < 8; times++) await over(ask());
    const waiting = ask();
    await over(services.accounts.remove(id));
    assert.equal((await over(waiting)).kind, 'failed');
    assert.equal((await over(ask())).kind, 'failed');
    services.dispose();
  });

  it('stops by itself when there is no key or address to list with, until it is requested', async () => {
    for (const trouble of [{ kind: 'noKey' }, { kind: 'badAddress', fault: 'scheme' }] as const) {
      const { provider, clock, services, count } = await servicesWith(1, 'complete');
      provider.onList = () => {
        throw failure(trouble);
      };
      services.refresher.setAttention({ visible: true, focused: true });
      assert.equal(await count(() => clock.until(clock.wait(3_600_000), 4_000_000)), 1);
      services.dispose();
    }
  });

  it('forgets what an account’s lists showed once it has another key or was removed', async () => {
    const { services, id, over } = await servicesWith(1, 'complete');
    const verdict = () => services.evidence.verdict(id, sessionId('s0'));
    assert.equal(verdict(), 'stillRunning');
    await over(services.accounts.replaceCredentials(id, { other: 'key' }));
    assert.equal(verdict(), 'unknown');
    await over(services.refresher.refresh(id));
    assert.equal(verdict(), 'stillRunning');
    await over(services.accounts.remove(id));
    assert.equal(verdict(), 'unknown');
    services.dispose();
  });

  it('gives the reason why there is no list, and keeps what was shown', async () => {
    const { provider, services, id, list, rows } = await servicesWith(2, 'complete');
    const down = failure({ kind: 'serverFault', status: 502 });
    provider.onList = () => {
      throw down;
    };
    assert.deepEqual(await list(), { kind: 'failed', trouble: down });
    const state = services.store.state(id);
    assert.ok(state?.kind === 'ready' && state.trouble === down);
    assert.deepEqual(rows(), ['s0', 's1']);
    const none = await list({ account: accountId('nobody') });
    assert.ok(none.kind === 'failed');
    services.dispose();
  });

  it('throws the reason it was aborted with, and then changes nothing', async () => {
    for (const [lists, at] of [
      ['complete', 1],
      ['partial', 1],
      ['partial', 2],
    ] as const) {
      const { provider, services, list, rows, id } = await servicesWith(2, lists);
      const stop = new AbortController();
      let nth = 0;
      provider.onList = () => {
        if (++nth === at) stop.abort(new Error('stopped'));
        return { sessions: [] };
      };
      await assert.rejects(list({ signal: stop.signal, thorough: true }), /stopped/);
      assert.deepEqual(rows(), ['s0', 's1']);
      assert.equal(services.evidence.verdict(id, sessionId('s0')), 'stillRunning');
      provider.onList = () => {
        stop.abort(new Error('stopped'));
        throw failure({ kind: 'canceled' });
      };
      await assert.rejects(list({ signal: stop.signal }), /stopped/);
      const state = services.store.state(id);
      assert.ok(state?.kind === 'ready' && state.trouble === undefined);
      services.dispose();
    }
  });

  it('forgets sessions that are no longer shown', async () => {
    const { provider, services, id, list } = await servicesWith(2, 'complete');
    provider.running.delete('s0');
    await list();
    assert.equal(services.evidence.verdict(id, sessionId('s0')), 'unknown');
    assert.equal(services.evidence.verdict(id, sessionId('s1')), 'stillRunning');
    services.dispose();
  });
});
