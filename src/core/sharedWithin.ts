import type { Clock } from './clock.ts';

/** Wraps work so that calls at most `ms` milliseconds after the first one share its result. */
export function sharedWithin<T>(ms: number, clock: Clock, work: () => Promise<T>): () => Promise<T> {
  let last: { readonly result: Promise<T>; readonly at: number } | undefined;
  return () => {
    const at = clock.monotonic();
    if (last === undefined || at - last.at > ms) last = { result: work(), at };
    return last.result;
  };
}
