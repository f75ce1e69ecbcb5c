import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { listFiles } from '@vscode/vsce';
import type { Account, AccountFacts } from '../../../src/core/account.ts';
import { accountId, type GroupId, groupId, pageId, sessionId } from '../../../src/core/ids.ts';
import { ProviderError, type Trouble } from '../../../src/core/providerError.ts';
import type { Session } from '../../../src/core/session.ts';
import { providerKinds } from '../../../src/providers/index.ts';
import { thisMachineAccount } from '../../../src/services/accounts/thisMachineAccount.ts';
import { builtInIds } from '../../../src/services/providers/providerKinds.ts';
import { SessionStore } from '../../../src/services/sessions/sessionStore.ts';
import { childrenOf, type TreeModel } from '../../../src/ui/tree/children.ts';
import type { TreeNode } from '../../../src/ui/tree/nodes.ts';
import type { Row } from '../../../src/ui/tree/row.ts';
import { rowOf } from '../../../src/ui/tree/rows.ts';
import { tooltipOf } from '../../../src/ui/tree/tooltips.ts';
import { arranged, keepingOnly, noFilter, someSession, treeModel } from '../sessions.ts';

const prod: Account = {
  id: accountId('uuid-1'),
  provider: 'anchor',
  label: 'prod',
  origin: 'https://api.anchorbrowser.io',
};
const start = Date.parse('2026-11-22T12:00:00Z');
const unreachable: Trouble = { kind: 'unreachable', why: 'refused' };

describe('the row of an account', () => {
  let now: number;
  let store: SessionStore;
  let accounts: readonly Account[];
  let model: TreeModel;

  beforeEach(() => {
    now = start;
    store = new SessionStore(() => now);
    model = treeModel(
      store,
      () => accounts,
      () => now,
    );
    show(prod);
  });

  function show(...shown: readonly Account[]): void {
    accounts = shown;
    store.setAccounts(shown.map(({ id }) => id));
  }

  function list(sessions: readonly Session[], facts: Partial<AccountFacts> = {}, id = prod.id): void {
    const run = store.beginList(id);
    const account = { identity: undefined, sessionLimit: undefined, note: undefined, ...facts };
    run.arrive({ sessions, groups: [], faults: [], account });
    run.complete(keepingOnly(store, id, sessions));
  }

  function fail(trouble: Trouble = unreachable): void {
    store.beginList(prod.id).fail(new ProviderError(trouble, 'x'));
  }

  const rowAt = (node: TreeNode): Row => {
    const row = rowOf(model, node);
    assert.ok(row);
    return row;
  };
  const accountRow = (id = prod.id) => rowAt({ kind: 'account', accountId: id });
  const sessionRow = (id: string) => rowAt({ kind: 'session', accountId: prod.id, sessionId: sessionId(id) });
  const below = (node: TreeNode) => childrenOf(model, node).map((child) => rowAt(child));
  const belowAccount = () => below({ kind: 'account', accountId: prod.id }).map(({ label }) => label);

  const some = (running: number, idle = 0) => [
    ...Array.from({ length: running }, (_, index) => someSession(`r${index}`)),
    ...Array.from({ length: idle }, (_, index) => someSession(`i${index}`, { phase: 'idle' })),
  ];

  describe('its name and counts', () => {
    it('say which machine it is in a remote window', () => {
      const own = { ...thisMachineAccount, label: 'WSL: Ubuntu' };
      show(thisMachineAccount);
      list(some(2), {}, own.id);
      assert.deepEqual([accountRow(own.id).label, accountRow(own.id).description], ['This Machine', '2 running']);
      show(own);
      const { label, description, aria } = accountRow(own.id);
      assert.deepEqual([label, description], ['This Machine', '2 running · WSL: Ubuntu']);
      assert.match(aria, /^Account This Machine · WSL: Ubuntu, /);
    });

    it('is named by its label alone, and begins its description with the counts', () => {
      list(some(5, 2), { sessionLimit: 25, identity: 'me@example.com' });
      assert.equal(accountRow().label, 'prod');
      assert.equal(accountRow().description, '7 of 25 · 2 idle · me@example.com');
      assert.equal(accountRow().aria, 'Account Anchor Browser · prod, 7 of 25 sessions, 2 idle, me@example.com');
      const tooltip = tooltipOf(model, { kind: 'account', accountId: prod.id });
      assert.deepEqual(tooltip?.facts[0], ['Sessions', '7 of 25 · 2 idle']);
      list(some(3, 1));
      assert.equal(accountRow().description, '3 running · 1 idle');
    });

    it('shortens a long name in the middle, so that the counts stay in view, and says all of it to screen readers', () => {
      const label = 'production europe checkout team';
      show({ ...prod, label });
      list(some(1), { sessionLimit: 25 });
      assert.equal(accountRow().label, 'producti…t team');
      assert.match(accountRow().aria, new RegExp(`^Account Anchor Browser · ${label}, 1 of 25 sessions$`));
      assert.equal(tooltipOf(model, { kind: 'account', accountId: prod.id })?.heading, `Anchor Browser · ${label}`);
      show({ ...prod, label: '製品環境のアカウントです。' });
      assert.equal(accountRow().label, '製品環境…です。');
    });

    it('doesn’t change the default names that accounts get', () => {
      for (const { id, label } of providerKinds) {
        show({ ...prod, provider: id, label });
        assert.equal(accountRow().label, label);
      }
    });

    it('shows all of two long names that would look the same when shortened', () => {
      const other = { ...prod, id: accountId('uuid-2'), label: 'production payments eu-west-1' };
      show({ ...prod, label: 'production checkout eu-west-1' }, other);
      assert.equal(accountRow().label, 'production checkout eu-west-1');
      assert.equal(accountRow(other.id).label, other.label);
    });

    it('adds the provider where accounts of different providers have the same name', () => {
      const other = {
        ...prod,
        id: accountId('uuid-2'),
        provider: 'browserbase',
        origin: 'https://api.browserbase.com',
      };
      const third = { ...prod, id: accountId('uuid-3'), label: 'ci' };
      show(prod, other, third);
      for (const { id } of accounts) list(some(1), { sessionLimit: 25 }, id);
      assert.equal(accountRow().description, '1 of 25 · Anchor Browser');
      assert.equal(accountRow(other.id).description, '1 of 25 · Browserbase');
      assert.equal(accountRow(third.id).description, '1 of 25');
      assert.match(accountRow(other.id).aria, /^Account Browserbase · prod, 1 of 25 sessions$/);
    });

    it('leaves out a limit that cannot be one', () => {
      for (const sessionLimit of [0, -1, -25, 1e9, Number.NaN, Number.POSITIVE_INFINITY, 2.5]) {
        list(some(2), { sessionLimit });
        assert.equal(accountRow().description, '2 running', String(sessionLimit));
      }
      list(some(2), { sessionLimit: 1 });
      assert.equal(accountRow().description, '2 of 1');
      assert.match(accountRow().aria, /, 2 sessions with a limit of 1$/);
      list(some(1), { sessionLimit: 1 });
      assert.match(accountRow().aria, /, 1 session with a limit of 1$/);
    });

    it('stays short and plain whatever the label and the identity are', () => {
      const evil = `[x](command:workbench.action.quit) $(trash)\u202e\u0000\u001b[31m\n${'y'.repeat(10_000)}`;
      for (const label of [evil, 'y'.repeat(10_000), '👩‍👩‍👧‍👦'.repeat(3_000), '\u202e'.repeat(10_000), '   ']) {
        show({ ...prod, label });
        list(some(1), { identity: evil, sessionLimit: 3 });
        const { label: shown, description, aria } = accountRow();
        assert.ok(shown.length > 0 && shown.length <= 40, shown);
        assert.match(description, /^1 of 3 · /);
        for (const text of [shown, description, aria]) {
          assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Cs}]|\]\(|\$\(/u);
          assert.ok(text.length < 300, String(text.length));
        }
      }
      // Without a name that can be seen, the provider's stands for it.
      assert.equal(accountRow().label, 'Anchor Browser');
    });
  });

  describe('its icon', () => {
    it('is the own icon of a built-in provider, in one style, for light and dark themes', () => {
      const colors = { light: '#424242', dark: '#C5C5C5' };
      for (const provider of builtInIds) {
        show({ ...prod, provider });
        list([]);
        assert.equal(accountRow().icon?.provider, provider);
        const [light = '', dark = ''] = (['light', 'dark'] as const).map((theme) => {
          const svg = readFileSync(`media/providers/${theme}/${provider}.svg`, 'utf8');
          assert.match(svg, /^<svg xmlns="[^"]+" width="16" height="16" viewBox="0 0 16 16" fill="none"/);
          assert.match(svg, new RegExp(`stroke="${colors[theme]}" stroke-width="1" stroke-linecap="round"`));
          assert.doesNotMatch(svg, /<(?:script|image|style|foreignObject|use|text)|href|url\(/);
          return svg.replaceAll(colors[theme], '');
        });
        assert.equal(light, dark);
      }
    });

    it('is part of the package', async () => {
      const files = await listFiles({ packagedDependencies: [] });
      for (const provider of builtInIds) {
        for (const theme of ['light', 'dark']) assert.ok(files.includes(`media/providers/${theme}/${provider}.svg`));
      }
    });

    it('is the codicon that the provider of another extension names, and a cloud while the provider is not there', () => {
      const [kind] = providerKinds;
      assert.ok(kind);
      show({ ...prod, provider: 'acme' });
      list([]);
      assert.deepEqual(accountRow().icon, { id: 'cloud', color: undefined });
      model = { ...model, kind: () => ({ ...kind, id: 'acme', icon: 'rocket' }) };
      assert.deepEqual(accountRow().icon, { id: 'rocket', color: undefined });
    });
  });

  describe('its trouble', () => {
    const error = { id: 'error', color: 'problemsErrorIcon.foreground' };

    it('shows the error icon and the start of the message, even while old rows are shown', () => {
      fail({ kind: 'unauthorized' });
      assert.deepEqual(accountRow().icon, error);
      assert.equal(accountRow().description, 'key rejected');
      assert.equal(accountRow().aria, 'Account Anchor Browser · prod, error: key rejected');
      list(some(2), { sessionLimit: 25 });
      fail();
      assert.deepEqual(accountRow().icon, error);
      assert.match(accountRow().description, /^unreachable · 2 of 25 · as of \d+:\d\d/);
      assert.match(accountRow().aria, /^Account Anchor Browser · prod, error: unreachable, 2 of 25 sessions, as of /);
      list(some(2));
      assert.deepEqual(accountRow().icon?.provider, 'anchor');
    });

    it('still says which provider it is where another account has the same name', () => {
      show(prod, { ...prod, id: accountId('uuid-2'), provider: 'gateway' });
      fail();
      assert.equal(accountRow().description, 'unreachable · Anchor Browser');
    });

    it('stays in view while it is tried again, without "Loading…" beside it', () => {
      fail();
      const before = [accountRow(), belowAccount()];
      const run = store.beginList(prod.id);
      assert.deepEqual([accountRow(), belowAccount()], before);
      run.arrive({ sessions: some(1), groups: [], faults: [], account: undefined });
      run.complete(keepingOnly(store, prod.id, some(1)));
      assert.deepEqual(belowAccount(), ['r0']);
    });

    it('is never followed by "No running sessions"', () => {
      list([]);
      assert.deepEqual(belowAccount(), ['No running sessions']);
      fail();
      assert.deepEqual(belowAccount(), ["Couldn't connect to api.anchorbrowser.io. Check whether it's running."]);
      const filter = { ...noFilter, isOn: true, text: 'x', name: 'x', shows: () => false };
      model = { ...model, filter, arranged: arranged(store, { filter }) };
      assert.deepEqual(belowAccount(), ["Couldn't connect to api.anchorbrowser.io. Check whether it's running."]);
    });

    it('says that a key is missing on this machine, not that it was rejected', () => {
      fail({ kind: 'noKey' });
      assert.equal(accountRow().description, 'key not found on this machine');
      assert.doesNotMatch([accountRow().aria, ...belowAccount()].join(), /reject/);
      assert.match(accountRow().contextValue, /\+keyMissing\b/);
      assert.doesNotMatch(accountRow().contextValue, /\+key\b/);
      const [trouble] = childrenOf(model, { kind: 'account', accountId: prod.id });
      assert.equal(trouble && rowAt(trouble).click, 'browserSessions.enterKey');
      fail({ kind: 'unauthorized' });
      assert.match(accountRow().contextValue, /\+key\b/);
    });

    it('says that a list is incomplete when only a part of it arrived', () => {
      const run = store.beginList(prod.id);
      run.arrive({ sessions: some(2), groups: [], faults: [], account: undefined });
      run.fail(new ProviderError({ kind: 'serverFault', status: 502 }, 'x'));
      assert.equal(accountRow().description, 'server error 502 · 2 running · incomplete list');
      assert.equal(sessionRow('r0').dimmed, true);
    });
  });

  describe('old rows', () => {
    const batch = {
      id: groupId('batch-1'),
      kind: 'batch',
      name: 'nightly',
      status: undefined,
      createdAt: start,
    } as const;

    function listWithBatch(sessions: readonly Session[]): void {
      const run = store.beginList(prod.id);
      run.arrive({ sessions, groups: [batch], faults: [], account: undefined });
      run.complete(keepingOnly(store, prod.id, sessions));
    }
    const groupRow = (id: GroupId) => rowAt({ kind: 'group', accountId: prod.id, groupId: id });

    it('are dimmed and say as of when, until a list succeeds', () => {
      const pages = [{ id: pageId('p'), title: 'Cart', url: 'https://shop.example/cart' }];
      const sessions = [someSession('a', { region: 'eu', groupId: batch.id, startedAt: start - 60_000, pages })];
      listWithBatch(sessions);
      const page = () => rowAt({ kind: 'page', accountId: prod.id, sessionId: sessionId('a'), pageId: pageId('p') });
      const fresh = [sessionRow('a'), groupRow(batch.id), page()];
      assert.deepEqual(
        fresh.map(({ dimmed }) => dimmed),
        [false, false, false],
      );
      fail();
      for (const row of [sessionRow('a'), groupRow(batch.id), page()]) {
        assert.equal(row.dimmed, true, row.label);
        assert.equal(row.icon?.color, 'disabledForeground');
      }
      assert.match(sessionRow('a').description, /^1m · eu · as of \d+:\d\d/);
      assert.match(sessionRow('a').aria, /, as of \d+:\d\d/);
      assert.match(groupRow(batch.id).description, /^1 · oldest 1m · as of \d+:\d\d/);
      // What can be done to them stays the same.
      assert.equal(sessionRow('a').contextValue, fresh[0]?.contextValue);
      listWithBatch(sessions);
      assert.deepEqual([sessionRow('a'), groupRow(batch.id), page()], fresh);
    });

    it('keep the icons of an error and of an end that is under way', () => {
      list([someSession('stuck'), someSession('ending')]);
      const why = { kind: 'stillRuns', found: true, said: undefined } as const;
      store.setLife(prod.id, [sessionId('stuck')], { kind: 'stuck', since: now, why });
      store.setLife(prod.id, [sessionId('ending')], { kind: 'ending', since: now });
      fail();
      assert.deepEqual(sessionRow('stuck').icon, { id: 'error', color: 'problemsErrorIcon.foreground' });
      assert.deepEqual(sessionRow('ending').icon, { id: 'loading~spin', color: undefined });
    });

    it('don’t include sessions that started after the last complete list', () => {
      list([someSession('old')]);
      now += 60_000;
      const run = store.beginList(prod.id);
      const sessions = [someSession('old'), someSession('new', { startedAt: now })];
      run.arrive({ sessions, groups: [], faults: [], account: undefined });
      run.fail(new ProviderError(unreachable, 'x'));
      assert.equal(sessionRow('old').dimmed, true);
      assert.equal(sessionRow('new').dimmed, false);
    });
  });

  describe('the pages of a session that has just ended', () => {
    const session = { kind: 'session', accountId: prod.id, sessionId: sessionId('a') } as const;
    const failPages = (trouble: Trouble) =>
      store.setPages(prod.id, session.sessionId, {
        kind: 'failed',
        trouble: new ProviderError(trouble, 'x', { detail: 'Session not found' }),
        asOf: now,
        last: undefined,
      });

    it('are not an error: the session is not found, or is ending', () => {
      const ended = { id: 'info', color: 'descriptionForeground' };
      list([someSession('a')]);
      failPages({ kind: 'notFound' });
      assert.deepEqual(
        below(session).map(({ label, icon }) => [label, icon]),
        [["Can't find this session's pages. It may have ended.", ended]],
      );
      failPages({ kind: 'conflict' });
      assert.equal(below(session)[0]?.icon?.id, 'error');
      store.setLife(prod.id, [session.sessionId], { kind: 'ending', since: now });
      assert.deepEqual(
        below(session).map(({ label, icon }) => [label, icon]),
        [['This session is ending.', ended]],
      );
    });
  });
});
