import { constants, lstatSync } from 'node:fs';
import { lstat, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Whether a file belongs to this user. Windows has no user IDs. */
export const isOwn = (uid: number): boolean => process.getuid === undefined || uid === process.getuid();

/** Whether a path is a folder that belongs to this user, and not a link to one. */
export function isOwnFolder(path: string): boolean {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats?.isDirectory() === true && isOwn(stats.uid);
  } catch {
    return false;
  }
}

/** Open a file for reading without following a link or waiting for a device. Windows has neither such flags nor such devices. */
export const readOnlyFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * The text of a small file that belongs to this user; undefined if it isn't a file, is too large, belongs to someone else, or
 * can't be read. Links aren't followed, because they could lead to a device that can be read forever.
 */
export async function readOwnFile(path: string, mostBytes: number): Promise<string | undefined> {
  try {
    const file = await open(path, readOnlyFlags);
    try {
      const { uid, size } = await file.stat().then((its) => (its.isFile() ? its : { uid: -1, size: Infinity }));
      if (!isOwn(uid) || size > mostBytes) return undefined;
      const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
      return buffer.subarray(0, bytesRead).toString('utf8');
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

/** Whether a path is a socket that belongs to this user, in a folder that no one else can write to. */
export async function isOwnSocket(path: string): Promise<boolean> {
  try {
    const socket = await lstat(path);
    const folder = await stat(dirname(path));
    return socket.isSocket() && isOwn(socket.uid) && isOwn(folder.uid) && (folder.mode & 0o022) === 0;
  } catch {
    return false;
  }
}
