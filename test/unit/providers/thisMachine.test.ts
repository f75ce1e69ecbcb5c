import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { takeScreenshot } from '../../../src/cdp/screenshot.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { sessionId } from '../../../src/core/ids.ts';
import type { Inventory } from '../../../src/core/inventory.ts';

import type { Link, Provider, ProviderKind } from '../../../src/core/provider.ts';
import type { Session } from '../../../src/core/session.ts';
import { unlistedSession } from '../../../src/core/unlistedSession.ts';
import { openProcessReader } from '../../../src/local/openProcessReader.ts';
import type { ProcessReader } from '../../../src/local/processes.ts';
import { connectTo, thisMachine } from '../../../src/providers/local/thisMachine.ts';
import { ensureChromium, quietFlags } from '../../host/chromium.ts';

import { findFirefox } from '../../host/firefox.ts';
import { type LeftBehind, leaveBehind } from '../../host/leftBehind.ts';
import { freePort, isRunning, start, temporaryFolder } from '../../host/processes.ts';
import { troubleOf } from '../errors.ts';
import { TestServices } from '../services/testServices.ts';
import { connect, unaborted } from '../testNetwork.ts';
import { until } from '../until.ts';

/** The processes in the process group of a browser that was left behind: the browser and its child processes. */
function groupOf(browser: number): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const groups = new Map(
    pids.map((pid) => [Number(pid), fileOf(pid, 'stat').replace(/^.*\) \S+ \S+ (\S+) .*$/s, '$1')]),
  );
  return [...groups].filter(([, group]) => group === groups.get(browser)).map(([pid]) => pid);
}

function argumentsOf(pid: number): readonly string[] {
  return fileOf(pid, 'cmdline').split(/[\0 ]/);
}

function fileOf(pid: number | string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    // It has ended.
    return '';
  }
}

(process.platform === 'linux' ? describe : describe.skip)('This Machine (Linux only)', function () {
  this.timeout(60_000);
  let provider: Provider;
  const browsers: LeftBehind[] = [];
  before(() => {
    ({ provider } = connect(thisMachine, 'http://localhost'));
  });
  afterEach(() => {
    for (const one of browsers.splice(0)) one.stop();
  });

  async function left(options?: Parameters<typeof leaveBehind>[0]): Promise<LeftBehind> {
    const one = await leaveBehind(options);
    browsers.push(one);
    return one;
  }
  const list = async (): Promise<Inventory[]> => Array.fromAsync(provider.list(unaborted));
  async function listed({ pid }: LeftBehind, isSo: (session: Session) => boolean = () => true): Promise<Session> {
    for (const deadline = Date.now() + 15_000; ; ) {
      const session = (await list()).flatMap(({ sessions }) => sessions).find(({ id }) => id.startsWith(`${pid}-`));
      if (session !== undefined && isSo(session)) return session;
      assert.ok(Date.now() < deadline, JSON.stringify(session));
    }
  }

  /** A server at a port that answers requests as a browser with DevTools does. */
  async function impostorAt(port: number): Promise<Server> {
    const impostor = createServer((_, response) => {
      response.end(JSON.stringify({ Browser: 'x', webSocketDebuggerUrl: `ws://127.0.0.1:${port}/devtools/browser/x` }));
    }).listen(port, '127.0.0.1');
    await once(impostor, 'listening');
    return impostor;
  }

  /**
   * Makes an impostor claim to be the browser with this process ID, and to have a page.
   * @returns how many connections it has had.
   */
  function impersonate(impostor: Server, pid: number, delayMs: number): () => number {
    const answers: Record<string, unknown> = {
      'SystemInfo.getProcessInfo': { processInfo: [{ type: 'browser', id: pid }] },
    };
    const targetInfo = { targetId: 'T', type: 'page', title: 'Your bank', url: 'https://x.example/' };
    const created = JSON.stringify({ method: 'Target.targetCreated', params: { targetInfo } });
    let connections = 0;
    new WebSocketServer({ server: impostor }).on('connection', (socket) => {
      connections++;
      socket.on('message', (data: Buffer) => {
        const { id, method } = JSON.parse(data.toString());
        setTimeout(() => {
          if (method === 'Target.setDiscoverTargets') socket.send(created);
          socket.send(JSON.stringify({ id, result: answers[method] ?? {} }));
        }, delayMs);
      });
    });
    return () => connections;
  }

  const isOfThis = (id: string) => browsers.some(({ pid }) => id.startsWith(`${pid}-`));
  const titled = '<title>Quarterly report</title>';
  const hasTitle = ({ pages }: Session) => pages?.some(({ title }) => title === 'Quarterly report') === true;

  it('lists a browser that was left behind under that name, with its pages and no argument of its command line', async () => {
    const one = await left({
      url: `data:text/html,${titled}`,
      flags: ['--headless', '--remote-debugging-port=0', '--proxy-server=http://user:pw-secret@127.0.0.1:9'],
    });
    const session = await listed(one, hasTitle);
    assert.equal(session.name, 'Quarterly report');
    const [{ groups } = { groups: [] }] = await list();
    assert.equal(groups.find(({ id }) => id === session.groupId)?.name, 'Left behind');
    assert.equal(session.metadata.get('tool'), 'agent-browser');
    assert.doesNotMatch(JSON.stringify(await list()), /pw-secret|--headless/);
    assert.deepEqual(session.traits.slice(0, 2), ['left behind', 'headless']);
  });

  it('lists a Firefox that was left behind, says so, and ends it with all of its processes', async function () {
    const firefox = await findFirefox();
    // There is no Firefox, and only Debian's package is installed for tests.
    if (firefox === undefined) return this.skip();
    const one = await left({ firefox, profile: 'rust_mozprofile1', flags: ['--marionette', '--headless'] });
    await until(() => groupOf(one.pid).length > 4);
    const session = await listed(one);
    assert.deepEqual([session.name, session.canWatch, session.pages], ['geckodriver', false, undefined]);
    assert.deepEqual(session.traits.slice(0, 3), ['left behind', 'Firefox', 'headless']);
    assert.equal(new Map(session.facts).get('Browser'), 'Firefox');
    assert.deepEqual(session.local?.profile, { folder: one.profile, afterEnd: 'left' });
    assert.equal((await provider.end(session, unaborted)).outcome, 'ended');
    assert.ok(!isRunning(one.pid));
    // Its crash helper notices a moment later.
    await until(() => groupOf(one.pid).length === 0);
    assert.equal(await provider.probe(session, unaborted), 'gone');
  });

  it('says where a browser was started, that no program uses it, and that its temporary profile stays', async () => {
    const cwd = temporaryFolder('project');
    const one = await left({ cwd });
    const { inUseBy, local, facts } = await listed(one);
    assert.equal(inUseBy, undefined);
    assert.deepEqual([local?.isLeftBehind, local?.startedIn], [true, cwd]);
    assert.deepEqual(local?.profile, { folder: one.profile, afterEnd: 'left' });
    assert.deepEqual(new Map(facts).get('Started in'), cwd);
    assert.equal(new Map(facts).get('Window'), 'None (headless)');
  });

  it('says which program may be using a browser: its owner, while that is running', async () => {
    const folder = temporaryFolder('used');
    const script = join(folder, 'scrape.mjs');
    writeFileSync(
      script,
      `import { spawn } from 'node:child_process';
      spawn(process.argv[2], process.argv.slice(3), { stdio: 'ignore' });
      setInterval(() => {}, 1000);`,
    );
    const profile = join(folder, 'puppeteer_dev_chrome_profile-x');
    const flags = [...quietFlags, '--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
    const owner = start(process.execPath, [script, await ensureChromium(), ...flags], { cwd: folder });
    const find = async () =>
      (await list()).flatMap(({ sessions }) => sessions).find(({ local }) => local?.profile?.folder === profile);
    await until(async () => (await find()) !== undefined);
    const used = await find();
    assert.equal(used?.inUseBy, 'scrape.mjs');
    assert.deepEqual([used?.local?.isLeftBehind, used?.local?.startedIn], [false, folder]);
    assert.equal(used?.local?.profile?.afterEnd, 'deleted');
    process.kill(owner.child.pid ?? 0, 'SIGKILL');
    await until(async () => (await find())?.local?.isLeftBehind === true);
    const after = await find();
    assert.deepEqual([after?.inUseBy, after?.local?.profile?.afterEnd], [undefined, 'left']);
    await owner.stop();
  });

  it('says how much of a core a busy browser uses', async () => {
    const busy = '<script>setInterval(() => { for (const end = Date.now() + 90; Date.now() < end; ); }, 100)</script>';
    const one = await left({ url: `data:text/html,${encodeURIComponent(busy)}` });
    assert.equal((await listed(one)).local?.cpu, undefined);
    const { local, traits } = await listed(one, (session) => (session.local?.cpu ?? 0) >= 25);
    assert.ok(traits.includes(`${local?.cpu}% CPU`), JSON.stringify(traits));
  });

  it('lists a browser whatever the program that started it is called', async () => {
    const reader = await openProcessReader();
    const one = await left();
    await listed(one);
    const node = { pid: 2, parentPid: 1, identity: '1', startedAt: 0, program: '/usr/bin/node' };
    const groupsBy = async (script: string) => {
      const parent = { ...node, args: ['node', script, 'x'], memory: undefined, cpuMs: undefined };
      const list: ProcessReader['list'] = async (...asked) => {
        const { found } = await reader.list(...asked);
        const its = found.filter(({ pid }) => pid === one.pid);
        const automated = its.map((its) => ({
          ...its,
          parentPid: 2,
          args: ['chromium', '--headless', '--remote-debugging-pipe', '--user-data-dir=/x'],
        }));
        return {
          found: automated,
          keepsDeadParents: false,
          ancestorsOf: () => [parent],
          processWith: () => undefined,
          folderOf: () => undefined,
          isService: () => false,
        };
      };
      const link = { isShownElsewhere: () => false, hasAccountAt: () => false, clock: systemClock } as unknown as Link;
      const machine = connectTo(link, async () => ({ ...reader, list }), { PWTEST_SERVER_REGISTRY: '/none' });
      const pages = await Array.fromAsync(machine.list(unaborted));
      assert.equal(pages.flatMap(({ sessions }) => sessions).length, 1, script);
      return pages.flatMap(({ groups }) => groups.map(({ name }) => name));
    };
    assert.deepEqual(await groupsBy('/srv/all'), ['all']);
    assert.deepEqual(await groupsBy('/srv/…'), ['…']);
    assert.deepEqual((await groupsBy(`/srv/${'long'.repeat(500)}`)).length, 1);
  });

  it('shows it live by DevTools', async () => {
    const session = await listed(await left({ url: `data:text/html,${titled}` }), hasTitle);
    const devtools = await provider.devtools?.(session.id, unaborted);
    assert.ok(devtools);
    const shot = await takeScreenshot(devtools, undefined, unaborted);
    assert.ok(shot.bytes.length > 100);
    devtools.connection.dispose();
  });

  it('ends a browser, and doesn’t take it for another one, after the machine’s clock was set forward', async () => {
    const reader = await openProcessReader();
    let setBy = 0;
    const list: ProcessReader['list'] = async (...asked) => {
      const all = await reader.list(...asked);
      return { ...all, found: all.found.map((one) => ({ ...one, startedAt: one.startedAt + setBy })) };
    };
    const connect: ProviderKind['connect'] = (link) => connectTo(link, async () => ({ ...reader, list }));
    const services = new TestServices({ kinds: [{ ...thisMachine, connect }], clock: systemClock });
    const one = await left();
    await listed(one);
    const accountId = await services.add('thisMachine', 'http://localhost');
    const session = [...services.store.known(accountId).values()].find(({ id }) => id.startsWith(`${one.pid}-`));
    assert.ok(session);
    // While the dialog is open.
    setBy = 3_600_000;
    await services.refresher.refresh(accountId);
    const unwatched = { stop: unaborted, onProgress: () => {} };
    const { results } = await services.ender.end([{ accountId, session }], unwatched);
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ['ended'],
    );
    assert.equal(await provider.probe(session, unaborted), 'gone');
    services.dispose();
  });

  it('lists a frozen browser with the pages that it last had, in time, and kills it', async () => {
    const one = await left({ url: `data:text/html,${titled}` });
    const session = await listed(one, hasTitle);
    process.kill(one.pid, 'SIGSTOP');
    const began = Date.now();
    // Its row keeps its name, and so does the history once it has ended.
    const { name, pages } = await listed(one);
    assert.deepEqual([name, pages], [session.name, session.pages]);
    const { provider: other } = connect(thisMachine, 'http://localhost');
    const [unknown] = (await Array.fromAsync(other.list(unaborted))).flatMap(({ sessions }) =>
      sessions.filter(({ id }) => id === session.id),
    );
    assert.equal(unknown?.pages, undefined);
    assert.ok(Date.now() - began < 10_000);
    assert.equal(await provider.probe(session, unaborted), 'running');
    const answer = await provider.end(session, unaborted);
    assert.equal(answer.outcome, 'ended');
    assert.match(answer.how ?? '', /killed/);
    assert.equal(await provider.probe(session, unaborted), 'gone');
  });

  for (const [what, parts] of [
    ['a browser', 'all'],
    ['the renderers of a browser', 'renderers'],
  ] as const) {
    it(`leaves no process of it when someone has frozen ${what}`, async () => {
      const one = await left({ url: `data:text/html,${titled}` });
      const session = await listed(one, hasTitle);
      const group = groupOf(one.pid);
      const frozen = parts === 'all' ? group : group.filter((pid) => argumentsOf(pid).includes('--type=renderer'));
      assert.ok(frozen.length > 0 && group.length > 3);
      for (const pid of frozen) process.kill(pid, 'SIGSTOP');
      assert.equal((await provider.end(session, unaborted)).outcome, 'ended');
      assert.deepEqual(
        group.filter((pid) => isRunning(pid)),
        [],
      );
    });
  }

  it('shows no pages of a browser at whose port another one answers', async () => {
    const port = await freePort();
    const impostor = await impostorAt(port);
    const one = await left({ flags: ['--headless', `--remote-debugging-port=${port}`] });
    const session = await listed(one);
    assert.equal(session.pages, undefined);
    await assert.rejects(async () => provider.devtools?.(session.id, unaborted));
    impostor.close();
  });

  it('doesn’t show pages that another browser passes off as this one’s', async () => {
    const one = await left({ url: `data:text/html,${titled}` });
    await listed(one, hasTitle);
    const port = await freePort();
    // A Chrome elsewhere, whose port is forwarded to this machine: its process IDs mean nothing here.
    const chrome = await impostorAt(port);
    // It answers later than the browser that it claims to be.
    const connections = impersonate(chrome, one.pid, 500);
    await left({ flags: ['--headless', `--remote-debugging-port=${port}`] });
    for (let times = 0; times < 5; times++) {
      assert.equal((await listed(one, hasTitle)).name, 'Quarterly report');
    }
    assert.equal(connections(), 0);
    chrome.closeAllConnections();
    chrome.close();
  });

  it('shows no pages of a browser at whose port another process answers with its process ID', async () => {
    const port = await freePort();
    const impostor = await impostorAt(port);
    const one = await left({ flags: ['--headless', `--remote-debugging-port=${port}`] });
    const connections = impersonate(impostor, one.pid, 0);
    const session = await listed(one);
    assert.equal(session.pages, undefined);
    assert.equal(await troubleOf(provider.devtools?.(session.id, unaborted) ?? assert.fail()), 'otherSession');
    assert.equal(connections(), 0);
    impostor.closeAllConnections();
    impostor.close();
  });

  it('ends a browser that a launcher of the same name started and waits for, not only the launcher', async () => {
    const folder = temporaryFolder('launched');
    const launcher = join(folder, 'chrome');
    copyFileSync('/bin/bash', launcher);
    const script = join(folder, 'launch.sh');
    writeFileSync(script, `${await ensureChromium()} "$@"\nexit 0\n`);
    const profile = join(folder, 'agent-browser-chrome-w');
    const flags = [...quietFlags, '--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
    const started = start(launcher, [script, ...flags, 'data:text/html,<title>Launched</title>']);
    const listedThere = async () => (await list()).flatMap(({ sessions }) => sessions).filter(isThere);
    const isThere = ({ local }: Session) => local?.profile?.folder === profile;
    await until(async () => (await listedThere()).some(({ name }) => name === 'Launched'));
    const [session, ...others] = await listedThere();
    assert.ok(session);
    assert.deepEqual([others, session.id.startsWith(`${started.child.pid}-`)], [[], false]);
    const launchers = [...((await list())[0]?.shownElsewhere?.keys() ?? [])];
    assert.ok(launchers.some((id) => id.startsWith(`${started.child.pid}-`)));
    await provider.end(session, unaborted);
    assert.equal(await provider.probe(session, unaborted), 'gone');
    await until(() => !existsSync(`/proc/${session.id.split('-')[0]}`));
    await started.stop();
  });

  it('ends exactly the browser that was listed, and nothing under an id whose process has ended', async () => {
    const [first, second] = [await left(), await left()];
    const session = await listed(first);
    assert.equal((await provider.end(session, unaborted)).outcome, 'ended');
    assert.equal(await provider.probe(session, unaborted), 'gone');
    assert.equal((await provider.end(session, unaborted)).outcome, 'alreadyGone');
    const reused = { ...(await listed(second)), id: sessionId(`${second.pid}-1`) };
    assert.equal((await provider.end(reused, unaborted)).outcome, 'alreadyGone');
    assert.equal(await provider.probe(await listed(second), unaborted), 'running');
    const notABrowser = sessionId(`${process.pid}-${(await listed(second)).id.split('-')[1]}`);
    assert.equal((await provider.end({ ...session, id: notABrowser }, unaborted)).outcome, 'alreadyGone');
  });

  it('reads the processes once for browsers that are ended at once', async () => {
    const several = [await left(), await left(), await left()];
    const sessions = [];
    for (const one of several) sessions.push(await listed(one));
    let reads = 0;
    const kind: ProviderKind = {
      ...thisMachine,
      connect: (link) =>
        connectTo(link, () => {
          reads++;
          return openProcessReader();
        }),
    };
    const counting = connect(kind, 'http://localhost').provider;
    const answers = await Promise.all(sessions.map((session) => counting.end(session, unaborted)));
    assert.ok(answers.every(({ outcome }) => outcome === 'ended'));
    assert.equal(reads, 1);
    const stopped = counting.end(await listed(await left()), AbortSignal.abort());
    assert.equal(await troubleOf(stopped), 'canceled');
    assert.equal((await list()).flatMap((one) => one.sessions).filter(({ id }) => isOfThis(id)).length, 1);
  });

  it('leaves out a browser for which the user has added an account', async () => {
    const port = await freePort();
    const one = await left({ url: 'data:text/html,A', flags: ['--headless', `--remote-debugging-port=${port}`] });
    await listed(one, ({ pages }) => pages !== undefined);
    const services = new TestServices();
    const account = await services.add('thisMachine', 'http://localhost');
    const row = () =>
      [...(services.store.state(account)?.contents.sessions.values() ?? [])].find(({ id }) =>
        id.startsWith(`${one.pid}-`),
      );
    const session = row();
    assert.ok(session);
    const gone: string[] = [];
    services.store.onDidLeave(({ session: { id } }) => gone.push(id));
    await services.add('localChrome', `http://127.0.0.1:${port}`);
    await services.refresher.refresh(account);
    assert.equal(row(), undefined);
    assert.deepEqual([gone, services.store.hasEnded(account, session.id)], [[], false], 'it has not ended');
    services.dispose();
  });

  it('lists a browser that another account could show but doesn’t', async () => {
    const port = await freePort();
    const flags = ['--headless', `--remote-debugging-port=${port}`];
    const services = new TestServices();
    const account = await services.add('thisMachine', 'http://localhost');
    const lists = async ({ pid }: LeftBehind) => {
      await services.refresher.refresh(account);
      const ids = [...(services.store.state(account)?.contents.sessions.keys() ?? [])];
      return ids.some((id) => id.startsWith(`${pid}-`));
    };
    // It has only an empty tab, which isn't a session there.
    const first = await left({ flags, url: 'about:blank' });
    await until(async () => (await fetch(`http://127.0.0.1:${port}/json/version`).catch(() => undefined))?.ok === true);
    const chrome = await services.add('localChrome', `http://127.0.0.1:${port}`);
    assert.equal(services.store.state(chrome)?.contents.sessions.size, 0);
    assert.equal(await lists(first), true);
    await fetch(`http://127.0.0.1:${port}/json/new?data:text/html,A`, { method: 'PUT' });
    await services.refresher.refresh(chrome);
    assert.equal(services.store.state(chrome)?.contents.sessions.size, 1);
    assert.equal(await lists(first), false);
    // It didn't get the port, which the first one has.
    const second = await left({ flags });
    await until(() => lists(second));
    assert.equal(await lists(first), false);
    services.dispose();
  });

  it('confirms the end of a browser that another account has shown since the last list', async () => {
    const port = await freePort();
    const one = await left({ flags: ['--headless', `--remote-debugging-port=${port}`] });
    await listed(one);
    const services = new TestServices();
    const account = await services.add('thisMachine', 'http://localhost');
    const session = [...(services.store.state(account)?.contents.sessions.values() ?? [])].find(({ id }) =>
      id.startsWith(`${one.pid}-`),
    );
    assert.ok(session);
    await services.accounts.add({
      provider: 'localChrome',
      label: 'Chrome',
      origin: `http://127.0.0.1:${port}`,
      credentials: {},
    });
    const { results } = await services.ender.end([{ accountId: account, session }], {
      stop: unaborted,
      onProgress: () => {},
    });
    assert.deepEqual([results[0]?.outcome, await provider.probe(session, unaborted)], ['ended', 'gone']);
    services.dispose();
  });

  it('doesn’t call a process ended that it doesn’t list and can’t end', async () => {
    const services = new TestServices();
    const account = await services.add('thisMachine', 'http://localhost');
    const identity = await (await openProcessReader()).identityOf(process.pid);
    const session = unlistedSession(sessionId(`${process.pid}-${identity}`));
    const ending = services.ender.end([{ accountId: account, session, unlisted: true }], {
      stop: unaborted,
      onProgress: () => {},
    });
    assert.equal((await ending).results[0]?.outcome, 'failed');
    services.dispose();
  });

  it('doesn’t end a process that has become another browser since it was confirmed', async () => {
    const [shell, next] = [temporaryFolder('first'), join(temporaryFolder('next'), 'puppeteer_dev_chrome_profile-b')];
    const launcher = join(shell, 'chrome');
    copyFileSync('/bin/bash', launcher);
    const script = join(shell, 'run.sh');
    const flags = ['--headless', '--remote-debugging-port=0'].join(' ');
    const run = `exec ${await ensureChromium()} ${quietFlags.join(' ')} ${flags} --user-data-dir=${next}`;
    writeFileSync(script, `until [ -e ${shell}/go ]; do sleep 0.1; done\n${run}\n`);
    const before = start(launcher, [
      script,
      flags,
      `--user-data-dir=${join(shell, 'agent-browser-chrome-a')}`,
      ...flags.split(' '),
    ]);
    const one = { pid: before.child.pid ?? 0, profile: '', stop: () => void before.stop() };
    const confirmed = await listed(one);
    writeFileSync(join(shell, 'go'), '');
    await listed(one, ({ local }) => local?.profile?.folder === next);
    assert.equal(await troubleOf(provider.end(confirmed, unaborted)), 'otherSession');
    assert.equal(await provider.probe(confirmed, unaborted), 'running');
    await before.stop();
  });

  it('refuses ids that name no process', async () => {
    const session = await listed(await left());
    for (const id of ['0-1', '-1-2', 'abc', '1-']) {
      assert.equal(await provider.probe({ ...session, id: sessionId(id) }, unaborted), 'gone', id);
      assert.equal((await provider.end({ ...session, id: sessionId(id) }, unaborted)).outcome, 'alreadyGone', id);
    }
    const stopped = AbortSignal.abort();
    assert.equal(await troubleOf(Array.fromAsync(provider.list(stopped))), 'canceled');
  });
});
