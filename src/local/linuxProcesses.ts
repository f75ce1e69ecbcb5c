import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { Turns } from '../core/turns.ts';
import type { LocalProcess, ProcessReader } from './processes.ts';
import { programName } from './processes.ts';
import { ancestorsOf } from './processTree.ts';

// Everything comes from /proc (proc(5)). Its files are made when they are read and never block, so they are read
// synchronously, a few at a time: that takes a third of the time of as many promises.

/** The clock ticks of a second. 100 on every Linux that Node supports: programs can't see another value (sysconf(3)). */
const ticksPerSecond = 100;
const pageBytes = 4_096;

/** Reads the processes of a Linux machine. @param root where proc is mounted. */
export function linuxProcesses(root = '/proc'): ProcessReader {
  const user = process.getuid?.();
  const read = (file: string): string => {
    try {
      return readFileSync(`${root}/${file}`, 'utf8');
    } catch (error) {
      // If no more files can be opened, for example, the process may still be running.
      if (!isGoneOrForeign(error)) throw error;
      return '';
    }
  };
  const programOf = (pid: string): string | undefined => {
    try {
      // Thousands of pids from old files may be looked up. Throwing an error for each would be slower.
      const stats = statSync(`${root}/${pid}`, { throwIfNoEntry: false });
      return stats?.uid === user ? readlinkSync(`${root}/${pid}/exe`) : undefined;
    } catch (error) {
      if (!isGoneOrForeign(error)) throw error;
      return undefined;
    }
  };
  const folderOf = ({ pid }: LocalProcess): string | undefined => {
    try {
      return readlinkSync(`${root}/${pid}/cwd`);
    } catch {
      return undefined;
    }
  };
  const isService = ({ pid }: LocalProcess): boolean => {
    try {
      // systemd sets it for the process that it runs; child processes inherit it with their ancestor's pid (systemd.exec(5)).
      return readFileSync(`${root}/${pid}/environ`, 'utf8').split('\0').includes(`SYSTEMD_EXEC_PID=${pid}`);
    } catch {
      return false;
    }
  };
  const bootMs = (): number => Number(/^btime (\d+)$/m.exec(read('stat'))?.[1] ?? 0) * 1_000;

  const processOf = (pid: string, program: string, booted: number): LocalProcess | undefined => {
    const stat = statOf(read(`${pid}/stat`));
    if (stat === undefined) return undefined;
    const [, resident = 0, shared = 0] = read(`${pid}/statm`).split(' ').map(Number);
    return {
      pid: Number(pid),
      parentPid: stat.parentPid,
      identity: `${stat.startTicks}`,
      startedAt: booted + (stat.startTicks * 1_000) / ticksPerSecond,
      program,
      args: argsOf(read(`${pid}/cmdline`)),
      memory: Math.max(0, resident - shared) * pageBytes,
      cpuMs: (stat.cpuTicks * 1_000) / ticksPerSecond,
    };
  };

  return {
    async list(isWanted, signal) {
      const booted = bootMs();
      const found: LocalProcess[] = [];
      const turns = new Turns();
      for (const pid of await readdir(root)) {
        if (!/^\d+$/.test(pid)) continue;
        if (turns.isOver) await turns.pass();
        signal.throwIfAborted();
        const program = programOf(pid);
        if (program === undefined || !isWanted(programName(program))) continue;
        const one = processOf(pid, program, booted);
        if (one !== undefined) found.push(one);
      }
      const processWith = (pid: number): LocalProcess | undefined => {
        const program = programOf(`${pid}`);
        return program === undefined ? undefined : processOf(`${pid}`, program, booted);
      };
      // Browsers often have the same ancestors.
      const remembered = new Map<number, LocalProcess | undefined>();
      const ancestorWith = (pid: number): LocalProcess | undefined => {
        if (!remembered.has(pid)) remembered.set(pid, processWith(pid));
        return remembered.get(pid);
      };
      return {
        found,
        keepsDeadParents: false,
        processWith,
        ancestorsOf: (one) => ancestorsOf(one, ancestorWith),
        folderOf,
        isService,
      };
    },

    async identityOf(pid) {
      const stat = statOf(read(`${pid}/stat`));
      return stat === undefined || stat.isDead ? undefined : `${stat.startTicks}`;
    },
  };
}

/** Whether a process's file can't be read because the process has ended or belongs to someone else. */
function isGoneOrForeign(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM';
}

/** What `/proc/<pid>/stat` says; undefined where there is no such process. */
function statOf(text: string) {
  // The second field is the program's name in parentheses, which may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = ''] = fields;
  const number = (place: number) => Number(fields[place - 3]);
  if (state === '' || !Number.isFinite(number(22))) return undefined;
  return {
    // Threads can go on after a process's first one has exited: the process is a zombie only once that is the last one.
    isDead: state === 'X' || (state === 'Z' && number(20) <= 1),
    parentPid: number(4),
    cpuTicks: number(14) + number(15),
    startTicks: number(22),
  };
}

/** Arguments end with a zero byte. Chrome's child processes write all of theirs as one text with spaces. */
function argsOf(text: string): readonly string[] {
  const args = text.split('\0').filter((arg) => arg !== '');
  return args.length === 1 ? (args[0] ?? '').split(/ (?=--)/) : args;
}
