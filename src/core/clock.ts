import type { Disposable } from './event.ts';
import { canceled } from './providerError.ts';

/** The current time, and timers. Tests replace it. */
export interface Clock {
  /** Epoch milliseconds. Jumps when the machine's clock is set, and when it wakes up. */
  now(): number;
  /** Milliseconds since some moment, which never jump. Used to measure durations. */
  monotonic(): number;
  /** Calls `run` once after `ms` milliseconds, unless disposed before. Never keeps a process alive. */
  after(ms: number, run: () => void): Disposable;
}

/**
 * Whether something happened less than `ms` milliseconds ago. False for a time in the future: the machine's clock was set back
 * since, and how long ago it was isn't known. Times are epoch milliseconds.
 */
export function isRecent(at: number, now: number, ms: number): boolean {
  return at <= now && now - at < ms;
}

/** The longest delay that Node's timers support, 25 days. A longer one would fire at once. */
const longestMs = 2 ** 31 - 1;

/** The machine's own time. Frozen: other extensions get it, too, and all that is timed here depends on it. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms: number, run: () => void) {
    const timer = setTimeout(run, ms < longestMs ? Math.max(0, ms) : longestMs);
    timer.unref();
    return { dispose: () => clearTimeout(timer) };
  },
});

/**
 * Waits `ms` milliseconds.
 * @throws ProviderError `canceled` as soon as the signal is aborted.
 */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(canceled('waiting'));
      return;
    }
    const timer = clock.after(ms, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    const stop = () => {
      timer.dispose();
      reject(canceled('waiting'));
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** A signal that is aborted after `ms` milliseconds, unless disposed before. */
export function deadline(clock: Clock, ms: number): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const timer = clock.after(ms, () => controller.abort());
  return { signal: controller.signal, dispose: () => timer.dispose() };
}
