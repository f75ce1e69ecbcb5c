import { homedir, tmpdir } from 'node:os';

/** The user's home folder, as a program with this environment sees it. */
export function homeIn(env: NodeJS.ProcessEnv): string {
  const home = process.platform === 'win32' ? env['USERPROFILE'] : env['HOME'];
  return home === undefined || home === '' ? homedir() : home;
}

/** The folder for temporary files, as a program with this environment sees it. */
export function temporaryIn(env: NodeJS.ProcessEnv): string {
  const own = process.platform === 'win32' ? env['TEMP'] : env['TMPDIR'];
  return own === undefined || own === '' ? tmpdir() : own;
}
