import * as l10n from '@vscode/l10n';
import { plainText } from '../../core/plainText.ts';
import type { ProviderKind } from '../../core/provider.ts';
import { type AccountOverview, type OverLimit, type Overview, oldListMs } from '../../services/sessions/overview.ts';
import { longAge, rowAge } from './ages.ts';
import { shortCost } from './costs.ts';
import { escapedMarkdown } from './escapedMarkdown.ts';
import { timeOfDay } from './locale.ts';
import { accountName } from './names.ts';
import { shortTrouble } from './troubles.ts';

/** What the status bar says: `3 browsers · 1 for 6 h`. */
export function statusText(overview: Overview, now: number): string {
  const text = countText(overview, now);
  const { asOf } = overview;
  return asOf === undefined || now - asOf <= oldListMs ? text : l10n.t('{0} (as of {1})', text, timeOfDay(asOf));
}

function countText({ running, over, asOf }: Overview, now: number): string {
  if (running === 0) return asOf === undefined ? l10n.t('Browser Sessions') : l10n.t('No browsers');
  const [longest] = over;
  if (longest === undefined) return running === 1 ? l10n.t('1 browser') : l10n.t('{0} browsers', running);
  const age = roundAge(now - longest.since.at);
  const isIdle = longest.limit === 'idle';
  if (running === 1) return isIdle ? l10n.t('1 browser, idle for {0}', age) : l10n.t('1 browser for {0}', age);
  const count = over.filter(({ limit }) => limit === longest.limit).length;
  if (count === 1) {
    return isIdle
      ? l10n.t('{0} browsers · 1 idle for {1}', running, age)
      : l10n.t('{0} browsers · 1 over limit, {1}', running, age);
  }
  return isIdle
    ? l10n.t('{0} browsers · {1} idle, longest {2}', running, count, age)
    : l10n.t('{0} browsers · {1} over limit, oldest {2}', running, count, age);
}

/** A duration in its largest unit, for where space is limited: `45 min`, `6 h`, `2 d`. */
function roundAge(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return l10n.t({ message: '{0} min', args: [minutes], comment: ['Minutes, abbreviated'] });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return l10n.t({ message: '{0} h', args: [hours], comment: ['Hours, abbreviated'] });
  return l10n.t({ message: '{0} d', args: [Math.floor(hours / 24)], comment: ['Days, abbreviated'] });
}

/** The status bar text as a sentence, for screen readers. */
export function statusLabel(overview: Overview, now: number): string {
  const { running, over } = overview;
  const count = runningSentence(running);
  const [longest] = over;
  if (longest === undefined) return l10n.t('Browser Sessions: {0}', count);
  return l10n.t('Browser Sessions: {0}', `${count} ${longestSentence(over.length, longest, now)}`);
}

function runningSentence(running: number): string {
  return running === 1 ? l10n.t('1 browser is running.') : l10n.t('{0} browsers are running.', running);
}

function longestSentence(count: number, { limit, since }: OverLimit, now: number): string {
  const age = longAge(now - since.at);
  if (count === 1)
    return limit === 'idle' ? l10n.t('1 has been idle for {0}.', age) : l10n.t('1 has been running for {0}.', age);
  return limit === 'idle'
    ? l10n.t('{0} need attention. The longest has been idle for {1}.', count, age)
    : l10n.t('{0} need attention. The oldest has been running for {1}.', count, age);
}

/** A column of the status bar's tooltip. It's left out if it's empty for all accounts. */
interface Column {
  readonly heading: () => string;
  readonly align: 'left' | 'right';
  /** Plain text; it is escaped when the table is written. */
  readonly cell: (account: AccountOverview, from: TableParts) => string;
}

/** What the tooltip's table needs to know besides the overview. */
export interface TableParts {
  readonly kind: (provider: string) => ProviderKind | undefined;
  /** The currency of the user's own rates. */
  readonly currency: string;
  readonly now: number;
}

const columns: readonly Column[] = [
  {
    heading: () => l10n.t('Account'),
    align: 'left',
    cell: ({ account }, { kind }) => plainText(accountName(account, kind(account.provider)), 60),
  },
  {
    heading: () => l10n.t('Running'),
    align: 'right',
    cell: ({ running, asOf, trouble }) =>
      asOf === undefined && trouble === undefined && running === 0 ? l10n.t('loading…') : String(running),
  },
  {
    heading: () => l10n.t('Oldest'),
    align: 'right',
    cell: ({ oldest }, { now }) => (oldest === undefined ? '' : rowAge(oldest, now)),
  },
  {
    heading: () => l10n.t('Limit'),
    align: 'right',
    cell: ({ sessionLimit }) => (sessionLimit === undefined ? '' : String(sessionLimit)),
  },
  {
    heading: () => l10n.t('Cost So Far'),
    align: 'right',
    cell: ({ costs }, { currency }) => costs.map((cost) => shortCost(cost, currency)).join(' + '),
  },
  {
    heading: () => l10n.t('Problem'),
    align: 'left',
    cell: ({ trouble }) => (trouble === undefined ? '' : shortTrouble(trouble)),
  },
];

/** Most accounts that the tooltip lists. */
const mostAccounts = 20;

/** The status bar's tooltip, as Markdown in which all text from outside is escaped. */
export function statusTooltip({ accounts, asOf }: Overview, parts: TableParts): string {
  const shown = accounts.slice(0, mostAccounts);
  const used = columns
    .map((column) => ({ column, cells: shown.map((account) => column.cell(account, parts)) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ''));
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  // A hover draws columns without space between them.
  const cellIn = ({ align }: Column, text: string) => (align === 'left' ? '' : '&nbsp;&nbsp;') + escapedMarkdown(text);
  const left = accounts.length - shown.length;
  return [
    row(used.map(({ column }) => cellIn(column, column.heading()))),
    row(used.map(({ column }) => (column.align === 'left' ? ':--' : '--:'))),
    ...shown.map((_, index) => row(used.map(({ column, cells }) => cellIn(column, cells[index] ?? '')))),
    '',
    ...(left > 0
      ? [escapedMarkdown(left === 1 ? l10n.t('1 more account') : l10n.t('{0} more accounts', left)), '']
      : []),
    ...(asOf === undefined ? [] : [escapedMarkdown(l10n.t('Updated {0}', timeOfDay(asOf)))]),
  ].join('\n');
}

/** The view's badge and its tooltip; undefined for no badge. */
export function badgeOf(
  { running, over, troubled }: Overview,
  counts: 'attention' | 'count' | 'off',
): { readonly value: number; readonly tooltip: string } | undefined {
  if (counts === 'off') return undefined;
  if (counts === 'count') {
    return running === 0 ? undefined : { value: running, tooltip: runningSentence(running) };
  }
  const value = over.length + troubled;
  if (value === 0) return undefined;
  const sentences = [
    ...(over.length === 0 ? [] : [overSentence(over.length)]),
    ...(troubled === 0 ? [] : [troubledSentence(troubled)]),
  ];
  return { value, tooltip: sentences.join(' ') };
}

function overSentence(count: number): string {
  return count === 1
    ? l10n.t('1 session is over its age or idle limit.')
    : l10n.t('{0} sessions are over their age or idle limit.', count);
}

function troubledSentence(count: number): string {
  return count === 1
    ? l10n.t("1 account couldn't be refreshed.")
    : l10n.t("{0} accounts couldn't be refreshed.", count);
}
