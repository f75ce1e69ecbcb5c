import { usedLanguage } from './locale.ts';

/** A number with at most `places` decimal places, e.g. `3.3` or `3,3`. */
export function decimal(value: number, places: number): string {
  return new Intl.NumberFormat(usedLanguage(), { maximumFractionDigits: places }).format(value);
}

/** A share as a percentage, e.g. `100%` or `100 %`. @param share 1 for everything. */
export function percentage(share: number): string {
  return new Intl.NumberFormat(usedLanguage(), { style: 'percent' }).format(share);
}

/** Several names as a list, e.g. `a, b, and c`. */
export function listOf(names: Iterable<string>): string {
  return new Intl.ListFormat(usedLanguage(), { type: 'conjunction' }).format(names);
}

const isoCurrency = /^[A-Z]{3}$/;
/** The code for "no currency", whose symbol is replaced by what the user wrote. */
const noCurrency = 'XXX';

/**
 * An amount of money, e.g. `$4.10` or `4,10 €`. @param currency an ISO 4217 code, or any other word or symbol, which then
 * stands where the language puts a currency.
 */
export function money(amount: number, currency: string): string {
  const code = isoCurrency.test(currency) ? currency : noCurrency;
  const parts = new Intl.NumberFormat(usedLanguage(), { style: 'currency', currency: code }).formatToParts(amount);
  return parts.map((part) => (part.type === 'currency' && code === noCurrency ? currency : part.value)).join('');
}

const byteUnits = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;

/** A number of bytes, e.g. `1.5 GB`. */
export function bytes(count: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), byteUnits.length - 1);
  const options = { style: 'unit', unit: byteUnits[power], unitDisplay: 'short', maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(usedLanguage(), options).format(count / 1_000 ** power);
}
