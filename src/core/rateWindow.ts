/** How many more requests a provider takes, and until when it counts them. */
export interface RateWindow {
  readonly remaining: number;
  /** When it starts counting again, in milliseconds of the monotonic clock: the machine's clock may be set in between. */
  readonly resetAt: number;
}

/** The rate limits that a provider's answers last reported, written by the HTTP client, and how much of them was used. */
export interface RequestLimits {
  /** It may be over by now. */
  rateWindow?: RateWindow | undefined;
  /** How many requests at once one connection carries (HTTP/2); undefined where each needs its own. */
  concurrency?: number | undefined;
  /** How many requests were sent over the connection, without those that the HTTP client repeated. */
  sent?: number;
}
