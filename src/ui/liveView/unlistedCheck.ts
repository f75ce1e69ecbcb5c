import { type Clock, sleep } from '../../core/clock.ts';
import type { KnownSession } from './knownSession.ts';

/** How often it's checked whether a session that lists leave out has ended, in milliseconds. */
const everyMs = 60_000;

/**
 * Checks once a minute whether a watched session has ended, as long as only its own check has found it running: lists leave
 * it out, so they won't say when it ends. @param stop stops it. @param onEnded called when it's confirmed gone.
 */
export async function checkUnlisted(
  known: KnownSession,
  clock: Clock,
  stop: AbortSignal,
  onEnded: () => void,
): Promise<void> {
  while (known.isRunningUnlisted) {
    try {
      await sleep(clock, everyMs, stop);
    } catch {
      return;
    }
    const hasEnded = known.isRunningUnlisted && (await known.hasEndedSince());
    if (stop.aborted) return;
    if (hasEnded) onEnded();
  }
}
