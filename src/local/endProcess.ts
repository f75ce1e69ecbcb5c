import { type Clock, sleep } from '../core/clock.ts';
import { isStillRunning, type LocalProcess, type ProcessReader } from './processes.ts';

/** How long a process may take to end after SIGTERM before it's killed, in milliseconds, by default. */
const defaultGraceMs = 3_000;
/** How long a process may take to end after SIGKILL, in milliseconds. */
const killedMs = 2_000;
/** How long a browser's child processes may take to exit once it's gone, and once they are continued, in milliseconds. */
const childrenMs = 1_000;
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
 * the pid still belongs to this process. Child processes get no signal; see {@link endChildren}.
 * @param graceMs how long it may take to end after SIGTERM, in milliseconds: three seconds by default.
 * @throws ProviderError `canceled`; Error where the operating system refuses the signal.
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
  if (!(await isThere())) return 'gone';
  send(pid, 'SIGTERM');
  if (await exits(graceMs)) return 'ended';
  send(pid, 'SIGKILL');
  return (await exits(killedMs)) ? 'killed' : 'stillRuns';
}

/**
 * Waits until the child processes of a browser that is gone have exited. They do that by themselves, unless they are stopped:
 * then they are continued, and killed if that doesn't help within a second.
 * @throws ProviderError `canceled`; Error where the operating system refuses a signal.
 */
export async function endChildren(
  children: readonly Pick<LocalProcess, 'pid' | 'identity'>[],
  reader: ProcessReader,
  clock: Clock,
  stop: AbortSignal,
): Promise<void> {
  const left = [...children];
  const haveExited = async () => {
    for (let [first] = left; first !== undefined; [first] = left) {
      if (hasPid(first) && (await isStillRunning(reader, first))) return false;
      left.shift();
    }
    return true;
  };
  // Windows can't stop a process with a signal.
  for (const signal of process.platform === 'win32' ? (['SIGKILL'] as const) : (['SIGCONT', 'SIGKILL'] as const)) {
    if (await becomesTrue(haveExited, childrenMs, clock, stop)) return;
    for (const one of left) if (await isStillRunning(reader, one)) send(one.pid, signal);
  }
  await becomesTrue(haveExited, killedMs, clock, stop);
}

/** Whether any process has its pid. Faster than reading which one. */
function hasPid({ pid }: Pick<LocalProcess, 'pid'>): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function send(pid: number, signal: 'SIGTERM' | 'SIGKILL' | 'SIGCONT'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended a moment ago.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/**
 * Waits for a condition, checking it every 25 milliseconds. @returns whether it became true in time.
 * @throws ProviderError `canceled`.
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
