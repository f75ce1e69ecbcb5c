import { strict as assert } from 'node:assert';
import { systemClock } from '../../../../src/core/clock.ts';
import type { AccountSession } from '../../../../src/services/ending/report.ts';
import { browserlessMissing, type RunningBrowserless, startBrowserlessWorkers } from '../../../host/browserless.ts';
import { type BalancerServer, startBalancer } from '../../../servers/balancer.ts';
import { until } from '../../until.ts';
import { TestServices } from '../testServices.ts';

const quietly = { stop: new AbortController().signal, onProgress: () => {} };

describe('ending at two real Browserless servers behind a load balancer', function () {
  this.timeout(120_000);
  let workers: RunningBrowserless[] = [];
  let balancer: BalancerServer;
  let services: TestServices;

  before(async function () {
    // The reason also appears in the last line of the test run.
    if (browserlessMissing() !== undefined) this.skip();
    workers = await startBrowserlessWorkers(2);
  });
  after(() => Promise.all(workers.map((worker) => worker.stop())));
  afterEach(async () => {
    services.dispose();
    await balancer.stop();
  });

  for (const balancing of ['roundRobin', 'leastConnections'] as const) {
    it(`ends the confirmed browsers and no others, counted by their processes (${balancing})`, async () => {
      const opened = await Promise.all(workers.flatMap((worker) => [worker.open(), worker.open()]));
      const processes = () => Promise.all(workers.map(async (worker) => (await worker.browserProcesses()).length));
      balancer = await startBalancer(
        workers.map(({ url }) => url),
        balancing,
      );
      services = new TestServices({ clock: systemClock });
      const id = await services.add('browserless', balancer.url, { token: workers[0]?.token ?? '' });
      const targets = (): AccountSession[] =>
        [...(services.store.state(id)?.contents.sessions.values() ?? [])].map((session) => ({
          accountId: id,
          session,
        }));
      await until(async () => {
        await services.refresher.refresh(id, { thorough: true });
        return targets().length === 4;
      });
      const [of1, of2] = [opened[0], opened[2]];
      const chosen = targets().filter(({ session }) => session.id === of1 || session.id === of2);
      const first = await services.ender.end(chosen, quietly);
      assert.deepEqual(new Set(first.results.map(({ outcome }) => outcome)), new Set(['ended']));
      const running = (await Promise.all(workers.map((worker) => worker.running()))).flat();
      assert.deepEqual(new Set(running), new Set([opened[1], opened[3]]));
      for (const count of await processes()) assert.ok(count > 0);
      const second = await services.ender.end(targets(), quietly);
      assert.deepEqual(
        second.results.map(({ outcome }) => outcome),
        ['ended', 'ended'],
      );
      await until(async () => (await processes()).every((count) => count === 0));
    });
  }
});
