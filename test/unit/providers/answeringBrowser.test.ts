import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import type { CdpConnection } from '../../../src/core/cdp.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type AccountId, type SessionId, sessionId } from '../../../src/core/ids.ts';
import { neverAborted } from '../../../src/core/neverAborted.ts';
import { unlistedSession } from '../../../src/core/unlistedSession.ts';
import { AnsweringBrowser } from '../../../src/providers/answeringBrowser.ts';
import { review } from '../../../src/services/ending/verifier.ts';
import { ensureChromium, quietFlags, type RunningChromium, startChromium } from '../../host/chromium.ts';
import { freePort, start, temporaryFolder } from '../../host/processes.ts';
import { pathWithoutId, startCdpRelay } from '../../servers/cdpRelay.ts';
import { Devtools } from '../../servers/devtools.ts';
import { TestServices } from '../services/testServices.ts';
import { until } from '../until.ts';

describe('sessions of a Local Chrome when another browser answers at its address', function () {
  this.timeout(60_000);
  const browsers: RunningChromium[] = [];
  let services: TestServices;
  let relay: Server | undefined;
  const sockets = new Set<Socket>();
  /** The port that the forwarded one leads to. */
  let to: number;

  beforeEach(() => {
    services = new TestServices({ clock: systemClock, interval: 0 });
  });
  afterEach(async () => {
    services.dispose();
    relay?.close();
    for (const socket of sockets) socket.destroy();
    for (const browser of browsers.splice(0)) await browser.stop();
  });

  async function browser(): Promise<RunningChromium> {
    const one = await startChromium();
    browsers.push(one);
    return one;
  }

  /** Opens a context in a browser and lists it. */
  async function listed(
    { endpoint }: Pick<RunningChromium, 'endpoint'>,
    origin = endpoint,
  ): Promise<[AccountId, SessionId]> {
    const devtools = await Devtools.open(endpoint);
    const context = await devtools.openContext('data:text/html,<title>mine</title>');
    devtools.close();
    const account = await services.add('localChrome', origin);
    const session = [...services.store.known(account).keys()].find((id) => id === context);
    return [account, session ?? assert.fail('it is not listed')];
  }

  /** A port that leads to a browser. */
  async function forwarded({ port }: Pick<RunningChromium, 'port'>): Promise<string> {
    to = port;
    relay = createServer((socket) => {
      const other = dial(to, '127.0.0.1');
      sockets.add(socket);
      for (const one of [socket, other]) one.on('error', () => {});
      socket.pipe(other).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    return `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
  }

  function lead({ port }: Pick<RunningChromium, 'port'>): void {
    to = port;
    for (const socket of sockets) socket.destroy();
  }

  const contextsOf = async ({ endpoint }: RunningChromium) => {
    const devtools = await Devtools.open(endpoint);
    const contexts = await devtools.contexts();
    devtools.close();
    return contexts;
  };

  it('aren’t called ended, are listed again when the first one answers, and are ended only there', async () => {
    const [first, second] = [await browser(), await browser()];
    const [account, session] = await listed(first, await forwarded(first));
    const confirmed = { accountId: account, session: services.store.session(account, session) ?? assert.fail() };
    lead(second);
    await services.refresher.refresh(account);
    assert.equal(services.store.hasEnded(account, session), false);
    assert.match(
      services.store
        .state(account)
        ?.contents.faults.map(({ what }) => what)
        .join() ?? '',
      /another browser answers there now, so it may still be running/,
    );
    const quietly = { stop: neverAborted, onProgress: () => {} };
    const { results } = await services.ender.end([confirmed], quietly);
    assert.deepEqual([results[0]?.outcome, await contextsOf(first)], ['failed', [session]]);
    lead(first);
    await services.refresher.refresh(account);
    assert.deepEqual(services.store.state(account)?.contents.faults, []);
    const again = await services.ender.end([confirmed], quietly);
    assert.deepEqual([again.results[0]?.outcome, await contextsOf(first)], ['ended', []]);
  });

  it('may be running for ten minutes after the first one answered, if it isn’t known which process that is', async () => {
    let now = 0;
    const clock = { ...systemClock, monotonic: () => now };
    const answering = new AnsweringBrowser({ origin: new URL('https://chrome.example'), clock });
    const answersAs = (id: string | undefined, ...inside: readonly string[]) =>
      answering.identify({ id, cdp: {} as CdpConnection }, new Set(inside), neverAborted);
    const elsewhere = async (id: string) => [...(await answersAs(id)).elsewhere()];
    const one = await answersAs('one');
    one.note([sessionId('a'), sessionId('b')]);
    assert.deepEqual([...one.elsewhere()], []);
    now = 1_000;
    const two = await answersAs('two');
    assert.deepEqual([...two.elsewhere()], ['a', 'b']);
    two.note([sessionId('b')]);
    now = 599_000;
    assert.deepEqual(await elsewhere('two'), ['a']);
    assert.deepEqual(await elsewhere('one'), []);
    now = 1_198_000;
    assert.deepEqual(await elsewhere('two'), ['a']);
    const ofOne = { id: sessionId('not-noted'), browserId: 'one' };
    assert.equal((await answersAs('two')).mayRunElsewhere(ofOne), true);
    now = 1_199_000;
    assert.deepEqual(await elsewhere('two'), []);
    assert.equal((await answersAs('two')).mayRunElsewhere(ofOne), false);
    // Of an earlier window.
    assert.equal((await answersAs('two')).mayRunElsewhere({ ...ofOne, browserId: 'three' }), true);
    assert.equal((await answersAs('two')).mayRunElsewhere({ id: ofOne.id }), false);
  });

  it('may be running in a browser that was forgotten while it was being listed', async () => {
    const answering = new AnsweringBrowser({ origin: new URL('https://chrome.example'), clock: systemClock });
    const answersAs = (id: string) => answering.identify({ id, cdp: {} as CdpConnection }, new Set(), neverAborted);
    (await answersAs('one')).note([]);
    const one = await answersAs('one');
    const session = { id: sessionId('a'), browserId: 'one' };
    await answersAs('two');
    one.note([session.id]);
    const two = await answersAs('two');
    assert.deepEqual([[...two.elsewhere()], two.mayRunElsewhere(session)], [['a'], true]);
  });

  it('without an ID is the same one as long as something that it had is still in it', async () => {
    const answering = new AnsweringBrowser({ origin: new URL('https://chrome.example'), clock: systemClock });
    const answersWith = (...inside: readonly string[]) =>
      answering.identify({ id: undefined, cdp: {} as CdpConnection }, new Set(inside), neverAborted);
    const one = await answersWith('a', 'b');
    assert.equal(one.unnamedContext, 'default-context');
    one.note([sessionId('a')]);
    assert.deepEqual([...(await answersWith('b', 'c')).elsewhere()], []);
    (await answersWith('c')).noteInside('d');
    assert.deepEqual([...(await answersWith('d')).elsewhere()], []);
    const other = await answersWith('e');
    assert.deepEqual([...other.elsewhere()], ['a']);
    assert.notEqual(other.unnamedContext, one.unnamedContext);
    assert.equal((await answersWith('d')).unnamedContext, one.unnamedContext);
  });

  it('aren’t listed if a different browser answers each time, and nothing grows then', async () => {
    let now = 0;
    const clock = { ...systemClock, monotonic: () => now };
    const answering = new AnsweringBrowser({ origin: new URL('https://chrome.example'), clock });
    const answersAs = (id: string) => answering.identify({ id, cdp: {} as CdpConnection }, new Set(), neverAborted);
    const listWith = async (at: number, count: number) => {
      const answers = await answersAs(`browser-${at}`);
      try {
        answers.elsewhere();
        answers.note(Array.from({ length: count }, (_, one) => sessionId(`${at}-${one}`)));
        return true;
      } catch (error) {
        assert.match(String(error), /others have answered lately/);
        return false;
      } finally {
        now += 10_000;
      }
    };
    // As when a container is restarted again and again.
    for (let at = 0; at < 60; at++) assert.equal(await listWith(at, 10), true);
    now += 600_000;
    let failed = 0;
    const began = performance.now();
    for (let at = 60; at < 120; at++) if (!(await listWith(at, 10_000))) failed++;
    assert.equal(failed, 57);
    assert.ok(performance.now() - began < 2_000);
    // Each of the first ones answered more than ten minutes ago.
    now += 600_000;
    assert.equal((await answersAs('browser-120')).elsewhere().size, 0);
  });

  const itsOwn = (path: string) => path;
  for (const [name, pathFor, namesDefault] of [
    ['has no ID of its own', () => pathWithoutId, true],
    ['doesn’t name its default context', itsOwn, false],
    ['has neither', () => pathWithoutId, false],
    ['is behind a proxy that adds a path', (path: string) => `/chrome${path}`, true],
  ] as const)
    it(`aren’t called ended, and nothing is sent to the other one, if a browser ${name}`, async () => {
      const [first, second] = [await browser(), await browser()];
      const relays = [
        await startCdpRelay(first.endpoint, pathFor),
        await startCdpRelay(second.endpoint, pathFor),
      ] as const;
      try {
        for (const relay of namesDefault ? [] : relays)
          relay.onAnswer = ({ defaultBrowserContextId: _, ...result }) => result;
        for (const { endpoint } of [first, second]) {
          const devtools = await Devtools.open(endpoint);
          await devtools.send('Target.createTarget', { url: 'data:text/html,<title>window</title>' });
          devtools.close();
        }
        const portOf = ({ url }: { url: string }) => ({ port: Number(new URL(url).port) });
        const address = await forwarded(portOf(relays[0]));
        const devtools = await Devtools.open(first.endpoint);
        const context = await devtools.openContext('data:text/html,<title>mine</title>');
        devtools.close();
        const account = await services.add('localChrome', address);
        await until(async () => {
          await services.refresher.refresh(account);
          const all = [...services.store.known(account).values()];
          return all.length === 2 && all.every(({ pages }) => pages?.every(({ title }) => title !== '') === true);
        });
        const confirmed = [...services.store.known(account).values()];
        assert.equal(confirmed.length, 2);
        const pagesOf = async ({ endpoint }: RunningChromium) => {
          const its = await Devtools.open(endpoint);
          const pages = await its.defaultPages();
          its.close();
          return pages.toSorted();
        };
        const before = [await pagesOf(first), await pagesOf(second)];
        lead(portOf(relays[1]));
        const report = await services.ender.end(
          confirmed.map((session) => ({ accountId: account, session })),
          { stop: neverAborted, onProgress: () => {} },
        );
        assert.deepEqual(
          report.results.map(({ outcome }) => outcome),
          ['failed', 'failed'],
        );
        await services.refresher.refresh(account);
        assert.deepEqual(
          confirmed.map(({ id }) => services.store.hasEnded(account, id)),
          [false, false],
        );
        assert.deepEqual(
          [await contextsOf(first), await pagesOf(first), await pagesOf(second)],
          [[context], ...before],
        );
        lead(portOf(relays[0]));
        await services.refresher.refresh(account);
        const again = await services.ender.end(
          confirmed.map((session) => ({ accountId: account, session })),
          { stop: neverAborted, onProgress: () => {} },
        );
        assert.deepEqual(
          again.results.map(({ outcome }) => outcome),
          ['ended', 'ended'],
        );
        assert.deepEqual(await contextsOf(first), []);
      } finally {
        for (const relay of relays) await relay.stop();
      }
    });

  it('may still be running after a restart of the editor, which knows the browser that had them', async () => {
    const [first, second] = [await browser(), await browser()];
    const [account, session] = await listed(first, await forwarded(first));
    const { startedAt, browserId } = services.store.session(account, session) ?? assert.fail();
    assert.ok(browserId);
    services.dispose();
    lead(second);
    const { secretStore, memory } = services;
    services = new TestServices({ clock: systemClock, interval: 0, secretStore, memory });
    const again = await services.add('localChrome', services.accounts.get(account)?.origin ?? assert.fail());
    const unlisted = unlistedSession(session, startedAt, browserId);
    const verdictNow = async () => {
      const { verdicts } = await review(
        { ...services, clock: systemClock, logger: services.log },
        again,
        () => services.connections.open(again),
        [unlisted],
      );
      return verdicts.get(session);
    };
    assert.equal(await verdictNow(), 'unknown');
    lead(first);
    assert.equal(await verdictNow(), 'stillRunning');
    const devtools = await Devtools.open(first.endpoint);
    await devtools.send('Target.disposeBrowserContext', { browserContextId: session });
    devtools.close();
    assert.equal(await verdictNow(), 'confirmedGone');
  });

  for (const [where, command] of [
    ['', []],
    [', even in a namespace of its own, as Flatpak’s do', ['unshare', '--pid', '--fork', '--kill-child']],
  ] as const)
    it(`have ended if the first one ran on this machine and its process has ended, as when it is restarted${where}`, async function () {
      // Only Linux has namespaces, and only root may make one.
      if (command.length > 0 && (process.platform !== 'linux' || process.getuid?.() !== 0)) return this.skip();
      const port = await freePort();
      const run = async () => {
        const profile = `--user-data-dir=${temporaryFolder('chromium')}`;
        const args = ['--headless=new', `--remote-debugging-port=${port}`, profile, ...quietFlags];
        const [program = '', ...all] = [...command, await ensureChromium(), ...args];
        const started = start(program, all);
        await until(() =>
          fetch(`http://127.0.0.1:${port}/json/version`).then(
            (answer) => answer.ok,
            () => false,
          ),
        );
        return started;
      };
      const first = await run();
      const [account, session] = await listed({ endpoint: `http://127.0.0.1:${port}` });
      await first.stop();
      await until(() =>
        fetch(`http://127.0.0.1:${port}/json/version`).then(
          () => false,
          () => true,
        ),
      );
      const restarted = await run();
      try {
        await until(async () => {
          await services.refresher.refresh(account);
          return services.store.hasEnded(account, session);
        });
        assert.deepEqual(services.store.state(account)?.contents.faults, []);
      } finally {
        await restarted.stop();
      }
    });
});
