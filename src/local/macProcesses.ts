import { takesOneDash } from './browserKinds.ts';
import { isInterpreter, type LocalProcess, type ProcessReader, programName } from './processes.ts';
import { processListFrom } from './processTree.ts';
import { outputOf, ProgramError } from './programOutput.ts';

// From `ps`, which every Mac has: macOS lets no program without privileges read another's arguments in any other way.

const fields = 'pid=,ppid=,uid=,lstart=,time=,rss=,comm=';

/** Reads the processes of a Mac. @param ps the program that lists them. */
export function macProcesses(ps = '/bin/ps'): ProcessReader {
  const user = process.getuid?.() ?? -1;
  return {
    async list(isWanted, signal) {
      // The arguments follow in a second table, because nothing separates them from the path of the program.
      const [table, commands] = await Promise.all([
        outputOf(ps, ['-axww', '-o', fields], signal),
        outputOf(ps, ['-axww', '-o', 'pid=,args='], signal),
      ]);
      return processListFrom(readProcesses(table, commands, user), isWanted);
    },

    async identityOf(pid) {
      let row: string;
      try {
        row = await outputOf(ps, ['-ww', '-o', 'lstart=,stat=', '-p', `${pid}`], AbortSignal.timeout(5_000));
      } catch (error) {
        // If no process has the pid, `ps` fails and writes nothing. If it writes something, it couldn't find out.
        if (error instanceof ProgramError && error.exitCode === 1 && error.saidNothing) return undefined;
        throw error;
      }
      const [, start, state] = /^(.{24})\s+(\S+)/.exec(row) ?? [];
      if (start === undefined || state === undefined || Number.isNaN(startFrom(start))) {
        throw new Error(`ps says nothing about process ${pid} that can be read`);
      }
      return state.startsWith('Z') ? undefined : identityFrom(start);
    },
  };
}

/** Reads the tables of `ps`. @param user whose processes are kept. */
export function readProcesses(table: string, commands: string, user: number): readonly LocalProcess[] {
  const argsByPid = new Map<number, string>();
  for (const line of commands.split('\n')) {
    const [, pid, command = ''] = /^\s*(\d+)\s(.*)$/.exec(line) ?? [];
    if (pid !== undefined) argsByPid.set(Number(pid), command);
  }
  return table.split('\n').flatMap((line) => {
    // 501 is written with leading spaces, the start as `Fri Nov 27 00:06:53 2026`, the time as `1:02.34`.
    const row = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\w{3} \w{3} [ \d]\d [\d:]{8} \d{4})\s+([\d:.-]+)\s+(\d+)\s(.*)$/.exec(
      line,
    );
    if (row === null) return [];
    const [, pid, parentPid, uid, start = '', time = '', rss, program = ''] = row;
    if (Number(uid) !== user) return [];
    const args = argumentsIn(argsByPid.get(Number(pid)) ?? '', program);
    return [
      {
        pid: Number(pid),
        parentPid: Number(parentPid),
        identity: identityFrom(start),
        startedAt: startFrom(start),
        program,
        args,
        memory: Number(rss) * 1_024,
        cpuMs: cpuMsFrom(time),
      },
    ];
  });
}

/**
 * The arguments in a line in which only spaces separate them. Paths of browsers and their profiles contain spaces, but none
 * before two dashes, or before one where flags have only one. A script and what follows it are separated at each space, unless
 * the program has put a title in place of its arguments, which then doesn't begin with the program.
 */
function argumentsIn(command: string, program: string): readonly string[] {
  const name = [program, programName(program)].find((one) => command.startsWith(`${one} `));
  if (!isInterpreter(program) || name === undefined) return command.split(takesOneDash(program) ? / (?=-)/ : / (?=--)/);
  return [name, ...command.slice(name.length + 1).split(' ')];
}

function identityFrom(start: string): string {
  return `${startFrom(start)}`;
}

/** `ps` is told to write UTC: in local time, start times and so identities would change with the time zone. */
function startFrom(start: string): number {
  return Date.parse(`${start} UTC`);
}

/** `1:02.34`, or `01:02:03` where it's hours, in milliseconds. */
function cpuMsFrom(time: string): number {
  return Math.round(time.split(/[:-]/).reduce((total, part) => total * 60 + Number(part), 0) * 1_000);
}
