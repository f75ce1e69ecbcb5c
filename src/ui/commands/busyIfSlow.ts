import type { Clock } from '../../core/clock.ts';
import type { Prompts } from '../prompts.ts';

/** After this many milliseconds of waiting, a notification says what is waited for. */
const noticedMs = 1_000;

/** Waits for work, with a notification if it takes more than a second. @param title what is waited for. */
export async function busyIfSlow<T>(prompts: Prompts, clock: Clock, title: string, work: Promise<T>): Promise<T> {
  const slow = Promise.withResolvers<'slow'>();
  const timer = clock.after(noticedMs, () => slow.resolve('slow'));
  try {
    if ((await Promise.race([work, slow.promise])) === 'slow') await prompts.busy(title, () => work);
    return await work;
  } finally {
    timer.dispose();
  }
}
