import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { basename, join, sep } from 'node:path';
import { Turns } from '../core/turns.ts';
import { isWithin, Mounts, mountNamespace } from './mounts.ts';
import type { ProcessReader } from './processes.ts';
import { openFilesOf } from './socketOwners.ts';

/** Whether any process uses one of these paths, without links in them, or something below it. */
export type UsedPaths = (paths: readonly string[]) => boolean;

/**
 * Reads which paths processes are using: those whose last part is in their arguments, and on Linux also their working folders and
 * open files, wherever a process has them mounted. There are many ways to write a path: relative, through links, or escaped.
 * @throws Error if the operating system can't list the processes.
 */
export async function readUsedPaths(reader: ProcessReader, signal: AbortSignal): Promise<UsedPaths> {
  const { found } = await reader.list(() => true, signal);
  // Elsewhere than on Linux, case makes no difference in paths.
  const args = found.flatMap((one) => one.args.map((arg) => arg.toLowerCase()));
  const isInArgs = (path: string) => args.some((arg) => arg.includes(basename(path).toLowerCase()));
  if (process.platform !== 'linux') return (paths) => paths.some(isInArgs);
  const mounts = Mounts.of();
  const open = await openPlaces(mounts, signal);
  const isOpen = (path: string) => {
    const place = mounts.place(path);
    return open.some((one) => isWithin(one, place));
  };
  return (paths) => paths.some((path) => isInArgs(path) || isOpen(path));
}

/** A browser's own lock in its profile: a link to where it runs, which stays when the browser crashes. */
const locks: readonly (readonly [name: string, target: RegExp, isThisMachine: (host: string) => boolean])[] = [
  // Chrome's: `<host>-<pid>`.
  ['SingletonLock', /^(.*)-(\d+)$/, (host) => host === hostname()],
  // Firefox's: `<address>:+<pid>`.
  ['lock', /^(.*):\+?(\d+)$/, isOwnAddress],
];

/**
 * Whether a browser's own lock says that a profile may be in use. A lock that doesn't name a process of a machine counts as one
 * that is.
 */
export async function isLocked(folder: string): Promise<boolean> {
  const all = locks.map(async ([name, pattern, isThisMachine]) => {
    const lock = join(folder, name);
    try {
      const [, host = '', pid] = pattern.exec(await readlink(lock)) ?? [];
      // Another machine may be a container that shares this folder.
      return !isThisMachine(host) || isAlive(Number(pid));
    } catch {
      return lstatSync(lock, { throwIfNoEntry: false }) !== undefined;
    }
  });
  return (await Promise.all(all)).includes(true);
}

/** Whether an IPv4 address is one of this machine. */
function isOwnAddress(address: string): boolean {
  const own = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address));
  return /^127\.\d+\.\d+\.\d+$/.test(address) || own.includes(address);
}

/**
 * Whether something is mounted in a folder, such as another folder of the user's (Linux only). Deleting the folder could delete
 * what is in there.
 */
export function hasMount(folder: string): boolean {
  return process.platform === 'linux' && Mounts.of().isAny(folder);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** Where the working folders, programs, and open files of this user's processes are; see {@link Mounts.place}. */
async function openPlaces(own: Mounts, signal: AbortSignal): Promise<readonly string[]> {
  const places = new Set<string>();
  const seen = new Map([[mountNamespace('self'), own]]);
  const turns = new Turns();
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    if (turns.isOver) await turns.pass();
    signal.throwIfAborted();
    const links = [targetOf(`/proc/${pid}/cwd`), targetOf(`/proc/${pid}/exe`)];
    const files = (await openFilesOf(Number(pid), '/proc', turns)) ?? [];
    const paths = [...links, ...files].filter((path) => path.startsWith(sep));
    if (paths.length === 0) continue;
    const mounts = mountsSeenBy(Number(pid), seen) ?? own;
    for (const path of paths) {
      if (turns.isOver) await turns.pass();
      places.add(mounts.place(path));
    }
  }
  return [...places];
}

/** @param seen what is known already, by namespace. @returns undefined if a process has ended. */
function mountsSeenBy(pid: number, seen: Map<string, Mounts>): Mounts | undefined {
  const namespace = mountNamespace(pid);
  const known = seen.get(namespace);
  if (known !== undefined) return known;
  try {
    const mounts = Mounts.of(pid);
    seen.set(namespace, mounts);
    return mounts;
  } catch {
    return undefined;
  }
}

/** Empty for another user's process, and for one that has ended. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
