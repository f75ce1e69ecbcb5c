import type { Clock } from './clock.ts';

/**
 * Caches a reading for `lifetimeMs` milliseconds. One that fails isn't cached. For what changes rarely and is needed with
 * every list, such as an account's limit.
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
