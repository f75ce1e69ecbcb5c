import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { Screencast } from '../../src/cdp/screencast.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Link, Provider, ProviderKind } from '../../src/core/provider.ts';
import type { Session } from '../../src/core/session.ts';
import { findBrowsers } from '../../src/local/browsers.ts';
import { openProcessReader } from '../../src/local/openProcessReader.ts';
import { BoundBrowsers } from '../../src/local/playwrightFiles.ts';
import type { ProcessReader } from '../../src/local/processes.ts';
import { connectTo, thisMachine } from '../../src/providers/local/thisMachine.ts';
import { WorkbenchUser } from '../e2e/user.ts';
import { ensureChromium } from '../host/chromium.ts';
import { type LeftBehind, leaveBehind } from '../host/leftBehind.ts';
import { openPlaywrightHome } from '../host/playwright.ts';
import { isRunning, type Owned, start, temporaryFolder } from '../host/processes.ts';
import { ProviderServer } from '../servers/providerServer.ts';
import { TestServices } from '../unit/services/testServices.ts';
import { connect, unaborted } from '../unit/testNetwork.ts';
import { animatedPage } from './animatedPage.ts';
import { median, table } from './figures.ts';
import { extensionHost, ticksOf, ticksPerSecond } from './liveView.ts';

const orphans = 20;
const idleMs = 60_000;
const endings = 5;
const longestStartMs = 60_000;
const idleCheckMs = 1_000;
const idleShare = 0.1;
const rounds = 4;
const roundMs = 5_000;
const pages = 50;
const scripts = 3;
const [width, height] = [1280, 720];

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Measures ending and watching browsers on this machine. */
export async function localBrowsers(): Promise<void> {
  // The extension's own timers don't keep a process running.
  const running = setInterval(() => {}, 60_000);
  await ending();
  await watching();
  await idleView();
  clearInterval(running);
}

/** Measures what the extension host uses while the view is visible and nothing changes, and while it's hidden. */
export async function idleView(): Promise<void> {
  const left = await leaveBehind({ url: 'data:text/html,<title>Idle</title>' });
  const user = await WorkbenchUser.open({
    settings: { 'browserSessions.thisMachine.enabled': true, 'browserSessions.refresh.interval': 10 },
  });
  try {
    await user.row('Session Idle').waitFor();
    // While nothing changes, refreshing slows down to once a minute.
    await pause(idleMs);
    const host = extensionHost();
    const share = async () => {
      const before = ticksOf(host);
      await pause(idleMs);
      return `${((100 * (ticksOf(host) - before)) / ticksPerSecond / (idleMs / 1_000)).toFixed(2)}%`;
    };
    const visible = await share();
    await user.page.getByRole('tab', { name: 'Explorer' }).first().click();
    await pause(5_000);
    console.log('\nThe extension host, of one core, while nothing changes');
    table(
      ['view', 'CPU'],
      [
        ['visible', visible],
        ['hidden', await share()],
      ],
    );
  } finally {
    await user.standUp();
    left.stop();
  }
}

/** Compares ending 20 browsers at once with signals in a loop. */
async function ending(): Promise<void> {
  const [extension, confirmation, loop]: [number[], number[], number[]] = [[], [], []];
  let confirmed = 0;
  for (let round = 0; round < endings; round++) {
    for (const isExtension of round % 2 === 0 ? [true, false] : [false, true]) {
      const folder = temporaryFolder('bench');
      const left: LeftBehind[] = [];
      for (let at = 0; at < orphans; at++) left.push(await leaveBehind({ folder }));
      const reader = await readerOf(folder);
      await becomeIdle(reader);
      if (isExtension) {
        const services = new TestServices({
          kinds: [kindWith(reader)],
          clock: systemClock,
          interval: 0,
        });
        const accountId = await services.add('thisMachine', 'http://localhost');
        const all = [...(services.store.state(accountId)?.contents.sessions.values() ?? [])];
        if (all.length !== orphans) throw new Error(`${all.length} were listed`);
        const began = performance.now();
        const targets = all.map((session) => ({ accountId, session }));
        const report = services.ender.end(targets, { stop: unaborted, onProgress: () => {} });
        await areGone(left);
        extension.push(performance.now() - began);
        const { results } = await report;
        confirmation.push(performance.now() - began);
        confirmed += results.filter(({ outcome }) => outcome === 'ended').length;
        services.dispose();
      } else {
        const began = performance.now();
        for (const { pid } of left) process.kill(pid, 'SIGTERM');
        await areGone(left);
        loop.push(performance.now() - began);
      }
      for (const one of left) one.stop();
    }
  }
  console.log(`Ending ${orphans} browsers that were left behind, ${endings} rounds in turn`);
  table(
    ['', 'median', 'ratio'],
    [row('all gone', extension, loop), row('all confirmed', confirmation, loop), row('`kill` in a loop', loop, loop)],
  );
  console.log(`${confirmed} of ${orphans * endings} were confirmed`);
}

function row(name: string, times: readonly number[], others: readonly number[]): readonly string[] {
  return [name, `${median(times).toFixed(0)} ms`, (median(times) / median(others)).toFixed(2)];
}

async function areGone(left: readonly LeftBehind[]): Promise<void> {
  while (left.some(({ pid }) => isRunning(pid))) await pause(5);
}

/** Waits until browsers that have just started take less than a tenth of a core, as those that were left behind do. */
async function becomeIdle(reader: ProcessReader): Promise<void> {
  const deadline = performance.now() + longestStartMs;
  let last = -Infinity;
  while (performance.now() < deadline) {
    const cpuMs = (await findBrowsers(reader, unaborted)).reduce((sum, one) => sum + (one.cpuMs ?? 0), 0);
    if (cpuMs - last < idleShare * idleCheckMs) return;
    last = cpuMs;
    await pause(idleCheckMs);
  }
  throw new Error('The browsers are still busy.');
}

/** Reads only the browsers whose arguments contain a folder, to leave others on this machine alone. */
async function readerOf(folder: string): Promise<ProcessReader> {
  const real = await openProcessReader();
  return {
    ...real,
    list: async (...asked) => {
      const all = await real.list(...asked);
      return { ...all, found: all.found.filter(({ args }) => args.some((arg) => arg.includes(folder))) };
    },
  };
}

function kindWith(reader: ProcessReader, env: NodeJS.ProcessEnv = {}): ProviderKind {
  return { ...thisMachine, connect: (link: Link) => connectTo(link, async () => reader, env) };
}

/** A script that binds its browser, waits for a line, loads the pages, and writes how long that took. */
const script = `import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
const { chromium } = createRequire(process.argv[2])('playwright-core');
const browser = await chromium.launch({ executablePath: process.argv[3], chromiumSandbox: false });
await browser.bind('bench', { workspaceDir: process.cwd() });
const page = await browser.newPage({ viewport: { width: ${width}, height: ${height} } });
await page.goto(process.argv[4] + '/0');
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'stay') await page.goto(process.argv[4] + '/animated');
  const began = performance.now();
  for (let at = 0; line === 'load' && at < ${pages}; at++) {
    await page.goto(process.argv[4] + '/' + at);
    await page.getByRole('heading').textContent();
  }
  console.log('took ' + (performance.now() - began));
}`;

/** Compares the frame rate of a live view with that of a bare client, and an agent's speed while it's watched and not. */
async function watching(): Promise<void> {
  const site = await new ProviderServer({
    routes: {},
    notFound: ({ path }) => ({ status: 200, html: path === '/animated' ? animatedPage('page') : page(path.slice(1)) }),
  }).start();
  const { folder, registry, env } = openPlaywrightHome();
  writeFileSync(join(folder, 'script.mjs'), script);
  const from = createRequire(import.meta.url).resolve('playwright-core/package.json');
  const args = [join(folder, 'script.mjs'), from, await ensureChromium(), site.url];
  const agent = start(process.execPath, args, { env, cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
  try {
    await waitForOutput(agent, /ready/);
    const { provider } = connect(
      kindWith(await readerOf(folder), { PWTEST_SERVER_REGISTRY: registry }),
      'http://localhost',
    );
    const [session] = (await Array.fromAsync(provider.list(unaborted))).flatMap(({ sessions }) => sessions);
    const [bound] = await new BoundBrowsers({ PWTEST_SERVER_REGISTRY: registry }).read();
    if (session === undefined || bound === undefined) throw new Error(`The browser isn't listed. ${agent.output()}`);
    await frames(agent, provider, session, bound.socket);
    await speed(agent, provider, session, bound.socket);
  } finally {
    await agent.stop();
    await site.stop();
  }
}

function page(name: string): string {
  const rows = Array.from({ length: 200 }, (_, at) => `<li>Item ${at} of page ${name}</li>`).join('');
  return `<!DOCTYPE html><title>Page ${name}</title><h1>Page ${name}</h1><ul>${rows}</ul>`;
}

async function waitForOutput(agent: Owned, pattern: RegExp, after = 0): Promise<RegExpExecArray> {
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await pause(5)) {
    const found = pattern.exec(agent.output().slice(after));
    if (found !== null) return found;
  }
  throw new Error(`The script didn't write ${pattern}. ${agent.output()}`);
}

async function command(agent: Owned, line: string): Promise<number> {
  const before = agent.output().length;
  agent.child.stdin?.write(`${line}\n`);
  return Number((await waitForOutput(agent, /took ([\d.]+)\n/, before))[1]);
}

/** Watches as a live view does, and acknowledges each frame as soon as it arrives. */
async function watch(provider: Provider, session: Session): Promise<{ frames(): number; dispose(): void }> {
  const devtools = await provider.devtools?.(session.id, unaborted);
  if (devtools === undefined) throw new Error('There is no DevTools.');
  const size = { width, height };
  const screencast = new Screencast(devtools, { clock: systemClock, page: undefined, size, onTrouble: () => {} });
  let frames = 0;
  screencast.onFrame(({ number }) => {
    frames += 1;
    screencast.drawn(number);
  });
  await screencast.start();
  return { frames: () => frames, dispose: () => screencast.dispose() };
}

/** A minimal client of Playwright's socket, which acknowledges each frame and discards it. */
function bareClient(socket: string): { frames(): number; dispose(): void } {
  let [id, frames, rest, session] = [0, 0, '', ''];
  const wire = connectSocket(socket);
  const waiting = new Map<number, (result: { readonly session?: { readonly guid: string } }) => void>();
  const send = (guid: string, method: string, params: object) => {
    wire.write(`${JSON.stringify({ id: ++id, guid, method, params, metadata: {} })}\0`);
    return new Promise<{ readonly session?: { readonly guid: string } }>((resolve) => waiting.set(id, resolve));
  };
  let context = '';
  wire.setEncoding('utf8');
  wire.on('data', (data: string) => {
    const texts = (rest + data).split('\0');
    rest = texts.pop() ?? '';
    for (const text of texts) {
      const message = JSON.parse(text);
      if (message.id !== undefined) waiting.get(message.id)?.(message.result ?? {});
      const { type, guid } = message.params ?? {};
      if (message.method === '__create__' && type === 'BrowserContext') context = guid;
      if (message.method === '__create__' && type === 'Page') void open(guid);
      if (message.guid === session && message.params?.method === 'Page.screencastFrame') {
        frames += 1;
        const { sessionId } = message.params.params;
        void send(session, 'send', { method: 'Page.screencastFrameAck', params: { sessionId } });
      }
    }
  });
  const open = async (page: string) => {
    const made = await send(context, 'newCDPSession', { page: { guid: page } });
    session = made.session?.guid ?? '';
    const params = { format: 'jpeg', quality: 80, maxWidth: width, maxHeight: height };
    await send(session, 'send', { method: 'Page.startScreencast', params });
  };
  void send('', 'initialize', { sdkLanguage: 'javascript' });
  return { frames: () => frames, dispose: () => wire.destroy() };
}

async function rate(client: { frames(): number; dispose(): void }): Promise<number> {
  await pause(1_500);
  const before = client.frames();
  await pause(roundMs);
  const count = client.frames() - before;
  client.dispose();
  await pause(500);
  return count / (roundMs / 1_000);
}

async function frames(agent: Owned, provider: Provider, session: Session, socket: string): Promise<void> {
  await command(agent, 'stay');
  const [live, bare]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    bare.push(await rate(bareClient(socket)));
    live.push(await rate(await watch(provider, session)));
  }
  console.log(
    `\nA page of a Playwright browser that is redrawn all the time, ${rounds} rounds of ${roundMs / 1_000} s in turn`,
  );
  table(
    ['', 'frames a second', 'ratio'],
    [
      ['live view', median(live).toFixed(1), (median(live) / median(bare)).toFixed(2)],
      ['bare client', median(bare).toFixed(1), ''],
    ],
  );
}

async function speed(agent: Owned, provider: Provider, session: Session, socket: string): Promise<void> {
  await command(agent, 'load');
  const [watched, byBare, alone]: number[][] = [[], [], []];
  for (let at = 0; at < scripts; at++) {
    alone?.push(await command(agent, 'load'));
    for (const [its, open] of [
      [watched, () => watch(provider, session)],
      [byBare, async () => bareClient(socket)],
    ] as const) {
      const client = await open();
      await pause(500);
      its?.push(await command(agent, 'load'));
      client.dispose();
      await pause(500);
    }
  }
  console.log(`\nAn agent's script that loads ${pages} pages, ${scripts} rounds in turn`);
  table(
    ['', 'median', 'ratio'],
    [
      ...(
        [
          ['watched in a live view', watched],
          ['watched by a bare client', byBare],
          ['not watched', alone],
        ] as const
      ).map(([name, figures = []]) => [
        name,
        `${median(figures).toFixed(0)} ms`,
        (median(figures) / median(alone ?? [])).toFixed(3),
      ]),
    ],
  );
}
