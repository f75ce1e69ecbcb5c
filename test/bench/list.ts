import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { Agent, request } from 'undici';
import { systemClock } from '../../src/core/clock.ts';
import type { AccountId, SessionId } from '../../src/core/ids.ts';
import type { GroupBy } from '../../src/services/sessions/grouping.ts';
import type { Arrangement } from '../../src/ui/tree/arrangement.ts';
import { type SortBy, sortOrders } from '../../src/ui/tree/listOptions.ts';
import { until } from '../e2e/user.ts';
import { temporaryFolder } from '../host/processes.ts';
import { openWorkbench } from '../host/workbench.ts';
import { TestServices } from '../unit/services/testServices.ts';
import { arranged } from '../unit/sessions.ts';
import type { Order } from './ending.ts';
import { median, table } from './figures.ts';
import type { ListFigures } from './listHost.ts';

const accounts = 20;
const sessionsEach = 500;
const rounds = 7;
const latencyMs = 50;
/** Well before the extension host stops waiting for the bench outside, which is after three minutes. */
const paintDeadlineMs = 30_000;

const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;

/** A strict Browserbase in another process. Each account lists the same sessions from it. */
interface Server {
  readonly url: string;
  readonly key: string;
}

/** Measures what showing 10,000 sessions in 20 accounts costs, and what it costs that nothing changes. */
export async function list(): Promise<void> {
  const child = fork(new URL('./endingServer.ts', import.meta.url));
  try {
    await once(child, 'message');
    const server = await start(child);
    await firstRows(server);
    await unchanged(server);
    await sorting(server);
    await inWorkbench(server);
  } finally {
    child.disconnect();
  }
}

async function start(child: ChildProcess): Promise<Server> {
  const order: Order = { kind: 'set', sessions: sessionsEach, latencyMs, lagMs: 0, silent: false, acceptsAnyKey: true };
  child.send(order);
  const [{ url, key }] = (await once(child, 'message')) as [Server];
  return { url, key };
}

async function opened({ url, key }: Server): Promise<{ services: TestServices; ids: readonly AccountId[] }> {
  const services = new TestServices({ clock: systemClock });
  await services.kinds.load();
  const ids: AccountId[] = [];
  for (let index = 0; index < accounts; index++) {
    const label = `account ${index}`;
    ids.push(
      await services.accounts.add({ provider: 'browserbase', label, origin: url, credentials: { apiKey: key } }),
    );
  }
  return { services, ids };
}

interface Times {
  readonly first: number;
  readonly all: number;
}

/** From the view becoming visible to the first rows and to all of them. */
async function ours(server: Server): Promise<Times> {
  const { services, ids } = await opened(server);
  const began = performance.now();
  let first = 0;
  const subscription = services.store.onDidChange((change) => {
    if (first > 0 || change.kind !== 'account') return;
    const size = services.store.state(change.accountId)?.contents.sessions.size ?? 0;
    if (size > 0) first = performance.now() - began;
  });
  await Promise.all(ids.map((id) => services.refresher.refresh(id)));
  const all = performance.now() - began;
  const shown = ids.reduce((sum, id) => sum + (services.store.state(id)?.contents.sessions.size ?? 0), 0);
  if (shown !== accounts * sessionsEach) throw new Error(`only ${shown} sessions were listed`);
  subscription.dispose();
  services.dispose();
  return { first, all };
}

/** The same requests, each parsed and nothing more. */
async function bare({ url, key }: Server): Promise<Times> {
  const dispatcher = new Agent();
  const began = performance.now();
  let first = 0;
  const get = async (path: string) => {
    const { body } = await request(`${url}${path}`, { dispatcher, headers: { 'x-bb-api-key': key } });
    return (await body.json()) as readonly unknown[];
  };
  await Promise.all(
    Array.from({ length: accounts }, async () => {
      for (const status of ['PENDING', 'RUNNING']) {
        const rows = await get(`/v1/sessions?status=${status}`);
        if (rows.length > 0 && first === 0) first = performance.now() - began;
      }
      await get('/v1/projects');
    }),
  );
  const all = performance.now() - began;
  await dispatcher.close();
  return { first, all };
}

async function firstRows(server: Server): Promise<void> {
  const [a, b]: [Times[], Times[]] = [[], []];
  // The first round loads modules and connects.
  for (let round = 0; round <= rounds; round++) {
    const [one, other] = [await ours(server), await bare(server)];
    if (round > 0) a.push(one);
    if (round > 0) b.push(other);
  }
  const of = (times: readonly Times[], which: keyof Times) => median(times.map((one) => one[which]));
  console.log(
    `${accounts * sessionsEach} sessions in ${accounts} accounts, ${latencyMs} ms latency; median of ${rounds}`,
  );
  table(
    ['', 'ours', 'bare undici', 'ratio', 'goal'],
    (['first', 'all'] as const).map((which) => [
      which === 'first' ? 'first rows' : 'all rows',
      ms(of(a, which)),
      ms(of(b, which)),
      (of(a, which) / of(b, which)).toFixed(2),
      which === 'first' ? '1.2' : '',
    ]),
  );
}

/** What a poll that finds nothing new costs this thread, and whether anyone hears of it. */
async function unchanged(server: Server): Promise<void> {
  const { services, ids } = await opened(server);
  const poll = () => Promise.all(ids.map((id) => services.refresher.refresh(id)));
  // What the account has used may be read after the first list.
  for (let round = 0; round < 3; round++) await poll();
  let events = 0;
  const arrangement = arranged(services.store);
  for (const id of ids) arrangement.of(id);
  services.store.onDidChange(() => events++);
  arrangement.onDidChange(() => events++);
  const costs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.threadCpuUsage();
    await poll();
    const { user, system } = process.threadCpuUsage(before);
    costs.push((user + system) / 1_000 / ((accounts * sessionsEach) / 1_000));
  }
  console.log(
    `An unchanged poll: ${ms(median(costs))} of CPU per 1,000 sessions, requests and JSON included (goal: 5 ms), ${events} events (goal: 0)`,
  );
  services.dispose();
}

/** How long it takes to sort and group 10,000 sessions of one account again, and to ask for the result once more. */
async function sorting(server: Server): Promise<void> {
  const { services, ids } = await opened(server);
  const [id] = ids;
  if (id === undefined) return;
  await services.refresher.refresh(id);
  const [example] = services.store.state(id)?.contents.sessions.values() ?? [];
  if (example === undefined) throw new Error('nothing was listed');
  const sessions = Array.from({ length: accounts * sessionsEach }, (_, index) => ({
    ...example,
    id: `session-${index}` as SessionId,
    name: `job ${(index * 7_919) % 10_007}`,
    startedAt: (example.startedAt ?? 0) - ((index * 7_919) % 10_007) * 1_000,
    tags: [`tag ${index % 100}`],
  }));
  const run = services.store.beginList(id);
  run.arrive({ sessions, groups: [], faults: [], account: undefined });
  const rows: string[][] = [];
  const measure = (sortBy: SortBy, by: Exclude<GroupBy, 'none'>) => {
    const options = { sortBy, grouping: { by: [by], metadataKey: '' } };
    const times = Array.from({ length: rounds }, () => {
      const arrangement: Arrangement = arranged(services.store, { options });
      const began = performance.now();
      arrangement.of(id).sessions(undefined);
      const took = performance.now() - began;
      arrangement.dispose();
      return took;
    });
    rows.push([sortBy, by, ms(median(times))]);
  };
  for (const sortBy of sortOrders) measure(sortBy, 'batch');
  measure('newest', 'tag');
  console.log('Arranging 10,000 sessions of one account, once per change of membership');
  table(['sort', 'group', 'took'], rows);
  services.dispose();
}

/** Measures in a real workbench: memory, how soon an expanded account is painted, and what a change of one row costs. */
async function inWorkbench(server: Server): Promise<void> {
  const empty = await host(0, server, async () => 0);
  const full = await host(accounts, server, paint);
  const megabytes = (bytes: number) => bytes / 2 ** 20;
  console.log('In a workbench');
  table(
    ['', 'measured', 'goal'],
    [
      ['memory over an empty extension, heap', `${megabytes(full.heap - empty.heap).toFixed(0)} MB`, '60 MB'],
      ['and of the whole process', `${megabytes(full.resident - empty.resident).toFixed(0)} MB`, ''],
      ['from a click to the painted rows of an account', ms(full.outside), '300 ms'],
      ['rows drawn when one of 5,000 changed', String(empty.one?.items), '1'],
      ['CPU for that', ms(empty.one?.cpuMs ?? Number.NaN), ''],
      ['CPU for drawing all of them again', ms(empty.root?.cpuMs ?? Number.NaN), ''],
      ['ratio', ((empty.one?.cpuMs ?? Number.NaN) / (empty.root?.cpuMs ?? Number.NaN)).toFixed(2), '0.15'],
    ],
  );
}

/** Runs listHost.ts in an extension host, with our extension or with one that does nothing, and something outside. */
async function host(
  count: number,
  { url, key }: Server,
  outside: (page: Page, again: string) => Promise<number>,
): Promise<ListFigures & { readonly outside: number }> {
  const folder = temporaryFolder('bench');
  const [outcome, done, again] = ['outcome.json', 'done', 'again'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const workbench = await openWorkbench({
    userDataDir: folder,
    installed: [],
    tested: {
      extension: count > 0 ? resolve('.') : resolve('test', 'bench', 'view'),
      tests: resolve('out', 'bench', 'listHost.js'),
    },
    onLog: (type, args) => {
      if (type === 'error') console.log(...args);
    },
    env: Object.fromEntries(
      Object.entries({
        OUTCOME: outcome,
        DONE: done,
        AGAIN: again,
        URL: url,
        KEY: key,
        ACCOUNTS: String(count),
        SESSIONS: String(sessionsEach),
      }).map(([name, value]) => [`BROWSER_SESSIONS_BENCH_${name}`, value]),
    ),
  });
  try {
    let isOver = false;
    const exit = workbench.exit.then((code) => {
      isOver = true;
      return code;
    });
    while (!existsSync(outcome) && !isOver) await new Promise((soon) => setTimeout(soon, 100));
    const seen = isOver ? Number.NaN : await outside(workbench.page, again);
    writeFileSync(done, '');
    if ((await exit) !== 0) throw new Error('The extension host could not be measured.');
    return { ...(JSON.parse(readFileSync(outcome, 'utf8')) as ListFigures), outside: seen };
  } finally {
    await workbench.close();
  }
}

/** How long it takes from a click on the first account until its rows are painted, in milliseconds. */
async function paint(page: Page, again: string): Promise<number> {
  const twistie = page.getByRole('treeitem', { name: /^Account .*account 00/ }).locator('.monaco-tl-twistie');
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (await page.evaluate(isOpen)) await twistie.click();
    await until(async () => !(await page.evaluate(isOpen)), paintDeadlineMs);
    // The next look needs its rows from the extension host again.
    writeFileSync(again, '');
    await until(async () => !existsSync(again), paintDeadlineMs);
    await new Promise((soon) => setTimeout(soon, 1_500));
    await page.evaluate(notePainting);
    await twistie.click();
    times.push(await page.evaluate(() => (globalThis as unknown as { painted: Promise<number> }).painted));
  }
  return median(times);
}

/** Runs in the workbench's page: measures from the next click until the row below the first account is painted. */
function notePainting(): void {
  const isPainted = () => {
    const rows = [...document.querySelectorAll('.monaco-list-row[role=treeitem]')];
    const account = rows.find((row) => /^Account .*account 00/.test(row.getAttribute('aria-label') ?? ''));
    const next = String(Number(account?.getAttribute('data-index')) + 1);
    return rows.some((row) => row.getAttribute('data-index') === next && row.getAttribute('aria-level') === '2');
  };
  const painted = new Promise<number>((done) => {
    const begin = () => {
      const began = performance.now();
      const look = () => requestAnimationFrame(isPainted() ? () => done(performance.now() - began) : look);
      look();
    };
    addEventListener('mousedown', begin, { once: true, capture: true });
  });
  Object.assign(globalThis, { painted });
}

/** Runs in the workbench's page: whether the first account's rows are below it. */
function isOpen(): boolean {
  const rows = [...document.querySelectorAll('.monaco-list-row[role=treeitem]')];
  const account = rows.find((row) => /^Account .*account 00/.test(row.getAttribute('aria-label') ?? ''));
  const next = Number(account?.getAttribute('data-index')) + 1;
  return rows.some((row) => row.getAttribute('data-index') === String(next) && row.getAttribute('aria-level') === '2');
}
