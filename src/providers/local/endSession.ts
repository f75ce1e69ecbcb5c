import type { Clock } from '../../core/clock.ts';
import { askSocket, type SocketAnswer } from '../../local/askSocket.ts';
import { becomesTrue, type EndedProcess, endChildren, endProcess } from '../../local/endProcess.ts';
import { isStillRunning, type LocalProcess, type ProcessReader } from '../../local/processes.ts';
import { readListeningSockets } from '../../local/socketOwners.ts';
import type { OwnStop } from './localTool.ts';

/** How long, in milliseconds, a browser has after SIGTERM if its tool couldn't end it, and the tool has after its browser. */
const shortGraceMs = 1_000;

/** The processes of one session. */
export interface SessionProcesses {
  /** Undefined if the session has no browser of its own on this machine. */
  readonly browser: LocalProcess | undefined;
  /** The browser's own child processes. */
  readonly children: readonly LocalProcess[];
  /** The tool's background process, if it has one for this session alone. */
  readonly daemon: LocalProcess | undefined;
  /** How the tool is asked to end the session. */
  readonly stop: OwnStop | undefined;
}

/**
 * Ends a session by its tool's own stop, then by signals to its browser, then by signals to the tool's background process, until
 * all are gone, and waits for the browser's child processes. Each step starts with a check that the process is still the one that
 * was listed. The tool's answer confirms nothing: the session has ended when its browser and its background process are gone.
 * @throws ProviderError `canceled`; Error if the operating system refuses a signal.
 */
export async function endSession(
  processes: SessionProcesses,
  reader: ProcessReader,
  clock: Clock,
  signal: AbortSignal,
): Promise<EndedProcess> {
  const ended = await endRoots(processes, reader, clock, signal);
  if (ended === 'ended' || ended === 'killed') await endChildren(processes.children, reader, clock, signal);
  return ended;
}

async function endRoots(
  { browser, daemon, stop }: SessionProcesses,
  reader: ProcessReader,
  clock: Clock,
  signal: AbortSignal,
): Promise<EndedProcess> {
  const isThere = (one: LocalProcess) => isStillRunning(reader, one);
  const all = [browser, daemon].filter((one) => one !== undefined);
  const [first] = all;
  if (first === undefined || !(await isThere(first))) return 'gone';
  const areGone = async () => !(await Promise.all(all.map(isThere))).includes(true);

  let wasAsked = false;
  if (daemon !== undefined && stop !== undefined && (await isThere(daemon))) {
    const { path } = stop.request;
    const sockets = await readListeningSockets();
    const isItsSocket = sockets === undefined || (await sockets.owners([path], [daemon.pid])).has(path);
    if (isItsSocket && (await isThere(first))) {
      const asked = await stopByTool(stop, areGone, clock, signal);
      if (asked === 'ended') return 'ended';
      wasAsked = asked === 'notInTime';
    }
  }

  const graceMs = wasAsked ? shortGraceMs : undefined;
  const ended = browser === undefined ? 'gone' : await endProcess(browser, reader, clock, signal, graceMs);
  if (daemon === undefined || ended === 'stillRuns') return ended;
  // Most background processes end when their browser does.
  const hadBrowser = browser !== undefined;
  if (hadBrowser && (await becomesTrue(async () => !(await isThere(daemon)), shortGraceMs, clock, signal)))
    return endedIfGone(ended);
  const daemonEnded = await endProcess(daemon, reader, clock, signal);
  if (daemonEnded === 'stillRuns') return 'stillRuns';
  return ended === 'killed' || daemonEnded === 'killed' ? 'killed' : 'ended';
}

/** The session was still running at first, so it has ended even if its browser was already gone. */
function endedIfGone(ended: EndedProcess): EndedProcess {
  return ended === 'gone' ? 'ended' : ended;
}

/** @returns `ended` once all are gone, `notInTime` if they aren't in time, `refused` if the tool doesn't try. */
async function stopByTool(
  { request, graceMs }: OwnStop,
  areGone: () => Promise<boolean>,
  clock: Clock,
  signal: AbortSignal,
): Promise<'ended' | 'notInTime' | 'refused'> {
  let answer: SocketAnswer | undefined;
  void askSocket(request, clock, signal).then((its) => {
    answer = its;
  });
  const isRefused = () => answer?.kind === 'refused' || (answer?.kind === 'answered' && isError(answer.text));
  await becomesTrue(async () => isRefused() || (await areGone()), graceMs, clock, signal);
  if (await areGone()) return 'ended';
  return isRefused() ? 'refused' : 'notInTime';
}

/** Whether a tool says that it can't stop. Every tool's answer then has an `error`. */
function isError(text: string): boolean {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer !== 'object' || answer === null || 'error' in answer;
  } catch {
    return true;
  }
}
