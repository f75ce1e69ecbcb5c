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
