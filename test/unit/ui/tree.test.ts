import { strict as assert } from 'node:assert';
import type { Account } from '../../../src/core/account.ts';
import type { Group } from '../../../src/core/group.ts';
import { type AccountId, accountId, groupId, pageId, sessionId } from '../../../src/core/ids.ts';
import type { Inventory } from '../../../src/core/inventory.ts';
import { ProviderError } from '../../../src/core/providerError.ts';
import type { Session } from '../../../src/core/session.ts';
import { anchor } from '../../../src/providers/anchor/index.ts';
import type { FinishedList } from '../../../src/services/sessions/finishedBatches.ts';
import type { Grouping } from '../../../src/services/sessions/grouping.ts';
import { SessionStore } from '../../../src/services/sessions/sessionStore.ts';
import { childrenOf, parentOf, type TreeModel } from '../../../src/ui/tree/children.ts';
import { FinishedRows } from '../../../src/ui/tree/finishedRows.ts';
import { nodeId, type TreeNode } from '../../../src/ui/tree/nodes.ts';
import type { Row } from '../../../src/ui/tree/row.ts';
import { rowOf } from '../../../src/ui/tree/rows.ts';
import { tooltipOf } from '../../../src/ui/tree/tooltips.ts';
import { arranged, keepingAll, keepingOnly, noFilter, someSession, treeModel } from '../sessions.ts';

const account: Account = {
  id: accountId('uuid-1'),
  provider: 'anchor',
  label: 'prod',
  origin: 'https://api.anchorbrowser.io',
};
const start = Date.parse('2026-11-22T12:00:00Z');
const minutes = (count: number) => count * 60_000;

describe('the tree', () => {
  let now = start;
  let store: SessionStore;
  let model: TreeModel;

  beforeEach(() => {
    now = start + minutes(12);
    store = new SessionStore(() => now);
    store.setAccounts([account.id]);
    model = treeModel(
      store,
      () => [account],
      () => now,
    );
  });

  function list(inventory: Partial<Inventory>): void {
    const run = store.beginList(account.id);
    run.arrive({ sessions: [], groups: [], faults: [], account: undefined, ...inventory });
    run.complete(keepingOnly(store, account.id, inventory.sessions ?? []));
  }

  /** The tree as text: a line for each row, indented. */
  function drawn(node?: TreeNode, indent = ''): string[] {
    return childrenOf(model, node).flatMap((child) => {
      const row = rowOf(model, child);
      assert.ok(row, nodeId(child));
      const parent = parentOf(model, child);
      assert.equal(parent, node, 'a row’s parent is not the row it stands under');
      const line = [row.label, row.description].filter((part) => part !== '').join(' | ');
      return [indent + line, ...(row.collapsible === 'none' ? [] : drawn(child, `${indent}  `))];
    });
  }

  const rowFor = (id: string): Row => {
    const row = rowOf(model, { kind: 'session', accountId: account.id, sessionId: sessionId(id) });
    assert.ok(row);
    return row;
  };

  it('shows finished batches below what is running, with their failures, while they are shown', () => {
    const batch = (id: string, failed: number, more: Partial<Group> = {}): Group => ({
      id: groupId(id),
      kind: 'batch',
      name: id,
      status: 'completed',
      createdAt: start,
      counts: { total: 10, failed },
      ...more,
    });
    const running = batch('running', 0);
    const known = [running, batch('whole', 0), batch('part', 2, { createdAt: start + 1, status: 'failed' })];
    const groups = new Map(known.map((group) => [group.id, group]));
    const state = { groups, unreadable: 0, isLoading: false, trouble: undefined };
    list({ sessions: [someSession('a', { startedAt: start })], groups: [running] });
    const before = drawn();
    const show = (more: Partial<FinishedList>) => {
      const rows = new FinishedRows({ of: () => ({ ...state, ...more }) });
      model = { ...model, finished: () => rows };
    };
    show({});
    assert.deepEqual(drawn().slice(before.length), [
      '  part | 2 of 10 failed · failed · 11m ago',
      '  whole | 10 sessions · completed · 12m ago',
    ]);
    assert.deepEqual(drawn().slice(0, before.length), before);
    const row = rowOf(model, { kind: 'group', accountId: account.id, groupId: groupId('part') });
    assert.deepEqual([row?.dimmed, row?.aria], [true, 'Finished batch part, 2 of 10 failed · failed · 11m ago']);
    show({ groups: new Map(), isLoading: true });
    assert.deepEqual(drawn().slice(before.length), ['  Loading finished batches…']);
    show({ groups: new Map() });
    assert.deepEqual(drawn().slice(before.length), ['  No finished batches']);
    const trouble = new ProviderError({ kind: 'serverFault', status: 500 }, 'broken');
    show({ groups: new Map(), unreadable: 3, trouble });
    assert.match(
      drawn().slice(before.length).join('\n'),
      /^ *3 finished batches can't be shown\n *Couldn't list finished batches\. .*HTTP 500/,
    );
  });

  it('shows accounts, groups, sessions and pages, the newest first', () => {
    const batch = {
      id: groupId('3c90c3cc-0d44'),
      kind: 'batch',
      name: undefined,
      status: 'completed',
      createdAt: start,
    } as const;
    list({
      groups: [batch],
      sessions: [
        someSession('old', { name: 'nightly', startedAt: start - minutes(60) }),
        someSession('new', { name: 'checkout', region: 'eu', traits: ['headless'] }),
        someSession('in-batch', { groupId: batch.id, name: 'scrape' }),
        someSession('with-pages', {
          startedAt: start - minutes(1),
          pages: [{ id: pageId('p'), title: 'Cart', url: 'https://shop.example/cart?secret=1' }],
        }),
      ],
    });
    assert.deepEqual(drawn(), [
      'prod | 4 running',
      '  Batch 3c90c3cc | 1 · oldest 12m',
      '    scrape | 12m',
      '  checkout | 12m · eu · headless',
      '  Cart · shop.example | 13m',
      '    Cart | shop.example/cart',
      '  nightly | 1h 12m',
    ]);
  });

  it('shows what a filter matches, how many of a group that is, and when it matches nothing', () => {
    const batch = { id: groupId('3c90c3cc-0d44'), kind: 'batch', name: undefined, status: undefined, createdAt: start };
    const empty = { ...batch, id: groupId('ffff'), createdAt: start - 1 };
    list({
      groups: [batch, empty] as Group[],
      sessions: [
        someSession('shop', { groupId: batch.id }),
        someSession('mail', { groupId: batch.id }),
        someSession('news', { groupId: empty.id }),
        someSession('alone'),
      ],
    });
    const narrow = (name: string) => {
      const filter = { ...noFilter, isOn: true, name, shows: (_: AccountId, { id }: Session) => id === name };
      model = { ...model, filter, arranged: arranged(store, { filter }) };
    };
    narrow('shop');
    assert.deepEqual(drawn(), ['prod | 4 running', '  Batch 3c90c3cc | 1 of 2 · oldest 12m', '    shop | 12m']);
    narrow('none');
    assert.deepEqual(drawn(), ['prod | 4 running', '  No sessions match "none" | click to show all']);
    const note = childrenOf(model, model.nodes.get({ kind: 'account', accountId: account.id }))[0];
    assert.equal(note && rowOf(model, note)?.click, 'browserSessions.clearFilter');
    list({});
    assert.deepEqual(drawn(), ['prod | 0 running', '  No running sessions']);
  });

  it('dims other people’s sessions, but not those with an error', () => {
    list({ sessions: [someSession('mine'), someSession('other'), someSession('stuck')] });
    model = { ...model, isMine: ({ id }) => id === 'mine' };
    const why = { kind: 'stillRuns', found: true, said: undefined } as const;
    store.setLife(account.id, [sessionId('stuck')], { kind: 'stuck', since: now, why });
    const looks = (id: string) => [rowFor(id).dimmed, rowFor(id).icon?.color];
    assert.deepEqual(looks('mine'), [false, 'charts.green']);
    assert.deepEqual(looks('other'), [true, 'disabledForeground']);
    assert.deepEqual(looks('stuck'), [true, 'problemsErrorIcon.foreground']);
    assert.match(rowFor('other').description, /not yours/);
  });

  it("says that a session is missing from the latest list, and that this isn't confirmation of its end", () => {
    list({ sessions: [someSession('a')] });
    const run = store.beginList(account.id);
    run.complete(keepingAll);
    assert.equal(rowFor('a').description, 'not in the latest list · 12m');
    assert.match(rowFor('a').aria, /not in the latest list/);
    const tooltip = tooltipOf(model, { kind: 'session', accountId: account.id, sessionId: sessionId('a') });
    assert.match(
      tooltip?.facts.find(([label]) => label === 'Not listed')?.[1] ?? '',
      /^It's missing from the latest list from api\.anchor/,
    );
  });

  it('names a session by its owner’s name, else its page’s title and host, else its short id', () => {
    list({
      sessions: [
        someSession('0123456789', { name: '  ' }),
        someSession('b', { pages: [{ id: pageId('p'), title: '', url: 'https://shop.example/x' }] }),
      ],
    });
    assert.equal(rowFor('0123456789').label, '01234567');
    assert.equal(rowFor('b').label, 'shop.example');
  });

  it('describes each state with an icon and words, never by color alone', () => {
    list({
      sessions: [
        someSession('starting', { phase: 'starting' }),
        someSession('running'),
        someSession('idle', { phase: 'idle' }),
        someSession('odd', { phase: 'unknown', status: 'hibernating' }),
        someSession('ending'),
        someSession('stuck'),
      ],
    });
    store.setLife(account.id, [sessionId('ending')], { kind: 'ending', since: now });
    store.setLife(account.id, [sessionId('stuck')], {
      kind: 'stuck',
      since: now,
      why: { kind: 'stillRuns', found: true, said: undefined },
    });
    const look = (id: string) => [rowFor(id).icon?.id, rowFor(id).description];
    assert.deepEqual(look('starting'), ['loading~spin', 'starting… · 12m']);
    assert.deepEqual(look('running'), ['vm-running', '12m']);
    assert.deepEqual(look('idle'), ['watch', '12m']);
    assert.deepEqual(look('odd'), ['question', 'hibernating · 12m']);
    assert.deepEqual(look('ending'), ['loading~spin', 'ending…']);
    assert.deepEqual(look('stuck'), ['error', 'not ended: still running']);
    assert.match(
      rowFor('stuck').aria,
      /api\.anchorbrowser\.io accepted the request but says the session is still running\./,
    );
    assert.match(rowFor('idle').aria, /^Session idle, idle, for 12 minutes, account Anchor Browser · prod$/);
  });

  it('says that an age is only how long a session has been listed, when the provider doesn’t report its start', () => {
    list({ sessions: [someSession('a', { startedAt: undefined })] });
    assert.equal(rowFor('a').description, 'first seen just now');
    now += minutes(3);
    assert.equal(rowFor('a').description, '≥ 3m');
    assert.match(rowFor('a').aria, /running, for at least 3 minutes/);
    assert.ok(
      tooltipOf(model, { kind: 'session', accountId: account.id, sessionId: sessionId('a') })?.facts.some(
        ([label]) => label === 'First seen',
      ),
    );
  });

  it('keeps a row’s id whatever happens to it', () => {
    list({ sessions: [someSession('a')] });
    const before = rowFor('a').id;
    store.setLife(account.id, [sessionId('a')], { kind: 'ending', since: now });
    assert.equal(rowFor('a').id, before);
    assert.equal(before, 'ses/uuid-1/a');
    const nodes = () => childrenOf(model, childrenOf(model, undefined)[0]);
    assert.equal(nodes()[0], nodes()[0]);
  });

  it('shows a first list as loading, then its sessions or that there are none', () => {
    assert.deepEqual(drawn(), ['prod | loading…', '  Loading…']);
    list({});
    assert.deepEqual(drawn(), ['prod | 0 running', '  No running sessions']);
  });

  it('keeps old rows when a refresh fails, and says since when and why', () => {
    list({ sessions: [someSession('a', { name: 'checkout' })] });
    store.beginList(account.id).fail(new ProviderError({ kind: 'unreachable', why: 'refused' }, 'x'));
    const [first, trouble, row] = drawn();
    assert.match(first ?? '', /^prod \| unreachable · 1 running · as of \d\d:\d\d/);
    assert.equal(trouble, "  Couldn't connect to api.anchorbrowser.io. Check whether it's running.");
    assert.match(row ?? '', /^ {2}checkout \| 12m · as of \d\d:\d\d/);
  });

  it('offers to replace the key when it was rejected, and to retry otherwise', () => {
    const troubleRow = () => rowOf(model, { kind: 'trouble', accountId: account.id });
    store.beginList(account.id).fail(new ProviderError({ kind: 'unauthorized' }, 'x', { detail: 'Invalid API key' }));
    assert.equal(troubleRow()?.click, 'browserSessions.replaceKey');
    assert.equal(troubleRow()?.label, 'api.anchorbrowser.io rejected the key. Replace it with a valid key.');
    store.beginList(account.id).fail(new ProviderError({ kind: 'serverFault', status: 502 }, 'x'));
    assert.equal(troubleRow()?.click, 'browserSessions.refreshAccount');
    assert.doesNotMatch(troubleRow()?.contextValue ?? '', /Key/);
  });

  it('says that a missing key isn’t found on this machine, and offers to enter it', () => {
    const troubleRow = () => rowOf(model, { kind: 'trouble', accountId: account.id });
    store.beginList(account.id).fail(new ProviderError({ kind: 'noKey' }, 'x'));
    assert.equal(
      troubleRow()?.label,
      'Key not found on this machine. Enter the key for api.anchorbrowser.io to list its sessions.',
    );
    assert.equal(troubleRow()?.click, 'browserSessions.enterKey');
    assert.match(troubleRow()?.contextValue ?? '', /\+enterKey\b/);
    assert.doesNotMatch(troubleRow()?.contextValue ?? '', /replaceKey/);
    assert.equal(drawn()[0], 'prod | key not found on this machine');
  });

  it('says what is wrong with an invalid address, and what to do', () => {
    store.beginList(account.id).fail(new ProviderError({ kind: 'badAddress', fault: 'path' }, 'x'));
    const row = rowOf(model, { kind: 'trouble', accountId: account.id });
    assert.match(
      row?.label ?? '',
      /nothing is sent to api\.anchorbrowser\.io\. .*"\/\/".* Remove the account and add it again\.$/,
    );
    assert.doesNotMatch(row?.contextValue ?? '', /Key/);
  });

  it('says what is wrong with a row that can’t be shown, and counts beyond twenty', () => {
    const faults = Array.from({ length: 30 }, (_, index) => ({
      subject: `row ${index + 1}`,
      what: 'its "status" isn\'t as documented',
    }));
    list({ sessions: [someSession('a')], faults });
    const lines = drawn();
    assert.equal(lines[2], '  row 1 can\'t be shown: its "status" isn\'t as documented');
    assert.equal(lines.at(-1), "  … and 11 more rows that can't be shown");
    assert.equal(lines.length, 2 + 20);
  });

  it('draws two hundred sessions and a row for the rest', () => {
    list({ sessions: Array.from({ length: 512 }, (_, index) => someSession(`s${index}`)) });
    const lines = drawn();
    assert.equal(lines.length, 202);
    assert.equal(lines.at(-1), '  Show 200 more | 312 not shown');
    assert.equal(lines[0], 'prod | 512 running');
    model = { ...model, limit: () => 400 };
    assert.equal(drawn().at(-1), '  Show 112 more');
    model = { ...model, limit: () => 511 };
    assert.equal(drawn().at(-1), '  Show 1 more');
    model = { ...model, limit: () => 512 };
    assert.equal(drawn().at(-1), '  s99 | 12m');
  });

  it('counts what is left of what the filter shows, in each group of its own', () => {
    list({
      sessions: Array.from({ length: 900 }, (_, index) =>
        someSession(`s${index}`, {
          region: index % 3 === 0 ? 'eu' : 'us',
          phase: index % 2 === 0 ? 'idle' : 'running',
        }),
      ),
    });
    const filter = {
      ...noFilter,
      isOn: true,
      name: 'idle',
      shows: (_: AccountId, { phase }: Session) => phase === 'idle',
    };
    const options = { sortBy: 'oldest', grouping: { by: ['region'], metadataKey: '' } } as const;
    model = { ...model, filter, arranged: arranged(store, { filter, options }) };
    const lines = drawn().filter((line) => !/^ +s\d/.test(line));
    assert.deepEqual(lines, [
      'prod | 450 running · 450 idle',
      '  eu | 150 of 300 · oldest 12m',
      '  us | 300 of 600 · oldest 12m',
      '    Show 100 more',
    ]);
  });

  it('shows sessions in groups that they have in common, those without below them, and no batches then', () => {
    const batch: Group = {
      id: groupId('b'),
      kind: 'batch',
      name: 'b',
      status: undefined,
      createdAt: start,
      canCancel: true,
    };
    list({
      groups: [batch],
      sessions: [
        someSession('one', { tags: ['red', 'blue'], groupId: batch.id }),
        someSession('two', { tags: ['blue'] }),
        someSession('three', { groupId: batch.id }),
      ],
    });
    store.setCapabilities(account.id, new Set(['deleteGroup', 'cancelGroup', 'liveView']));
    const show = (by: Grouping['by']) => {
      const options = { sortBy: 'name', grouping: { by, metadataKey: '' } } as const;
      model = { ...model, arranged: arranged(store, { options }) };
    };
    show(['tag']);
    assert.deepEqual(drawn(), [
      'prod | 3 running',
      '  blue | 1 · oldest 12m',
      '    two | 12m · blue',
      '  red | 1 · oldest 12m',
      '    one | 12m · red · blue',
      '  three | 12m',
    ]);
    for (const by of ['tag', 'region', 'user', 'status', 'metadata'] as const) {
      show([by]);
      for (const { groups } of [model.arranged.of(account.id)]) {
        for (const { id } of groups) {
          const row = rowOf(model, { kind: 'group', accountId: account.id, groupId: id });
          assert.equal(row?.contextValue, 'rb:group+endable+live', by);
        }
      }
    }
    show(['status']);
    assert.deepEqual(drawn().slice(0, 2), ['prod | 3 running', '  Running | 3 · oldest 12m']);
    show([]);
    assert.deepEqual(drawn().slice(1), ['  one | 12m · red · blue', '  three | 12m', '  two | 12m · blue']);
    show(['batch']);
    const row = rowOf(model, { kind: 'group', accountId: account.id, groupId: batch.id });
    assert.equal(row?.contextValue, 'rb:group+endable+live+deletable+cancellable');
  });

  it('shows everything that a provider wrote as plain text', () => {
    const evil = `[x](command:workbench.action.quit) $(trash)\u202e\u0000\u001b[31m\n${'y'.repeat(10_000)}`;
    const batch = { id: groupId('g'), kind: 'batch', name: evil, status: evil, createdAt: undefined } as const;
    list({
      groups: [batch],
      sessions: [
        someSession('a', {
          name: evil,
          status: evil,
          phase: 'unknown',
          region: evil,
          traits: [evil],
          tags: [evil],
          bulkEndExclusion: evil,
          facts: [[evil, evil]],
          pages: [{ id: pageId('p'), title: evil, url: `https://shop.example/${evil}` }],
        }),
      ],
      faults: [{ subject: evil, what: evil }],
    });
    store.setLife(account.id, [sessionId('a')], { kind: 'stuck', since: now, why: { kind: 'notDeleted', said: evil } });
    const texts: string[] = [];
    const collect = (node?: TreeNode): void => {
      for (const child of childrenOf(model, node)) {
        const row = rowOf(model, child);
        assert.ok(row);
        const tooltip = tooltipOf(model, child);
        texts.push(row.label, row.description, row.aria, tooltip?.heading ?? '', ...(tooltip?.facts.flat() ?? []));
        if (row.collapsible !== 'none') collect(child);
      }
    };
    collect();
    for (const text of texts) {
      assert.doesNotMatch(text, /[\p{Cc}\p{Cf}]|\]\(|\$\(/u);
      assert.ok(text.length < 1_000, String(text.length));
    }
  });

  it('shows the first five hundred pages of a session, and says that there may be more', () => {
    const pages = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ id: pageId(`p${n}`), title: `Page ${n}`, url: '' }));
    list({
      sessions: [someSession('a', { pages: pages(499) }), someSession('b', { pages: pages(5_000), ends: 'pages' })],
    });
    const rows = (id: string) =>
      childrenOf(model, { kind: 'session', accountId: account.id, sessionId: sessionId(id) });
    assert.equal(rows('a').length, 499);
    assert.equal(rows('b').length, 501);
    const last = rows('b').at(-1);
    assert.ok(last);
    assert.equal(rowOf(model, last)?.label, 'Only the first 500 pages are shown');
  });

  it('says in the tooltips what a session and its account have cost so far, by the provider or the user’s rate', () => {
    const session = { kind: 'session', accountId: account.id, sessionId: sessionId('a') } as const;
    const its = (node: TreeNode, label: string) => new Map(tooltipOf(model, node)?.facts ?? []).get(label);
    list({ sessions: [someSession('a'), someSession('b')] });
    assert.equal(its(session, 'Cost'), undefined);
    model = { ...model, ratePerHour: (provider) => (provider === 'anchor' ? 20.5 : undefined) };
    assert.equal(its(session, 'Cost'), '≈ $4.10 so far');
    assert.equal(its({ kind: 'account', accountId: account.id }, 'Cost of running sessions'), '≈ $8.20 so far');
    const usage = { unit: 'credits', used: 12.5 } as const;
    list({
      sessions: [someSession('a', { usage }), someSession('b')],
      account: { identity: undefined, sessionLimit: 25, usage: [{ ...usage, limit: 100 }], note: undefined },
    });
    assert.equal(its(session, 'Cost'), '12.5 credits so far');
    const facts = tooltipOf(model, { kind: 'account', accountId: account.id })?.facts ?? [];
    assert.deepEqual(facts.slice(-2), [
      ['Account usage', '12.5 credits used · limit 100'],
      ['Cost of running sessions', '≈ $4.10 so far and 12.5 credits so far'],
    ]);
    model = { ...model, currency: () => '[x](command:y)\u202e' };
    assert.doesNotMatch(its({ ...session, sessionId: sessionId('b') }, 'Cost') ?? '', /\]\(|\u202e/);
  });

  it('says in an account’s tooltip that its key is for this window only', () => {
    list({});
    const keyOf = () => new Map(tooltipOf(model, { kind: 'account', accountId: account.id })?.facts ?? []).get('Key');
    assert.equal(keyOf(), undefined);
    model = { ...model, isForThisWindow: () => true };
    assert.equal(keyOf(), "For this window only. You'll need to enter it again after a restart.");
  });

  it('describes what it can of an account whose provider is gone', () => {
    const orphan = { ...account, provider: 'gone' };
    model = { ...model, account: () => orphan };
    assert.equal(rowOf(model, { kind: 'account', accountId: account.id })?.aria, 'Account gone · prod, loading…');
    assert.equal(anchor.id, 'anchor');
  });

  it('shows on the account how many sessions of its limit are running, which server responds, and warnings about the list', () => {
    const facts = { identity: 'v2.42.0', sessionLimit: 10, note: undefined };
    const running = [someSession('a'), someSession('b')];
    list({ sessions: running, account: facts });
    assert.equal(drawn()[0], 'prod | 2 of 10 · v2.42.0');
    list({ sessions: [...running, someSession('c', { phase: 'idle' })], account: facts });
    assert.equal(drawn()[0], 'prod | 3 of 10 · 1 idle · v2.42.0');
    list({ account: { identity: '$(x)', sessionLimit: undefined, note: 'Some list nothing [x](command:y).' } });
    assert.deepEqual(drawn(), [
      'prod | 0 running · $ (x)',
      '  No running sessions',
      '  Some list nothing [x] (command:y).',
    ]);
  });

  it('shows a provider’s metadata group without what only a batch supports', () => {
    const id = groupId('metadata-1');
    const group = { id, kind: 'metadata', name: 'job: nightly', status: undefined, createdAt: undefined } as const;
    list({ sessions: [someSession('a', { groupId: id })], groups: [group] });
    store.setCapabilities(account.id, new Set(['deleteGroup']));
    const [child] = childrenOf(model, childrenOf(model, undefined)[0]);
    assert.ok(child);
    assert.equal(rowOf(model, child)?.contextValue, 'rb:group+endable');
  });
});
