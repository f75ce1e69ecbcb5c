import { strict as assert } from 'node:assert';
import { accountId, pageId, type SessionId, sessionId } from '../../../src/core/ids.ts';
import type { Session } from '../../../src/core/session.ts';
import { SessionStore } from '../../../src/services/sessions/sessionStore.ts';
import type { StoreChange } from '../../../src/services/sessions/sessionsView.ts';
import { SessionNames, shortIds, shownName } from '../../../src/ui/sessionNames.ts';
import { keepingOnly, someSession } from '../sessions.ts';

const account = accountId('uuid-1');

describe('the labels of sessions', () => {
  let store: SessionStore;
  let names: SessionNames;
  let changes: StoreChange[];

  beforeEach(() => {
    store = new SessionStore(() => 0);
    store.setAccounts([account]);
    names = new SessionNames(store);
    changes = [];
    names.onDidChange((change) => changes.push(change));
  });

  function list(...sessions: readonly Session[]): void {
    const run = store.beginList(account);
    run.arrive({ sessions, groups: [], faults: [], account: undefined });
    run.complete(keepingOnly(store, account, sessions));
    changes.length = 0;
  }

  const label = (id: string): string => {
    const session = store.session(account, sessionId(id));
    assert.ok(session);
    return names.label(account, session);
  };
  const pagesOf = (title: string) => ({
    kind: 'ready' as const,
    pages: [{ id: pageId('p'), title, url: 'https://shop.example/' }],
    asOf: 0,
  });

  it('have a short id if several sessions have the same name, and only then', () => {
    list(
      someSession('aaaaaaaa-1', { name: 'checkout' }),
      someSession('bbbbbbbb-1', { name: 'checkout' }),
      someSession('cccccccc-1', { name: 'nightly' }),
      someSession('dddddddd-1'),
    );
    assert.deepEqual(['aaaaaaaa-1', 'bbbbbbbb-1', 'cccccccc-1', 'dddddddd-1'].map(label), [
      'checkout · aaaaaaaa',
      'checkout · bbbbbbbb',
      'nightly',
      'dddddddd',
    ]);
  });

  it('are all different, whatever names and ids there are', () => {
    const long = 'x'.repeat(10_000);
    const titles = [
      '',
      ' ',
      'checkout',
      'checkout',
      '\u202echeckout',
      long,
      `${long}y`,
      '$(icon)',
      '$ (icon)',
      'aaaaaaaa',
    ];
    const ids = ['aaaaaaaa-1', 'aaaaaaaa-2', 'session_2026-11-27_0001', 'session_2026-11-27_0002', 'a', 'b\ufe0f', 'b'];
    const all = [...titles.keys()].flatMap((title) =>
      ids.map((id) => someSession(`${id}${title}`, { name: titles[title] })),
    );
    // A page that calls itself what another session's row says.
    const liar = someSession('liar', { name: 'checkout · …aaaaaaaa' });
    list(...all, liar, someSession('aaaaaaaa', { name: 'checkout' }));
    const labels = [...(store.state(account)?.contents.sessions.keys() ?? [])].map(label);
    assert.deepEqual(new Set(labels).size, labels.length);
    for (const one of labels) {
      assert.ok(one !== '' && one.length <= 300, one);
      assert.doesNotMatch(one, /[\p{Cc}\p{Cf}]|\$\(/u);
    }
    assert.equal(label('aaaaaaaa'), 'checkout · …aaaaaaaa');
    assert.equal(label('liar'), 'checkout · liar');
  });

  it('have longer ids if those begin with the same characters', () => {
    const map = new Map(['job-0001-a', 'job-0001-b', 'other'].map((id) => [sessionId(id), 0] as const));
    assert.deepEqual([...shortIds(map).values()].toSorted(), ['other', '…b-0001-a', '…b-0001-b']);
  });

  it('change for one session when its page changes, and for those that had the same name or now have it', () => {
    list(someSession('aaaaaaaa'), someSession('bbbbbbbb'), someSession('cccccccc', { name: 'other' }));
    const ids = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc'] as SessionId[];
    const [a, b] = ids as [SessionId, SessionId];
    assert.deepEqual(ids.map(label), ['aaaaaaaa', 'bbbbbbbb', 'other']);
    const changed = () => changes.splice(0).flatMap((change) => (change.kind === 'account' ? [change.sessions] : []));
    store.setPages(account, a, pagesOf('Cart'));
    assert.deepEqual([changed(), label(a)], [[[a]], 'Cart · shop.example']);
    store.setPages(account, b, pagesOf('Cart'));
    assert.deepEqual(changed(), [[b, a]]);
    assert.deepEqual([label(a), label(b)], ['Cart · aaaaaaaa', 'Cart · bbbbbbbb']);
    store.setPages(account, a, pagesOf('Paid'));
    assert.deepEqual(changed(), [[a, b]]);
    assert.deepEqual([label(a), label(b)], ['Paid · shop.example', 'Cart · shop.example']);
    // The same pages again are no change.
    store.setPages(account, a, { ...pagesOf('Paid'), asOf: 5 });
    assert.deepEqual(changed(), []);
  });

  it('take linear time to make for ten thousand sessions of the same name, and none to make again', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => someSession(`session-${n}`, { name: 'checkout' }));
    const measured = (count: number) => {
      list(...many(count));
      const sessions = [...(store.state(account)?.contents.sessions.values() ?? [])];
      const began = performance.now();
      for (const session of sessions) names.label(account, session);
      return performance.now() - began;
    };
    // The best of several, because other tests may run beside them.
    const best = (count: number) => Math.min(...Array.from({ length: 4 }, () => measured(count)));
    const [some, all] = [best(1_000), best(10_000)];
    assert.ok(all < Math.max(some, 5) * 40, `${some} ms for 1,000, ${all} ms for 10,000`);
    const [id] = store.state(account)?.contents.sessions.keys() ?? [];
    assert.ok(id);
    const began = performance.now();
    for (let n = 0; n < 1_000; n++) store.setPages(account, id, pagesOf(`Page ${n}`));
    assert.ok(performance.now() - began < 1_000);
    assert.ok(changes.every((change) => change.kind === 'account' && change.sessions.length <= 2));
  });

  it('don’t change when a refresh finds nothing new', () => {
    const sessions = () => [
      someSession('aaaaaaaa', { name: 'checkout' }),
      someSession('bbbbbbbb', { name: 'checkout' }),
    ];
    list(...sessions());
    label('aaaaaaaa');
    const run = store.beginList(account);
    run.arrive({ sessions: sessions(), groups: [], faults: [], account: undefined });
    run.complete(keepingOnly(store, account, sessions()));
    assert.deepEqual(changes, []);
  });

  it('are frozen in a shown name, with the id that tells it from the others', () => {
    list(someSession('aaaaaaaa-1', { name: 'checkout' }), someSession('bbbbbbbb-1'));
    const shown = [...(store.state(account)?.contents.sessions.values() ?? [])].map((one) =>
      shownName(store, account, one),
    );
    assert.deepEqual(shown, [
      { name: 'checkout', shortId: 'aaaaaaaa' },
      { name: 'bbbbbbbb', shortId: 'bbbbbbbb' },
    ]);
  });
});
