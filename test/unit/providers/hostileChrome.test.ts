import { strict as assert } from 'node:assert';
import { PageTargets } from '../../../src/cdp/pageTargets.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { AccountId, PageId, SessionId } from '../../../src/core/ids.ts';
import type { Provider } from '../../../src/core/provider.ts';
import { type HostileChrome, startHostileChrome, tabOf } from '../../servers/hostileChrome.ts';
import { TestServices } from '../services/testServices.ts';
import { unaborted } from '../testNetwork.ts';
import { until } from '../until.ts';

describe('Local Chrome at a hostile DevTools port', function () {
  this.timeout(60_000);
  let chrome: HostileChrome;
  let services: TestServices;
  let id: AccountId;

  beforeEach(async () => {
    chrome = await startHostileChrome();
    chrome.contexts = ['one', 'two'];
    chrome.targets = [tabOf('one', 'tab1'), tabOf('two', 'tab2'), tabOf('own', 'mail')];
    services = new TestServices({ wireClock: systemClock });
    id = await services.add('localChrome', chrome.url);
    assert.deepEqual(listed(), ['one', 'own', 'two']);
  });
  afterEach(async () => {
    services.dispose();
    await chrome.stop();
  });

  const contents = () => {
    const state = services.store.state(id);
    assert.equal(state?.kind, 'ready');
    return state.contents;
  };
  const listed = () => [...contents().sessions.keys()].sort();
  const refresh = () => services.refresher.refresh(id);
  const provider = (): Promise<Provider> => services.connections.open(id);
  const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

  it('reads the first of a hundred thousand tabs, says how many are missing, and calls nothing gone', async () => {
    chrome.targets = many(100_000, (n) => tabOf('one', `tab${n}`));
    await refresh();
    assert.deepEqual(listed(), ['one', 'own', 'two']);
    const { sessions, faults } = contents();
    assert.equal(sessions.get('one' as SessionId)?.pages?.length, 500);
    assert.deepEqual(
      faults.map(({ subject, unnamed }) => [subject, unnamed]),
      [['90000 more rows', true]],
    );
  });

  it('shows five thousand of many contexts, says how many are missing, and calls none of them gone', async () => {
    chrome.contexts = many(60_000, (n) => `context${n}`);
    chrome.targets = [];
    const known = services.store.session(id, 'one' as SessionId);
    assert.ok(known);
    await refresh();
    const { sessions, faults } = contents();
    assert.equal(sessions.size, 5_000 + 3);
    assert.deepEqual(
      faults.map(({ subject, unnamed }) => [subject, unnamed]),
      [
        ['50000 more rows', true],
        ['5000 more sessions', true],
      ],
    );
    assert.equal(await (await provider()).probe(known, unaborted), 'unknown');
  });

  it('shows what can be read next to what can’t', async () => {
    const nested = JSON.parse(`${'['.repeat(6_000)}${']'.repeat(6_000)}`);
    chrome.contexts = ['one', 'half\ud800', 'all', '', 7, nested, 'two'];
    chrome.targets = [
      tabOf('one', 'tab1'),
      tabOf('one', 'a/b'),
      tabOf('one', 'half\udc00'),
      tabOf('two', 'tab2', { title: nested }),
      tabOf('two', 'tab3', { more: nested }),
      { targetId: 'worker', type: 'worker', title: nested },
      7,
      null,
    ];
    const [own] = [services.store.session(id, 'own' as SessionId)];
    chrome.say = (method, number) =>
      method === 'Target.getBrowserContexts'
        ? `{"id":${number},"result":{"browserContextIds":${written(chrome.contexts)},"defaultBrowserContextId":"own"}}`
        : undefined;
    chrome.written = written;
    await refresh();
    assert.deepEqual(listed(), ['one', 'own', 'two']);
    const pages = (of: string) =>
      contents()
        .sessions.get(of as SessionId)
        ?.pages?.map(({ id: page }) => page);
    assert.deepEqual([pages('one'), pages('two')], [['tab1'], ['tab3']]);
    assert.equal(contents().faults.length, 3 + 5);
    // The tab in the browser's own window may be one of those that can't be read.
    assert.ok(own);
    assert.equal(await (await provider()).probe(own, unaborted), 'unknown');
    chrome.say = () => undefined;
    chrome.contexts = ['one'];
    chrome.targets = [];
    await refresh();
    assert.deepEqual(listed(), ['one']);
    assert.equal(await (await provider()).probe(own, unaborted), 'gone');
  });

  it('shortens titles and addresses of megabytes, even if all of them together don’t fit into one message', async () => {
    const long = 'a/'.repeat(950_000);
    chrome.targets = many(14, (n) => tabOf('one', `tab${n}`, { title: long, url: `data:text/html,${long}` }));
    await refresh();
    const pages = contents().sessions.get('one' as SessionId)?.pages ?? [];
    assert.equal(pages.length, 14);
    for (const { title, url } of pages) assert.ok(title.length <= 1_000 && url.length <= 8_192);
    const devtools = await (await provider()).devtools?.('one' as SessionId, unaborted);
    assert.ok(devtools);
    const targets = new PageTargets(devtools);
    await targets.discover(unaborted);
    await targets.update(unaborted);
    assert.equal(targets.all.length, 14);
    assert.ok(!chrome.commands.includes('Target.getTargets'));
    targets.dispose();
    devtools.connection.dispose();
  });

  it('shows five hundred pages of a context, the oldest ones', async () => {
    chrome.targets = many(700, (n) => tabOf('one', `page${n}`));
    await refresh();
    chrome.targets = [...many(100, (n) => tabOf('one', `new${n}`)), ...chrome.targets];
    await refresh();
    const pages = contents().sessions.get('one' as SessionId)?.pages ?? [];
    assert.deepEqual(
      pages.map(({ id: page }) => page as string),
      many(500, (n) => `page${n}`),
    );
  });

  it('keeps pages that were open before the first list in one order, however the browser reports them', async () => {
    chrome.targets = ['c', 'a', 'd', 'b'].map((id) => tabOf('two', id));
    await refresh();
    const pages = () =>
      contents()
        .sessions.get('two' as SessionId)
        ?.pages?.map(({ id: page }) => page);
    const first = pages();
    chrome.targets = chrome.targets.toReversed();
    await refresh();
    assert.deepEqual(pages(), first);
  });

  it('follows five hundred pages of a flood in a live view, and another one when one of them closes', async () => {
    chrome.targets = many(20_000, (n) => tabOf('one', `page${n}`, { title: 'x'.repeat(5_000) }));
    const devtools = await (await provider()).devtools?.('one' as SessionId, unaborted);
    assert.ok(devtools);
    const targets = new PageTargets(devtools);
    let changes = 0;
    targets.onDidChange(() => changes++);
    await targets.discover(unaborted);
    assert.deepEqual([targets.all.length, changes], [500, 500]);
    assert.equal(targets.all[0]?.title.length, 1_000);
    chrome.broadcast('Target.targetDestroyed', { targetId: 'page7' });
    chrome.broadcast('Target.targetInfoChanged', { targetInfo: tabOf('one', 'page19999') });
    await until(async () => targets.all.some(({ id: page }) => page === ('page19999' as PageId)));
    assert.equal(targets.all.length, 500);
    targets.dispose();
    devtools.connection.dispose();
  });

  it('leaves out no page of the browser’s own window that ending it would have to close', async () => {
    chrome.targets = many(2_000, (n) => tabOf('own', `tab${n}`));
    await refresh();
    const own = contents().sessions.get('own' as SessionId);
    assert.equal(own?.pages?.length, 2_000);
    chrome.targets = chrome.targets.slice(-1);
    assert.equal(await (await provider()).probe(own, unaborted), 'running');
  });
});

/** JSON that `JSON.stringify` can't write because it is nested too deeply. */
function written(value: unknown): string {
  if (Array.isArray(value) && value.length === 1 && Array.isArray(value[0])) {
    let depth = 0;
    let inner: unknown = value;
    for (; Array.isArray(inner); inner = inner[0]) depth++;
    return '['.repeat(depth) + ']'.repeat(depth);
  }
  if (Array.isArray(value)) return `[${value.map(written).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}:${written(one)}`);
  return `{${entries.join()}}`;
}
