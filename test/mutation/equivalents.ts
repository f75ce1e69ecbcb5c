/** A change of the code that no test can notice, because what the code does stays the same. */
export interface Equivalent {
  readonly file: string;
  /** The whole source line on which the changed code begins, without its indentation. */
  readonly line: string;
  /** What is changed on it; only where several changes on the line have the same result. */
  readonly from?: string;
  /** What it is changed to. */
  readonly to: string;
  readonly reason: string;
}

/** Changes that are left out of the score. Each must be one that survives: `npm run mutate` fails for any other. */
export const equivalents: readonly Equivalent[] = [];
