import type { Clock } from './clock.ts';

/**
 * Makes a reading that is taken anew only when the last one is older than `lifetimeMs`. One that fails is not kept. For
 * what changes seldom and is asked for with every list, such as the limit of an account.
 */
export function cached<T>(
  clock: Clock,
  lifetimeMs: number,
  read: (signal: AbortSignal) => Promise<T>,
): (signal: AbortSignal) => Promise<T> {
  let last: { readonly value: T; readonly asOf: number } | undefined;
  return async (signal) => {
    const now = clock.now();
    if (last === undefined || now < last.asOf || now - last.asOf > lifetimeMs) {
      last = { value: await read(signal), asOf: now };
    }
    return last.value;
  };
}
