import { strict as assert } from 'node:assert';
import type { ProviderError, Trouble } from '../../../../src/core/providerError.ts';
import type { RateWindow } from '../../../../src/core/rateWindow.ts';
import { probe } from '../../../../src/services/ending/probe.ts';
import { RecordingLog } from '../../testNetwork.ts';
import { failure, never, ScriptedProvider } from '../scriptedProvider.ts';
import { VirtualClock } from '../virtualClock.ts';

describe('probing', () => {
  let clock: VirtualClock;
  let provider: ScriptedProvider;
  let log: RecordingLog;
  let stop: AbortController;
  let rate: RateWindow | undefined;

  beforeEach(() => {
    clock = new VirtualClock();
    provider = new ScriptedProvider(clock);
    log = new RecordingLog();
    stop = new AbortController();
    rate = undefined;
  });

  const sessions = (count: number) => Array.from({ length: count }, (_, index) => provider.start(`s${index}`));
  const ask = (about: ReturnType<typeof sessions>, most = 100) =>
    clock.until(probe(provider.provider, about, { clock, logger: log, stop: stop.signal, most, window }), 600_000);
  const window = () => rate;
  const kindOf = (error: ProviderError | undefined) => error?.trouble.kind;

  it('asks about each session, and passes on the results', async () => {
    const all = sessions(3);
    provider.running.delete('s0');
    provider.onProbe = ({ id }) => (id === 's2' ? 'unknown' : provider.running.has(id) ? 'running' : 'gone');
    const { answers, askedAbout, error, failures } = await ask(all);
    assert.deepEqual(
      [...answers],
      [
        ['s0', 'gone'],
        ['s1', 'running'],
        ['s2', 'unknown'],
      ],
    );
    assert.deepEqual([...askedAbout], ['s0', 's1', 's2']);
    assert.deepEqual([error, failures.size], [undefined, 0]);
    assert.deepEqual(log.lines, []);
  });

  it('asks about eight at a time, up to its limit', async () => {
    const all = sessions(30);
    const { askedAbout } = await ask(all, 20);
    assert.equal(provider.most.get('probe'), 8);
    assert.deepEqual(
      provider.asked('probe'),
      all.slice(0, 20).map(({ id }) => id),
    );
    assert.equal(askedAbout.size, 20);
    assert.equal((await ask(all.slice(0, 1), 0)).askedAbout.size, 0);
  });

  it('asks about many at once where it can, and separately about each one left out of the response', async () => {
    const all = sessions(5);
    provider.running.delete('s1');
    provider.probeMany = async (about) =>
      new Map(about.slice(0, 3).map(({ id }) => [id, provider.running.has(id) ? 'running' : 'gone'] as const));
    const { askedAbout, answers } = await ask(all, 1);
    assert.deepEqual(provider.asked('probeMany'), ['s0,s1,s2,s3,s4']);
    // Sessions that the bulk request reported don't count as probed one by one.
    assert.deepEqual(provider.asked('probe'), ['s3']);
    assert.deepEqual(
      [...answers].filter(([, liveness]) => liveness === 'gone').map(([id]) => id),
      ['s1'],
    );
    assert.deepEqual([...askedAbout], ['s0', 's1', 's2', 's3']);
    assert.equal(answers.size, 4);
  });

  it('doesn’t use the bulk request for a single session', async () => {
    provider.probeMany = async (about) => new Map(about.map(({ id }) => [id, 'running']));
    const all = sessions(2);
    assert.equal((await ask(all.slice(1))).answers.get(all[1]?.id as never), 'running');
    assert.deepEqual([provider.asked('probeMany'), provider.asked('probe')], [[], ['s1']]);
    assert.equal((await ask(all)).answers.size, 2);
    assert.deepEqual([provider.asked('probeMany'), provider.asked('probe')], [['s0,s1'], ['s1']]);
  });

  it('asks about each when the bulk request fails, and reports no error where that works', async () => {
    const all = sessions(3);
    provider.probeMany = async () => {
      throw failure({ kind: 'conflict' });
    };
    provider.onProbe = ({ id }) => {
      if (id === 's2') throw failure({ kind: 'conflict' });
      return 'running';
    };
    const { answers, failures, askedAbout, error } = await ask(all);
    assert.equal(answers.size, 2);
    assert.deepEqual([...failures.keys()], ['s2']);
    assert.equal(askedAbout.size, 3);
    assert.equal(error, undefined);
    assert.deepEqual(log.lines, ['a probe failed: it failed: conflict', 'a probe failed: it failed: conflict']);
  });

  it('asks about none when the bulk request fails in a way that the next request would too', async () => {
    const all = sessions(3);
    provider.probeMany = async () => {
      throw failure({ kind: 'rateLimited', retryAt: undefined });
    };
    const { answers, failures, askedAbout, error } = await ask(all);
    assert.deepEqual(provider.asked('probe'), []);
    assert.equal(kindOf(error), 'rateLimited');
    assert.equal(kindOf(failures.get(all[2]?.id as never)), 'rateLimited');
    assert.deepEqual([answers.size, failures.size, askedAbout.size], [0, 3, 0]);
  });

  it('continues after an error that concerns a single session', async () => {
    const all = sessions(20);
    const troubles: Trouble[] = [
      { kind: 'conflict' },
      { kind: 'notFound' },
      { kind: 'forbidden' },
      { kind: 'unexpectedAnswer', what: '' },
      { kind: 'serverFault', status: 500 },
      { kind: 'serverFault', status: 502 },
    ];
    provider.onProbe = ({ id }) => {
      const trouble = troubles[Number(id.slice(1))];
      if (trouble !== undefined) throw failure(trouble);
      return 'running';
    };
    const { answers, failures, error } = await ask(all);
    assert.deepEqual([answers.size, failures.size, error], [14, 6, undefined]);
  });

  for (const trouble of [
    { kind: 'unreachable', why: 'refused' },
    { kind: 'rateLimited', retryAt: 7 },
    { kind: 'timedOut', afterMs: 1 },
  ] as const satisfies Trouble[]) {
    it(`stops asking after the first ${trouble.kind}`, async () => {
      const all = sessions(30);
      provider.onProbe = () => {
        throw failure(trouble);
      };
      const { askedAbout, failures, answers, error } = await ask(all);
      assert.equal(provider.asked('probe').length, 8);
      assert.deepEqual([askedAbout.size, failures.size, answers.size], [8, 8, 0]);
      assert.deepEqual(error?.trouble, trouble);
    });
  }

  it('stops asking after the third server fault, and reports the third', async () => {
    const all = sessions(30);
    let faults = 0;
    provider.onProbe = ({ id }) => {
      if (Number(id.slice(1)) % 4 === 3) throw failure({ kind: 'serverFault', status: 500 + ++faults });
      return 'running';
    };
    const { askedAbout, error } = await ask(all);
    assert.deepEqual(error?.trouble, { kind: 'serverFault', status: 503 });
    // Those in flight by then had been sent already.
    assert.ok(askedAbout.size >= 12 && askedAbout.size < 12 + 8, String(askedAbout.size));
  });

  it('waits ten seconds for a response and no longer', async () => {
    const all = sessions(2);
    provider.onProbe = ({ id }) => (id === 's0' ? never() : 'running');
    const signals: AbortSignal[] = [];
    const { probe: asIs } = provider.provider;
    const patient = {
      ...provider.provider,
      probe: (session: Parameters<typeof asIs>[0], signal: AbortSignal) => {
        signals.push(signal);
        return Promise.race([
          asIs(session, signal),
          new Promise<never>((_, reject) =>
            signal.addEventListener('abort', () => reject(failure({ kind: 'canceled' }))),
          ),
        ]);
      },
    };
    const began = clock.now();
    const { answers, error, failures } = await clock.until(
      probe(patient, all, { clock, logger: log, stop: stop.signal, most: 9, window }),
      60_000,
    );
    assert.equal(clock.now() - began, 10_000);
    assert.deepEqual([...answers.keys()], ['s1']);
    assert.deepEqual(error?.trouble, { kind: 'timedOut', afterMs: 10_000 });
    assert.equal(failures.size, 1);
    assert.match(log.lines.join(), /^a probe failed: .*in time$/);
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true, false],
    );
    await clock.until(clock.wait(60_000), 120_000);
    assert.equal(signals[1]?.aborted, false, 'its timer kept running after the response');
  });

  it('makes no more requests than the rate limit has left, and continues when it resets', async () => {
    const all = sessions(12);
    const resetAt = clock.monotonic() + 1_000;
    rate = { remaining: 3, resetAt };
    provider.onProbe = () => {
      const { remaining } = rate ?? assert.fail();
      if (clock.monotonic() < resetAt) rate = { remaining: remaining - 1, resetAt };
      return 'running';
    };
    const { answers, error } = await ask(all);
    assert.deepEqual([answers.size, error], [12, undefined]);
    const times = provider.times('probe');
    assert.equal(times.filter((at) => at < 1_000).length, 3);
    assert.equal(times.filter((at) => at === 1_000).length, 8);
  });

  it('makes no request when the rate limit is used up for longer than a response may take', async () => {
    const all = sessions(2);
    rate = { remaining: 0, resetAt: clock.monotonic() + 10_000 };
    assert.equal((await ask(all)).answers.size, 2);
    rate = { remaining: 0, resetAt: clock.monotonic() + 10_001 };
    const began = clock.now();
    const { askedAbout, error } = await ask(all);
    assert.deepEqual(error?.trouble, { kind: 'rateLimited', retryAt: began + 10_001 });
    assert.equal(error?.message, 'the rate limit is used up for longer than is waited');
    assert.deepEqual([askedAbout.size, clock.now()], [0, began]);
  });

  it('no longer counts answered requests as in flight', async () => {
    const all = sessions(30);
    rate = { remaining: 2, resetAt: clock.monotonic() + 5_000 };
    const began = clock.now();
    assert.equal((await ask(all.slice(0, 2))).answers.size, 2);
    assert.equal((await ask(all.slice(2, 4))).answers.size, 2);
    assert.ok(clock.now() - began < 1_000);
    rate = { remaining: 9, resetAt: clock.monotonic() + 5_000 };
    assert.equal((await ask(all)).answers.size, 30);
    assert.ok(clock.now() - began < 1_000);
  });

  it('doesn’t wait for a rate limit once it is stopped', async () => {
    const all = sessions(2);
    rate = { remaining: 0, resetAt: clock.monotonic() + 5_000 };
    const began = clock.now();
    clock.after(100, () => stop.abort());
    assert.equal((await ask(all)).askedAbout.size, 0);
    assert.equal(clock.now() - began, 100);
  });

  it('makes no more requests once it is stopped, and aborts those in flight', async () => {
    const all = sessions(30);
    clock.after(2, () => stop.abort());
    const { askedAbout, answers } = await ask(all);
    assert.equal(askedAbout.size, 8);
    assert.ok(answers.size <= 8);
    assert.equal((await ask(all)).askedAbout.size, 0);
    let handed: AbortSignal | undefined;
    const [one] = all;
    assert.ok(one);
    const stopped = new AbortController();
    const curious = {
      ...provider.provider,
      probe: async (_: unknown, signal: AbortSignal) => {
        handed = signal;
        stopped.abort();
        return 'running' as const;
      },
    };
    await clock.until(probe(curious, [one], { clock, logger: log, stop: stopped.signal, most: 9, window }), 60_000);
    assert.ok(handed?.aborted);
  });
});
