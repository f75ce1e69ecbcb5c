import { type Clock, sleep } from '../core/clock.ts';
import { isStillRunning, type LocalProcess, type ProcessReader } from './processes.ts';

/** How long a process may take to end after SIGTERM before it's killed, in milliseconds, by default. */
const defaultGraceMs = 3_000;
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
 * Ends one process: sends SIGTERM, then SIGKILL if it's still running after `graceMs`. Before each signal, it checks that
 * the pid still belongs to this process. Child processes get no signal: a browser ends its own, and they exit when their
 * browser is gone.
 * @param graceMs how long it may take to end after SIGTERM, in milliseconds: three seconds by default.
 * @throws ProviderError `cancelled`; Error where the operating system refuses the signal.
 */
export async function endProcess(
  { pid, identity }: Pick<LocalProcess, 'pid' | 'identity'>,
  reader: ProcessReader,
  clock: Clock,
  stop: AbortSignal,
  graceMs = defaultGraceMs,
): Promise<EndedProcess> {
  const isThere = () => isStillRunning(reader, { pid, identity });
  const exits = (withinMs: number) => becomesTrue(async () => !(await isThere()), withinMs, clock, stop);
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

/**
 * Waits for a condition, checking it every 25 milliseconds. @returns whether it became true in time.
 * @throws ProviderError `cancelled`.
 */
export async function becomesTrue(
  condition: () => Promise<boolean>,
  withinMs: number,
  clock: Clock,
  stop: AbortSignal,
): Promise<boolean> {
  for (const until = clock.monotonic() + withinMs; clock.monotonic() < until; ) {
    if (await condition()) return true;
    await sleep(clock, pollEveryMs, stop);
  }
  return condition();
}
