import { win32 } from 'node:path';
import * as v from 'valibot';
import type { LocalProcess, ProcessReader } from './processes.ts';
import { processListFrom } from './processTree.ts';
import { outputOf } from './programOutput.ts';

// From CIM, by the PowerShell that every Windows has: `tasklist` doesn't tell arguments or parents.

const columns = 'ProcessId,ParentProcessId,ExecutablePath,CommandLine,WorkingSetSize,KernelModeTime,UserModeTime';
const started = "@{Name='Started';Expression={([DateTimeOffset]$_.CreationDate).ToUnixTimeMilliseconds()}}";
const listScript = `@(Get-CimInstance Win32_Process | Select-Object ${columns},${started}) | ConvertTo-Json -Compress`;
/** What the script writes if no process has the pid. */
const noProcess = 'none';
const identityScript = (pid: number) =>
  `$p = Get-CimInstance Win32_Process -Filter 'ProcessId=${pid}'; if ($p) { ([DateTimeOffset]$p.CreationDate).ToUnixTimeMilliseconds() } else { '${noProcess}' }`;

const Row = v.object({
  ProcessId: v.number(),
  ParentProcessId: v.number(),
  /** Null for processes of other users, to a program without privileges. */
  ExecutablePath: v.nullish(v.string(), ''),
  CommandLine: v.nullish(v.string(), ''),
  WorkingSetSize: v.nullish(v.number()),
  /** In units of 100 nanoseconds. */
  KernelModeTime: v.nullish(v.number(), 0),
  UserModeTime: v.nullish(v.number(), 0),
  Started: v.number(),
});

/** Reads the processes of a Windows machine. */
export function windowsProcesses(): ProcessReader {
  return {
    list: async (isWanted, signal) =>
      processListFrom(readProcesses(await powerShell(listScript, signal)), isWanted, { keepsDeadParents: true }),
    async identityOf(pid) {
      return identityIn(await powerShell(identityScript(pid), AbortSignal.timeout(20_000)));
    },
  };
}

/**
 * What PowerShell said about a process with a certain pid; undefined if there is none.
 * @throws Error if it said neither: then the process may be running.
 */
export function identityIn(said: string): string | undefined {
  const identity = said.trim();
  if (identity === noProcess) return undefined;
  if (!/^-?\d+$/.test(identity)) throw new Error('PowerShell says nothing about the process that can be read');
  return identity;
}

/** The path of Windows' own PowerShell. By name alone, one in the folder that VS Code was started in would run first. */
export function powerShellPath(env: NodeJS.ProcessEnv = process.env): string {
  const folder = env['SystemRoot'] ?? 'C:\\Windows';
  return win32.join(folder, 'System32', 'WindowsPowerShell', 'v1.0', 'powershell.exe');
}

function powerShell(script: string, signal: AbortSignal): Promise<string> {
  // By default, a script goes on after an error, as if nothing had been found, and succeeds.
  const strict = `$ErrorActionPreference = 'Stop'; ${script}`;
  return outputOf(powerShellPath(), ['-NoProfile', '-NonInteractive', '-Command', strict], signal);
}

/** Reads what PowerShell wrote. Rows that can't be read are left out. */
export function readProcesses(json: string): readonly LocalProcess[] {
  const rows: unknown = JSON.parse(json);
  return (Array.isArray(rows) ? rows : [rows]).flatMap((row: unknown) => {
    const read = v.safeParse(Row, row);
    if (!read.success) return [];
    const { ProcessId, ParentProcessId, ExecutablePath, CommandLine, WorkingSetSize, Started } = read.output;
    return [
      {
        pid: ProcessId,
        parentPid: ParentProcessId,
        identity: `${Started}`,
        startedAt: Started,
        program: ExecutablePath,
        args: argsFrom(CommandLine),
        memory: WorkingSetSize ?? undefined,
        cpuMs: (read.output.KernelModeTime + read.output.UserModeTime) / 10_000,
      },
    ];
  });
}

/** Splits a command line where Windows programs do: at spaces outside of quotes, which are dropped. */
function argsFrom(line: string): readonly string[] {
  return (line.match(/(?:[^\s"]|"[^"]*")+/g) ?? []).map((arg) => arg.replaceAll('"', ''));
}
