import { strict as assert } from 'node:assert';
import { accountId } from '../../../src/core/ids.ts';
import { ProviderError } from '../../../src/core/providerError.ts';
import { providerKinds } from '../../../src/providers/index.ts';
import type { AccountOverview, OverLimit, Overview } from '../../../src/services/sessions/overview.ts';
import { settings, settingValue } from '../../../src/ui/settings.ts';
import { backgroundInterval } from '../../../src/ui/status/backgroundInterval.ts';
import { nameAndId, sessionName, shortId } from '../../../src/ui/text/names.ts';
import { badgeOf, statusLabel, statusText, statusTooltip } from '../../../src/ui/text/overview.ts';
import { warningText } from '../../../src/ui/text/warnings.ts';
import { someSession } from '../sessions.ts';

const minute = 60_000;
const hour = 60 * minute;
const now = Date.parse('2026-11-22T18:00:00Z');

function overOne(id: string, ageMs: number, more: Partial<OverLimit> = {}): OverLimit {
  return {
    accountId: accountId('one'),
    session: someSession(id),
    limit: 'age',
    since: { at: now - ageMs, exact: true },
    isCurrent: true,
    ...more,
  };
}

function overview(running: number, over: readonly OverLimit[] = [], more: Partial<Overview> = {}): Overview {
  return { accounts: [], running, over, troubled: 0, asOf: now, ...more };
}

function accountOverview(label: string, more: Partial<AccountOverview> = {}): AccountOverview {
  return {
    account: { id: accountId(label), provider: 'anchor', label, origin: 'https://a.example' },
    running: 1,
    oldest: { at: now - 6 * hour, exact: true },
    sessionLimit: undefined,
    costs: [],
    trouble: undefined,
    asOf: now,
    ...more,
  };
}

describe('the status bar', () => {
  const text = (...of: Parameters<typeof overview>) => statusText(overview(...of), now);

  it('counts browsers, and those over a limit', () => {
    assert.equal(text(0), 'No browsers');
    assert.equal(text(0, [], { asOf: undefined }), 'Browser Sessions');
    assert.equal(text(1), '1 browser');
    assert.equal(text(3), '3 browsers');
    assert.equal(text(3, [overOne('a', 6 * hour + 59 * minute)]), '3 browsers · 1 over limit, 6 h');
    assert.equal(text(3, [overOne('a', 72 * hour), overOne('b', 2 * hour)]), '3 browsers · 2 over limit, oldest 3 d');
    assert.equal(text(1, [overOne('a', 45 * minute)]), '1 browser for 45 min');
    const idle = { limit: 'idle' } as const;
    assert.equal(text(1, [overOne('a', 45 * minute, idle)]), '1 browser, idle for 45 min');
    assert.equal(text(4, [overOne('a', 45 * minute, idle)]), '4 browsers · 1 idle for 45 min');
    assert.equal(text(4, [overOne('a', 2 * hour), overOne('b', hour, idle)]), '4 browsers · 1 over limit, 2 h');
  });

  it('says when the list is from if it is old', () => {
    assert.equal(text(3, [], { asOf: now - 10 * minute }), '3 browsers');
    assert.match(text(3, [], { asOf: now - hour }), /^3 browsers \(as of .+\)$/);
  });

  it('reads as sentences to screen readers', () => {
    assert.equal(statusLabel(overview(1), now), 'Browser Sessions: 1 browser is running.');
    assert.equal(
      statusLabel(overview(3, [overOne('a', 6 * hour)]), now),
      'Browser Sessions: 3 browsers are running. 1 has been running for 6 hours.',
    );
  });

  const kind = (id: string) => providerKinds.find((one) => one.id === id);
  const tooltip = (...accounts: readonly AccountOverview[]) =>
    statusTooltip(overview(1, [], { accounts }), { kind, now, currency: 'USD' }).split('\n');

  it('has a tooltip with a row for each account, and only the columns that say something', () => {
    assert.deepEqual(
      tooltip(accountOverview('prod'), accountOverview('dev', { running: 0, oldest: undefined })).slice(0, 4),
      [
        '| Account | &nbsp;&nbsp;Running | &nbsp;&nbsp;Oldest |',
        '| :-- | --: | --: |',
        '| Anchor Browser · prod | &nbsp;&nbsp;1 | &nbsp;&nbsp;6h 00m |',
        '| Anchor Browser · dev | &nbsp;&nbsp;0 | &nbsp;&nbsp; |',
      ],
    );
    const trouble = new ProviderError({ kind: 'unauthorized' }, 'rejected');
    assert.deepEqual(
      tooltip(accountOverview('prod', { sessionLimit: 25, trouble }))[2],
      '| Anchor Browser · prod | &nbsp;&nbsp;1 | &nbsp;&nbsp;6h 00m | &nbsp;&nbsp;25 | key rejected |',
    );
  });

  it('shows in its tooltip what sessions have cost so far', () => {
    const [head, , row] = tooltip(
      accountOverview('prod', {
        costs: [
          { kind: 'estimated', amount: 4.1 },
          { kind: 'reported', usage: { unit: 'credits', used: 12.5 } },
        ],
      }),
    );
    assert.match(head ?? '', /Cost So Far/);
    assert.match(row?.replaceAll('\\', '') ?? '', /≈ \$4\.10 \+ 12\.5 credits/);
  });

  it('shows text from outside literally in its tooltip', () => {
    const hostile = '| x |\n[a](command:evil) <img src=x> https://evil.example $(zap) `b` a@b.example';
    const [, , row = ''] = tooltip(accountOverview(hostile));
    assert.ok(!/(^|[^\\])[[\]()<>`:@.$]/.test(row.replaceAll('\\\\', '')), row);
    assert.equal(row.split(/(?<!\\)\|/).length, 5, row);
  });

  it('lists twenty accounts at most in its tooltip', () => {
    const accounts = Array.from({ length: 30 }, (_, index) => accountOverview(`a${index}`));
    const lines = tooltip(...accounts);
    assert.equal(lines.filter((line) => line.startsWith('| Anchor')).length, 20);
    assert.ok(lines.includes('10 more accounts'));
  });
});

describe('the badge', () => {
  it('counts sessions over a limit and accounts with errors, or all sessions, or nothing', () => {
    const busy = overview(7, [overOne('a', hour), overOne('b', hour)], { troubled: 1 });
    assert.deepEqual(badgeOf(busy, 'attention'), {
      value: 3,
      tooltip: "2 sessions are over their age or idle limit. 1 account couldn't be refreshed.",
    });
    assert.deepEqual(badgeOf(busy, 'count'), { value: 7, tooltip: '7 browsers are running.' });
    assert.equal(badgeOf(busy, 'off'), undefined);
    assert.equal(badgeOf(overview(7), 'attention'), undefined);
    assert.equal(badgeOf(overview(0), 'count'), undefined);
  });
});

describe('a warning', () => {
  const nameOfAccount = (id: string) => `Anchor · ${id}`;
  const nameOfSession = ({ session }: OverLimit) =>
    nameAndId({ name: sessionName(session), shortId: shortId(session.id) });
  const limits = { ageMs: hour, idleMs: 30 * minute };
  const text = (...over: readonly OverLimit[]) => warningText(over, { limits, nameOfSession, nameOfAccount, now });
  const named = (id: string, name: string) => ({ session: someSession(id, { name }) });
  const idle = { limit: 'idle', since: { at: now - 40 * minute, exact: false } } as const;

  it('names one session with its short ID, its account and its age', () => {
    assert.equal(
      text(overOne('x', 6 * hour, named('4f8a2c1d-77', 'checkout'))),
      'checkout (4f8a2c1d) in Anchor · one has been running for 6 hours.',
    );
    assert.equal(text(overOne('x', hour, idle)), 'x in Anchor · one has been idle for at least 40 minutes.');
  });

  it('counts several, and names the oldest and where it runs', () => {
    assert.equal(
      text(overOne('a', 6 * hour), overOne('b', 2 * hour)),
      '2 sessions in Anchor · one have been running for more than 1 hour. The oldest is a: 6 hours.',
    );
    assert.equal(
      text(overOne('a', 6 * hour), overOne('b', 2 * hour, { accountId: accountId('two') })),
      '2 sessions have been running for more than 1 hour. The oldest is a in Anchor · one: 6 hours.',
    );
    assert.equal(
      text(overOne('a', 6 * hour), overOne('b', 0, idle), overOne('c', 0, idle)),
      'a in Anchor · one has been running for 6 hours. 2 sessions in Anchor · one have been idle for more than 30 minutes. The longest is b: at least 40 minutes.',
    );
  });

  it('contains no link from a provider’s text', () => {
    assert.ok(!text(overOne('x', hour, named('id', '[a](command:evil)'))).includes(']('));
  });
});

describe('refreshing in the background', () => {
  const intervalWith = (changed: Partial<Record<keyof typeof settings, unknown>>) =>
    backgroundInterval((key) => settingValue(key, changed[key] ?? settings[key].default));
  const nothing = { 'statusBar.show': 'never', badge: 'off', 'warnings.show': false } as const;

  it('is every five minutes unless set otherwise, within bounds', () => {
    assert.equal(intervalWith({}), 5 * minute);
    assert.equal(intervalWith({ 'refresh.background': 0 }), 0);
    assert.equal(intervalWith({ 'refresh.background': 0.01 }), minute);
    assert.equal(intervalWith({ 'refresh.background': 'often' }), 5 * minute);
    assert.equal(intervalWith({ 'refresh.background': Number.POSITIVE_INFINITY }), 1_440 * minute);
  });

  it('stops if nothing would show the result', () => {
    assert.equal(intervalWith(nothing), 0);
    assert.equal(intervalWith({ ...nothing, 'warnings.show': true }), 5 * minute);
    assert.equal(
      intervalWith({ ...nothing, 'warnings.show': true, 'warnings.ageMinutes': 0, 'warnings.idleMinutes': 0 }),
      0,
    );
    assert.equal(intervalWith({ ...nothing, badge: 'count' }), 5 * minute);
    assert.equal(intervalWith({ ...nothing, 'statusBar.show': 'always' }), 5 * minute);
  });
});
