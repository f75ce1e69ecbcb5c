import type { Clock } from '../core/clock.ts';
import type { RateWindow } from '../core/rateWindow.ts';

/** Longer windows aren't about the pace of requests, but for example about a day's quota. */
const longestMs = 3_600_000;

/**
 * Reads a provider's rate limit headers: `x-ratelimit-remaining` with `x-ratelimit-reset` in seconds (Browserbase;
 * GitHub sends an epoch there, which is recognized by its size), or `RateLimit` with `r=` and `t=` in seconds (Anchor;
 * draft-ietf-httpapi-ratelimit-headers). Undefined if there are none that make sense.
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
