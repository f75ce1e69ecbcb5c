import { type Clock, sleep } from '../core/clock.ts';
import type { LocalProcess, ProcessReader } from './processes.ts';

/** How long a process has after it was asked to end, before it is killed, in milliseconds. */
const graceMs = 3_000;
/** How long a killed process may take to leave, in milliseconds. */
const killedMs = 2_000;
const lookEveryMs = 25;

/** What came of ending a process. */
export type EndedProcess =
  /** It wasn't running any more, or its pid is another process's by now. Nothing was sent. */
  | 'gone'
  /** It ended when it was asked to. */
  | 'ended'
  /** It ended when it was killed. */
  | 'killed'
  /** It was killed, and is still there. */
  | 'stillRuns';

/**
 * Ends one process: asks it to (SIGTERM), and kills it if it's still there three seconds later (SIGKILL). Before each signal it
 * is checked that the pid is still this process's. Its children are left to it: browsers end theirs, and those end by
 * themselves when their browser is gone.
 * @throws ProviderError `cancelled`; Error where the operating system refuses the signal.
 */
export async function endProcess(
  { pid, identity }: Pick<LocalProcess, 'pid' | 'identity'>,
  reader: ProcessReader,
  clock: Clock,
  stop: AbortSignal,
): Promise<EndedProcess> {
  const isThere = async () => (await reader.identityOf(pid)) === identity;
  const leaves = async (withinMs: number) => {
    const until = clock.monotonic() + withinMs;
    do {
      if (!(await isThere())) return true;
      await sleep(clock, lookEveryMs, stop);
    } while (clock.monotonic() < until);
    return !(await isThere());
  };
  const send = (signal: 'SIGTERM' | 'SIGKILL') => {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // It ended a moment ago.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  };
  if (!(await isThere())) return 'gone';
  send('SIGTERM');
  if (await leaves(graceMs)) return 'ended';
  send('SIGKILL');
  return (await leaves(killedMs)) ? 'killed' : 'stillRuns';
}
