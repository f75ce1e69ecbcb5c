/** Longest time that requests pause because a provider asks for it; the user can always try again sooner. */
const longestMs = 86_400_000;

/**
 * Reads a `Retry-After` header: seconds, or a date. A date is relative to the answer's own `Date`, so that a wrong
 * clock on either side does no harm. Undefined for nonsense and for times in the past; more than a day counts as a day.
 * @returns epoch milliseconds on our clock.
 */
export function retryAfter(value: string | undefined, date: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return now + Math.min(Number(text) * 1000, longestMs);
  const at = Date.parse(text);
  // `Date.parse` accepts "-5" and "2" as dates; HTTP dates begin with the name of a day.
  if (Number.isNaN(at) || !/^[A-Za-z]{3}/.test(text)) return undefined;
  const sent = Date.parse(date ?? '');
  const wait = at - (Number.isNaN(sent) ? now : sent);
  return wait > 0 ? now + Math.min(wait, longestMs) : undefined;
}
