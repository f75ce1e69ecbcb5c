import type { Clock } from '../../core/clock.ts';

/** The same work, except that calls which follow each other within some milliseconds share one result. */
export function sharedWithin<T>(ms: number, clock: Clock, work: () => Promise<T>): () => Promise<T> {
  let last: { readonly result: Promise<T>; readonly at: number } | undefined;
  return () => {
    const at = clock.monotonic();
    if (last === undefined || at - last.at > ms) last = { result: work(), at };
    return last.result;
  };
}
