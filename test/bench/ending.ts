import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Browserbase from '@browserbasehq/sdk';
import { systemClock } from '../../src/core/clock.ts';
import type { AccountId } from '../../src/core/ids.ts';
import type { ProviderKind } from '../../src/core/provider.ts';
import { browserbase } from '../../src/providers/browserbase/index.ts';
import type { AccountSession, EndReport } from '../../src/services/ending/report.ts';
import { TestServices } from '../unit/services/testServices.ts';
import { median, table } from './figures.ts';

/** How the server should behave, or a request to report what it has seen. */
export type Order =
  | {
      readonly kind: 'set';
      readonly sessions: number;
      readonly latencyMs: number;
      readonly rateLimit?: number;
      /** Releases take effect after up to this long. */
      readonly lagMs: number;
      readonly silent: boolean;
      readonly acceptsAnyKey?: boolean;
    }
  | { readonly kind: 'stats' };

/** What the server has seen since it was set. */
export interface Stats {
  readonly running: number;
  readonly requests: number;
  readonly statusErrors: number;
  readonly mostInFlight: number;
  readonly mostConnections: number;
}

type Setting = Partial<Omit<Extract<Order, { kind: 'set' }>, 'kind'>> & { readonly sessions: number };

/** A strict Browserbase in another process, so that it doesn't take CPU time from the client being measured. */
class BenchServer {
  readonly #child: ChildProcess;
  url = '';
  key = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * @param how `tls` for HTTP/2 or HTTP/1.1, as the client prefers, with a certificate that this process then trusts.
   */
  static async start(how?: 'tls'): Promise<BenchServer> {
    const child = fork(new URL('./endingServer.ts', import.meta.url), how === undefined ? [] : [how]);
    const [{ authority }] = await once(child, 'message');
    if (authority !== undefined) setDefaultCACertificates([...getCACertificates('default'), authority]);
    return new BenchServer(child);
  }

  async set(setting: Setting): Promise<void> {
    this.#child.send({ kind: 'set', latencyMs: 50, lagMs: 0, silent: false, ...setting } satisfies Order);
    const [answer] = await once(this.#child, 'message');
    ({ url: this.url, key: this.key } = answer);
  }

  async stats(): Promise<Stats> {
    this.#child.send({ kind: 'stats' } satisfies Order);
    const [{ stats }] = await once(this.#child, 'message');
    return stats;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

interface OurRun {
  readonly report: EndReport;
  /** Until every end was sent and answered. */
  readonly sentMs: number;
  /** Until every end was confirmed. */
  readonly confirmedMs: number;
  /** How long one list took before that. */
  readonly listMs: number;
  /** The longest time without a progress report. */
  readonly longestGapMs: number;
  readonly stats: Stats;
}

/** Ends everything on these servers, as the command does. */
async function ours(servers: readonly BenchServer[], kind: ProviderKind = browserbase): Promise<OurRun[]> {
  const services = new TestServices({ clock: systemClock, kinds: [kind] });
  try {
    const accounts: AccountId[] = [];
    for (const { url, key } of servers) accounts.push(await services.add('browserbase', url, { apiKey: key }));
    const listing = performance.now();
    for (const accountId of accounts) await services.refresher.refresh(accountId);
    const listMs = (performance.now() - listing) / accounts.length;
    const runs = accounts.map(async (accountId, index): Promise<OurRun> => {
      const sessions = [...(services.store.state(accountId)?.contents.sessions.values() ?? [])];
      const targets: AccountSession[] = sessions.map((session) => ({ accountId, session }));
      const began = performance.now();
      let [sentMs, toldMs, longestGapMs] = [0, 0, 0];
      const tell = () => {
        const now = performance.now() - began;
        longestGapMs = Math.max(longestGapMs, now - toldMs);
        toldMs = now;
      };
      const report = await services.ender.end(targets, {
        stop: new AbortController().signal,
        onProgress: ({ sent, total }) => {
          tell();
          if (sent === total && sentMs === 0) sentMs = toldMs;
        },
      });
      tell();
      const confirmedMs = toldMs;
      const stats = await servers[index]?.stats();
      if (stats === undefined) throw new Error('no server');
      return { report, sentMs, confirmedMs, listMs, longestGapMs, stats };
    });
    return await Promise.all(runs);
  } finally {
    services.dispose();
  }
}

async function endAllOn(server: BenchServer, kind?: ProviderKind): Promise<OurRun> {
  const [run] = await ours([server], kind);
  if (run === undefined) throw new Error('no run');
  return run;
}

/** Ends everything with Browserbase's own SDK. Returns milliseconds. */
async function theirs({ url, key }: BenchServer, how: 'at once' | 'one by one'): Promise<number> {
  const client = new Browserbase({ apiKey: key, baseURL: url });
  const sessions = await client.sessions.list({ status: 'RUNNING' });
  const end = (id: string) => client.sessions.update(id, { status: 'REQUEST_RELEASE' });
  const began = performance.now();
  if (how === 'at once') await Promise.allSettled(sessions.map(({ id }) => end(id)));
  else for (const { id } of sessions) await end(id);
  return performance.now() - began;
}

/** Browserbase, with at most this many requests at once. */
function atMost(mostInFlight: number): ProviderKind {
  return {
    ...browserbase,
    connect: (link) => {
      const provider = browserbase.connect(link);
      return { ...provider, ending: { ...provider.ending, mostInFlight } };
    },
  };
}

const ms = (value: number) => `${Math.round(value)} ms`;
const ratio = (value: number, of: number) => (value / of).toFixed(2);
const ended = ({ report }: OurRun) => report.results.filter(({ outcome }) => outcome === 'ended').length;

/** Measures the cost of ending many sessions, compared with Browserbase's own SDK or the server's limit. */
export async function ending(): Promise<void> {
  const server = await BenchServer.start();
  // Only requests sent after this trust the certificate.
  const tlsServer = await BenchServer.start('tls');
  try {
    await withoutLimit(server);
    await overHttp2(tlsServer);
    await withLimit(server);
    await makespan(server);
    await asynchronous(server);
    await fiveThousand(server);
  } finally {
    server.stop();
    tlsServer.stop();
  }
  await fairness();
}

async function withoutLimit(server: BenchServer): Promise<void> {
  const [mine, sdk]: [number[], number[]] = [[], []];
  let last: OurRun | undefined;
  let sockets = 0;
  for (let round = 0; round < 3; round++) {
    await server.set({ sessions: 400 });
    last = await endAllOn(server);
    mine.push(last.sentMs);
    await server.set({ sessions: 400 });
    sdk.push(await theirs(server, 'at once'));
    sockets = (await server.stats()).mostConnections;
  }
  console.log('400 sessions, 50 ms latency, no limit (median of 3)');
  table(
    ['', 'all sent', 'all confirmed', 'most in flight', 'sockets', 'left'],
    [
      [
        'ours',
        ms(median(mine)),
        ms(last?.confirmedMs ?? 0),
        ...[last?.stats.mostInFlight, last?.stats.mostConnections, last?.stats.running].map(String),
      ],
      ['SDK, Promise.all', ms(median(sdk)), 'never', '', String(sockets), '0'],
    ],
  );
  const limit = Math.ceil(400 / 32) * 50;
  console.log(
    `ratio to the SDK ${ratio(median(mine), median(sdk))} (goal: at most 1.25, with at most 32 in flight), ` +
      `to what 32 in flight can do at best, ${ms(limit)}: ${ratio(median(mine), limit)}\n`,
  );
}

async function overHttp2(server: BenchServer): Promise<void> {
  const [mine, sdk]: [OurRun[], number[]] = [[], []];
  let sockets = 0;
  for (let round = 0; round < 5; round++) {
    await server.set({ sessions: 400 });
    mine.push(await endAllOn(server));
    await server.set({ sessions: 400 });
    sdk.push(await theirs(server, 'at once'));
    sockets = (await server.stats()).mostConnections;
  }
  const of = (figure: (run: OurRun) => number) => median(mine.map(figure));
  const [sentMs, confirmedMs, listMs] = [
    of((run) => run.sentMs),
    of((run) => run.confirmedMs),
    of((run) => run.listMs),
  ];
  const stats = mine.at(-1)?.stats;
  console.log('400 sessions over TLS, HTTP/2 offered, 50 ms latency, no limit (median of 5)');
  table(
    ['', 'all sent', 'all confirmed', 'one list', 'most in flight', 'connections', 'left'],
    [
      [
        'ours',
        ...[sentMs, confirmedMs, listMs].map(ms),
        ...[stats?.mostInFlight, stats?.mostConnections, stats?.running].map(String),
      ],
      ['SDK, Promise.all', ms(median(sdk)), 'never', '', '', String(sockets), '0'],
    ],
  );
  console.log(
    `${mine.map(ended).join(', ')} of 400 ended; ratio to the SDK ${ratio(sentMs, median(sdk))} (goal: at most 0.8, on ` +
      `one connection); confirmed, without one list, ${ratio(confirmedMs - listMs, median(sdk))} (goal: at most 1.0)\n`,
  );
}

async function withLimit(server: BenchServer): Promise<void> {
  await server.set({ sessions: 400, rateLimit: 50 });
  const run = await endAllOn(server);
  await server.set({ sessions: 400, rateLimit: 50 });
  const sdk = await theirs(server, 'at once');
  const left = await server.stats();
  const limit = (400 / 50) * 1_000;
  const refused = (run.stats.statusErrors / run.stats.requests) * 100;
  console.log('400 sessions, 50 ms latency, 50 requests a second allowed');
  table(
    ['', 'all sent', 'left', 'requests', 'refused'],
    [
      ['ours', ms(run.sentMs), String(run.stats.running), String(run.stats.requests), String(run.stats.statusErrors)],
      ['SDK, Promise.all', ms(sdk), String(left.running), String(left.requests), String(left.statusErrors)],
    ],
  );
  console.log(
    `${ended(run)} of 400 ended; ratio to the limit ${ratio(run.sentMs, limit)} (goal: at most 1.2), ` +
      `${refused.toFixed(1)}% refused (goal: below 5%)\n`,
  );
}

async function makespan(server: BenchServer): Promise<void> {
  console.log('200 sessions, 10 in flight');
  const rows: string[][] = [];
  for (const latencyMs of [50, 200]) {
    await server.set({ sessions: 200, latencyMs });
    const run = await endAllOn(server, atMost(10));
    const limit = Math.ceil(200 / 10) * latencyMs;
    // Runs one after the other: the time of a part predicts the time of the whole.
    await server.set({ sessions: 40, latencyMs });
    const sdk = (await theirs(server, 'one by one')) * 5;
    rows.push([
      `${latencyMs} ms`,
      ms(run.sentMs),
      ms(limit),
      ratio(run.sentMs, limit),
      ms(sdk),
      ratio(sdk, run.sentMs),
      String(run.stats.mostConnections),
    ]);
  }
  table(['latency', 'ours', 'limit', 'ratio (goal: 1.10)', 'SDK, a loop', 'times faster (goal: 9)', 'sockets'], rows);
  console.log('');
}

async function asynchronous(server: BenchServer): Promise<void> {
  await server.set({ sessions: 100, lagMs: 5_000 });
  const run = await endAllOn(server);
  console.log('100 sessions whose release takes 0 to 5 s');
  console.log(
    `${ended(run)} of 100 ended and confirmed in ${ms(run.confirmedMs)}, ${run.stats.running} left; ` +
      `${ratio(run.stats.requests, 100)} requests a session with the first list (goal: at most 1.3)\n`,
  );
}

async function fiveThousand(server: BenchServer): Promise<void> {
  await server.set({ sessions: 5_000, latencyMs: 20 });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  collect();
  const before = process.memoryUsage().heapUsed;
  const grown = () => (process.memoryUsage().heapUsed - before) / 2 ** 20;
  let most = 0;
  const sampling = setInterval(() => {
    most = Math.max(most, grown());
  }, 50);
  delay.enable();
  const run = await endAllOn(server);
  delay.disable();
  clearInterval(sampling);
  collect();
  console.log('5,000 sessions');
  console.log(
    `${ended(run)} ended, ${run.stats.running} left, in ${ms(run.confirmedMs)}; memory grew by ${grown().toFixed(1)} MB ` +
      `(goal: below 40), and during the run by up to ${most.toFixed(1)} MB with what is not collected yet; longest block ` +
      `of the thread ${ms(delay.max / 1e6)} (goal: at most 50); longest time without a word of progress ` +
      `${ms(run.longestGapMs)} (goal: at most 1 s)\n`,
  );
}

/** Collects garbage, so that the memory in use is what is actually held. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

async function fairness(): Promise<void> {
  const servers = await Promise.all(Array.from({ length: 5 }, () => BenchServer.start()));
  try {
    const [dead, ...others] = servers;
    if (dead === undefined) return;
    for (const server of others) await server.set({ sessions: 100 });
    const alone = median((await ours(others)).map(({ sentMs }) => sentMs));
    for (const server of others) await server.set({ sessions: 100 });
    await dead.set({ sessions: 20, silent: true });
    const together = await endAllAlongside(others, dead);
    console.log('5 accounts with 100 sessions each, one of which never responds');
    console.log(
      `the other four: ${ms(together)} compared with ${ms(alone)} alone: ratio ${ratio(together, alone)} (goal: at most 1.1)`,
    );
  } finally {
    for (const server of servers) server.stop();
  }
}

/** Measures several accounts whose ends are sent together with those of an account that never responds. */
async function endAllAlongside(others: readonly BenchServer[], dead: BenchServer): Promise<number> {
  const services = new TestServices({ clock: systemClock, kinds: [browserbase] });
  const times: number[] = [];
  try {
    const ids: AccountId[] = [];
    for (const { url, key } of [dead, ...others]) ids.push(await services.add('browserbase', url, { apiKey: key }));
    const [deadId] = ids;
    const targets = ids.flatMap((accountId) =>
      [...(services.store.state(accountId)?.contents.sessions.values() ?? [])].map((session) => ({
        accountId,
        session,
      })),
    );
    const alive = targets.filter(({ accountId }) => accountId !== deadId).length;
    const began = performance.now();
    const stop = new AbortController();
    await new Promise<void>((resolve) => {
      void services.ender.end(targets, {
        stop: stop.signal,
        onProgress: ({ sent }) => {
          if (sent !== alive) return;
          times.push(performance.now() - began);
          stop.abort();
          resolve();
        },
      });
    });
    return times[0] ?? Number.NaN;
  } finally {
    services.dispose();
  }
}
