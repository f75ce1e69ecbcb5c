/** How many more requests a provider takes, and until when it counts them. */
export interface RateWindow {
  readonly remaining: number;
  /** When it starts counting again, in milliseconds of the monotonic clock: the machine's clock may be set in between. */
  readonly resetAt: number;
}

/** The rate limits that a provider's answers last reported. Written by the HTTP client. */
export interface RequestLimits {
  /** It may be over by now. */
  rateWindow?: RateWindow | undefined;
  /** How many requests at once one connection carries (HTTP/2); undefined where each needs its own. */
  concurrency?: number | undefined;
}
