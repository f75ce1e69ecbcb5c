import type { Clock } from '../core/clock.ts';
import type { RateWindow } from '../core/rateWindow.ts';

/** Longer windows than this are about another thing than the pace of requests, such as a day's quota. */
const longestMs = 3_600_000;

/**
 * Reads what a provider says of its rate limit: `x-ratelimit-remaining` with `x-ratelimit-reset` in seconds (Browserbase,
 * GitHub's form with an epoch is told by its size), or `RateLimit` with `r=` and `t=` in seconds (Anchor;
 * draft-ietf-httpapi-ratelimit-headers). Undefined where it says nothing that makes sense.
 */
export function rateWindowOf(
  header: (name: string) => string | undefined,
  clock: Pick<Clock, 'now' | 'monotonic'>,
): RateWindow | undefined {
  const structured = header('ratelimit');
  const remaining = number(structured === undefined ? header('x-ratelimit-remaining') : parameter(structured, 'r'));
  const reset = number(structured === undefined ? header('x-ratelimit-reset') : parameter(structured, 't'));
  if (remaining === undefined || reset === undefined) return undefined;
  const inMs = reset > 1_000_000_000 ? reset * 1_000 - clock.now() : reset * 1_000;
  return inMs < 0 || inMs > longestMs ? undefined : { remaining, resetAt: clock.monotonic() + inMs };
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}(\.\d+)?$/.test(text.trim()) ? Number(text) : undefined;
}

function parameter(text: string, name: string): string | undefined {
  return new RegExp(`(?:^|[;,\\s])${name}=(\\d+)`).exec(text)?.[1];
}
