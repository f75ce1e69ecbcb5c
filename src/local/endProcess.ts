import { type Clock, sleep } from '../core/clock.ts';
import type { LocalProcess, ProcessReader } from './processes.ts';

/** How long a process may take to end after SIGTERM before it's killed, in milliseconds. */
const graceMs = 3_000;
/** How long a process may take to end after SIGKILL, in milliseconds. */
const killedMs = 2_000;
const pollEveryMs = 25;

/** The result of ending a process. */
export type EndedProcess =
  /** It was no longer running, or its pid now belongs to another process. No signal was sent. */
  | 'gone'
  /** It ended after SIGTERM. */
  | 'ended'
  /** It ended after SIGKILL. */
  | 'killed'
  /** It's still there after SIGKILL. */
  | 'stillRuns';

/**
 * Ends one process: sends SIGTERM, and SIGKILL if it's still there three seconds later. Before each signal, it checks that
 * the pid still belongs to this process. Child processes get no signal: a browser ends its own, and they exit when their
 * browser is gone.
 * @throws ProviderError `cancelled`; Error where the operating system refuses the signal.
 */
export async function endProcess(
  { pid, identity }: Pick<LocalProcess, 'pid' | 'identity'>,
  reader: ProcessReader,
  clock: Clock,
  stop: AbortSignal,
): Promise<EndedProcess> {
  const isThere = async () => (await reader.identityOf(pid)) === identity;
  const exits = async (withinMs: number) => {
    const until = clock.monotonic() + withinMs;
    do {
      if (!(await isThere())) return true;
      await sleep(clock, pollEveryMs, stop);
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
  if (await exits(graceMs)) return 'ended';
  send('SIGKILL');
  return (await exits(killedMs)) ? 'killed' : 'stillRuns';
}
