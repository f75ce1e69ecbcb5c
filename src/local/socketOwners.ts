import { readdirSync, readlinkSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { Turns } from '../core/turns.ts';

// On Linux, /proc/net/unix (proc_net(5)) lists the sockets that processes listen on, each with its inode. A process that has
// one open has a link to `socket:[inode]` among its file descriptors. Other systems need a program of their own for both.

/** Set for a socket that accepts connections (`__SO_ACCEPTCON`). */
const listens = 0x10000;

/** The local sockets that processes were listening on when this was read. */
export interface ListeningSockets {
  has(path: string): boolean;
  /**
   * Which process listens on each socket. Sockets that none of the processes listens on are left out.
   * @param pids the processes to look at; by default all of this user's, which takes 20 ms for 140 processes.
   */
  owners(paths: readonly string[], pids?: readonly number[]): Promise<ReadonlyMap<string, number>>;
}

/** Reads which local sockets processes listen on; undefined if the operating system doesn't say. @param root where proc is. */
export async function readListeningSockets(root = '/proc'): Promise<ListeningSockets | undefined> {
  if (process.platform !== 'linux') return undefined;
  let table: string;
  try {
    table = await readFile(`${root}/net/unix`, 'utf8');
  } catch {
    return undefined;
  }
  /** Several where a socket was replaced. Another user's lines may be among them: a name may contain a line break. */
  const inodes = new Map<string, string[]>();
  const reading = new Turns();
  for (const line of table.split('\n')) {
    if (reading.isOver) await reading.pass();
    // Num RefCount Protocol Flags Type St Inode Path. A path may contain spaces.
    const [, flags = '', inode = '', path = ''] = /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+) (\/.*)$/.exec(line) ?? [];
    if (path === '' || (Number.parseInt(flags, 16) & listens) === 0) continue;
    const its = inodes.get(path) ?? [];
    its.push(inode);
    inodes.set(path, its);
  }
  return {
    has: (path) => inodes.has(path),
    async owners(paths, pids = pidsIn(root)) {
      const sought = new Map<string, string>();
      const inodesOf = (path: string) => inodes.get(path) ?? [];
      for (const path of paths) for (const inode of inodesOf(path)) sought.set(`socket:[${inode}]`, path);
      // Where a path has several, any of the user's processes may have the last one, which gets the connections.
      const areUnique = paths.every((path) => inodesOf(path).length <= 1);
      /** By path, which process has each of its sockets open. */
      const holders = new Map<string, Map<string, number>>();
      const turns = new Turns();
      for (const pid of areUnique ? pids : pidsIn(root)) {
        if (areUnique && holders.size === sought.size) break;
        if (turns.isOver) await turns.pass();
        for (const link of (await openFilesOf(pid, root, turns)) ?? []) {
          const path = sought.get(link);
          if (path === undefined) continue;
          const its = holders.get(path) ?? new Map<string, number>();
          holders.set(path, its.has(link) ? its : its.set(link, pid));
        }
      }
      const found = new Map<string, number>();
      for (const [path, its] of holders) {
        const [pid] = its.values();
        if (its.size === 1 && pid !== undefined && pids.includes(pid)) found.set(path, pid);
      }
      return found;
    },
  };
}

function pidsIn(root: string): readonly number[] {
  return readdirSync(root)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * The files and sockets that a process has open; none if it has ended, undefined if they can't be read. A process may have tens
 * of thousands.
 */
export async function openFilesOf(pid: number, root: string, turns: Turns): Promise<readonly string[] | undefined> {
  const open: string[] = [];
  try {
    for (const name of await readdir(`${root}/${pid}/fd`)) {
      if (turns.isOver) await turns.pass();
      try {
        open.push(readlinkSync(`${root}/${pid}/fd/${name}`));
      } catch {
        // It was closed in the meantime.
      }
    }
    return open;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOENT' || code === 'ESRCH' ? [] : undefined;
  }
}
