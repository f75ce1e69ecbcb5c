import { basename } from 'node:path';

/** A process of this user on this machine. */
export interface LocalProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** Distinguishes it from processes that have its pid before or after it. */
  readonly identity: string;
  /** Epoch milliseconds, exact to the second. */
  readonly startedAt: number;
  /** The path of its program. */
  readonly program: string;
  /** May contain keys and passwords: read only single flags, and never show or log it. */
  readonly args: readonly string[];
  /** Memory that it doesn't share with other processes, in bytes; undefined if unknown. */
  readonly memory: number | undefined;
  /** CPU time used, in milliseconds; undefined if unknown. */
  readonly cpuMs: number | undefined;
}

/** The processes of this machine at one moment. */
export interface ProcessList {
  /** The requested processes. */
  readonly found: readonly LocalProcess[];
  /** A process's ancestors, its parent first, up to the first one that belongs to another user. */
  ancestorsOf(process: LocalProcess): readonly LocalProcess[];
  /** The current working folder of a process; undefined if the operating system doesn't say. */
  folderOf(process: LocalProcess): string | undefined;
  /** This user's process with a pid; undefined if there is none. */
  processWith(pid: number): LocalProcess | undefined;
  /** Whether a service manager has started a process itself, as the main process of a service. */
  isService(process: LocalProcess): boolean;
  /** Whether a missing parent means that it has ended, as on Windows. Elsewhere, an orphan gets another parent. */
  readonly keepsDeadParents: boolean;
}

/** Reads the processes of this machine. Never changes any of them. */
export interface ProcessReader {
  /**
   * This user's processes whose programs have certain names.
   * @param isWanted called with the name of a program's file, without `.exe`.
   * @throws Error if the operating system can't list them.
   */
  list(isWanted: (name: string) => boolean, signal: AbortSignal): Promise<ProcessList>;
  /** The identity of the process that now has a pid; undefined if there is none, or only a zombie. */
  identityOf(pid: number): Promise<string | undefined>;
}

/** Whether a process is still running: its pid may belong to another one now. */
export async function isStillRunning(
  reader: ProcessReader,
  { pid, identity }: Pick<LocalProcess, 'pid' | 'identity'>,
): Promise<boolean> {
  return (await reader.identityOf(pid)) === identity;
}

/** The name of a program's file, without `.exe` and without what Linux appends if the file was replaced. */
export function programName(program: string): string {
  return basename(program.replaceAll('\\', '/'))
    .replace(/ \(deleted\)$/, '')
    .replace(/\.exe$/i, '');
}

/** Whether a program runs scripts, which then are among its arguments. */
export function isInterpreter(program: string): boolean {
  return /^(node|bun|deno|python[\d.]*|java|ruby|dotnet|electron)$/.test(programName(program));
}

/**
 * The value of a flag such as `--user-data-dir=…`; empty if it has none, undefined if the flag is missing. As in Chrome, the
 * last one counts, and those after `--` or, on Windows, `--single-argument` don't: a link that was opened may contain anything.
 */
export function flagOf({ args }: Pick<LocalProcess, 'args'>, name: string): string | undefined {
  const end = args.findIndex((arg) => /^--(single-argument)?(\s|$)/.test(arg));
  const found = args.findLast((arg, index) => (end < 0 || index < end) && (arg === name || arg.startsWith(`${name}=`)));
  return found?.slice(name.length + 1);
}
