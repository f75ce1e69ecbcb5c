/** What providers count: their own credits, minutes of browser time, or bytes through their proxies. */
export type UsageUnit = 'credits' | 'minutes' | 'proxyBytes';

/**
 * How much a session or an account has used, according to its provider. Never money: prices are the user's to set.
 * Figures are finite and not negative; see {@link usageOf}.
 */
export interface Usage {
  readonly unit: UsageUnit;
  readonly used: number;
  /** How much the plan includes; more may be possible. */
  readonly included?: number | undefined;
  /** How much may be used at most. */
  readonly limit?: number | undefined;
  /** What is left to use. */
  readonly left?: number | undefined;
}

/** Larger figures are mistakes: a terabyte a second for as long as Browserbase exists is less. */
const largestFigure = 1e18;
/** A decimal number, as Anchor may send its credits. */
const decimalNumber = /^\d{1,18}(?:\.\d{1,18})?$/;

/** A provider's figure; undefined for anything that isn't a plausible one: text, NaN, negative or too large. */
export function figureOf(raw: unknown): number | undefined {
  const figure = typeof raw === 'string' && decimalNumber.test(raw) ? Number(raw) : raw;
  return typeof figure === 'number' && figure >= 0 && figure <= largestFigure ? figure + 0 : undefined;
}

/** Reads figures that may be anything. @returns undefined where how much was used isn't said. */
export function usageOf(
  unit: UsageUnit,
  { used, included, limit, left }: { readonly [Key in Exclude<keyof Usage, 'unit'>]?: unknown },
): Usage | undefined {
  const its = figureOf(used);
  if (its === undefined) return undefined;
  const more = { included: figureOf(included), limit: figureOf(limit), left: figureOf(left) };
  const known = Object.entries(more).filter(([, figure]) => figure !== undefined);
  return { unit, used: its, ...Object.fromEntries(known) };
}

/** The largest number of sessions that a provider may say can run at once. */
const mostAtOnce = 1_000_000;

/** How many sessions may run at once; undefined for anything but a plausible count. Providers say -1 for "no limit". */
export function sessionLimitOf(raw: unknown): number | undefined {
  return typeof raw === 'number' && Number.isInteger(raw) && raw >= 0 && raw <= mostAtOnce ? raw + 0 : undefined;
}
