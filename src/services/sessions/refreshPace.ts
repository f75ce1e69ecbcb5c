/** How an account's last refreshes went. */
export interface RefreshHistory {
  /** Refreshes in a row that changed nothing. */
  readonly quiet: number;
  /** Refreshes in a row that failed. */
  readonly failures: number;
  /** How many requests the last list took. */
  readonly requests: number;
}

/** A list that takes more requests than this is treated as if it took so many, in {@link refreshPause}. */
const mostRequests = 5;
/** The longest wait while nothing changes, for each request that a list takes; also while the window isn't focused. */
const slowestMs = 60_000;
const longestBackoffMs = 300_000;
/** Spreads the requests of many windows and accounts over time. */
const jitter = 0.2;

/**
 * Milliseconds between an account's last refresh and its next. Each refresh that changes nothing makes the next wait longer,
 * and the more so the more requests a list takes: in ten minutes in which nothing changes, refreshing every ten seconds at
 * first takes no more than 25 requests, whether a list takes one or three.
 * @param usualMs milliseconds between two refreshes while something changes.
 */
export function refreshPause({ quiet, failures, requests }: RefreshHistory, usualMs: number): number {
  if (failures > 0) return Math.min(usualMs * 2 ** failures, Math.max(usualMs, longestBackoffMs));
  const counted = Math.min(requests, mostRequests);
  const slowdown = 1.25 + counted / 4;
  return Math.min(usualMs * slowdown ** quiet, Math.max(usualMs, slowestMs * counted));
}

/** What a wait becomes while the window isn't focused. */
export function unfocused(ms: number): number {
  return Math.max(ms, slowestMs);
}

/** A wait, up to a fifth longer or shorter. */
export function spread(ms: number): number {
  return ms * (1 - jitter + Math.random() * 2 * jitter);
}
