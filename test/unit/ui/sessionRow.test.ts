import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import * as l10n from '@vscode/l10n';
import type { Account, AccountFacts } from '../../../src/core/account.ts';
import { accountId, pageId, sessionId } from '../../../src/core/ids.ts';
import type { Session } from '../../../src/core/session.ts';
import { SessionStore } from '../../../src/services/sessions/sessionStore.ts';
import { settingValue } from '../../../src/ui/settings.ts';
import type { TreeModel } from '../../../src/ui/tree/children.ts';
import { rowOf } from '../../../src/ui/tree/rows.ts';
import { tooltipOf } from '../../../src/ui/tree/tooltips.ts';
import { arranged, keepingOnly, localBrowser, noFilter, someSession, treeModel } from '../sessions.ts';

const account: Account = {
  id: accountId('uuid-1'),
  provider: 'anchor',
  label: 'prod',
  origin: 'https://api.anchorbrowser.io',
};
const now = Date.parse('2026-11-22T12:12:00Z');
const notToEndWithOthers = "It's the browser's own window, which may be yours.";
const cart = { id: pageId('p'), title: 'Cart', url: 'https://shop.example/cart?secret=1' };

describe('the row of a session', () => {
  let store: SessionStore;
  let model: TreeModel;

  beforeEach(() => {
    store = new SessionStore(() => now);
    store.setAccounts([account.id]);
    model = treeModel(
      store,
      () => [account],
      () => now,
    );
  });

  function list(facts: AccountFacts | undefined, ...sessions: readonly Session[]): void {
    const run = store.beginList(account.id);
    run.arrive({ sessions, groups: [], faults: [], account: facts });
    run.complete(keepingOnly(store, account.id, sessions));
  }
  const node = (id: string) => ({ kind: 'session', accountId: account.id, sessionId: sessionId(id) }) as const;
  const row = (id: string) => {
    const drawn = rowOf(model, node(id));
    assert.ok(drawn);
    return drawn;
  };
  const textOf = (id: string) => [row(id).label, row(id).description].join(' | ');

  it('has what its provider says about it in the user’s language, and leaves the user’s own words as they are', () => {
    l10n.config({ contents: JSON.parse(readFileSync('l10n/bundle.l10n.de.json', 'utf8')) });
    try {
      const own = { tags: ['Browser'], facts: [['Project', 'p1'] as const] };
      list(undefined, someSession('a', { ...own, traits: ['keep alive'], bulkEndExclusion: notToEndWithOthers }));
      assert.match(textOf('a'), / · Browser · bleibt aktiv$/);
      assert.match(row('a').aria, /gehört möglicherweise Ihnen/);
      const facts = new Map(tooltipOf(model, node('a'))?.facts);
      assert.equal(facts.get('Projekt'), 'p1');
    } finally {
      l10n.config({ contents: {} });
    }
  });

  it('has the age and what identifies it behind its name', () => {
    const metadata = new Map([['name', 'nightly']]);
    list(
      undefined,
      someSession('a', { metadata, region: 'eu', tags: ['ci', 'shop'], traits: ['headless'], pages: [cart, cart] }),
      someSession('b', { pages: [cart] }),
      someSession('c', { tags: ['job:scrape', '1', '2', '3', '4'], host: 'shop.example' }),
    );
    assert.equal(textOf('a'), 'nightly | 12m · shop.example · 2 pages · eu · ci · shop · headless');
    assert.equal(textOf('b'), 'Cart · shop.example | 12m');
    assert.equal(textOf('c'), 'scrape | 12m · shop.example · 1 · 2 · 3 · +1');
  });

  it('doesn’t repeat its region in the group for that region', () => {
    const options = { sortBy: 'newest', grouping: { by: ['region'], metadataKey: '' } } as const;
    list(undefined, someSession('a', { region: 'eu' }), someSession('b', { tags: ['ci'] }));
    assert.equal(row('a').description, '12m · eu');
    model = { ...model, arranged: arranged(store, { options }) };
    assert.equal(row('a').description, '12m');
    assert.equal(row('b').description, '12m · ci');
  });

  it('shows the details from the setting, in the setting’s order', () => {
    const metadata = new Map([
      ['job', 'nightly'],
      ['owner', 'anna $(x)'],
      ['apiToken', 'canary'],
    ]);
    const facts = { identity: undefined, sessionLimit: 25, note: undefined };
    list(facts, someSession('a', { metadata, region: 'eu', traits: ['headless'] }));
    const shown = (...details: unknown[]) => {
      model = { ...model, details: () => settingValue('row.details', details) };
      return row('a').description;
    };
    assert.equal(shown('region', 'age'), 'eu · 12m');
    assert.equal(shown('metadata:owner', 'accountLimit'), 'anna $ (x) · 1 of 25 in account');
    assert.equal(shown('metadata:none', 'metadata:apiToken', 'page', 'tags'), '');
    model = { ...model, ratePerHour: () => 5 };
    assert.equal(shown('cost', 'age'), '≈ $1.00 · 12m');
    assert.equal(shown(), '');
  });

  it('has the memory and the processor time of a browser on this machine, if the setting names them', () => {
    const local = localBrowser({ memory: 250e6, cpu: 50 });
    list(undefined, someSession('a', { local }), someSession('b'));
    model = { ...model, details: () => settingValue('row.details', ['memory', 'cpu']) };
    assert.deepEqual([row('a').description, row('b').description], ['250 MB · 50% CPU', '']);
  });

  it('is named after the page that was fetched, with the time of that in its tooltip', () => {
    list(undefined, someSession('0123456789'));
    assert.equal(textOf('0123456789'), '01234567 | 12m');
    store.setPages(account.id, sessionId('0123456789'), { kind: 'ready', pages: [cart, cart], asOf: now });
    assert.equal(textOf('0123456789'), 'Cart · shop.example | 12m · 2 pages');
    assert.match(row('0123456789').aria, /^Session Cart · shop\.example, running/);
    const facts = new Map(tooltipOf(model, node('0123456789'))?.facts);
    assert.equal(facts.get('Session ID'), '0123456789');
    assert.equal(facts.get('Page URL'), 'shop.example/cart');
    assert.match(facts.get('Page updated') ?? '', /\d\d/);
  });

  it('shows where a filter matches, in its label or else after it', () => {
    const metadata = new Map([
      ['owner', 'anna'],
      ['apiKey', 'canary'],
    ]);
    list(undefined, someSession('sess_1', { name: 'Checkout', metadata, tags: ['a', 'b', 'c', 'late-tag'] }));
    const filtered = (text: string) => {
      model = { ...model, filter: { ...noFilter, isOn: true, text, name: text } };
      return row('sess_1');
    };
    assert.deepEqual(filtered('check').highlights, [[0, 5]]);
    assert.equal(filtered('check').description, '12m · a · b · c · +1');
    assert.equal(filtered('anna late').description, 'owner=anna · late-tag · 12m · a · b · c · +1');
    assert.equal(filtered('sess_').description, 'sess_1 · 12m · a · b · c · +1');
    assert.doesNotMatch(filtered('canary apikey').description, /canary/);
    model = { ...model, details: () => ['age'] };
    assert.equal(filtered('a').description, '12m · a · b · c · +1');
  });

  it('fits into a narrow side bar with its short id, and has the whole name behind that', () => {
    const long = 'nightly-scrape-of-everything';
    list(
      undefined,
      ...['aaaaaaaa', 'bbbbbbbb'].map((id) => someSession(id, { name: long, pages: [cart] })),
      ...['cccccccc', 'dddddddd'].map((id) => someSession(id, { pages: [cart] })),
    );
    assert.equal(textOf('aaaaaaaa'), `nightly-sc… · aaaaaaaa | ${long} · 12m · shop.example`);
    assert.equal(textOf('cccccccc'), 'Cart · cccccccc | Cart · shop.example · 12m');
    assert.match(row('bbbbbbbb').aria, new RegExp(`^Session ${long} · bbbbbbbb, running`));
    assert.ok(row('aaaaaaaa').label.length <= 22);
  });

  it('never looks like another row, whatever the names are', () => {
    list(
      undefined,
      ...['', '', 'x', 'x', 'y'.repeat(10_000), 'y'.repeat(10_001), '\u202ex', '$(icon)', '$ (icon)'].map((name, n) =>
        someSession(`0000000${n}-id`, { name }),
      ),
    );
    const texts = [...(store.state(account.id)?.contents.sessions.keys() ?? [])].map((id) => row(id).label);
    assert.equal(new Set(texts).size, texts.length);
    assert.ok(texts.includes('x · 00000002'), texts.join('\n'));
  });
});
