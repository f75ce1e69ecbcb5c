import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { PageTargets } from '../../../src/cdp/pageTargets.ts';
import { takeScreenshot } from '../../../src/cdp/screenshot.ts';
import { sessionId } from '../../../src/core/ids.ts';
import type { Provider } from '../../../src/core/provider.ts';
import { type Session, stillRuns } from '../../../src/core/session.ts';
import { bestName } from '../../../src/core/sessionName.ts';
import { localChrome } from '../../../src/providers/localChrome.ts';
import type { RunningChromium } from '../../host/chromium.ts';
import { freePort } from '../../host/processes.ts';
import { useChromium } from '../../host/useChromium.ts';
import { type CdpMessage, startCdpRelay } from '../../servers/cdpRelay.ts';
import { Devtools } from '../../servers/devtools.ts';
import { ProviderServer } from '../../servers/providerServer.ts';
import { troubleOf } from '../errors.ts';
import { connect, unaborted } from '../testNetwork.ts';

const page = (title: string) =>
  `data:text/html,<title>${encodeURIComponent(title)}</title><p>${encodeURIComponent(title)}`;

/** Whether one of the sessions has pages with these titles. A page's title is its address until it has loaded. */
function hasTitles(sessions: readonly Session[], titles: readonly string[]): boolean {
  return sessions.some(({ pages }) => titles.every((title) => pages?.some((one) => one.title === title)));
}

/** An event with other facts about one target. */
function renamed(event: CdpMessage, targetId: string, more: object): CdpMessage {
  const info = event.params?.['targetInfo'];
  const isIt = typeof info === 'object' && info !== null && Reflect.get(info, 'targetId') === targetId;
  return isIt ? { ...event, params: { ...event.params, targetInfo: { ...info, ...more } } } : event;
}

describe('Local Chrome', function () {
  this.timeout(60_000);
  const used = useChromium();
  let chromium: RunningChromium;
  let devtools: Devtools;
  let provider: Provider;

  beforeEach(() => {
    ({ chromium, devtools } = used);
    ({ provider } = connect(localChrome, chromium.endpoint));
  });
  afterEach(async () => {
    for (const browserContextId of await devtools.contexts()) {
      await devtools.send('Target.disposeBrowserContext', { browserContextId });
    }
  });

  async function listed(from = provider): Promise<Session[]> {
    return (await Array.fromAsync(from.list(unaborted))).flatMap(({ sessions }) => sessions);
  }

  /** Waits until the browser reports a page as it should be. */
  async function settled(isSo: (sessions: Session[]) => boolean): Promise<Session[]> {
    for (const deadline = Date.now() + 10_000; ; ) {
      const sessions = await listed();
      if (isSo(sessions)) return sessions;
      assert.ok(Date.now() < deadline, JSON.stringify(sessions));
    }
  }

  async function until(isSo: () => Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + 10_000; !(await isSo()); ) assert.ok(Date.now() < deadline);
  }

  it('says which browser responds', async () => {
    assert.match((await provider.check(unaborted)).identity ?? '', /^(Headless)?(Chrome|Edg)\w* \d+$/);
  });

  it('lists each isolated context with its pages, and no empty tab of the browser', async () => {
    const id = await devtools.openContext(page('Clock'), page('Counter'));
    const empty = await devtools.openContext();
    const sessions = await settled((all) => hasTitles(all, ['Clock', 'Counter']));
    assert.deepEqual(new Set(sessions.map((session) => session.id as string)), new Set([id, empty]));
    const session = sessions.find((one) => one.id === id);
    assert.deepEqual(new Set(session?.pages?.map(({ title }) => title)), new Set(['Clock', 'Counter']));
    assert.equal(session?.startedAt, undefined);
    assert.equal(session?.bulkEndExclusion, undefined);
  });

  it('labels a page without a title with the part of its address that is safe to show', async () => {
    await devtools.openContext('data:text/html,<p>canary</p>');
    const isThere = ({ pages }: Session) => pages?.some(({ title }) => title === 'data:•••') === true;
    const session = (await settled((all) => all.some(isThere))).find(isThere);
    assert.equal(session && bestName(session).text, 'data:•••');
  });

  it('doesn’t list a browser tab that has no page yet', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const { port } = silent.address() as { port: number };
      const { targetId } = await devtools.send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
      const page = await Devtools.connect(`${chromium.endpoint.replace('http', 'ws')}/devtools/page/${targetId}`);
      const expression = `void window.open('http://127.0.0.1:${port}/')`;
      await page.send('Runtime.evaluate', { expression, userGesture: true });
      await until(async () => (await devtools.defaultPages()).includes(''));
      assert.deepEqual(await listed(), []);
      page.close();
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  it('ends a context, and nothing but it', async () => {
    const first = await devtools.openContext(page('First'));
    const second = await devtools.openContext(page('Second'));
    const session = (await listed()).find(({ id }) => id === first);
    assert.ok(session);
    assert.equal(await provider.probe(session, unaborted), 'running');
    assert.equal((await provider.end(session, unaborted)).outcome, 'ended');
    assert.deepEqual(await devtools.contexts(), [second]);
    assert.equal(await provider.probe(session, unaborted), 'gone');
    assert.equal((await provider.end(session, unaborted)).outcome, 'alreadyGone');
  });

  it('leaves the default context out of bulk ends; ending it closes the confirmed pages and never the browser', async () => {
    await devtools.send('Target.createTarget', { url: page('Mail') });
    await devtools.send('Target.createTarget', { url: page('Bank') });
    const sessions = await settled((all) => hasTitles(all, ['Mail', 'Bank']));
    const [session] = sessions;
    assert.ok(session);
    assert.equal(sessions.length, 1);
    assert.equal(session.name, 'Default context');
    assert.equal(session.ends, 'pages');
    assert.match(session.bulkEndExclusion ?? '', /browser's own window/);
    // A page that was opened after the user confirmed must not be closed.
    await devtools.send('Target.createTarget', { url: page('Opened since') });
    assert.equal((await provider.end(session, unaborted)).outcome, 'accepted');
    await until(async () => (await provider.probe(session, unaborted)) === 'gone');
    const left = (await devtools.defaultPages()).filter((url) => url.startsWith('data:'));
    assert.equal(left.length, 1);
    assert.match(left[0] ?? '', /Opened%20since/);

    const [rest] = await listed();
    assert.ok(rest);
    assert.equal((await provider.end(rest, unaborted)).outcome, 'accepted');
    await settled((all) => all.length === 0);
    assert.equal(chromium.process.child.exitCode, null);
    assert.match((await provider.check(unaborted)).identity ?? '', /Chrome/);
  });

  it('keeps listing a page of the default context that shows nothing for now, until it is closed', async () => {
    const { targetId } = await devtools.send<{ targetId: string }>('Target.createTarget', { url: page('Mail') });
    const [session] = await settled((all) => hasTitles(all, ['Mail']));
    assert.ok(session);
    const relay = await startCdpRelay(chromium.endpoint);
    const own = connect(localChrome, relay.url).provider;
    try {
      await listed(own);
      // What the browser reports for a page on its way to an address, and for one that was never sent to any.
      for (const url of ['', 'about:blank', 'chrome://newtab/']) {
        relay.onEvent = (event) => renamed(event, targetId, { url, title: '' });
        assert.equal(await own.probe(session, unaborted), 'running', url);
        assert.deepEqual(
          (await listed(own)).map(({ id }) => id),
          [session.id],
          url,
        );
        // This also holds for an account that has never listed it.
        assert.equal(await connect(localChrome, relay.url).provider.probe(session, unaborted), 'running', url);
      }
      assert.equal((await own.end(session, unaborted)).outcome, 'accepted');
      await until(async () => (await own.probe(session, unaborted)) === 'gone');
      assert.deepEqual(await listed(own), []);
    } finally {
      await relay.stop();
    }
  });

  it('doesn’t call a page of the default context closed that has another ID now, as a tab that is discarded', async () => {
    const relay = await startCdpRelay(chromium.endpoint);
    const { provider: own } = connect(localChrome, relay.url);
    try {
      const { targetId } = await devtools.send<{ targetId: string }>('Target.createTarget', { url: page('Mail') });
      let session: Session | undefined;
      await until(async () => {
        session = (await listed(own)).find(({ ends }) => ends === 'pages');
        return session !== undefined && hasTitles([session], ['Mail']);
      });
      assert.ok(session);
      // While the dialog is open.
      relay.onEvent = (event) => renamed(event, targetId, { targetId: '0'.repeat(32) });
      assert.equal((await own.end(session, unaborted)).outcome, 'accepted');
      assert.equal(await own.probe(session, unaborted), 'running');
      const now = (await listed(own)).find(({ ends }) => ends === 'pages');
      assert.ok(stillRuns(session, now));
      assert.ok((await devtools.defaultPages()).includes(page('Mail')));
      // One that is closed and opened again at once is another one.
      relay.onEvent = undefined;
      const [again] = (await listed(own)).filter(({ ends }) => ends === 'pages');
      assert.ok(again);
      await own.end(again, unaborted);
      await devtools.send('Target.createTarget', { url: page('Mail') });
      await until(async () => (await own.probe(again, unaborted)) === 'gone');
    } finally {
      await relay.stop();
    }
  });

  it('keeps a tab open when the last pages of the default context close', async () => {
    const { targetInfos } = await devtools.send<{ targetInfos: { targetId: string; type: string }[] }>(
      'Target.getTargets',
    );
    await devtools.send('Target.createTarget', { url: page('Last') });
    for (const { targetId, type } of targetInfos) {
      if (type === 'page') await devtools.send('Target.closeTarget', { targetId });
    }
    // Closed pages may still be listed.
    const [session] = await settled((all) => all.length === 1);
    assert.ok(session);
    await provider.end(session, unaborted);
    await until(async () => (await listed()).length === 0);
    await until(async () => (await devtools.defaultPages()).every((url) => url === 'about:blank'));
    assert.ok((await devtools.defaultPages()).length > 0);
  });

  it('connects by DevTools to a session’s own pages, and to no other session’s', async () => {
    const first = await devtools.openContext(page('First'));
    const second = await devtools.openContext(page('Second'));
    await devtools.send('Target.createTarget', { url: page('Mail') });
    const sessions = await settled((all) => all.length === 3);
    const defaultId = sessions.find(({ ends }) => ends === 'pages')?.id;
    assert.ok(defaultId);
    for (const [id, own] of [
      [first, [true, false, false]],
      [defaultId, [false, false, true]],
    ] as const) {
      const way = await provider.devtools?.(sessionId(id), unaborted);
      assert.ok(way);
      assert.deepEqual([first, second, defaultId].map(way.owns), own);
      assert.equal(
        Buffer.from((await takeScreenshot(way, undefined, unaborted)).bytes)
          .subarray(1, 4)
          .toString(),
        'PNG',
      );
      way.connection.dispose();
    }
    const empty = await devtools.openContext();
    const way = await provider.devtools?.(sessionId(empty), unaborted);
    assert.ok(way);
    assert.equal(await troubleOf(takeScreenshot(way, undefined, unaborted)), 'notFound');
    way.connection.dispose();
    assert.equal(await troubleOf(provider.devtools?.(sessionId('0123ABC'), unaborted)), 'notFound');
  });

  it('shows no page of a later session in a default context without a name', async () => {
    // It isn't reported before Chrome 143.
    const relay = await startCdpRelay(chromium.endpoint);
    relay.onAnswer = ({ defaultBrowserContextId: _, ...result }) => result;
    const own = connect(localChrome, relay.url).provider;
    try {
      await devtools.send('Target.createTarget', { url: page('Mail') });
      const sessions = await settled((all) => all.length === 1);
      const named = sessions.find(({ ends }) => ends === 'pages')?.id;
      assert.ok(named);
      const [unnamed] = await listed(own);
      assert.match(unnamed?.id ?? '', /^default-context-/);
      const way = await own.devtools?.(unnamed?.id ?? sessionId('none'), unaborted);
      const later = await devtools.openContext(page('Later'));
      assert.deepEqual(
        [named, later].map((id) => way?.owns(id)),
        [true, false],
      );
      way?.connection.dispose();
    } finally {
      await relay.stop();
    }
  });

  it('counts each page it lists for the default context as its own, whichever of the browser’s own contexts it is in', async () => {
    const relay = await startCdpRelay(chromium.endpoint);
    const own = connect(localChrome, relay.url).provider;
    // A second profile or a private window has a context that is named nowhere except by its pages.
    const unlisted = await devtools.openContext(page('Private'));
    const isolated = await devtools.openContext(page('Isolated'));
    await devtools.send('Target.createTarget', { url: page('Mail') });
    try {
      for (const namesDefault of [false, true]) {
        relay.onAnswer = ({ defaultBrowserContextId, ...result }) => ({
          ...result,
          ...(namesDefault && defaultBrowserContextId !== undefined ? { defaultBrowserContextId } : {}),
          ...(Array.isArray(result['browserContextIds'])
            ? { browserContextIds: result['browserContextIds'].filter((id) => id !== unlisted) }
            : {}),
        });
        let session: Session | undefined;
        await until(async () => {
          session = (await listed(own)).find(({ ends }) => ends === 'pages');
          return session !== undefined && hasTitles([session], ['Private', 'Mail']);
        });
        assert.ok(session);
        const way = await own.devtools?.(session.id, unaborted);
        assert.ok(way);
        const targets = new PageTargets(way);
        await targets.discover(unaborted);
        const seen = new Set(targets.all.map(({ id }) => id));
        assert.deepEqual(
          session.pages?.filter(({ id }) => !seen.has(id)),
          [],
        );
        assert.equal(way.owns(isolated), false);
        targets.dispose();
        way.connection.dispose();
      }
    } finally {
      await relay.stop();
    }
  });

  it('keeps naming a session after its first page, whatever opens later', async () => {
    const browserContextId = await devtools.openContext(page('First'));
    await settled((all) => hasTitles(all, ['First']));
    const titles = ['First'];
    for (let count = 2; count < 9; count++) {
      titles.push(`Page ${count}`);
      await devtools.send('Target.createTarget', { url: page(`Page ${count}`), browserContextId });
      const [session] = await settled((all) => hasTitles(all, titles));
      assert.ok(session);
      assert.equal(bestName(session).text, 'First');
      assert.deepEqual(
        session.pages?.map(({ title }) => title),
        titles,
      );
    }
  });

  it('reports page titles unchanged: cleaning them is up to the code that shows them', async () => {
    await devtools.openContext(page('[x](command:evil) $(trash) \u202e'));
    const [session] = await settled((all) => all[0]?.pages?.[0]?.title.startsWith('[x]') === true);
    assert.match(session?.pages?.[0]?.title ?? '', /\[x\]\(command:evil\)/);
  });

  it('reports an error for a dead port, for another server and for a stranger’s WebSocket', async () => {
    const dead = connect(localChrome, `http://127.0.0.1:${await freePort()}`).provider;
    assert.equal(await troubleOf(dead.check(unaborted)), 'unreachable');

    const answers = [
      [{ status: 200, html: '<h1>It works!</h1>' }, 'unexpectedAnswer'],
      [{ status: 404, text: 'nothing here' }, 'unexpectedAnswer'],
      [{ status: 200, json: { Browser: 'Chrome/1', webSocketDebuggerUrl: 'not a url' } }, 'unexpectedAnswer'],
      // The connection goes to the account's own address, whatever the response names.
      [{ status: 200, json: { Browser: 'Chrome/1', webSocketDebuggerUrl: 'ws://169.254.169.254/x' } }, 'unreachable'],
    ] as const;
    for (const [answer, kind] of answers) {
      const other = await new ProviderServer({ routes: {}, notFound: () => answer }).start();
      try {
        assert.equal(
          await troubleOf(connect(localChrome, other.url).provider.list(unaborted)[Symbol.asyncIterator]().next()),
          kind,
        );
      } finally {
        await other.stop();
      }
    }
  });

  it('stops immediately when aborted, even if the browser never responds', async () => {
    const silent: Server = createServer((request, response) => {
      const { port } = silent.address() as { port: number };
      if (request.url === '/json/version') {
        response.end(JSON.stringify({ Browser: 'Chrome/1', webSocketDebuggerUrl: `ws://127.0.0.1:${port}/devtools` }));
      }
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    silent.on('upgrade', () => {});
    try {
      const { port } = silent.address() as { port: number };
      const hung = connect(localChrome, `http://127.0.0.1:${port}`).provider;
      const began = Date.now();
      assert.equal(await troubleOf(hung.check(AbortSignal.timeout(200))), 'canceled');
      assert.ok(Date.now() - began < 2_000);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});
