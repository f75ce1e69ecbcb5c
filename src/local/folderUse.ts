import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, sep } from 'node:path';
import { Turns } from '../core/turns.ts';
import type { ProcessReader } from './processes.ts';

/** Whether any process uses one of these paths, or something below it. */
export type UsedPaths = (paths: readonly string[]) => boolean;

/**
 * Reads which paths processes are using: those in their arguments, and on Linux also their working folders and open files.
 * @throws Error if the operating system can't list the processes.
 */
export async function readUsedPaths(reader: ProcessReader, signal: AbortSignal): Promise<UsedPaths> {
  const { found } = await reader.list(() => true, signal);
  const args = found.flatMap((one) => one.args);
  const open = process.platform === 'linux' ? await openFiles(signal) : [];
  return (paths) =>
    paths.some(
      (path) =>
        args.some((arg) => arg.includes(path)) || open.some((file) => file === path || file.startsWith(path + sep)),
    );
}

/**
 * Whether the browser's own lock says that a profile may be in use. The lock is a link to `<host>-<pid>`, which stays when the
 * browser crashes. If it says neither, the profile counts as locked.
 */
export async function isLocked(folder: string): Promise<boolean> {
  const lock = join(folder, 'SingletonLock');
  try {
    const [, host, pid] = /^(.*)-(\d+)$/.exec(await readlink(lock)) ?? [];
    // Another host may be a container that shares this folder.
    return host !== hostname() || isAlive(Number(pid));
  } catch {
    return lstatSync(lock, { throwIfNoEntry: false }) !== undefined;
  }
}

/**
 * Whether something is mounted in a folder, such as another folder of the user's (Linux only, mountinfo in proc(5)). Deleting the
 * folder could delete what is in there.
 */
export function hasMount(folder: string): boolean {
  if (process.platform !== 'linux') return false;
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return mounts.some((line) => {
    // Spaces and the like are written as `\040`.
    const path = line.split(' ')[4]?.replaceAll(/\\(\d{3})/g, (_, code: string) => {
      return String.fromCharCode(Number.parseInt(code, 8));
    });
    return path === folder || path?.startsWith(folder + sep) === true;
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** The working folders, programs, and open files of this user's processes. */
async function openFiles(signal: AbortSignal): Promise<readonly string[]> {
  const open: string[] = [];
  const turns = new Turns();
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    if (turns.isOver) await turns.pass();
    signal.throwIfAborted();
    const links = ['cwd', 'exe', ...namesIn(`/proc/${pid}/fd`).map((fd) => `fd/${fd}`)];
    open.push(...links.map((link) => targetOf(`/proc/${pid}/${link}`)).filter((path) => path.startsWith(sep)));
  }
  return open;
}

/** Empty for other users' processes, and for those that have ended. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
