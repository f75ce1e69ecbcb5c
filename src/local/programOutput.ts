import { execFile } from 'node:child_process';

/** The most output that is read, in bytes. */
const mostBytes = 32 * 2 ** 20;
const timeoutMs = 20_000;

/**
 * Runs one of the operating system's own programs, without a shell, and returns what it wrote.
 * @throws Error if it can't be run, fails, or takes longer than 20 seconds.
 */
export function outputOf(program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { signal, timeout: timeoutMs, maxBuffer: mostBytes, windowsHide: true, env: plainEnvironment() };
    execFile(program, args, options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(new Error(error.message, { cause: error }));
    });
  });
}

/** Makes the output's language and times independent of the user's settings. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C', LANG: 'C', TZ: 'UTC' };
}
