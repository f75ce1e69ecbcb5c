/** How many more requests a vendor takes, and until when it counts them. */
export interface RateWindow {
  readonly remaining: number;
  /** Epoch milliseconds at which it begins to count anew. */
  readonly resetAt: number;
}

/** Hears what the answers of a provider tell about how many requests it takes. */
export interface LimitListener {
  rateWindow(window: RateWindow): void;
  /** How many requests at once one connection carries (HTTP/2); undefined where each needs its own. */
  concurrency(requests: number | undefined): void;
}
