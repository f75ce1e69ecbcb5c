import { basename } from 'node:path';

/** A process of this user on this machine. */
export interface LocalProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** Tells it apart from processes that had its pid before or get it later. */
  readonly identity: string;
  /** Epoch milliseconds, exact to a second. */
  readonly startedAt: number;
  /** The path of its program. */
  readonly program: string;
  /** May hold keys and passwords: read single flags from it, and never show or log it. */
  readonly args: readonly string[];
  /** The memory that it shares with no other process, in bytes; undefined where that isn't known. */
  readonly memory: number | undefined;
  /** The processor time it has used, in milliseconds; undefined where that isn't known. */
  readonly cpuMs: number | undefined;
}

/** The processes of this machine at one moment. */
export interface ProcessList {
  /** Those that were asked for. */
  readonly found: readonly LocalProcess[];
  /** The processes above one, its parent first. Those of other users are left out, and so is what is above them. */
  ancestorsOf(process: LocalProcess): readonly LocalProcess[];
  /** The folder that a process works in now; undefined where the operating system doesn't say. */
  folderOf(process: LocalProcess): string | undefined;
  /** Whether a parent that isn't found has ended, as on Windows; elsewhere an orphan gets another parent. */
  readonly keepsDeadParents: boolean;
}

/** Reads the processes of this machine. It starts nothing and changes nothing. */
export interface ProcessReader {
  /**
   * This user's processes whose programs have certain names.
   * @param isWanted is given the name of a program's file, without `.exe`.
   * @throws Error where the operating system doesn't say.
   */
  list(isWanted: (name: string) => boolean, signal: AbortSignal): Promise<ProcessList>;
  /** The identity of the process that has a pid now; undefined where none has it, or only a zombie. */
  identityOf(pid: number): Promise<string | undefined>;
}

/** The name of a program's file, without `.exe` and without what Linux adds when the file was replaced. */
export function programName(program: string): string {
  return basename(program.replaceAll('\\', '/'))
    .replace(/ \(deleted\)$/, '')
    .replace(/\.exe$/i, '');
}

/** The value of a flag such as `--user-data-dir=…`; empty where it has none, undefined where it isn't given. */
export function flagOf({ args }: Pick<LocalProcess, 'args'>, name: string): string | undefined {
  for (const arg of args) {
    if (arg === name) return '';
    if (arg.startsWith(`${name}=`)) return arg.slice(name.length + 1);
  }
  return undefined;
}

/** Opens the reader for the operating system that this runs on. */
export async function openProcessReader(platform = process.platform): Promise<ProcessReader> {
  if (platform === 'linux') return (await import('./linuxProcesses.ts')).linuxProcesses();
  if (platform === 'win32') return (await import('./windowsProcesses.ts')).windowsProcesses();
  return (await import('./macProcesses.ts')).macProcesses();
}
