import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import type { CdpConnection } from '../../../src/core/cdp.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type AccountId, type SessionId, sessionId } from '../../../src/core/ids.ts';
import { neverAborted } from '../../../src/core/neverAborted.ts';
import { AnsweringBrowser } from '../../../src/providers/answeringBrowser.ts';
import { ensureChromium, quietFlags, type RunningChromium, startChromium } from '../../host/chromium.ts';
import { start, temporaryFolder } from '../../host/processes.ts';
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
  async function listed({ endpoint }: RunningChromium, origin = endpoint): Promise<[AccountId, SessionId]> {
    const devtools = await Devtools.open(endpoint);
    const context = await devtools.openContext('data:text/html,<title>mine</title>');
    devtools.close();
    const account = await services.add('localChrome', origin);
    const session = [...services.store.known(account).keys()].find((id) => id === context);
    return [account, session ?? assert.fail('it is not listed')];
  }

  /** A port that leads to a browser. */
  async function forwarded({ port }: RunningChromium): Promise<string> {
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

  function lead({ port }: RunningChromium): void {
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
    const dialed = (id: string | undefined) => ({ id, browser: 'Chrome/156', cdp: {} as CdpConnection });
    const elsewhere = async (id: string | undefined) => [...(await answering.elsewhere(dialed(id), neverAborted))];
    assert.deepEqual(await elsewhere('one'), []);
    answering.note(dialed('one'), [sessionId('a'), sessionId('b')]);
    now = 1_000;
    assert.deepEqual(await elsewhere('two'), ['a', 'b']);
    answering.note(dialed('two'), [sessionId('b')]);
    now = 599_000;
    assert.deepEqual(await elsewhere('two'), ['a']);
    assert.deepEqual(await elsewhere('one'), []);
    assert.deepEqual(await elsewhere(undefined), []);
    now = 1_198_000;
    assert.deepEqual(await elsewhere('two'), ['a']);
    now = 1_199_000;
    assert.deepEqual(await elsewhere('two'), []);
  });

  it('have ended if the first one ran on this machine and its process has ended, as when it is restarted', async () => {
    const first = await browser();
    const [account, session] = await listed(first);
    await first.stop();
    const profile = `--user-data-dir=${temporaryFolder('chromium')}`;
    const args = ['--headless=new', `--remote-debugging-port=${first.port}`, profile, ...quietFlags];
    const restarted = start(await ensureChromium(), args);
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
