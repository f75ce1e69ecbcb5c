import * as v from 'valibot';
import type { Clock } from '../../core/clock.ts';
import type { Screenshot } from '../../core/provider.ts';
import type { Session } from '../../core/session.ts';
import { Turns } from '../../core/turns.ts';
import type { SocketRequest } from '../../local/askSocket.ts';
import type { AutomatedBrowser, BrowserTool } from '../../local/browsers.ts';
import type { LocalProcess, ProcessList } from '../../local/processes.ts';
import type { ListeningSockets } from '../../local/socketOwners.ts';

/** A session of a tool whose background process (daemon) runs on this machine. */
export interface ToolSession {
  readonly tool: BrowserTool;
  /** The user's name for it, or the tool's default. Clean it before showing it. */
  readonly name: string;
  /** The folder it was started for, if the tool's files say so. */
  readonly workspace: string | undefined;
  readonly daemon: LocalProcess;
  /** Which browser it controls: its own, one that something else started, or one in a cloud. */
  readonly browser: 'own' | 'foreign' | 'cloud';
  /** The session of another provider that it controls, if the tool says which. */
  readonly drives: Session['drives'];
  readonly stop: OwnStop;
  /** Takes a screenshot of its selected page, if the tool can. Without a browser, it would start one, so check first. */
  readonly screenshot?: (clock: Clock, signal: AbortSignal) => Promise<Screenshot>;
}

/** How a tool is asked to end one of its sessions. */
export interface OwnStop {
  readonly request: SocketRequest;
  /** How long the tool may take until its browser and its background process are gone, in milliseconds. */
  readonly graceMs: number;
}

/** What tools' sessions are found by: this machine at one moment. */
export interface MachineView {
  readonly processes: ProcessList;
  readonly browsers: readonly AutomatedBrowser[];
  /** Undefined if the operating system doesn't say. */
  readonly sockets: ListeningSockets | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * A tool that keeps browsers open between commands. Its sessions are read from its files and from the processes. Nothing
 * runs its commands, starts anything, changes files, or sends a request that restarts its idle timeout.
 */
export interface LocalTool {
  /** Its sessions with a running background process. Never rejects because of what the files contain. */
  sessions(machine: MachineView): Promise<readonly ToolSession[]>;
}

/** How much later than its file a process may seem to have started, because start times are exact only to the second. */
const clockDifferenceMs = 2_000;

/** The text of a pid file. */
const Pid = v.pipe(v.string(), v.trim(), v.regex(/^[1-9]\d{0,9}$/), v.transform(Number));

/** Takes a process ID from the text of a pid file. */
export function pidIn(text: string): number | undefined {
  const read = v.safeParse(Pid, text);
  return read.success ? read.output : undefined;
}

/**
 * The process that wrote a file with its pid. It started before the file was written, and it runs the tool's program. Otherwise
 * the pid belongs to another process.
 */
export function writerOf(
  pid: number,
  writtenAt: number,
  { processes }: Pick<MachineView, 'processes'>,
  isTool: (process: LocalProcess) => boolean,
): LocalProcess | undefined {
  const one = processes.processWith(pid);
  return one !== undefined && startedBefore(one, writtenAt) && isTool(one) ? one : undefined;
}

/** Whether a process had started when a file was written. */
export function startedBefore({ startedAt }: LocalProcess, writtenAt: number): boolean {
  return startedAt <= writtenAt + clockDifferenceMs;
}

/** Maps rows to results, a few milliseconds at a time, and leaves out those without a result. */
export async function compactMap<Row, Result>(
  rows: Iterable<Row>,
  { signal }: Pick<MachineView, 'signal'>,
  make: (row: Row) => Result | undefined | Promise<Result | undefined>,
): Promise<readonly Result[]> {
  const turns = new Turns();
  const made: Result[] = [];
  for (const row of rows) {
    if (turns.isOver) await turns.pass();
    signal.throwIfAborted();
    const result = await make(row);
    if (result !== undefined) made.push(result);
  }
  return made;
}
