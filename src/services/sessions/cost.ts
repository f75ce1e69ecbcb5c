import type { Session } from '../../core/session.ts';
import type { Usage, UsageUnit } from '../../core/usage.ts';

/**
 * What a session has cost so far: what its provider reports, in the provider's own unit, or else an estimate in the user's
 * currency from the rate that the user set. No price comes from us.
 */
export type Cost =
  | { readonly kind: 'reported'; readonly usage: Usage }
  | { readonly kind: 'estimated'; readonly amount: number };

const hourMs = 3_600_000;
/** If a session seems to have been running for longer, its start is wrong, and an estimate from it would be, too. */
const longestMs = 366 * 24 * hourMs;

/**
 * What a session has cost so far; undefined if unknown.
 * @param startedAt epoch milliseconds; where the provider doesn't say, when the session was first seen, which makes the
 * estimate too low.
 * @param ratePerHour the user's own rate for the session's provider, from the setting `cost.ratePerHour`.
 * @param now epoch milliseconds.
 */
export function costOf(
  { usage }: Pick<Session, 'usage'>,
  startedAt: number | undefined,
  ratePerHour: number | undefined,
  now: number,
): Cost | undefined {
  if (usage !== undefined) return { kind: 'reported', usage };
  if (startedAt === undefined || ratePerHour === undefined || now - startedAt > longestMs) return undefined;
  return { kind: 'estimated', amount: (Math.max(0, now - startedAt) / hourMs) * ratePerHour };
}

/**
 * For sorting, most expensive first: estimates in the user's currency, then what providers report, by unit, then sessions whose
 * cost isn't known. Figures in different units can't be compared, so each unit stays together.
 */
export function compareCosts(a: Cost | undefined, b: Cost | undefined): number {
  return rankOf(a) - rankOf(b) || figureIn(b) - figureIn(a);
}

const unitRanks: Readonly<Record<UsageUnit, number>> = { credits: 1, minutes: 2, proxyBytes: 3 };

function rankOf(cost: Cost | undefined): number {
  if (cost === undefined) return 4;
  return cost.kind === 'estimated' ? 0 : unitRanks[cost.usage.unit];
}

function figureIn(cost: Cost | undefined): number {
  if (cost === undefined) return 0;
  return cost.kind === 'estimated' ? cost.amount : cost.usage.used;
}

/** What several sessions have cost so far: one figure for each unit that any of them has, estimates first. */
export function totalOf(costs: Iterable<Cost | undefined>): readonly Cost[] {
  let amount: number | undefined;
  const used = new Map<UsageUnit, number>();
  for (const cost of costs) {
    if (cost?.kind === 'estimated') amount = (amount ?? 0) + cost.amount;
    if (cost?.kind === 'reported') used.set(cost.usage.unit, (used.get(cost.usage.unit) ?? 0) + cost.usage.used);
  }
  return [
    ...(amount === undefined ? [] : [{ kind: 'estimated', amount } as const]),
    ...[...used].map(([unit, sum]) => ({ kind: 'reported', usage: { unit, used: sum } }) as const),
  ];
}
