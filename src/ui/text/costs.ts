import * as l10n from '@vscode/l10n';
import { plainText } from '../../core/plainText.ts';
import type { Usage } from '../../core/usage.ts';
import type { Cost } from '../../services/sessions/cost.ts';
import { bytes, decimal, money } from './numbers.ts';

/** Longer currencies are cut, in characters. */
const longestCurrency = 10;

/** What a session, or several, cost so far, e.g. `≈ $4.10 so far` or `12.5 credits so far`. */
export function costText(cost: Cost, currency: string): string {
  if (cost.kind === 'estimated') {
    return l10n.t({
      message: '≈ {0} so far',
      args: [amountText(cost.amount, currency)],
      comment: ['An estimated amount of money'],
    });
  }
  return l10n.t({ message: '{0} so far', args: [usedText(cost.usage)], comment: ['Such as "3 credits so far"'] });
}

/** The same in a few characters, for a status bar or a row: `≈ $4.10` or `12.5 credits`. */
export function shortCost(cost: Cost, currency: string): string {
  return cost.kind === 'estimated' ? `≈ ${amountText(cost.amount, currency)}` : usedText(cost.usage);
}

/** An account's usage and limits, e.g. `12.5 credits used · 50 included · limit 100 · 42.5 left`. */
export function usageText(usage: Usage): string {
  const { unit, included, limit, left } = usage;
  const figure = (value: number) => (unit === 'proxyBytes' ? bytes(value) : decimal(value, 2));
  return [
    l10n.t({ message: '{0} used', args: [usedText(usage)], comment: ['Such as "3 credits used"'] }),
    ...(included === undefined ? [] : [l10n.t('{0} included', figure(included))]),
    ...(limit === undefined ? [] : [l10n.t('limit {0}', figure(limit))]),
    ...(left === undefined ? [] : [l10n.t('{0} left', figure(left))]),
  ].join(' · ');
}

function amountText(amount: number, currency: string): string {
  return money(amount, plainText(currency, longestCurrency));
}

function usedText({ unit, used }: Usage): string {
  switch (unit) {
    case 'credits':
      return used === 1 ? l10n.t('1 credit') : l10n.t('{0} credits', decimal(used, 2));
    case 'minutes':
      return used === 1 ? l10n.t('1 browser minute') : l10n.t('{0} browser minutes', decimal(used, 0));
    case 'proxyBytes':
      return l10n.t('{0} through proxies', bytes(used));
  }
}
