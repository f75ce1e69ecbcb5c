import * as v from 'valibot';
import type { Clock } from '../../core/clock.ts';
import type { Screenshot } from '../../core/provider.ts';
import type { Session } from '../../core/session.ts';
import { Turns } from '../../core/turns.ts';
import type { SocketQuestion } from '../../local/askSocket.ts';
import type { AutomatedBrowser, BrowserTool } from '../../local/browsers.ts';
import type { LocalProcess, ProcessList } from '../../local/processes.ts';
import type { ListeningSockets } from '../../local/socketOwners.ts';

/** A session of a tool whose background process (daemon) runs on this machine. */
export interface ToolSession {
  readonly tool: BrowserTool;
  /** What the user called it, or what the tool calls it without a name. Clean it before showing. */
  readonly name: string;
  /** The folder it was started for, where the tool's files say so. */
  readonly workspace: string | undefined;
  readonly daemon: LocalProcess;
  /** Whose the browser is that it controls: its own, one that something else started, or a cloud's. */
  readonly browser: 'own' | 'foreign' | 'cloud';
  /** The session of another provider that is the browser it controls, where the tool says which. */
  readonly drives: Session['drives'];
  readonly stop: OwnStop;
  /** Takes a screenshot of its selected page, where the tool can. It would start a browser: check first that there is one. */
  readonly screenshot?: (clock: Clock, signal: AbortSignal) => Promise<Screenshot>;
}

/** How a tool is asked to end a session of its own. */
export interface OwnStop {
  readonly question: SocketQuestion;
  /** How long the tool may take until its browser and its background process are gone, in milliseconds. */
  readonly graceMs: number;
}

/** This machine at one moment, as tools are looked for on it. */
export interface MachineView {
  readonly processes: ProcessList;
  readonly browsers: readonly AutomatedBrowser[];
  /** Undefined where the operating system doesn't say. */
  readonly sockets: ListeningSockets | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * A tool that keeps browsers open between commands. Its sessions are read from its files and from the processes: none of its
 * commands is run, nothing is started, no file is changed, and nothing is asked that puts off its idle timeout.
 */
export interface LocalTool {
  /** Its sessions whose background process runs. Never rejects because of what the files hold. */
  sessions(on: MachineView): Promise<readonly ToolSession[]>;
}

/** Start times are exact to a second, and files are written some time after their process has started. */
const clockDifferenceMs = 2_000;

/** What a pid file holds. */
export const Pid = v.pipe(v.string(), v.trim(), v.regex(/^[1-9]\d{0,9}$/), v.transform(Number));

/** Takes a process ID from the text of a pid file. */
export function pidIn(text: string): number | undefined {
  const read = v.safeParse(Pid, text);
  return read.success ? read.output : undefined;
}

/**
 * The process that wrote a file with its pid: it started before the file was written, and is the tool's program. A pid may be
 * another process's by now.
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

/** Turns rows into others, a few milliseconds at a time, and leaves out those that become nothing. */
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
