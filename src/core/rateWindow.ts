/** How many more requests a vendor takes, and until when it counts them. */
export interface RateWindow {
  readonly remaining: number;
  /** Epoch milliseconds at which it begins to count anew. */
  readonly resetAt: number;
}
