import { execFile } from 'node:child_process';

/** The most output that is read, in bytes. */
const mostBytes = 32 * 2 ** 20;
const timeoutMs = 20_000;

/** A program that couldn't be run, failed, or took too long. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  /** Undefined if it didn't exit by itself. */
  readonly exitCode: number | undefined;
  /** Whether it wrote anything, errors included. */
  readonly saidNothing: boolean;

  constructor(cause: Error, saidNothing: boolean) {
    super(cause.message, { cause });
    this.exitCode = 'code' in cause && typeof cause.code === 'number' ? cause.code : undefined;
    this.saidNothing = saidNothing;
  }
}

/**
 * Runs one of the operating system's own programs, without a shell, and returns what it wrote.
 * @throws ProgramError if it can't be run, fails, or takes longer than 20 seconds.
 */
export function outputOf(program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { signal, timeout: timeoutMs, maxBuffer: mostBytes, windowsHide: true, env: plainEnvironment() };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new ProgramError(error, `${stdout}${stderr}`.trim() === ''));
    });
  });
}

/** Makes the output's language and times independent of the user's settings. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C', LANG: 'C', TZ: 'UTC' };
}
