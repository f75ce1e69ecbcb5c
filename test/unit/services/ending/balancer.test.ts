import { strict as assert } from 'node:assert';
import type { AccountId } from '../../../../src/core/ids.ts';
import type { AccountSession, EndOutcomeKind, EndReport } from '../../../../src/services/ending/report.ts';
import { type BalancerServer, type Balancing, startBalancer } from '../../../servers/balancer.ts';
import { type BrowserlessV1Server, startBrowserlessV1 } from '../../../servers/browserlessV1.ts';
import { type BrowserlessV2Server, startBrowserlessV2 } from '../../../servers/browserlessV2.ts';
import type { TestServices } from '../testServices.ts';
import { virtualTimeServices } from '../virtualTime.ts';

type Worker = BrowserlessV1Server | BrowserlessV2Server;

const quietly = { stop: new AbortController().signal, onProgress: () => {} };
const balancings: readonly Balancing[] = ['roundRobin', 'leastConnections', { seed: 7 }];
const named = (balancing: Balancing) => (typeof balancing === 'string' ? balancing : 'random');

describe('ending behind a load balancer', function () {
  this.timeout(120_000);
  let workers: Worker[] = [];
  let balancer: BalancerServer | undefined;
  let services: TestServices;
  let over: <T>(work: Promise<T>) => Promise<T>;
  let pass: (seconds: number) => Promise<void>;
  let id: AccountId;

  afterEach(async () => {
    services.dispose();
    await balancer?.stop();
    await Promise.all(workers.map((worker) => worker.stop()));
  });

  /** Starts workers with this many browsers each behind a balancer, and lists them as often as it takes to see all. */
  async function start(version: 'v1' | 'v2', each: readonly number[], balancing: Balancing): Promise<void> {
    const begin = version === 'v1' ? startBrowserlessV1 : startBrowserlessV2;
    workers = await Promise.all(each.map(() => begin()));
    for (const [index, count] of each.entries()) {
      for (let times = 0; times < count; times++) workers[index]?.add({ id: `w${index}-${times}` });
    }
    balancer = await startBalancer(
      workers.map(({ url }) => url),
      balancing,
    );
    ({ services, over, pass } = virtualTimeServices());
    const { token } = workers[0] as Worker;
    id = await over(services.add('browserless', balancer.url, token === undefined ? {} : { token }));
    const all = each.reduce((sum, count) => sum + count, 0);
    for (let times = 0; times < 20 && targets().length < all; times++) await over(services.refresher.refresh(id));
    assert.equal(targets().length, all, 'the sessions of some worker were never listed');
  }
  const targets = (): AccountSession[] =>
    [...(services.store.state(id)?.contents.sessions.values() ?? [])].map((session) => ({ accountId: id, session }));
  const running = () => workers.flatMap((worker) => worker.running).sort();
  const outcomes = ({ results }: EndReport) =>
    new Map<string, EndOutcomeKind>(results.map(({ session, outcome }) => [session.id, outcome]));

  function assertTrue(report: EndReport): void {
    const still = new Set(running());
    for (const [session, outcome] of outcomes(report)) {
      const saidGone = outcome === 'ended' || outcome === 'alreadyGone';
      assert.ok(!saidGone || !still.has(session), `${session} is reported as ${outcome}, but is still running`);
      assert.equal(services.store.session(id, session as never) === undefined, saidGone);
    }
  }

  for (const version of ['v1', 'v2'] as const) {
    for (const count of [2, 3, 8]) {
      for (const balancing of balancings) {
        it(`ends exactly the confirmed sessions of ${count} ${version} workers (${named(balancing)})`, async () => {
          await start(version, Array(count).fill(3), balancing);
          const chosen = targets().filter((_, index) => index % 3 !== 0);
          const confirmed = new Set(chosen.map(({ session }) => session.id));
          const kept = targets().filter(({ session }) => !confirmed.has(session.id));
          const report = await over(services.ender.end(chosen, quietly));
          assertTrue(report);
          assert.deepEqual(running(), kept.map(({ session }) => session.id as string).sort());
          assert.deepEqual(new Set(outcomes(report).values()), new Set(['ended']));
        });

        it(`calls nothing ended that ${count} ${version} workers don’t end (${named(balancing)})`, async () => {
          await start(version, Array(count).fill(2), balancing);
          for (const worker of workers) for (const one of worker.running) worker.immortal.add(one);
          const report = await over(services.ender.end(targets(), quietly));
          assertTrue(report);
          assert.equal(running().length, count * 2);
          assert.deepEqual(new Set(outcomes(report).values()), new Set(['stuck']));
        });
      }
    }
  }

  for (const version of ['v1', 'v2'] as const) {
    for (const [count, clients] of [
      [10, 1],
      [4, 3],
    ] as const) {
      it(`calls none of ${count} sessions with ${clients} clients each ended when an idle ${version} worker joins theirs`, async () => {
        await start(version, [count, 0], 'leastConnections');
        balancer?.down.add(1);
        for (let times = 0; times < 10; times++) await over(services.refresher.refresh(id));
        balancer?.clients.set(0, count * clients);
        balancer?.down.delete(1);
        for (let times = 0; times < 80; times++) await over(services.refresher.refresh(id));
        assert.equal(targets().length, count);
        const report = await over(services.ender.end(targets().slice(-2), quietly));
        assertTrue(report);
        assert.equal(targets().length, running().length);
        if (count <= 8) return;
        // Nor later on, whatever is forgotten after an end.
        for (let times = 0; times < 40; times++) {
          await pass(10);
          await over(services.refresher.refresh(id));
        }
        assert.equal(targets().length, running().length);
      });
    }

    it(`calls nothing ended that an idle ${version} worker accepts the end of while its own is skipped`, async () => {
      await start(version, [1, 0], 'leastConnections');
      balancer?.down.add(1);
      for (let times = 0; times < 10; times++) await over(services.refresher.refresh(id));
      balancer?.down.delete(1);
      balancer?.down.add(0);
      let requests = 0;
      if (balancer !== undefined)
        balancer.onRequest = (_, path) => {
          // It's back after the end, and after a whole round of lists.
          if ((path.startsWith('/kill') || requests > 0) && ++requests > 20) balancer?.down.delete(0);
        };
      const report = await over(services.ender.end(targets(), quietly));
      assertTrue(report);
      assert.ok(balancer?.passed.some(({ path, to }) => path.startsWith('/kill') && to === 1));
    });
  }

  for (const version of ['v1', 'v2'] as const) {
    it(`calls all sessions of a single ${version} server ended that end at once`, async () => {
      await start(version, [60], 'roundRobin');
      for (let times = 0; times < 10; times++) await over(services.refresher.refresh(id));
      const { results } = await over(services.ender.endEverything(id));
      assert.deepEqual([new Set(results.map(({ outcome }) => outcome)), running()], [new Set(['ended']), []]);
    });
  }

  it('doesn’t report sessions as ended on a server that End Everything didn’t reach, even if their pages close meanwhile', async () => {
    await start('v1', [2, 2], 'roundRobin');
    const [, other] = workers;
    if (balancer !== undefined)
      balancer.onRequest = (_, path) => {
        if (!path.startsWith('/kill/all')) return;
        for (const worker of workers)
          for (const [id, browser] of (worker as BrowserlessV1Server).browsers)
            worker.browsers.set(id, { ...browser, pages: [] } as never);
      };
    const report = await over(services.ender.endEverything(id));
    assert.ok(other !== undefined && running().length === 2);
    const still = new Set(running());
    for (const { session, outcome } of report.results)
      assert.ok(outcome === 'stuck' || !still.has(session.id), `${session.id} is reported as ${outcome}`);
  });

  it('ends all sessions, even when no neighbor is left that would show which worker responds', async () => {
    await start('v1', [2, 2], 'roundRobin');
    const report = await over(services.ender.end(targets(), quietly));
    assertTrue(report);
    assert.deepEqual(running(), []);
  });

  it('keeps the rows of all workers, whichever responds, and removes what ended elsewhere', async () => {
    await start('v2', [2, 3], 'roundRobin');
    for (let times = 0; times < 6; times++) {
      await over(services.refresher.refresh(id));
      assert.equal(targets().length, 5);
    }
    assert.ok(services.store.state(id)?.contents.combined);
    workers[0]?.browsers.delete('w0-0');
    for (let times = 0; times < 20 && targets().length === 5; times++) await over(services.refresher.refresh(id));
    assert.deepEqual(
      targets()
        .map(({ session }) => session.id as string)
        .sort(),
      running(),
    );
  });

  it('confirms an end on a single server at the first check, which is one round of lists', async () => {
    for (const version of ['v1', 'v2'] as const) {
      await start(version, [1], 'roundRobin');
      const before = balancer?.passed.length ?? 0;
      const report = await over(services.ender.end(targets(), quietly));
      assert.deepEqual([...outcomes(report).values()], ['ended']);
      const requests = (balancer?.passed.length ?? 0) - before;
      // The end between two rounds of lists, and one list before it to compare it with.
      assert.ok(requests <= 18, `${version}: ${requests} requests`);
      assert.equal(services.store.state(id)?.contents.combined, false);
      if (version === 'v1') {
        services.dispose();
        await balancer?.stop();
        await workers[0]?.stop();
      }
    }
  });
});
